"""Hostile input: the ledger closes, nothing crashes, every record is accounted for, and what is written can be read.

Records come from two sources: a corpus of nasty values, tried in every field, and strategies that combine and damage
them. One run takes all of them, so that they also meet each other in batches, sites and clusters.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from corpus.manifest import Snapshot, read_snapshot
from corpus.shards import read_table
from evenglot.verify.corpus_files import verify_corpus
from pipeline.config import PrepareConfig
from pipeline.prepare import prepare
from pipeline.sources import InputConfig

PLAIN: Final = (
    "The ferry leaves at nine, the bus at ten past; whoever misses both can walk along the shore to the town. "
)
SOUND: Final = (
    "My grandmother kept every letter she was ever sent, tied in bundles with blue string, and on winter evenings she "
    "would read one or two of them aloud to whoever happened to be there.",
    "The school on the hill has only twelve pupils this year, but it has a garden, a small telescope and a teacher who "
    "knows the name of every bird that comes to the window.",
)
TEXTS: Final[dict[str, str]] = {
    "empty": "",
    "white space": " \t\r\n\u00a0\u2003\u3000\u200b",
    "NUL": "a\0b" * 40,
    "controls": "".join(map(chr, range(32))) + "\x7f\x85\x9b" + PLAIN,
    "escape sequences": "\x1b[2J\x1b]0;title\x07" + PLAIN,
    "byte order marks": "\ufeff" + PLAIN + "\ufeff\ufffe",
    "non-characters": "\uffff\ufdd0\U0010ffff\U0001fffe" + PLAIN,
    "private use": "\ue000\uf8ff\U000f0000" * 30,
    "bidi controls": "\u202e" + PLAIN + "\u202c\u2066\u2067\u2068\u2069\u061c\u200e\u200f" * 9,
    "mixed directions": "שלום עולם " * 20 + PLAIN + "مرحبا بالعالم " * 20,
    "zalgo": "".join(letter + "\u0300\u0301\u0302\u0336\u0489" * 12 for letter in PLAIN),
    "only marks": "\u0301" * 5000,
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈👍🏽🇪🇺" * 60,
    "variation selectors": "".join(f"{letter}\ufe0f\U000e0100" for letter in PLAIN),
    "tags": "".join(chr(0xE0000 + ord(letter)) for letter in PLAIN),
    "line separators": "a\u2028b\u2029c\x0bd\x0ce\x1cf\x1dg\x1eh\x85i" * 30,
    "carriage returns": PLAIN + "\r" + PLAIN + "\r\n" + PLAIN + "\n\r" + PLAIN,
    "one word of a megabyte": "a" * (1 << 20),
    "one line of a megabyte": PLAIN * 10_000,
    "lines without end": "\n" * 50_000,
    "every line another": "\n".join(f"{number} {PLAIN}" for number in range(300)),
    "ligatures and widths": "ﬁﬂﬃ ＡＢＣ ①②③ ㌀ ﷺ" * 30,
    "no spaces": "不二法门" * 300,
    "unassigned": "\u0378\u0380\U00011fff" * 50,
    "mojibake twice": "Ã\x83Â©tÃ\x83Â© Ã¢â‚¬â„¢ " * 40,
    "open markup": "<p><div><script>alert(1)</script>&#0;&#x110000;&#xd800;&#99999999999;&amp;amp;lt; <" * 9,
    "nested markup": "<div>" * 3000,
    "entities": "&" * 3000 + "&nbsp" * 400,
    "expensive pattern": "a@" * 4000 + "1" * 4000 + "." * 4000,
    "addresses": "x" * 500 + "@" + "y." * 500 + "com 4111 1111 1111 1111 DE89370400440532013000 1.1.1.1",
    "spreadsheet": "=cmd|' /C calc'!A0",
    "percent": "%s%n%d{0}{}${x}$(x)`x`",
    "JSON in text": '{"id": "x", "text": "\\ud800"}\n{"text": "second"}',
    "separator of records": "\x1e\x1f\0\x1f",
    "Hangul jamo": "ᄒ" + "ᅡ" * 900 + "ᆫ",
    "Indic conjuncts": "क्" * 900 + "ष",
    "Tibetan stack": "ཀ" + "ྀ" * 900,
    "long numbers": "9" * 9000 + " " + PLAIN,
    "sound": PLAIN * 3,
}
VALUES: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 1.5, 1e308, 2**63, -(2**64), 10**40, [], {}, [None], [[["x"]]], {"": {"": {"": ""}}},
    {"text": "inner"}, ["a", 1, None], "", " ", "\0", "x" * 100_000, "../../../etc/passwd", "\u202eabc", "'; --",
)  # fmt: skip
LANGUAGES: Final[tuple[Any, ...]] = (
    "en", "EN-us", "eng_Latn", "zh", "xx", "zzz_Zzzz", "und", "", "a" * 5000, "en\0", "\ud83d\ude00", "i-klingon",
    "en_Latn_Latn", "art-lojban", "x-private", 5, None, ["en"], {"en": 1},
)  # fmt: skip
URLS: Final[tuple[Any, ...]] = (
    "http://[::1", "http://" + "a" * 100_000 + ".example/", "//", "http://user:p@ss@host:99999/", "javascript:x",
    "http://\u202eexample.com/\0", "http://xn--/", "http://host..example/", "mailto:a@b", "file:///etc/passwd", "http://",
    "HTTP://EXAMPLE.EXAMPLE:80/a", "https://\u0130.example", 7, None, [],
)  # fmt: skip
BYTES: Final[tuple[bytes, ...]] = (
    b"null", b"", b" ", b"\t\t", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xef\xbb\xbf{}", b"{", b"}", b"[", b"]", b"[]",
    b"{}", b"true", b"0",
    b'""', b'"', b"'", b'{"text"', b'{"text":', b'{"text":}', b'{"text": "a"', b'{"text": "a" "b"}',
    b'{"text": "a",}', b'{"text": "a"}}', b'{"text": "a"} {"text": "b"}', b"{'text': 'a'}", b'{text: "a"}',
    b'{"text": "a\x01b"}', b'{"text": "a\xc0\x80b"}', b'{"text": "a\xe0\x80\xafb"}', b'{"text": "a\xf4\x90\x80\x80"}',
    b'{"text": "\xed\xa0\x80"}', b'{"text": "a\xe2\x82', b'{"text": "\\ud800"}', b'{"text": "\\udc00\\ud800 abc"}',
    b'{"text": "\\u12"}', b'{"text": "\\x41"}', b'{"\\ud800": "a", "text": "b"}', b'{"text": "a", "text": "b"}',
    b'{"text": NaN}', b'{"text": Infinity, "id": -Infinity}', b'{"text": "a", "id": NaN}', b'{"text": "a", "n": 1e999}',
    b'{"text": "a", "n": ' + b"9" * 5000 + b"}", b'{"text": "a", "n": 0x10}', b'{"text": "a", "n": 01}',
    b'{"text": "a", "deep": ' + b"[" * 900 + b"]" * 900 + b"}",
    b'{"text": "a", "deep": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"a":' * 5000 + b"1" + b"}" * 5000, b'{"text": "a" /* comment */}', b'{"text": "a"} // comment',
    b"\x1f\x8b\x08\x00half of a gzip stream", b"\x28\xb5\x2f\xfdhalf of a zstd frame", b"PK\x03\x04", b"%PDF-1.7",
    b"WARC/1.0", b"<html><body>", b"id,text", b"a\x00b\x00c", bytes(range(11, 256)), b"\x80" * 5000,
    b"ARROW1", b'{"text": "' + b"a" * (1 << 20),
)  # fmt: skip
"""Lines as they may lie in a file; none holds a line feed."""


def value() -> st.SearchStrategy[Any]:
    """Anything JSON can hold."""
    leaves = st.one_of(st.sampled_from(VALUES), st.text(max_size=20), st.integers(), st.floats(allow_nan=True))
    return st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner))


def text() -> st.SearchStrategy[Any]:
    """A text of the corpus, some of them together, random characters, or something that is no text."""
    nasty = st.sampled_from([text for text in TEXTS.values() if len(text) < 30_000])
    free = st.text(alphabet=st.characters(), max_size=60)  # surrogates included
    return st.one_of(nasty, st.lists(st.one_of(nasty, free), max_size=4).map("".join), free, free.map(lambda t: t * 40))


def line() -> st.SearchStrategy[bytes]:
    """One line of a JSON lines file: a record, a damaged one, or rubbish."""
    names = st.sampled_from(["id", "text", "lang", "url", "meta", "", "other", "\0", "text "])
    fields = st.fixed_dictionaries(
        {"text": text() | value()},
        optional={
            "id": st.sampled_from(["a", "b", "c", "d"]) | value(),
            "lang": st.sampled_from(LANGUAGES) | st.text(max_size=8),
            "url": st.sampled_from(URLS) | st.text(max_size=30),
            "meta": value(),
        },
    )
    records = st.one_of(fields, fields, fields, fields, st.dictionaries(names, text() | value(), max_size=5), value())
    # Escaped, surrogates are sound JSON; written as they are, they are no UTF-8.
    lines = st.builds(
        lambda record, escaped: json.dumps(record, ensure_ascii=escaped).encode("utf-8", "surrogatepass"),
        records,
        st.booleans(),
    )
    damaged = st.builds(damage, lines, st.integers(0, 10_000), st.sampled_from(BYTES))
    return st.one_of(lines, lines, lines, lines, damaged, st.sampled_from(BYTES), st.binary(max_size=80)).map(one_line)


def damage(whole: bytes, at: int, insert: bytes) -> bytes:
    """A line cut off, or with something foreign in it."""
    at = at % (len(whole) + 1)
    return whole[:at] if len(insert) % 2 else whole[:at] + insert + whole[at:]


def one_line(content: bytes) -> bytes:
    """Without line feeds: those would make two of it."""
    return content.replace(b"\n", b" ")


def every_field() -> Iterator[bytes]:
    """Each nasty value in each field of an otherwise sound record, and the nasty lines."""
    for number, (name, nasty) in enumerate(TEXTS.items()):
        yield record(id=name, text=nasty)
        yield record(
            id=f"{name} in all fields", text=nasty, lang=nasty[:200], url=nasty[:2000], **{nasty[:50]: nasty[:90]}
        )
        yield record(id=nasty[:1000], text=f"{PLAIN} {number}")
    for field in ("id", "text", "lang", "url", "meta", "new"):
        for nasty in VALUES:
            yield record(**{"text": PLAIN, field: nasty})
    for lang in LANGUAGES:
        yield record(text=PLAIN, lang=lang)
    for url in URLS:
        yield record(text=PLAIN * 2, url=url)
    for text in SOUND:
        yield record(id="the same", text=text)
    yield from BYTES


def record(**fields: Any) -> bytes:
    return json.dumps(fields).encode("utf-8", "surrogatepass")


def hostile_lines(count: int) -> list[bytes]:
    """So many lines: all of the corpus, some that are sound, the others from the strategies.

    What is drawn depends, with this library, also on the constants of the modules loaded so far.
    """
    lines = [*every_field(), *sound_lines()]

    @settings(
        max_examples=max(1, count - len(lines)),
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(line())
    def gather(found: bytes) -> None:
        lines.append(found)

    gather()
    return lines


def sound_lines() -> list[bytes]:
    """Real text that has to stay."""
    texts = files("evenglot.demo").joinpath("texts", "eng_Latn.txt").read_text(encoding="utf-8")
    long = [text for text in texts.splitlines() if len(text) > 200]
    return [record(text=text) for text in long[:24]]


def write_files(lines: list[bytes], folder: Path) -> dict[str, int]:
    """The lines in files of several kinds; gives the records of each: lines, with a last empty one not counted."""
    folder.mkdir(parents=True)
    deal = [lines[start::6] for start in range(6)]
    written = {
        "plain.jsonl": b"\n".join(deal[0]) + b"\n",
        "no-last-line-end.jsonl": b"\n".join(deal[1]) + b'\n{"text": "the last line has no end"}',
        "crlf.jsonl": b"\r\n".join(deal[2]) + b"\r\n",
        "bom.jsonl": b"\xef\xbb\xbf" + b"\n".join([record(text=PLAIN), *deal[3]]) + b"\n",
    }
    counts = {name: content.count(b"\n") + (not content.endswith(b"\n")) for name, content in written.items()}
    for name, content in written.items():
        (folder / name).write_bytes(content)
    for name, content, compress in (
        ("packed.jsonl.gz", deal[4], lambda data: gzip.compress(data, 1)),
        ("packed.jsonl.zst", deal[5], lambda data: zstandard.compress(data, 1)),
    ):
        (folder / name).write_bytes(compress(b"\n".join(content) + b"\n"))
        counts[name] = len(content)
    return counts


def check(root: Path, snapshot: Snapshot) -> Counter[str]:
    """Everything that must hold of a corpus whatever it was made from; gives the reasons found."""
    snapshot.ledger.check()
    report = verify_corpus(str(root))
    assert report.ok, report.problems
    assert report.orphans == ()
    assert read_snapshot(str(root)) == snapshot
    rows: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    places: Counter[tuple[str, int]] = Counter()
    for file in snapshot.files:
        if file.kind == "unreadable":
            for raw in (root / file.path).read_bytes().splitlines():
                fields = json.loads(raw)
                reasons[fields["reason"]] += 1
                # What is behind a break in a compressed file begins at the place of the break.
                if fields["reason"] != "corrupt_file":
                    places[fields["file"], fields["offset"]] += 1
                rows["unreadable"] += 1
        elif file.path.endswith(".arrow"):
            table = read_table(root / file.path)
            table.validate(full=True)
            if file.kind in ("text", "rejected"):
                rows[file.kind] += table.num_rows
            if file.kind == "rejected":
                reasons.update(table.column("reason").to_pylist())
                places.update(zip(table.column("file").to_pylist(), table.column("offset").to_pylist(), strict=True))
    assert rows["text"] + rows["rejected"] + rows["unreadable"] == snapshot.ledger.read
    twice = [place for place, count in places.items() if count > 1]
    assert twice == [], "a record was set aside twice"
    ids = [i for file in snapshot.select("text") for i in read_table(root / file.path).column("id").to_pylist()]
    assert len(set(ids)) == len(ids)
    return reasons


CONFIG: Final = PrepareConfig.model_validate(
    {"fail_unreadable_share": 1.0, "batch_bytes": 1 << 18, "pii": {"enabled": True}, "split_bytes": 1 << 20}
)


@pytest.mark.parametrize("count", [1_500, pytest.param(10_000, marks=pytest.mark.slow)])
def test_ledger_closes_over_hostile_records(count: int, tmp_path: Path) -> None:
    lines = hostile_lines(count)
    assert len(lines) >= count * 0.95
    counts = write_files(lines, tmp_path / "in")
    root = tmp_path / "corpus"
    snapshot = prepare([InputConfig(path=str(tmp_path / "in"))], str(root), CONFIG)
    assert snapshot.ledger.read == sum(counts.values()), "every line is a record, whole or broken"
    reasons = check(root, snapshot)
    assert reasons["error"] == 0, "no stage fails on a record"
    expected = {"blank_line", "invalid_json", "invalid_utf8", "lone_surrogate", "not_a_record", "truncated_json"}
    expected |= {"empty_text", "missing_text", "non_string_text", "exact_duplicate", "repeated_id"}
    assert expected <= set(reasons)
    assert snapshot.ledger.kept_total > 10, "sound text among hostile text stays"


def csv_file(path: Path) -> None:
    rows = [
        b"id,text,lang",
        b'1,"unpaired,en',
        b"2,a,b,c,d,e",
        b'3,"a ""quoted"" text",en',
        b"4",
        b"\0,\0,\0",
        b'5,"x"y,en',
    ]
    rows += [
        b"6," + b"\xff" * 9 + b",en",
        b",,",
        b'"7","line\nbreak","en"',
        b"8," + b"z" * 200_000 + b",en",
        b'9,"never closed',
    ]
    path.write_bytes(b"\r\n".join(rows))


def truncated(compress: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        whole = b"\n".join(record(id=str(n), text=f"{PLAIN} {n} {n * n}") for n in range(400)) + b"\n"
        packed = compress(whole)
        path.write_bytes(packed[: len(packed) * 2 // 3])

    return write


def rubbish_in_the_middle(path: Path) -> None:
    packed = [gzip.compress(record(text=f"{PLAIN} {n}") + b"\n") for n in range(20)]
    path.write_bytes(b"".join(packed[:10]) + b"\xde\xad\xbe\xef" * 30 + b"".join(packed[10:]))


def text_file(path: Path) -> None:
    path.write_bytes(
        b"\n\n".join(text.encode("utf-8", "replace") for text in TEXTS.values()) + b"\xff\xfe\n\n" + BYTES[-2]
    )


def warc_file(path: Path) -> None:
    head = b"WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: http://a.example/\r\nContent-Length: %d\r\n\r\n"
    sound = head + b"%s\r\n\r\n"
    body = PLAIN.encode() * 3
    parts = [sound % (len(body), body), b"WARC/9.9\r\nContent-Length: -5\r\n\r\n\r\n\r\n", sound % (10**9, b"short")]
    path.write_bytes(sound % (len(body), body) + b"".join(parts))


def parquet_file(path: Path) -> None:
    texts = [nasty for nasty in TEXTS.values() if len(nasty) < 5000]
    columns = {
        "id": pa.array([None if n % 3 else 2**63 + n for n in range(len(texts))], pa.uint64()),
        "text": pa.array([nasty if n % 5 else None for n, nasty in enumerate(texts)], pa.large_string()),
        "lang": pa.array([["en"]] * len(texts)),
        "when": pa.array([2**62] * len(texts), pa.timestamp("us")),
        "raw": pa.array([b"\xff\0"] * len(texts), pa.binary()),
        "nested": pa.array([{"a": [float("nan"), None]}] * len(texts)),
    }
    pq.write_table(pa.table(columns), path, row_group_size=7)


FILES: Final[dict[str, Callable[[Path], None]]] = {
    "quotes.csv": csv_file,
    "cut.jsonl.gz": truncated(lambda data: gzip.compress(data, 1)),
    "cut.jsonl.zst": truncated(lambda data: zstandard.compress(data, 1)),
    "rubbish.jsonl.gz": rubbish_in_the_middle,
    "paragraphs.txt": text_file,
    "broken.warc": warc_file,
    "types.parquet": parquet_file,
    "returns.jsonl": lambda path: (
        path.write_bytes(b"\r".join([record(text=PLAIN)] * 3) + b"\n" + record(text=PLAIN)) and None
    ),
}


def test_ledger_closes_over_damaged_files_of_every_format(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name, write in FILES.items():
        write(folder / name)
    root = tmp_path / "corpus"
    snapshot = prepare([InputConfig(path=str(folder / name), name=name) for name in FILES], str(root), CONFIG)
    reasons = check(root, snapshot)
    assert reasons["error"] == 0
    assert reasons["corrupt_file"] >= 2, "what is left of a cut stream is said"
    sources = {
        source
        for kind in ("text", "rejected")
        for file in snapshot.select(kind)  # type: ignore[arg-type]
        for source in read_table(root / file.path).column("source").to_pylist()
    }
    # All of the zstd stream's one block is lost with its end.
    assert sources == set(FILES) - {"cut.jsonl.zst"}, "something of every file arrives"
