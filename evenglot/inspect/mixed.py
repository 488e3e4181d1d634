"""Documents in several languages: which languages stand beside which, and where a text changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

SEGMENTS: Final = "segments"
SWITCHED: Final = "code_switching"


@dataclass
class LanguageMix:
    """The documents of one language, by whether others stand in them."""

    documents: int = 0
    looked_at: int = 0
    """Documents of which it is known how much of them is in other languages."""
    mixed: int = 0
    """Documents with segments in several languages."""
    some: int = 0
    """Documents with a sentence or more in another language."""
    switched: float = 0.0
    """Sum over the documents of the share of their letters that is in other languages."""


@dataclass
class Mixing:
    """Counts over the kept documents of a corpus, filled shard by shard."""

    recorded: bool = False
    """Whether documents in several languages were looked for: where not, their column is there, but empty."""
    languages: dict[str, LanguageMix] = field(default_factory=dict)
    """By the language of most letters."""
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Documents by (main language, another one in it)."""

    @property
    def mixed(self) -> int:
        """Documents in several languages."""
        return sum(one.mixed for one in self.languages.values())

    def add(self, lang: str, rows: pa.Table | pa.RecordBatch) -> None:
        """Count the rows of one language; shards without such columns are counted as not looked at."""
        found = self.languages.setdefault(lang, LanguageMix())
        found.documents += rows.num_rows
        names = rows.schema.names
        if SEGMENTS not in names:
            return
        if SWITCHED in names:
            shares = rows.column(SWITCHED).drop_null().to_numpy()
            self.recorded = self.recorded or len(shares) > 0
            found.looked_at += len(shares)
            found.some += int(np.count_nonzero(shares > 0))
            found.switched += float(shares.sum())
        segments = rows.column(SEGMENTS).drop_null().to_pylist()
        found.mixed += len(segments)
        for parts in segments:
            self.pairs.update((lang, other) for other in {part["lang"] for part in parts} - {lang})


def involves(segments: pa.Array, lang: str) -> pa.Array:
    """Whether a language is one of those of each document; false for documents in one language."""
    parents = pc.list_parent_indices(segments)
    langs = pc.struct_field(pc.list_flatten(segments), "lang")
    rows = parents.filter(pc.equal(langs, lang))
    mask = np.zeros(len(segments), dtype=bool)
    mask[rows.to_numpy(zero_copy_only=False)] = True
    return pa.array(mask)


def language_shares(segments: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Share of the characters in segments that each language has, the largest first."""
    sizes: Counter[str] = Counter()
    for part in segments:
        sizes[part["lang"]] += part["end"] - part["start"]
    total = max(1, sizes.total())
    return {lang: size / total for lang, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0]))}
