"""What a run logged about its own course: conflict, gaps, penalties, paths of languages, translations, speed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from evenglot.report.points import Points, Row, curves, mapping, numbers

KINDS = ("conflict", "parallel", "retrieval")
"""Lines of the log that only this reads."""


@dataclass(frozen=True)
class Conflict:
    """One measurement of how the gradients of groups of languages stand to each other."""

    step: int
    tokens: float
    groups: Mapping[str, Sequence[str]]
    """Tags by name of the group, in the order of the log."""
    cosines: Mapping[tuple[str, str], float]
    """Running means by groups, each pair once, in the order of ``groups``; of a group with itself, between its halves.
    Pairs that were not seen yet are missing."""

    def cosine(self, first: str, second: str) -> float | None:
        """Of two groups in either order."""
        found = self.cosines.get((first, second))
        return self.cosines.get((second, first)) if found is None else found

    @property
    def between(self) -> dict[tuple[str, str], float]:
        """Cosines of groups that differ."""
        return {pair: value for pair, value in self.cosines.items() if pair[0] != pair[1]}

    @property
    def within(self) -> dict[str, float]:
        """Cosines between the halves of each group."""
        return {first: value for (first, second), value in self.cosines.items() if first == second}


@dataclass(frozen=True)
class Course:
    """Curves over the tokens seen; whatever the run did not log is empty."""

    conflicts: Sequence[Conflict] = ()
    """In the order of the steps."""
    norms: Mapping[str, Points] = field(default_factory=dict)
    """Norm of the gradient of each group's mean loss."""
    shares: Mapping[str, Points] = field(default_factory=dict)
    """Part of each group in the step's gradient; they sum to 1."""
    blocks: Mapping[str, Points] = field(default_factory=dict)
    """Mean cosine between groups in each block, by its number."""


def course(log: Mapping[str, Sequence[Row]], limit: int) -> Course:
    """Read the lines of a log.

    Args:
        log: lines by kind, in the order of their steps.
        limit: points of a curve at most.
    """
    conflicts = log["conflict"]
    return Course(
        conflicts=[found for row in conflicts if (found := _conflict(row)) is not None],
        norms=curves(conflicts, "norms", None, limit),
        shares=curves(conflicts, "shares", None, limit),
        blocks=curves(conflicts, "blocks", None, limit),
    )


def _conflict(row: Row) -> Conflict | None:
    """A measurement; None where it has no groups or saw none."""
    groups = {
        str(name): [str(tag) for tag in tags]
        for name, tags in mapping(row.get("groups")).items()
        if isinstance(tags, list)
    }
    cosines = {
        (first, second): value
        for first, line in mapping(row.get("cosines")).items()
        for second, value in numbers(line).items()
        if first in groups and second in groups
    }
    return Conflict(int(row["step"]), row["tokens"], groups, cosines) if cosines else None
