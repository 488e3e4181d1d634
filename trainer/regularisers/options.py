"""What the penalties can be told. Importing this module loads no torch."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from corpus.config import Config


class DeviationOptions(Config):
    """Options of ``deviation``."""

    power: float = Field(default=1.0, ge=0, le=2)
    """The penalty of a language is divided by its training tokens to this power; 1 is the Gaussian prior."""


class L2SpOptions(Config):
    """Options of ``l2_sp``."""

    reference: str | None = None
    """File of the reference weights, as `evenglot add-language` writes it; null takes the run's first weights."""
    hash: str | None = None
    """Hash that the file must have; null does not ask."""


class EwcOptions(Config):
    """Options of ``ewc``."""

    reference: str
    """File of the reference weights with their Fisher information, as `evenglot add-language` writes it."""
    hash: str | None = None
    """Hash that the file must have; null does not ask."""


class OrthogonalityOptions(Config):
    """Options of ``orthogonality``."""

    weights: Literal["up", "down", "both"] = "up"
    """up: the directions that adapters write into. down: those in which what they read has moved from the common start.
    both: the mean of the two."""
    pairs: int = Field(default=8, ge=1)
    """Pairs of languages that are compared in a step; the cost grows with them and not with the languages."""
    floor: float = Field(default=0.01, gt=0)
    """Adapters whose weights, squared, are below this share of a usual initialisation's count little."""
    relatives: tuple[tuple[str, ...], ...] = ()
    """Groups of language tags that may share directions."""

    @field_validator("relatives")
    @classmethod
    def _one_group_each(cls, value: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        return one_group_each(value)


class RedundancyOptions(Config):
    """Options of ``redundancy``."""

    between: Literal["languages", "core"] = "languages"
    """languages: what the row's own language and another one add to the same vectors. core: what the row's language
    adds and what is there already."""
    compare: Literal["functions", "vectors"] = "functions"
    """functions: what both compute, in whatever directions they write it. vectors: what both add in the same direction,
    which the core could add for them."""
    blocks: tuple[int, ...] = ()
    """Numbers of the blocks, from 0, whose vectors and adapters are looked at; when empty, the middle and the last."""
    tokens: int = Field(default=32, ge=4)
    """Tokens that are taken of each row."""
    floor: float = Field(default=0.001, gt=0)
    """Paths whose squared size is below this share of the vectors' count little."""
    relatives: tuple[tuple[str, ...], ...] = ()
    """Groups of language tags whose paths may have something in common."""

    @field_validator("relatives")
    @classmethod
    def _one_group_each(cls, value: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        return one_group_each(value)

    def wanted(self, layers: int) -> tuple[int, ...]:
        """The blocks that are looked at in a model of so many."""
        return tuple(sorted(set(self.blocks or (layers // 2, layers - 1))))


class EmbeddingOptions(Config):
    """Options of ``embedding``."""

    prior: Literal["mean", "start", "average"] = "mean"
    """What each row is held near: mean, the mean of all rows; start, its value when the penalty begins, for runs that
    go on from a trained model; average, its running mean, which slows it down and lets it go anywhere."""
    decay: float = Field(default=0.999, ge=0, lt=1)
    """``average`` only: part of the running mean that is kept at each step."""
    power: float = Field(default=1.0, ge=0, le=2)
    """The penalty of a piece is divided by its occurrences in the training text to this power; 1 is the Gaussian
    prior."""


class RDropOptions(Config):
    """Options of ``rdrop``."""

    after: float = Field(default=2.0, ge=0)
    """Passes over a language's text after which its rows are computed twice; 0 begins at once, for all languages."""


class VRExOptions(Config):
    """Options of ``vrex``."""

    sides: Literal["both", "upper"] = "upper"
    """upper: languages that are worse off than the mean count. both: the variance as in the paper, which also makes the
    best languages worse."""
    baseline: str = "unigram"
    """What is taken off each language's loss before languages are compared: none, unigram (the entropy of its tokens
    one by one), or a JSON file that maps tags to nats per token."""
    cap: float = Field(default=5.0, gt=0)
    """Largest factor of a token's loss in the penalty's gradient, at strength 1."""


class GateOptions(Config):
    """Options of ``gates``."""

    closed_below: float = Field(default=0.05, gt=0, lt=1)
    """Opening below which the log counts a gate as closed."""


def one_group_each(groups: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    """The groups of relatives, none of them with a language of another.

    Raises:
        ValueError: a language is in two groups.
    """
    tags = [tag for group in groups for tag in group]
    twice = sorted({tag for tag in tags if tags.count(tag) > 1})
    if twice:
        raise ValueError(f"{twice[0]} is listed twice; a language belongs to one group")
    return groups
