from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from corpus.errors import CorpusError
from corpus.manifest import commit, read_snapshot
from corpus.shards import ShardWriter, read_table
from corpus.storage import Storage
from evenglot.report.build import build_report
from evenglot.report.config import ReportConfig
from evenglot.report.load import load_corpus


def test_counts_agree_with_the_snapshot(small_corpus: Path) -> None:
    facts = load_corpus(str(small_corpus), ReportConfig())
    ledger = facts.snapshot.ledger
    found = facts.identification
    assert sum(facts.duplicates.histogram.values()) == ledger.kept_total
    assert (
        found.declared + found.undeclared + sum(found.unknown_labels.values())
        == ledger.kept_total + ledger.rejected_total
    )
    duplicates = {r: n for r, n in ledger.by_reason().items() if r.startswith("deduplicate/")}
    assert dict(facts.duplicates.reasons) == duplicates
    assert sum(facts.duplicates.by_language.values()) == sum(duplicates.values())
    assert facts.problems == []


def test_sizes_are_sorted_and_only_of_languages_with_text(small_corpus: Path) -> None:
    sizes = load_corpus(str(small_corpus), ReportConfig()).sizes
    assert set(sizes) == {"eng_Latn", "arb_Arab", "heb_Hebr"}
    assert list(sizes.values()) == sorted(sizes.values(), reverse=True)


def test_samples_keep_their_limits(small_corpus: Path) -> None:
    config = ReportConfig(samples_kept=2, samples_rejected=1, sample_characters=20)
    facts = load_corpus(str(small_corpus), config)
    assert {lang: len(found) for lang, found in facts.kept.items()} == {"eng_Latn": 2, "arb_Arab": 2, "heb_Hebr": 2}
    for lang, found in facts.rejected.items():
        assert len({(one.stage, one.reason) for one in found}) == len(found)
        assert all(one.lang == lang and one.reason for one in found)
    everything = [one for found in (*facts.kept.values(), *facts.rejected.values()) for one in found]
    assert all(len(one.text) <= 20 for one in everything)
    assert any(one.cut for one in everything)


def test_total_of_samples_is_kept_with_many_languages(large_corpus: Path) -> None:
    config = ReportConfig(samples_total=150)
    facts = load_corpus(str(large_corpus), config)
    quoted = sum(map(len, facts.kept.values())) + sum(map(len, facts.rejected.values()))
    assert len(facts.kept) == 60
    assert len(facts.rejected) == 60
    assert quoted <= 150
    assert len({one.reason for found in facts.rejected.values() for one in found}) == 5


def test_no_samples_on_request(small_corpus: Path) -> None:
    facts = load_corpus(str(small_corpus), ReportConfig(samples_total=0, clusters=0, unreadable=0))
    assert facts.kept == {}
    assert facts.rejected == {}
    assert facts.duplicates.clusters == []
    assert facts.unreadable == []


def test_same_corpus_same_facts(small_corpus: Path) -> None:
    assert load_corpus(str(small_corpus), ReportConfig()) == load_corpus(str(small_corpus), ReportConfig())
    other = load_corpus(str(small_corpus), ReportConfig(seed=1))
    assert other.kept["eng_Latn"] != load_corpus(str(small_corpus), ReportConfig()).kept["eng_Latn"]


def test_clusters_come_most_copied_first(small_corpus: Path) -> None:
    copies = [one.copies for one in load_corpus(str(small_corpus), ReportConfig(clusters=3)).duplicates.clusters]
    assert len(copies) == 3
    assert copies == sorted(copies, reverse=True)
    assert copies[0] == max(load_corpus(str(small_corpus), ReportConfig()).duplicates.histogram)


def test_unreadable_bytes_are_shown_with_escapes(small_corpus: Path) -> None:
    first, second = load_corpus(str(small_corpus), ReportConfig()).unreadable
    assert (first.file, first.line, first.reason, first.raw) == ("raw/a.jsonl", 3, "invalid_json", '{"text": <script>')
    assert second.raw == "\\xff\\xfe abc"


def test_run_record(small_corpus: Path) -> None:
    (run,) = load_corpus(str(small_corpus), ReportConfig()).runs
    assert run.made_by == "prepare"
    assert [stage.name for stage in run.stages][:2] == ["read", "normalise"]
    assert (run.wall_seconds, run.workers, run.machine["cores"]) == (31.0, 2, "2")


def test_damage_is_named_and_the_rest_is_read(small_corpus: Path, tmp_path: Path) -> None:
    root = tmp_path / "corpus"
    shutil.copytree(small_corpus, root)
    snapshot = read_snapshot(str(root))
    (root / snapshot.select("text", lang="heb_Hebr")[0].path).write_bytes(b"no arrow")
    (root / "rejected/000001-00000.arrow").unlink()
    (root / "unreadable/000001-00000.jsonl").write_text("{", encoding="utf-8")
    (root / "runs/000001.json").write_text(json.dumps({"stages": 3}), encoding="utf-8")
    facts = load_corpus(str(root), ReportConfig())
    assert len(facts.problems) == 4
    assert facts.rejected == {}
    assert facts.runs == []
    assert "eng_Latn" in facts.kept


def test_no_corpus(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="holds no corpus"):
        load_corpus(str(tmp_path), ReportConfig())


def test_runs_are_those_that_the_snapshot_goes_on_with(small_corpus: Path, tmp_path: Path) -> None:
    root = tmp_path / "corpus"
    shutil.copytree(small_corpus, root)
    first = read_snapshot(str(root))
    tokenized = first.model_copy(update={"number": 2, "parent": 1, "made_by": "tokenize"})
    commit(Storage(root), tokenized, {"wall_seconds": 1.0})
    further = first.model_copy(update={"number": 3, "parent": 2, "goes_on_with": 1})
    commit(Storage(root), further, {"wall_seconds": 2.0, "counters": {"boilerplate/bytes": 5}})
    facts = load_corpus(str(root), ReportConfig())
    assert [(run.snapshot, run.made_by) for run in facts.runs] == [(1, "prepare"), (3, "prepare")]
    assert facts.counters["boilerplate/bytes"] == 4005


def test_a_corpus_of_before_there_were_segments_and_clusters(small_corpus: Path, tmp_path: Path) -> None:
    root = tmp_path / "corpus"
    shutil.copytree(small_corpus, root)
    for path in [*root.glob("text/**/*.arrow"), *root.glob("rejected/*.arrow")]:
        table = read_table(path).combine_chunks()
        new = {"segments", "code_switching", "scripts", "cluster", "parent"} & set(table.column_names)
        table = table.drop_columns(sorted(new))
        with ShardWriter(path, table.schema) as writer:
            for batch in table.to_batches():
                writer.write(batch)
    (root / "boilerplate/000001.arrow").unlink()
    snapshot = read_snapshot(str(root))
    files = [file for file in snapshot.files if file.kind != "boilerplate"]
    commit(Storage(root), snapshot.model_copy(update={"number": 2, "parent": 1, "files": files}), {})
    facts = load_corpus(str(root), ReportConfig())
    assert facts.problems == []
    assert not facts.mixing.recorded
    assert facts.boilerplate.removed == 0
    assert facts.kept.keys() == load_corpus(str(small_corpus), ReportConfig()).kept.keys()
    page = build_report(str(root), [], str(tmp_path / "r.html")).read_text(encoding="utf-8")
    assert "Not measured" in page
