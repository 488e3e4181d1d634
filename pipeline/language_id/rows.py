"""Labelled rows from anyone's files, for scoring and training: nothing is dropped without being counted."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from corpus.errors import InputError
from corpus.tags import to_tag, to_tag_or_none
from pipeline.sources import FieldsConfig, InputConfig, plan, read

_PLACES: Final = 1000
"""Broken lines kept with their place; all of them are counted."""
_LABELS: Final = 20
"""Unknown labels named in a report; all of them are counted."""
_WHOLE_FILES: Final = 1 << 62
"""Split size at which no file is cut: lines then have numbers."""


@dataclass(frozen=True)
class RowFields:
    """What the files call the fields of a row."""

    text: str = "text"
    lang: str = "lang"
    group: str | None = None
    """Rows with the same value belong together (a document, a site)."""
    source: str | None = None
    """Where the row comes from."""


@dataclass(frozen=True)
class Rows:
    """n rows whose label names a language."""

    texts: list[str]
    """NFC."""
    tags: list[str]
    groups: list[str | None]
    sources: list[str | None]
    origin: str
    """The file, as folder and name."""

    def __len__(self) -> int:
        return len(self.tags)


@dataclass(frozen=True)
class BrokenLine:
    """A line that is no row."""

    file: str
    line: int | None
    """Counted from 1; None where the format has no lines."""
    reason: str
    detail: str | None


@dataclass
class RowAccount:
    """What became of every row that was read: ``read = labelled + unlabelled + without text + broken``."""

    read: int = 0
    labelled: int = 0
    unlabelled: Counter[str] = field(default_factory=Counter)
    """Rows by a label that names no language; ``""`` where there is none."""
    without_text: Counter[str] = field(default_factory=Counter)
    """Rows by the reason why they hold no text."""
    broken: Counter[str] = field(default_factory=Counter)
    """Lines by the reason why they are no rows."""
    broken_lines: list[BrokenLine] = field(default_factory=list)
    """The first of them."""

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "read": self.read,
            "labelled": self.labelled,
            "unlabelled": self.unlabelled.total(),
            "unlabelled_distinct": len(self.unlabelled),
            "unlabelled_labels": dict(_most_common(self.unlabelled, _LABELS)),
            "without_text": dict(sorted(self.without_text.items())),
            "broken": dict(sorted(self.broken.items())),
            "broken_lines": [
                {"file": bad.file, "line": bad.line, "reason": bad.reason, "detail": bad.detail}
                for bad in self.broken_lines
            ],
        }


def read_rows(
    paths: Sequence[str],
    account: RowAccount,
    fields: RowFields | None = None,
    lang: str | None = None,
    base: Sequence[str] = (),
) -> Iterator[Rows]:
    """Read labelled rows of all paths, in their order; labels of any scheme become tags.

    Args:
        paths: files, folders, patterns or URLs of any format that ``prepare`` reads.
        account: is brought up to date as rows are read.
        fields: what the files call text and label.
        lang: label of rows of ``paths`` that have none; the way to read plain text.
        base: further paths, to which ``lang`` does not apply.

    Raises:
        InputError: a file is missing or unreadable, or, once all is read, no row has text and a label.
        UnknownLanguage: ``lang`` names no language.
    """
    fields = fields or RowFields()
    if lang is not None:
        to_tag(lang)
    # The reader's columns for a record's own key and address carry the two fields that are asked for here.
    names = FieldsConfig(text=fields.text, lang=fields.lang, id=fields.group, url=fields.source)
    inputs = [InputConfig(path=path, lang=lang, fields=names) for path in paths]
    inputs += [InputConfig(path=path, fields=names) for path in base]
    for split in plan(inputs, _WHOLE_FILES):
        origin = f"{split.source}/{split.place.rpartition('/')[2]}"
        for batch in read(split, inputs[split.input]):
            account.read += batch.read
            account.without_text.update(batch.rejected.column("reason").to_pylist())
            for bad in batch.unreadable:
                account.broken[bad.reason] += 1
                if len(account.broken_lines) < _PLACES:
                    account.broken_lines.append(BrokenLine(bad.file, bad.line, bad.reason, bad.detail))
            columns = [batch.records.column(name).to_pylist() for name in ("text", "declared_lang", "key", "url")]
            found = Rows([], [], [], [], origin)
            for text, label, group, source in zip(*columns, strict=True):
                tag = to_tag_or_none(label)
                if tag is None:
                    account.unlabelled[label or ""] += 1
                    continue
                found.texts.append(unicodedata.normalize("NFC", text))
                found.tags.append(tag)
                found.groups.append(group)
                found.sources.append(source)
            account.labelled += len(found)
            if len(found):
                yield found
    if not account.labelled:
        raise _nothing(account, fields)


def _nothing(account: RowAccount, fields: RowFields) -> InputError:
    labels = [f"'{label}'" if label else "no label" for label, _ in _most_common(account.unlabelled, 3)]
    seen = f"; {account.unlabelled.total():,} have {' or '.join(labels)}" if labels else ""
    return InputError(
        f"none of the {account.read:,} rows read has a text and a label that names a language{seen}",
        f"Give rows with '{fields.text}' and '{fields.lang}', for example "
        f'{{"{fields.text}": "Habari ya asubuhi", "{fields.lang}": "swh_Latn"}}',
    )


def _most_common(counts: Counter[str], size: int) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:size]
