from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import ValidationError

from pipeline.sources.config import InputConfig


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("data/*.jsonl.zst", "data"),
        ("data/swa/**/*.jsonl", "swa"),
        ("data/part-*/x.jsonl", "data"),
        ("/abs/web/a.jsonl", "web"),
        ("web/", "web"),
        ("pages.jsonl.gz", "pages"),
        ("**/*.jsonl", "input"),
        ("../*.txt", "input"),
        ("s3://bucket/*.parquet", "bucket"),
        ("https://example.org/dumps/a.warc.gz", "dumps"),
    ],
)
def test_source_is_the_last_folder_without_a_wildcard(path: str, name: str) -> None:
    assert InputConfig(path=path).source == name


def test_source_of_a_dataset_is_its_own_name() -> None:
    assert InputConfig(path="someone/stories", format="dataset").source == "stories"


def test_a_given_name_wins() -> None:
    assert InputConfig(path="data/*.jsonl", name="stories").source == "stories"


@pytest.mark.parametrize(
    "wrong",
    [
        {"path": ""},
        {"path": "-"},
        {"path": "a", "format": "pdf"},
        {"path": "a", "lang": "elvish"},
        {"path": "a", "field": {"text": "body"}},
        {"path": "a", "fields": {"txt": "body"}},
        {"path": "a", "delimiter": ";;"},
        {"path": "a", "max_document_bytes": 10},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        InputConfig.model_validate(wrong)


def test_every_setting_is_described() -> None:
    undocumented = [name for name, field in InputConfig.model_fields.items() if not field.description]
    assert undocumented == []


def test_looking_at_a_recipe_loads_no_reader() -> None:
    heavy = ["datasets", "warcio", "torch", "apache_beam", "pyarrow.parquet"]
    code = f"import sys, pipeline.sources.config; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
