"""What a language identification model says of documents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Prediction:
    """The labels of n documents."""

    tags: list[str]
    """``iso639-3_Script``, ``und`` where no label is credible, ``zxx`` where there is no language."""
    scores: npt.NDArray[np.float32]
    """[n] probability of the tag, averaged over what was read of the document."""
