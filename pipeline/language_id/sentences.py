"""Where the sentences of a text end: the units in which a document's language may change."""

from __future__ import annotations

import re
from typing import Final

_END: Final = re.compile(
    r"\n+"
    r"|[.!?\u2026\u203d\u0589\u061f\u06d4\u0700-\u0702\u0964\u0965\u1362\u1367\u1368\u17d4\u17d5\u104b]+"
    r"[\"'\u2019\u201d\u00bb\u203a)\]]*\s+"
    r"|[\u3002\uff01\uff1f\uff61]+[\u300d\u300f\u2019\u201d\uff09]*\s*"
)
"""A line end; a final mark of any script with closing quotes and white space; an ideographic one without."""
_SPACE: Final = re.compile(r"\s+")


def sentences(text: str, longest: int = 300) -> list[int]:
    """Bounds of the sentences of a text.

    Final marks end a sentence wherever white space follows, abbreviations too: a cut too many does no harm, since
    neighbours of one language are joined again. A sentence of more than ``longest`` characters is cut at white
    space, so that text without marks has places to change its language, too.

    Args:
        text: a whole document.
        longest: characters of a unit.

    Returns:
        n + 1 ascending positions from 0 to the text's length; white space belongs to the sentence before it.
    """
    bounds = [0]
    for end in [*(match.end() for match in _END.finditer(text)), len(text)]:
        while end - bounds[-1] > longest:
            cut = _SPACE.search(text, bounds[-1] + longest // 2, bounds[-1] + longest)
            bounds.append(cut.end() if cut and cut.end() < end else bounds[-1] + longest)
        if end > bounds[-1]:
            bounds.append(end)
    return bounds
