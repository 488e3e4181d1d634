"""Runs that go on with a corpus: what is new is added, what is there already is named, nothing old is touched."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpus.hashing import text_key
from corpus.manifest import Snapshot, read_snapshot
from corpus.shards import read_table
from evenglot.verify.corpus_files import verify_corpus
from pipeline.config import PrepareConfig
from pipeline.prepare import prepare
from pipeline.sources import InputConfig
from pipeline.split.heldout import cluster_hash
from pipeline.tokenizer import TokenizerConfig, tokenize_corpus
from sampler.config import SamplerConfig
from sampler.stream import CurriculumStream

RIVER = (
    "The river rose in the night and by the morning the lower meadow lay under water, so the farmer led his cows up "
    "the hill and waited there until the sun came out again and the road to the village was dry enough to walk on."
)
BAKERY = (
    "When the bakery opens at six, the first people through the door are the drivers of the early buses; they buy warm "
    "rolls, drink a coffee standing up, and talk about the weather and the works on the bridge near the station."
)
LETTERS = (
    "My grandmother kept every letter she was ever sent, tied in bundles with blue string, and on winter evenings she "
    "would read one or two of them aloud to whoever happened to be there, even to the cat if nobody else had come."
)
SCHOOL = (
    "The school on the hill has only twelve pupils this year, but it has a garden, a small telescope and a teacher who "
    "knows the name of every bird that comes to the window and can whistle the songs of more than half of them."
)
HARBOUR = (
    "Before the harbour was dredged the larger boats had to wait outside for the tide, and on quiet nights you could "
    "hear their crews singing across the water while the lamps along the pier went out one after the other."
)
MARKET = (
    "Am Samstag fahren wir mit dem ersten Zug in die Stadt, kaufen auf dem Markt Gemüse und Käse und sitzen danach "
    "noch eine Stunde in der Sonne vor der kleinen Kirche, bis der letzte Händler seinen Stand abgebaut hat."
)
CARPENTER = (
    "Der alte Schreiner am Ende der Straße arbeitet noch jeden Tag in seiner Werkstatt, obwohl seine Kinder längst "
    "meinen, er solle sich endlich ausruhen und das Haus verkaufen, in dem er seit vierzig Jahren wohnt."
)
NEARLY_RIVER = RIVER.replace("farmer", "old farmer").replace("waited", "stayed")
LONGER_SCHOOL = f"{SCHOOL} {HARBOUR} " + (
    "Nobody remembers who built the pier, though the parish book names a mason from the next valley, and his mark, a "
    "small fish, can still be found on two of the stones below the crane where the children sit and dangle their feet. "
    "In the summer after the war a circus wintered there, and an elephant is said to have carried the beams for the "
    "new roof of the boathouse, one by one, without dropping a single one of them into the water."
)

PRINTER = (
    "The last printer in the lane sets wedding cards by hand, letter by letter, and will not be hurried; when the ink "
    "is dry he ties them with a ribbon and delivers them on his bicycle, whatever the weather and however far it is."
)

DAY_ONE = {"r1": RIVER, "b1": BAKERY, "s1": SCHOOL, "m1": MARKET}
DAY_TWO = {"r2": RIVER, "r3": NEARLY_RIVER, "l1": LETTERS, "b1": HARBOUR, "c2": CARPENTER, "c1": CARPENTER}


def write(folder: Path, name: str, texts: dict[str, str]) -> InputConfig:
    path = folder / "news" / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_text("".join(json.dumps({"id": key, "text": text}) + "\n" for key, text in texts.items()))
    return InputConfig(path=str(path))


def config(**changes: Any) -> PrepareConfig:
    return PrepareConfig.model_validate({"append": True, "split": {"heldout_min_documents": 0}, **changes})


def run(
    folder: Path,
    corpus: str,
    days: Iterable[str],
    workers: int = 1,
    **changes: Any,
) -> Snapshot:
    known = {"one": DAY_ONE, "two": DAY_TWO}
    snapshot = None
    for day in days:
        snapshot = prepare([write(folder, day, known[day])], str(folder / corpus), config(**changes), workers=workers)
    assert snapshot is not None
    return snapshot


def kept(folder: Path, corpus: str = "corpus") -> dict[str, str]:
    """Key and split of every kept document."""
    root = folder / corpus
    rows = [row for file in read_snapshot(str(root)).select("text") for row in read_table(root / file.path).to_pylist()]
    return {row["key"]: row["split"] for row in rows}


def lost(folder: Path, number: int, corpus: str = "corpus") -> dict[str, tuple[str, str | None]]:
    """Reason of every record that one run rejected, and the key of the document it was put down to."""
    root = folder / corpus
    snapshot = read_snapshot(str(root))
    ids = {
        row["id"]: row["key"] for file in snapshot.select("text") for row in read_table(root / file.path).to_pylist()
    }
    found = {}
    for file in snapshot.select("rejected"):
        if Path(file.path).name.startswith(f"{number:06d}"):
            for row in read_table(root / file.path).to_pylist():
                found[row["key"]] = (row["reason"], ids.get(row["duplicate_of"]))
    return found


def tree(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.parent.name != "runs"
    }


@pytest.fixture(scope="module")
def two_days(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A corpus of two days, and what its first day left."""
    folder = tmp_path_factory.mktemp("append")
    run(folder, "corpus", ["one"])
    first = tree(folder / "corpus")
    run(folder, "corpus", ["two"])
    return folder, first


