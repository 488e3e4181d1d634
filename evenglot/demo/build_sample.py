"""Builds the raw files of the demo from the authored texts, and plants known defects in them.

The texts under ``texts/`` (one file a language, documents separated by a line ``---``) were written for this
project. A user's data never comes as tidily, so the build spreads them over five formats and damages some in
the ways that real collections are damaged. ``truth.jsonl`` says what every record is, which lets a test or a
curious reader compare what the pipeline found with what was there.

Every choice is made by hashing, so the same texts always give the same files (compressed files: the same
content; the compressed bytes depend on the zlib at hand). Run ``python -m evenglot.demo.build_sample`` after
changing a text.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from corpus.hashing import stable_hash
from corpus.schema import NO_LANGUAGE

HERE: Final = Path(__file__).parent
TEXTS: Final = HERE / "texts"
SAMPLE: Final = HERE / "sample"
SEPARATOR: Final = "\n---\n"

NEWS: Final = "news.jsonl"
STORIES: Final = "stories.jsonl.gz"
LETTERS: Final = "letters.csv"
NOTES: Final = "notes.txt"
WEB: Final = "web.wet.gz"
TRUTH: Final = "truth.jsonl"
JSON_FILES: Final = frozenset({NEWS, STORIES})
SHARES: Final = ((NEWS, 30), (STORIES, 42), (LETTERS, 12), (NOTES, 6), (WEB, 10))
"""Percentage of the documents that goes to each file."""

CLEAN: Final = "clean"
COPY_PERCENT: Final = 5
NEAR_COPIES: Final = 8
DATE: Final = "2024-05-01T00:00:00Z"

WRONG: Final = (
    # true language, declared instead: mostly a small language taken for a large one, as on the real web
    ("cym_Latn", "eng_Latn"), ("afr_Latn", "nld_Latn"), ("gle_Latn", "eng_Latn"), ("swh_Latn", "ind_Latn"),
    ("eng_Latn", "fra_Latn"), ("eng_Latn", "swh_Latn"), ("eng_Latn", "hin_Deva"), ("spa_Latn", "por_Latn"),
    ("deu_Latn", "eng_Latn"), ("rus_Cyrl", "ukr_Cyrl"), ("fra_Latn", "eng_Latn"), ("arb_Arab", "pes_Arab"),
)  # fmt: skip
VARIANTS: Final = (
    ("eng_Latn", "en"), ("eng_Latn", "EN-us"), ("eng_Latn", "English"), ("heb_Hebr", "iw"), ("zho_Hans", "zh-CN"),
    ("ind_Latn", "in"), ("spa_Latn", "es_MX"), ("deu_Latn", "ger"), ("fra_Latn", "fre"), ("rus_Cyrl", "ru"),
    ("ell_Grek", "el-GR"), ("swh_Latn", "sw"),
)  # fmt: skip
UNKNOWN: Final[tuple[tuple[str, str | None], ...]] = (
    ("eng_Latn", "und"), ("spa_Latn", ""), ("deu_Latn", None), ("tur_Latn", "unknown"), ("eng_Latn", "xx"),
    ("hin_Deva", None),
)  # fmt: skip
MARKUP: Final[tuple[tuple[str, Callable[[str], str]], ...]] = (
    ("eng_Latn", lambda text: f"<p>{text.replace('. ', '.</p><p>', 2)}</p>"),
    ("eng_Latn", lambda text: text.replace("'", "&#8217;").replace(" and ", " &amp; ", 2)),
    ("eng_Latn", lambda text: text.replace(". ", ".<br/>", 3) + ' <a href="/more.html">Read more</a>'),
    ("fra_Latn", lambda text: text.replace("é", "&eacute;").replace("à", "&agrave;")),
    ("deu_Latn", lambda text: f'<div class="text"><b>{text.split(". ")[0]}.</b> {text.partition(". ")[2]}</div>'),
    ("spa_Latn", lambda text: text.replace(", ", ",&nbsp;", 4).replace("ó", "&oacute;")),
    ("rus_Cyrl", lambda text: f'<span style="color:#333">{text}</span>'),
    ("tur_Latn", lambda text: f"<h1>{text.partition(' ')[0]}</h1>\n<!-- body -->\n{text}"),
)
MOJIBAKE: Final = (
    ("spa_Latn", "cp1252"), ("fra_Latn", "cp1252"), ("deu_Latn", "cp1252"), ("rus_Cyrl", "latin-1"),
    ("tur_Latn", "latin-1"),
)  # fmt: skip
CONTROLS: Final = (
    ("eng_Latn", "\u200b"), ("eng_Latn", "\u00ad"), ("eng_Latn", "\x00"), ("eng_Latn", "\x1b[0m"),
    ("deu_Latn", "\ufeff"), ("spa_Latn", "\x07"),
)  # fmt: skip
NFD: Final = ("fra_Latn", "spa_Latn", "kor_Hang", "ell_Grek")
PII: Final = (
    # fictional: domains and numbers reserved for documentation and drama
    ("eng_Latn", "Questions go to the secretary at mill.committee@example.org.", "mill.committee@example.org"),
    ("eng_Latn", "To book a place, ring +1 202-555-0143 before noon.", "+1 202-555-0143"),
    ("eng_Latn", "Lost keys can be claimed from porter@library.example.", "porter@library.example"),
    ("eng_Latn", "The workshop answers on (312) 555-0178 most mornings.", "(312) 555-0178"),
    ("spa_Latn", "Para apuntarse, escriba a cursos@escuela.example.", "cursos@escuela.example"),
    ("deu_Latn", "Anmeldung bitte unter verein@beispiel.example.", "verein@beispiel.example"),
    ("fra_Latn", "Renseignements : mairie@village.example.", "mairie@village.example"),
)
BOILERPLATE_HOST: Final = "harbour-gazette.example"
BOILERPLATE: Final = (
    "Home | News | Weather | Letters | Archive",
    "This site uses cookies to remember your settings. Accept all | Settings",
    "Share this page: Post - Mail - Print",
    "Copyright Harbour Gazette. All pages may be reused freely.",
)
HOSTS: Final = ("almanac", "village-notes", "reading-room", "open-letters", "field-diary")


@dataclass(frozen=True)
class Item:
    """One record of the sample on its way to a file, with what is known about it."""

    file: str
    id: str
    lang: str
    """The language it is really in; ``zxx`` for junk."""
    declared: str | None
    text: str
    url: str
    kind: str = CLEAN
    """The planted defect, or ``clean``."""
    truth: dict[str, Any] = field(default_factory=dict)
    """Further facts about the defect, for the truth file."""
    omit: tuple[str, ...] = ()
    """Fields left out of the record."""
    override: dict[str, Any] = field(default_factory=dict)
    """Fields written with another value than the item's."""


