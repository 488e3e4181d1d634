"""What a run is: the hash of all that decides its output, and whether a snapshot was made from the same."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import fsspec

from corpus.hashing import fingerprint
from corpus.manifest import Snapshot, read_snapshot
from corpus.schema import FORMAT_VERSION
from corpus.storage import Storage
from pipeline.config import PrepareConfig
from pipeline.decontaminate.items import Evaluation
from pipeline.earlier.find import EarlierCorpus
from pipeline.sources import InputConfig, Split


def run_identity(
    inputs: Sequence[InputConfig],
    splits: Sequence[Split],
    config: PrepareConfig,
    seed: int,
    *,
    against: Sequence[EarlierCorpus],
    evaluation: Evaluation | None,
    identifier: Mapping[str, Any],
) -> str:
    """Hash of what decides the output: inputs by place and size, settings, seed, code, model.

    Args:
        inputs: as the recipe names them.
        splits: what there is of them to read.
        config: settings of all stages.
        seed: decides what is held out.
        against: other corpora whose documents are not to come again.
        evaluation: text kept out.
        identifier: description of the model that identifies languages.
    """
    return fingerprint(
        {
            "format": FORMAT_VERSION,
            "code": version("evenglot"),
            "settings": config.model_dump(
                mode="json",
                exclude={
                    "runner": True,
                    "append": True,
                    "decontaminate": {"files": {"__all__": {"path"}}},
                    "deduplicate": {"against": True},
                },
            ),
            "against": [[known.snapshot.number, known.snapshot.fingerprint] for known in against],
            "evaluation": [] if evaluation is None else evaluation.identity,
            "inputs": [item.model_dump(mode="json", exclude={"path"}) for item in inputs],
            "splits": [split_identity(split) for split in splits],
            "model": identifier.get("hash"),
            "seed": seed,
        }
    )


def identity_after(own: str, base: Snapshot | None) -> str:
    """The identity of a run where it goes on with a snapshot.

    Args:
        own: ``run_identity``.
        base: that snapshot.
    """
    return own if base is None else fingerprint([own, base.fingerprint])


def is_made(corpus: Storage, current: Snapshot, own: str, state: str, append: bool) -> bool:
    """Whether a snapshot, or one it goes on with, was made from the same inputs and settings.

    Args:
        corpus: where it lies.
        current: the snapshot.
        own: ``run_identity``.
        state: ``input_state``.
        append: whether the run goes on with what is there.
    """
    made = prepared(corpus, current)
    while True:
        number = made.goes_on_with if append else None
        before = None if number is None else read_snapshot(corpus, number)
        if made.fingerprint == identity_after(own, before) and state_of(corpus, made.number) in (None, state):
            return True
        if before is None:
            return False
        made = before


def prepared(corpus: Storage, snapshot: Snapshot) -> Snapshot:
    """The snapshot that ``prepare`` made and later ones only added tokens to."""
    while snapshot.made_by != "prepare" and snapshot.parent is not None:
        snapshot = read_snapshot(corpus, snapshot.parent)
    return snapshot


def input_state(splits: Sequence[Split]) -> str:
    """Hash of the state of all input files."""
    return fingerprint([[split.place, modification(split)] for split in splits])


def state_of(corpus: Storage, number: int) -> str | None:
    """Which state of the input files a snapshot was made from; None where its run did not say.

    It stands with the run, not in the snapshot: the same text copied elsewhere has other times.
    """
    name = f"runs/{number:06d}.json"
    if not corpus.exists(name):
        return None
    state = json.loads(corpus.read_bytes(name)).get("input_state")
    return None if state is None else str(state)


def split_identity(split: Split) -> dict[str, Any]:
    """What a split is, without the folder its file happens to lie in."""
    return {**asdict(split), "file": split.place}


def modification(split: Split) -> str:
    """What tells one state of a file from another: its time or entity tag and its size, where it has any."""
    if split.format == "dataset":
        return ""
    filesystem, path = fsspec.core.url_to_fs(split.file)
    info = filesystem.info(path)
    return "/".join(str(info.get(name, "")) for name in ("mtime", "LastModified", "ETag", "etag", "size"))
