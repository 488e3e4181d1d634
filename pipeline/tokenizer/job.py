"""From a prepared corpus to one with tokens: train, encode, count, commit."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from corpus.errors import ConfigurationError
from corpus.hashing import fingerprint
from corpus.manifest import ScoreQuantiles, ShardFile, Snapshot, commit, read_snapshot
from corpus.schema import TRAIN
from corpus.storage import Storage
from pipeline.account import Clock
from pipeline.curriculum.config import ScoresConfig
from pipeline.curriculum.quantiles import Histogram
from pipeline.curriculum.sample import Sampled, SampleTask, count_language
from pipeline.tokenizer.config import TokenizerConfig
from pipeline.tokenizer.counts import account, evidence
from pipeline.tokenizer.encode import Encoded, EncodeTask, encode_shard
from pipeline.tokenizer.fast import packed, vocabulary_hash
from pipeline.tokenizer.model import model_hash, open_tokenizer
from pipeline.tokenizer.sample import sample_lines, sample_sizes
from pipeline.tokenizer.scoring import earlier_snapshots, sample_tasks, scoring_of, token_paths
from pipeline.tokenizer.train import train

Task = TypeVar("Task")
Result = TypeVar("Result")
Progress = Callable[[str, int, int], None]
"""Called with the step's name, what is done and what there is in all."""

_LAYOUT = 1
"""Part of the fingerprint; raised when the same settings give other tokens."""


def tokenize_corpus(
    root: str,
    config: TokenizerConfig,
    *,
    seed: int = 0,
    workers: int = 1,
    progress: Progress | None = None,
) -> Snapshot:
    """Train a tokenizer on a corpus and write its token shards beside the text.

    Where the corpus only goes on with text that a tokenizer of these settings was trained on, that tokenizer stays,
    and only new text is encoded: another vocabulary would make all tokens and models of before worthless.

    What a run that died has left is used again, and a corpus that has these tokens already is returned as it
    is. The files do not depend on the number of workers.

    Args:
        root: corpus root, path or URL.
        config: the recipe's section.
        seed: of the sample the vocabulary is learnt from.
        workers: processes that encode.
        progress: called as the work goes on.

    Returns:
        the new current snapshot, or the current one where nothing was to be done.

    Raises:
        CorpusError: there is no corpus at that place, it has no training text, or a shard is damaged.
        ConfigurationError: the vocabulary does not fit the text, or the name is taken by another tokenizer.
    """
    report = progress or _silent
    clock = Clock()
    storage = Storage(root)
    parent = read_snapshot(storage)
    texts = parent.select("text")
    known = trained_before(storage, parent, config, seed)
    identity = str(known["fingerprint"]) if known else tokenizer_fingerprint(parent, config, seed)
    names = {text.path: token_path(config.name, text) for text in texts}
    if _complete(parent, config.name, identity, set(names.values())):
        return parent
    _check_name(storage, parent, config.name, identity, set(names.values()))

    model_path = f"tokens/{config.name}/{identity[:16]}.model"
    if known and storage.exists(model_path):
        described, seconds = known, 0.0
    else:
        described, seconds = _model(storage, parent, config, seed, identity, model_path, report)
    earlier = earlier_snapshots(storage, parent, config.name, identity)
    kept_paths = token_paths(earlier, config.name)
    missing = {
        str(text.lang)
        for text in texts
        if text.split == TRAIN and not (names[text.path] in kept_paths and storage.exists(names[text.path]))
    }
    scores = ScoresConfig.model_validate(described.get("scores", config.scores.model_dump()))
    with tempfile.TemporaryDirectory(prefix="evenglot-scores-") as folder:
        begun = time.monotonic()
        counts = _sampled(root, [*earlier, parent], missing if scores.enabled else (), scores, folder, workers, report)
        sampling = time.monotonic() - begun
        tasks = [
            EncodeTask(
                root,
                text,
                names[text.path],
                config.name,
                model_path,
                described["hash"],
                scoring_of(text, counts),
                names[text.path] in kept_paths,
            )
            for text in sorted(texts, key=lambda text: (-text.size, text.path))
        ]
        begun = time.monotonic()
        encoded, spread = _encode(tasks, workers, report)
        encoding = time.monotonic() - begun

    languages = evidence(parent, config.name, encoded, spread)
    kept = [file for file in parent.files if file.tokenizer != config.name]
    model_file = ShardFile(
        path=model_path,
        kind="tokenizer",
        tokenizer=config.name,
        rows=int(described["vocabulary"]),
        size=storage.size(model_path),
        hash=described["hash"],
    )
    snapshot = parent.model_copy(
        update={
            "number": parent.number + 1,
            "parent": parent.number,
            "made_by": "tokenize",
            "languages": languages,
            "tokenizers": {**parent.tokenizers, config.name: described},
            "parallel": {name: text for name, text in parent.parallel.items() if name != config.name},
            "recipe": {**parent.recipe, "tokenizer": config.model_dump(mode="json"), "seed": seed},
            "fingerprint": fingerprint([parent.fingerprint, identity]),
            "warnings": [*parent.warnings, *size_warnings(config, int(described["vocabulary"]))],
            "files": sorted([*kept, model_file, *(part.file for part in encoded)], key=lambda file: file.path),
        }
    )
    documents = sum(part.documents for part in encoded)
    sampled = sum(found.documents for _, found in counts.values())
    run = account(clock, (seconds, sampling, encoding), documents, sampled, encoded, workers)
    commit(storage, snapshot, run)
    return snapshot