def authored(texts: Path = TEXTS) -> dict[str, list[str]]:
    """The authored documents by language tag, in the order of their file."""
    return {
        path.stem: [part.strip() for part in path.read_text("utf-8").strip().split(SEPARATOR)]
        for path in sorted(texts.glob("*.txt"))
    }


def compose(documents: dict[str, list[str]]) -> list[Item]:
    """All records of the sample, damaged as planned, in no particular order.

    Args:
        documents: authored documents by tag; those under ``zxx`` begin with a line naming the sort of junk.
    """
    junk = documents.get(NO_LANGUAGE, [])
    items = [
        _item(tag, number, text)
        for tag, texts in documents.items()
        if tag != NO_LANGUAGE
        for number, text in enumerate(texts, 1)
    ]
    sample = _Damage(items)
    sample.each("wrong_lang", WRONG, lambda item, declared: replace(item, declared=declared), labelled=True)
    sample.each("lang_code_variant", VARIANTS, lambda item, value: replace(item, declared=value), labelled=True)
    sample.each("lang_unknown", UNKNOWN, _unknown_label, files=JSON_FILES)
    sample.each("html_markup", MARKUP, lambda item, edit: replace(item, text=edit(item.text)), files=JSON_FILES)
    sample.each(
        "mojibake",
        MOJIBAKE,
        lambda item, codec: replace(
            item, text=item.text.encode().decode(codec), truth={"how": f"UTF-8 read as {codec}"}
        ),
        suits=lambda item, codec: _mistakable(item.text, codec),
    )
    sample.each("control_chars", CONTROLS, _sprinkle, files=JSON_FILES)
    sample.each(
        "nfd",
        [(tag, None) for tag in NFD],
        lambda item, _: replace(item, text=unicodedata.normalize("NFD", item.text)),
        suits=lambda item, _: unicodedata.normalize("NFD", item.text) != item.text,
    )
    sample.each(
        "pii",
        [(tag, (sentence, value)) for tag, sentence, value in PII],
        lambda item, pii: replace(item, text=f"{item.text} {pii[0]}", truth={"value": pii[1]}),
    )
    sample.each("missing_text", _english(2), lambda item, _: replace(item, omit=("text",)), files=JSON_FILES)
    sample.each("empty_text", _english(" \t ", ""), lambda item, text: replace(item, text=text), files=JSON_FILES)
    sample.each(
        "non_string_text",
        _english(1234.5, ["two", "parts"]),
        lambda item, value: replace(item, override={"text": value}),
        files=JSON_FILES,
    )
    for kind in ("truncated_json", "invalid_utf8"):
        sample.each(kind, _english(2), lambda item, _: item, files=JSON_FILES)
    sample.each(
        "duplicate_id",
        _english(2),
        sample.borrow_id,
        files=frozenset({NEWS}),
        suits=lambda item, _: item.id not in sample.lent,
    )
    sample.copies(len(items) * COPY_PERCENT // 100)
    sample.near_copies(NEAR_COPIES)
    return [*map(_boilerplate, sample.items), *_junk(junk), *_not_records()]


def write(items: list[Item], folder: Path) -> None:
    """Writes the raw files and the truth file, replacing what is there."""
    folder.mkdir(parents=True, exist_ok=True)
    truth: list[dict[str, Any]] = []
    for name, writer in (
        (NEWS, _json_lines),
        (STORIES, _json_lines),
        (LETTERS, _table),
        (NOTES, _plain_lines),
        (WEB, _web_archive),
    ):
        chosen = sorted((item for item in items if item.file == name), key=lambda item: stable_hash("order", item.id))
        content = writer(chosen)
        if name == STORIES:
            content = gzip.compress(content, mtime=0)
        (folder / name).write_bytes(content)
        for line, item in enumerate(chosen, 2 if name == LETTERS else 1):
            identity = item.override.get("id", item.id)
            known = {"file": name, "line": line, "id": identity, "lang": item.lang, "kind": item.kind}
            truth.append({**known, **item.truth})
    with (folder / TRUTH).open("w", encoding="utf-8", newline="\n") as handle:
        handle.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in truth)


