"""How much a model's predictions on some rows depend on each weight: the diagonal of the Fisher information.

For each row the labels are drawn from the model's own predictions, not taken from the text: that is the Fisher
information, while squares of the training gradient are not near it where the model does not fit (Kunstner et al. 2019,
arXiv 1905.12558). One backward pass for each row; tokens of a row are taken together, so their gradients' products
count as well, and the sum is divided by the row's tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from corpus.hashing import stable_hash
from trainer.config import ObjectiveConfig
from trainer.model.language_model import LanguageModel
from trainer.objective.task import make_task, masked_rows
from trainer.steps.rows import RowStream, make_work

_SEED = 0
"""The estimate does not change with the run's seed."""


def diagonal(
    model: LanguageModel,
    stream: RowStream,
    objective: ObjectiveConfig,
    *,
    known: Sequence[str],
    mask_id: int,
    rows: int,
    device: torch.device,
    progress: Callable[[str, int, int], None] | None = None,
) -> dict[str, Tensor]:
    """Fisher information of each parameter that is not frozen, per predicted token, a mean over rows.

    Args:
        model: on its device.
        stream: rows of the old languages.
        objective: that the model was trained with.
        known: tags of the model's languages, in its order.
        mask_id: token id put in place of hidden tokens.
        rows: how many of the stream's first rows are read.
        device: the model's.
        progress: told of the rows done.
    """
    parameters = {name: value for name, value in model.named_parameters() if value.requires_grad}
    sums = {name: torch.zeros_like(value) for name, value in parameters.items()}
    adapters = np.array([list(known).index(lang) for lang in stream.languages], dtype=np.int64)
    generator = torch.Generator(device="cpu").manual_seed(stable_hash("fisher", _SEED) >> 1)
    used = 0
    for number in range(rows):
        found = stream.rows([number])
        index = np.array([number], dtype=np.int64)
        task = make_task(
            found.tokens,
            found.segments,
            index,
            masked_rows(objective, index, _SEED),
            ratio=objective.mask_ratio_end,
            mask_id=mask_id,
            seed=_SEED,
        )
        if not len(task.labels):
            continue
        work = make_work(found, task, len(adapters), device)
        languages = torch.from_numpy(adapters[found.languages]).to(device)
        logits = model(work.inputs._replace(languages=languages)).logits.float()
        drawn = torch.multinomial(logits.detach().softmax(dim=-1).cpu(), 1, generator=generator)[:, 0].to(device)
        loss = functional.cross_entropy(logits, drawn, reduction="sum")
        gradients = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True)
        for total, gradient in zip(sums.values(), gradients, strict=True):
            if gradient is not None:
                total.addcmul_(gradient, gradient, value=1 / len(drawn))
        used += 1
        if progress is not None:
            progress("Fisher information (rows)", number + 1, rows)
    return {name: total / max(1, used) for name, total in sums.items()}
