"""What a language identification model says of documents."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Candidates = tuple[tuple[str, float], ...]
"""(tag, mean probability) of the labels a document might have, the best first."""


@dataclass(frozen=True)
class Prediction:
    """The labels of n documents."""

    tags: list[str]
    """``iso639-3_Script``, ``und`` where no label is credible, ``zxx`` where there is no language."""
    scores: npt.NDArray[np.float32]
    """[n] probability of the tag, averaged over what was read of the document."""
    doubtful: dict[int, Candidates] = field(default_factory=dict)
    """The documents of which some part looked like another language than the whole, or like none: their best
    labels. They were read a second time."""
    suspects: frozenset[int] = frozenset()
    """Those of them that may be in several languages."""
    declared: frozenset[int] = frozenset()
    """The documents whose declared label decided between two close ones."""