class _Damage:
    """Damages records one kind after the other; a record is damaged at most once."""

    def __init__(self, items: list[Item]) -> None:
        self.items = items
        self.lent: set[str] = set()
        """Ids that a second record bears by now; their owners have to keep them."""

    def each(
        self,
        kind: str,
        cases: Iterable[tuple[str, Any]],
        edit: Callable[[Item, Any], Item],
        *,
        files: frozenset[str] | None = None,
        labelled: bool = False,
        suits: Callable[[Item, Any], bool] = lambda item, value: True,
    ) -> None:
        """Edits one clean record of the named language per case; `labelled` leaves out the unlabelled file."""
        for number, (lang, value) in enumerate(cases):
            index = self._choose(
                f"{kind}/{number}",
                lambda item, lang=lang, value=value: (  # type: ignore[misc]
                    item.lang == lang
                    and (files is None or item.file in files)
                    and not (labelled and item.file == NOTES)
                    and suits(item, value)
                ),
            )
            before = self.items[index]
            after = edit(before, value)
            truth = dict(after.truth)
            if kind in ("wrong_lang", "lang_code_variant", "lang_unknown"):
                truth["declared"] = after.declared
            self.items[index] = replace(after, kind=kind, truth=truth)

    def borrow_id(self, item: Item, _: object) -> Item:
        """The item under the id of another record of its file."""
        other = self.items[
            self._choose(
                f"id/{item.id}",
                lambda one: (one.file, one.lang) == (item.file, item.lang) and one.id != item.id,
            )
        ]
        self.lent.add(other.id)
        return replace(item, override={"id": other.id}, truth={"of": other.id})

    def copies(self, count: int) -> None:
        """Adds exact copies of clean records under other ids, in other files as often as not."""
        clean = sorted(self._clean(), key=lambda item: stable_hash("copy", item.id))
        for number, item in enumerate(clean[:count], 1):
            copy = _item(item.lang, 9000 + number, item.text)
            self.items.append(replace(copy, kind="copy", truth={"of": item.id}))

    def near_copies(self, count: int) -> None:
        """Adds copies of clean English records that lost their second sentence and gained a head line."""
        clean = sorted(
            (item for item in self._clean() if item.lang == "eng_Latn" and item.text.count(". ") >= 6),
            key=lambda item: stable_hash("near", item.id),
        )
        for number, item in enumerate(clean[:count], 1):
            sentences = item.text.split(". ")
            text = ". ".join(["Seen again this week", sentences[0], *sentences[2:]])
            copy = _item(item.lang, 9500 + number, text)
            self.items.append(replace(copy, kind="near_copy", truth={"of": item.id}))

    def _clean(self) -> list[Item]:
        return [item for item in self.items if item.kind == CLEAN]

    def _choose(self, salt: str, suits: Callable[[Item], bool]) -> int:
        eligible = [index for index, item in enumerate(self.items) if item.kind == CLEAN and suits(item)]
        if not eligible:
            raise ValueError(f"no clean record is left for '{salt}': write more texts of that language")
        return min(eligible, key=lambda index: stable_hash(salt, self.items[index].id))