def test_the_second_day_adds_what_is_new_and_names_what_is_there(two_days: tuple[Path, dict[str, str]]) -> None:
    folder, _ = two_days
    assert set(kept(folder)) == {"r1", "b1", "s1", "m1", "l1", "c2"}
    assert lost(folder, 2) == {
        "r2": ("exact_duplicate", "r1"),
        "r3": ("near_duplicate", "r1"),
        "b1": ("repeated_id", "b1"),
        "c1": ("exact_duplicate", "c2"),
    }


def test_the_snapshot_counts_both_days_and_the_ledger_closes(two_days: tuple[Path, dict[str, str]]) -> None:
    folder, _ = two_days
    snapshot = read_snapshot(str(folder / "corpus"))
    assert (snapshot.number, snapshot.parent, snapshot.goes_on_with) == (2, 1, 1)
    snapshot.ledger.check()
    assert (snapshot.ledger.read, snapshot.ledger.kept) == (10, {"deu_Latn": 2, "eng_Latn": 4})
    assert snapshot.added is not None
    assert (snapshot.added.read, snapshot.added.kept) == (6, {"deu_Latn": 1, "eng_Latn": 1})
    assert snapshot.ledger.by_reason() == {
        "deduplicate/exact_duplicate": 2,
        "deduplicate/near_duplicate": 1,
        "deduplicate/repeated_id": 1,
    }
    english, german = snapshot.languages["eng_Latn"], snapshot.languages["deu_Latn"]
    assert (english.documents, english.bytes, english.copies, english.rejected) == (
        4,
        sum(len(text.encode()) for text in (RIVER, BAKERY, SCHOOL, LETTERS)),
        6,  # the river was met three times
        3,
    )
    assert (german.documents, german.copies, german.rejected) == (2, 3, 1)
    total = english.bytes + german.bytes
    assert snapshot.mixtures["proportional"] == {
        "deu_Latn": pytest.approx(german.bytes / total),
        "eng_Latn": pytest.approx(english.bytes / total),
    }


def test_old_files_are_as_they_were_and_the_corpus_verifies(two_days: tuple[Path, dict[str, str]]) -> None:
    folder, first = two_days
    now = tree(folder / "corpus")
    assert {name: digest for name, digest in now.items() if name in first and name != "manifest.json"} == {
        name: digest for name, digest in first.items() if name != "manifest.json"
    }
    for number in (1, 2):
        report = verify_corpus(str(folder / "corpus"), number)
        assert report.problems == []
    assert report.orphans == ()


