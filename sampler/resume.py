"""Taking a state of a run and going on from one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from corpus.errors import ConfigurationError
from sampler import state as states
from sampler.config import SamplerConfig
from sampler.course import WEIGHT_QUANTUM, Anchor, BlockQuota, Change, Course, rounded
from sampler.feedback import memory
from sampler.quota import Counts, units
from sampler.sources import Sources
from sampler.state import AnchorEntry, StageEntry, State

_AHEAD = 1 << 20
"""Blocks that a change can lie ahead of the row of a state."""


class Run(NamedTuple):
    """What a state is taken of."""

    config: SamplerConfig
    tokenizer: str
    seed: int
    sources: Sources
    course: Course


def save(run: Run, row: int, decided: int | None) -> dict[str, Any]:
    """The state at a row, as JSON values; ``decided`` is the block from which on feedback is waited for."""
    course, rows = run.course, run.config.block_rows
    block, inside = divmod(row, rows)
    quota = course.quota(block)
    newest = max([block, *(change.block for change in course.log)])
    stages = _stages(run, newest, block)
    languages = len(_union(run.sources, len(stages)))
    boundary = course.anchor(block + bool(inside))
    found: dict[str, Any] = {
        "version": states.VERSION,
        "row": row,
        "snapshot": run.sources.stages[0].corpus.snapshot.number,
        "languages": languages,
        "settings": states.settings(run.config, run.tokenizer, run.seed),
        "schedule": course.schedule.fingerprint,
        "stages": [stage.model_dump(mode="json") for stage in stages],
        "served": states.dump_array(quota.served, languages),
        "given": states.dump_array(quota.given, languages) if inside else None,
        "lag": None,
        "last": None,
        "decided": decided,
        "check": "0" * 32,
    }
    done = sum(change.block <= block for change in course.log)
    if done:
        at = course.anchor(course.log[done - 1].block)
        since = states.dump_array(quota.served - at.served, languages)
        found["last"] = {"served": since, "lag": states.dump_lag(at.lag, languages)}
    if not done or course.log[done - 1].block < course.schedule.stage_first(boundary.block):
        found["lag"] = states.dump_lag(boundary.lag, languages)
    # What a policy remembers is kept beside the state, and counts towards its size.
    beside = 100 if run.config.feedback.policy == "none" else 100 + memory.size(languages)
    found |= _log(run, languages, states.LARGEST - states.size(found) - beside, newest=done - 1)
    found["check"] = states.checksum(found)
    return found


def log(run: Run) -> dict[str, Any]:
    """All changes that are known, as JSON values."""
    languages = len(run.sources.languages)
    return {"languages": languages, **_log(run, languages)}


def pinned(run: Run, state: State) -> list[int]:
    """The snapshots to read in the stages that have begun: those of the state where the recipe says `current`."""
    found: list[int] = []
    for number, entry in enumerate(state.stages[: len(run.sources.stages)]):
        stage = run.config.stages[number] if run.config.stages else None
        if stage is not None and stage.snapshot == "current":
            found.append(entry.snapshot)
        elif stage is not None and number and stage.snapshot is None:
            found.append(found[-1])
        else:
            found.append(run.sources.stages[number].corpus.snapshot.number)
    return found


def restore(run: Run, state: State, whole_log: Mapping[str, Any] | None = None) -> None:
    """Go on where a state was taken.

    Where the shares that the recipe asks for from there on are not those of the state's recipe, they hold from the next
    block on, and rows before that block can no longer be read.

    Raises:
        CorpusError: it belongs to another corpus or other settings, or is damaged.
    """
    _same_run(run, state)
    course, rows = run.course, run.config.block_rows
    block, inside = divmod(state.row, rows)
    served = _served(run, state, state.served, block, "served")
    given = None if state.given is None else _served(run, state, state.given, 1, "given")
    if (given is None) != (inside == 0):
        raise states.damaged("given: the row's block is not told as its row needs it")
    marks = {
        number: _served(run, state, stage.served or "", stage.first, f"stages.{number}.served")
        for number, stage in enumerate(state.stages)
        if number and stage.first <= block
    }
    if any((mark > served).any() for mark in marks.values()):
        raise states.damaged("stages: more rows were given before a stage than in all")
    course.mark_stages(marks)
    partial = None
    if given is not None:
        stage = len([entry for entry in state.stages if entry.first <= block]) - 1
        partial = BlockQuota(stage, served, given, course.base(stage))
    if state.schedule == course.schedule.fingerprint:
        _go_on(run, state, block, served, partial, whole_log)
        course.mark_stages(marks)
        return
    boundary = _boundary(run, state, block + bool(inside), served, given)
    known = states.load_changes(state.changes, state.languages, len(served))
    in_force = [change for change in known if course.schedule.stage_first(boundary.block) <= change.block]
    tokens = course.sampled_before(boundary.block, boundary.served)
    if in_force and in_force[-1].block <= boundary.block:
        asked = dict(zip(course.schedule.languages, in_force[-1].weights.tolist(), strict=True))
        chosen = course.schedule.bounded(boundary.block, {lang: w for lang, w in asked.items() if w}, tokens)
    else:
        chosen = course.schedule.own(boundary.block, tokens)
    weights = units(chosen, course.schedule.languages, WEIGHT_QUANTUM)
    # The recipe of before is a change that is no longer known, like those made under it.
    course.begin(boundary, weights, "recipe changed", state.folded + len(state.changes) + 1, partial)
    course.mark_stages(marks)


def _boundary(run: Run, state: State, block: int, served: Counts, given: Counts | None) -> Anchor:
    """Where the rows stand at the boundary of blocks at or behind a state's row."""
    after = served if given is None else served + given
    if state.lag is not None:
        return states.load_anchor(block, after, state.lag, state.languages)
    log = states.load_changes(state.changes, state.languages, len(served))
    done = [change for change in log if change.block <= block]
    if not done or state.last is None:
        raise states.damaged("lag: it is missing")
    last = _last(run, state, block - (given is not None), served, done[-1])
    asked = done[-1].weights * np.int64((block - last.block) * run.config.block_rows)
    return Anchor(block, after, rounded(last.lag + asked - ((after - last.served) << 32)))