def _item(tag: str, number: int, text: str) -> Item:
    identity = f"{tag[:3]}-{number:04d}"
    point = stable_hash("file", identity) % 100
    edges = accumulate(share for _, share in SHARES)
    name = next(name for (name, _), edge in zip(SHARES, edges, strict=True) if point < edge)
    if "\n" in text and name in (LETTERS, NOTES):
        name = STORIES  # one line a record is what these two files promise
    host = HOSTS[stable_hash("host", identity) % len(HOSTS)] + ".example"
    if name == WEB and tag == "eng_Latn":
        host = BOILERPLATE_HOST
    return Item(name, identity, tag, None if name == NOTES else tag, text, f"https://{host}/{tag[:3]}/{number}.html")


def _english(*values: Any) -> list[tuple[str, Any]]:
    """Cases on English records: the one language that can spare a few that are lost."""
    if len(values) == 1 and isinstance(values[0], int):
        values = (None,) * values[0]
    return [("eng_Latn", value) for value in values]


def _unknown_label(item: Item, value: str | None) -> Item:
    return replace(item, declared=value, omit=("lang",) if item.lang == "hin_Deva" else ())


def _mistakable(text: str, codec: str) -> bool:
    try:
        return text.encode().decode(codec) != text
    except UnicodeDecodeError:
        return False


def _sprinkle(item: Item, char: str) -> Item:
    """Puts the character into every eighth gap between words, and inside a word where it is invisible."""
    words = item.text.split(" ")
    edited = [
        (word[:2] + char + word[2:] if char == "\u00ad" else char + word) if number % 8 == 3 else word
        for number, word in enumerate(words)
    ]
    return replace(item, text=" ".join(edited), truth={"char": f"U+{ord(char[0]):04X}"})


def _boilerplate(item: Item) -> Item:
    if BOILERPLATE_HOST not in item.url:
        return item
    first, second, *last = BOILERPLATE
    text = "\n".join([first, second, item.text, *last])
    return replace(item, text=text, truth={**item.truth, "boilerplate": True})


def _junk(texts: list[str]) -> list[Item]:
    """Records without language; declared English, as such pages mostly are."""
    items = []
    for number, part in enumerate(texts, 1):
        how, _, text = part.partition("\n")
        item = replace(_item(NO_LANGUAGE, number, text), kind="junk", declared="eng_Latn", truth={"how": how})
        items.append(replace(item, file=item.file if item.file in JSON_FILES else NEWS))
    return items


def _not_records() -> list[Item]:
    lines = (("not_record", "[1, 2, 3]"), ("not_record", '"a string is no record"'), ("blank_line", ""))
    return [
        Item(NEWS, f"raw-{number:04d}", NO_LANGUAGE, None, line, "", kind)
        for number, (kind, line) in enumerate(lines, 1)
    ]


def _json_lines(items: list[Item]) -> bytes:
    return b"".join(_json_line(item) + b"\n" for item in items)


def _json_line(item: Item) -> bytes:
    if item.kind in ("not_record", "blank_line"):
        return item.text.encode()
    record = {"id": item.id, "url": item.url, "lang": item.declared, "text": item.text, **item.override}
    line = json.dumps(
        {key: value for key, value in record.items() if key not in item.omit}, ensure_ascii=False
    ).encode()
    if item.kind == "truncated_json":
        return line[: len(line) * 2 // 3]
    if item.kind == "invalid_utf8":
        middle = line.index(b" ", len(line) // 2)
        return line[:middle] + b" caf\xe9" + line[middle:]
    return line


def _table(items: list[Item]) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["reference", "language", "address", "body"])
    writer.writerows([item.id, item.declared, item.url, item.text] for item in items)
    return buffer.getvalue().encode()


def _plain_lines(items: list[Item]) -> bytes:
    return "".join(f"{item.text}\n" for item in items).encode()


def _web_archive(items: list[Item]) -> bytes:
    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=True)
    for item in items:
        body = item.text.encode()
        headers = [
            ("WARC-Type", "conversion"),
            ("WARC-Target-URI", item.url),
            ("WARC-Date", DATE),
            ("WARC-Record-ID", f"<urn:evenglot:{item.id}>"),
            ("WARC-Identified-Content-Language", (item.declared or "")[:3]),
            ("Content-Type", "text/plain"),
            ("Content-Length", str(len(body))),
        ]
        record = writer.create_warc_record(
            item.url, "conversion", io.BytesIO(body), len(body), warc_headers=StatusAndHeaders("", headers, "WARC/1.0")
        )
        writer.write_record(record)
    return buffer.getvalue()


if __name__ == "__main__":
    write(compose(authored()), SAMPLE)