def test_copies_of_earlier_documents_stand_beside_the_index(two_days: tuple[Path, dict[str, str]]) -> None:
    folder, _ = two_days
    snapshot = read_snapshot(str(folder / "corpus"))
    names = [file.path for file in snapshot.select("index")]
    assert names == ["index/000001-00000.arrow", "index/000002-00000.arrow", "index/000002-copies.arrow"]
    (row,) = read_table(folder / "corpus" / names[2]).to_pylist()
    assert (row["lang"], row["heldout"], row["copies"]) == ("eng_Latn", False, 2)


def test_the_same_day_again_does_nothing_also_after_another(two_days: tuple[Path, dict[str, str]]) -> None:
    folder, _ = two_days
    before = tree(folder / "corpus")
    for day in ("two", "one"):
        assert run(folder, "corpus", [day]).number == 2
    assert tree(folder / "corpus") == before


@pytest.mark.slow
def test_the_result_does_not_depend_on_workers_or_the_place(two_days: tuple[Path, dict[str, str]]) -> None:
    folder, _ = two_days
    run(folder, "other", ["one", "two"])
    assert tree(folder / "other") == tree(folder / "corpus")


@pytest.mark.slow
def test_two_workers_write_the_same_bytes(two_days: tuple[Path, dict[str, str]]) -> None:
    folder, _ = two_days
    run(folder, "workers", ["one", "two"], workers=2)
    assert tree(folder / "workers") == tree(folder / "corpus")


@pytest.mark.slow
def test_a_corpus_without_an_index_or_with_another_is_signed_anew(two_days: tuple[Path, dict[str, str]]) -> None:
    folder, _ = two_days
    run(folder, "bare", ["one"], deduplicate={"index": False})
    assert read_snapshot(str(folder / "bare")).select("index") == []
    run(folder, "bare", ["two"])
    assert lost(folder, 2, "bare") == lost(folder, 2)
    run(folder, "wide", ["one"], deduplicate={"near": {"words": 4}})
    run(folder, "wide", ["two"])
    assert lost(folder, 2, "wide") == lost(folder, 2)


def test_documents_of_other_corpora_do_not_come_again(two_days: tuple[Path, dict[str, str]]) -> None:
    folder, _ = two_days
    first = str(folder / "corpus")
    run(folder, "beside", ["two"], deduplicate={"against": [f"{first}@1"]})
    assert set(kept(folder, "beside")) == {"l1", "c2"}
    found = lost(folder, 1, "beside")
    assert {key: reason for key, (reason, _) in found.items()} == {
        "r2": "exact_duplicate",
        "r3": "near_duplicate",
        "b1": "repeated_id",
        "c1": "exact_duplicate",
    }
    snapshot = read_snapshot(str(folder / "beside"))
    assert snapshot.goes_on_with is None
    assert [file.path for file in snapshot.select("index")] == ["index/000001-00000.arrow"]


def test_longer_version_lies_where_its_part_lies_also_when_the_bound_has_moved(tmp_path: Path) -> None:
    first, second = {"r1": RIVER, "b1": BAKERY, "l1": LETTERS, "s1": SCHOOL}, {"s2": LONGER_SCHOOL, "p1": PRINTER}

    def least(seed: int, texts: Sequence[str]) -> str:
        keys = np.array([text_key(text) for text in texts], "S16")
        return texts[int(cluster_hash(keys, seed).argmin())]

    # The first day the school has the least hash and is held out; the second day the printer's is less.
    before, after = list(first.values()), [*first.values(), PRINTER]
    seed = next(seed for seed in range(1000) if (least(seed, before), least(seed, after)) == (SCHOOL, PRINTER))
    split = {"heldout_share": 0.0, "heldout_min_documents": 1}
    for name, day in (("first", first), ("second", second)):
        prepare([write(tmp_path, name, day)], str(tmp_path / "corpus"), config(split=split), seed=seed)
    splits = kept(tmp_path)
    assert {key for key, split in splits.items() if split == "heldout"} == {"s1", "s2", "p1"}
    assert set(splits) == {"r1", "b1", "l1", "s1", "s2", "p1"}


