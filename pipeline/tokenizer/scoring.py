"""By what the documents of a corpus are scored while they are encoded.

A language's statistics rest on the natural text it had when it was first tokenised under a tokenizer, and stay: scores
of text added later, synthetic text included, compare with those of before, and token shards that exist are never
written again. A language without natural text is scored by what it has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from corpus.manifest import LanguageEvidence, ShardFile, Snapshot, read_snapshot
from corpus.schema import TRAIN
from corpus.storage import Storage
from pipeline.curriculum.config import ScoresConfig
from pipeline.curriculum.sample import Sampled, SampleTask, share
from pipeline.tokenizer.encode import Scoring


def earlier_snapshots(storage: Storage, snapshot: Snapshot, tokenizer: str, identity: str) -> list[Snapshot]:
    """The snapshots before this one with tokens of the same tokenizer, and only natural text that this one has too.

    Args:
        storage: the corpus.
        snapshot: the current one.
        tokenizer: its name.
        identity: its fingerprint.

    Returns:
        the oldest first.
    """
    texts = {(file.path, file.hash) for file in snapshot.natural_text()}
    found, state = [], snapshot
    while state.parent is not None and storage.exists(f"snapshots/{state.parent:06d}.json"):
        state = read_snapshot(storage, state.parent)
        same = state.tokenizers.get(tokenizer, {}).get("fingerprint") == identity
        if same and {(file.path, file.hash) for file in state.natural_text()} <= texts:
            found.append(state)
    return found[::-1]


def token_paths(snapshots: Iterable[Snapshot], tokenizer: str) -> frozenset[str]:
    """The token shards that some snapshots have."""
    return frozenset(file.path for state in snapshots for file in state.select("tokens", tokenizer=tokenizer))


def sample_tasks(
    root: str, snapshots: Sequence[Snapshot], languages: Collection[str], config: ScoresConfig, folder: Path
) -> list[SampleTask]:
    """What is to be counted before some languages can be scored, the largest first.

    Args:
        root: corpus root.
        snapshots: those with tokens, the oldest first, and the current one.
        languages: those with shards to be written.
        config: settings.
        folder: local, for the statistics.
    """
    tasks = []
    for number, lang in enumerate(sorted(languages)):
        for state in snapshots:
            natural = state.natural_text(lang=lang, split=TRAIN)
            shards = natural or state.select("text", lang=lang, split=TRAIN)
            if shards:
                known = state.languages.get(lang, LanguageEvidence())
                size = known.bytes - known.synthetic_bytes if natural else known.bytes
                part = share(size, sum(shard.rows for shard in shards), config.sample_bytes)
                paths = tuple(shard.path for shard in shards)
                tasks.append((size * part, SampleTask(root, lang, paths, part, str(folder / f"{number:05d}"))))
                break
    return [task for _, task in sorted(tasks, key=lambda pair: (-pair[0], pair[1].lang))]


def scoring_of(text: ShardFile, known: Mapping[str, tuple[SampleTask, Sampled]]) -> Scoring | None:
    """How the documents of a text shard are scored; None where they are not."""
    if text.split != TRAIN or str(text.lang) not in known:
        return None
    task, found = known[str(text.lang)]
    return Scoring(found.folder, found.digest, task.share if text.path in task.shards else 0.0)
