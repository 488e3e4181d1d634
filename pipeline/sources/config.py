"""The recipe section ``inputs``: where text comes from and what its fields are called."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Literal

from pydantic import Field, field_validator

from corpus.config import Config
from corpus.tags import UnknownLanguage, to_tag

Format = Literal["auto", "jsonl", "text", "parquet", "arrow", "csv", "tsv", "warc", "dataset"]
Document = Literal["line", "paragraph", "file"]

WILDCARDS = frozenset("*?[")


class FieldsConfig(Config):
    """What the input calls the fields of a record.

    A name with dots reaches into nested objects (``meta.lang``), unless a field has exactly that name. All
    other fields are kept in ``meta``. WARC, WET and plain text have no fields to name.
    """

    text: str = Field(default="text", min_length=1)
    """The document's text."""
    lang: str | None = "lang"
    """The language as the source declares it; null where it declares none."""
    id: str | None = "id"
    """The record's own id in its source; null where it has none."""
    url: str | None = "url"
    """Where the document was published; null where that is unknown."""


class InputConfig(Config):
    """One input of a corpus: a file, a folder, a pattern, a URL or a dataset."""

    path: str = Field(min_length=1)
    """File, folder or glob pattern (``*``, ``?``, ``[…]``, ``**`` for any depth), local or as a URL that fsspec
    knows (``s3://``, ``gs://``, ``https://``). With ``format: dataset`` a folder written by `datasets` or a
    dataset's name on the hub."""
    format: Format = "auto"
    """``auto`` goes by the file's name, once ``.gz``, ``.bz2``, ``.xz`` or ``.zst`` is taken off. ``warc`` reads
    WARC and WET files."""
    name: str | None = Field(default=None, min_length=1)
    """The source's name in the corpus. By default the last folder of the path without a wildcard, or the
    dataset's name."""
    lang: str | None = None
    """The declared language of all records that declare none themselves."""
    fields: FieldsConfig = FieldsConfig()
    """What the input calls the fields of a record."""
    document: Document = "line"
    """What one document is in plain text: a line, a paragraph (up to a blank line) or the whole file."""
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    """Column separator of CSV; by default a comma, and a tab for TSV."""
    quote: str | None = Field(default=None, max_length=1)
    """Quote character of CSV; by default ``"``, and none for TSV. An empty string turns quoting off."""
    columns: tuple[str, ...] | None = None
    """Column names of a CSV or TSV file without a header line."""
    subset: str | None = None
    """Configuration of a hub dataset that has several."""
    split: str = "train"
    """Part of a dataset to read."""
    revision: str | None = None
    """Commit, tag or branch of a hub dataset; name a commit to make a run repeatable."""
    max_document_bytes: int = Field(default=64 << 20, ge=1 << 10)
    """A longer line, file or WARC record is set aside as unreadable instead of being loaded."""
    batch_bytes: int = Field(default=1 << 20, ge=1)
    """Text read at a time; bounds the memory of a worker."""

    @field_validator("path")
    @classmethod
    def _not_standard_input(cls, path: str) -> str:
        if path == "-":
            raise ValueError("standard input cannot be read twice; write it to a file first")
        return path

    @field_validator("lang")
    @classmethod
    def _known_language(cls, lang: str | None) -> str | None:
        if lang is not None:
            try:
                to_tag(lang)
            except UnknownLanguage as error:
                raise ValueError(str(error)) from error
        return lang

    @property
    def source(self) -> str:
        """The source's name: as given, or taken from the path."""
        if self.name is not None:
            return self.name
        path = self.path.split("::")[-1].split("://")[-1]
        parts = [part for part in PurePosixPath(path).parts if part not in ("/", ".", "..", "~")]
        if self.format == "dataset":
            return parts[-1] if parts else "input"
        folders = parts if path.endswith("/") else parts[:-1]
        plain = [part for part in folders if not WILDCARDS & set(part)]
        if plain:
            return plain[-1]
        last = parts[-1] if parts else ""
        stem = last.split(".")[0]
        return stem if stem and not WILDCARDS & set(stem) else "input"