def test_limits_that_were_derived_stay_and_languages_that_were_not_there_get_theirs(tmp_path: Path) -> None:
    run(tmp_path, "corpus", ["one"])
    first = read_snapshot(str(tmp_path / "corpus"))
    run(tmp_path, "corpus", ["two"])
    second = read_snapshot(str(tmp_path / "corpus"))
    assert second.thresholds == first.thresholds
    assert set(second.threshold_facts) == {"deu_Latn", "eng_Latn"}


def test_records_without_a_key_of_their_own_in_a_file_of_the_same_name_are_new(tmp_path: Path) -> None:
    source = tmp_path / "news" / "today.txt"
    source.parent.mkdir()
    for number, text in enumerate((RIVER, LETTERS, RIVER), start=1):
        source.write_text(text + "\n")
        snapshot = prepare([InputConfig(path=str(source))], str(tmp_path / "corpus"), config())
        assert snapshot.number == number
    assert snapshot.ledger.kept == {"eng_Latn": 2}
    assert snapshot.ledger.by_reason() == {"deduplicate/exact_duplicate": 1}


def test_the_vocabulary_stays_and_only_new_shards_are_encoded(two_days: tuple[Path, dict[str, str]]) -> None:
    folder, _ = two_days
    root = str(folder / "tokens")
    tokens = TokenizerConfig(vocabulary=320)
    run(folder, "tokens", ["one"])
    first = tokenize_corpus(root, tokens, seed=1)
    before = {file.path: file.hash for file in first.select("tokens")}
    third = run(folder, "tokens", ["two"])
    assert (third.number, third.parent, third.goes_on_with) == (3, 2, 1)
    assert third.tokenizers == {}
    assert third.select("tokens") == []
    last = tokenize_corpus(root, tokens, seed=1)
    assert last.tokenizers == first.tokenizers
    after = {file.path: file.hash for file in last.select("tokens")}
    assert {path: after[path] for path in before} == before
    assert sorted(path.rpartition("/")[2] for path in set(after) - set(before)) == ["000003-train-00000.arrow"] * 2
    counters = json.loads((folder / "tokens" / "runs" / "000004.json").read_text())["counters"]
    assert (counters["encode/shards"], counters["encode/shards_reused"]) == (len(after), len(before))
    assert verify_corpus(root).problems == []
    config = SamplerConfig.model_validate({"row_tokens": 32})
    stream = CurriculumStream(root, tokenizer="spm", config=config, seed=0)
    assert stream.languages == ("deu_Latn", "eng_Latn")
    assert stream.sizes["eng_Latn"] == last.languages["eng_Latn"].tokens["spm"] + 4
    assert stream.rows(range(4)).tokens.shape == (4, 32)


def test_a_second_day_that_died_before_its_commit_ends_as_if_it_had_not(
    two_days: tuple[Path, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = two_days
    run(folder, "died", ["one"])
    first = tree(folder / "died")

    def dies(*_: object) -> None:
        raise RuntimeError("the machine went away")

    with monkeypatch.context() as patch:
        patch.setattr("pipeline.prepare.run.commit", dies)
        with pytest.raises(RuntimeError, match="went away"):
            run(folder, "died", ["two"])
    assert read_snapshot(str(folder / "died")).number == 1
    assert {name: digest for name, digest in tree(folder / "died").items() if name in first} == first
    run(folder, "died", ["two"])
    assert tree(folder / "died") == tree(folder / "corpus")
