from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from pipeline.sources.batch import BatchBuilder
from pipeline.sources.config import FieldsConfig, InputConfig
from pipeline.sources.fields import ABSENT, Mapper, has_visible, peek, take, to_json


def mapped(record: dict[str, Any], config: InputConfig | None = None, **options: bool) -> BatchBuilder:
    builder = BatchBuilder("f")
    Mapper(config or InputConfig(path="x"), **options).add(builder, record, 7)
    return builder


def test_fields_go_to_their_columns_and_the_rest_to_meta() -> None:
    record = {"id": "a", "lang": "swh", "url": "u", "text": "habari", "score": 0.5, "tags": ["x"]}
    assert mapped(record).rows == [("a", "habari", "swh", "u", '{"score":0.5,"tags":["x"]}', 7)]


def test_absent_fields_are_null() -> None:
    assert mapped({"text": "x"}).rows == [(None, "x", None, None, None, 7)]
    assert mapped({"text": "x", "id": None, "lang": None, "url": None}).rows == [(None, "x", None, None, None, 7)]


def test_an_empty_id_is_none_but_an_empty_language_stays_as_declared() -> None:
    assert mapped({"text": "x", "id": "", "lang": ""}).rows == [(None, "x", "", None, None, 7)]


def test_other_names_and_dotted_paths() -> None:
    config = InputConfig(path="x", fields=FieldsConfig(text="doc.body", lang="meta.lang", id="n", url=None))
    record = {"doc": {"body": "hello", "title": "t"}, "meta": {"lang": "eng"}, "n": "1", "url": "kept"}
    assert mapped(record, config).rows == [("1", "hello", "eng", None, '{"doc":{"title":"t"},"url":"kept"}', 7)]


def test_a_field_with_a_dot_in_its_name_wins() -> None:
    record: dict[str, Any] = {"meta.lang": "a", "meta": {"lang": "b"}}
    assert take(record, "meta.lang") == "a"
    assert record == {"meta": {"lang": "b"}}
    assert peek(record, "meta.lang") == "b"
    assert peek(record, "meta.lang.x") is ABSENT
    assert peek({"meta": "lang"}, "meta.lang") is ABSENT


def test_an_object_that_becomes_empty_goes_too() -> None:
    record: dict[str, Any] = {"a": {"b": {"c": 1}, "d": 2}}
    assert take(record, "a.b.c") == 1
    assert record == {"a": {"d": 2}}
    assert take(record, "a.b.c") is ABSENT


def test_a_constant_language_fills_in_where_none_is_declared() -> None:
    config = InputConfig(path="x", lang="hau_Latn")
    assert mapped({"text": "x"}, config).rows[0][2] == "hau_Latn"
    assert mapped({"text": "x", "lang": "en"}, config).rows[0][2] == "en"


def test_identifiers_of_other_types_become_strings_and_stay_in_meta() -> None:
    record = {"id": 5, "lang": ["en"], "url": {"a": 1}, "text": "x"}
    assert mapped(record).rows == [("5", "x", None, None, '{"id":5,"lang":["en"],"url":{"a":1}}', 7)]
    config = InputConfig(path="x", fields=FieldsConfig(id="a.b"))
    assert mapped({"a": {"b": 5}, "text": "x"}, config).rows == [("5", "x", None, None, '{"a":{"b":5}}', 7)]
    assert mapped({"id": True, "text": "x"}).rows == [(None, "x", None, None, '{"id":true}', 7)]


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\t\u00a0\u3000", "\u00a0\u200b", "\ufeff", "\x00\x07"])
def test_text_without_a_visible_character_is_empty(text: str) -> None:
    assert not has_visible(text)
    builder = mapped({"id": "a", "text": text})
    assert (builder.rows, builder.rejected) == ([], [(("a", text, None, None, None, 7), "empty_text", None)])


@pytest.mark.parametrize("text", ["a", " .", "\u200bक्", "🙂", "\u0301", "\ue000"])
def test_text_with_a_visible_character_is_not(text: str) -> None:
    assert has_visible(text)


def test_missing_and_non_string_text() -> None:
    assert mapped({"id": "a", "x": 1}).rejected == [
        (("a", None, None, None, '{"x":1}', 7), "missing_text", "no field 'text'")
    ]
    assert [reason[1:] for reason in mapped({"text": 42}).rejected] == [("non_string_text", "42")]
    assert [reason[1:] for reason in mapped({"text": ["a", "b"]}).rejected] == [("non_string_text", '["a","b"]')]
    # A JSON object can leave a field out, so null is a value of the wrong type; a column cannot.
    assert [reason[1:] for reason in mapped({"text": None}).rejected] == [("non_string_text", "null")]
    assert [reason[1] for reason in mapped({"text": None}, null_is_missing=True).rejected] == ["missing_text"]


def test_to_json_takes_anything_a_column_can_hold() -> None:
    value = {"d": date(2024, 2, 29), "n": Decimal("1.10"), "b": b"abc", "x": b"\xff\xfe", "f": float("nan"), 1: 2}
    assert json.loads(to_json(value)) == {"d": "2024-02-29", "n": "1.10", "b": "abc", "x": "//4=", "f": None, "1": 2}
    assert json.loads(to_json({"big": 2**70})) == repr({"big": 2**70})
    assert json.loads(to_json({"half": "\ud83d"})) == repr({"half": "\ud83d"})
