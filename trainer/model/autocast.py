"""Autocast for operations that torch leaves out of it."""

from __future__ import annotations

import torch
from torch import Tensor


def lowered(x: Tensor) -> Tensor:
    """x in the number format of matrix products under autocast; x itself where autocast is off."""
    device = x.device.type
    return x.to(torch.get_autocast_dtype(device)) if torch.is_autocast_enabled(device) else x
