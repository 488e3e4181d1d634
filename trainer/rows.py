"""The rows that the trainer takes from the sampler, and their way to the device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from trainer.language_model import Inputs
from trainer.objectives import Task


class Rows(Protocol):
    """B rows of L tokens, each of one language."""

    @property
    def tokens(self) -> npt.NDArray[np.int64]:
        """Token ids, [B, L]."""
        ...

    @property
    def segments(self) -> npt.NDArray[np.int32]:
        """Document of each token, [B, L]; negative for padding."""
        ...

    @property
    def positions(self) -> npt.NDArray[np.int32]:
        """Position of each token in its document, [B, L]."""
        ...

    @property
    def languages(self) -> npt.NDArray[np.int32]:
        """Language index of each row, [B]."""
        ...


class RowStream(Protocol):
    """Rows as a function of their global index."""

    @property
    def languages(self) -> Sequence[str]:
        """Tags, in the order of the language indices."""
        ...

    def rows(self, indices: Sequence[int]) -> Rows:
        """The rows of some global indices."""
        ...


class Work(NamedTuple):
    """One forward pass: its inputs on the device, what is to be predicted, and counts that stay on the host."""

    inputs: Inputs
    labels: Tensor
    """Token ids, int64 [N]."""
    languages: Tensor
    """Language index of each predicted token, int64 [N]."""
    counts: npt.NDArray[np.float64]
    """Predicted tokens of each language, [languages]."""


def make_work(rows: Rows, task: Task, languages: int, device: torch.device) -> Work:
    """Send some rows and their task to the device.

    Args:
        rows: as the sampler gave them.
        task: what is predicted in them.
        languages: number of languages.
        device: the model's.
    """
    row = task.select // rows.tokens.shape[1]
    token_languages = rows.languages.astype(np.int64)[row]
    counts = np.bincount(token_languages, minlength=languages).astype(np.float64)

    def send(array: npt.NDArray[Any]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(device, non_blocking=True)

    inputs = Inputs(
        tokens=send(task.tokens),
        segments=send(rows.segments),
        positions=send(rows.positions),
        languages=send(rows.languages.astype(np.int64)),
        bidirectional=send(task.bidirectional),
        select=send(task.select),
    )
    return Work(inputs, send(task.labels), send(token_languages), counts)
