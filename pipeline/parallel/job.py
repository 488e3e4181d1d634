"""From files of translations to the parallel shards of a corpus: look at all, judge, encode, commit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from corpus.errors import InputError
from corpus.hashing import fingerprint
from corpus.ledger import Ledger, sort
from corpus.manifest import ShardFile, Snapshot, commit, read_snapshot
from corpus.parallel import ParallelText
from corpus.schema import HELDOUT, UNDETERMINED
from corpus.storage import Storage
from pipeline.account import Clock, run_account
from pipeline.parallel.batches import batches
from pipeline.parallel.config import ParallelConfig
from pipeline.parallel.documents import heldout_documents
from pipeline.parallel.read import find_files
from pipeline.parallel.rules import REASONS, Found, judge
from pipeline.parallel.survey import repeated, survey
from pipeline.parallel.write import STAGE, Counts, Shards
from pipeline.tokenizer.model import load_tokenizer

Progress = Callable[[str, int, int], None]

_LAYOUT: Final = 1
"""Part of the fingerprint; raised when the same settings give other shards."""


def add_parallel(
    root: str,
    config: ParallelConfig,
    tokenizer: str,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Snapshot:
    """Write the parallel shards of a corpus under a tokenizer that it has.

    The files are read twice: once for the lengths that are usual and for the held-out sentences, once to judge and to
    encode. Memory holds eight bytes for each held-out sentence and about a hundred for each group.

    Args:
        root: corpus root, path or URL.
        config: the recipe's section.
        tokenizer: its name in the snapshot.
        seed: of what is held out.
        progress: called as the work goes on.

    Returns:
        the new current snapshot, or the current one where it has these shards already.

    Raises:
        CorpusError: there is no such corpus or tokenizer.
        InputError: a file is missing or of an unknown form, or nothing of all files is kept.
    """
    report = progress or _silent
    clock = Clock()
    storage = Storage(root)
    parent = read_snapshot(storage)
    model = load_tokenizer(root, parent, tokenizer)
    files = find_files(config.inputs)
    found = survey(files, config.heldout_share, seed, progress=report)
    identity = fingerprint(
        [
            _LAYOUT,
            config.model_dump(mode="json", exclude={"inputs"}),
            seed,
            [[file.source, digest] for file, digest in zip(files, found.digests, strict=True)],
            parent.tokenizers[tokenizer]["hash"],
            sorted(file.hash for file in parent.select("text", split=HELDOUT)),
        ]
    )
    known = parent.parallel.get(tokenizer)
    if known is not None and known.fingerprint == identity:
        return parent
    documents = heldout_documents(storage, parent, found.languages, config.overlap_words)
    counts, shards, read = Counts(), [], 0
    rejected: dict[str, Counter[str]] = {}
    unreadable: Counter[str] = Counter()
    seen: set[int] = set()
    for number, file in enumerate(files):
        report("parallel text: encode", number, len(files))
        name = f"parallel/{tokenizer}/{identity[:16]}-{number:05d}"
        writer = Shards(storage, name, model, tokenizer, file.source, counts)
        for batch in batches(file, config.heldout_share, seed):
            read += batch.read
            sentences = batch.sentences
            facts = Found(found.offsets, found.heldout_keys, repeated(batch, seen), documents.contain(sentences.texts))
            reasons = judge(sentences, facts, config.max_length_ratio, config.max_bytes)
            writer.add(batch, reasons)
            unreadable.update(broken.reason for broken in batch.broken)
            tags = sentences.langs.to_pylist()
            for place in np.flatnonzero(reasons >= 0).tolist():
                reason = f"{STAGE}/{REASONS[reasons[place]]}"
                rejected.setdefault(reason, Counter())[tags[place] or UNDETERMINED] += 1
        writer.close()
        shards += writer.files
    report("parallel text: encode", len(files), len(files))
    if not counts.groups:
        why = max(rejected, key=lambda reason: rejected[reason].total(), default="no sentences")
        raise InputError(
            f"nothing of the parallel text is kept (mostly: {why})",
            "Look at the files, and at `parallel` in the recipe",
        )
    text = ParallelText(
        fingerprint=identity,
        ledger=Ledger(
            read=read,
            kept=sort(counts.kept),
            rejected={reason: sort(rejected[reason]) for reason in sorted(rejected)},
            unreadable=sort(unreadable),
        ),
        groups=sort(counts.groups),
        tokens=sort(counts.tokens),
        pairs={split: sort(pairs) for split, pairs in counts.pairs.items()},
    )
    text.ledger.check()
    return _commit(storage, parent, tokenizer, text, shards, config, clock)


def _commit(
    storage: Storage,
    parent: Snapshot,
    tokenizer: str,
    text: ParallelText,
    shards: list[ShardFile],
    config: ParallelConfig,
    clock: Clock,
) -> Snapshot:
    kept = [
        file
        for file in parent.files
        if not (file.kind in ("parallel", "parallel_rejected") and file.tokenizer == tokenizer)
    ]
    snapshot = parent.model_copy(
        update={
            "number": parent.number + 1,
            "parent": parent.number,
            "made_by": "tokenize",
            "parallel": {**parent.parallel, tokenizer: text},
            "recipe": {**parent.recipe, "parallel": config.model_dump(mode="json")},
            "fingerprint": fingerprint([parent.fingerprint, text.fingerprint]),
            "files": sorted([*kept, *shards], key=lambda file: file.path),
        }
    )
    account: dict[str, Any] = run_account(clock, 1) | {
        "stages": [],
        "counters": {f"parallel/{split}_groups": count for split, count in text.groups.items()},
    }
    commit(storage, snapshot, account)
    return snapshot


def _silent(step: str, done: int, total: int) -> None:
    """No progress was asked for."""
