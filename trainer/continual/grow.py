"""A model with more languages and token rows than before, the old ones bit for bit as they were.

What belongs to one language lies in row ``l`` of a few tensors: the adapters' projections, gates and sizes, and the
norms' own gains. Growing puts new rows among the old ones, in the order that the new run numbers its languages in, and
appends token rows to the embedding. Everything else is copied. Nothing is recomputed, so an old language's model is
exactly what it was.

Letters: K languages, V token rows, D width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import xxhash
from torch import Tensor

from trainer.model.language_model import LanguageModel
from trainer.optimiser.own_rows import language_rows, mean_rows

_SIZES = "usable"
"""Says how much of its adapter a language may use: by its amount of text, not by its relatives'."""

Start = tuple[str, ...]
"""The languages whose mean a new one starts from; empty for the core."""


def grow(
    old: Mapping[str, Tensor],
    model: LanguageModel,
    before: Sequence[str],
    now: Sequence[str],
    starts: Mapping[str, Start],
    token_rows: Tensor | None = None,
) -> None:
    """Fill a larger model from the tensors of a smaller one.

    Args:
        old: the smaller model's tensors by name.
        model: of the same sizes but for languages and token rows; its fresh rows stay where a language starts from the
            core, but for the adapters' inner projections, which start from the common prior as those of all languages
            did.
        before: the smaller model's languages, in its order.
        now: the larger model's, all of ``before`` among them.
        starts: for each new language, the old ones whose mean it starts from.
        token_rows: [V_new - V_old, D], for the embedding; None for none.
    """
    stacked = language_rows(model)
    place = {lang: index for index, lang in enumerate(before)}
    embedding = "embedding.weight"
    with torch.no_grad():
        for name, target in model.state_dict().items():
            source = old[name].to(target.device) if name in old else None
            if source is None:
                raise KeyError(f"the trained model has no {name}")
            if name == embedding and token_rows is not None:
                target[: len(source)] = source
                target[len(source) :] = token_rows.to(target.device)
            elif name in stacked:
                fresh = name.rpartition(".")[0] + ".prior"
                for index, lang in enumerate(now):
                    if lang in place:
                        target[index] = source[place[lang]]
                    elif starts.get(lang) and not name.endswith(_SIZES):
                        target[index] = mean_rows(source, [place[other] for other in starts[lang]])
                    elif name.endswith(".down"):
                        target[index] = old[fresh].to(target.device)
            else:
                target.copy_(source)


def old_part(
    tensors: Mapping[str, Tensor], stacked: set[str], now: Sequence[str], before: Sequence[str], vocabulary: int
) -> dict[str, Tensor]:
    """The smaller model inside the larger one: the inverse of :func:`grow`.

    Args:
        tensors: the larger model's.
        stacked: names of those that have a row for each language.
        now: the larger model's languages.
        before: the smaller model's.
        vocabulary: its token rows.
    """
    rows = torch.tensor([list(now).index(lang) for lang in before])
    found = {}
    for name, value in tensors.items():
        if name in stacked:
            found[name] = value[rows.to(value.device)]
        elif name == "embedding.weight":
            found[name] = value[:vocabulary]
        else:
            found[name] = value
    return found


def digest(tensors: Mapping[str, Tensor]) -> str:
    """32 hexadecimal digits of names, shapes and bytes of some tensors; equal exactly when all their bits are."""
    state = xxhash.xxh3_128()
    for name in sorted(tensors):
        value = tensors[name].detach().cpu().contiguous()
        state.update(f"{name}{tuple(value.shape)}{value.dtype}".encode())
        state.update(value.flatten().view(torch.uint8).numpy().tobytes())
    return state.hexdigest()
