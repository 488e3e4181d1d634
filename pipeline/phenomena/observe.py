"""Which features the sentences of some documents have.

A feature is a 64-bit key within its kind: the code point of a folded character; the order and the 32-bit hash of an
n-gram; the number of a cell in the lexicon; the hash of the names of two languages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.hashing import stable_hash
from pipeline.curriculum.features import ORDERS, Features, read_features
from pipeline.phenomena.config import Kind
from pipeline.phenomena.lexicon import Lexicon
from pipeline.phenomena.sentences import Int64s, Sentences
from pipeline.quality.classes import Kind as Class
from pipeline.quality.classes import kind_table
from pipeline.script.tags import script_rule
from pipeline.script.unicode import SCRIPT_IDS, SIZE, property_ranges, script_table

UInt64s = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]

_ORDER: Final = np.uint64(32)


class Seen(NamedTuple):
    """Occurrences of m features of one kind; [m] each, repeated where a sentence has a feature twice."""

    keys: UInt64s
    first: Int64s
    """The sentence, or the first of those that an occurrence spans."""
    last: Int64s
    """The last of them."""


class Measures(NamedTuple):
    """Of s sentences, [s] each."""

    words: Int64s
    letters: npt.NDArray[np.float64]
    """Share of the visible characters that are letters and marks of the language's own."""


def observe(
    texts: pa.Array, lang: str, kinds: Sequence[Kind], lexicon: Lexicon | None, *, sure: bool = False
) -> dict[Kind, Seen]:
    """The features of some sentences, code-switches apart.

    Args:
        texts: of s sentences.
        lang: their language.
        kinds: wanted.
        lexicon: of the language; without one nothing is an inflection.
        sure: name a cell only for words that can be of no other. Counted without it and looked for with it, a cell is
            never thought rarer than it is, and a sentence chosen for it has it.
    """
    asked = [kind for kind in kinds if kind != "switches" and (kind != "inflections" or lexicon is not None)]
    parts: dict[Kind, list[tuple[UInt64s, Int64s]]] = {kind: [] for kind in asked}
    for found in read_features(texts):
        if "characters" in parts:
            parts["characters"].append(_characters(found, lang))
        if "ngrams" in parts:
            parts["ngrams"].extend(_ngrams(found, lang))
        if "inflections" in parts and lexicon is not None:
            parts["inflections"].append(_cells(found, lexicon, sure))
    seen: dict[Kind, Seen] = {}
    for kind, some in parts.items():
        keys = np.concatenate([np.empty(0, np.uint64), *(keys for keys, _ in some)])
        sentences = np.concatenate([np.empty(0, np.int64), *(rows for _, rows in some)])
        seen[kind] = Seen(keys, sentences, sentences)
    return seen


def measure(texts: pa.Array, lang: str) -> Measures:
    """Words and own letters of s sentences."""
    words, letters = np.zeros(len(texts), np.int64), np.zeros(len(texts))
    for found in read_features(texts):
        rows = slice(found.first, found.first + found.text.documents)
        words[rows] = found.text.per_document(found.words.owners)
        own = found.text.owners(np.flatnonzero(own_letters(lang)[found.text.values]))
        letters[rows] = found.text.per_document(own) / found.text.visible
    return Measures(words, letters)


def switches(segments: Sequence[Any], sentences: Sentences) -> tuple[Seen, dict[int, str]]:
    """Where documents change their language.

    Args:
        segments: of n documents, as in ``corpus.schema.SEGMENTS``; None where a document has one language.
        sentences: of the same documents.

    Returns:
        the changes, each spanning the sentence before it and the one behind it, and the names of their keys.
    """
    keys, first, last = [], [], []
    names: dict[int, str] = {}
    for document, parts in enumerate(segments):
        begin, end = sentences.bounds[document : document + 2].tolist()
        if not parts or begin == end:
            continue
        starts = sentences.starts[begin:end]
        for one, two in pairwise(parts):
            if one["lang"] == two["lang"]:
                continue
            before, after = (
                max(int(np.searchsorted(starts, place, side="right")) - 1, 0)
                for place in (one["end"] - 1, two["start"])
            )
            name = switch_name(one["lang"], two["lang"])
            key = stable_hash("switch", name)
            names[key] = name
            keys.append(key)
            first.append(begin + before)
            last.append(begin + max(before, after))
    return Seen(np.array(keys, np.uint64), np.array(first, np.int64), np.array(last, np.int64)), names


