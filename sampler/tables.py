"""The tables of languages under views: looked up once, kept in memory and, where a folder is given, in a file.

A file has the table as NumPy arrays in a zip archive, and behind it the hash of its bytes
(:mod:`sampler.cache`). Its name is the fingerprint of all that the table follows from: the token shards, the view, the
seed, the snapshot's quantiles of the scores, and ``VERSION``. One that is damaged, or cannot be of these documents,
is made again.
"""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np
import pyarrow as pa

from corpus.hashing import fingerprint
from sampler.cells import Cells, Contents, Table, fits
from sampler.index import TokenCorpus
from sampler.selection import score_names
from sampler.view import DocumentsConfig

VERSION = 1
"""Goes up with every change to which documents a view takes, to cells and chunks, or to the file."""


class Tables:
    """Tables by what they follow from. Pickled, they take the tables that are known to another process."""

    def __init__(self) -> None:
        self._held: dict[str, Table] = {}
        self._told: set[str] = set()

    def get(self, corpus: TokenCorpus, lang: str, view: DocumentsConfig, seed: int) -> Table:
        """The table of a language under a view that is not the default one.

        Raises:
            CorpusError: its shards are missing or damaged, or lack what the view looks at.
            ConfigurationError: the view leaves no document of the language.
        """
        key = _key(corpus, lang, view, seed)
        table = self._held.get(key)
        if table is None:
            table = self._held[key] = self._read(key, corpus, lang, view) or self._look(key, corpus, lang, view, seed)
        return table

    def first(self, message: str) -> bool:
        """Whether a message was not told before, here or in the process that these tables come from."""
        told = message in self._told
        self._told.add(message)
        return not told

    def _read(self, key: str, corpus: TokenCorpus, lang: str, view: DocumentsConfig) -> Table | None:
        stored = None if corpus.kept is None else corpus.kept.get(key)
        table = None if stored is None else unpack(stored.to_pybytes(), key)
        return table if table is not None and fits(table, corpus.documents(lang), view) else None

    def _look(self, key: str, corpus: TokenCorpus, lang: str, view: DocumentsConfig, seed: int) -> Table:
        table = Cells(corpus.documents(lang), view, seed).table
        if corpus.kept is not None:
            corpus.kept.put(key, pa.py_buffer(pack(table, key)))
        return table


def pack(table: Table, key: str) -> bytes:
    """The bytes of a table's file."""
    sink = io.BytesIO()
    arrays: dict[str, Any] = {f"quantiles.{name}": values for name, values in table.quantiles.items()}
    np.savez_compressed(
        sink,
        key=np.array(key),
        tokens=table.tokens,
        contents=np.array(table.contents, dtype=np.int64),
        synthetic_buckets=np.array(table.synthetic_buckets, dtype=np.int64),
        **arrays,
    )
    return sink.getvalue()


def unpack(data: bytes, key: str) -> Table | None:
    """The table of a file; None where it is not one, or of another key."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
        if str(found["key"]) != key:
            return None
        return Table(
            tokens=found["tokens"],
            contents=Contents(*found["contents"].tolist()),
            quantiles={name[10:]: values for name, values in found.items() if name.startswith("quantiles.")},
            synthetic_buckets=int(found["synthetic_buckets"]),
        )
    except (ValueError, KeyError, TypeError, EOFError, OSError, AttributeError, zipfile.BadZipFile):
        return None


def _key(corpus: TokenCorpus, lang: str, view: DocumentsConfig, seed: int) -> str:
    """Of all that a table follows from."""
    scores = corpus.scores(lang)
    known = {name: list(getattr(scores, name)) for name in score_names(view)}
    shards = corpus.fingerprint([lang])
    return fingerprint(["cells", VERSION, corpus.split, lang, shards, known, view.model_dump(mode="json"), seed])
