"""The stream of rows."""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import ConfigurationError, CorpusError
from sampler import Batch, CurriculumStream, SamplerConfig

TRAIN = {"aaa_Latn": [7, 11, 13] * 40, "bbb_Cyrl": [5, 9] * 10, "ccc_Arab": [3, 4, 30]}
CONFIG = SamplerConfig(row_tokens=16, block_rows=8, mixture={"aaa_Latn": 0.6, "bbb_Cyrl": 0.3, "ccc_Arab": 0.1})
ARRAYS = ("tokens", "segments", "positions", "languages", "token_languages", "piece_begins", "piece_ends")


@pytest.fixture(scope="module")
def root(made_up: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(made_up.corpus(tmp_path_factory.mktemp("corpus"), TRAIN, {"ddd_Latn": [9, 9]}))


def open_stream(root: str, config: SamplerConfig = CONFIG, seed: int = 3) -> CurriculumStream:
    return CurriculumStream(root, tokenizer="spm", config=config, seed=seed)


def same(left: Batch, right: Batch) -> bool:
    return all(np.array_equal(getattr(left, name), getattr(right, name)) for name in ARRAYS)


def through_json(state: dict[str, Any]) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(json.dumps(state))
    return loaded


def test_languages_are_those_with_training_text_and_sizes_count_each_beginning(root: str) -> None:
    stream = open_stream(root)
    assert stream.languages == ("aaa_Latn", "bbb_Cyrl", "ccc_Arab")
    assert stream.sizes == {"aaa_Latn": 1240 + 120, "bbb_Cyrl": 140 + 20, "ccc_Arab": 37 + 3}


def test_a_batch_has_the_shapes_and_types_of_the_contract(root: str) -> None:
    batch = open_stream(root).rows(range(5))
    assert batch.tokens.shape == batch.segments.shape == batch.positions.shape == (5, 16)
    assert batch.languages.shape == (5,)
    assert batch.tokens.dtype == np.int64
    assert batch.segments.dtype == batch.positions.dtype == batch.languages.dtype == np.int32
    # A position is 0 where and only where the segment changes.
    changes = np.diff(batch.segments, axis=1, prepend=-1) != 0
    assert np.array_equal(changes, batch.positions == 0)


def test_rows_of_a_language_join_to_its_passes(root: str, made_up: Any) -> None:
    stream = open_stream(root)
    batch = stream.rows(range(200))
    size = stream.sizes["ccc_Arab"]
    documents = [[2, *made_up.document(2, number, length)] for number, length in enumerate((3, 4, 30))]
    assert sum(map(len, documents)) == size
    mine = batch.tokens[batch.languages == 2]
    assert len(mine) == 20
    tokens = mine.reshape(-1).tolist()
    # Row after row, no document comes again before the pass is over: each pass is some order of the three.
    orders = [[token for document in order for token in document] for order in itertools.permutations(documents)]
    for start in range(0, len(tokens) - size + 1, size):
        assert tokens[start : start + size] in orders


@settings(max_examples=30, deadline=None)
@given(indices=st.lists(st.integers(0, 3000), min_size=1, max_size=30))
def test_a_row_depends_on_its_index_alone(root: str, indices: list[int]) -> None:
    together = open_stream(root).rows(indices)
    stream = open_stream(root)
    for place, index in enumerate(indices):
        row = stream.row(index)
        assert np.array_equal(row.tokens, together.tokens[place])
        assert np.array_equal(row.segments, together.segments[place])
        assert np.array_equal(row.positions, together.positions[place])
        assert row.language == together.languages[place]


@settings(max_examples=30, deadline=None)
@given(at=st.integers(0, 5000), count=st.integers(1, 40))
def test_resume_at_any_row_is_exact(root: str, at: int, count: int) -> None:
    whole = open_stream(root)
    state = through_json(whole.state(at))
    resumed = open_stream(root)
    resumed.load_state(state)
    assert resumed.position == at
    assert same(resumed.rows(range(at, at + count)), whole.rows(range(at, at + count)))
    # A second time, from what was resumed.
    again = open_stream(root)
    again.load_state(through_json(resumed.state()))
    assert again.position == at + count
    assert same(again.rows(range(at + count, at + count + 9)), whole.rows(range(at + count, at + count + 9)))


@settings(max_examples=20, deadline=None)
@given(first=st.integers(1, 5), second=st.integers(1, 5), steps=st.integers(0, 12))
def test_any_number_of_ranks_reads_the_same_rows(root: str, first: int, second: int, steps: int) -> None:
    """Some ranks read ``steps`` rounds, others go on from a state of any of them."""
    expected = open_stream(root).rows(range(100)).tokens
    found: dict[int, np.ndarray[Any, Any]] = {}
    states = []
    for rank in range(first):
        stream = open_stream(root)
        for step, row in enumerate(stream.iterate(0, steps * first, rank, first)):
            found[step * first + rank] = row.tokens
        states.append(stream.state())
    assert all(state == states[0] for state in states)
    for rank in range(second):
        stream = open_stream(root)
        stream.load_state(through_json(states[-1]))
        for step, row in enumerate(stream.iterate(None, 100, rank, second)):
            found[steps * first + step * second + rank] = row.tokens
    assert sorted(found) == list(range(100))
    assert all(np.array_equal(found[index], expected[index]) for index in found)


def test_changes_of_the_mixture_are_logged_and_replayed(root: str) -> None:
    stream = open_stream(root)
    before = stream.rows(range(20))
    assert stream.set_mixture({"bbb_Cyrl": 1.0}, "only the second") == 3
    stream.rows(range(20, 40))
    assert stream.set_mixture({"aaa_Latn": 1, "ccc_Arab": 1}, "by hand", block=7) == 7
    after = stream.rows(range(40, 90))
    state = through_json(stream.state(45))
    assert [(entry["block"], entry["reason"]) for entry in state["changes"]] == [
        (3, "only the second"),
        (7, "by hand"),
    ]
    resumed = open_stream(root)
    resumed.load_state(state)
    assert same(resumed.rows(range(40, 90)), after)
    assert same(resumed.rows(range(20)), before)
    assert stream.rows(range(24, 56)).languages.tolist().count(1) == 32
    assert set(stream.rows(range(56, 90)).languages.tolist()) == {0, 2}
    assert stream.mixture() == {"aaa_Latn": 0.5, "bbb_Cyrl": 0.0, "ccc_Arab": 0.5}


def test_a_change_at_the_very_start_survives_a_state(root: str) -> None:
    stream = open_stream(root)
    assert stream.set_mixture({"ccc_Arab": 2.0}, "from the start") == 0
    resumed = open_stream(root)
    resumed.load_state(through_json(stream.state()))
    assert resumed.rows(range(8)).languages.tolist() == [2] * 8


def test_a_block_that_was_read_cannot_be_changed(root: str) -> None:
    stream = open_stream(root)
    stream.rows([17])
    with pytest.raises(ConfigurationError, match="before block 3 were already read"):
        stream.set_mixture({"aaa_Latn": 1.0}, "late", block=2)
    stream.seek(16)
    assert stream.set_mixture({"aaa_Latn": 1.0}, "gone back") == 2


def test_realised_shares(root: str) -> None:
    stream = open_stream(root)
    assert stream.realised()["aaa_Latn"] == (0, pytest.approx(0.6), 0.0, 0.0)
    batch = stream.rows(range(83))
    counts = np.bincount(batch.languages, minlength=3)
    realised = stream.realised()
    for number, lang in enumerate(stream.languages):
        assert realised[lang].tokens == counts[number] * 16
        assert realised[lang].share == counts[number] / 83
        assert realised[lang].passes == counts[number] * 16 / stream.sizes[lang]
    assert [round(realised[lang].asked, 6) for lang in stream.languages] == [0.6, 0.3, 0.1]
    assert [int(count) for count in np.bincount(stream.rows(range(80)).languages)] == [48, 24, 8]


@pytest.mark.parametrize(
    ("config", "seed", "message"),
    [
        (CONFIG.model_copy(update={"row_tokens": 32}), 3, "row_tokens 16, now it is 32.*Set it back"),
        (CONFIG, 4, "seed 3, now it is 4"),
        (CONFIG.model_copy(update={"mixture": "uniform"}), 3, "mixture .* now it is uniform"),
    ],
)
def test_a_state_of_other_settings_is_refused(root: str, config: SamplerConfig, seed: int, message: str) -> None:
    state = open_stream(root).state(10)
    with pytest.raises(CorpusError, match=message):
        open_stream(root, config, seed).load_state(state)


def test_a_state_of_another_corpus_is_refused(root: str, made_up: Any, tmp_path: Path) -> None:
    other = made_up.corpus(tmp_path, {**TRAIN, "ccc_Arab": [3, 4, 30, 31]})
    with pytest.raises(CorpusError, match=r"other token shards .* start a new run"):
        open_stream(other).load_state(open_stream(root).state(10))


@pytest.mark.parametrize(
    "damage",
    [
        {"served": [1, 2, 3]},
        {"served": "?"},
        {"row": 100},
        {"stages": []},
        {"changes": [{"block": 0, "weights": "", "zeros": "", "reason": ""}]},
        {"schedule": "another"},
        {"version": 9},
    ],
)
def test_a_damaged_state_is_refused(root: str, damage: dict[str, Any]) -> None:
    with pytest.raises(CorpusError):
        open_stream(root).load_state({**open_stream(root).state(10), **damage})


def test_what_cannot_be_opened_says_how_to_mend_it(root: str, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="evenglot prepare"):
        open_stream(str(tmp_path / "nowhere"))
    with pytest.raises(CorpusError, match=r"no tokens of tokenizer 'other' \(it has spm\)"):
        CurriculumStream(root, tokenizer="other", config=CONFIG, seed=0)
    with pytest.raises(ConfigurationError, match="ddd_Latn, which has no training tokens"):
        open_stream(root, SamplerConfig(languages=("ddd_Latn",)))
    with pytest.raises(ConfigurationError, match="from 0"):
        open_stream(root).rows([-1])


def test_a_shard_that_is_not_what_the_snapshot_says_is_refused(made_up: Any, tmp_path: Path) -> None:
    root = made_up.corpus(tmp_path, {"aaa_Latn": [5, 6]})
    other = made_up.corpus(tmp_path / "other", {"aaa_Latn": [5, 7]})
    name = "tokens/spm/aaa_Latn/000001-train-00000.arrow"
    (Path(root) / name).write_bytes((Path(other) / name).read_bytes())
    stream = open_stream(root, SamplerConfig(row_tokens=4))
    with pytest.raises(CorpusError, match="holds 2 documents of 12 tokens, the manifest says 2 of 11"):
        stream.row(0)
    (Path(root) / name).write_bytes(b"nothing of the kind")
    with pytest.raises(CorpusError, match="cannot read shard"):
        open_stream(root, SamplerConfig(row_tokens=4)).row(0)


def test_an_object_store_gives_the_same_rows(made_up: Any, tmp_path: Path) -> None:
    lengths = {"aaa_Latn": [5, 6, 7, 8], "bbb_Latn": [9]}
    config = SamplerConfig(row_tokens=8, block_rows=4)
    local = open_stream(made_up.corpus(tmp_path, lengths, files=2), config)
    remote = open_stream(made_up.corpus("memory://sampler-stream", lengths, files=2), config)
    assert same(local.rows(range(20)), remote.rows(range(20)))


def test_a_thousand_languages_resume_quickly_from_a_small_state(made_up: Any, tmp_path: Path) -> None:
    lengths = {f"{chr(97 + n // 100)}{chr(97 + n // 10 % 10)}{chr(97 + n % 10)}_Latn": [20, 30] for n in range(1000)}
    root = made_up.corpus(tmp_path, lengths)
    config = SamplerConfig(row_tokens=64, mixture="uniform")
    stream = open_stream(root, config)
    text = json.dumps(stream.state(1_000_000))
    assert len(text) < 16_000
    taken = []
    for _ in range(3):
        resumed = open_stream(root, config)
        begin = time.process_time()
        resumed.load_state(json.loads(text))
        resumed.rows(range(1_000_000, 1_000_032))
        taken.append(time.process_time() - begin)
    assert min(taken) < 0.1
    stream.set_mixture({lang: float(n + 1) for n, lang in enumerate(stream.languages)}, "another", block=5000)
    assert len(json.dumps(stream.state(1_500_000))) < 16_000
