"""The demo corpus: what is committed is what the texts give, and it has the shape the demo is about."""

from __future__ import annotations

import csv
import gzip
import io
import json
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("warcio", reason="the demo's web file is read with warcio (extra 'pipeline')")

from warcio.archiveiterator import ArchiveIterator

from corpus.tags import is_tag, script_of, to_tag
from evenglot.demo import build_sample

SAMPLE = build_sample.SAMPLE
FILES = (build_sample.NEWS, build_sample.STORIES, build_sample.LETTERS, build_sample.NOTES, build_sample.WEB)
KINDS = {
    "wrong_lang": len(build_sample.WRONG),
    "lang_code_variant": len(build_sample.VARIANTS),
    "lang_unknown": len(build_sample.UNKNOWN),
    "html_markup": 8,
    "mojibake": 5,
    "control_chars": 6,
    "nfd": 4,
    "pii": 7,
    "junk": 10,
    "near_copy": 8,
    "truncated_json": 2,
    "invalid_utf8": 2,
    "not_record": 2,
    "blank_line": 1,
    "missing_text": 2,
    "empty_text": 2,
    "non_string_text": 2,
    "duplicate_id": 2,
}


def _content(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


@pytest.fixture(scope="module")
def documents() -> dict[str, list[str]]:
    return build_sample.authored()


@pytest.fixture(scope="module")
def truth() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SAMPLE / build_sample.TRUTH).read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def raw() -> dict[str, list[Any]]:
    """The records of each committed file: bytes of a line, rows of the table, texts of web pages."""
    table = list(csv.DictReader(io.StringIO((SAMPLE / build_sample.LETTERS).read_text("utf-8"))))
    with (SAMPLE / build_sample.WEB).open("rb") as stream:
        pages = [record.content_stream().read() for record in ArchiveIterator(stream)]
    lines = {
        name: _content(SAMPLE / name).removesuffix(b"\n").split(b"\n")
        for name in (build_sample.NEWS, build_sample.STORIES, build_sample.NOTES)
    }
    return {**lines, build_sample.LETTERS: table, build_sample.WEB: pages}


def test_committed_files_are_what_the_texts_give(documents: dict[str, list[str]], tmp_path: Path) -> None:
    build_sample.write(build_sample.compose(documents), tmp_path)
    for name in (*FILES, build_sample.TRUTH):
        assert _content(tmp_path / name) == _content(SAMPLE / name), f"{name}: run python -m evenglot.demo.build_sample"


def test_languages_scripts_and_skew(documents: dict[str, list[str]]) -> None:
    sizes = {tag: sum(len(text.encode()) for text in texts) for tag, texts in documents.items() if tag != "zxx"}
    total = sum(sizes.values())
    counts = {tag: len(documents[tag]) for tag in sizes}
    assert all(is_tag(tag) and to_tag(tag) == tag for tag in sizes)
    assert len(sizes) >= 14
    assert len({script_of(tag) for tag in sizes}) >= 7
    assert 0.5 <= sizes["eng_Latn"] / total <= 0.7
    assert sum(0.03 <= size / total <= 0.09 for size in sizes.values()) >= 4
    assert sum(6 <= count <= 14 and sizes[tag] / total < 0.03 for tag, count in counts.items()) >= 6
    assert total >= 230_000
    assert min(counts.values()) >= 6


def test_texts_are_distinct_composed_and_of_document_length(documents: dict[str, list[str]]) -> None:
    texts = [text for tag, some in documents.items() if tag != "zxx" for text in some]
    assert len(set(texts)) == len(texts)
    for text in texts:
        assert unicodedata.is_normalized("NFC", text), text[:60]
        assert 90 <= len(text) <= 2000, text[:60]
    sentences: defaultdict[str, int] = defaultdict(int)
    for text in texts:
        for sentence in text.split(". "):
            sentences[sentence] += len(sentence) > 40
    assert max(sentences.values()) == 1, "a sentence is used twice"


def test_truth_names_every_record_once(truth: list[dict[str, Any]], raw: dict[str, list[Any]]) -> None:
    places = [(record["file"], record["line"]) for record in truth]
    assert len(set(places)) == len(places)
    for name, records in raw.items():
        first = 2 if name == build_sample.LETTERS else 1
        lines = sorted(line for file, line in places if file == name)
        assert lines == list(range(first, first + len(records))), name


def test_planted_kinds(truth: list[dict[str, Any]]) -> None:
    kinds = Counter(record["kind"] for record in truth)
    clean = kinds.pop("clean")
    copies = kinds.pop("copy")
    assert kinds == KINDS
    assert clean > len(truth) / 2
    assert 0.04 <= copies / len(truth) <= 0.06
    assert sum(record.get("boilerplate", False) for record in truth) >= 5


