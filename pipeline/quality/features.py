"""Numbers that tell prose from junk, for all documents of a batch at once and for every script.

Words are runs of letters, marks and numbers. In scripts without spaces every ideograph or kana is a word of its
own, and runs of letters of an alphabet such as Thai are cut by their content: between two letters whose pair has
a hash divisible by PIECE, so that the same phrase falls into the same pieces wherever it stands.
The features follow Gopher's (Rae et al. 2021, https://arxiv.org/abs/2112.11446, appendix A.1) where those do
not depend on a language; repetition is counted in n-grams of word hashes found by one sort for each n.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.quality.classes import BULLETS, CLOSERS, KINDS, Kind, kind_table
from pipeline.script.codepoints import CHUNK, LONGEST, CodePoints, chunks, utf8

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
Int64s = npt.NDArray[np.int64]
UInt64s = npt.NDArray[np.uint64]

FEATURES: Final = (
    "n_chars",
    "n_bytes",
    "n_words",
    "mean_word_length",
    "alphabetic_ratio",
    "digit_ratio",
    "punctuation_ratio",
    "symbol_ratio",
    "code_ratio",
    "n_lines",
    "short_line_share",
    "duplicate_line_share",
    "bullet_line_share",
    "terminal_line_share",
    "code_line_share",
    "unique_word_ratio",
    "lexical_diversity",
    "top_bigram_share",
    "duplicate_ngram_share",
    "url_share",
    "longest_token",
    "long_token_share",
    "filler_share",
)
"""Names of the columns, in order.

n_chars, n_bytes: code points and UTF-8 bytes of the text.
n_words: words, or what stands for them in scripts without spaces.
mean_word_length: code points a word.
alphabetic_ratio, digit_ratio, punctuation_ratio, symbol_ratio, code_ratio: letters and marks, numbers,
    punctuation, symbols (with code characters), and code characters alone, as shares of what is not space.
n_lines: lines that are not blank.
short_line_share: share of the non-empty lines with fewer than SHORT_LINE characters that end with no mark.
duplicate_line_share: share of the characters that lie in lines already met in the document.
bullet_line_share, terminal_line_share, code_line_share: shares of the lines that begin with a bullet, end with
    a terminal mark, end with a brace or a semicolon.
