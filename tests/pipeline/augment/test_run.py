"""Augmentation from a natural corpus to a committed snapshot, with a translator that knows words alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from corpus.errors import ConfigurationError
from corpus.ledger import Ledger
from corpus.manifest import Snapshot, read_snapshot
from evenglot.verify.corpus_files import verify_corpus
from pipeline.prepare import prepare
from pipeline.sources import InputConfig
from tests.pipeline.augment.augmented import (
    ENGLISH,
    PREPARE,
    SWAHILI,
    augmented,
    natural,
    rows_of,
    settings,
    texts,
    tree,
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, model: Path) -> tuple[Path, Snapshot, Snapshot, dict[str, str]]:
    """A corpus, its natural and its augmented snapshot, and the files that it had before."""
    root = tmp_path_factory.mktemp("augment") / "corpus"
    before = natural(root)
    files = tree(root)
    return root, before, augmented(root, settings(model)), files


Made = tuple[Path, Snapshot, Snapshot, dict[str, str]]


def test_the_layer_lies_over_the_natural_snapshot_whose_files_stay(made: Made) -> None:
    root, before, after, files = made
    assert (after.made_by, after.number, after.parent, after.goes_on_with) == ("augment", 2, 1, 1)
    assert after.augmentation is not None
    new = {file.path for file in after.files} - {file.path for file in before.files}
    assert {file.path for file in before.files} <= {file.path for file in after.files}
    assert {path.split("/")[0] for path in new} == {"text", "rejected", "scores"}
    assert set(after.augmentation.shards) == {path for path in new if path.startswith("text/")}
    assert after.natural_text() == before.select("text")
    assert {file.split for file in after.files if file.path in after.augmentation.shards} == {"train"}
    now = tree(root)
    assert {name: now[name] for name in files if name != "manifest.json"} == {
        name: digest for name, digest in files.items() if name != "manifest.json"
    }
    assert not (root / ".work").exists() or not any((root / ".work").glob("[0-9a-f]*"))
    assert verify_corpus(str(root)).ok


def test_the_ledger_counts_candidates_and_closes(made: Made) -> None:
    _, before, after, _ = made
    assert after.added is not None
    assert after.augmentation is not None
    known = after.augmentation.languages[SWAHILI]
    assert after.added.read == known.candidates == known.kept + sum(known.rejected.values()) > 0
    assert after.added.kept == {SWAHILI: known.kept}
    assert list(known.parents) == ["back_translation from eng_Latn"]
    assert "documents in" in known.parents["back_translation from eng_Latn"]
    assert after.ledger.read == before.ledger.read + known.candidates
    assert after.ledger.kept[ENGLISH] == before.ledger.kept[ENGLISH]


def test_evidence_tells_synthetic_text_apart(made: Made) -> None:
    _, before, after, _ = made
    assert after.augmentation is not None
    one, two = before.languages[SWAHILI], after.languages[SWAHILI]
    known = after.augmentation.languages[SWAHILI]
    assert (one.synthetic_documents, one.synthetic_bytes) == (0, 0)
    assert (two.synthetic_documents, two.synthetic_bytes) == (known.kept, known.kept_bytes)
    assert two.bytes == one.bytes + known.kept_bytes
    assert two.copies == one.copies + known.kept
    assert two.heldout_documents == one.heldout_documents
    assert 0 < known.kept_bytes <= known.budget <= one.bytes
    assert after.languages[ENGLISH] == before.languages[ENGLISH]
    share = two.bytes / sum(language.bytes for language in after.languages.values())
    assert after.mixtures["proportional"][SWAHILI] == pytest.approx(share)


def test_every_synthetic_record_says_what_it_was_made_of(made: Made) -> None:
    root, before, after, _ = made
    parents = {row["id"]: row for row in rows_of(root, before)}
    found = [row for row in rows_of(root, after) if row["origin"] != "natural"]
    assert after.augmentation is not None
    assert len(found) == after.augmentation.languages[SWAHILI].kept
    for row in found:
        parent = parents[row["parent"]]
        assert (parent["split"], parent["origin"], parent["lang"]) == ("train", "natural", ENGLISH)
        assert (row["split"], row["copies"], row["lang"], row["declared_lang"]) == ("train", 1, SWAHILI, SWAHILI)
        assert (row["origin"], row["generator"], row["source"]) == ("back_translation", "words@1", "in")
        assert 0 < row["quality"] <= 1
        said = json.loads(row["provenance"])
        assert (said["method"], said["route"], said["models"]) == ("back_translation", [ENGLISH, SWAHILI], ["words@1"])
        assert said["scores"]["round_trip_chrf"] == 100
        assert said["kept_share"] == 1
        assert text_lines(row["text"]) == text_lines(parent["text"])
    assert all(row["provenance"] is None for row in rows_of(root, before))


def text_lines(text: str) -> list[int]:
    """Words of every line: the layout that a document-by-word translation keeps."""
    return [len(line.split()) for line in text.split("\n")]


def test_what_the_budget_does_not_allow_is_in_the_ledger_with_its_scores(made: Made) -> None:
    root, _, after, _ = made
    lost = [row for row in rows_of(root, after, "rejected") if row["stage"] == "gates"]
    assert [row["reason"] for row in lost] == ["over_budget"] * len(lost)
    assert lost
    for row in lost:
        assert (row["lang"], row["file"].split("/")[:2]) == (SWAHILI, ["text", ENGLISH])
        assert "score 1; budget" in row["detail"]
        assert row["text"]
        assert row["parent"]
        assert row["provenance"]


def test_the_same_settings_again_do_nothing_also_after_tokens(made: Made, model: Path, tmp_path: Path) -> None:
    root, _, after, _ = made
    copy = tmp_path / "corpus"
    shutil.copytree(root, copy)
    files, told = tree(copy), []
    again = augmented(copy, settings(model), progress=lambda *step: told.append(step))
    assert again == after
    assert tree(copy) == files
    assert told == [("nothing new to augment", 1, 1)]
    # How fast it goes is no part of what it is.
    assert augmented(copy, settings(model, translation={"models": [str(model)], "threads": 2})) == after


@pytest.mark.slow
def test_two_workers_and_another_place_give_the_same_bytes(made: Made, model: Path, tmp_path: Path) -> None:
    root, _, _, _ = made
    natural(tmp_path / "other")
    augmented(tmp_path / "other", settings(model), workers=2)
    assert tree(tmp_path / "other") == tree(root)


def test_other_settings_replace_the_layer(made: Made, model: Path, tmp_path: Path) -> None:
    root, before, _, _ = made
    copy = tmp_path / "corpus"
    shutil.copytree(root, copy)
    budget = {"below_share": None, "least_bytes": 100, "total_share": None, "share": 0.3}
    after = augmented(copy, settings(model, budget=budget))
    assert (after.number, after.parent, after.goes_on_with) == (3, 2, 1)
    assert after.natural_text() == before.select("text")
    assert after.augmentation is not None
    assert all(path.split("/")[2].startswith("000003-") for path in after.augmentation.shards)
    assert after.ledger.read == before.ledger.read + after.augmentation.languages[SWAHILI].candidates
    assert after.languages[SWAHILI].synthetic_bytes <= 0.43 * before.languages[SWAHILI].bytes
    assert verify_corpus(str(copy)).ok


def test_prepare_append_goes_on_with_the_natural_text(made: Made, tmp_path: Path) -> None:
    root, before, _, _ = made
    copy = tmp_path / "corpus"
    shutil.copytree(root, copy)
    text = (
        "The keeper of the lighthouse counts the ships that pass in the fog and writes their names into a green book. "
        "Once a month a boat brings him bread, oil for the lamp and letters, which he reads aloud to his dog."
    )
    (tmp_path / "new.jsonl").write_text(json.dumps({"id": "new", "text": text}) + "\n")
    config = PREPARE.model_copy(update={"append": True})
    after = prepare([InputConfig(path=str(tmp_path / "new.jsonl"), name="in")], str(copy), config)
    assert (after.number, after.parent, after.goes_on_with) == (3, 2, 1)
    assert after.augmentation is None
    assert after.languages[SWAHILI] == before.languages[SWAHILI]
    assert after.languages[ENGLISH].documents == before.languages[ENGLISH].documents + 1


def test_without_any_model_one_error_says_so(made: Made) -> None:
    root, _, _, _ = made
    files = tree(root)
    with pytest.raises(ConfigurationError, match=r"names no translation model. Fetch one with `evenglot models fetch`"):
        augmented(root, settings(root, translation={}))
    assert tree(root) == files


def test_a_language_that_no_model_reaches_is_skipped_and_said(made: Made, model: Path, tmp_path: Path) -> None:
    copy = tmp_path / "corpus"
    natural(
        copy,
        english=8,
        more=[{"id": f"d{n}", "lang": "de", "text": text} for n, text in enumerate(texts("deu_Latn", 6))],
    )
    config = settings(model, languages=[SWAHILI, "deu_Latn"], back_translation={"sources": [ENGLISH]})
    after = augmented(copy, config)
    assert after.augmentation is not None
    found = after.augmentation.languages
    assert found[SWAHILI].kept > 0
    assert (found["deu_Latn"].budget, found["deu_Latn"].candidates) == (0, 0)
    assert found["deu_Latn"].why.endswith("; but no method can make any")
    assert [text for text in after.warnings if text.startswith("deu_Latn: no model translates into German")]


def test_without_fit_parents_nothing_is_made_and_a_warning_says_so(model: Path, tmp_path: Path) -> None:
    natural(tmp_path / "corpus", english=6)
    after = augmented(tmp_path / "corpus", settings(model, parents={"min_bytes": 10_000}))
    assert after.augmentation is not None
    assert (after.augmentation.shards, after.added) == ((), Ledger(read=0, kept={}, rejected={}, unreadable={}))
    assert "no document of eng_Latn may be a parent: look at `augment.parents` (quality, length)" in after.warnings
    assert verify_corpus(str(tmp_path / "corpus")).ok


def test_settings_of_the_natural_text_judge_synthetic_text(tmp_path: Path, model: Path) -> None:
    natural(tmp_path / "corpus", english=20)
    snapshot = read_snapshot(str(tmp_path / "corpus"))
    strict = {**snapshot.thresholds, SWAHILI: {**snapshot.thresholds[SWAHILI], "min_words": 10_000.0}}
    (tmp_path / "corpus/snapshots/000001.json").write_text(
        snapshot.model_copy(update={"thresholds": strict}).model_dump_json()
    )
    after = augmented(tmp_path / "corpus", settings(model))
    assert after.added is not None
    assert after.augmentation is not None
    assert after.added.kept == {}
    assert set(after.added.rejected) == {"filter/too_short"}
    assert after.thresholds == strict
    assert after.augmentation.shards == ()