def tokenizer_fingerprint(snapshot: Snapshot, config: TokenizerConfig, seed: int) -> str:
    """What a tokenizer follows from: settings, seed and natural training text; or the files it was taken from."""
    if config.source is not None:
        return fingerprint([_LAYOUT, "source", model_hash(packed(config.source, config.revision))])
    texts = [[file.path, file.hash] for file in snapshot.natural_text(split=TRAIN)]
    return fingerprint([_LAYOUT, config.model_dump(mode="json", exclude={"scores", "source", "revision"}), seed, texts])


def trained_before(storage: Storage, snapshot: Snapshot, config: TokenizerConfig, seed: int) -> dict[str, Any] | None:
    """The description of the tokenizer that these settings gave in an earlier snapshot whose natural text this one has.

    Args:
        storage: the corpus.
        snapshot: the current one.
        config: settings.
        seed: of the sample.
    """
    texts = {(file.path, file.hash) for file in snapshot.natural_text()}
    # Of a tokenizer that was taken from a model it does not depend on the text.
    fixed = tokenizer_fingerprint(snapshot, config, seed) if config.source is not None else None
    state = snapshot
    while state.parent is not None and storage.exists(f"snapshots/{state.parent:06d}.json"):
        state = read_snapshot(storage, state.parent)
        described = state.tokenizers.get(config.name)
        if (
            described is not None
            and described.get("fingerprint") == (fixed or tokenizer_fingerprint(state, config, seed))
            and {(file.path, file.hash) for file in state.natural_text()} <= texts
        ):
            return described
    return None


def size_warnings(config: TokenizerConfig, vocabulary: int) -> list[str]:
    """What a user should know of a vocabulary smaller than was asked for."""
    if vocabulary >= config.vocabulary or config.source is not None:
        return []
    return [
        f"tokenizer '{config.name}' has {vocabulary:,} pieces instead of {config.vocabulary:,}: "
        "the sample supports no more"
    ]


def token_path(tokenizer: str, text: ShardFile) -> str:
    """The token shard of a text shard."""
    return f"tokens/{tokenizer}/{text.lang}/{PurePosixPath(text.path).name}"


