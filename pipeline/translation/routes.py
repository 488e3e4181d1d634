"""Which models a sentence passes between two languages: one that serves the pair, or several by way of pivots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from corpus.errors import ConfigurationError
from corpus.tags import english_name
from pipeline.translation.card import ModelCard

_NAMED: Final = 5
"""Languages that an error names at most."""


@dataclass(frozen=True)
class Step:
    """One model in one direction."""

    model: str
    """``name@revision``, as the card's ``generator`` has it."""
    source: str
    """Tag of the language it is given."""
    target: str
    """Tag of the language it makes."""


Route = tuple[Step, ...]
"""Steps one after another: each begins with the language that the one before ends with."""


class NoRoute(ConfigurationError):
    """No model, and no chain of models, leads from one language to another."""


def generator_of(route: Route) -> str:
    """The models of a route as provenance has them: ``name@revision > name@revision``."""
    return " > ".join(step.model for step in route)


def languages_of(route: Route) -> tuple[str, ...]:
    """The languages that a sentence takes on along a route, first and last included."""
    return (*(step.source for step in route[:1]), *(step.target for step in route))


class Routes:
    """The directions that a set of models serves, and the ways through them.

    Args:
        cards: the models; where several serve a direction, the first one does.
        pivots: tags of languages to go through, the preferred one first.
        max_hops: most steps of a route.
    """

    def __init__(self, cards: Sequence[ModelCard], pivots: Sequence[str] = (), max_hops: int = 2) -> None:
        self.pivots = tuple(pivots)
        self.max_hops = max_hops
        self._next: dict[str, dict[str, str]] = {}
        for card in cards:
            for source, target in card.directions():
                self._next.setdefault(source, {}).setdefault(target, card.generator)

    @property
    def direct(self) -> Mapping[tuple[str, str], str]:
        """(source, target) -> model of every direction that one model serves."""
        return {(source, target): model for source, found in self._next.items() for target, model in found.items()}

    def find(self, source: str, target: str, *, through: Sequence[str] = ()) -> Route:
        """The way from one language to another: the fewest steps, then the preferred pivots, then by name.

        Args:
            source: tag.
            target: tag; the same as ``source`` only with ``through``.
            through: tags to pass on the way, in this order; the parts between are found each for itself, and count
                together towards the most steps only where they are not direct.

        Raises:
            NoRoute: there is none of at most ``max_hops`` steps; the message names the ways out.
        """
        stops = (source, *through, target)
        steps: list[Step] = []
        for here, there in pairwise(stops):
            steps += self._find(here, there)
        return tuple(steps)

    def reaches(self, source: str, target: str) -> bool:
        """Whether there is a way from one language to another."""
        return self._search(source, target) is not None

    def _find(self, source: str, target: str) -> Route:
        if source == target:
            raise NoRoute(f"source and target are both {source}", "Name a language to go through")
        found = self._search(source, target)
        if found is None:
            raise NoRoute(*self._why(source, target))
        return tuple(Step(self._next[here][there], here, there) for here, there in pairwise(found))

    def _search(self, source: str, target: str) -> tuple[str, ...] | None:
        """Languages of the best way: breadth first, so that the fewest steps win; ties by rank of the pivots."""
        if source == target:
            return None
        ways: list[tuple[str, ...]] = [(source,)]
        best = {source: ways[0]}
        for _ in range(self.max_hops):
            longer: dict[str, tuple[str, ...]] = {}
            for way in ways:
                for there in self._next.get(way[-1], {}):
                    longer_way = (*way, there)
                    if there not in best and self._better(longer_way, longer.get(there)):
                        longer[there] = longer_way
            if target in longer:
                return longer[target]
            best |= longer
            ways = list(longer.values())
        return None

    def _better(self, way: tuple[str, ...], other: tuple[str, ...] | None) -> bool:
        return other is None or self._rank(way) < self._rank(other)

    def _rank(self, way: tuple[str, ...]) -> list[tuple[int, str]]:
        order = {tag: index for index, tag in enumerate(self.pivots)}
        return [(order.get(tag, len(order)), tag) for tag in way[1:-1]]

    def _why(self, source: str, target: str) -> tuple[str, str]:
        message = f"no model translates from {_named(source)} to {_named(target)}"
        if self.max_hops > 1:
            message += f", nor do any {self.max_hops} one after another"
        out_of = set(self._next.get(source, {}))
        into = {here for here, found in self._next.items() if target in found}
        fixes = []
        if out_of:
            fixes.append(f"a model into {target} from {_listed(out_of, self.pivots)}")
        if into:
            fixes.append(f"a model from {source} to {_listed(into, self.pivots)}")
        near = f": {' or '.join(fixes)} would serve" if fixes else ""
        return message, (
            f"Fetch one with 'evenglot models fetch' or fit one to parallel text with 'evenglot translator fit'{near}"
        )


def _named(tag: str) -> str:
    return f"{tag} ({english_name(tag)})"


def _listed(tags: set[str], pivots: Sequence[str]) -> str:
    order = {tag: index for index, tag in enumerate(pivots)}
    ordered = sorted(tags, key=lambda tag: (order.get(tag, len(order)), tag))
    more = len(ordered) - _NAMED
    return ", ".join(ordered[:_NAMED]) + (f" (or {more} others)" if more > 0 else "")