def _last(run: Run, state: State, block: int, served: Counts, change: Change) -> Anchor:
    """Where the rows stood at the newest change."""
    if state.last is None:
        raise states.damaged("last: it is missing")
    since = _served(run, state, state.last.served, block - change.block, "last.served")
    if (since > served).any():
        raise states.damaged("last.served: more rows were given since than in all")
    return states.load_anchor(change.block, served - since, state.last.lag, state.languages)


def _go_on(
    run: Run,
    state: State,
    block: int,
    served: Counts,
    partial: BlockQuota | None,
    whole_log: Mapping[str, Any] | None,
) -> None:
    log = states.load_changes(state.changes, state.languages, len(served))
    if any(change.block > block + _AHEAD for change in log):
        raise states.damaged("changes: one lies too far ahead")
    done = [change for change in log if change.block <= block]
    last = _last(run, state, block, served, done[-1]) if done else None
    start = None
    if state.start is not None:
        if not log:
            raise states.damaged("start: there is no change to start from")
        start = _start(run, state.languages, log[0].block, state.start)
    elif state.folded:
        if len(done) != 1:
            raise states.damaged("start: it is missing")
        start = last
    if not done and start is not None:
        # The recipe was changed within the row's block, whose rows were dealt out before.
        if partial is None or start.block != block + 1 or (start.served != served + partial.given).any():
            raise states.damaged("start: it lies behind the row")
        run.course.restore(start, log, state.folded, start, start.block, start.served, partial)
        return
    folded = state.folded
    if whole_log is not None:
        found = states.read_log(whole_log)
        total = folded + len(log) - found.folded
        entries = states.load_changes(found.changes, found.languages, max(len(served), found.languages))[:total]
        tail = entries[len(entries) - len(log) :]
        if (
            total < len(log)
            or len(entries) < total
            or any(
                there.block != here.block or not np.array_equal(there.weights[: len(served)], here.weights)
                for there, here in zip(tail, log, strict=True)
            )
        ):
            raise ConfigurationError(
                "the log of changes is not the one of the state",
                "Give the log that was written with or after the state",
            )
        folded = found.folded
        start = None if found.start is None else _start(run, found.languages, entries[0].block, found.start)
        log = [change._replace(weights=change.weights[: len(served)]) for change in entries]
    run.course.restore(start, log, folded, last, block, served)


def _start(run: Run, languages: int, block: int, entry: AnchorEntry) -> Anchor:
    count = len(run.sources.languages)
    served = states.load_array(entry.served, languages, count, "start.served")
    if int(served.sum()) != block * run.config.block_rows:
        raise states.damaged("start.served: rows and block do not agree")
    return states.load_anchor(block, served, entry.lag, languages)


