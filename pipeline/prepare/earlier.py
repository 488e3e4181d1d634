"""Indexes of the corpora that a run compares its documents with; made anew, from their text, where they do not fit."""

from __future__ import annotations

from collections.abc import Sequence

from corpus.hashing import fingerprint
from pipeline.earlier.documents import EarlierPart
from pipeline.earlier.find import EarlierCorpus
from pipeline.earlier.index import key_settings
from pipeline.earlier.sign import SignTask
from pipeline.prepare.context import Context


def earlier_parts(context: Context, known: Sequence[EarlierCorpus]) -> list[EarlierPart]:
    """The parts of the indexes of some corpora, in their order."""
    from pipeline.graphs.sign import sign_job

    near = context.config.deduplicate.near
    parts, waiting = [], []
    for number, corpus in enumerate(known):
        if corpus.is_indexed(near):
            parts += [EarlierPart(corpus.root, corpus.root, file.path, corpus.own) for file in corpus.index_files()]
            continue
        for place, file in enumerate(corpus.snapshot.select("text")):
            name = f"earlier/{number:03d}-{fingerprint([file.hash, key_settings(near)])[:16]}-{place:06d}.arrow"
            waiting.append(SignTask(corpus.root, file, name))
            parts.append(EarlierPart(corpus.root, context.work_url, name, corpus.own))
    if not all(context.work.exists(task.name) for task in waiting):
        done = context.files_in("earlier", ".arrow", len(waiting))
        with context.jobs.step("index earlier text (shards)", done):
            context.jobs.run(sign_job(waiting, context.work_url, context.config))
    return parts
