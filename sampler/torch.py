"""The stream as a data set for torch's data loaders.

    dataset = RowDataset("corpus", tokenizer="spm", config=SamplerConfig(), seed=0, batch_rows=32)
    for batch in RowLoader(dataset, num_workers=2):  # or torch's DataLoader with batch_size=None
        loss = model(batch["tokens"].to(device), ...)
        checkpoint = dataset.state_dict(batch["next_row"])

Batches come in the same order with any number of workers, and a state taken under one number of ranks and
workers can be loaded under any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from corpus.errors import ConfigurationError, CorpusError
from sampler.config import SamplerConfig
from sampler.feedback.decisions import Feedback, Report, check_step
from sampler.feedback.gate import Publisher, Reader
from sampler.quota import Counts
from sampler.stream import CurriculumStream
from sampler.tables import Tables

_SHARED_BYTES = 1 << 18
"""Tokens of a batch that go through shared memory; fewer go through the pipe."""

_FIELDS = ("tokens", "segments", "positions", "languages", "token_languages", "cu_seqlens", "next_row")


class TensorBatch:
    """B rows of L tokens as tensors, made when they are first asked for by name.

    =============== ============== ======================================================================
    tokens          int64 [B, L]   token ids
    segments        int32 [B, L]   document of each token, counted from 0 within its row
    positions       int32 [B, L]   position of each token, from 0 where its document begins or goes on
    languages       int32 [B]      index of each row's language in the stream's languages, -1 for a mixed
                                   row
    token_languages int32 [B, L]   the same for each token
    cu_seqlens      int32 [P + 1]  ends of the P pieces of documents in the flattened rows, a 0 before
                                   them: what attention over packed sequences calls cumulative lengths
    next_row        int            the global row that follows the step, for
                                   :meth:`RowDataset.state_dict`
    =============== ============== ======================================================================

    What is stored and what travels from a worker process are the tokens in their smallest type and the lengths
    of the pieces, 2 or 4 bytes for each token; segments and positions follow from them on whatever device they
    are wanted. ``dict(batch)`` makes an ordinary dictionary.

    Args:
        tokens: whole numbers [B, L].
        pieces: int32 [P], lengths of the pieces, row after row.
        piece_languages: int32 [P].
        languages: int32 [B].
        next_row: the global row that follows.
    """

    def __init__(
        self, tokens: Tensor, pieces: Tensor, piece_languages: Tensor, languages: Tensor, next_row: int
    ) -> None:
        self._tokens = tokens
        self._pieces = pieces
        self._piece_languages = piece_languages
        self._made: dict[str, Any] = {"languages": languages, "next_row": next_row}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            if name not in _FIELDS:
                raise KeyError(name)
            self._make(name)
        return self._made[name]

    def keys(self) -> tuple[str, ...]:
        """The names."""
        return _FIELDS

    def __iter__(self) -> Iterator[str]:
        return iter(_FIELDS)

    def __len__(self) -> int:
        return len(_FIELDS)

    def __contains__(self, name: object) -> bool:
        return name in _FIELDS

    def to(self, device: torch.device | str, non_blocking: bool = False) -> TensorBatch:
        """The same batch on a device; segments and positions are made there."""
        return self._moved(lambda tensor: tensor.to(device, non_blocking=non_blocking))

    def pin_memory(self) -> TensorBatch:
        """The same batch in page-locked memory, as data loaders ask for with ``pin_memory=True``."""
        return self._moved(lambda tensor: tensor.pin_memory())

    def __reduce__(self) -> tuple[Any, ...]:
        # Bytes through the pipe cost a fraction of what a new piece of shared memory does, but for large batches.
        parts = (self._pieces, self._piece_languages, self._made["languages"])
        tokens = self._tokens.cpu()
        large = tokens.numel() * tokens.element_size() >= _SHARED_BYTES
        return _received, (
            tokens if large else tokens.numpy(),
            *(part.cpu().numpy() for part in parts),
            self._made["next_row"],
        )

    def split(self, rows: int, step_rows: int) -> Iterator[TensorBatch]:
        """The steps of a batch of several.

        Args:
            rows: B of each step.
            step_rows: global rows of each step.
        """
        count, length = len(self._tokens) // rows, self._tokens.shape[1]
        ends = torch.cumsum(self._pieces, 0)
        # Rows are full, so that every step ends where a piece does.
        edges = [0, *(torch.searchsorted(ends, torch.arange(1, count + 1) * (rows * length)) + 1).tolist()]
        for step in range(count):
            pieces, own = slice(edges[step], edges[step + 1]), slice(step * rows, (step + 1) * rows)
            yield TensorBatch(
                self._tokens[own],
                self._pieces[pieces],
                self._piece_languages[pieces],
                self["languages"][own],
                self["next_row"] - (count - 1 - step) * step_rows,
            )

    def _moved(self, move: Any) -> TensorBatch:
        parts = (move(part) for part in (self._tokens, self._pieces, self._piece_languages, self["languages"]))
        return TensorBatch(next(parts), next(parts), next(parts), next(parts), self["next_row"])

    def _make(self, name: str) -> None:
        if name == "tokens":
            self._made["tokens"] = self._tokens.to(torch.int64)
            return
        rows, length = self._tokens.shape
        ends = torch.cumsum(self._pieces, 0, dtype=torch.int32)
        starts = ends - self._pieces
        if name == "cu_seqlens":
            self._made["cu_seqlens"] = torch.cat([starts[:1], ends])
            return
        device = self._tokens.device
        if name == "token_languages":
            made = torch.repeat_interleave(self._piece_languages, self._pieces, output_size=rows * length)
        elif name == "segments":
            places = torch.arange(len(starts), dtype=torch.int32, device=device)
            firsts = torch.searchsorted(starts, torch.arange(rows, dtype=torch.int32, device=device) * length)
            values = places - firsts.to(torch.int32)[(starts // length).long()]
            made = torch.repeat_interleave(values, self._pieces, output_size=rows * length)
        else:
            places = torch.arange(rows * length, dtype=torch.int32, device=device)
            made = places - torch.repeat_interleave(starts, self._pieces, output_size=rows * length)
        self._made[name] = made.view(rows, length)


def _received(
    tokens: NDArray[Any] | Tensor,
    pieces: NDArray[np.int32],
    piece_languages: NDArray[np.int32],
    languages: NDArray[np.int32],
    next_row: int,
) -> TensorBatch:
    parts = (torch.from_numpy(part) for part in (pieces, piece_languages, languages))
    whole = tokens if isinstance(tokens, Tensor) else torch.from_numpy(tokens)
    return TensorBatch(whole, next(parts), next(parts), next(parts), next_row)


class RowDataset(IterableDataset[TensorBatch]):
    """Batches of rows for one rank.

    Step s of all ranks together covers the next ``batch_rows * world`` global rows; rank r takes the r-th
    ``batch_rows`` of them. Worker w of W prepares the steps w, w + W, …, which is the order in which torch's
    data loader asks for them. Use it with ``DataLoader(dataset, batch_size=None)``. All ranks end after the same
    step.

    Each iteration begins at row 0, or at the row of the state that was loaded.

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
        wait_seconds: with feedback, how long a worker waits for a decision before it gives up.

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
        wait_seconds: float = 1800,
    ) -> None:
        if not 0 <= rank < world or batch_rows < 1:
            raise ConfigurationError(
                f"rank {rank} of {world} with {batch_rows} rows",
                "Ranks are counted from 0 and below world; use 1 row or more",
            )
        # What is counted under filters travels to worker processes, forked or not.
        self._open = partial(
            CurriculumStream,
            corpus,
            tokenizer=tokenizer,
            config=config,
            seed=seed,
            snapshot=snapshot,
            tables=Tables(),
        )
        self.config = config
        self.batch_rows = batch_rows
        self.rank = rank
        self.world = world
        self.stop = stop
        self._loaded: dict[str, Any] | None = None
        self._start = 0
        self._resume: int | None = None
        self._stream: CurriculumStream | None = None
        self._steps: _Steps | None = None
        self.wait_seconds = wait_seconds
        self._reports: list[Report] = []
        self._feedback: Feedback | None = None
        self._publisher: Publisher | None = None
        self._decisions: Path | None = None
        views = [config.documents, *(stage.documents for stage in config.stages if stage.documents is not None)]
        if get_worker_info() is None and not all(view.is_default for view in views):
            self._open()  # counts what the views keep, once and not in every worker
        if config.feedback.policy != "none":
            check_step(config, self.step_rows)
            self._publish()

    @property
    def stream(self) -> CurriculumStream:
        """The stream underneath; changes of the mixture made here reach workers started afterwards."""
        if self._stream is None:
            self._stream = self._open()
            if self._loaded is not None:
                self._stream.load_state({name: value for name, value in self._loaded.items() if name != "feedback"})
        return self._stream

    @property
    def feedback(self) -> Feedback:
        """The decisions on the mixture; in the main process alone."""
        if self._feedback is None:
            self._feedback = Feedback(self.stream)
            if self._loaded is not None and "feedback" in self._loaded:
                self._feedback.load_state(self._loaded["feedback"])
        return self._feedback

    @property
    def step_rows(self) -> int:
        """Global rows that all ranks together read in a step."""
        return self.batch_rows * self.world

    def begin(self) -> int:
        """Make ready to read, in whatever process this is; the row to begin at."""
        if self._decisions is not None and get_worker_info() is not None:
            self.stream.gate = Reader(self.stream, self._decisions, self.wait_seconds)
        return self._start

    def __iter__(self) -> Iterator[TensorBatch]:
        self.begin()
        index, workers = _worker()
        first = self._start + index * self.step_rows if self._resume is None else self._resume
        self._resume = None
        self._steps = _Steps(self, first, workers * self.step_rows)
        return self._steps

    def observe(self, batch: Mapping[str, Any] | TensorBatch, losses: Tensor, tokens: Tensor | None = None) -> None:
        """Report the losses of a batch to the feedback (``sampler.feedback``), for every batch and on every rank.

        When the last row that the next decision depends on is reported, the decision is made and reaches the workers;
        several ranks add their losses up then, with ``torch.distributed``. Without a policy this does nothing.

        Args:
            batch: as it came from the loader.
            losses: nats, summed over each row [B], or of each token [B, L]; rows that are mixed need the latter.
            tokens: predicted tokens that each loss is of, in the shape of ``losses``; None takes L for a row and 1
                for a token.
        """
        if self.config.feedback.policy == "none":
            return
        first = batch["next_row"] - self.step_rows + self.rank * self.batch_rows
        rows = torch.arange(first, first + len(losses), device=losses.device)
        languages, losses = batch["languages"], losses.detach().double()
        if losses.dim() == 2:
            counts = torch.ones_like(losses, dtype=torch.int64) if tokens is None else tokens.to(losses.device).long()
            losses = torch.where(counts > 0, losses, 0.0)
            if self.config.rows == "mixed":
                # One sum for each row and language.
                number = len(self.stream.languages)
                keys = rows[:, None] * number + batch["token_languages"].to(losses.device)
                pairs, place = torch.unique(keys, return_inverse=True)
                rows, languages = pairs // number, pairs % number
                counts = torch.zeros_like(pairs).index_add_(0, place.flatten(), counts.flatten())
                losses = losses.new_zeros(len(pairs)).index_add_(0, place.flatten(), losses.flatten())
            else:
                losses, counts = losses.sum(1), counts.sum(1)
        elif self.config.rows == "mixed":
            raise ConfigurationError("rows are mixed, so a row's loss is of no one language", "Report [B, L] losses")
        else:
            counts = torch.full_like(rows, self.config.row_tokens) if tokens is None else tokens
        # Kept where they are, so that the device need not be waited for in every step.
        self._reports.append(Report(rows, languages, losses, counts))
        while self.feedback.due(batch["next_row"]):
            self._gather()
            decision = self.feedback.decide()
            if self._publisher is not None:
                self._publisher.publish(decision)

    def close(self) -> None:
        """With feedback: let workers that wait for a decision end, when no more losses will be reported."""
        if self._publisher is not None:
            self._publisher.close()

    def batch(self, row: int, steps: int = 1) -> TensorBatch:
        """This rank's rows of the steps from the one on that begins at a global row."""
        size = self.batch_rows
        if self.world == 1:
            indices: Sequence[int] = range(row, row + steps * size)
        else:
            firsts = range(row + self.rank * size, row + steps * self.step_rows, self.step_rows)
            indices = [index for first in firsts for index in range(first, first + size)]
        rows = self.stream.rows(indices)
        # torch computes with int32 where it hardly does with uint32, and no vocabulary comes near to either's end.
        tokens = rows.compact if rows.compact.dtype == np.uint16 else rows.compact.view(np.int32)
        return _received(tokens, rows.piece_lengths, rows.piece_languages, rows.languages, row + steps * self.step_rows)

    def state_dict(self, next_row: int | None = None) -> dict[str, Any]:
        """Where to go on.

        Args:
            next_row: of the last batch that was used; the state then fits any ranks and workers. None is for
                loaders that ask each worker for its own state, and fits the same ranks and workers;
                :func:`any_topology` makes one that fits all from what such a loader returns.

        With feedback, ask after ``observe``, and on all ranks at once: they add up the losses that they have seen.
        """
        if next_row is not None:
            state = {"start": next_row, "row": None, "reader": None, "stream": self.stream.state(next_row)}
            if self.config.feedback.policy != "none":
                self._gather()
                state["feedback"] = self.feedback.state()
            return state
        if self.config.feedback.policy != "none":
            raise ConfigurationError(
                "a worker does not know the losses that the feedback has seen",
                "Save `dataset.state_dict(batch['next_row'])` in the main process and use a plain DataLoader",
            )
        row = self._start if self._steps is None else self._steps.row
        return {"start": self._start, "row": row, "reader": self._reader(), "stream": self.stream.state(row)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where a state was taken.

        Raises:
            CorpusError: it belongs to another corpus or other settings, or it is one worker's own state and ranks,
                rows of a step or workers are others now.
        """
        reader = state["reader"]
        if reader is not None and reader != self._reader():
            raise CorpusError(
                f"the state is of reader {reader}, this is reader {self._reader()}",
                "Save `dataset.state_dict(batch['next_row'])`, or give the loader's state to "
                "`sampler.torch.any_topology`: such states fit any ranks and workers",
            )
        if self.config.feedback.policy != "none":
            if "feedback" not in state:
                raise CorpusError(
                    "the state was taken without feedback", "Take it with `dataset.state_dict(batch['next_row'])`"
                )
            self._feedback, self._reports = None, []
            self._publish()
        self._loaded = {**state["stream"], "feedback": state.get("feedback")}
        self._start = int(state["start"])
        self._resume = None if state["row"] is None else int(state["row"])
        self._stream = self._steps = None
        self.stream.seek(self._start if self._resume is None else self._resume)

    def _reader(self) -> dict[str, int]:
        index, workers = _worker()
        return {
            "rank": self.rank,
            "world": self.world,
            "batch_rows": self.batch_rows,
            "worker": index,
            "workers": workers,
        }

    def __getstate__(self) -> dict[str, Any]:
        # A worker process opens its own files, of the snapshots that this one has opened: another may become current
        # meanwhile. The mixture log travels as the stream's state.
        stream = self.stream
        values = self.__dict__.copy()
        values["_open"] = partial(self._open, snapshot=stream.snapshots)
        values["_loaded"] = stream.state(self._start)
        values["_stream"] = values["_steps"] = values["_publisher"] = values["_feedback"] = None
        values["_reports"] = []
        return values

    def _publish(self) -> None:
        """Begin a new file of decisions; who waits for the old one gives up."""
        self.close()
        self._publisher = Publisher()
        self._decisions = self._publisher.path

    def _gather(self) -> None:
        """Bring the losses reported so far to all ranks."""
        reports = [Report(*(part.cpu().numpy() for part in report)) for report in self._reports]
        self._reports = []
        self.feedback.gather(reports, self._total)

    def _total(self, counts: Counts) -> Counts:
        """The sum over all ranks."""
        if self.world == 1:
            return counts
        if not dist.is_available() or not dist.is_initialized():
            raise ConfigurationError(
                f"the feedback needs the losses of all {self.world} ranks",
                "Call torch.distributed.init_process_group first, as torchrun programs do",
            )
        device = "cuda" if dist.get_backend() == "nccl" else "cpu"
        summed = torch.from_numpy(counts.copy()).to(device)
        dist.all_reduce(summed)
        return np.asarray(summed.cpu().numpy(), dtype=np.int64)


class _Steps(Iterator[TensorBatch]):
    """The steps of one reader.

    Args:
        dataset: whose rows.
        row: global row at which its next step begins.
        stride: global rows from one of its steps to the next.
    """

    def __init__(self, dataset: RowDataset, row: int, stride: int) -> None:
        self._dataset = dataset
        self.row = row
        self._stride = stride

    def __next__(self) -> TensorBatch:
        stop = self._dataset.stop
        if stop is not None and self.row + self._dataset.step_rows > stop:
            raise StopIteration
        batch = self._dataset.batch(self.row)
        self.row += self._stride
        return batch


class RowLoader(Iterable[TensorBatch]):
    """The batches of a data set, read ahead by worker processes: the same ones as from torch's ``DataLoader``, faster.

    torch's loader deals single steps out to its workers. A block of rows is planned as a whole, so that each worker
    then plans what all of them read. Here a worker reads the steps of a whole block, which come over in one piece.

        for batch in RowLoader(dataset, num_workers=2):
            ...
            checkpoint = dataset.state_dict(batch["next_row"])

    Args:
        dataset: the rows.
        num_workers: of worker processes; 0 reads in this one.
        options: of torch's ``DataLoader``, for example ``pin_memory`` or ``prefetch_factor`` (in blocks here).
    """

    def __init__(self, dataset: RowDataset, num_workers: int = 0, **options: Any) -> None:
        self.dataset = dataset
        self._loader = DataLoader(_Blocks(dataset), batch_size=None, num_workers=num_workers, **options)

    def __iter__(self) -> Iterator[TensorBatch]:
        for block in self._loader:
            yield from block.split(self.dataset.batch_rows, self.dataset.step_rows)


class _Blocks(IterableDataset[TensorBatch]):
    """The steps of a data set, as many at once as begin in one block of rows; worker w of W reads every W-th block."""

    def __init__(self, dataset: RowDataset) -> None:
        self._dataset = dataset
        step, block = dataset.step_rows, dataset.config.block_rows
        self._rows = block * -(-step // block)
        feedback = dataset.config.feedback
        if feedback.policy != "none" and self._rows + step - 1 > feedback.delay * block:
            # A decision that some of these steps wait for would need the losses of the others.
            self._rows = step

    def __iter__(self) -> Iterator[TensorBatch]:
        dataset = self._dataset
        start = dataset.begin()
        index, workers = _worker()
        step, stop = dataset.step_rows, dataset.stop
        place = start // self._rows + index if self._rows > step else index
        origin = 0 if self._rows > step else start
        while True:
            first = max(0, -(-(origin + place * self._rows - start) // step))
            end = -(-(origin + (place + 1) * self._rows - start) // step)
            if stop is not None:
                end = min(end, (stop - start) // step)
            if end <= first:
                return
            yield dataset.batch(start + first * step, end - first)
            place += workers


def any_topology(loader_state: Mapping[str, Any]) -> dict[str, Any]:
    """A state for :meth:`RowDataset.load_state_dict` that fits any ranks and workers.

    Args:
        loader_state: what ``state_dict()`` of torchdata's ``StatefulDataLoader`` over a :class:`RowDataset`
            returned, on any rank; all ranks must have done the same number of steps.

    Raises:
        CorpusError: there is no state of a row data set in it.
    """
    found = list(_reader_states(loader_state))
    if not found:
        raise CorpusError(
            "this is not the state of a loader over a RowDataset",
            "Give what `StatefulDataLoader.state_dict()` returned",
        )
    # Readers take turns, so the step that is due next is that of the one that is least far.
    least = min(found, key=lambda state: int(state["row"]))
    reader = least["reader"]
    behind = int(loader_state.get("_steps_since_snapshot", 0)) * reader["batch_rows"] * reader["world"]
    row = int(least["row"]) + behind
    return {"start": row, "row": None, "reader": None, "stream": dict(least["stream"])}


def _reader_states(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        if value.get("reader") is not None and "stream" in value:
            yield value
        else:
            for item in value.values():
                yield from _reader_states(item)


def _worker() -> tuple[int, int]:
    """Index of this worker process and their number; 0 of 1 in the main process."""
    worker = get_worker_info()
    return (0, 1) if worker is None else (worker.id, worker.num_workers)
