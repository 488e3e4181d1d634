"""Stages to shares: which mixture and which documents hold in which block.

Stages begin at block boundaries, and the turn from one mixture to the next is a few steps of constant shares, so
that a schedule is a list of spans that quotas can look ahead over. The shares of a stage depend on what was
asked for before it: UniMax and the caps on repeats count earlier stages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corpus.errors import ConfigurationError
from corpus.hashing import fingerprint
from sampler.config import SamplerConfig
from sampler.mixture import Rule, bounded, rule, shares
from sampler.quota import UNIT, Counts, Span, units, whole_shares
from sampler.view import DocumentsConfig

WHOLE_RUN = "run"
"""Name of the one stage of a recipe without stages."""


class Part(NamedTuple):
    """A stage in blocks."""

    name: str
    first: int
    """Its first block."""
    end: int | None
    """The first block of the next stage; None in the last stage."""
    tokens: float
    """That its shares are for: its length, or what is left of the budget."""
    rule: Rule
    sizes: dict[str, float]
    """Training tokens of each of its languages, of the documents that its view keeps."""
    turn: int
    """Blocks at its beginning in which the shares of the stage before turn into its own."""
    steps: int
    """Steps of constant shares in these."""
    documents: DocumentsConfig
    absent: frozenset[str]
    """Languages of other stages that have no training text in the stage's snapshot: they cannot fade out in it."""
    kept: NDArray[np.float64]
    """The part of each language's text that its view keeps, [K]."""


