"""Held-out translations are searched by their vectors: does a sentence lie nearest to its translation?

The task of Tatoeba (Artetxe & Schwenk 2019, arXiv 1812.10464): for each sentence of one language the nearest of all
candidates of the other is taken, and the share of right ones counted, in both directions. Three ways to compare: the
cosine; the cosine over the mean cosine to the nearest neighbours on both sides (ratio margin, arXiv 1811.01136), which
holds back sentences that lie near to everything; and the cosine after the mean of each language's candidates is taken
off (Libovický et al. 2020, arXiv 2004.05160). Two baselines stand beside them: chance, and the means of the tokens'
input embeddings, which know words but not what they do in a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from sampler.order import permutation
from trainer.distributed import World
from trainer.model.language_model import LanguageModel
from trainer.model.noise import SILENT
from trainer.parallel.batches import Special, unpredicted
from trainer.parallel.pairs import pooled_sums
from trainer.parallel.rows import Sentence, sentence_rows
from trainer.parallel.text import ParallelText

NEIGHBOURS: Final = 4
"""Of each sentence, for the margin."""
SMALLEST: Final = 8
"""Two languages with fewer pairs are left out: one sentence more or less would be everything."""

_PART: Final = 2048
"""Sentences packed into rows at once."""


class Candidates(NamedTuple):
    """The pairs of two languages that are searched; n of each."""

    name: str
    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    """Sentences that translate each other stand at the same place; numbers in the text."""


class Retrieval:
    """Searches held-out translations, as often as wanted.

    Args:
        text: of the held-out split.
        known: number of languages that the model has adapters of.
        layer: block, from 0, whose vectors are compared.
        pairs: of each two languages at most, chosen by hash.
        both_sides: whether sentences are read from both sides.
        row_tokens: L.
        pass_rows: rows in one forward pass at most.
        precision: number format of the matrix products.
        special: pieces that are no text.
        world: the processes, which share the work.
    """

    def __init__(
        self,
        text: ParallelText,
        known: int,
        *,
        layer: int,
        pairs: int,
        both_sides: bool,
        row_tokens: int,
        pass_rows: int,
        precision: torch.dtype,
        special: Special,
        world: World,
    ) -> None:
        self.layer = layer
        self._text = text
        self._known = known
        self._both_sides = both_sides
        self._row_tokens = row_tokens
        self._pass_rows = pass_rows
        self._precision = precision
        self._special = special
        self._world = world
        found = (candidates(text, name, pairs) for name in text.sizes)
        self.candidates = [each for each in found if len(each.first) >= SMALLEST]
        numbers = [np.concatenate((each.first, each.second)) for each in self.candidates]
        self._sentences: npt.NDArray[np.int64] = (
            np.unique(np.concatenate(numbers)) if numbers else np.zeros(0, dtype=np.int64)
        )

    def __call__(self, model: LanguageModel) -> dict[str, Any]:
        """Search with a model; all processes must call it.

        Returns:
            ``layer``; ``pairs`` with, for each two languages, the number of pairs, ``chance``, ``forward`` and
            ``backward`` (share found by cosine from the language that comes first in the alphabet, and from the other),
            and for both directions together ``cosine``, ``margin``, ``centred`` and ``embeddings`` (centred means of
            the tokens' embeddings); and ``mean``, the same over all pairs of languages.
        """
        training = model.training
        model.eval()
        # Before the block: a cut model cannot be put together in inference mode.
        embeddings = self._world.whole(model.embedding.weight)
        with torch.inference_mode():
            vectors, words = self._vectors(model, embeddings)
        model.train(training)
        place = {int(number): row for row, number in enumerate(self._sentences)}
        pairs: dict[str, dict[str, float]] = {}
        for each in self.candidates:
            rows = [torch.tensor([place[int(n)] for n in side]) for side in (each.first, each.second)]
            pairs[each.name] = scores(*(vectors[side] for side in rows)) | {
                "embeddings": both_ways(centred_cosines(*(words[side] for side in rows)))
            }
        names = [key for key in next(iter(pairs.values()), {}) if key != "pairs"]
        mean = {key: sum(one[key] for one in pairs.values()) / len(pairs) for key in names}
        return {"layer": self.layer, "pairs": pairs, "mean": mean}

    def _vectors(self, model: LanguageModel, embeddings: Tensor) -> tuple[Tensor, Tensor]:
        """Means of the tokens' vectors, and of their embeddings, of all sentences, on the CPU, [S, D] each."""
        device = self._world.device
        width = embeddings.shape[1]
        found = torch.zeros(2, len(self._sentences), width, device=device)
        lengths = np.ones(len(self._sentences), np.float32)
        groups = self._text.groups
        for start in range(0, len(self._sentences), _PART):
            part = self._sentences[start : start + _PART]
            sentences = [Sentence(groups.sentence(int(n)), int(groups.langs[n])) for n in part]
            rows = sentence_rows(sentences, self._row_tokens, begin=self._special.begin, pad=self._special.pad)
            lengths[start : start + len(part)] = np.bincount(rows.sentences[rows.sentences >= 0])
            starts = range(0, len(rows.tokens), self._pass_rows)
            for turn in self._world.turns(starts):
                if turn.own is None:
                    continue
                taken = rows.take(np.arange(turn.own, min(turn.own + self._pass_rows, len(rows.tokens))))
                work = unpredicted(taken, self._known, self._both_sides, device)
                with torch.autocast(device.type, self._precision, enabled=self._precision is not torch.float32):
                    outputs = model(work.inputs, SILENT, (self.layer,))
                if turn.counts:
                    owners = torch.from_numpy(taken.sentences).to(device)
                    for kind, values in enumerate((outputs.inner[self.layer], embeddings[work.inputs.tokens])):
                        found[kind, start : start + len(part)] += pooled_sums(values, owners, len(part))
        means = self._world.sum(found).cpu() / torch.from_numpy(lengths)[:, None]
        return means[0], means[1]


def candidates(text: ParallelText, name: str, most: int) -> Candidates:
    """The pairs of two languages that are searched: of sentences that come more than once, the first.

    Args:
        text: of the held-out split.
        name: of the two languages.
        most: pairs at most.
    """
    first, second = text.sides(name)
    order = permutation(len(first), "retrieval", name) if len(first) else np.zeros(0, np.int64)
    kept: list[int] = []
    met: set[bytes] = set()
    for number in order.tolist():
        own = [text.groups.sentence(int(side[number])).tobytes() + bytes([n]) for n, side in enumerate((first, second))]
        if len(kept) < most and met.isdisjoint(own):
            kept.append(number)
            met.update(own)
    return Candidates(name, first[kept], second[kept])


def scores(first: Tensor, second: Tensor) -> dict[str, float]:
    """Shares of sentences whose nearest candidate is their translation.

    Args:
        first: vectors of the sentences of one language, [n, D].
        second: of their translations, in the same order, [n, D].
    """
    cosines = functional.normalize(first, dim=-1) @ functional.normalize(second, dim=-1).T
    forward, backward = found_share(cosines), found_share(cosines.T)
    return {
        "pairs": len(first),
        "chance": 1 / len(first),
        "forward": forward,
        "backward": backward,
        "cosine": (forward + backward) / 2,
        "margin": both_ways(margins(cosines)),
        "centred": both_ways(centred_cosines(first, second)),
    }


def margins(cosines: Tensor) -> Tensor:
    """Each cosine over the mean of those to the nearest neighbours of both sentences, [n, n]."""
    near = min(NEIGHBOURS, len(cosines))
    rows, columns = (cosines.topk(near, dim=axis).values.mean(dim=axis) for axis in (1, 0))
    return cosines / ((rows[:, None] + columns[None, :]) / 2).clamp(min=1e-6)


def centred_cosines(first: Tensor, second: Tensor) -> Tensor:
    """Cosines after the mean of each side is taken off, [n, n]."""
    return (
        functional.normalize(first - first.mean(dim=0), dim=-1)
        @ functional.normalize(second - second.mean(dim=0), dim=-1).T
    )


def both_ways(values: Tensor) -> float:
    """Mean of the shares found in both directions."""
    return (found_share(values) + found_share(values.T)) / 2


def found_share(values: Tensor) -> float:
    """Share of the rows of a square whose largest value is on the diagonal; among equal ones the first counts."""
    return float((values.argmax(dim=1) == torch.arange(len(values))).float().mean())


def layer_of(configured: int | None, regularised: Sequence[int], middle: int) -> int:
    """The block whose vectors are searched: as configured, else the one that training compares, else the middle."""
    if configured is not None:
        return configured
    return regularised[0] if regularised else middle