def _served(run: Run, state: State, text: str, blocks: int, name: str) -> Counts:
    """Rows given in so many blocks."""
    found = states.load_array(text, state.languages, len(run.sources.languages), name)
    if int(found.sum()) != blocks * run.config.block_rows:
        raise states.damaged(f"{name}: rows and blocks do not agree")
    return found


def _log(run: Run, languages: int, room: int | None = None, newest: int = -1) -> dict[str, Any]:
    """The log of changes, or the newest ones that fit into so many bytes.

    Args:
        run: whose log.
        languages: numbers in each array.
        room: bytes; None for all changes that are known.
        newest: number of the newest change at or before the row of a state; where the rows stood there is told
            beside the log. It and those behind it are kept in any case.
    """
    course = run.course
    entries: list[dict[str, Any]] = []
    used, first = 0, len(course.log)
    start: dict[str, Any] | None = None
    for number in reversed(range(len(course.log))):
        entries.append(states.dump_change(course.log[number], languages))
        used += states.size(entries[-1]) + 2
        needed = room is None or number >= newest
        if not needed and room is not None and used > room:
            break
        if 0 < number < course.known():
            continue  # where the rows stood there is not known without going through the blocks before
        begin = None
        at = course.start() if number == 0 else course.anchor(course.log[number].block)
        if at is not None and (room is None or number != newest):
            begin = {"served": states.dump_array(at.served, languages), "lag": states.dump_lag(at.lag, languages)}
        if needed or room is None or used + states.size(begin or {}) <= room:
            first, start = number, begin
    kept = entries[: len(course.log) - first]
    return {"changes": kept[::-1], "folded": course.folded + first, "start": start}


def _stages(run: Run, newest: int, block: int) -> list[StageEntry]:
    """The stages that have begun before or at a block; rows are told of those begun at the other."""
    found = []
    languages = len(_union(run.sources, run.course.schedule.stage(newest) + 1))
    for number in range(run.course.schedule.stage(newest) + 1):
        part, source = run.course.schedule.parts[number], run.sources.stages[number]
        rows = states.dump_array(run.course.mark(number), languages) if number and part.first <= block else None
        found.append(
            StageEntry(
                name=part.name,
                first=part.first,
                snapshot=source.corpus.snapshot.number,
                corpus=source.corpus.fingerprint(source.languages),
                settings=states.stage_settings(part),
                served=rows,
            )
        )
    return found


def _union(sources: Sources, stages: int) -> Sequence[str]:
    """The languages of the first stages."""
    return tuple(dict.fromkeys(lang for source in sources.stages[:stages] for lang in source.languages))


def _same_run(run: Run, state: State) -> None:
    """Confirm that corpus and settings are those of the state, as far as the run has come.

    Raises:
        CorpusError: they are not.
    """
    differences = states.compare(state.settings, states.settings(run.config, run.tokenizer, run.seed))
    parts, rows = run.course.schedule.parts, run.config.block_rows
    for number, entry in enumerate(state.stages):
        where = f"stage '{entry.name}': " if len(state.stages) > 1 or run.config.stages else ""
        if number >= len(parts):
            differences.append(f"stage '{entry.name}', now there is none")
            continue
        if parts[number].first != entry.first:
            differences.append(f"{where}first row {entry.first * rows}, now it is {parts[number].first * rows}")
        other = states.compare(entry.settings, states.stage_settings(parts[number]), where)
        source = run.sources.stages[number]
        if entry.snapshot != source.corpus.snapshot.number:
            # What languages a stage has may follow from its snapshot: that is said below.
            other = [difference for difference in other if not difference.startswith(f"{where}languages ")]
        differences += other
    boundary = -(-state.row // rows)
    early = [part for part in parts[len(state.stages) :] if part.first < boundary]
    if early and not differences:
        differences.append(
            f"stage '{early[0].name}' not begun at row {state.row}, now it begins at row {early[0].first * rows}"
        )
    if differences:
        raise states.other_settings(differences)
    for number, entry in enumerate(state.stages):
        source = run.sources.stages[number]
        if entry.corpus != source.corpus.fingerprint(source.languages):
            raise states.other_corpus(entry, source.corpus.snapshot.number, boundary * rows)
    if state.languages != len(_union(run.sources, len(state.stages))):
        raise states.damaged(f"languages: {state.languages} are not those of its stages")
