"""Stages in the stream of rows, snapshots that are joined on the way, and what each stage got."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import ConfigurationError, CorpusError
from corpus.manifest import commit, read_snapshot
from corpus.storage import Storage
from sampler import CurriculumStream, SamplerConfig
from sampler.torch import RowDataset

A, B, C, D = "aaa_Latn", "bbb_Cyrl", "ccc_Arab", "ddd_Latn"
TRAIN = {A: [7, 11, 13] * 40, B: [5, 9] * 10, C: [3, 4, 30]}
BLOCK = 8 * 16
"""Tokens of a block."""


@pytest.fixture(scope="module")
def root(made_up: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(made_up.corpus(tmp_path_factory.mktemp("corpus"), TRAIN))


def config(stages: list[dict[str, Any]], **section: Any) -> SamplerConfig:
    return SamplerConfig.model_validate({"row_tokens": 16, "block_rows": 8, "stages": stages, **section})


def open_stream(root: str, chosen: SamplerConfig, snapshot: int | None = None) -> CurriculumStream:
    return CurriculumStream(root, tokenizer="spm", config=chosen, seed=3, snapshot=snapshot)


def through_json(state: dict[str, Any]) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(json.dumps(state))
    return loaded


def grown(root: str, made_up: Any, folder: Path, train: dict[str, list[int]]) -> None:
    """Commit another snapshot with the documents of another corpus."""
    made_up.corpus(folder, train)
    storage = Storage(root)
    before, other = read_snapshot(storage), read_snapshot(str(folder))
    number = before.number + 1
    files = []
    for file in other.files:
        name = file.path.replace("/000001-", f"/{number:06d}-")
        (Path(root) / name).parent.mkdir(parents=True, exist_ok=True)
        (Path(root) / name).write_bytes((folder / file.path).read_bytes())
        files.append(file.model_copy(update={"path": name}))
    same = {file.lang: file for file in before.files}
    # What did not change keeps its file, as a run that adds documents leaves it.
    files = [same[f.lang] if f.lang in same and same[f.lang].hash == f.hash else f for f in files]
    commit(storage, other.model_copy(update={"number": number, "parent": before.number, "files": files}), {})


LATE = [
    {"name": "broad", "tokens": 5 * BLOCK - 7, "languages": [A, B], "mixture": "uniform"},
    {"name": "focused", "languages": [A, B, C], "mixture": {A: 0.25, C: 0.75}},
]


def test_a_language_enters_exactly_at_its_stage_and_others_leave(root: str) -> None:
    stream = open_stream(root, config(LATE))
    assert stream.languages == (A, B, C)
    languages = stream.rows(range(80)).languages
    assert np.bincount(languages[:40], minlength=3).tolist() == [20, 20, 0]
    assert np.bincount(languages[40:], minlength=3).tolist() == [10, 0, 30]
    assert stream.mixture(4) == {A: 0.5, B: 0.5, C: 0.0}
    assert stream.mixture(5) == {A: 0.25, B: 0.0, C: 0.75}


def test_stages_are_told_with_what_they_got(root: str) -> None:
    stream = open_stream(root, config(LATE))
    stream.rows(range(60))
    broad, focused = stream.stages()
    assert (broad.name, broad.first_row, broad.rows, broad.read, broad.snapshot) == ("broad", 0, 40, 40, 1)
    assert (focused.name, focused.first_row, focused.rows, focused.read) == ("focused", 40, None, 20)
    assert [broad.languages[lang].share for lang in (A, B, C)] == [0.5, 0.5, 0.0]
    assert [round(focused.languages[lang].asked, 6) for lang in (A, B, C)] == [0.25, 0.0, 0.75]
    tokens = {lang: got.tokens for lang, got in stream.realised().items()}
    assert tokens == {lang: broad.languages[lang].tokens + focused.languages[lang].tokens for lang in (A, B, C)}
    assert focused.languages[C].passes == focused.languages[C].tokens / (37 + 3)
    assert stream.realised()[A].asked == pytest.approx((20 + 20 * 0.25) / 60)


def test_another_view_begins_anew_and_a_view_that_comes_back_goes_on(root: str) -> None:
    view = {"max_times": 7}
    stages = [
        {"name": "plain", "tokens": 4 * BLOCK},
        {"name": "other", "tokens": 3 * BLOCK, "documents": view},
        {"name": "plain again"},
    ]
    stream = open_stream(root, config(stages, mixture={A: 1.0}))
    bases = [stream._course.quota(block).base.tolist() for block in (3, 4, 6, 7, 20)]
    assert bases == [[0, 0, 0], [32, 0, 0], [32, 0, 0], [24, 0, 0], [24, 0, 0]]
    # Without the stage between, the third stage's rows are the ones that follow the first stage's.
    plain = open_stream(root, config([], mixture={A: 1.0})).rows(range(56))
    again = stream.rows([*range(32), *range(56, 80)])
    assert sorted(map(bytes, plain.tokens)) == sorted(map(bytes, again.tokens))


@pytest.mark.parametrize("snapshot", [False, True])
def test_another_view_does_not_begin_with_what_the_stage_before_gave(
    made_up: Any, tmp_path: Path, snapshot: bool
) -> None:
    """A third of the text, then a third under another view or of a snapshot with more text: overlap by chance alone."""
    root = str(made_up.corpus(tmp_path / "corpus", {A: [7, 11, 13] * 40}))
    later: dict[str, Any] = {"documents": {"max_times": 7}}
    if snapshot:
        grown(root, made_up, tmp_path / "more", {A: [7, 11, 13] * 40 + [9]})
        later = {"snapshot": 2}
    stages = [{"name": "one", "tokens": 4 * BLOCK}, {"name": "two", **later}]
    stream = open_stream(root, config(stages, mixture={A: 1.0}), snapshot=1)
    first, second = (set(stream.rows(rows).tokens.ravel().tolist()) for rows in (range(32), range(32, 64)))
    assert 0.2 < len(first & second) / len(second) < 0.6
    assert stream.realised()[A].passes == pytest.approx(0.75, abs=0.005)


@settings(max_examples=25, deadline=None)
@given(at=st.integers(0, 130), stop=st.integers(1, 60), first=st.integers(1, 3), second=st.integers(1, 3))
def test_a_run_with_stages_and_changes_goes_on_exactly_anywhere(
    root: str, at: int, stop: int, first: int, second: int
) -> None:
    """From some ranks to others, twice, over stages with transitions and a change by hand in the second one."""
    stages = [
        {"name": "one", "tokens": 4 * BLOCK, "mixture": "proportional"},
        {"name": "two", "tokens": 6 * BLOCK, "languages": [A, C], "transition": 4 * BLOCK, "transition_steps": 3},
        {"name": "three", "mixture": "temperature", "transition": 2 * BLOCK, "documents": {"max_times": 7}},
    ]
    chosen = config(stages, max_repeats=40)
    whole = open_stream(root, chosen)
    whole.set_mixture({A: 0.9, C: 0.1}, "by hand", block=7)
    expected = whole.rows(range(at + 2 * stop)).tokens
    state = through_json(whole.state(at))
    for begin, world in ((at, first), (at + stop, second)):
        states = []
        for rank in range(world):
            stream = open_stream(root, chosen)
            stream.load_state(state)
            for step, row in enumerate(stream.iterate(None, begin + stop, rank, world)):
                assert np.array_equal(row.tokens, expected[begin + step * world + rank])
            stream.seek(begin + stop)
            states.append(through_json(stream.state()))
        assert all(other == states[0] for other in states)
        state = states[0]


@pytest.fixture
def joined(made_up: Any, tmp_path: Path) -> str:
    """A corpus whose second snapshot has more of one language and another one."""
    root = str(made_up.corpus(tmp_path / "corpus", TRAIN))
    grown(root, made_up, tmp_path / "other", {A: TRAIN[A], B: [5, 9] * 20, C: TRAIN[C], "abc_Latn": [8] * 9})
    return root


JOIN = [{"name": "old", "tokens": 4 * BLOCK}, {"name": "new", "snapshot": 2}]


def test_a_stage_joins_another_snapshot(joined: str) -> None:
    stream = open_stream(joined, config(JOIN, mixture="uniform"), snapshot=1)
    # The new language comes behind those that the model knows.
    assert stream.languages == (A, B, C, "abc_Latn")
    languages = stream.rows(range(96)).languages
    assert np.bincount(languages[:32], minlength=4).tolist() == [11, 11, 10, 0]
    assert np.bincount(languages[32:], minlength=4).tolist() == [16, 16, 16, 16]
    # Languages whose shards are the same go on, the one with more text begins anew.
    assert stream._course.quota(4).base.tolist() == [0, 11, 0, 0]
    assert [stage.snapshot for stage in stream.stages()] == [1, 2]
    assert stream.sizes[B] == 280 + 40
    last = [got.passes for got in stream.stages()[1].languages.values()]
    assert last == pytest.approx([256 / 1360, 256 / 320, 256 / 40, 256 / 81])


def test_a_run_goes_on_exactly_over_a_new_snapshot(joined: str) -> None:
    chosen = config(JOIN, mixture="uniform")
    whole = open_stream(joined, chosen, snapshot=1)
    expected = whole.rows(range(96))
    for at in (0, 20, 32, 45):
        stream = open_stream(joined, chosen, snapshot=1)
        stream.load_state(through_json(whole.state(at)))
        assert np.array_equal(stream.rows(range(at, 96)).tokens, expected.tokens[at:])


def test_the_current_snapshot_is_pinned_when_its_stage_begins(made_up: Any, tmp_path: Path) -> None:
    root = str(made_up.corpus(tmp_path / "corpus", TRAIN))
    stages = [{"name": "old", "tokens": 4 * BLOCK}, {"name": "new", "snapshot": "current"}]
    chosen = config(stages, mixture="uniform")
    before = open_stream(root, chosen, snapshot=1)
    early = through_json(before.state(20))
    grown(root, made_up, tmp_path / "other", {**TRAIN, D: [8] * 9})
    # Not begun when the state was taken: the stage reads what is current now.
    stream = open_stream(root, chosen, snapshot=1)
    stream.load_state(early)
    assert stream.languages == (A, B, C, D)
    assert set(stream.rows(range(20, 64)).languages[12:].tolist()) == {0, 1, 2, 3}
    late = through_json(stream.state(40))
    expected = stream.rows(range(40, 80)).tokens
    # Begun: it keeps to its snapshot, whatever comes.
    grown(root, made_up, tmp_path / "third", {**TRAIN, D: [8] * 20})
    again = open_stream(root, chosen, snapshot=1)
    again.load_state(late)
    assert [stage.snapshot for stage in again.stages()] == [1, 2]
    assert np.array_equal(again.rows(range(40, 80)).tokens, expected)


def test_another_process_reads_the_snapshots_that_this_one_has_opened(made_up: Any, tmp_path: Path) -> None:
    root = str(made_up.corpus(tmp_path / "corpus", TRAIN))
    chosen = config([{"name": "old", "tokens": 4 * BLOCK}, {"name": "new", "snapshot": "current"}], mixture="uniform")
    data = RowDataset(root, tokenizer="spm", config=chosen, seed=3)
    expected = data.stream.rows(range(64)).tokens
    travelling = pickle.dumps(data)
    grown(root, made_up, tmp_path / "other", {**TRAIN, D: [8] * 9})
    other = pickle.loads(travelling)
    assert other.stream.snapshots == (1, 1)
    assert np.array_equal(other.stream.rows(range(64)).tokens, expected)
    assert open_stream(root, chosen).snapshots == (2, 2)


def test_another_snapshot_in_the_middle_of_a_stage_is_refused_with_both_ways_out(joined: str) -> None:
    chosen = config([], mixture="uniform")
    state = through_json(open_stream(joined, chosen, snapshot=1).state(20))
    message = (
        r"snapshot 1 in stage 'run'; snapshot 2 is open\). Open snapshot 1 of the corpus to resume, .* or join "
        r"snapshot 2 with a stage of its own that begins at row 24 or later \(`snapshot: 2` in sampler.stages\)"
    )
    with pytest.raises(CorpusError, match=message):
        open_stream(joined, chosen).load_state(state)
    # The second way: the stages so far are told as they were, and the new one follows.
    way = config([{"name": "so far", "tokens": 24 * 16}, {"name": "more", "snapshot": 2}], mixture="uniform")
    stream = open_stream(joined, way, snapshot=1)
    stream.load_state(state)
    expected = open_stream(joined, chosen, snapshot=1).rows(range(24)).tokens
    assert np.array_equal(stream.rows(range(20, 24)).tokens, expected[20:])
    assert np.bincount(stream.rows(range(24, 56)).languages).tolist() == [8, 8, 8, 8]


def test_languages_of_stages_are_checked(root: str) -> None:
    with pytest.raises(ConfigurationError, match=r"sampler.stages.focused.languages names zzz_Latn.*\(snapshot 1\)"):
        open_stream(root, config([{"name": "focused", "languages": [A, "zzz_Latn"]}]))
    stream = open_stream(root, config(LATE))
    with pytest.raises(ConfigurationError, match="names ccc_Arab, which is not sampled in stage 'broad'"):
        stream.set_mixture({C: 1.0}, "too early", block=2)


def test_a_change_by_hand_keeps_floor_and_caps(root: str) -> None:
    stream = open_stream(root, config([], mixture={A: 1, B: 1}, max_repeats=1, budget_tokens=1480))
    # b has 160 tokens and gets no more than these in the 1,480 tokens of the run.
    stream.set_mixture({A: 0.5, B: 0.5}, "by hand")
    assert stream.mixture()[B] == pytest.approx(160 / 1480, abs=1e-6)
    stream = open_stream(root, config([], mixture="uniform", floor=0.2))
    stream.set_mixture({A: 0.9, B: 0.05, C: 0.05}, "by hand")
    assert stream.mixture() == pytest.approx({A: 0.6, B: 0.2, C: 0.2}, abs=1e-6)