unique_word_ratio: different words / words.
lexical_diversity: log different words / log words (Herdan's C), which hardly falls with length; 1 for a word.
top_bigram_share: words covered by the most frequent pair of words, if it comes at least three times.
duplicate_ngram_share: share of the 5-grams of words that came before in the document.
url_share: share of the non-space characters in addresses.
longest_token: characters of the longest run without space or letter of a script without spaces, addresses apart.
long_token_share: share of the non-space characters in such runs of more than LONG_TOKEN characters.
filler_share: share of the characters in the printers' filler text, taking FILLER_LENGTH for each "lorem ipsum".
"""

SHORT_LINE: Final = 30
"""Characters; ideographs and kana count three."""
LONG_TOKEN: Final = 40
PIECE: Final = 4
"""Mean letters of what stands for a word in an alphabet without spaces."""
NGRAM: Final = 5
FILLER_LENGTH: Final = 230
"""Characters of the first two sentences of the filler text."""

_INDEX: Final = {name: number for number, name in enumerate(FEATURES)}
_BASE: Final = 0x9E3779B97F4A7C15  # odd, so that it has an inverse modulo 2**64
_DOCUMENT_BITS: Final = np.uint64(48)


def compute(column: pa.Array) -> Floats:
    """The features of n texts.

    Args:
        column: string or large_string of n rows.

    Returns:
        shape (n, len(FEATURES)). A document's numbers do not depend on its neighbours; those of one of more
        than LONGEST bytes, sizes apart, describe its beginning.
    """
    if column.null_count:
        column = column.fill_null("")
    result = np.zeros((len(column), len(FEATURES)), np.float32)
    raw, byte_bounds = utf8(column)
    sizes = np.diff(byte_bounds)
    result[:, _INDEX["n_bytes"]] = sizes
    for chunk in chunks(column):
        rows = slice(chunk.first, chunk.first + chunk.documents)
        _Chunk(chunk).fill(result[rows])
    for row in np.flatnonzero(sizes > LONGEST):
        document = raw[byte_bounds[row] : byte_bounds[row + 1]]
        result[row, _INDEX["n_chars"]] = np.count_nonzero((document & 0xC0) != 0x80)
    fillers = pc.count_substring(column, "lorem ipsum", ignore_case=True).to_numpy(zero_copy_only=False)
    characters = np.maximum(result[:, _INDEX["n_chars"]], 1)
    result[:, _INDEX["filler_share"]] = np.minimum(fillers * FILLER_LENGTH / characters, 1)
    return result


@lru_cache(maxsize=1)
def _powers() -> tuple[UInt64s, UInt64s]:
    """Powers of the base and of its inverse modulo 2**64, for positions in a chunk."""
    inverse = pow(_BASE, -1, 1 << 64)
    tables = []
    for factor in (_BASE, inverse):
        table = np.full(2 * CHUNK, factor, np.uint64)
        table[0] = 1
        tables.append(np.multiply.accumulate(table))
    return tables[0], tables[1]


@lru_cache(maxsize=1)
def _bullet_table() -> Bools:
    return _members(BULLETS)


@lru_cache(maxsize=1)
def _closer_table() -> Bools:
    return _members(CLOSERS)


@lru_cache(maxsize=1)
def _code_end_table() -> Bools:
    return _members("{};")


def _members(characters: str) -> Bools:
    table = np.zeros(0x10000, np.bool_)
    table[[ord(character) for character in characters]] = True
    return table


class _Chunk:
    """The features of some documents; arrays over code points, spans, words and lines in turn."""

    def __init__(self, chunk: CodePoints) -> None:
        self.values, self.bounds, self.documents = chunk.values, chunk.bounds, chunk.documents
        self.kinds = kind_table()[chunk.values]
        self.lengths = np.diff(chunk.bounds)
        self.sums = self._prefix_hashes()

    def fill(self, out: Floats) -> None:
        """Write the features into ``out``, shape (documents, len(FEATURES))."""
        if not len(self.values):
            out[:, _INDEX["lexical_diversity"]] = 1
            return
        documents = np.repeat(np.arange(self.documents), self.lengths)
        kinds = np.bincount(documents * KINDS + self.kinds, minlength=self.documents * KINDS)
        kinds = kinds.reshape(-1, KINDS)
        visible = np.maximum(kinds.sum(axis=1) - kinds[:, Kind.SPACE] - kinds[:, Kind.NEWLINE], 1)
        out[:, _INDEX["n_chars"]] = self.lengths
        letters = kinds[:, Kind.LETTER : Kind.MARK + 1].sum(axis=1)
        out[:, _INDEX["alphabetic_ratio"]] = letters / visible
        out[:, _INDEX["digit_ratio"]] = kinds[:, Kind.NUMBER] / visible
        out[:, _INDEX["punctuation_ratio"]] = kinds[:, [Kind.PUNCTUATION, Kind.TERMINAL]].sum(axis=1) / visible
        out[:, _INDEX["symbol_ratio"]] = kinds[:, [Kind.SYMBOL, Kind.CODE]].sum(axis=1) / visible
        out[:, _INDEX["code_ratio"]] = kinds[:, Kind.CODE] / visible
        self._words(out)
        self._lines(out)
        self._tokens(out, visible)

    def _prefix_hashes(self) -> UInt64s:
        """Prefix sums of a polynomial over the code points: the hash of any span in three operations.

        Positions wrap at the end of the power table; only documents longer than a chunk, which are alone in
        theirs, ever get there.
        """
        powers, _ = _powers()
        sums = np.empty(len(self.values) + 1, np.uint64)
        sums[0] = 0
        factors = powers[: len(self.values)]
        if len(factors) < len(self.values):
            factors = np.resize(powers, len(self.values))
        np.cumsum(factors * self.values, out=sums[1:])
        return sums

    def _hash(self, starts: Int64s, stops: Int64s) -> UInt64s:
        """64-bit hashes of spans, equal for equal text."""
        _, inverses = _powers()
        hashes: UInt64s = (self.sums[stops] - self.sums[starts]) * inverses[starts % len(inverses)]
        hashes ^= hashes >> np.uint64(29)
        hashes *= np.uint64(0xBF58476D1CE4E5B9)
        hashes ^= hashes >> np.uint64(32)
        return hashes

    def _spans(self, inside: Bools, cuts: Bools | None = None) -> tuple[Int64s, Int64s]:
        """Maximal runs of true within documents, begun anew wherever ``cuts`` is true."""
        begins = inside.copy()
        begins[1:] &= ~inside[:-1]
        edges = self.bounds[:-1][self.lengths > 0]
        begins[edges] = inside[edges]
        if cuts is not None:
            begins |= cuts
        ends = inside.copy()
        ends[:-1] &= ~inside[1:] | begins[1:]
        return np.flatnonzero(begins), np.flatnonzero(ends) + 1

    def _owners(self, starts: Int64s) -> Int64s:
        """The document of each span, and nothing else: spans are in order."""
        counts = np.diff(np.searchsorted(starts, self.bounds))
        return np.repeat(np.arange(self.documents), counts)

    def _words(self, out: Floats) -> None:
        kinds = self.kinds
        inside = (kinds >= Kind.LETTER) & (kinds <= Kind.NUMBER)
        starts, stops = self._spans(inside, self._cuts(inside))
        owners = self._owners(starts)
        n_words = np.bincount(owners, minlength=self.documents)
        out[:, _INDEX["n_words"]] = n_words
        characters = np.bincount(owners, weights=stops - starts, minlength=self.documents)
        out[:, _INDEX["mean_word_length"]] = characters / np.maximum(n_words, 1)
        hashes = self._hash(starts, stops)
        tags = owners.astype(np.uint64) << _DOCUMENT_BITS

        different, _ = self._repeats(hashes, tags)
        out[:, _INDEX["unique_word_ratio"]] = different / np.maximum(n_words, 1)
        diversity = np.log(np.maximum(different, 1)) / np.log(np.maximum(n_words, 2))
        out[:, _INDEX["lexical_diversity"]] = np.where(n_words > 1, diversity, 1)

        _, most = self._repeats(*_ngrams(hashes, owners, tags, 2))
        out[:, _INDEX["top_bigram_share"]] = np.where(most > 2, np.minimum(2 * most / np.maximum(n_words, 1), 1), 0)

        different, _ = self._repeats(*_ngrams(hashes, owners, tags, NGRAM))
        total = np.maximum(n_words - NGRAM + 1, 0)
        out[:, _INDEX["duplicate_ngram_share"]] = (total - different) / np.maximum(total, 1)

    def _cuts(self, inside: Bools) -> Bools | None:
        """Where words begin besides after what is no part of a word; None where no script here needs it."""
        kinds, values = self.kinds, self.values
        ideographs = kinds == Kind.IDEOGRAPH
        unspaced = kinds == Kind.UNSPACED
        cuts: Bools | None = None
        if ideographs.any():
            cuts = ideographs.copy()
            # What follows an ideograph begins a word, unless it is a mark on it.
            cuts[1:] |= ideographs[:-1] & inside[1:] & (kinds[1:] != Kind.MARK)
        if unspaced.any():
            pairs = (values[:-1].astype(np.uint64) * np.uint64(_BASE) + values[1:]) * np.uint64(_BASE)
            pieces = np.zeros(len(values), np.bool_)
            pieces[1:] = (pairs >> np.uint64(40)) % np.uint64(PIECE) == 0
            pieces &= unspaced
            cuts = pieces if cuts is None else cuts | pieces
        return cuts

    def _repeats(self, hashes: UInt64s, tags: UInt64s) -> tuple[Int64s, Int64s]:
        """How many different values each document has, and how often the most frequent one comes.

        The document stands in the high bits, so that one sort separates documents and brings equals together.
        """
        keys = np.sort(tags | (hashes >> (np.uint64(64) - _DOCUMENT_BITS)))
        most = np.zeros(self.documents, np.int64)
        if not len(keys):
            return most.copy(), most
        first = np.empty(len(keys), np.bool_)
        first[0] = True
        np.not_equal(keys[1:], keys[:-1], out=first[1:])
        positions = np.flatnonzero(first)
        owners = (keys[positions] >> _DOCUMENT_BITS).astype(np.int64)
        different = np.bincount(owners, minlength=self.documents)
        runs = np.diff(positions, append=len(keys))
        present = np.flatnonzero(different)
        begin = np.searchsorted(owners, present)
        most[present] = np.maximum.reduceat(runs, begin)
        return different, most

    def _lines(self, out: Floats) -> None:
        starts, stops = self._trim(*self._spans(self.kinds != Kind.NEWLINE))
        if not len(starts):
            return
        owners = self._owners(starts)
        n_lines = np.bincount(owners, minlength=self.documents)
        out[:, _INDEX["n_lines"]] = n_lines
        n_lines = np.maximum(n_lines, 1)
        widths = stops - starts
        wide = np.zeros(len(self.kinds) + 1, np.int32)
        np.cumsum(self.kinds == Kind.IDEOGRAPH, out=wide[1:])
        weights = widths + 2 * (wide[stops] - wide[starts])
        last = self._last_significant(starts, stops)
        ending = self.kinds[last]
        terminal = ending == Kind.TERMINAL
        masks = {
            "short_line_share": (weights < SHORT_LINE) & ~terminal & (ending != Kind.PUNCTUATION),
            "bullet_line_share": _bullet_table()[np.minimum(self.values[starts], 0xFFFF)] & (widths > 1),
            "terminal_line_share": terminal,
            "code_line_share": _code_end_table()[np.minimum(self.values[stops - 1], 0xFFFF)],
        }
        for name, mask in masks.items():
            out[:, _INDEX[name]] = np.bincount(owners[mask], minlength=self.documents) / n_lines
        keys = owners.astype(np.uint64) << _DOCUMENT_BITS
        keys |= self._hash(starts, stops) >> (np.uint64(64) - _DOCUMENT_BITS)
        _, originals = np.unique(keys, return_index=True)
        repeated = np.ones(len(keys), np.bool_)
        repeated[originals] = False
        total = np.bincount(owners, weights=widths, minlength=self.documents)
        copies = np.bincount(owners[repeated], weights=widths[repeated], minlength=self.documents)
        out[:, _INDEX["duplicate_line_share"]] = copies / np.maximum(total, 1)

    def _trim(self, starts: Int64s, stops: Int64s) -> tuple[Int64s, Int64s]:
        """Spans without the space at their ends; those of nothing but space are left out."""
        visible = np.flatnonzero((self.kinds != Kind.SPACE) & (self.kinds != Kind.NEWLINE))
        if not len(visible):
            return starts[:0], stops[:0]
        first = np.searchsorted(visible, starts)
        last = np.searchsorted(visible, stops) - 1
        filled = first <= last
        return visible[first[filled]], visible[last[filled]] + 1

    def _last_significant(self, starts: Int64s, stops: Int64s) -> Int64s:
        """Position of each line's last character, up to two closing quotes or brackets after it left aside."""
        last = stops - 1
        for _ in range(2):
            closing = _closer_table()[np.minimum(self.values[last], 0xFFFF)] & (last > starts)
            last = last - closing
        return last

    def _tokens(self, out: Floats, visible: Int64s) -> None:
        """Addresses and runs too long for words."""
        solid = (self.kinds > Kind.NEWLINE) | (self.kinds == Kind.OTHER)
        solid &= (self.kinds != Kind.IDEOGRAPH) & (self.kinds != Kind.UNSPACED)
        starts, stops = self._spans(solid)
        widths = stops - starts
        address = np.zeros(len(starts), np.bool_)
        colons = np.flatnonzero(self.values[:-2] == ord(":"))
        colons = colons[(self.values[colons + 1] == ord("/")) & (self.values[colons + 2] == ord("/"))]
        dots = np.flatnonzero(self.values[3:] == ord(".")) if len(self.values) > 3 else np.empty(0, np.int64)
        www = dots[np.all([self.values[dots + shift] == ord("w") for shift in range(3)], axis=0)]
        for marks in (colons, www):
            address[np.searchsorted(starts, marks, side="right") - 1] = True
        owners = self._owners(starts)
        in_urls = np.bincount(owners[address], weights=widths[address], minlength=self.documents)
        out[:, _INDEX["url_share"]] = in_urls / visible
        plain = ~address
        owners, widths = owners[plain], widths[plain]
        long = widths > LONG_TOKEN
        in_long = np.bincount(owners[long], weights=widths[long], minlength=self.documents)
        out[:, _INDEX["long_token_share"]] = in_long / visible
        counts = np.bincount(owners, minlength=self.documents)
        present = np.flatnonzero(counts)
        begin = np.searchsorted(owners, present)
        if len(present):
            out[present, _INDEX["longest_token"]] = np.maximum.reduceat(widths, begin)


def _ngrams(hashes: UInt64s, owners: Int64s, tags: UInt64s, n: int) -> tuple[UInt64s, UInt64s]:
    """Hashes and documents of all runs of n words that lie within a document."""
    size = len(hashes) - n + 1
    if size <= 0:
        return hashes[:0], tags[:0]
    mixed = hashes[:size].copy()
    for shift in range(1, n):
        mixed *= np.uint64(_BASE)
        mixed += hashes[shift : shift + size]
    mixed ^= mixed >> np.uint64(31)
    mixed *= np.uint64(0x94D049BB133111EB)
    within = owners[:size] == owners[n - 1 :]
    return mixed[within], tags[:size][within]