def test_every_tiny_language_keeps_enough_usable_documents(truth: list[dict[str, Any]]) -> None:
    lost = {"truncated_json", "invalid_utf8", "missing_text", "empty_text", "non_string_text", "copy", "near_copy"}
    usable = Counter(record["lang"] for record in truth if record["kind"] not in lost and record["lang"] != "zxx")
    assert min(usable.values()) >= 6


def test_defects_are_in_the_files(truth: list[dict[str, Any]], raw: dict[str, list[Any]]) -> None:
    seen: Counter[str] = Counter()
    ids = Counter(
        json.loads(line)["id"]
        for record in truth
        if record["kind"] not in ("truncated_json", "invalid_utf8", "not_record", "blank_line")
        and record["file"] == build_sample.NEWS
        for line in [raw[build_sample.NEWS][record["line"] - 1]]
    )
    for record in truth:
        if record["file"] not in build_sample.JSON_FILES:
            continue
        line = raw[record["file"]][record["line"] - 1]
        kind = record["kind"]
        seen[kind] += 1
        if kind == "invalid_utf8":
            with pytest.raises(UnicodeDecodeError):
                line.decode()
        elif kind == "truncated_json":
            with pytest.raises(json.JSONDecodeError):
                json.loads(line.decode(errors="replace"))
        elif kind == "blank_line":
            assert line == b""
        elif kind == "not_record":
            assert not isinstance(json.loads(line), dict)
        elif kind == "missing_text":
            assert "text" not in json.loads(line)
        elif kind == "empty_text":
            assert not json.loads(line)["text"].strip()
        elif kind == "non_string_text":
            assert not isinstance(json.loads(line)["text"], str)
        elif kind == "duplicate_id":
            assert ids[json.loads(line)["id"]] == 2
            assert record["of"] == record["id"] == json.loads(line)["id"]
        elif kind in ("wrong_lang", "lang_code_variant", "lang_unknown"):
            assert json.loads(line).get("lang") == record["declared"] != record["lang"]
            if kind == "lang_code_variant":
                assert to_tag(record["declared"]) == record["lang"]
        elif kind == "html_markup":
            text = json.loads(line)["text"]
            assert ("<" in text and ">" in text) or ("&" in text and ";" in text)
        elif kind == "control_chars":
            assert chr(int(record["char"][2:], 16)) in json.loads(line)["text"]
        elif kind == "nfd":
            assert not unicodedata.is_normalized("NFC", json.loads(line)["text"])
        elif kind == "pii":
            assert record["value"] in json.loads(line)["text"]
        else:
            assert isinstance(json.loads(line)["text"], str)
    assert seen["wrong_lang"] >= 4
    assert seen["truncated_json"] == seen["invalid_utf8"] == 2


def test_mojibake_can_be_undone(truth: list[dict[str, Any]], documents: dict[str, list[str]]) -> None:
    items = {item.id: item for item in build_sample.compose(documents)}
    damaged = [record for record in truth if record["kind"] == "mojibake"]
    for record in damaged:
        codec = record["how"].rsplit(" ", 1)[1]
        text = items[record["id"]].text
        original = documents[record["lang"]][int(record["id"].split("-")[1]) - 1]
        assert text != original
        assert text.encode(codec).decode() == original


def test_copies_have_their_original(truth: list[dict[str, Any]], documents: dict[str, list[str]]) -> None:
    items = {item.id: item for item in build_sample.compose(documents)}
    authored = {text for texts in documents.values() for text in texts}
    for record in truth:
        if record["kind"] == "copy":
            plain = _without_boilerplate(items[record["id"]].text)
            assert plain == _without_boilerplate(items[record["of"]].text)
            assert plain in authored
        elif record["kind"] == "near_copy":
            first = _without_boilerplate(items[record["of"]].text).split(". ")[0]
            assert first in items[record["id"]].text
            assert _without_boilerplate(items[record["id"]].text) not in authored


def test_package_data_is_small() -> None:
    folders = (build_sample.TEXTS, SAMPLE)
    assert sum(path.stat().st_size for folder in folders for path in folder.iterdir()) < 750_000


def test_a_language_too_small_for_the_plan_is_an_error() -> None:
    with pytest.raises(ValueError, match="write more texts"):
        build_sample.compose({"eng_Latn": ["A text."]})


def _without_boilerplate(text: str) -> str:
    return "\n".join(line for line in text.split("\n") if line not in build_sample.BOILERPLATE)
