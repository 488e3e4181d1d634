"""Evaluation files of several formats as items."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from corpus.errors import ConfigurationError, InputError
from pipeline.decontaminate.config import DecontaminateConfig
from pipeline.decontaminate.items import file_labels, normal_items, read_evaluation
from pipeline.language_id.stage import IdentifyStage
from pipeline.normalise.stage import NormaliseStage
from pipeline.sources import FieldsConfig, InputConfig


def write(folder: Path) -> tuple[InputConfig, InputConfig]:
    (folder / "qa.jsonl").write_text(
        json.dumps({"qid": 7, "question": "Where does the river rise?", "lang": "en"})
        + "\n"
        + json.dumps({"qid": 8, "question": "  "})
        + '\n{"qid": 9\n',
        encoding="utf-8",
    )
    (folder / "flat.txt").write_text("erste Zeile\nzweite Zeile\n", encoding="utf-8")
    return (
        InputConfig(path=str(folder / "qa.jsonl"), fields=FieldsConfig(text="question", id="qid")),
        InputConfig(path=str(folder / "flat.txt"), lang="deu", name="flat"),
    )


def test_records_become_items_and_what_has_no_text_is_counted(tmp_path: Path) -> None:
    evaluation = read_evaluation(DecontaminateConfig(files=write(tmp_path)))
    assert [(f.label, f.records, f.without_text) for f in evaluation.files] == [("qa.jsonl", 3, 2), ("flat", 2, 0)]
    assert evaluation.items.to_pylist() == [
        {"file": 0, "id": "7", "text": "Where does the river rise?", "declared_lang": "en"},
        {"file": 1, "id": "#0", "text": "erste Zeile", "declared_lang": "deu"},
        {"file": 1, "id": "#12", "text": "zweite Zeile", "declared_lang": "deu"},
    ]


def test_the_identity_follows_the_content_not_the_place(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    first = read_evaluation(DecontaminateConfig(files=write(tmp_path / "one"))).identity
    files = write(tmp_path / "two")
    assert read_evaluation(DecontaminateConfig(files=files)).identity == first
    (tmp_path / "two" / "flat.txt").write_text("erste Zeile\nzweite zeile\n", encoding="utf-8")
    changed = read_evaluation(DecontaminateConfig(files=files)).identity
    assert [label for label, _ in changed] == ["qa.jsonl", "flat"]
    assert (changed[0] == first[0], changed[1] == first[1]) == (True, False)


def test_a_missing_file_and_a_missing_field_are_named(tmp_path: Path) -> None:
    qa, _ = write(tmp_path)
    with pytest.raises(InputError, match=r"nowhere\.jsonl"):
        read_evaluation(DecontaminateConfig(files=(InputConfig(path=str(tmp_path / "nowhere.jsonl")),)))
    with pytest.raises(InputError, match="has a field 'answer'"):
        read_evaluation(DecontaminateConfig(files=(qa.model_copy(update={"fields": FieldsConfig(text="answer")}),)))


def test_labels_tell_entries_apart() -> None:
    entries = [
        InputConfig(path="a/test.jsonl"),
        InputConfig(path="a/qa.jsonl", fields=FieldsConfig(text="question")),
        InputConfig(path="a/qa.jsonl", fields=FieldsConfig(text="answer")),
        InputConfig(path="b/test.jsonl"),
        InputConfig(path="b/test.jsonl", name="named"),
    ]
    assert file_labels(entries) == [
        "a/test.jsonl:text",
        "qa.jsonl:question",
        "qa.jsonl:answer",
        "b/test.jsonl:text",
        "named",
    ]
    with pytest.raises(ConfigurationError, match="twice"):
        file_labels([entries[0], entries[0]])


def test_items_are_repaired_and_get_the_declared_language_or_the_one_found() -> None:
    items = pa.Table.from_pydict(
        {
            "file": pa.array([0, 0], pa.int32()),
            "id": ["a", "b"],
            "text": [
                "cafe\u0301 <b>au</b> <i>lait</i>",
                "Der alte Schreiner arbeitet noch jeden Tag in seiner Werkstatt.",
            ],
            "declared_lang": ["swh", None],
        }
    )
    batch = normal_items(items, [NormaliseStage()], IdentifyStage())
    assert batch.column("text").to_pylist()[0] == "café au lait"
    assert batch.column("lang").to_pylist() == ["swh_Latn", "deu_Latn"]
