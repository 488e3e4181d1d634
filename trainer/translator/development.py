"""How good a translator is in training: loss and, if asked for, chrF on development sentences of each direction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import torch

from corpus.hashing import stable_hash
from corpus.translations import SentencePair, direction_name
from trainer.translator.batches import padded
from trainer.translator.model import loss
from trainer.translator.vocabulary import END, Ids, Vocabulary

_ROWS: Final = 64
"""Sentences of a batch."""


class Judged(NamedTuple):
    """What one evaluation found."""

    value: float
    """What training looks at; lower is better."""
    figures: dict[str, dict[str, float]]
    """By measure and direction."""


def cut_dev(pairs: Sequence[SentencePair], share: float, seed: int) -> tuple[list[SentencePair], list[SentencePair]]:
    """Training and development parts of pairs that nobody has cut, by hash of the source sentence.

    Where no hash falls into the share, as may be with a handful of pairs, the pair with the lowest one is taken.

    Args:
        pairs: two different sentences or more.
        share: of them, for development.
        seed: of the choice.
    """
    ranks = [stable_hash("translator dev", pair.text, seed=seed) for pair in pairs]
    bound = max(share * 2.0**64, float(min(ranks, default=0)))
    train = [pair for pair, rank in zip(pairs, ranks, strict=True) if rank > bound]
    return train, [pair for pair, rank in zip(pairs, ranks, strict=True) if rank <= bound]


def sample(pairs: Sequence[SentencePair], most: int, seed: int) -> dict[tuple[str, str], list[SentencePair]]:
    """At most so many different pairs of each direction, those with the lowest hashes, in the order of directions."""
    found: dict[tuple[str, str], list[SentencePair]] = {}
    for pair in dict.fromkeys(pairs):
        found.setdefault(pair.direction, []).append(pair)

    def rank(pair: SentencePair) -> tuple[int, SentencePair]:
        return stable_hash("dev sample", pair.text, pair.translation, seed=seed), pair

    return {direction: sorted(found[direction], key=rank)[:most] for direction in sorted(found)}


class Development:
    """Judges a model on the same sentences again and again.

    Args:
        pairs: sentences by direction.
        vocabulary: the model's.
        max_tokens: longer sentences are cut off, so that no outlier decides how much memory it takes.
        chrf: whether to translate and to look at chrF, not at the loss.
        device: where the model is.
    """

    def __init__(
        self,
        pairs: Mapping[tuple[str, str], Sequence[SentencePair]],
        vocabulary: Vocabulary,
        max_tokens: int,
        *,
        chrf: bool,
        device: torch.device,
    ) -> None:
        self._pairs = pairs
        self._vocabulary = vocabulary
        self._chrf = chrf
        self._device = device
        self._rows: dict[tuple[str, str], list[tuple[Ids, Ids]]] = {}
        for direction, found in pairs.items():
            sources = vocabulary.encode([pair.text for pair in found], direction[1])
            targets = vocabulary.encode([pair.translation for pair in found])
            rows = zip((s[:max_tokens] for s in sources), (t[:max_tokens] for t in targets), strict=True)
            self._rows[direction] = sorted(rows, key=lambda row: len(row[1]))

    @torch.no_grad()
    def judge(self, model: Any) -> Judged:
        """Mean over the directions of the loss in nats per target token, or of chrF turned round."""
        before = model.training
        model.eval()
        try:
            figures = {"loss": {direction_name(d): self._loss(model, rows) for d, rows in self._rows.items()}}
            if self._chrf:
                figures["chrf"] = {direction_name(d): self._chrf_of(model, d) for d in self._pairs}
        finally:
            model.train(before)
        values = figures["chrf" if self._chrf else "loss"].values()
        mean = sum(values) / len(values)
        return Judged(-mean if self._chrf else mean, figures)

    def _loss(self, model: Any, rows: Sequence[tuple[Ids, Ids]]) -> float:
        total, tokens = 0.0, 0
        for start in range(0, len(rows), _ROWS):
            batch = rows[start : start + _ROWS]
            sources, targets = (self._tensor([row[side] for row in batch]) for side in (0, 1))
            value, count = loss(model, sources, targets, pad=self._vocabulary.pad, smoothing=0.0)
            total, tokens = total + float(value), tokens + count
        return total / tokens

    def _chrf_of(self, model: Any, direction: tuple[str, str]) -> float:
        from trainer.translator.score import chrf

        pairs = self._pairs[direction]
        outputs = greedy(model, self._vocabulary, [pair.text for pair in pairs], direction[1], self._device)
        return chrf(outputs, [pair.translation for pair in pairs]).chrf

    def _tensor(self, rows: Sequence[Ids]) -> torch.Tensor:
        return torch.from_numpy(padded(rows, self._vocabulary.pad)).to(self._device)


@torch.no_grad()
def greedy(model: Any, vocabulary: Vocabulary, texts: Sequence[str], target: str, device: torch.device) -> list[str]:
    """Greedy translations of texts, at most twice as long as their sources and eight tokens."""
    positions = int(model.config.max_position_embeddings)
    encoded = [ids if len(ids) <= positions else ids[:positions] for ids in vocabulary.encode(texts, target)]
    order = sorted(range(len(texts)), key=lambda place: len(encoded[place]))
    found = [""] * len(texts)
    for start in range(0, len(order), _ROWS):
        places = order[start : start + _ROWS]
        table = torch.from_numpy(padded([encoded[place] for place in places], vocabulary.pad)).to(device)
        limit = min(2 * table.shape[1] + 8, positions - 1)
        made = model.generate(
            input_ids=table, attention_mask=(table != vocabulary.pad).long(), num_beams=1, do_sample=False,
            max_new_tokens=limit,
        )  # fmt: skip
        for place, row in zip(places, made[:, 1:].tolist(), strict=True):
            found[place] = vocabulary.decode(row[: row.index(END)] if END in row else row)
    return found
