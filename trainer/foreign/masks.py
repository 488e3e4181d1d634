"""Document masks and positions in the forms that foreign models take."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from trainer.model.attention import attention_mask

Masks = Tensor | dict[str, Tensor]


def masks_for(config: Any, segments: Tensor, bidirectional: Tensor) -> Masks:
    """Who may see whom, for a model of a configuration.

    Models some of whose layers look only a window far are given one mask for each type of layer.

    Args:
        config: of the model.
        segments: document of each token, [B, L].
        bidirectional: whether each row is read from both sides, [B].

    Returns:
        [B, 1, L, L], bool for torch's attention and added to the scores for others.
    """
    full = attention_mask(segments, bidirectional)
    window = getattr(config, "sliding_window", None)
    types = set(getattr(config, "layer_types", None) or ())
    if window is None or types == {"full_attention"}:
        return _form(config, full)
    place = torch.arange(segments.shape[1], device=segments.device)
    distance = place[:, None] - place[None, :]
    # transformers counts the token itself among a causal window, and not among one to both sides.
    near = (distance.abs() <= window) & (bidirectional[:, None, None, None] | (distance < window))
    windowed = full & near
    if len(types) < 2:
        return _form(config, windowed)
    return {"full_attention": _form(config, full), "sliding_attention": _form(config, windowed)}


def _form(config: Any, mask: Tensor) -> Tensor:
    if config._attn_implementation == "sdpa":
        return mask
    lowest = torch.finfo(torch.float32).min
    return torch.zeros(mask.shape, device=mask.device).masked_fill_(~mask, lowest)
