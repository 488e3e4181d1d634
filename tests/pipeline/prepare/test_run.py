"""The whole of ``prepare`` on small inputs: ledger, bytes, resume, refusal."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from corpus.boilerplate import removed_lines
from corpus.errors import CorpusError, InputError
from corpus.hashing import file_hash
from corpus.lock import exclusive
from corpus.manifest import current_number, read_snapshot
from corpus.shards import read_table
from corpus.storage import Storage
from evenglot.verify.corpus_files import verify_corpus
from pipeline.boilerplate.config import BoilerplateConfig
from pipeline.config import PrepareConfig, RunnerConfig
from pipeline.deduplicate.config import DeduplicateConfig, NearDuplicateConfig
from pipeline.language_id.config import IdentifyConfig
from pipeline.prepare import prepare
from pipeline.sources import InputConfig
from pipeline.split.config import SplitConfig
from pipeline.write.config import WriteConfig

ENGLISH = [
    "The river rose in the night and by the morning the lower meadow lay under water, so the farmer led his cows up "
    "the hill and waited there until the sun came out again.",
    "When the bakery opens at six, the first people through the door are the drivers of the early buses; they buy warm "
    "rolls, drink a coffee standing up, and talk about the weather.",
    "My grandmother kept every letter she was ever sent, tied in bundles with blue string, and on winter evenings she "
    "would read one or two of them aloud to whoever happened to be there.",
    "The school on the hill has only twelve pupils this year, but it has a garden, a small telescope and a teacher who "
    "knows the name of every bird that comes to the window.",
]
GERMAN = [
    "Der alte Schreiner am Ende der Straße arbeitet noch jeden Tag in seiner Werkstatt, obwohl seine Kinder längst "
    "meinen, er solle sich endlich ausruhen und das Haus verkaufen.",
    "Nach dem langen Regen waren die Wege im Wald so weich geworden, dass man die Spuren der Rehe bis hinunter zum "
    "Bach verfolgen konnte, wo das Wasser über die Steine lief.",
    "Am Samstag fahren wir mit dem ersten Zug in die Stadt, kaufen auf dem Markt Gemüse und Käse und sitzen danach "
    "noch eine Stunde in der Sonne vor der kleinen Kirche.",
]
SWAHILI = [
    "Asubuhi na mapema wavuvi walirudi ufukweni na samaki wengi, na watoto wakakimbia kuwasaidia kubeba vikapu hadi "
    "sokoni ambako wanunuzi walikuwa wakisubiri.",
    "Bibi yangu alinifundisha kupika wali wa nazi nikiwa mdogo; alisema siri yake ni uvumilivu, moto mdogo, na nazi "
    "iliyokunwa siku hiyo hiyo.",
]


def write_input(folder: Path) -> Path:
    """Nine good documents, four broken lines, copies, a repeated id, junk."""
    records: list[str] = []
    for lang, texts in (("en", ENGLISH), ("deu", GERMAN), ("sw", SWAHILI)):
        records += [json.dumps({"id": f"{lang}{n}", "lang": lang, "text": text}) for n, text in enumerate(texts)]
    records += [
        json.dumps({"id": "copy1", "lang": "en", "text": ENGLISH[0]}),
        json.dumps({"id": "copy2", "lang": "fr", "text": "  " + ENGLISH[0].replace(" ", "  ") + "\n"}),
        json.dumps({"id": "sw0", "lang": "sw", "text": GERMAN[0] + " Und dann ging er nach Hause, wo es warm war."}),
        json.dumps({"id": "empty", "lang": "en", "text": "   "}),
        json.dumps({"id": "number", "lang": "en", "text": 42}),
        json.dumps({"id": "none", "lang": "en"}),
        '{"id": "cut", "lang": "en", "text": "The sen',
        "",
        "[1, 2]",
        json.dumps({"id": "noise", "lang": "en", "text": "#### @@@@ !!!! ???? %%%% $$$$ ~~~~ ^^^^ **** (((( ))))" * 4}),
    ]
    path = folder / "in" / "mixed.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(("\n".join(records) + "\n").encode() + b'{"id": "bytes", "text": "\xff\xfe"}\n')
    return path


def inputs(path: Path) -> list[InputConfig]:
    return [InputConfig(path=str(path))]


def tree(root: Path) -> dict[str, str]:
    """Hash of every file but those that belong to one run alone."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.parent.name != "runs"
    }


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepare")
    prepare(inputs(write_input(folder)), str(folder / "corpus"))
    return folder / "corpus"


