"""What comes out of a translation: the sentence, how sure the model was, and what went wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

TOO_LONG: Final = "too_long"
"""Problem of a sentence with more tokens than a model takes."""
FAILED: Final = "failed"
"""Beginning of the problem of a sentence at which a model fails when it is given nothing else."""


@dataclass(frozen=True)
class Translation:
    """One sentence, translated along a route or not.

    A blank sentence is its own translation, with no tokens and no score.
    """

    text: str
    """The translation; empty where there is a problem."""
    score: float | None = None
    """Mean log-probability of an output token of the last step (natural logarithm, at most 0), the end of the sentence
    counted as a token; None where nothing was translated."""
    tokens: int = 0
    """Output tokens of all steps."""
    problem: str | None = None
    """None, ``too_long``, or ``failed: `` and what CTranslate2 said."""
    scores: tuple[float, ...] = ()
    """The score of each step of the route; shorter than the route where a step has a problem."""
    truncated: bool = False
    """Whether a step was cut off at its limit before the model ended the sentence."""

    @property
    def total(self) -> float:
        """The sum of the steps' scores: how sure the models were on the whole way."""
        return sum(self.scores)
