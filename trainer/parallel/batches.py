"""The rows of a step that hold translations, as a function of the step's number."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from corpus.hashing import stable_hash
from trainer.config import ObjectiveConfig
from trainer.config.parallel import ParallelRowsConfig
from trainer.distributed import World
from trainer.objective.task import make_task, mask_ratio
from trainer.parallel.alike import alike_pairs
from trainer.parallel.order import PairOrder, Place, pair_shares
from trainer.parallel.pairs import Pairs
from trainer.parallel.rows import PairRows, Sentence, pair_rows, sentence_rows
from trainer.parallel.text import ParallelText
from trainer.steps.rows import Work, make_work


class Special(NamedTuple):
    """Pieces of the vocabulary that are no text."""

    begin: int
    pad: int
    mask: int


class TranslationBatch(NamedTuple):
    """One pass of translation language modelling."""

    rows: PairRows
    work: Work
    total: int
    """Predicted tokens of the step's translations, over all processes."""


class SentenceBatch(NamedTuple):
    """The pass over sentences one by one."""

    rows: PairRows
    work: Work
    pairs: Pairs


class PairSource:
    """The pairs of one kind of rows.

    Args:
        text: of the training split.
        config: the recipe's section.
        kind: ``tlm`` or ``contrastive``; each has an order of its own.
        count: pairs in a step.
        total: steps of the run.
        seed: of the run.

    Raises:
        ConfigurationError: there are no pairs.
    """

    def __init__(
        self, text: ParallelText, config: ParallelRowsConfig, kind: str, count: int, total: int, seed: int
    ) -> None:
        self._text = text
        self._key = (kind, seed)
        self.count = count
        shares = (
            pair_shares(text.sizes, config.mixture, config.alpha, config.max_repeats, float(count * total))
            if text.sizes
            else {}
        )
        self._order = PairOrder(text.sizes, shares, *self._key)

    def pairs(self, step: int) -> tuple[list[tuple[Sentence, Sentence]], npt.NDArray[np.int64]]:
        """The pairs of a step and their groups, [P]; which sentence comes first is decided by hash."""
        places = self._order.places(step * self.count, self.count)
        found = [self._pair(place) for place in places]
        return [pair for pair, _ in found], np.array([group for _, group in found], np.int64)

    def passes(self, step: int) -> dict[str, float]:
        """Passes over the pairs of each two languages before a step."""
        read = self._order.read(step * self.count)
        return {name: count / self._text.sizes[name] for name, count in read.items()}

    def _pair(self, place: Place) -> tuple[tuple[Sentence, Sentence], int]:
        groups = self._text.groups
        pair = self._text.pair(place.pair, place.number)
        sides = [Sentence(groups.sentence(side), int(groups.langs[side])) for side in (pair.first, pair.second)]
        turned = stable_hash("turned", *place, *self._key) & 1
        return (sides[turned], sides[1 - turned]), pair.group


