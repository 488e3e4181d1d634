"""From a document to its sentences."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

from corpus.errors import ConfigurationError
from pipeline.sentences.codes import splitter_code
from pipeline.sentences.layout import Layout, LineLayout
from pipeline.sentences.lines import cut_lines
from pipeline.sentences.long import cut_long
from pipeline.sentences.passthrough import is_passthrough
from pipeline.sentences.quotes import end_of_sentence, hidden

LONGEST: Final = 400
"""Letters of a sentence before it is cut: some 100 to 130 pieces of a vocabulary, what models were trained on."""

_MORE: Final = re.compile(
    r"[\u17d4\u17d5]+\s*|[\u0f0d\u0f0e]+\s+|\u1361\u1361\s*|(?<=[\u1200-\u135f])::\s*|(?<=[\u0900-\u0dff])\s?[|]\s"
)
"""Final marks that the splitter does not know: of Khmer, of Tibetan before a space; ``::`` and ``|`` as they are typed
for those of Ethiopic and Indic scripts."""
_CLAUSE: Final = re.compile(r"[:;\uff1a\uff1b]\s*[\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]\s*")
"""Of a wrapped paragraph a line that ends like the introduction of a list."""
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")


def split(text: str, lang: str, *, longest: int = LONGEST) -> Layout:
    """Cut a document into sentences and what stands between them.

    Lines are parted first (a paragraph wrapped by width is one), indentation and list marks set aside, then each is cut
    by sentencex (Thottingal, https://github.com/wikimedia/sentencex), whose rules follow the language; see
    ``codes.splitter_code`` for what an unknown one gets. Overlong sentences are cut at punctuation or spaces.

    Args:
        text: a document, any text.
        lang: its tag.
        longest: letters of a sentence; an ideograph, a kana or a hangul syllable counts for three.

    Returns:
        a layout; ``layout.rebuild(layout.sentences) == text``.

    Raises:
        ConfigurationError: sentencex is not installed.
    """
    code = splitter_code(lang)
    lines, between = cut_lines(text)
    sentences: list[str] = []
    passthrough: list[bool] = []
    found: list[LineLayout] = []
    for line in lines:
        spans = [(0, len(line.body))] if line.fenced else _spans(line.body, code, longest)
        for start, end in spans:
            sentences.append(line.body[start:end])
            passthrough.append(line.fenced or is_passthrough(line.body[start:end]))
        gaps = tuple(line.body[left[1] : right[0]] for left, right in pairwise(spans))
        found.append(LineLayout(line.lead, gaps))
    return Layout(tuple(sentences), tuple(passthrough), tuple(found), tuple(between))


def _spans(body: str, code: str, longest: int) -> list[tuple[int, int]]:
    """Where the sentences of a line begin and end; white space belongs to none."""
    spans: list[tuple[int, int]] = []
    for start, end in pairwise([0, *_ends(body, code)]):
        piece = body[start:end]
        left, right = len(piece) - len(piece.lstrip()), len(piece.rstrip())
        if right <= left:
            continue
        if spans and not any(map(str.isalnum, piece)):
            # A closing quote or a bracket that the splitter parted from its sentence.
            spans[-1] = (spans[-1][0], start + right)
        else:
            spans.append((start + left, start + right))
    parts: list[tuple[int, int]] = []
    for start, end in spans:
        for first, last in pairwise([0, *cut_long(body[start:end], longest), end - start]):
            piece = body[start + first : start + last]
            left, right = len(piece) - len(piece.lstrip()), len(piece.rstrip())
            if right > left:
                parts.append((start + first + left, start + first + right))
    return parts


def _ends(body: str, code: str) -> list[int]:
    """Ends of the sentences of a line, the last one its length."""
    # The splitter takes UTF-8; a lone surrogate has none, and one character stands for it.
    pieces = _segment(code, _SURROGATE.sub("\ufffd", hidden(body)))
    ends, position = {len(body)}, 0
    for piece in pieces:
        position += len(piece)
        end = end_of_sentence(body, min(position, len(body)))
        ends.update((end,) if end is not None else ())
    if position != len(body):  # it lost or added characters: no sentence of it can be trusted
        ends = {len(body)}
    for pattern in (_MORE, _CLAUSE):
        ends.update(match.end() for match in pattern.finditer(body))
    return sorted(end for end in ends if end > 0)


def _segment(code: str, body: str) -> list[str]:
    try:
        import sentencex
    except ImportError as error:
        raise ConfigurationError(
            "sentences cannot be told without the package sentencex",
            "Install it with `pip install 'evenglot[translate]'`",
        ) from error
    pieces: list[str] = sentencex.segment(code, body)
    return pieces
