"""The sampler's state as JSON: where the rows stand, and what must be the same to go on from there.

A state holds the next global row, the rows that each language had before that row's block and at the beginning of each
stage, the newest changes of the mixture, and fingerprints. Arrays are packed (:mod:`sampler.codec`). The shares of
the schedule follow from recipe and corpus. When all changes do not fit into ``LARGEST`` bytes the oldest are folded
into numbers: the rows given and owed at the first change that is left.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from pydantic import Field, ValidationError

from corpus.config import Config
from corpus.errors import CorpusError
from corpus.hashing import fingerprint
from sampler.codec import pack, pack_signed, unpack, unpack_signed
from sampler.config import SamplerConfig
from sampler.course import LAG_QUANTUM, Anchor, Change
from sampler.quota import UNIT, Counts
from sampler.schedule import Part

VERSION = 4
LARGEST = 15_500
"""Bytes of JSON that a state is kept to, if need be by folding changes of the mixture."""

HARMLESS = frozenset({"cache", "budget_tokens", "stages"})
"""Settings that a resume may change: they concern speed, or rows that are still to come."""
_OF_STAGES = frozenset({"mixture", "alpha", "epochs", "max_repeats", "floor", "languages", "documents"})

Scalar = str | int | float | bool | None
Whole = Annotated[int, Field(ge=0, lt=1 << 48)]


class ChangeEntry(Config):
    """A change of the mixture."""

    block: Whole
    weights: str
    """In 2**-32, without the zeros that each number ends with in binary, packed."""
    zeros: str
    """How many these are, packed."""
    reason: str


class AnchorEntry(Config):
    """Where the rows stood at a block."""

    served: str
    """Rows given before it, packed; in ``last``, rows given from there to the row's block."""
    lag: str
    """Rows owed and not given, in 2**-12, packed with signs."""


class StageEntry(Config):
    """A stage that has begun."""

    name: str
    first: Whole
    """Its first block."""
    snapshot: Whole
    corpus: str
    """Fingerprint of its token shards."""
    settings: dict[str, Scalar]
    served: str | None = None
    """Rows given before it, packed; none at the beginning of the run."""


class State(Config):
    """A whole state; arrays have one number for each language of the stages that have begun."""

    version: int
    row: Whole
    snapshot: Whole
    """Of the first stage."""
    languages: Annotated[int, Field(ge=1, lt=1 << 20)]
    settings: dict[str, Scalar]
    schedule: str
    """Fingerprint of the shares of the whole schedule."""
    stages: Annotated[list[StageEntry], Field(min_length=1)]
    served: str
    """Rows given before the row's block, packed."""
    given: str | None
    """Rows in the row's block, packed; none where the row is its first."""
    lag: str | None
    """Rows owed and not given at the next boundary of blocks, in 2**-12, packed with signs; none where it follows from
    the last change."""
    changes: list[ChangeEntry]
    folded: Whole
    """Number of changes before these that are no longer held."""
    start: AnchorEntry | None
    """At the first change, where earlier ones were folded; none where it is the one of ``last``."""
    last: AnchorEntry | None
    """At the newest change at or before the row's block."""
    decided: Whole | None
    """Blocks from this one on wait for a decision of the feedback."""
    check: str
    """Fingerprint of everything else."""


class LogFile(Config):
    """Every change of the mixture that is known, for a file of its own."""

    languages: Annotated[int, Field(ge=1, lt=1 << 20)]
    changes: list[ChangeEntry]
    folded: Whole
    """Number of changes before these that are not known."""
    start: AnchorEntry | None
    """At the first change, where earlier ones are not known."""


