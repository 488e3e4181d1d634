"""Parallel text in a corpus: groups of sentences that say the same in several languages.

A row of a parallel shard is a group; any two of its sentences are a pair. Multi-way text so takes the room of its
sentences, not that of its pairs, which grow with the square of the languages.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.config import Config
from corpus.ledger import Ledger
from corpus.schema import REJECTED_SCHEMA, token_schema

_CATEGORY = REJECTED_SCHEMA.field("stage").type

PARALLEL_REJECTED_SCHEMA: Final = pa.schema(
    [
        pa.field("id", pa.string()),  # of the group; null where a line could not be read
        pa.field("key", pa.string()),  # the record's own id in its source, as given
        pa.field("text", pa.string()),
        pa.field("lang", _CATEGORY),  # null where the label names no language
        pa.field("declared_lang", pa.string()),  # as the source said
        pa.field("file", _CATEGORY, nullable=False),
        pa.field("line", pa.int64(), nullable=False),  # from 1
        pa.field("stage", _CATEGORY, nullable=False),  # read, or parallel
        pa.field("reason", _CATEGORY, nullable=False),
        pa.field("detail", pa.string()),
    ]
)
"""One sentence that was left out, or one line that could not be read."""


class ParallelText(Config):
    """What a snapshot says of its parallel text under one tokenizer."""

    fingerprint: str
    """Of settings, inputs, tokenizer and held-out documents: equal ones give equal shards."""
    ledger: Ledger
    """In sentences, with one for each line that could not be read."""
    groups: dict[str, int]
    """Groups by split."""
    tokens: dict[str, int]
    """Training tokens of each language, the end of each sentence included."""
    pairs: dict[str, dict[str, int]]
    """By split, pairs of each two languages, named ``eng_Latn-swh_Latn``, in the order of the alphabet."""


def parallel_schema(vocabulary: int) -> pa.Schema:
    """Columns of a parallel shard.

    Args:
        vocabulary: number of pieces; up to 65,536 the ids take two bytes, above that four.
    """
    tokens = token_schema(vocabulary).field("tokens").type
    return pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),  # 128-bit hex, of source and key
            pa.field("source", _CATEGORY, nullable=False),
            pa.field("langs", pa.list_(pa.field("item", pa.string(), nullable=False)), nullable=False),  # sorted
            # One list for each language, each with the end of the sentence.
            pa.field("tokens", pa.list_(pa.field("item", tokens, nullable=False)), nullable=False),
            # UTF-8 bytes of each sentence.
            pa.field("bytes", pa.list_(pa.field("item", pa.int32(), nullable=False)), nullable=False),
        ]
    )


class Groups(NamedTuple):
    """Groups of sentences as arrays: G groups, S sentences, T tokens."""

    languages: tuple[str, ...]
    """Tags; the numbers below are places in it."""
    bounds: npt.NDArray[np.int64]
    """Group g has the sentences ``bounds[g]`` to ``bounds[g + 1]``, [G + 1]."""
    langs: npt.NDArray[np.int32]
    """Language of each sentence, ascending in a group, [S]."""
    starts: npt.NDArray[np.int64]
    """Sentence s has the tokens ``starts[s]`` to ``starts[s + 1]``, [S + 1]."""
    tokens: npt.NDArray[np.unsignedinteger]
    """[T]."""

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def sentence(self, number: int) -> npt.NDArray[np.int64]:
        """The tokens of a sentence, its end included."""
        return self.tokens[self.starts[number] : self.starts[number + 1]].astype(np.int64)


def groups_of(table: pa.Table, languages: tuple[str, ...]) -> Groups:
    """The groups of some shards, narrowed to languages; groups of which fewer than two sentences stay are left out.

    Args:
        table: columns of :func:`parallel_schema`.
        languages: tags that are wanted, sorted.
    """
    table = table.combine_chunks()
    if not table.num_rows:
        empty = np.zeros(0, np.int64)
        return Groups(
            languages, np.zeros(1, np.int64), empty.astype(np.int32), np.zeros(1, np.int64), empty.astype("u2")
        )
    langs, tokens = (_whole(table.column(name)) for name in ("langs", "tokens"))
    sides = np.diff(langs.offsets.to_numpy().astype(np.int64))
    owners = np.repeat(np.arange(table.num_rows), sides)
    place = {tag: number for number, tag in enumerate(languages)}
    tags = langs.flatten().dictionary_encode()
    known = np.array([place.get(tag, -1) for tag in tags.dictionary.to_pylist()], np.int32)
    numbers = known[tags.indices.to_numpy()]
    counted = np.bincount(owners[numbers >= 0], minlength=table.num_rows)
    kept = (numbers >= 0) & (counted[owners] > 1)
    sentences = tokens.flatten()
    offsets = sentences.offsets.to_numpy().astype(np.int64)
    values = sentences.values.to_numpy()
    lengths = np.diff(offsets)
    starts = np.concatenate([[0], np.cumsum(lengths[kept])])
    if not kept.all():
        values = values[np.repeat(kept, lengths)]
    bounds = np.concatenate([[0], np.cumsum(np.bincount(owners[kept], minlength=table.num_rows)[counted > 1])])
    return Groups(languages, bounds.astype(np.int64), numbers[kept], starts.astype(np.int64), values)


def pair_name(first: str, second: str) -> str:
    """The name of two languages' pairs, whichever comes first."""
    return "-".join(sorted((first, second)))


def _whole(column: pa.ChunkedArray) -> pa.ListArray:
    """A list column as one array whose offsets begin at 0."""
    chunks = column.chunks
    joined = chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks)
    return joined if joined.offset == 0 else pa.concat_arrays([joined])