def test_ledger_and_counts_of_a_small_mixed_input(corpus: Path) -> None:
    snapshot = read_snapshot(str(corpus))
    assert snapshot.ledger.read == 20
    assert snapshot.ledger.kept == {"deu_Latn": 3, "eng_Latn": 4, "swh_Latn": 2}
    reasons = snapshot.ledger.by_reason()
    assert reasons.pop("deduplicate/exact_duplicate") == 2
    assert reasons.pop("deduplicate/repeated_id") == 1
    assert reasons.pop("read/empty_text") == 1
    assert reasons.pop("read/missing_text") == 1
    assert reasons.pop("read/non_string_text") == 1
    assert sum(reasons.values()) == 1, f"only the noise is left: {reasons}"
    assert snapshot.warnings == [
        "1 records were rejected for an id that their source used before: if its ids do not tell records apart, "
        "set `prepare.deduplicate.repeated_id: keep` or the input's `fields: {id: null}`"
    ]
    assert snapshot.ledger.unreadable == {"blank_line": 1, "invalid_utf8": 1, "not_a_record": 1, "truncated_json": 1}


def test_split_documents_have_their_line_in_the_ledger(tmp_path: Path) -> None:
    german, english = f"{GERMAN[0]} {GERMAN[1]}", f"{ENGLISH[0]} {ENGLISH[1]}"
    records = [{"id": "both", "lang": "de", "text": f"{german}\n{english}"}, {"id": "one", "text": ENGLISH[2]}]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, records)) + "\n", encoding="utf-8")
    config = PrepareConfig(identify=IdentifyConfig(mixed="split"))
    snapshot = prepare(inputs(tmp_path / "in.jsonl"), str(tmp_path / "corpus"), config)
    assert (snapshot.ledger.read, snapshot.ledger.made) == (2, 1)
    assert snapshot.ledger.kept == {"deu_Latn": 1, "eng_Latn": 2}
    storage = Storage(str(tmp_path / "corpus"))
    rows = [row for file in snapshot.select("text") for row in read_table(storage.path(file.path)).to_pylist()]
    parts = {row["text"]: row for row in rows if row["key"] == "both"}
    assert set(parts) == {german, english}
    assert len({row["parent"] for row in parts.values()}) == 1
    assert {row["id"] for row in rows}.isdisjoint({row["parent"] for row in rows})


