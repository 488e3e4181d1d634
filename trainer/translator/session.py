"""One call of a translator's training: the steps that are left, evaluations, checkpoints, the best state."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from corpus.errors import InputError
from corpus.hashing import fingerprint, stable_hash
from corpus.translations import SentencePair, direction_name
from trainer.optimiser.average import WeightAverage
from trainer.optimiser.build import Optimiser, load_optimiser_tensors, optimiser_tensors
from trainer.run import checkpoint as checkpoints
from trainer.run.logs import MetricsLog
from trainer.run.resume import confirm_same
from trainer.run.session import TrainingError
from trainer.translator.alignment import Aligner, Ints, links
from trainer.translator.batches import Batches, padded, takes
from trainer.translator.config import TranslatorConfig
from trainer.translator.development import Development, sample
from trainer.translator.embeddings import aligned_embeddings
from trainer.translator.model import begin_copying, begin_with, build, embeddings_of, loss, save_folder
from trainer.translator.rows import Rows
from trainer.translator.schedule import share
from trainer.translator.size import shape_of, words_of
from trainer.translator.vocabulary import Ids, Vocabulary, train_vocabulary

_LOG_EVERY: Final = 20
_LAYOUT: Final = 1
"""Part of what must be equal to go on; raised when the same settings train otherwise."""
_OPERATIONAL: Final = {"pairs", "dev_share", "threads", "device", "checkpoint_every", "keep", "quantisation"}
"""Settings that leave the weights' path as it is; pairs and what is cut from them are compared themselves."""


