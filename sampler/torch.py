"""The stream as a data set for torch's data loader.

    dataset = RowDataset("corpus", tokenizer="spm", config=SamplerConfig(), seed=0, batch_rows=32)
    for batch in torch.utils.data.DataLoader(dataset, batch_size=None, num_workers=2):
        ...
        checkpoint = dataset.state_dict(batch["next_row"])

Batches come in the same order with any number of workers, and a state taken under one number of ranks and
workers can be loaded under any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import torch
from torch.utils.data import IterableDataset, get_worker_info

from corpus.errors import ConfigurationError
from sampler.config import SamplerConfig
from sampler.stream import CurriculumStream


class RowDataset(IterableDataset[dict[str, Any]]):
    """Batches of rows for one rank.

    Step s of all ranks together covers the next ``batch_rows * world`` global rows; rank r takes the r-th
    ``batch_rows`` of them. Worker w of W prepares the steps w, w + W, …, which is the order in which torch's
    data loader asks for them. Use it with ``DataLoader(dataset, batch_size=None)``.

    Each batch is a dict: ``tokens`` int64 [B, L], ``segments`` and ``positions`` int32 [B, L], ``languages``
    int32 [B], and ``next_row`` (int), the global row that follows the step, for :meth:`state_dict`.

    Args:
        corpus: corpus root, path or URL.
        tokenizer: name of the tokenizer in the snapshot.
        config: the recipe's section.
        seed: of every order.
        batch_rows: B, rows of one rank in a step.
        rank: of this process.
        world: number of ranks.
        stop: global row at or before which the last whole step ends; None never ends.
        snapshot: number; None takes the current one.

    Raises:
        ConfigurationError: rank, world or batch size are impossible.
    """

    def __init__(
        self,
        corpus: str,
        *,
        tokenizer: str,
        config: SamplerConfig,
        seed: int,
        batch_rows: int = 1,
        rank: int = 0,
        world: int = 1,
        stop: int | None = None,
        snapshot: int | None = None,
    ) -> None:
        if not 0 <= rank < world or batch_rows < 1:
            raise ConfigurationError(
                f"rank {rank} of {world} with {batch_rows} rows",
                "Ranks are counted from 0 and below world; use 1 row or more",
            )
        self._open = partial(CurriculumStream, corpus, tokenizer=tokenizer, config=config, seed=seed, snapshot=snapshot)
        self.batch_rows = batch_rows
        self.rank = rank
        self.world = world
        self.stop = stop
        self._loaded: dict[str, Any] | None = None
        self._start = 0
        self._step: int | None = None
        self._resume: int | None = None
        self._stream: CurriculumStream | None = None

    @property
    def stream(self) -> CurriculumStream:
        """The stream underneath; changes of the mixture made here reach workers started afterwards."""
        if self._stream is None:
            self._stream = self._open()
            if self._loaded is not None:
                self._stream.load_state(self._loaded)
        return self._stream

    def __iter__(self) -> Iterator[dict[str, Any]]:
        worker = get_worker_info()
        index, workers = (0, 1) if worker is None else (worker.id, worker.num_workers)
        step = index if self._resume is None else self._resume
        self._resume = None
        height = self.batch_rows * self.world
        while self.stop is None or self._start + (step + 1) * height <= self.stop:
            base = self._start + step * height
            first = base + self.rank * self.batch_rows
            tokens, segments, positions, languages = self.stream.rows(range(first, first + self.batch_rows))
            step += workers
            self._step = step  # before the yield: a state taken after it goes on behind this batch
            yield {
                "tokens": torch.from_numpy(tokens),
                "segments": torch.from_numpy(segments),
                "positions": torch.from_numpy(positions),
                "languages": torch.from_numpy(languages),
                "next_row": base + height,
            }

    def state_dict(self, next_row: int | None = None) -> dict[str, Any]:
        """Where to go on.

        Args:
            next_row: of the last batch that was used; the state then fits any ranks and workers. None is for
                loaders that ask each worker for its own state, and fits the same number of workers.
        """
        if next_row is not None:
            return {"start": next_row, "step": None, "stream": self.stream.state(next_row)}
        return {"start": self._start, "step": self._step, "stream": self.stream.state(self._start)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where a state was taken.

        Raises:
            CorpusError: it belongs to another corpus or other settings.
        """
        self._loaded = dict(state["stream"])
        self._start = int(state["start"])
        self._step = self._resume = None if state["step"] is None else int(state["step"])
        self._stream = None
        if get_worker_info() is None:
            self.stream.seek(self._start)

    def __getstate__(self) -> dict[str, Any]:
        # A worker process opens its own files; the mixture log travels as the stream's state.
        values = self.__dict__.copy()
        if self._stream is not None:
            values["_loaded"] = self._stream.state(self._start)
        values["_stream"] = None
        return values