def switch_name(one: str, two: str) -> str:
    """What a change from one language to another is called."""
    return f"{one} > {two}"


def ngram_name(text: str, lang: str, key: int) -> str | None:
    """The n-gram with a key as it stands, folded, in a sentence; None where the sentence lacks it."""
    for found in read_features(pa.array([text], pa.large_string())):
        for order, (keys, starts) in zip(ORDERS, _ngram_places(found, lang), strict=True):
            places = starts[keys == np.uint64(key)]
            if len(places):
                return "".join(map(chr, found.text.values[places[0] : places[0] + order].tolist()))
    return None


@lru_cache(maxsize=8)
def own_letters(lang: str) -> Bools:
    """Which code points are letters or marks that a language writes with, shape (0x110000,).

    Letters of the scripts that its tag names (of all scripts where it names none), modifier letters that no script
    owns (the okina), and combining marks.
    """
    kinds, scripts = kind_table(), script_table()
    letters = (kinds >= Class.LETTER) & (kinds <= Class.MARK)
    rule = script_rule(lang)
    if rule is not None:
        own = np.isin(scripts, [SCRIPT_IDS[name] for name in sorted(rule.accepted)])
        shared = np.zeros(SIZE, np.bool_)
        for name in ("Lm", "Mn"):
            for start, stop in property_ranges(name):
                shared[start:stop] = True
        letters &= own | (shared & (scripts == 0))
    for start, stop in property_ranges("Variation_Selector"):
        letters[start:stop] = False
    letters.flags.writeable = False
    return letters


def select(seen: Mapping[Kind, Seen], wanted: Mapping[Kind, UInt64s]) -> Iterator[tuple[Kind, Int64s, Int64s, Int64s]]:
    """Occurrences of wanted features: for each kind the number of the feature among the wanted ones, first and last.

    Args:
        seen: by kind.
        wanted: keys by kind, ascending.
    """
    for kind, (keys, first, last) in seen.items():
        asked = wanted.get(kind)
        if asked is None or not len(asked) or not len(keys):
            continue
        places = np.minimum(np.searchsorted(asked, keys), len(asked) - 1)
        hits = np.flatnonzero(asked[places] == keys)
        yield kind, places[hits], first[hits], last[hits]


def _characters(found: Features, lang: str) -> tuple[UInt64s, Int64s]:
    places = np.flatnonzero(own_letters(lang)[found.text.values])
    owners = found.first + found.text.owners(places)
    # Each character once for a sentence: a text has some hundred times fewer of those.
    pairs = np.unique(owners.astype(np.uint64) << _ORDER | found.text.values[places].astype(np.uint64))
    return pairs & np.uint64(0xFFFFFFFF), (pairs >> _ORDER).astype(np.int64)


def _ngrams(found: Features, lang: str) -> Iterator[tuple[UInt64s, Int64s]]:
    for keys, starts in _ngram_places(found, lang):
        yield keys, found.first + found.owners_of(starts)


def _ngram_places(found: Features, lang: str) -> Iterator[tuple[UInt64s, Int64s]]:
    """For each order the keys and first characters of the n-grams of own letters and white space."""
    text = found.text
    usual = own_letters(lang)[text.values] | (text.kinds == Class.SPACE) | (text.kinds == Class.NEWLINE)
    strange = np.zeros(len(usual) + 1, np.int64)
    np.cumsum(~usual, out=strange[1:])
    for order in ORDERS:
        keys, starts = found.ngrams(order)
        clean = strange[starts + order] == strange[starts]
        yield keys[clean].astype(np.uint64) | np.uint64(order) << _ORDER, starts[clean]


def _cells(found: Features, lexicon: Lexicon, sure: bool) -> tuple[UInt64s, Int64s]:
    numbers = lexicon.find(found.words.hashes)
    known = np.flatnonzero(numbers >= 0)
    if sure:
        known = known[lexicon.sure[numbers[known]]]
    which, cells = lexicon.cells_of(numbers[known])
    return cells.astype(np.uint64), found.first + found.words.owners[known[which]]