class ParallelBatches:
    """Lays the translations of a step into this process's passes.

    All processes choose, pack and hide alike and then take every n-th row, padded so that each has as many.

    Args:
        text: of the training split.
        config: the recipe's section.
        objective: its mask ratio holds for translations too.
        world: the processes.
        special: pieces that are no text.
        languages: number of the model's languages.
        row_tokens: L.
        pass_rows: rows in one forward pass at most.
        total: steps of the run.
        seed: of the run.

    Raises:
        ConfigurationError: there are no pairs.
    """

    def __init__(
        self,
        text: ParallelText,
        config: ParallelRowsConfig,
        objective: ObjectiveConfig,
        world: World,
        special: Special,
        *,
        languages: int,
        row_tokens: int,
        pass_rows: int,
        total: int,
        seed: int,
    ) -> None:
        self._text = text
        self._config = config
        self._objective = objective
        self._world = world
        self._special = special
        self._languages = languages
        self._row_tokens = row_tokens
        self._pass_rows = pass_rows
        self._total = total
        self._mask_seed = stable_hash("tlm", seed)
        tlm, contrastive = config.tlm, config.contrastive_pairs
        self.tlm = PairSource(text, config, "tlm", tlm.pairs, total, seed) if tlm else None
        self.contrastive = PairSource(text, config, "contrastive", contrastive, total, seed) if contrastive else None

    def translations(self, step: int) -> list[TranslationBatch]:
        """This process's passes of translation language modelling; none where there is none."""
        if self.tlm is None or self._config.tlm is None:
            return []
        pairs, _ = self.tlm.pairs(step)
        restart = self._config.tlm.positions == "restart"
        rows = pair_rows(pairs, self._row_tokens, begin=self._special.begin, pad=self._special.pad, restart=restart)
        keys = step * self.tlm.count + np.arange(len(rows.tokens), dtype=np.int64)
        ratio = mask_ratio(self._objective, step, self._total)

        def work(part: PairRows, own: npt.NDArray[np.int64]) -> Work:
            task = make_task(
                part.tokens,
                part.segments,
                own,
                np.ones(len(own), dtype=bool),
                ratio=ratio,
                mask_id=self._special.mask,
                seed=self._mask_seed,
                left_out=part.begins,
            )
            return make_work(part, task, self._languages, self._world.device)

        predicted = int(work(rows, keys).counts.sum())
        batches = []
        for numbers in self._shared(len(rows.tokens), self._pass_rows):
            part = rows.take(numbers)
            batches.append(TranslationBatch(part, work(part, keys[numbers]), predicted))
        return batches

    def sentences(self, step: int) -> SentenceBatch | None:
        """This process's pass over sentences one by one; None where there is none."""
        if self.contrastive is None:
            return None
        pairs, groups = self.contrastive.pairs(step)
        sentences = [side for pair in pairs for side in pair]
        rows = sentence_rows(sentences, self._row_tokens, begin=self._special.begin, pad=self._special.pad)
        (numbers,) = self._shared(len(rows.tokens), len(rows.tokens))
        part = rows.take(numbers)
        languages = np.array([one.language for one in sentences], np.int64)
        alike = alike_pairs(groups, [one.tokens for one in sentences], languages, self._config.near_duplicate)
        lengths = np.bincount(rows.sentences[rows.sentences >= 0], minlength=len(sentences))
        device = self._world.device
        return SentenceBatch(
            part,
            unpredicted(part, self._languages, self.both_sides, device),
            Pairs(
                sentences=torch.from_numpy(part.sentences).to(device),
                lengths=torch.from_numpy(lengths.astype(np.float32)).to(device),
                languages=torch.from_numpy(languages).to(device),
                groups=torch.from_numpy(groups.repeat(2)).to(device),
                alike=torch.from_numpy(alike.repeat(2, axis=0).repeat(2, axis=1)).to(device),
                gather=self._world.sum_with_gradient,
            ),
        )

    @property
    def both_sides(self) -> bool:
        """Whether sentences one by one are read from both sides: where the model learns to read anything so."""
        return reads_both_sides(self._objective, self._config)

    def _shared(self, rows: int, most: int) -> list[npt.NDArray[np.int64]]:
        """The rows of this process in each of its passes; -1 for none, so that all have as many passes and rows."""
        size = self._world.size
        padded = np.full(-(-rows // size) * size, -1, np.int64)
        padded[:rows] = np.arange(rows)
        own = padded[self._world.rank :: size]
        return [own[start : start + most] for start in range(0, len(own), most)]


def unpredicted(rows: PairRows, languages: int, both_sides: bool, device: torch.device) -> Work:
    """A pass in which nothing is predicted."""
    task = make_task(
        rows.tokens,
        rows.segments,
        np.arange(len(rows.tokens), dtype=np.int64),
        np.full(len(rows.tokens), both_sides),
        ratio=0.0,
        mask_id=0,
        seed=0,
        left_out=np.ones(rows.tokens.shape, dtype=bool),
    )
    return make_work(rows, task, languages, device)


def reads_both_sides(objective: ObjectiveConfig, parallel: ParallelRowsConfig | None) -> bool:
    """Whether a model learns to read anything from both sides: hidden tokens, in any rows."""
    return objective.kind != "causal" or (parallel is not None and parallel.tlm is not None)
