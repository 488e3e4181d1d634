"""Train a small translator: sentence pairs in, a run folder with a Marian model out.

What decides the result is a function of the step's number: which pairs (hashes), the learning rate, the seed of what
dropout hides. A checkpoint therefore holds weights, moments, mean weights, the best state so far and counters, and a
run that was killed goes on from it to the same weights, to the last bit on the same machine.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from corpus.errors import ConfigurationError, InputError
from corpus.lexicon import Lexicon, write_lexicons
from corpus.storage import write_errors
from corpus.translations import SentencePair, direction_name
from trainer.reproducible import reproducible
from trainer.run import checkpoint as checkpoints
from trainer.run.files import write_json
from trainer.run.signals import terminated
from trainer.translator.config import TranslatorConfig
from trainer.translator.copies import copies
from trainer.translator.development import cut_dev
from trainer.translator.glossed_source import cross_glossed, through
from trainer.translator.glosses import glossed, lexicons, phrase_pairs, word_pairs
from trainer.translator.session import Session

Progress = Callable[[str, int, int], None]

TRANSFORMERS = "transformers"
"""Folder in the run's with the model as ``transformers`` saves it."""
SUMMARY = "fit.json"


class Fitted(NamedTuple):
    """What a call has done."""

    finished: bool
    """False where a signal, or ``stop_after``, ended it early."""
    folder: Path
    """The model as ``transformers`` reads it; there once ``finished``."""
    summary: dict[str, Any]
    """What ``fit.json`` holds."""


def fit(
    pairs: Sequence[SentencePair],
    config: TranslatorConfig,
    output: str | Path,
    *,
    dev: Sequence[SentencePair] = (),
    texts: Mapping[str, Sequence[str]] | None = None,
    seed: int = 0,
    resume: bool = True,
    stop_after: int | None = None,
    progress: Progress | None = None,
) -> Fitted:
    """Train a translator on sentence pairs, or go on with a run that was stopped.

    Args:
        pairs: to train on; their directions are those of the model. Repeated ones count once.
        config: the recipe's ``translator`` section; ``pairs`` there is not looked at.
        output: the run's folder.
        dev: sentences to judge on; without any, ``dev_share`` of the pairs.
        texts: language -> sentences that nobody has translated, for ``glosses``.
        seed: of initial weights, order and dropout.
        resume: go on from the newest whole checkpoint; otherwise begin anew.
        stop_after: steps after which to save and return, even if there are more to do.
        progress: called with ``fit``, steps done and steps in all.

    Raises:
        InputError: there are fewer than two pairs, or nothing to train on.
        ConfigurationError: a checkpoint in the folder belongs to other pairs or settings.
    """
    folder = Path(output)
    train = list(dict.fromkeys(pairs))
    judged = list(dict.fromkeys(dev))
    if not judged:
        train, judged = cut_dev(train, config.dev_share, seed)
    if not train or not judged:
        raise InputError(
            f"{len(set(pairs)):,} different sentence pairs are too few to train and to judge a translator",
            "Give more parallel text, or look at what was left out of it",
        )
    with write_errors(str(folder)):
        folder.mkdir(parents=True, exist_ok=True)
    material = _material(train, judged, config, texts or {}, seed)
    saved = checkpoints.newest(folder) if resume else None
    threads = saved.state["threads"] if saved else config.threads or torch.get_num_threads()
    with reproducible(threads), terminated() as stopping:
        session = Session(
            folder,
            material.train,
            material.dev,
            config,
            seed=seed,
            threads=threads,
            device=_device(config),
            beside=material.beside,
        )
        if saved is not None:
            session.restore(saved)
        if not resume:
            # Only now that the pairs are known to do: a mistake must not cost the old run.
            with write_errors(str(folder)):
                shutil.rmtree(checkpoints.folder(folder), ignore_errors=True)
        finished = session.run(stop_after, stopping, progress or _silent)
        summary = session.summary()
        write_json(folder, SUMMARY, summary)
        if finished:
            session.save(folder / TRANSFORMERS)
            if config.glossed_source:
                write_lexicons(folder / TRANSFORMERS, material.lexicons)
    return Fitted(finished, folder / TRANSFORMERS, summary)


class _Material(NamedTuple):
    """What a session is given."""

    train: list[SentencePair]
    dev: list[SentencePair]
    beside: list[tuple[list[SentencePair], float]]
    """Pairs made from lexicons, and how many are shown beside each real one."""
    lexicons: dict[tuple[str, str], Lexicon]
    """Those through which the model reads its sources, by direction; none where it reads them as they are."""


def _material(
    train: list[SentencePair],
    dev: list[SentencePair],
    config: TranslatorConfig,
    texts: Mapping[str, Sequence[str]],
    seed: int,
) -> _Material:
    """Pairs as the model is to see them, and what is made from them."""
    known = lexicons(train) if config.word_pairs or config.glosses or config.glossed_source else {}
    own = {pair.direction: known[pair.direction] for pair in train} if config.glossed_source else {}

    def read(pairs: list[SentencePair]) -> list[SentencePair]:
        return through(pairs, own) if own else pairs

    shown = cross_glossed(train, seed) if own else train
    beside = []
    if config.word_pairs:
        beside.append((read(word_pairs(train, known)), config.word_pairs))
    if config.phrase_pairs:
        beside.append((phrase_pairs(shown, seed), config.phrase_pairs))
    if config.glosses:
        beside.append((read(glossed(train, known, texts, seed)), config.glosses))
    if config.copies:
        beside.append((copies(shown, both=bool(own), seed=seed), config.copies))
    return _Material(shown, read([pair for pair in dev if pair.direction in own or not own]), beside, own)


def directions_of(pairs: Sequence[SentencePair]) -> tuple[str, ...]:
    """The directions of some pairs, sorted, as ``eng_Latn-swh_Latn``."""
    return tuple(direction_name(direction) for direction in sorted({pair.direction for pair in pairs}))


def _device(config: TranslatorConfig) -> torch.device:
    """
    Raises:
        ConfigurationError: a GPU is asked for and there is none.
    """
    if config.device == "cuda" and not torch.cuda.is_available():
        raise ConfigurationError(
            "translator.device is cuda, but torch finds no GPU",
            "Set it to auto or cpu, or install a CUDA build of torch",
        )
    return torch.device("cuda" if config.device != "cpu" and torch.cuda.is_available() else "cpu")


def _silent(step: str, done: int, total: int) -> None:
    """No progress was asked for."""