def read(state: Mapping[str, Any]) -> State:
    """A state's fields.

    Raises:
        CorpusError: it is of another version, or damaged.
    """
    version = state.get("version") if isinstance(state, Mapping) else None
    if version != VERSION or isinstance(version, bool):
        raise CorpusError(
            f"the sampler's state has version {version}, this evenglot reads {VERSION}",
            "Resume with the version that wrote it, or start a new run from the model's weights",
        )
    try:
        found = State.model_validate(dict(state), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        raise damaged(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from error
    if found.check != checksum(state):
        raise damaged("its fields are not those that were written together")
    return found


def read_log(log: Mapping[str, Any]) -> LogFile:
    """A full log's fields.

    Raises:
        CorpusError: it is damaged.
    """
    try:
        return LogFile.model_validate(dict(log), strict=True)
    except (ValidationError, TypeError, ValueError) as error:
        raise damaged("the log of changes cannot be read") from error


def checksum(state: Mapping[str, Any]) -> str:
    """The fingerprint of a state's other fields."""
    return fingerprint({name: value for name, value in state.items() if name != "check"})


def settings(config: SamplerConfig, tokenizer: str, seed: int) -> dict[str, Scalar]:
    """What the order of rows depends on in every stage, beside the corpus."""
    values = {"tokenizer": tokenizer, "seed": seed, **config.model_dump(mode="json")}
    return _flat({name: value for name, value in values.items() if name not in HARMLESS | _OF_STAGES})


def stage_settings(part: Part) -> dict[str, Scalar]:
    """What the rows of a stage depend on beside that; only settings that have an effect."""
    rule = part.rule
    values: dict[str, Any] = {"mixture": rule.mixture, "languages": sorted(part.sizes)}
    if rule.mixture == "temperature":
        values["alpha"] = rule.alpha
    if rule.mixture == "unimax":
        values["epochs"] = rule.epochs
    values |= {"max_repeats": rule.max_repeats, "floor": rule.floor or None}
    values |= {"transition_blocks": part.turn or None, "transition_steps": part.steps or None}
    if not part.documents.is_default:
        values["documents"] = part.documents.model_dump(mode="json", exclude_defaults=True)
    return _flat(values)


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Scalar]:
    """Nested settings as dotted names; None is left out, and what is long becomes its fingerprint."""
    found: dict[str, Scalar] = {}
    for name, value in values.items():
        if isinstance(value, Mapping) and len(value) <= 16 and prefix == "":
            found |= _flat(value, f"{name}.")
        elif value is None:
            continue
        elif isinstance(value, str | int | float):
            found[prefix + name] = value
        else:
            text = json.dumps(value, ensure_ascii=False)
            found[prefix + name] = text if len(text) <= 60 else f"{len(value)} values {fingerprint(value)[:12]}"
    return found


def compare(then: Mapping[str, Scalar], now: Mapping[str, Scalar], where: str = "") -> list[str]:
    """What differs between the settings of a state and today's, in words."""
    return [
        f"{where}{name} {then.get(name)}, now it is {now.get(name)}"
        for name in sorted({*then, *now})
        if then.get(name) != now.get(name)
    ]


def other_settings(differences: Sequence[str]) -> CorpusError:
    """The error for a recipe that is not the state's."""
    return CorpusError(
        f"the run was sampled with {'; '.join(differences)}",
        "Set it back to resume exactly, or start a new run; what is to change on the way belongs into a stage that has "
        "not begun, or into `set_mixture`",
    )


def other_corpus(entry: StageEntry, snapshot: int, row: int) -> CorpusError:
    """The error for a corpus that is not the one a stage was sampled from."""
    if entry.snapshot != snapshot:
        way = (
            f"Open snapshot {entry.snapshot} of the corpus to resume, start a new run, or join snapshot {snapshot} "
            f"with a stage of its own that begins at row {row} or later (`snapshot: {snapshot}` in sampler.stages)"
        )
    else:
        way = "Restore the token shards from where they were, or start a new run"
    return CorpusError(
        f"the run was sampled from other token shards (snapshot {entry.snapshot} in stage '{entry.name}'; "
        f"snapshot {snapshot} is open)",
        way,
    )


def damaged(detail: str) -> CorpusError:
    """The error for a state that cannot be right."""
    return CorpusError(f"the sampler's state is damaged: {detail}", "Resume from an earlier checkpoint")


def size(state: Mapping[str, Any]) -> int:
    """Bytes of a state's JSON."""
    return len(json.dumps(state))


def dump_change(change: Change, languages: int) -> dict[str, Any]:
    """An entry of the log."""
    weights = change.weights[:languages]
    zeros = np.frexp((weights & -weights).astype(np.float64))[1].astype(np.int64) - 1
    zeros = np.maximum(zeros, 0)  # of a share of 0 there are none
    return {
        "block": change.block,
        "weights": pack(weights >> zeros),
        "zeros": pack(zeros),
        "reason": change.reason,
    }


def load_changes(entries: Sequence[ChangeEntry], languages: int, all_languages: int) -> list[Change]:
    """The log of a state, or a full log.

    Args:
        entries: its entries.
        languages: numbers in each.
        all_languages: K, to be filled up to.

    Raises:
        CorpusError: an entry is not a mixture of these languages, or the blocks are out of order.
    """
    log: list[Change] = []
    for entry in entries:
        odd = load_array(entry.weights, languages, all_languages, "weights")
        zeros = load_array(entry.zeros, languages, all_languages, "zeros")
        if int(odd.max()) > UNIT or int(zeros.max()) > 32:
            raise damaged(f"its mixture of block {entry.block} is none")
        weights = np.minimum(odd << zeros, 2 * UNIT)
        if weights.min() < 0 or int(weights.sum()) != UNIT or (log and entry.block <= log[-1].block):
            raise damaged(f"its mixture of block {entry.block} is not one of {languages} languages")
        log.append(Change(entry.block, weights, entry.reason))
    return log


def dump_lag(lag: Counts, languages: int) -> str:
    """Rows owed, multiples of ``LAG_QUANTUM``."""
    return pack_signed(lag[:languages] // LAG_QUANTUM)


def load_anchor(block: int, served: Counts, lag: str, languages: int) -> Anchor:
    """Where the rows stood at a block."""
    try:
        owed = unpack_signed(lag, languages)
    except ValueError as error:
        raise damaged(f"lag: {error}") from error
    if int(owed.sum()) or (len(owed) and int(np.abs(owed).max()) >= 1 << 30):
        raise damaged("lag: the rows owed do not sum to 0")
    return Anchor(block, served, np.concatenate([owed, np.zeros(len(served) - languages, np.int64)]) * LAG_QUANTUM)


def load_array(text: str, languages: int, all_languages: int, name: str) -> Counts:
    """A packed array, filled with zeros for the languages of stages that have not begun."""
    try:
        found = unpack(text, languages)
    except ValueError as error:
        raise damaged(f"{name}: {error}") from error
    return np.concatenate([found, np.zeros(all_languages - languages, dtype=np.int64)])


def dump_array(values: Counts, languages: int) -> str:
    """The first numbers of an array, packed."""
    return pack(values[:languages])
