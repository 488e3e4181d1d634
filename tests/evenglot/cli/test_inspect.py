"""``evenglot inspect`` as people and scripts call it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
BELL = "\x1b]0;x\x07"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus that ``prepare`` made: eight documents, one too short, two copies of one."""
    from pipeline.config import PrepareConfig
    from pipeline.prepare import prepare
    from pipeline.sources.config import InputConfig

    root = tmp_path_factory.mktemp("prepared")
    story = "The river rises in the hills and flows slowly past the old mill towards the sea, where boats wait."
    texts = [f"{story} It was the {number}th morning of the year, and nobody spoke a word." for number in range(8)]
    rows = [{"id": f"k{number}", "text": text, "url": "https://a.example/"} for number, text in enumerate(texts)]
    rows += [
        {"id": f"c{number}", "text": texts[0].replace(" ", "  "), "url": "https://b.example/"} for number in (1, 2)
    ]
    rows.append({"id": "short", "text": "The river rises in the hills.", "url": f"https://c.example/{BELL}"})
    (root / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = PrepareConfig(deduplicate={"near": {"enabled": False}})  # the stories differ in one word
    prepare(
        [InputConfig(path=str(root / "in.jsonl"))],
        str(root / "out"),
        config,
        workers=1,
        recipe={"prepare": config.model_dump(mode="json")},
    )
    return root / "out"


def result(cli: Run, *arguments: object) -> Any:
    found = cli("inspect", *arguments, "--json")
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def lines(cli: Run, *arguments: object) -> list[Any]:
    return [json.loads(line) for line in cli("inspect", *arguments, "--jsonl").stdout.splitlines()]


def test_reasons_with_their_counts(cli: Run, prepared: Path) -> None:
    shown = cli("inspect", prepared, "--rejected").stdout
    assert "3 of 11 records read were rejected" in shown
    assert "deduplicate/exact_duplicate" in shown
    assert "eng_Latn 2" in shown
    assert shown == cli("inspect", prepared, "--rejected", "all").stdout
    found = lines(cli, prepared, "--rejected", "--lang", "eng_Latn")
    assert [(one["name"], one["documents"]) for one in found][:1] == [("deduplicate/exact_duplicate", 2)]


def test_rejected_for_a_reason_with_the_numbers(cli: Run, prepared: Path) -> None:
    shown = cli("inspect", prepared, "--rejected", "too_short").stdout
    assert "1 of 1 documents rejected for filter/too_short" in shown
    assert "n_words 6 < min_words" in shown
    assert "--borderline min_words" in shown
    assert BELL not in shown
    assert r"\x1b]0;x\x07" in shown
    found = result(cli, prepared, "--rejected", "too_short")
    assert found["documents"][0]["decided"]["value"] == 6
    assert found["numbers"][0]["limit"] == "min_words"


def test_the_former_spelling_still_works(cli: Run, prepared: Path) -> None:
    for arguments in (("--rejected", "--reason", "too_short"), ("--reason", "too_short")):
        assert [row["key"] for row in result(cli, prepared, *arguments)["documents"]] == ["short"]


def test_narrowed_by_site_and_text(cli: Run, prepared: Path) -> None:
    assert result(cli, prepared, "--source", "a.example", "--limit", "2")["total"] == 8
    assert result(cli, prepared, "--contains", "6TH MORNING")["total"] == 1
    assert [row["key"] for row in lines(cli, prepared, "--rejected", "deduplicate", "--source", "b.example")] != []


def test_next_to_a_limit(cli: Run, prepared: Path) -> None:
    lang = result(cli, prepared)["languages"][0]["lang"]
    shown = cli("inspect", prepared, "--borderline", "min_words", "--lang", lang, "-n", "1").stdout
    assert "kept, nearest first" in shown
    assert "today" in shown
    (limit,) = lines(cli, prepared, "--borderline", "min_words", "--lang", lang)
    assert (limit["measured"], limit["rejected"][0]["key"]) == (8, "short")


def test_limits_and_clusters(cli: Run, prepared: Path) -> None:
    assert "the default, for want of documents" in cli("inspect", prepared, "--thresholds").stdout
    assert {one["limit"] for one in lines(cli, prepared, "--thresholds", "symbols")} == {
        "max_symbols",
        "min_alphabetic",
    }
    shown = cli("inspect", prepared, "--clusters").stdout
    assert "2 removed copies of 1 kept documents" in shown
    assert "the same words" in shown
    (cluster,) = lines(cli, prepared, "--clusters")
    assert (cluster["copies"], cluster["kept"]["url"], len(cluster["shown"])) == (2, "https://a.example/", 2)


def test_mixed(cli: Run, prepared: Path) -> None:
    found = result(cli, prepared, "--mixed")
    assert (found["total"], found["documents"]) == (0, [])
    shown = cli("inspect", prepared, "--mixed").stdout
    assert ("does not say where" in shown) != found["recorded"]


def test_boilerplate(cli: Run, prepared: Path) -> None:
    assert "no line was removed as boilerplate" in cli("inspect", prepared, "--boilerplate").stdout
    assert result(cli, prepared, "--boilerplate") | {"corpus": ""} == {
        "corpus": "", "snapshot": 1, "total": 0, "sites": 0, "different": 0, "shown": [],
    }  # fmt: skip
    refused = cli("inspect", prepared, "--boilerplate", "--lang", "eng_Latn")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "known by site, not by language" in refused.stderr


def test_one_document(cli: Run, prepared: Path) -> None:
    (short,) = lines(cli, prepared, "--rejected", "too_short")
    for option in ("--id", "--document", "-d"):
        assert result(cli, prepared, option, short["id"][:20])["document"]["key"] == "short"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--rejected", "too_shrt"), 4, "Did you mean 'too_short'"),
        (("--rejected", "urls"), 4, "nothing was rejected for 'urls'"),
        (("--borderline", "exact_duplicate"), 4, "'exact_duplicate' is decided by no limit"),
        (("--rejected", "--clusters"), 2, "--rejected and --clusters cannot be shown at once"),
        (("--limit", "0"), 2, "--limit"),
    ],
)
def test_mistakes(cli: Run, prepared: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    found = cli("inspect", prepared, *arguments)
    assert (found.returncode, found.stdout) == (code, "")
    assert said in found.stderr


def test_the_corpus_after_an_option_that_takes_a_reason(cli: Run, prepared: Path) -> None:
    found = cli("inspect", "--rejected", prepared)
    assert found.returncode == 2
    assert f"Put it first: `evenglot inspect {prepared} --rejected`" in found.stderr


@pytest.fixture(scope="module")
def augmented(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus with one synthetic document and one rejected candidate, both made from an English one."""
    import pyarrow as pa

    from corpus.augmentation import Augmentation, LanguageAugmentation
    from corpus.ledger import Ledger
    from corpus.manifest import LanguageEvidence, ShardFile, Snapshot, commit
    from corpus.schema import RECORD_SCHEMA, REJECTED_SCHEMA
    from corpus.shards import ShardWriter, conform
    from corpus.storage import Storage

    storage = Storage(tmp_path_factory.mktemp("augmented"))
    common = {"source": "demo", "copies": 1, "split": "train", "weight": 1.0}
    how = json.dumps({"method": "back_translation", "models": ["demo-eng-afr@1"], "scores": {"round_trip_chrf": 0.912}})
    parent = {"id": "a" * 32, "text": "The roof leaks.", "lang": "eng_Latn", "origin": "natural", **common}
    child = {
        "id": "b" * 32, "text": f"Die dak lek.{BELL}", "lang": "afr_Latn", "origin": "back_translation",
        "parent": "a" * 32, "generator": "demo-eng-afr@1", "provenance": how, **common,
    }  # fmt: skip
    bad = {
        "id": "c" * 32, "text": "Die die die.", "lang": "afr_Latn", "parent": "a" * 32, "provenance": how,
        "source": "demo", "file": "text/eng_Latn/000001-train-00000.arrow", "offset": 0, "stage": "gates",
        "reason": "repetition", "detail": "repetition 0.7 > max_repetition 0.3",
    }  # fmt: skip
    files = []
    for name, row, schema, kind in (
        ("text/eng_Latn/000001-train-00000.arrow", parent, RECORD_SCHEMA, "text"),
        ("text/afr_Latn/000002-train-00000.arrow", child, RECORD_SCHEMA, "text"),
        ("rejected/000002-00000.arrow", bad, REJECTED_SCHEMA, "rejected"),
    ):
        plain = pa.schema(
            [pa.field(f.name, f.type.value_type if pa.types.is_dictionary(f.type) else f.type) for f in schema]
        )
        with storage.create(name) as path, ShardWriter(path, schema) as writer:
            writer.write(conform(pa.RecordBatch.from_pylist([row], schema=plain), schema))
        lang = row["lang"] if kind == "text" else None
        files.append(ShardFile(path=name, kind=kind, lang=lang, split="train" if lang else None, rows=1))  # type: ignore[arg-type]
    about = LanguageAugmentation(
        natural_bytes=20, budget=20, candidates=2, kept=1, kept_bytes=12, rejected={"gates/repetition": 1}
    )
    snapshot = Snapshot(
        number=1, made_by="prepare", mixtures={}, mixture="unimax", files=files,
        languages={"eng_Latn": LanguageEvidence(documents=1, bytes=15), "afr_Latn": LanguageEvidence(documents=1)},
        ledger=Ledger(
            read=3, kept={"eng_Latn": 1, "afr_Latn": 1}, rejected={"gates/repetition": {"afr_Latn": 1}}, unreadable={}
        ),
        augmentation=Augmentation(fingerprint="f", languages={"afr_Latn": about}),
    )  # fmt: skip
    commit(storage, snapshot, {})
    return Path(storage.url)


def test_synthetic_documents_beside_their_parents(cli: Run, augmented: Path) -> None:
    shown = cli("inspect", augmented, "--synthetic").stdout
    assert "1 synthetic documents kept, 1 candidates rejected" in shown
    assert "gates/repetition 1" in shown
    assert "60%" in shown  # of the budget
    assert "The roof leaks." in shown
    assert r"Die dak lek.\x1b]0;x\x07" in shown
    assert BELL not in shown
    assert "by demo-eng-afr@1" in shown
    assert "round_trip_chrf 0.912" in shown
    assert "rejected: gates/repetition (repetition 0.7 > max_repetition 0.3)" in shown
    found = result(cli, augmented, "--synthetic", "kept")
    assert (found["kept_total"], found["rejected_total"]) == (1, 0)
    assert found["documents"][0]["parent_document"]["text"] == "The roof leaks."
    assert [row["id"][0] for row in lines(cli, augmented, "--synthetic", "repetition")] == ["c"]


def test_documents_by_origin_and_generator(cli: Run, augmented: Path) -> None:
    assert [row["id"][0] for row in lines(cli, augmented, "--origin", "natural")] == ["a"]
    assert [row["id"][0] for row in lines(cli, augmented, "--generator", "demo-eng")] == ["b"]
    assert "was made from" in cli("inspect", augmented, "--id", "bbb").stdout
    wrong = cli("inspect", augmented, "--origin", "robot")
    assert wrong.returncode != 0
    assert "'robot' is no origin" in wrong.stderr
    assert "back_translation" in wrong.stderr


def test_a_corpus_without_synthetic_text_says_so(cli: Run, prepared: Path) -> None:
    assert "this snapshot holds no synthetic text" in cli("inspect", prepared, "--synthetic").stdout
