"""Held-out bits per byte of each language.

Bits per byte compares languages and tokenizers where loss per token cannot: the loss of a text in nats, over
ln 2 and over its UTF-8 bytes. For causal prediction it is exact, the length of a code for the text, because
every token of every held-out document is predicted once (Kaplan et al. 2020 and others report it so). Masked
prediction gives no such code: there the mean loss of the hidden tokens stands for all, the figure is labelled
``masked`` and compares with itself alone. Which tokens are hidden is fixed by a hash, the same in every run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from corpus.errors import CorpusError, InputError
from sampler.heldout import HeldoutRows
from sampler.index import TokenCorpus
from trainer.build import build_model
from trainer.config import AttentionWay, ObjectiveConfig, TrainConfig
from trainer.distributed import World, world
from trainer.heldout.rows import Heldout, Rows, streamed
from trainer.model.language_model import LanguageModel
from trainer.objective.task import make_task
from trainer.parallel.setup import retrieval
from trainer.reproducible import reproducible
from trainer.run import checkpoint as checkpoints
from trainer.run.evidence import bits_per_byte
from trainer.run.files import write_json
from trainer.run.setup import mask_token
from trainer.sharding import scoring
from trainer.steps.backward import autocast_type
from trainer.steps.batches import pass_rows
from trainer.steps.rows import make_work
from trainer.steps.step import AVERAGE
from trainer.steps.tally import mean

EVALUATION: Final = "evaluation.json"
Progress = Callable[[str, int, int], None]
Kind = Literal["causal", "masked"]

RETRIEVAL_PAIRS: Final = 8
"""Times as many pairs of each two languages are searched as while training."""

_MASK_SEED = 0
"""The hidden tokens of the evaluation do not change with the run's seed."""
_CHUNK: Final = 4096
"""Rows that are sorted by their length together: at 1024 tokens a row about 64 MiB."""


class _Slice(NamedTuple):
    """Some rows of any languages, cut to the longest of them."""

    tokens: npt.NDArray[np.int64]
    segments: npt.NDArray[np.int32]
    positions: npt.NDArray[np.int32]
    languages: npt.NDArray[np.int32]
    keys: npt.NDArray[np.int64]
    """What the masks of each row are hashed from."""


def evaluated_kind(config: ObjectiveConfig) -> Kind:
    """What held-out text is evaluated with: causally, unless the model has only learnt to fill masks."""
    return "masked" if config.kind == "masked" else "causal"


class Evaluator:
    """Held-out rows, to be scored as often as wanted.

    The same rows are scored in the same batches whether they are in memory or read anew, so the figures are equal.

    Args:
        heldout: rows and bytes of each language.
        known: tags of the languages that have adapters, in the order of the model's indices; held-out languages
            that are not among them are scored with the shared core alone.
        config: the objective that the model was trained with.
        mask_id: token id put in place of hidden tokens.
        pass_rows: rows in one forward pass at most.
        precision: number format of the matrix products.
        world: the processes, which share the work.
        attention: how it is computed.
    """

    def __init__(
        self,
        heldout: Heldout,
        known: Sequence[str],
        config: ObjectiveConfig,
        *,
        mask_id: int,
        pass_rows: int,
        precision: torch.dtype,
        world: World,
        attention: AttentionWay = "auto",
    ) -> None:
        self.kind = evaluated_kind(config)
        self.languages = list(heldout.sizes)
        self.sizes = list(heldout.sizes.values())
        self._heldout = heldout
        self._pass_rows = pass_rows
        self._ratio = config.mask_ratio_end
        self._mask_id = mask_id
        self._precision = precision
        self._world = world
        self._attention = attention
        index = {lang: number for number, lang in enumerate(known)}
        self._adapter = np.array([index.get(lang, -1) for lang in self.languages], dtype=np.int64)

    def __call__(self, model: LanguageModel, progress: Progress | None = None) -> dict[str, Any]:
        """Score a model; all processes must call it.

        Returns:
            ``objective``, ``languages`` with bits per byte, loss, bytes and tokens of each, and the macro and micro
            means of bits per byte: over languages, and over bytes.
        """
        device = self._world.device
        sums = torch.zeros(len(self.languages), 2, dtype=torch.float64, device=device)
        tokens = np.zeros(len(self.languages))
        training = model.training
        model.eval()
        with scoring(model):
            done = 0
            for turn in self._world.turns(_slices(self._heldout.parts(), self._pass_rows)):
                if turn.own is not None:
                    found = self._score(model, turn.own, sums if turn.counts else torch.zeros_like(sums))
                    tokens += found if turn.counts else 0
                done += sum(len(piece.keys) for piece in turn.pieces)
                if progress is not None:
                    progress("evaluate (rows)", done, self._heldout.rows)
        model.train(training)
        both = self._world.sum(torch.cat((sums.flatten(), torch.from_numpy(tokens).to(device)))).cpu().numpy()
        pairs, counts = both[: 2 * len(self.languages)].reshape(-1, 2), both[2 * len(self.languages) :]
        return self._line(pairs, counts)

    def _score(self, model: LanguageModel, piece: _Slice, sums: torch.Tensor) -> npt.NDArray[np.float64]:
        """Add the losses of some rows; returns how many tokens of each language causal prediction would count."""
        masked = np.full(len(piece.keys), self.kind == "masked")
        task = make_task(
            piece.tokens,
            piece.segments,
            piece.keys,
            masked,
            ratio=self._ratio,
            mask_id=self._mask_id,
            seed=_MASK_SEED,
        )
        work = make_work(piece, task, len(self.languages), self._world.device, self._attention)
        adapters = torch.from_numpy(self._adapter[piece.languages]).to(self._world.device)
        with torch.autocast(self._world.device.type, self._precision, enabled=self._precision is not torch.float32):
            outputs = model(work.inputs._replace(languages=adapters))
        losses = functional.cross_entropy(outputs.logits.float(), work.labels, reduction="none").double()
        sums.index_add_(0, work.languages, torch.stack((losses, torch.ones_like(losses)), dim=1))
        if self.kind == "causal":
            return work.counts
        inside = (piece.segments[:, 1:] == piece.segments[:, :-1]) & (piece.segments[:, 1:] >= 0)
        return np.bincount(piece.languages, inside.sum(axis=1), minlength=len(self.languages)).astype(np.float64)

    def _line(self, pairs: npt.NDArray[np.float64], counts: npt.NDArray[np.float64]) -> dict[str, Any]:
        languages: dict[str, dict[str, float | int]] = {}
        nats = 0.0
        for index, lang in enumerate(self.languages):
            loss = mean(pairs[index])
            if not np.isfinite(loss):
                continue  # so little text that no token of it was hidden
            total = float(pairs[index][0]) if self.kind == "causal" else loss * float(counts[index])
            nats += total
            languages[lang] = {
                "bits_per_byte": bits_per_byte(total, self.sizes[index]),
                "loss": loss,
                "bytes": self.sizes[index],
                "tokens": int(counts[index]),
            }
        values = [figures["bits_per_byte"] for figures in languages.values()]
        return {
            "objective": self.kind,
            "languages": languages,
            "macro_bits_per_byte": sum(values) / len(values) if values else None,
            "micro_bits_per_byte": bits_per_byte(nats, sum(figures["bytes"] for figures in languages.values()))
            if values
            else None,
        }


