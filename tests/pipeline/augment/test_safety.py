"""What must never happen: held-out text made again, text in the wrong language, text of what must not be a parent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from corpus.manifest import Snapshot
from evenglot.verify.corpus_files import verify_corpus
from tests.pipeline.augment.augmented import SWAHILI, augmented, natural, rows_of, settings, texts

_OFF = (
    "min_language",
    "min_script",
    "max_repetition",
    "max_copy_rate",
    "max_length_deviation",
    "max_truncated",
    "min_numbers",
    "min_round_trip",
    "min_score",
)
OPEN_GATES = {**dict.fromkeys(_OFF), "quality_quantile": 0}
PLANTS = 5
FILLER = (
    "Mvuvi mzee alitengeneza nyavu zake ufukweni huku mawimbi yakipiga miamba, na mjukuu wake akamhesabia samaki "
    "waliokauka juani tangu asubuhi, kisha wakapika uji wa mtama kwa kuni za mwembe."
)


def parents() -> list[dict[str, str]]:
    """English documents of one sentence each, whose translations are planted."""
    some = texts("eng_Latn", 80)[60:]
    rows = []
    for number in range(PLANTS + 1):
        marker = f"PLANT{number}" if number < PLANTS else "UNTRANSLATABLE"
        body = " ".join(some[number + 11].replace(".", ",").replace("?", ",").replace("!", ",").split()[:40])
        rows.append({"id": marker, "lang": "en", "text": f"{body} and then somebody said {marker} to the others."})
    return rows


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory, model: Path) -> tuple[Path, Snapshot, Snapshot, list[str]]:
    """A corpus whose translator gives held-out and foreign text for some parents."""
    root = tmp_path_factory.mktemp("safety") / "corpus"
    before = natural(root, english=14, more=parents(), split={"heldout_share": 0, "heldout_min_documents": 2})
    held = [row["text"] for row in rows_of(root, before) if row["split"] == "heldout" and row["lang"] == SWAHILI]
    words = held[0].split()
    texts_planted = [
        held[0],
        " ".join([*words[:10], "kumbe", *words[11:]]),
        f"{held[1]} {FILLER}",
        " ".join(texts("afr_Latn", 1)[0].split()[:45]),
        "Hello, this is the same English text as it was before, and nobody has translated any of it into Swahili.",
    ]
    names = root.parent / "plants.json"
    names.write_text(json.dumps(texts_planted))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVENGLOT_TEST_PLANTS", str(names))
        budget = {"share": 0.9, "below_share": None, "least_bytes": 100, "total_share": None}
        after = augmented(root, settings(model, budget=budget, gates=OPEN_GATES, naturalness={"enabled": False}))
    return root, before, after, texts_planted


Planted = tuple[Path, Snapshot, Snapshot, list[str]]


def fates(planted: Planted) -> dict[str, dict[str, Any]]:
    """The candidate of every planted parent, by the parent's key."""
    root, before, after, _ = planted
    keys = {row["id"]: row["key"] for row in rows_of(root, before)}
    found = {}
    for kind in ("text", "rejected"):
        for row in rows_of(root, after, kind):
            if row["provenance"] is not None:
                found[keys[row["parent"]]] = {"stage": "kept", "reason": None, **row}
    return {key: row for key, row in found.items() if not key.startswith("eng")}


def test_every_planted_text_is_rejected_for_what_it_is(planted: Planted) -> None:
    found = fates(planted)
    assert {key: f"{row['stage']}/{row['reason']}" for key, row in found.items()} == {
        "PLANT0": "deduplicate/exact_duplicate",
        "PLANT1": "deduplicate/near_duplicate",
        "PLANT2": "gates/like_heldout",
        "PLANT3": "gates/wrong_language",
        "PLANT4": "gates/wrong_language",
        "UNTRANSLATABLE": "gates/untranslated",
    }
    assert found["PLANT3"]["lang"] == SWAHILI
    assert "afr_Latn" in found["PLANT3"]["detail"]
    assert "made for swh_Latn" in found["PLANT3"]["detail"]


def test_a_duplicate_names_the_held_out_document(planted: Planted) -> None:
    root, before, _, texts_planted = planted
    held = {row["id"]: row["text"] for row in rows_of(root, before) if row["split"] == "heldout"}
    found = fates(planted)
    assert held[found["PLANT0"]["duplicate_of"]] == texts_planted[0]
    assert held[found["PLANT1"]["duplicate_of"]] == texts_planted[0]
    assert found["PLANT1"]["detail"].startswith("jaccard 0.")


def test_rejected_candidates_keep_their_text_parent_and_provenance(planted: Planted) -> None:
    _, _, _, texts_planted = planted
    found = fates(planted)
    for number in range(PLANTS):
        row = found[f"PLANT{number}"]
        assert row["text"] == texts_planted[number]
        assert json.loads(row["provenance"])["method"] == "back_translation"
        assert row["file"].startswith("text/eng_Latn/000001-train-")
    assert found["UNTRANSLATABLE"]["text"] == ""
    assert "untranslated 1" in found["UNTRANSLATABLE"]["detail"]


def test_held_out_text_is_no_parent_and_stays_as_it_is(planted: Planted) -> None:
    root, before, after, _ = planted
    held = {row["id"] for row in rows_of(root, before) if row["split"] == "heldout"}
    made = [row for kind in ("text", "rejected") for row in rows_of(root, after, kind) if row["provenance"] is not None]
    assert held
    assert len(made) > PLANTS
    assert not held & {row["parent"] for row in made}
    one, two = ([file for file in state.select("text") if file.split == "heldout"] for state in (before, after))
    assert one == two


def test_the_corpus_and_its_ledger_are_whole(planted: Planted) -> None:
    root, _, after, _ = planted
    assert after.augmentation is not None
    assert after.augmentation.languages[SWAHILI].dropped_sentences == {"untranslated": 1}
    assert verify_corpus(str(root)).ok


def test_the_index_has_no_synthetic_documents(planted: Planted) -> None:
    _, before, after, _ = planted
    assert after.select("index") == before.select("index")
    assert sum(file.rows for file in after.select("index")) == before.ledger.kept_total
