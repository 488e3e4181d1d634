"""The rows that the trainer takes from the sampler, and their way to the device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from trainer.config import AttentionWay
from trainer.model.attention import lay_out
from trainer.model.language_model import Inputs
from trainer.objective.task import Task


class Rows(Protocol):
    """B rows of L tokens, each of one language or, in :class:`MixedRows`, of several."""

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
        """Language index of each row, [B]; -1 where a row holds several."""
        ...


class MixedRows(Rows, Protocol):
    """Rows of which some hold several languages."""

    @property
    def token_languages(self) -> npt.NDArray[np.int32]:
        """Language index of each token, [B, L]."""
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


def spoken_languages(rows: Rows) -> npt.NDArray[np.int64]:
    """Language index of each row, [B], or, if any of the rows holds several, of each token, [B, L]."""
    if (rows.languages >= 0).all():
        return rows.languages.astype(np.int64)
    return cast("MixedRows", rows).token_languages.astype(np.int64)


def of_tokens(values: npt.NDArray[Any], length: int) -> npt.NDArray[Any]:
    """What each row, [B], or each token, [B, L], has, for each token, [B, L]."""
    return values if values.ndim == 2 else np.broadcast_to(values[:, None], (len(values), length))


def make_work(rows: Rows, task: Task, languages: int, device: torch.device, attention: AttentionWay = "auto") -> Work:
    """Send some rows and their task to the device.

    Args:
        rows: as the sampler gave them.
        task: what is predicted in them.
        languages: number of languages.
        device: the model's.
        attention: how it is computed.
    """
    spoken = spoken_languages(rows)
    # The language of the predicted token; where a document changes its language, not that of the one before it.
    predicted = of_tokens(spoken, rows.tokens.shape[1]).reshape(-1)[task.select + 1]
    counts = np.bincount(predicted, minlength=languages).astype(np.float64)

    def send(array: npt.NDArray[Any]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(device, non_blocking=True)

    inputs = Inputs(
        tokens=send(task.tokens),
        segments=send(rows.segments),
        positions=send(rows.positions),
        languages=send(spoken),
        bidirectional=send(task.bidirectional),
        select=send(task.select),
        layout=lay_out(rows.segments, task.bidirectional, device, attention),
    )
    return Work(inputs, send(task.labels), send(predicted), counts)


def part(inputs: Inputs, rows: Tensor) -> tuple[Inputs, Tensor]:
    """Some rows of a pass.

    Args:
        inputs: B rows of L tokens.
        rows: places of the rows, int64 [b], without repetition.

    Returns:
        the rows as inputs, and the places of their predicted tokens among those of the pass, int64 [n], ascending.
        Asks the device how many there are.
    """
    length = inputs.tokens.shape[1]
    new = torch.full((len(inputs.tokens),), -1, dtype=torch.int64, device=rows.device)
    new[rows] = torch.arange(len(rows), device=rows.device)
    row = new[inputs.select // length]
    places = torch.nonzero(row >= 0)[:, 0]
    chosen = inputs._replace(
        **{
            name: getattr(inputs, name).index_select(0, rows)
            for name in ("tokens", "segments", "positions", "languages", "bidirectional")
        },
        layout=None if inputs.layout is None else inputs.layout.rows(rows.cpu()),
    )
    return chosen._replace(select=row[places] * length + inputs.select[places] % length), places
