"""The visible text of an HTML page, in one linear pass.

The pages of a crawl are hostile: each pattern here consumes what it has looked at, so that time is linear in
the page's length whatever it holds, which a parser that backtracks does not promise. Boilerplate is left in;
removing it is the pipeline's task and must work the same for text that was extracted elsewhere.
"""

from __future__ import annotations

import html
from typing import Any, Final

import regex

_HIDDEN: Final = "script|style|noscript|template|head|svg|math|iframe|object|select|textarea|canvas"
_BLOCK: Final = frozenset(
    (
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "br",
        "caption",
        "center",
        "dd",
        "details",
        "dialog",
        "dir",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "html",
        "li",
        "main",
        "menu",
        "nav",
        "ol",
        "option",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "tfoot",
        "thead",
        "title",
        "tr",
        "ul",
    )
)
_CELL: Final = frozenset(("td", "th"))

_MARKUP = regex.compile(
    r"<!--(?:.*?-->|.*)"
    rf"|<({_HIDDEN})\b[^>]*+(?:>.*?(?:</\1\s*+>|\Z)|\Z)"
    r"""|<[/!?]?([a-z][a-z0-9]*+)(?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+>"""
    r"|<[/!?]?([a-z][a-z0-9]*+)[^>]*+(?:>|\Z)",
    regex.DOTALL | regex.IGNORECASE,
)
_CHARSET = regex.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([a-z0-9_:-]{1,40})""", regex.IGNORECASE)


def visible_text(page: str) -> str:
    """The text that a reader of the page sees, a line for each block of it.

    Args:
        page: HTML, however broken.
    """
    text = _MARKUP.sub(_replace, page)
    lines = (" ".join(line.split()) for line in html.unescape(text).split("\n"))
    return "\n".join(line for line in lines if line)


def _replace(match: Any) -> str:
    hidden, tag, broken = match.groups()
    if hidden:
        return "\n"
    name = (tag or broken or "").lower()
    if name in _BLOCK:
        return "\n"
    return " " if name in _CELL else ""


def declared_charset(page: bytes) -> str | None:
    """The encoding that the page's head declares, as written there."""
    found = _CHARSET.search(page[:4096])
    return found.group(1).decode("ascii") if found else None
