"""The rows of a step, as pieces of one forward pass each, with what is to be predicted in them."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from trainer.config import TrainConfig
from trainer.distributed import World
from trainer.objective.goldfish import forgotten
from trainer.objective.task import make_task, mask_ratio, masked_rows
from trainer.steps.plan import Planner
from trainer.steps.rows import Rows, RowStream, Work, make_work, of_tokens, spoken_languages

_SCORES: Final = 1 << 23
"""Scores in 32 MiB, as float32."""


class Batch(NamedTuple):
    """One forward pass: the rows as they were read, and the work on the device."""

    rows: Rows
    work: Work


class Batches:
    """Reads this process's rows of a step.

    Args:
        config: of the training.
        stream: the rows.
        planner: knows how often each language was read.
        world: the processes.
        total: steps of the run.
        mask_id: token id put in place of hidden tokens.
        pass_rows: rows in one forward pass at most.
        seed: of the run.
    """

    def __init__(
        self,
        config: TrainConfig,
        stream: RowStream,
        planner: Planner,
        world: World,
        *,
        total: int,
        mask_id: int,
        pass_rows: int,
        seed: int,
    ) -> None:
        self._config = config
        self._stream = stream
        self._planner = planner
        self._world = world
        self._schedule = config.row_schedule(total)
        self._total = total
        self._mask_id = mask_id
        self._pass_rows = pass_rows
        self._seed = seed

    def __call__(self, number: int) -> list[Batch]:
        """This process's rows of a step, in pieces of one forward pass each; at least one piece."""
        rows_of_step = self._schedule.of(number)
        share = np.array(self._world.share(rows_of_step.start, rows_of_step.stop), dtype=np.int64)
        ratio = mask_ratio(self._config.objective, number, self._total)
        batches = []
        for first in range(0, len(share), self._pass_rows):
            indices = share[first : first + self._pass_rows]
            rows = self._stream.rows(indices.tolist())
            task = make_task(
                rows.tokens,
                rows.segments,
                indices,
                masked_rows(self._config.objective, indices, self._seed),
                ratio=ratio,
                mask_id=self._mask_id,
                seed=self._seed,
                left_out=self._left_out(rows, number),
            )
            languages, device = len(self._stream.languages), self._world.device
            batches.append(Batch(rows, make_work(rows, task, languages, device, self._config.attention)))
        return batches

    def _left_out(self, rows: Rows, number: int) -> npt.NDArray[np.bool_] | None:
        """Tokens of often repeated languages that are never predicted."""
        goldfish = self._config.objective.goldfish
        if goldfish is None:
            return None
        often = self._planner.passes(number) >= goldfish.after
        found = forgotten(rows.tokens, rows.segments, goldfish.context, goldfish.every)
        treated: npt.NDArray[np.bool_] = of_tokens(often[spoken_languages(rows)], rows.tokens.shape[1])
        return found & treated


def pass_rows(config: TrainConfig, device: torch.device, row_tokens: int, vocabulary: int) -> int:
    """Rows in one forward pass at most.

    On CPUs the scores, one for each token and piece of the vocabulary, decide: up to 32 MiB the C library hands
    the same memory out again, larger blocks come fresh from the system, page by page, in every pass.
    """
    if config.micro_rows is not None:
        return config.micro_rows
    if device.type == "cuda":
        return config.rows
    return max(1, min(config.rows, _SCORES // (row_tokens * vocabulary)))