def _model(
    storage: Storage,
    parent: Snapshot,
    config: TokenizerConfig,
    seed: int,
    identity: str,
    path: str,
    report: Progress,
) -> tuple[dict[str, Any], float]:
    """The tokenizer's description and the seconds of training; trained unless its model is there."""
    begun = time.monotonic()
    sizes = {lang: known.bytes - known.synthetic_bytes for lang, known in parent.languages.items()}
    wanted = {} if config.source is not None else sample_sizes(sizes, config.sample_bytes, config.alpha)
    report("train tokenizer", 0, 1)
    if storage.exists(path):
        model = storage.read_bytes(path)
    else:
        if config.source is not None:
            model = packed(config.source, config.revision)
        else:
            model = train(lambda: sample_lines(storage, parent, wanted, seed), config)
        storage.write_bytes(path, model)
    report("train tokenizer", 1, 1)
    tokenizer = open_tokenizer(model)
    described = {
        "kind": "sentencepiece unigram" if config.source is None else "tokenizers",
        "vocabulary": tokenizer.vocabulary,
        "path": path,
        "hash": model_hash(model),
        "special": dict(tokenizer.special),
        "fingerprint": identity,
        "sample_bytes": sum(wanted.values()),
        "scores": config.scores.model_dump(mode="json"),
    }
    if config.source is not None:
        described["vocabulary_hash"] = vocabulary_hash(model)
    return described, time.monotonic() - begun


def _sampled(
    root: str,
    snapshots: Sequence[Snapshot],
    languages: Collection[str],
    config: ScoresConfig,
    folder: str,
    workers: int,
    report: Progress,
) -> dict[str, tuple[SampleTask, Sampled]]:
    """The statistics of languages, written into a folder."""
    tasks = sample_tasks(root, snapshots, languages, config, Path(folder))
    by_lang = {task.lang: task for task in tasks}
    found: dict[str, tuple[SampleTask, Sampled]] = {}
    if tasks:
        report("count what is rare", 0, len(tasks))
    for part in _each(count_language, tasks, workers):
        found[part.lang] = (by_lang[part.lang], part)
        report("count what is rare", len(found), len(tasks))
    return found


def _encode(
    tasks: Sequence[EncodeTask], workers: int, report: Progress
) -> tuple[list[Encoded], dict[str, ScoreQuantiles]]:
    """The token shards by path, and how the scores of each language's training documents are spread."""
    done: list[Encoded] = []
    spread: dict[str, tuple[Histogram, Histogram]] = {}
    report("encode", 0, len(tasks))
    for part, hard, rich in _each(encode_shard, tasks, workers):
        done.append(part)
        if part.file.split == TRAIN:
            lang = str(part.file.lang)
            spread[lang] = (spread[lang][0] + hard, spread[lang][1] + rich) if lang in spread else (hard, rich)
        report("encode", len(done), len(tasks))
    quantiles = {
        lang: ScoreQuantiles(difficulty=hard.quantiles(), diversity=rich.quantiles())
        for lang, (hard, rich) in sorted(spread.items())
    }
    known = {lang: found for lang, found in quantiles.items() if found.difficulty or found.diversity}
    return sorted(done, key=lambda part: part.file.path), known


def _each(function: Callable[[Task], Result], tasks: Sequence[Task], workers: int) -> Iterator[Result]:
    """The results, in any order."""
    if workers <= 1 or len(tasks) < 2:
        yield from map(function, tasks)
        return
    with ProcessPoolExecutor(min(workers, len(tasks)), mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(function, task) for task in tasks]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            for future in futures:
                future.cancel()


def _complete(snapshot: Snapshot, name: str, identity: str, wanted: set[str]) -> bool:
    described = snapshot.tokenizers.get(name, {})
    there = {file.path for file in snapshot.select("tokens", tokenizer=name)}
    return described.get("fingerprint") == identity and there == wanted


def _check_name(storage: Storage, snapshot: Snapshot, name: str, identity: str, wanted: set[str]) -> None:
    """Refuse to overwrite token shards that an earlier snapshot still names."""
    state: Snapshot | None = snapshot
    while state is not None:
        other = state.tokenizers.get(name, {}).get("fingerprint", identity)
        if other != identity and wanted & {file.path for file in state.select("tokens", tokenizer=name)}:
            raise ConfigurationError(
                f"snapshot {state.number} of {storage.url} has tokens of another tokenizer named '{name}'",
                "Set tokenizer.name to a new name, or go back to the settings and seed it was made with",
            )
        known = state.parent is not None and storage.exists(f"snapshots/{state.parent:06d}.json")
        state = read_snapshot(storage, state.parent) if known else None


def _silent(step: str, done: int, total: int) -> None:
    """No progress was asked for."""
