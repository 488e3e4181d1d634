"""What the comparison of near duplicates asks of the place where documents lie."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.deduplicate.shingles import Int64s, UInt64s


class Documents(Protocol):
    """Where documents are read from; small and picklable."""

    def texts(self, numbers: UInt64s) -> pa.Array:
        """The texts of n documents given in ascending order, large_string."""
        ...

    def sizes(self, numbers: UInt64s) -> Int64s:
        """UTF-8 bytes of n documents given in ascending order."""
        ...

    def members(self, numbers: UInt64s) -> npt.NDArray[np.void]:
        """MEMBER rows of n documents given in ascending order."""
        ...