def test_languages_of_a_document_can_be_read_back(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    german, english = f"{GERMAN[0]} {GERMAN[1]}", f"{ENGLISH[0]} {ENGLISH[1]}"
    (tmp_path / "in.jsonl").write_text(json.dumps({"id": "1", "text": f"{german}\n{english}"}) + "\n", encoding="utf-8")
    snapshot = prepare(inputs(tmp_path / "in.jsonl"), str(tmp_path / "corpus"))
    files = [str(tmp_path / "corpus" / file.path) for file in snapshot.select("text")]
    loaded = datasets.load_dataset("arrow", data_files=files, split="train", cache_dir=str(tmp_path / "cache"))
    row = loaded[0]
    assert [row["text"][part["start"] : part["end"]] for part in row["segments"]] == [german, english]
    assert [part["lang"] for part in row["segments"]] == ["deu_Latn", "eng_Latn"]
    assert row["scripts"] == [{"script": "Latn", "share": 1.0}]
    assert 0.3 < row["code_switching"] < 0.7


def test_kept_record_counts_its_copies_and_losers_name_it(corpus: Path) -> None:
    snapshot, storage = read_snapshot(str(corpus)), Storage(str(corpus))
    rows = {
        row["key"]: row for file in snapshot.select("text") for row in read_table(storage.path(file.path)).to_pylist()
    }
    counted = {key: row["copies"] for key, row in rows.items() if row["copies"] > 1}
    assert list(counted.values()) == [3]
    kept = rows[next(iter(counted))]
    lost = [
        row
        for file in snapshot.select("rejected")
        for row in read_table(storage.path(file.path)).to_pylist()
        if row["reason"] == "exact_duplicate"
    ]
    assert {row["duplicate_of"] for row in lost} == {kept["id"]}
    assert {row["key"] for row in lost} | {kept["key"]} == {"en0", "copy1", "copy2"}
    assert rows["deu1"]["declared_lang"] == "deu"
    assert {row["lang"] for row in rows.values()} == {"deu_Latn", "eng_Latn", "swh_Latn"}
    assert all(row["origin"] == "natural" for row in rows.values())


def test_weights_follow_the_mixture(corpus: Path) -> None:
    snapshot, storage = read_snapshot(str(corpus)), Storage(str(corpus))
    assert snapshot.mixture == "unimax"
    for file in snapshot.select("text", split="train"):
        asked = snapshot.mixtures["unimax"][file.lang] / snapshot.mixtures["proportional"][file.lang]
        weights = read_table(storage.path(file.path)).column("weight").to_pylist()
        assert weights == pytest.approx([asked] * len(weights))
    shares = snapshot.mixtures["proportional"]
    sizes = {lang: evidence.bytes for lang, evidence in snapshot.languages.items()}
    assert shares == pytest.approx({lang: size / sum(sizes.values()) for lang, size in sizes.items()})


def test_second_run_elsewhere_and_two_workers_give_the_same_bytes(corpus: Path, tmp_path: Path) -> None:
    path = corpus.parent / "in" / "mixed.jsonl"
    prepare(inputs(path), str(tmp_path / "again"))
    config = PrepareConfig(split_bytes=1024, batch_bytes=1024)
    both = [*inputs(path), InputConfig(path=f"{write_site(tmp_path / 'site', 12)}/*.jsonl", name="site")]
    uncut = prepare(both, str(tmp_path / "uncut"))
    one = prepare(both, str(tmp_path / "one"), config, workers=1)
    two = prepare(both, str(tmp_path / "two"), config, workers=2)
    everywhere = config.model_copy(update={"runner": RunnerConfig(rows_worth_workers=0)})
    prepare(both, str(tmp_path / "two everywhere"), everywhere, workers=2)
    assert tree(tmp_path / "again") == tree(corpus)
    assert tree(tmp_path / "one") == tree(tmp_path / "two") == tree(tmp_path / "two everywhere")
    assert two.ledger.kept == uncut.ledger.kept, "how inputs are cut must not change what is kept"
    removed = [removed_lines(str(tmp_path / name), run).to_pylist() for name, run in (("uncut", uncut), ("one", one))]
    assert removed[0] == removed[1] != [], "nor what is boilerplate"


def test_same_run_again_does_nothing_and_another_recipe_makes_a_new_snapshot(tmp_path: Path) -> None:
    path, root = write_input(tmp_path), str(tmp_path / "corpus")
    first = prepare(inputs(path), root)
    before = tree(tmp_path / "corpus")
    assert prepare(inputs(path), root) == first
    assert tree(tmp_path / "corpus") == before
    second = prepare(inputs(path), root, PrepareConfig(split=SplitConfig(heldout_min_documents=1)))
    assert (second.number, second.parent) == (2, 1)
    assert read_snapshot(root, 1) == first, "an older snapshot stays as it was"
    assert all((tmp_path / "corpus" / file.path).exists() for file in first.files)


def whole(root: str) -> bool:
    """Whether the files of the current snapshot are what it says."""
    storage = Storage(root)
    return all(file_hash(storage.path(file.path)) == file.hash for file in read_snapshot(root).files)


def test_edit_that_keeps_the_size_of_a_file_is_prepared(tmp_path: Path) -> None:
    path, root = write_input(tmp_path), str(tmp_path / "corpus")
    assert prepare(inputs(path), root).number == 1
    path.write_bytes(path.read_bytes().replace(b"meadow", b"MEADOW"))
    second = prepare(inputs(path), root)
    assert second.number == 2
    (file,) = second.select("text", lang="eng_Latn", split="train")
    assert any("lower MEADOW lay" in text for text in read_table(tmp_path / "corpus" / file.path)["text"].to_pylist())
    assert prepare(inputs(path), root).number == 2


@pytest.mark.parametrize("end", ["committed", "died"])
def test_run_that_died_before_its_commit_survives_another_in_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """Both write shards of the same names; the one that resumes must not take the other's for its own."""
    import pipeline.prepare.run

    one, two = write_input(tmp_path / "one"), write_input(tmp_path / "two")
    two.write_bytes(two.read_bytes().replace(b"meadow", b"pasture"))
    root = str(tmp_path / "corpus")
    commit = pipeline.prepare.run.commit

    def die(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline.prepare.run, "commit", die)
    with pytest.raises(KeyboardInterrupt):
        prepare(inputs(one), root)
    if end == "died":
        with pytest.raises(KeyboardInterrupt):
            prepare(inputs(two), root)
    monkeypatch.setattr(pipeline.prepare.run, "commit", commit)
    if end == "committed":
        prepare(inputs(two), root)
    resumed = prepare(inputs(one), root)
    assert resumed.number == (2 if end == "committed" else 1)
    assert whole(root)


def test_resumed_run_notices_that_an_input_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pipeline.prepare.run

    path, root = write_input(tmp_path), str(tmp_path / "corpus")

    def die(*arguments: object) -> None:
        raise KeyboardInterrupt

    commit = pipeline.prepare.run.commit
    monkeypatch.setattr(pipeline.prepare.run, "commit", die)
    with pytest.raises(KeyboardInterrupt):
        prepare(inputs(path), root)
    monkeypatch.setattr(pipeline.prepare.run, "commit", commit)
    path.write_bytes(path.read_bytes().replace(b"meadow", b"MEADOW"))
    snapshot = prepare(inputs(path), root)
    (file,) = snapshot.select("text", lang="eng_Latn", split="train")
    assert any("lower MEADOW lay" in text for text in read_table(tmp_path / "corpus" / file.path)["text"].to_pylist())


def test_second_run_at_once_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    path, root = write_input(tmp_path), str(tmp_path / "corpus")
    prepare(inputs(path), root)
    before = tree(tmp_path / "corpus")
    with exclusive(Storage(root)), pytest.raises(CorpusError, match="another run is writing"):
        prepare(inputs(path), root, seed=1)
    assert tree(tmp_path / "corpus") == before


def test_shards_are_cut_by_size_and_hold_one_split_each(tmp_path: Path) -> None:
    config = PrepareConfig(
        batch_bytes=1024,
        write=WriteConfig(shard_bytes=1024),
        split=SplitConfig(heldout_share=0.0, heldout_min_documents=1),
    )
    snapshot = prepare(inputs(write_input(tmp_path)), str(tmp_path / "corpus"), config)
    english = snapshot.select("text", lang="eng_Latn")
    assert {file.split for file in english} == {"train", "heldout"}
    assert snapshot.languages["eng_Latn"].documents == 3
    assert snapshot.languages["eng_Latn"].heldout_documents == 1
    for file in english:
        splits = read_table(tmp_path / "corpus" / file.path).column("split").to_pylist()
        assert set(splits) == {file.split}


def test_input_that_is_nearly_all_broken_fails_and_commits_nothing(tmp_path: Path) -> None:
    path = tmp_path / "wrong.jsonl"
    path.write_text('{"text": "a good beginning"}\n' * 40 + "this is plain text\n" * 60)
    with pytest.raises(InputError, match="cannot be parsed"):
        prepare(inputs(path), str(tmp_path / "corpus"))
    assert current_number(Storage(str(tmp_path / "corpus"))) is None


def test_killed_run_leaves_the_last_snapshot_and_resumes_to_the_same_bytes(tmp_path: Path) -> None:
    """SIGKILL at several moments; what is finished is taken up, and the end is as if nothing had happened."""
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(6):
        write_input(tmp_path / f"part{number}").rename(folder / f"part{number}.jsonl")
    pattern = f"{folder}/*.jsonl"
    whole = prepare([InputConfig(path=pattern, name="in")], str(tmp_path / "whole"))
    script = (
        "import sys\n"
        "from pipeline.prepare import prepare\n"
        "from pipeline.sources import InputConfig\n"
        "prepare([InputConfig(path=sys.argv[1], name='in')], sys.argv[2])\n"
    )
    command = [sys.executable, "-c", script, pattern, str(tmp_path / "killed")]
    work = tmp_path / "killed" / ".work"
    for least in (1, 8, 20):  # files in the work folder at which to kill: early, in the middle, late
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < deadline:
            if sum(1 for path in work.rglob("*") if path.is_file()) >= least:
                os.kill(process.pid, signal.SIGKILL)
                break
            time.sleep(0.002)
        process.wait()
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL
        assert current_number(Storage(str(tmp_path / "killed"))) is None
    resumed = prepare([InputConfig(path=pattern, name="in")], str(tmp_path / "killed"))
    assert resumed == whole
    assert tree(tmp_path / "killed") == tree(tmp_path / "whole")


def test_full_disk_says_so_and_the_same_command_goes_on_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pipeline.work

    path = write_input(tmp_path)
    whole = pipeline.work.ShardWriter

    class FullDisk(whole):  # type: ignore[misc, valid-type]
        def close(self) -> None:
            raise CorpusError(f"cannot write {self.path}: No space left on device", "Free some space")

    monkeypatch.setattr(pipeline.work, "ShardWriter", FullDisk)
    with pytest.raises(CorpusError, match=r"No space left on device\. Free some space$"):
        prepare(inputs(path), str(tmp_path / "corpus"))
    assert current_number(Storage(str(tmp_path / "corpus"))) is None
    monkeypatch.setattr(pipeline.work, "ShardWriter", whole)
    assert prepare(inputs(path), str(tmp_path / "corpus")).ledger.read == 20


NO_NEAR = DeduplicateConfig(near=NearDuplicateConfig(enabled=False))
FRAME = ("Startseite | Über uns | Kontakt", "© 2020 Alle Rechte vorbehalten.")


def write_site(folder: Path, pages: int) -> Path:
    """Pages of one site in a frame, and one of a site with a single page, in files of four pages each."""
    texts = [*ENGLISH, *GERMAN, *SWAHILI]
    bodies = [f"{texts[n % len(texts)]}\n\n{n}. {texts[(n + 1) % len(texts)]}" for n in range(pages)]
    records = [
        json.dumps({"id": f"p{n}", "url": f"https://www.site.example/{n}", "text": f"{FRAME[0]}\n{body}\n{FRAME[1]}"})
        for n, body in enumerate(bodies)
    ]
    records.append(json.dumps({"id": "other", "url": "https://other.example/", "text": f"{FRAME[0]}\n{ENGLISH[2]}"}))
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(0, len(records), 4):
        (folder / f"{start:03d}.jsonl").write_text("\n".join(records[start : start + 4]) + "\n", encoding="utf-8")
    return folder


def texts_of(root: str) -> dict[str, str]:
    """Text of every kept record, by key."""
    return {
        row["key"]: row["text"]
        for file in read_snapshot(root).select("text")
        for row in read_table(Storage(root).path(file.path)).to_pylist()
    }


def test_frame_of_a_site_is_removed_wherever_its_pages_lie(tmp_path: Path) -> None:
    source = [InputConfig(path=f"{write_site(tmp_path / 'in', 12)}/*.jsonl", name="in")]
    root = str(tmp_path / "one")
    # The pages share their sentences, more than near duplicates may.
    snapshot = prepare(source, root, PrepareConfig(deduplicate=NO_NEAR), workers=1)
    kept = texts_of(root)
    assert len(kept) == snapshot.ledger.kept_total == snapshot.ledger.read == 13
    assert all(line not in text for key, text in kept.items() for line in FRAME if key != "other")
    assert kept["other"] == f"{FRAME[0]}\n{ENGLISH[2]}", "one page tells nothing of its site"
    assert kept["p0"] == f"{ENGLISH[0]}\n\n0. {ENGLISH[1]}"
    removed = removed_lines(root, snapshot)
    assert removed.to_pylist() == [{"site": "site.example", "line": line, "count": 12} for line in sorted(FRAME)]
    assert removed_lines(root, snapshot, "other.example").num_rows == 0
    account = json.loads(next((tmp_path / "one" / "runs").glob("*.json")).read_text())
    sizes = sum(len(line.encode()) + 1 for line in FRAME)
    assert {name: count for name, count in account["counters"].items() if name.startswith("boilerplate/")} == {
        "boilerplate/bytes": 12 * sizes,
        "boilerplate/documents": 12,
        "boilerplate/lines": 24,
    }
    assert [stage["name"] for stage in account["stages"]][:4] == ["read", "normalise", "count_lines", "boilerplate"]


def test_frame_known_from_an_earlier_run_is_removed_from_a_single_page(tmp_path: Path) -> None:
    config = PrepareConfig(append=True, deduplicate=NO_NEAR)
    root = str(tmp_path / "corpus")
    first = prepare([InputConfig(path=f"{write_site(tmp_path / 'in', 12)}/*.jsonl", name="in")], root, config)
    page = {"id": "new", "url": "https://site.example/new", "text": f"{FRAME[0]}\n{GERMAN[1]}\n{FRAME[1]}"}
    (tmp_path / "new.jsonl").write_text(json.dumps(page) + "\n", encoding="utf-8")
    second = prepare([InputConfig(path=str(tmp_path / "new.jsonl"), name="in")], root, config)
    assert texts_of(root)["new"] == GERMAN[1]
    assert [file.path for file in second.select("boilerplate")] == [
        "boilerplate/000001-keys.arrow", "boilerplate/000001.arrow", "boilerplate/000002.arrow",
    ]  # fmt: skip
    assert removed_lines(root, first).column("count").to_pylist() == [12, 12]
    assert removed_lines(root, second).column("count").to_pylist() == [13, 13]
    assert verify_corpus(root).ok


def test_without_removal_of_boilerplate_texts_stay_and_one_job_reads_and_scores(tmp_path: Path) -> None:
    source = [InputConfig(path=f"{write_site(tmp_path / 'in', 8)}/*.jsonl", name="in")]
    root = str(tmp_path / "corpus")
    snapshot = prepare(source, root, PrepareConfig(boilerplate=BoilerplateConfig(enabled=False)))
    assert all(FRAME[0] in text for text in texts_of(root).values())
    assert snapshot.select("boilerplate") == []
    account = json.loads(next((tmp_path / "corpus" / "runs").glob("*.json")).read_text())
    assert account["steps"][0]["name"] == "read, clean, identify, score (bytes)"
    assert not any(stage["name"] in ("count_lines", "boilerplate") for stage in account["stages"])


def test_pieces_are_scored_again_when_a_changed_input_changes_what_is_boilerplate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted before its commit, an input edited meanwhile: other pieces must not keep the old removal."""
    import pipeline.prepare.run

    folder = write_site(tmp_path / "in", 6)
    source = [InputConfig(path=f"{folder}/*.jsonl", name="in")]
    root = str(tmp_path / "corpus")
    commit = pipeline.prepare.run.commit

    def die(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline.prepare.run, "commit", die)
    with pytest.raises(KeyboardInterrupt):
        prepare(source, root)
    work = next((tmp_path / "corpus" / ".work").iterdir())
    assert not list((work / "read").glob("*[0-9].arrow")), "the text as it was read is gone once it is scored"
    monkeypatch.setattr(pipeline.prepare.run, "commit", commit)
    # Two of six pages lose their frame, bytes in number as before: four are too few.
    edited = folder / "004.jsonl"
    text = edited.read_text(encoding="utf-8")
    for line in FRAME:
        escaped = json.dumps(line)[1:-1]
        text = text.replace(escaped, "x" + " " * (len(escaped) - 1))
    edited.write_text(text, encoding="utf-8")
    prepare(source, root)
    assert sum(FRAME[0] in text for text in texts_of(root).values()) == 4
    prepare(source, str(tmp_path / "whole"))
    assert tree(tmp_path / "corpus") == tree(tmp_path / "whole")


def test_bad_file_among_others_costs_itself_and_is_warned_of(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    members = [gzip.compress(f"{json.dumps({'text': text})}\n".encode()) for text in ENGLISH]
    (folder / "a.jsonl.gz").write_bytes(members[0] + members[1][:40] + members[2])
    (folder / "b.jsonl").write_text(f"[{json.dumps({'text': GERMAN[0]})}]", encoding="utf-8")
    snapshot = prepare(
        [InputConfig(path=str(folder))], str(tmp_path / "corpus"), PrepareConfig(fail_unreadable_share=1)
    )
    ledger = snapshot.ledger
    assert (ledger.read, ledger.kept_total, ledger.unreadable) == (4, 2, {"corrupt_file": 2})
    assert snapshot.warnings == [
        "b.jsonl was not read: the file is a JSON array, not one object a line. "
        "Convert it, for example with jq -c '.[]'",
        "damage in 1 places of files hid what followed: look at them with `evenglot inspect CORPUS --unreadable`",
    ]
