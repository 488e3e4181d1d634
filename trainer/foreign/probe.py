"""A small experiment with a foreign model, before it is trained: do documents of one row leave each other alone?

Architectures number positions in their own ways and not all of them obey a mask (recurrent layers, positions built
into the attention). Rather than from a list of names, both are found out: a document must give the same vectors after
another one in a row as it gives alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import torch
from torch import nn

from corpus.errors import ConfigurationError
from trainer.foreign.loading import Kind
from trainer.foreign.masks import masks_for

_FIRST: Final = 5
"""Tokens of the document before the one that is compared."""
_SECOND: Final = 7
_TOLERANCE: Final = 1e-3
"""Largest difference, as a share of the largest value."""


def position_offset(model: nn.Module, backbone: nn.Module, kind: Kind) -> int:
    """What to add to a token's position in its document for the model's position ids.

    RoBERTa and its descendants begin after the id of the padding, most others at 0; 0 also for models whose attention
    knows distances alone.

    Raises:
        ConfigurationError: the model takes no masks or positions, or does not keep documents apart with them.
    """
    config: Any = model.config
    pad = getattr(config, "pad_token_id", None)
    offsets = [0] if pad is None else [0, int(pad) + 1]
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            return _matching(config, backbone, kind, offsets)
    except (TypeError, ValueError, RuntimeError, IndexError, KeyError) as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise _refusal(model, first) from error
    finally:
        model.train(training)


def _matching(config: Any, backbone: nn.Module, kind: Kind, offsets: Sequence[int]) -> int:
    # The last ids of the vocabulary: special ones, which some models treat in other ways, are mostly the first.
    tokens = config.vocab_size - 1 - torch.arange(_FIRST + _SECOND)[None] % (config.vocab_size // 2)
    segments = torch.tensor([[0] * _FIRST + [1] * _SECOND], dtype=torch.int32)
    positions = torch.tensor([[*range(_FIRST), *range(_SECOND)]])
    masks = masks_for(config, segments, torch.tensor([kind == "masked"]))
    alone = backbone(input_ids=tokens[:, _FIRST:]).last_hidden_state
    for offset in offsets:
        packed = backbone(input_ids=tokens, attention_mask=masks, position_ids=positions + offset).last_hidden_state
        if (packed[:, _FIRST:] - alone).abs().max() <= _TOLERANCE * alone.abs().max():
            return offset
    raise ValueError("a document has other vectors after another one in a row than it has alone")


def _refusal(model: nn.Module, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"train.model.base: {type(model).__name__} cannot be trained on rows of several documents: {reason}",
        "Choose a base that takes a 4-D attention mask and position ids: most of the BERT, RoBERTa, Llama, Qwen, "
        "GPT-NeoX and GPT-2 kind do",
    )