def _slices(parts: Iterable[Rows], size: int) -> Iterator[_Slice]:
    """Batches of rows of similar length, so that little of the padding is computed."""
    waiting: list[Rows] = []
    for part in parts:
        waiting.append(part)
        if sum(len(one.tokens) for one in waiting) >= _CHUNK:
            yield from _sorted_slices(waiting, size)
            waiting = []
    if waiting:
        yield from _sorted_slices(waiting, size)


def _sorted_slices(parts: Sequence[Rows], size: int) -> Iterator[_Slice]:
    """The rows of some parts, the longest first."""
    tokens = np.concatenate([part.tokens for part in parts])
    segments = np.concatenate([part.segments for part in parts])
    positions = np.concatenate([part.positions for part in parts])
    languages = np.concatenate([np.full(len(part.tokens), part.language, dtype=np.int32) for part in parts])
    keys = np.concatenate([part.first + np.arange(len(part.tokens), dtype=np.int64) for part in parts])
    used = (segments >= 0).sum(axis=1)
    order = np.argsort(-used, kind="stable")
    for start in range(0, len(order), size):
        chosen = order[start : start + size]
        columns = slice(0, int(used[chosen].max()))
        yield _Slice(
            tokens[chosen, columns],
            segments[chosen, columns],
            positions[chosen, columns],
            languages[chosen],
            keys[chosen],
        )


