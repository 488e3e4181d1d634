"""Which of a language's documents a pass holds, how often, and in which order."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from corpus.config import Config

MAX_TIMES = 16
"""Most times that one document comes in a pass."""

Order = Literal["random", "easy_first", "hard_first", "diverse_first"]
Quantile = Annotated[float, Field(ge=0, le=1)]


class DocumentsConfig(Config):
    """A view of each language's documents: which come in a pass, how often, in which order."""

    order: Order = "random"
    """Order of the documents in a pass. The ordered ones go through sixteen bands of equally many documents, from
    the easiest, the hardest or the most diverse on, and are random within a band."""
    difficulty: tuple[Quantile, Quantile] = (0.0, 1.0)
    """Part of a language's documents that is kept, from this to that quantile of its difficulty: [0, 0.5] is the
    easier half."""
    diversity: tuple[Quantile, Quantile] = (0.0, 1.0)
    """The same by diversity: [0.5, 1] is the more diverse half."""
    repeat_diverse: int = Field(default=1, ge=1, le=MAX_TIMES)
    """Times that the most diverse tenth of a language's documents comes in a pass."""
    rehydrate: Literal["none", "middle"] | dict[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] = "none"
    """Times that a document comes in a pass which stands for several copies. A table such as {2: 3, 10: 4, 100: 1}
    gives the times of its largest key that is not above the number of copies, and 1 below its smallest. `middle`
    gives most to documents of 16 copies and once to those of 1 and of 256 or more."""
    max_times: int = Field(default=8, ge=1, le=MAX_TIMES)
    """Most times that one document comes in a pass, all reasons multiplied."""
    max_synthetic_share: float = Field(default=1.0, ge=0, le=1)
    """Largest share of synthetic text in a language's tokens; the synthetic documents above it are left out, by
    hash, with a warning that says how many tokens that is."""

    @model_validator(mode="after")
    def _ranges(self) -> DocumentsConfig:
        for name in ("difficulty", "diversity"):
            low, high = getattr(self, name)
            if low >= high:
                raise ValueError(f"{name} keeps nothing: its range goes from {low:g} to {high:g}")
        return self

    @property
    def is_default(self) -> bool:
        """Whether every document comes once in a pass, in random order."""
        return self == DocumentsConfig()
