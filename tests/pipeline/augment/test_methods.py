"""Paraphrase, tags, variants and rare phenomena through the whole chain."""

from __future__ import annotations

import json
from pathlib import Path

from corpus.manifest import Snapshot
from evenglot.verify.corpus_files import verify_corpus
from tests.pipeline.augment.augmented import ENGLISH, SWAHILI, augmented, natural, rows_of, settings

BUDGET = {"share": 0.6, "below_share": None, "least_bytes": 100, "total_share": None, "paraphrase": 0.5}


def synthetic(root: Path, snapshot: Snapshot) -> list[dict[str, object]]:
    return [row for kind in ("text", "rejected") for row in rows_of(root, snapshot, kind) if row["provenance"]]


def test_variants_share_a_budget_and_a_tag_stands_before_their_texts(tmp_path: Path, model: Path) -> None:
    root = tmp_path / "corpus"
    before = natural(root, english=30)
    variants = [{"name": "beam"}, {"name": "tagged", "tag": "<BT> ", "decoding": {"beam_size": 1}, "weight": 1}]
    after = augmented(root, settings(model, back_translation={"variants": variants}))
    found = synthetic(root, after)
    said = [json.loads(str(row["provenance"])) for row in found]
    assert {one["variant"] for one in said} == {"beam", "tagged"}
    for row, one in zip(found, said, strict=True):
        assert str(row["text"]).startswith("<BT> ") == (one["variant"] == "tagged")
        assert one.get("tag") == ("<BT> " if one["variant"] == "tagged" else None)
        assert one["decoding"] == ({"beam_size": 1} if one["variant"] == "tagged" else {})
    parents = [row["parent"] for row in found]
    assert len(set(parents)) == len(parents)
    assert {row["id"] for row in rows_of(root, before)} >= set(parents)


def test_paraphrases_go_through_a_pivot_and_are_no_copies(tmp_path: Path, model: Path) -> None:
    root = tmp_path / "corpus"
    natural(root, english=12)
    config = settings(model, budget=BUDGET, paraphrase={"enabled": True}, back_translation={"enabled": False})
    after = augmented(root, config)
    found = synthetic(root, after)
    assert after.augmentation is not None
    assert after.augmentation.languages[SWAHILI].methods["paraphrase"].candidates == len(found) > 0
    for row in found:
        one = json.loads(str(row["provenance"]))
        assert (one["method"], one["models"]) == ("paraphrase", ["words@1", "words@1"])
        assert one["route"] == [SWAHILI, ENGLISH, SWAHILI]
        assert one["decoding"] == {"beam_size": 1, "sampling_topk": 10, "sampling_temperature": 0.8}
    kept = [row for row in found if row.get("stage") is None]
    assert kept
    for row in kept:
        assert (row["origin"], row["generator"]) == ("paraphrase", "words@1 > words@1")
        assert json.loads(str(row["provenance"]))["scores"]["distance"] > 0.1
    assert verify_corpus(str(root)).ok


def rare() -> list[dict[str, str]]:
    """Swahili documents, each with sentences of its own, a few of them with the letter x."""
    words = [
        "mti",
        "maji",
        "nyumba",
        "ndege",
        "samaki",
        "mlima",
        "barabara",
        "mtoto",
        "mwalimu",
        "jua",
        "mvua",
        "shamba",
        "ng'ombe",
        "kitabu",
        "meza",
        "dirisha",
    ]
    verbs = [
        "anaona",
        "analeta",
        "anauza",
        "anapika",
        "anajenga",
        "anasoma",
        "anapanda",
        "anafunga",
        "anatafuta",
        "anasafisha",
    ]
    rows = []
    for number in range(40):
        sentences = []
        for place in range(8):
            one, two, three = (words[(number * 7 + place * step) % len(words)] for step in (3, 5, 11))
            verb = verbs[(number * 3 + place) % len(verbs)]
            rarity = " xilofoni" if number % 10 == 0 and place == 3 else ""
            sentences.append(
                f"Kila siku {number + 2} {one} {verb} {two}{rarity} karibu na {three} ya {words[number % 16]}."
            )
        rows.append(
            {"id": f"rare-{number}", "lang": "sw", "text": " ".join(sentences), "url": f"https://s{number}.example/"}
        )
    return rows


def test_conspicuous_paraphrases_shrink_their_budget(tmp_path: Path, model: Path) -> None:
    root = tmp_path / "corpus"
    natural(root, english=3, more=rare(), filter={"enabled": False}, deduplicate={"near": {"enabled": False}})
    # Documents beside their own paraphrases, words by hash: nothing of their order or grammar is left.
    config = settings(
        model,
        budget={**BUDGET, "paraphrase": 0.8},
        calibration={"documents": 40},
        paraphrase={"enabled": True},
        back_translation={"enabled": False},
    )
    after = augmented(root, config)
    assert after.augmentation is not None
    found = after.augmentation.languages[SWAHILI]
    assert found.naturalness.measures["retranslated_auc"] > 0.95
    assert found.naturalness.share < 0.5
    assert found.naturalness.why.startswith("a classifier tells natural documents from the same ones")
    assert found.rejected["gates/naturalness"] == after.ledger.rejected["gates/naturalness"][SWAHILI] > 0
    assert not [row for row in synthetic(root, after) if row.get("stage") is None]


def test_sentences_with_rare_letters_are_inserted_without_any_model(tmp_path: Path) -> None:
    root = tmp_path / "corpus"
    filters = {"enabled": False}
    before = natural(root, english=3, more=rare(), filter=filters, deduplicate={"near": {"enabled": False}})
    config = settings(
        tmp_path,
        translation={},
        back_translation={"enabled": False},
        phenomena={"enabled": True, "ngrams": False, "inflections": False, "switches": False, "max_share": 0.5},
        budget={**BUDGET, "insertion": 0.5},
        naturalness={"enabled": False},
    )
    after = augmented(root, config)
    found = synthetic(root, after)
    assert after.augmentation is not None
    kept = [row for row in found if row.get("stage") is None]
    assert kept
    natural_ids = {row["id"] for row in rows_of(root, before) if row["split"] == "train"}
    for row in kept:
        assert (row["origin"], row["generator"]) == ("insertion", "evenglot-phenomena@1")
        assert row["parent"] in natural_ids
    counts = after.augmentation.phenomena[SWAHILI]["characters"]
    inserted = sum(sum(json.loads(str(row["provenance"]))["phenomena"].get("characters", {}).values()) for row in kept)
    assert counts.after == counts.before + inserted > counts.before
    assert verify_corpus(str(root)).ok