class Session:
    """A model, its optimiser and where they stand.

    Args:
        folder: the run's.
        train: different pairs.
        beside: pairs made from these, and how many of a direction's are shown beside each of its real ones.
        dev: different pairs to judge on.
        config: the recipe's section.
        seed: of weights, order and dropout.
        threads: as noted in checkpoints.
        device: where the model lives.

    Raises:
        InputError: no pair is short enough, or no vocabulary can be learnt.
    """

    def __init__(
        self,
        folder: Path,
        train: Sequence[SentencePair],
        dev: Sequence[SentencePair],
        config: TranslatorConfig,
        *,
        seed: int,
        threads: int,
        device: torch.device,
        beside: Sequence[tuple[Sequence[SentencePair], float]] = (),
    ) -> None:
        self.config = config
        self._folder, self._seed, self._threads, self._device = folder, seed, threads, device
        self._identity: dict[str, Any] = {
            "layout": _LAYOUT,
            "seed": seed,
            "pairs": fingerprint([list(pair) for pair in train]),
            "dev": fingerprint([list(pair) for pair in dev]),
            "beside": fingerprint([[list(pair) for pair in pairs] for pairs, _ in beside]),
        }
        words = words_of(train)
        self.vocabulary = _vocabulary(folder, train, config.vocabulary, self._identity["pairs"])
        self._pairs = train
        self._directions = sorted({pair.direction for pair in train})
        self._encode(train, beside)
        self.shape = shape_of(config.model, words)
        self.model = build(
            self.shape,
            len(self.vocabulary),
            positions=config.model.positions,
            dropout=config.model.dropout,
            attention_dropout=config.model.attention_dropout,
            seed=seed,
            guided=config.guided_alignment > 0,
        )
        if config.embeddings == "aligned":
            known = [*train, *(pair for pairs, _ in beside for pair in pairs if " " not in pair.translation)]
            begin_with(self.model, aligned_embeddings(self.vocabulary, known, embeddings_of(self.model), seed))
        if config.copying_start:
            begin_copying(self.model, seed)
        self.model.to(device)
        self._optimiser = _optimiser(self.model, config)
        self._average = WeightAverage(self.model, config.average) if config.average else None
        judged = sample([pair for pair in dev if pair.direction in self._directions], config.dev_sentences, seed)
        if not judged:
            raise InputError(
                "no development sentence is in a direction that is trained", "Give development text of these pairs"
            )
        self._dev = Development(
            judged, self.vocabulary, config.model.positions, chrf=config.stop_on == "chrf", device=device
        )
        self._dev_counts = {direction_name(d): len(pairs) for d, pairs in judged.items()}
        epoch = len(self._batches.epoch(0))
        self.total = config.steps or config.epochs * epoch
        self._evaluate_every = config.evaluate_every or epoch
        self._checkpoint_every = config.checkpoint_every or self._evaluate_every
        self.step, self._epoch, self._seconds = 0, 0, 0.0
        self._best: dict[str, Tensor] = {}
        self._state: dict[str, Any] = {"best": None, "best_step": 0, "without": 0, "figures": {}, "stopped": None}
        self._words = words

    def _encode(self, train: Sequence[SentencePair], beside: Sequence[tuple[Sequence[SentencePair], float]]) -> None:
        """Ids of all pairs that are short enough, and their batches."""
        every = [*train, *(pair for pairs, _ in beside for pair in pairs)]
        kinds = np.repeat(np.arange(1 + len(beside)), [len(train), *(len(pairs) for pairs, _ in beside)])
        sources: list[Any] = [None] * len(every)
        for _, target in self._directions:
            places = [n for n, pair in enumerate(every) if pair.target == target]
            for place, ids in zip(places, self.vocabulary.encode([every[n].text for n in places], target), strict=True):
                sources[place] = ids
        targets = self.vocabulary.encode([pair.translation for pair in every])
        most = min(self.config.max_tokens, self.config.model.positions)
        kept = [n for n in range(len(every)) if max(len(sources[n]), len(targets[n])) <= most]
        self._too_long = Counter(direction_name(train[n].direction) for n in set(range(len(train))) - set(kept))
        real = [n for n in kept if n < len(train)]
        if not real:
            raise InputError(f"no sentence pair has at most {most} tokens a side", "Raise `translator.max_tokens`")
        self._kept = Counter(direction_name(every[n].direction) for n in real)
        self._beside = Counter(direction_name(every[n].direction) for n in kept[len(real) :])
        self._rows = Rows(
            self.vocabulary,
            [every[n] for n in kept],
            [sources[n] for n in kept],
            [targets[n] for n in kept],
            alpha=self.config.subword_sampling,
            longest=self.config.model.positions,
        )
        self._alignments = self._align(train, [every[n] for n in kept])
        numbers = {direction: number for number, direction in enumerate(self._directions)}
        counts = np.array([self._kept[direction_name(direction)] for direction in self._directions], np.int64)
        shown = takes(counts, self.config.temperature)
        self._batches = Batches(
            [stable_hash(*every[n]) for n in kept],
            np.array([kinds[n] * len(numbers) + numbers[every[n].direction] for n in kept], np.int64),
            np.array([len(sources[n]) for n in kept], np.int64),
            np.array([len(targets[n]) for n in kept], np.int64),
            batch_tokens=self.config.batch_tokens,
            takes=np.concatenate([shown, *(np.round(shown * ratio).astype(np.int64) for _, ratio in beside)]),
            seed=self._seed,
        )

    def _align(self, train: Sequence[SentencePair], pairs: Sequence[SentencePair]) -> list[Ints]:
        """Alignments of the words of pairs, learnt from the real ones; none where they are not asked for."""
        if not self.config.guided_alignment:
            return []
        aligners = {
            direction: Aligner([(pair.text, pair.translation) for pair in train if pair.direction == direction])
            for direction in self._directions
        }
        return [aligners[pair.direction].align(pair.text, pair.translation) for pair in pairs]

    def _links(self, places: Sequence[int], sources: Sequence[Ids], targets: Sequence[Ids]) -> Tensor | None:
        """What attention should look at, [N, T, S], of some pairs in the cuts they are shown in."""
        if not self._alignments:
            return None
        found = np.zeros((len(places), max(map(len, targets)), max(map(len, sources))), bool)
        for row, (place, source, target) in enumerate(zip(places, sources, targets, strict=True)):
            found[row, : len(target), : len(source)] = links(self.vocabulary, self._alignments[place], source, target)
        return torch.from_numpy(found).to(self._device)

    def restore(self, saved: checkpoints.Checkpoint) -> None:
        """Go on from a checkpoint.

        Raises:
            ConfigurationError: it belongs to other pairs or settings.
        """
        confirm_same("translator", saved.state["identity"], self._identity, saved.path)
        confirm_same("translator", saved.state["config"], self._deciding(), saved.path)
        self._load(saved.model)
        load_optimiser_tensors(self.model, self._optimiser, saved.optimiser)
        if self._average is not None:
            self._average.load_state(_under("average", saved.methods))
        self._best = _under("best", saved.methods)
        self._state = saved.state["progress"]
        self.step, self._epoch, self._seconds = saved.state["step"], saved.state["epoch"], saved.state["seconds"]

    def run(self, stop_after: int | None, stopping: threading.Event, progress: Callable[[str, int, int], None]) -> bool:
        """Train until the steps are done, nothing gets better, or a signal comes; whether it is finished.

        Args:
            stop_after: step to stop at even so.
            stopping: set by a signal.
            progress: told of the steps.

        Raises:
            TrainingError: a gradient is not finite.
        """
        self.model.train()
        saved_at = self.step if self.step else -1
        with MetricsLog(self._folder, self.step, tensorboard=False) as log:
            steps = self._batches.steps(self.step)
            mark, tokens, lines = time.monotonic(), 0, 0.0
            while not self._ended():
                if stopping.is_set() or (stop_after is not None and self.step >= stop_after):
                    break
                self._epoch, places = next(steps)
                value, count = self._train_step(places)
                tokens, lines = tokens + count, lines + value
                self.step += 1
                if self.step % _LOG_EVERY == 0 or self.step == self.total:
                    now = time.monotonic()
                    self._seconds += now - mark
                    log.write({"kind": "train", "step": self.step, "epoch": self._epoch, "loss": lines / tokens,
                               "tokens_per_second": tokens / (now - mark)})  # fmt: skip
                    mark, tokens, lines = now, 0, 0.0
                    progress("fit", self.step, self.total)
                if self.step % self._evaluate_every == 0 or self.step == self.total:
                    self._evaluate(log)
                if self.step % self._checkpoint_every == 0:
                    self._checkpoint(log)
                    saved_at = self.step
            self._seconds += time.monotonic() - mark
            if saved_at != self.step:
                self._checkpoint(log)
        progress("fit", self.step, self.step if self._ended() else self.total)
        return self._ended()

    def summary(self) -> dict[str, Any]:
        """What was trained on and what came out, as JSON values."""
        return {
            "step": self.step,
            "steps": self.total,
            "epoch": self._epoch,
            "finished": self._ended(),
            "stopped": self._state["stopped"],
            "best_step": self._state["best_step"],
            "dev": self._state["figures"],
            "seconds": round(self._seconds, 3),
            "parameters": sum(p.numel() for p in self.model.parameters() if p.requires_grad),
            "shape": self.shape._asdict(),
            "vocabulary": len(self.vocabulary),
            "words": self._words,
            "pairs": {name: self._kept[name] for name in sorted(self._kept)},
            "beside": {name: self._beside[name] for name in sorted(self._beside)},
            "too_long": {name: self._too_long[name] for name in sorted(self._too_long)},
            "dev_pairs": self._dev_counts,
        }

    def save(self, folder: Path) -> None:
        """Write the best state as ``transformers`` saves a Marian model."""
        own = {name: value.detach().clone() for name, value in self._trained().items()}
        self._load(self._best)
        sources, targets = ({pair[side] for pair in self._directions} for side in (0, 1))
        save_folder(self.model, self.vocabulary, folder, (sorted(sources), sorted(targets)))
        self._load(own)

    def _train_step(self, places: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> tuple[float, int]:
        """Move the weights once; the summed loss and the number of target tokens."""
        torch.manual_seed(stable_hash("dropout", self.step, seed=self._seed) >> 1)
        rate = self.config.learning_rate * share(self.config.schedule, self.step, self.total, self.config.warmup)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        seed = stable_hash("segmentation", self.step, seed=self._seed)
        rows = self._rows.take(places.tolist(), seed)
        sources, targets = self._tensor(rows[0]), self._tensor(rows[1])
        lower = self.config.precision == "bfloat16"
        with torch.autocast(self._device.type, torch.bfloat16) if lower else contextlib.nullcontext():
            total, count = loss(
                self.model,
                sources,
                targets,
                pad=self.vocabulary.pad,
                smoothing=self.config.label_smoothing,
                hidden=(self.config.source_dropout, self.config.target_dropout),
                links=self._links(places.tolist(), *rows),
                guidance=self.config.guided_alignment,
            )
        torch.autograd.backward(total / count)
        moved = [value for value in self.model.parameters() if value.grad is not None]
        if not torch.isfinite(torch.nn.utils.clip_grad_norm_(moved, self.config.clip)):
            raise TrainingError(
                f"the gradient of step {self.step + 1:,} is not finite",
                "Lower `translator.learning_rate` or set `translator.precision` to float32, and begin anew (`--fresh`)",
            )
        self._optimiser.step()
        self._optimiser.zero_grad()
        if self._average is not None:
            self._average.update()
        return float(total.detach()), count

    def _evaluate(self, log: MetricsLog) -> None:
        with self._average.applied() if self._average is not None else contextlib.nullcontext():
            judged = self._dev.judge(self.model)
            better = self._state["best"] is None or judged.value < self._state["best"]
            if better:
                self._best = {name: value.detach().clone() for name, value in self._trained().items()}
        if better:
            self._state |= {"best": judged.value, "best_step": self.step, "without": 0, "figures": judged.figures}
        else:
            self._state["without"] += 1
            if self._state["without"] >= self.config.patience:
                self._state["stopped"] = "no_improvement"
        log.write({"kind": "dev", "step": self.step, "epoch": self._epoch, "value": judged.value, **judged.figures})

    def _checkpoint(self, log: MetricsLog) -> None:
        log.sync()
        average = {} if self._average is None else self._average.state()
        methods = {f"best/{name}": value for name, value in self._best.items()}
        methods |= {f"average/{name}": value for name, value in average.items()}
        state = {
            "identity": self._identity,
            "config": self._deciding(),
            "threads": self._threads,
            "epoch": self._epoch,
            "seconds": self._seconds,
            "progress": self._state,
        }
        tensors = optimiser_tensors(self.model, self._optimiser)
        checkpoints.save(self._folder, self.step, self._trained(), tensors, methods, state)
        checkpoints.prune(self._folder, self.config.keep)

    def _ended(self) -> bool:
        return self.step >= self.total or self._state["stopped"] is not None

    def _deciding(self) -> dict[str, Any]:
        return self.config.model_dump(mode="json", exclude=_OPERATIONAL)

    def _trained(self) -> dict[str, Tensor]:
        return {name: value for name, value in self.model.named_parameters() if value.requires_grad}

    @torch.no_grad()
    def _load(self, tensors: dict[str, Tensor]) -> None:
        for name, value in self._trained().items():
            value.copy_(tensors[name])

    def _tensor(self, rows: Sequence[Ids]) -> Tensor:
        return torch.from_numpy(padded(rows, self.vocabulary.pad)).to(self._device)


def _vocabulary(folder: Path, pairs: Sequence[SentencePair], size: int | None, identity: str) -> Vocabulary:
    """The run's vocabulary, learnt when the run begins and kept beside its checkpoints."""
    place = folder / "vocabularies" / fingerprint([identity, size])[:16]
    if not (place / "vocab.json").exists():  # the last of the files
        train_vocabulary(pairs, size).write(place)
    return Vocabulary.read(place)


def _optimiser(model: torch.nn.Module, config: TranslatorConfig) -> Optimiser:
    trained = [value for value in model.parameters() if value.requires_grad]
    groups = [
        {"params": [value for value in trained if value.ndim >= 2], "weight_decay": config.weight_decay},
        {"params": [value for value in trained if value.ndim < 2], "weight_decay": 0.0},
    ]
    return Optimiser(torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.98), eps=1e-9, fused=True))


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names begin with ``prefix/``, without it."""
    return {name.removeprefix(f"{prefix}/"): value for name, value in tensors.items() if name.startswith(f"{prefix}/")}
