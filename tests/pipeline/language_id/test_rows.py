from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
import zstandard

from corpus.errors import InputError
from corpus.tags import UnknownLanguage
from pipeline.language_id.rows import BrokenLine, RowAccount, RowFields, read_rows

LINES = [
    '{"text": "Habari ya asubuhi", "lang": "sw", "doc": "d1", "source": "radio"}',
    '{"text": "Cafe\\u0301 noir", "lang": "__label__fra_Latn"}',
    '{"text": "broken',
    '{"text": "Good morning", "lang": "unknown"}',
    '{"text": "Good morning"}',
    '{"text": "Good morning", "lang": "q9-unheard-of"}',
    '{"text": "  ", "lang": "en"}',
    '{"lang": "en"}',
    '{"text": "12 € --", "lang": "zxx", "doc": 7}',
]


def test_every_row_is_used_or_counted(tmp_path: Path) -> None:
    path = tmp_path / "set" / "rows.jsonl.gz"
    path.parent.mkdir()
    path.write_bytes(gzip.compress("\n".join(LINES).encode() + b"\n"))
    account = RowAccount()
    (rows,) = read_rows([str(path)], account, RowFields(group="doc", source="source"))
    assert rows.texts == ["Habari ya asubuhi", "Caf\u00e9 noir", "12 € --"]
    assert rows.tags == ["swh_Latn", "fra_Latn", "zxx"]
    assert rows.groups == ["d1", None, "7"]
    assert rows.sources == ["radio", None, None]
    assert rows.origin == "set/rows.jsonl.gz"
    assert account.read == 9
    assert account.labelled == 3
    assert account.unlabelled == {"": 1, "q9-unheard-of": 1, "unknown": 1}
    assert account.without_text == {"empty_text": 1, "missing_text": 1}
    assert account.broken == {"truncated_json": 1}
    (bad,) = account.broken_lines
    assert bad == BrokenLine(str(path), 3, "truncated_json", bad.detail)
    assert account.as_dict()["unlabelled"] == 3
    assert account.as_dict()["broken_lines"][0]["line"] == 3
    total = account.labelled + account.unlabelled.total() + account.without_text.total() + account.broken.total()
    assert total == account.read


def test_plain_text_gets_the_label_that_is_given_and_base_files_do_not(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("Ŋdi na mi\nMía dogo\n", encoding="utf-8")
    (tmp_path / "base.jsonl").write_text('{"text": "Good morning"}\n{"text": "Bonjour", "lang": "fr"}\n')
    account = RowAccount()
    found = list(read_rows([str(tmp_path / "own.txt")], account, lang="ewe", base=[str(tmp_path / "base.jsonl")]))
    assert [(rows.texts, rows.tags) for rows in found] == [
        (["Ŋdi na mi", "Mía dogo"], ["ewe_Latn", "ewe_Latn"]),
        (["Bonjour"], ["fra_Latn"]),
    ]
    assert account.unlabelled == {"": 1}


def test_other_field_names_and_zstd(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.zst"
    path.write_bytes(zstandard.compress(json.dumps({"content": "Moien", "language": "lb"}).encode()))
    (rows,) = read_rows([str(path)], RowAccount(), RowFields("content", "language"))
    assert (rows.texts, rows.tags) == (["Moien"], ["ltz_Latn"])


def test_nothing_to_use_is_said_with_what_was_seen(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "a b c", "lang": "q9-unheard-of"}\n{"text": "d e f"}\n')
    with pytest.raises(InputError, match=r"none of the 2 rows read has .* 2 have no label or 'q9-unheard-of'"):
        list(read_rows([str(path)], RowAccount()))


def test_a_label_for_plain_text_must_name_a_language(tmp_path: Path) -> None:
    with pytest.raises(UnknownLanguage, match="'nolang1' names no language"):
        list(read_rows([str(tmp_path / "a.txt")], RowAccount(), lang="nolang1"))