class Schedule:
    """The stages of a recipe over the languages of a corpus.

    Args:
        config: the recipe's section.
        languages: K tags of all stages.
        sizes: training tokens of each language of each stage, all positive; one for each stage, one without stages.
        absent: languages without training text in each stage's snapshot; by default none.
        kept: for each stage, the part of a language's text that its view keeps; 1 where a language is not named.
            Caps on repeats bound passes, so what was sampled under another view counts by the pass: amounts sampled
            before are handed on in the measure of the whole text, that is divided by the part that was kept.
    """

    def __init__(
        self,
        config: SamplerConfig,
        languages: Sequence[str],
        sizes: Sequence[Mapping[str, float]],
        absent: Sequence[frozenset[str]] = (),
        kept: Sequence[Mapping[str, float]] = (),
    ) -> None:
        self.languages = tuple(languages)
        self.rows = config.block_rows
        self.block_tokens = config.block_rows * config.row_tokens
        self.parts: list[Part] = []
        first = 0
        for number, found in enumerate(sizes):
            stage = config.stages[number] if config.stages else None
            blocks = None if stage is None or stage.tokens is None else -(-stage.tokens // self.block_tokens)
            end = None if blocks is None or number + 1 == len(sizes) else first + blocks
            left = float(config.budget_tokens or sum(found.values())) - (first * self.block_tokens)
            if blocks is not None:
                tokens = float(blocks * self.block_tokens)
            else:
                tokens = left if left > 0 else float(sum(found.values()))
            turn = -(-stage.transition // self.block_tokens) if stage else 0
            self.parts.append(
                Part(
                    name=stage.name if stage else WHOLE_RUN,
                    first=first,
                    end=end,
                    tokens=tokens,
                    rule=rule(config, stage),
                    sizes=dict(found),
                    turn=turn,
                    steps=min(stage.transition_steps, turn) if stage else 0,
                    documents=config.documents if stage is None or stage.documents is None else stage.documents,
                    absent=absent[number] if absent else frozenset(),
                    kept=np.array([kept[number].get(lang, 1.0) if kept else 1.0 for lang in self.languages]),
                )
            )
            first = end or first
        self.filtered = any((part.kept != 1.0).any() for part in self.parts)
        """Whether a stage's view keeps only a part of a language's text."""

    def stage(self, block: int) -> int:
        """The number of a block's stage."""
        number = len(self.parts) - 1
        while self.parts[number].first > block:
            number -= 1
        return number

    def stage_first(self, block: int) -> int:
        """The first block of a block's stage."""
        return self.parts[self.stage(block)].first

    def spans(self, *, strict: bool = True) -> Iterator[Span]:
        """The shares of the whole schedule.

        Raises:
            ConfigurationError: a stage's mixture, floor or caps are impossible.
        """
        nothing = np.zeros(len(self.languages))
        return self._from(0, nothing, None, strict)

    def confirm(self) -> None:
        """Go through the schedule once.

        Raises:
            ConfigurationError: a stage's mixture, floor or caps are impossible.
        """
        for _ in self.spans(strict=True):
            pass

    @cached_property
    def fingerprint(self) -> str:
        """Of the shares of the whole schedule."""
        spans = self.spans(strict=False)
        return fingerprint([[span.block, span.end, span.weights.tobytes().hex()] for span in spans])

    def after(self, block: int, weights: Counts, asked: NDArray[np.float64]) -> Iterator[Span]:
        """The shares from a change on: those of the change until the next stage begins, and the schedule from there.

        Args:
            block: the first under the change.
            weights: int64 [K], in ``UNIT``.
            asked: rows of each language asked for before it, in the measure of the whole text, float64 [K].
        """
        number = self.stage(block)
        part = self.parts[number]
        yield Span(block, part.end, weights)
        if part.end is not None:
            asked = asked + weights / UNIT * ((part.end - block) * self.rows) / part.kept
            yield from self._from(number + 1, asked, weights, False)

    def own(self, block: int, given: NDArray[np.float64]) -> dict[str, float]:
        """The shares of a block's stage, for what is left of it.

        Args:
            block: the first that they are for.
            given: tokens of each language sampled before, in the measure of the whole text, float64 [K].
        """
        part = self.parts[self.stage(block)]
        left = part.tokens - (block - part.first) * self.block_tokens
        before = self._before(part, given)
        return shares(part.rule, part.sizes, max(left, self.block_tokens), before, strict=False)

    def bounded(self, block: int, weights: Mapping[str, float], given: NDArray[np.float64]) -> dict[str, float]:
        """Shares set by hand or by feedback, within the floor and the caps of their stage.

        Args:
            block: the first under these shares.
            weights: of each language named, of any positive sum.
            given: tokens of each language sampled before, in the measure of the whole text, float64 [K].

        Raises:
            ConfigurationError: a language is not of the stage, or floor and caps contradict each other.
        """
        part = self.parts[self.stage(block)]
        total = sum(weights.values())
        outside = sorted(lang for lang, weight in weights.items() if weight > 0 and lang not in part.sizes)
        if outside:
            known = outside[0] in self.languages
            raise ConfigurationError(
                f"the mixture of block {block} names {outside[0]}, which "
                + (f"is not sampled in stage '{part.name}'" if known else "has no training tokens here"),
                f"Use the languages of the stage, for example {', '.join(list(part.sizes)[:5])}",
            )
        if not (0 < total < float("inf")) or min(weights.values()) < 0:
            units(weights, self.languages)  # says what is wrong
        left = part.tokens - (block - part.first) * self.block_tokens
        chosen = {lang: weight / total for lang, weight in weights.items() if weight > 0}
        if left <= 0 or (part.rule.max_repeats is None and part.rule.floor == 0):
            return chosen
        before = self._before(part, given)
        return bounded(chosen, part.rule, part.sizes, left, before, strict=False)

    def _from(self, number: int, asked: NDArray[np.float64], before: Counts | None, strict: bool) -> Iterator[Span]:
        """The spans of a stage and those behind it.

        Args:
            number: of the stage.
            asked: rows of each language asked for before it, in the measure of the whole text, float64 [K].
            before: shares in force before it.
            strict: refuse impossible floors and caps.
        """
        for part in self.parts[number:]:
            fading = _present(before, part, self.languages) if part.turn and before is not None else None
            spans = list(self._part(part, asked, fading, strict))
            for span in spans:
                if span.end is not None:
                    asked = asked + span.weights / UNIT * ((span.end - span.block) * self.rows) / part.kept
            before = spans[-1].weights
            yield from spans

    def _part(self, part: Part, asked: NDArray[np.float64], fading: Counts | None, strict: bool) -> Iterator[Span]:
        row_tokens = self.block_tokens / self.rows
        steps = [
            (part.first + part.turn * step // part.steps, part.first + part.turn * (step + 1) // part.steps)
            for step in range(part.steps if fading is not None else 0)
        ]
        given, tokens = asked * row_tokens, part.tokens
        if fading is not None:
            # What the fading shares take comes out of the stage's own tokens.
            old = sum((1 - _turned(step, part.steps)) * (end - first) for step, (first, end) in enumerate(steps))
            given = given + fading / UNIT * old * self.block_tokens / part.kept
            tokens = max(tokens - old * self.block_tokens, 1.0)
        own = shares(
            part.rule,
            part.sizes,
            tokens,
            self._before(part, given),
            strict=strict,
        )
        weights = units(own, self.languages)
        for step, (first, end) in enumerate(steps):
            assert fading is not None
            turned = _turned(step, part.steps)
            yield Span(first, end, whole_shares((1 - turned) * fading + turned * weights))
        first = part.first + (part.turn if steps else 0)
        if part.end is None or first < part.end:
            yield Span(first, part.end, weights)

    def _before(self, part: Part, given: NDArray[np.float64]) -> dict[str, float]:
        """Tokens of each language sampled before, in the measure of what a stage keeps of its text."""
        return {lang: float(tokens) for lang, tokens in zip(self.languages, given * part.kept, strict=True)}


def _turned(step: int, steps: int) -> float:
    """How far a step of a transition has turned: the middle of the step."""
    return (step + 0.5) / steps


def _present(weights: Counts, part: Part, languages: Sequence[str]) -> Counts | None:
    """The shares of the stage before that can fade out in a stage; None where nobody is left to."""
    if not part.absent:
        return weights
    kept = np.where([lang in part.absent for lang in languages], 0.0, weights)
    return whole_shares(kept) if kept.any() else None