def evaluate(
    run: str,
    corpus: str,
    checkpoint: str | Path | None = None,
    progress: Progress | None = None,
    objective: Kind | None = None,
) -> dict[str, Any]:
    """Score a checkpoint on the held-out text of all its languages and write ``evaluation.json`` into the run's folder.

    The held-out text is that of the snapshot that the run was trained on, whatever was committed since; in another
    corpus it is that of the current snapshot.

    Args:
        run: the run's folder.
        corpus: corpus root, with token shards of the run's tokenizer.
        checkpoint: its folder, or its step as a number; None takes the newest.
        progress: called with ``evaluate (rows)``, rows done and rows in all.
        objective: what is predicted; None takes what the model was trained for, causal where it learnt both.

    Returns:
        What was written: checkpoint, snapshot, objective, figures of each language, their means, and the worst
        language; and, where the snapshot has held-out parallel text, how well translations are found.

    Raises:
        InputError: there is no such checkpoint, it is damaged, or it is another run's.
        CorpusError: there is no such corpus, or it was tokenised otherwise.
    """
    saved = _find(Path(run), checkpoint)
    state = saved.state
    config = TrainConfig.model_validate(state["train"])
    described = state["identity"]
    processes = world(config.device)
    with reproducible(int(state["threads"])):
        snapshot = trained_snapshot(corpus, state)
        shards = TokenCorpus(corpus, described["tokenizer"], "heldout", snapshot)
        if shards.described.get("hash") != described["tokenizer_hash"]:
            raise CorpusError(
                f"tokenizer '{described['tokenizer']}' of {corpus} is not the one that {run} was trained with",
                "Evaluate on the corpus of the run, or train again",
            )
        model = build_model(
            config.model,
            int(described["vocabulary"]),
            len(described["languages"]),
            objective=config.objective.kind,
            described=state.get("base"),
        )
        model.load_state_dict(evaluated_tensors(saved))
        rows = described.get("token_rows", {})
        model.limit_tokens([int(rows.get(lang, described["vocabulary"])) for lang in described["languages"]])
        reader = HeldoutRows(
            corpus, tokenizer=described["tokenizer"], row_tokens=int(described["row_tokens"]), snapshot=snapshot
        )
        evaluator = Evaluator(
            streamed(reader, described["languages"]),
            described["languages"],
            config.objective if objective is None else config.objective.model_copy(update={"kind": objective}),
            mask_id=mask_token(shards, config.objective.kind),
            pass_rows=pass_rows(config, processes.device, int(described["row_tokens"]), int(described["vocabulary"])),
            precision=autocast_type(config, processes.device),
            world=processes,
            attention=config.attention,
        )
        place = {"checkpoint": str(saved.path), "snapshot": shards.snapshot.number}
        result = {**place, **evaluator(model.to(processes.device), progress)}
        search = retrieval(
            config,
            shards,
            described["languages"],
            processes,
            pairs=RETRIEVAL_PAIRS * (config.parallel.heldout_pairs if config.parallel is not None else 128),
            layers=len(model.blocks),
            row_tokens=int(described["row_tokens"]),
            pass_rows=pass_rows(config, processes.device, int(described["row_tokens"]), int(described["vocabulary"])),
            precision=autocast_type(config, processes.device),
        )
        if search is not None:
            result["retrieval"] = search(model)
        worst = max(result["languages"].items(), key=lambda item: item[1]["bits_per_byte"], default=None)
        result["worst"] = None if worst is None else {"lang": worst[0], "bits_per_byte": worst[1]["bits_per_byte"]}
        if processes.leads:
            write_json(Path(run), EVALUATION, result)
        return result


def evaluated_tensors(saved: checkpoints.Checkpoint) -> dict[str, torch.Tensor]:
    """The weights of a checkpoint that are evaluated: the mean of the weights where its run asks for that."""
    config = TrainConfig.model_validate(saved.state["train"])
    if config.average is None or not config.average.evaluate:
        return saved.model
    mean = {name.removeprefix(AVERAGE): value for name, value in saved.methods.items() if name.startswith(AVERAGE)}
    return {name: mean.get(name, value) for name, value in saved.model.items()}


def trained_snapshot(corpus: str, state: Mapping[str, Any]) -> int | None:
    """The snapshot of a corpus that a run was last trained on; None where the corpus is another one.

    Args:
        corpus: corpus root.
        state: of a checkpoint; for each stage it holds the number and the fingerprint of the token shards.
    """
    described, stages = state["identity"], state["sampler"]["stages"]
    for stage in reversed(stages):
        try:
            then = TokenCorpus(corpus, described["tokenizer"], "train", int(stage["snapshot"]))
        except CorpusError:
            continue
        # Of a stage that names its languages the fingerprint is of those alone; another stage may tell the corpus.
        languages = sorted(set(described["languages"]) & set(then.languages))
        if then.fingerprint(languages) == stage["corpus"]:
            return then.snapshot.number
    return None


def _find(run: Path, checkpoint: str | Path | None) -> checkpoints.Checkpoint:
    """The checkpoint asked for, by folder or step, or the newest.

    Raises:
        InputError: there is none, or it is another run's.
    """
    if checkpoint is not None:
        name = str(checkpoint)
        path = checkpoints.folder(run) / f"{int(name):08d}" if name.isdigit() else Path(name)
        owner = path.resolve().parent.parent
        if path.resolve().parent.name == checkpoints.folder(run).name and owner != run.resolve():
            raise InputError(
                f"checkpoint {path} is one of the run {owner}, not of {run}",
                f"Name its run with `--run {owner}`, or a checkpoint of {run}",
            )
        if checkpoints.folder(path).is_dir():
            raise InputError(
                f"{path} is the folder of a run, not a checkpoint",
                f"Name the run with `--run {path}`, or one of the folders in {checkpoints.folder(path)}",
            )
        return checkpoints.read(path)
    saved = checkpoints.newest(run)
    if saved is None:
        raise InputError(f"{run} has no checkpoint", "Train a model with `evenglot train`, or correct the folder")
    return saved
