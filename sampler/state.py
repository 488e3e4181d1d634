"""The sampler's state: a few numbers and the log of mixtures, as JSON.

What is stored is the next global row, the rows that each language had before that row's block, and each change
of the mixture. The first mixture follows from corpus and recipe, whose fingerprints are stored instead; later
ones are stored as integers. About 6 bytes for each language, and 8 more for each change of the mixture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from corpus.errors import CorpusError
from corpus.hashing import fingerprint
from sampler.config import SamplerConfig
from sampler.quota import UNIT, Change, Counts

VERSION = 2


def settings(config: SamplerConfig, tokenizer: str, seed: int) -> dict[str, Any]:
    """What the order of rows depends on beside the corpus; long values as their fingerprints."""
    values = {"tokenizer": tokenizer, "seed": seed, **config.model_dump(mode="json", exclude={"cache"})}
    return {
        name: value if value is None or isinstance(value, str | int | float) else fingerprint(value)
        for name, value in values.items()
    }


def dump_log(log: Sequence[Change], first: Counts) -> list[dict[str, Any]]:
    """The mixture log.

    Args:
        log: entries in the order of their blocks.
        first: int64 [K], the weights that the recipe gives; they are not written out.
    """
    return [
        {
            "block": entry.block,
            "weights": None if np.array_equal(entry.weights, first) else entry.weights.tolist(),
            "reason": entry.reason,
        }
        for entry in log
    ]


def load_log(entries: Sequence[Mapping[str, Any]], first: Counts) -> list[Change]:
    """The mixture log of a state.

    Args:
        entries: as written by :func:`dump_log`.
        first: int64 [K], the weights that the recipe gives.

    Raises:
        CorpusError: an entry is not a mixture of K languages, or the blocks are out of order.
    """
    log: list[Change] = []
    for entry in entries:
        given = entry["weights"]
        weights = first if given is None else np.array(given, dtype=np.int64)
        block = int(entry["block"])
        ordered = block == 0 if not log else block > log[-1].block
        if weights.shape != first.shape or int(weights.sum()) != UNIT or weights.min() < 0 or not ordered:
            raise damaged(f"its mixture of block {block} is not one of {len(first)} languages")
        log.append(Change(block, weights, str(entry["reason"])))
    if not log:
        raise damaged("it has no mixture")
    return log


def check(state: Mapping[str, Any], corpus: str, snapshot: int, expected: Mapping[str, Any]) -> None:
    """Confirm that a state belongs to this corpus and these settings.

    Args:
        state: to be loaded.
        corpus: fingerprint of the token files.
        snapshot: number of the open snapshot.
        expected: :func:`settings` of the stream.

    Raises:
        CorpusError: it does not; the message names the first difference and the way out.
    """
    if state.get("version") != VERSION:
        raise CorpusError(
            f"the sampler's state has version {state.get('version')}, this evenglot reads {VERSION}",
            "Resume with the version that wrote it, or start a new run",
        )
    found = state.get("settings", {})
    for name, value in expected.items():
        if found.get(name) != value:
            raise CorpusError(
                f"the run was sampled with {name} {found.get(name)}, now it is {value}",
                f"Set it back to resume exactly, or start a new run with the new {name}",
            )
    if state.get("corpus") != corpus:
        then = state.get("snapshot")
        way = (
            f"Open snapshot {then} of the corpus to resume, or start a new run"
            if then != snapshot
            else "Restore the token shards from where they were, or start a new run"
        )
        raise CorpusError(
            f"the run was sampled from other token shards (snapshot {then}; snapshot {snapshot} is open)", way
        )


def damaged(detail: str) -> CorpusError:
    """The error for a state that cannot be right."""
    return CorpusError(f"the sampler's state is damaged: {detail}", "Resume from an earlier checkpoint")
