"""States: small, exact, and never a traceback."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import ConfigurationError, CorpusError, EvenglotError
from sampler import CurriculumStream, SamplerConfig
from sampler.state import LARGEST, VERSION, checksum

TRAIN = {"aaa_Latn": [7, 11, 13] * 40, "bbb_Cyrl": [5, 9] * 10, "ccc_Arab": [3, 4, 30]}
STAGES = [
    {"name": "one", "tokens": 6 * 128, "mixture": "proportional"},
    {"name": "two", "tokens": 6 * 128, "transition": 256, "transition_steps": 2},
    {"name": "three", "mixture": "temperature"},
]
SECTION = {"row_tokens": 16, "block_rows": 8, "mixture": "uniform", "budget_tokens": 40 * 128}


@pytest.fixture(scope="module")
def root(made_up: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(made_up.corpus(tmp_path_factory.mktemp("corpus"), TRAIN))


def open_stream(root: str, section: dict[str, Any] | None = None, **more: Any) -> CurriculumStream:
    config = SamplerConfig.model_validate({**(SECTION if section is None else section), **more})
    return CurriculumStream(root, tokenizer="spm", config=config, seed=3)


def through_json(value: dict[str, Any]) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(json.dumps(value))
    return loaded


def signed(state: dict[str, Any]) -> dict[str, Any]:
    return {**state, "check": checksum(state)}


def with_changes(root: str, count: int, **more: Any) -> CurriculumStream:
    """A change at every second block."""
    stream = open_stream(root, **more)
    for number in range(count):
        shares = {"aaa_Latn": 1.0 + number % 5, "bbb_Cyrl": 2.0, "ccc_Arab": 1.0 + number % 3}
        stream.set_mixture(shares, f"change {number}", block=2 * number + 1)
    return stream


def test_changes_that_do_not_fit_are_folded_and_the_rows_go_on(root: str) -> None:
    whole = with_changes(root, 400)
    at = 2 * 400 * 8 + 3
    state = through_json(whole.state(at))
    assert len(json.dumps(state)) <= LARGEST
    assert 0 < state["folded"] < 400
    assert state["folded"] + len(state["changes"]) == 400
    stream = open_stream(root)
    stream.load_state(state)
    first = 8 * (2 * state["folded"] + 1)
    wanted = [first, first + 77, at, at + 50]
    assert np.array_equal(stream.rows(wanted).tokens, whole.rows(wanted).tokens)
    with pytest.raises(ConfigurationError, match=rf"rows before {first} cannot be read.*holds the {state['folded']} "):
        stream.rows([first - 1])
    assert len(whole._course._quotas.outlooks) <= 256
    # A second time, from what was resumed, and with the full log the first row as well.
    again = open_stream(root)
    again.load_state(through_json(stream.state()), log=through_json(whole.log()))
    assert np.array_equal(again.rows([0, 500, at + 60]).tokens, whole.rows([0, 500, at + 60]).tokens)
    assert again.realised() == whole.realised()


def test_a_log_of_another_run_is_refused(root: str) -> None:
    state = with_changes(root, 9).state(100)
    with pytest.raises(ConfigurationError, match="the log of changes is not the one of the state"):
        open_stream(root).load_state(state, log=with_changes(root, 8).log())
    other = with_changes(root, 8)
    other.set_mixture({"aaa_Latn": 1.0}, "another", block=17)
    with pytest.raises(ConfigurationError, match="the log of changes is not the one of the state"):
        open_stream(root).load_state(state, log=other.log())
    with pytest.raises(CorpusError, match="the log of changes cannot be read"):
        open_stream(root).load_state(state, log={"changes": 3})


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_changes_at_any_block_are_replayed(root: str, data: st.DataObject) -> None:
    """Changes come at random blocks, in stages and transitions; states are taken and loaded in between."""
    stream = open_stream(root, stages=STAGES)
    blocks = sorted(data.draw(st.sets(st.integers(0, 24), max_size=6)))
    rows = []
    position = 0
    for block in [*blocks, 27]:
        rows.append(stream.rows(range(position, max(position, block * 8) + 3)).tokens)
        position = max(position, block * 8) + 3
        if data.draw(st.booleans()):
            state = through_json(stream.state())
            stream = open_stream(root, stages=STAGES)
            stream.load_state(state)
        shares = data.draw(st.lists(st.integers(0, 9), min_size=3, max_size=3).filter(any))
        stream.set_mixture(dict(zip(stream.languages, map(float, shares), strict=True)), "drawn")
    found = np.concatenate(rows)
    assert np.array_equal(stream.rows(range(len(found))).tokens, found)


def test_a_longer_budget_goes_on_with_what_is_left_of_the_caps(root: str) -> None:
    before = open_stream(root, mixture="unimax", epochs=4)
    expected = before.rows(range(104))
    state = through_json(before.state(100))
    longer = open_stream(root, mixture="unimax", epochs=4, budget_tokens=80 * 128)
    longer.load_state(state)
    # The block that was begun is as it was dealt out; from the next one on the shares are for the new budget.
    assert np.array_equal(longer.rows(range(100, 104)).tokens, expected.tokens[100:])
    assert longer.mixture(12) == longer.mixture(13)
    served = longer._course.served(13) * 16
    left = {"aaa_Latn": 4 * 1360 - served[0], "bbb_Cyrl": 4 * 160 - served[1], "ccc_Arab": 4 * 40 - served[2]}
    total = sum(left.values())
    assert total < 80 * 128 - 104 * 16  # all are capped: the shares are proportional to what the caps leave
    assert longer.mixture(13) == pytest.approx({lang: room / total for lang, room in left.items()}, abs=1e-6)
    with pytest.raises(ConfigurationError, match="rows before 104 cannot be read"):
        longer.rows([0])
    # And on from there, in the begun block and behind it.
    for at in (101, 104, 131):
        again = open_stream(root, mixture="unimax", epochs=4, budget_tokens=80 * 128)
        again.load_state(through_json(longer.state(at)))
        assert np.array_equal(again.rows(range(at, 160)).tokens, longer.rows(range(at, 160)).tokens)


def test_a_budget_that_changes_no_share_changes_nothing(root: str) -> None:
    before = open_stream(root)
    state = before.state(100)
    longer = open_stream(root, budget_tokens=10**9, cache={"bytes": 1 << 21})
    longer.load_state(state)
    assert np.array_equal(longer.rows(range(150)).tokens, before.rows(range(150)).tokens)


def test_stages_that_have_not_begun_can_be_changed(root: str) -> None:
    state = through_json(open_stream(root, stages=STAGES[:2]).state(36))
    later = [STAGES[0], {"name": "other", "mixture": {"ccc_Arab": 1.0}}]
    stream = open_stream(root, stages=later)
    stream.load_state(state)
    expected = open_stream(root, stages=STAGES[:2]).rows(range(40))
    assert np.array_equal(stream.rows(range(36, 40)).tokens, expected.tokens[36:])
    assert set(stream.rows(range(48, 64)).languages.tolist()) == {2}


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"mixture": "proportional"}, "mixture uniform, now it is proportional"),
        ({"floor": 0.1, "block_rows": 4}, r"block_rows 8, now it is 4; floor None, now it is 0.1. Set it back"),
        ({"languages": ["aaa_Latn"]}, r'languages \["aaa_Latn", .*\], now it is \["aaa_Latn"\]'),
        ({"documents": {"max_times": 4}}, "documents.max_times None, now it is 4"),
        ({"stages": STAGES}, "mixture uniform, now it is proportional"),
        (
            {"stages": [{"name": "a", "tokens": 128}, {"name": "b"}]},
            "stage 'b' not begun at row 36, now it begins at row 8",
        ),
    ],
)
def test_every_other_difference_is_named(root: str, section: dict[str, Any], message: str) -> None:
    state = open_stream(root).state(36)
    with pytest.raises(CorpusError, match=message):
        open_stream(root, **section).load_state(state)


def test_begun_stages_are_named_where_they_differ(root: str) -> None:
    state = open_stream(root, stages=STAGES).state(60)
    longer = [{**STAGES[0], "tokens": 7 * 128}, STAGES[1], STAGES[2]]
    with pytest.raises(CorpusError, match="stage 'two': first row 48, now it is 56"):
        open_stream(root, stages=longer).load_state(state)
    with pytest.raises(CorpusError, match="stage 'two', now there is none"):
        open_stream(root, stages=[{"name": "one", "mixture": "proportional"}]).load_state(state)


def test_another_version_names_the_way_out(root: str) -> None:
    for version in (VERSION - 1, VERSION + 1, None, str(VERSION)):
        with pytest.raises(CorpusError, match=rf"version {version}, this evenglot reads {VERSION}. Resume with the"):
            open_stream(root).load_state({"version": version, "row": 3})


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["AA==", "AbYw", "EAVhBWEF"]),
    st.lists(st.integers(0, 9), max_size=4),
    st.dictionaries(st.text(max_size=5), st.integers(0, 9), max_size=3),
)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_damaged_state_never_gives_a_traceback(damaged_states: Any, data: st.DataObject) -> None:
    """Fields anywhere in the state are replaced or left out, with and without another checksum."""
    stream, states = damaged_states
    state = through_json(data.draw(st.sampled_from(states)))
    for _ in range(data.draw(st.integers(1, 2))):
        place: Any = state
        while True:
            key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
            if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
                break
            place = place[key]
        if data.draw(st.booleans()):
            place[key] = data.draw(JUNK)
        else:
            del place[key]
            if not state:
                break
    try:
        stream.load_state(signed(state) if data.draw(st.booleans()) else state)
        stream.rows([stream.position, stream.position + 9])
    except EvenglotError:
        pass


@pytest.fixture(scope="module")
def damaged_states(root: str) -> Any:
    stream = open_stream(root, stages=STAGES)
    states = [stream.state(row) for row in (0, 50, 51)]
    for number in range(260):
        shares = {"aaa_Latn": 1.0 + number % 5, "bbb_Cyrl": 2.0, "ccc_Arab": 1.0 + number % 3}
        stream.set_mixture(shares, f"change {number}", block=2 * number + 1)
        if number in (5, 259):
            states.append(stream.state(16 * number + 13))
    return open_stream(root, stages=STAGES), states


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=80))
def test_random_bytes_are_no_state(root_stream: CurriculumStream, noise: bytes) -> None:
    text = noise.decode("latin-1")
    try:
        value = json.loads(text)
    except ValueError:
        value = {"version": VERSION, "row": text}
    with pytest.raises(CorpusError):
        root_stream.load_state(value)


@pytest.fixture(scope="module")
def root_stream(root: str) -> CurriculumStream:
    return open_stream(root)


def thousand(made_up: Any, folder: Path) -> str:
    names = [f"{chr(97 + n // 100)}{chr(97 + n // 10 % 10)}{chr(97 + n % 10)}_Latn" for n in range(1000)]
    return str(made_up.corpus(folder, {lang: [20, 30 + n % 70] for n, lang in enumerate(names)}))


def jump(stream: CurriculumStream, row: int) -> None:
    """As if the rows before had been read: nobody a row off what was asked for."""
    rows = stream.config.block_rows
    asked = stream._course.asked(row // rows * rows)
    served = np.floor(asked).astype(np.int64)
    served[np.argsort(served - asked, kind="stable")[: row // rows * rows - int(served.sum())]] += 1
    stream._course._quotas.remember(row // rows, served)


def test_a_thousand_languages_after_100_million_rows(made_up: Any, tmp_path: Path) -> None:
    root = thousand(made_up, tmp_path)
    far = 100_000_000
    stages = [
        {"name": "broad", "tokens": 64 * 30_000_128, "mixture": "proportional"},
        {"name": "even", "tokens": 64 * 40_000_000, "transition": 64 * 1_000_000},
        {"name": "last", "mixture": "temperature"},
    ]
    section = {"row_tokens": 64, "mixture": "uniform", "budget_tokens": 64 * 2 * far}
    draw = np.random.default_rng(0)
    cases: list[tuple[dict[str, Any], int]] = [(section, 0), ({**section, "stages": stages}, 0), (section, 200)]
    for case, changes in cases:
        stream = open_stream(root, case)
        for part in stream._course.schedule.parts[1:]:
            jump(stream, part.first * 256)
            stream._course.mark(stream._course.schedule.parts.index(part))
        jump(stream, far - 256 * changes)
        for number in range(changes):
            shares = dict(zip(stream.languages, draw.lognormal(0, 0.5, 1000).tolist(), strict=True))
            stream.set_mixture(shares, "feedback", block=far // 256 - changes + number)
        text = json.dumps(stream.state(far + 100))
        assert len(text) < 16_000
        expected = stream.rows(range(far + 100, far + 400)).tokens
        taken = []
        for _ in range(3):
            resumed = open_stream(root, case)
            begin = time.process_time()
            resumed.load_state(json.loads(text))
            taken.append(time.process_time() - begin)
        assert min(taken) < 0.1
        assert np.array_equal(resumed.rows(range(far + 100, far + 400)).tokens, expected)
