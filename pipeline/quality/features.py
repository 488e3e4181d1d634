"""Numbers that tell prose from junk, for all documents of a batch at once and for every script.

Words are runs of letters, marks and numbers. In scripts without spaces every ideograph or kana is a word of its
own, and runs of letters of an alphabet such as Thai are cut by their content: between two letters whose pair has
a hash divisible by PIECE, so that the same phrase falls into the same pieces wherever it stands.
The features follow those of Gopher (Rae et al. 2021, https://arxiv.org/abs/2112.11446, appendix A.1) and FineWeb
(Penedo et al. 2024, https://arxiv.org/abs/2406.17557); what repeats is counted in word hashes, not in strings.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.quality.classes import Kind
from pipeline.quality.lines import lines
from pipeline.quality.text import Columns, Floats, Text
from pipeline.quality.tokens import tokens
from pipeline.quality.top_words import top_words
from pipeline.quality.words import find_words, words
from pipeline.script.codepoints import LONGEST, chunks, utf8

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
    "alphabetic_word_share",
    "hash_word_ratio",
    "ellipsis_word_ratio",
    "newline_word_ratio",
    "ellipsis_line_share",
    "duplicate_line_ratio",
    "duplicate_paragraph_ratio",
    "duplicate_paragraph_share",
    "top_trigram_share",
    "top_4gram_share",
    "duplicate_6gram_share",
    "duplicate_7gram_share",
    "duplicate_8gram_share",
    "duplicate_9gram_share",
    "duplicate_10gram_share",
)
"""Names of the columns, in order.

n_chars, n_bytes: code points and UTF-8 bytes of the text.
n_words: words, or what stands for them in scripts without spaces.
mean_word_length: code points a word.
alphabetic_ratio, digit_ratio, punctuation_ratio, symbol_ratio, code_ratio: letters and marks, numbers,
    punctuation, symbols (with code characters), and code characters alone, as shares of what is not space.
alphabetic_word_share: share of the words that do not begin with a number.
hash_word_ratio, ellipsis_word_ratio, newline_word_ratio: number signs, ellipses (as one character or as three dots
    or more) and line ends by the number of words.
n_lines: lines that are not blank.
short_line_share: share of the non-empty lines with fewer than SHORT_LINE characters that end with no mark.
duplicate_line_ratio, duplicate_line_share: share of the lines already met in the document, and of the characters
    that lie in them.
duplicate_paragraph_ratio, duplicate_paragraph_share: the same of paragraphs, which empty lines divide.
bullet_line_share, terminal_line_share, code_line_share, ellipsis_line_share: shares of the lines that begin with a
    bullet, end with a terminal mark, with a brace or a semicolon, with an ellipsis.
unique_word_ratio: different words / words.
lexical_diversity: log different words / log words (Herdan's C), which hardly falls with length; 1 for a word.
top_bigram_share, top_trigram_share, top_4gram_share: words covered by the most frequent pair (three, four) of words,
    if it comes at least three times.
duplicate_ngram_share: share of the 5-grams of words that came before in the document.
duplicate_6gram_share ... duplicate_10gram_share: the same of longer ones.
url_share: share of the non-space characters in addresses.
longest_token: characters of the longest run without space or letter of a script without spaces, addresses apart.
long_token_share: share of the non-space characters in such runs of more than LONG_TOKEN characters.
filler_share: share of the characters in the printers' filler text, taking FILLER_LENGTH for each "lorem ipsum".
"""

FILLER_LENGTH: Final = 230
"""Characters of the first two sentences of the filler text."""

_INDEX: Final = {name: number for number, name in enumerate(FEATURES)}
_ELLIPSIS: Final = ord("…")


def compute(column: pa.Array) -> Floats:
    """The features of n texts; see ``find``."""
    return find(column).features


class Found(NamedTuple):
    """What is found in n texts."""

    features: Floats
    """Shape (n, len(FEATURES))."""
    top_words: list[str]
    """The most frequent words of each text, or nothing where they were not asked for."""


def find(column: pa.Array, with_top_words: bool = False) -> Found:
    """Features of n texts, and their most frequent words.

    Args:
        column: string or large_string of n rows.
        with_top_words: find those as well.

    A document's numbers do not depend on its neighbours; those of one of more
        than LONGEST bytes, sizes apart, describe its beginning.
    """
    top: list[str] = [""] * len(column) if with_top_words else []
    if column.null_count:
        column = column.fill_null("")
    result = np.zeros((len(column), len(FEATURES)), np.float32)
    raw, byte_bounds = utf8(column)
    sizes = np.diff(byte_bounds)
    result[:, _INDEX["n_bytes"]] = sizes
    result[:, _INDEX["lexical_diversity"]] = 1
    for chunk in chunks(column):
        if not len(chunk.values):
            continue
        text = Text(chunk)
        rows = slice(chunk.first, chunk.first + chunk.documents)
        by_word = words(text, all_words := find_words(text))
        for found in (_characters(text), by_word, _rates(text, by_word), lines(text), tokens(text)):
            for name, values in found.items():
                result[rows, _INDEX[name]] = values
        if with_top_words:
            top[rows] = top_words(text, all_words)
    for row in np.flatnonzero(sizes > LONGEST):
        document = raw[byte_bounds[row] : byte_bounds[row + 1]]
        result[row, _INDEX["n_chars"]] = np.count_nonzero((document & 0xC0) != 0x80)
    fillers = pc.count_substring(column, "lorem ipsum", ignore_case=True).to_numpy(zero_copy_only=False)
    characters = np.maximum(result[:, _INDEX["n_chars"]], 1)
    result[:, _INDEX["filler_share"]] = np.minimum(fillers * FILLER_LENGTH / characters, 1)
    return Found(result, top)


def _characters(text: Text) -> Columns:
    """What the characters are."""
    counts, visible = text.counts, text.visible
    return {
        "n_chars": text.lengths,
        "alphabetic_ratio": text.letters / visible,
        "digit_ratio": counts[:, Kind.NUMBER] / visible,
        "punctuation_ratio": counts[:, [Kind.PUNCTUATION, Kind.TERMINAL]].sum(axis=1) / visible,
        "symbol_ratio": counts[:, [Kind.SYMBOL, Kind.CODE]].sum(axis=1) / visible,
        "code_ratio": counts[:, Kind.CODE] / visible,
    }


def _rates(text: Text, by_word: Columns) -> Columns:
    """Characters of note by the number of words."""
    n_words = np.maximum(by_word["n_words"], 1)
    hashes = text.per_document(text.mark_owners[text.mark_values == ord("#")])
    ellipses = text.per_document(text.mark_owners[text.mark_values == _ELLIPSIS])
    dots = np.flatnonzero(text.mark_values == ord("."))
    places, owners = text.marks[dots], text.mark_owners[dots]
    if len(places) > 2:
        # The third dot of a row; what follows it belongs to the same ellipsis.
        joined = (places[1:] == places[:-1] + 1) & (owners[1:] == owners[:-1])
        third = joined[1:] & joined[:-1]
        third[1:] &= ~(joined[2:] & joined[1:-1] & joined[:-2])
        ellipses = ellipses + text.per_document(owners[2:][third])
    return {
        "hash_word_ratio": hashes / n_words,
        "ellipsis_word_ratio": ellipses / n_words,
        "newline_word_ratio": text.counts[:, Kind.NEWLINE] / n_words,
    }
