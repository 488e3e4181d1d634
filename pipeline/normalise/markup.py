"""HTML that was left in a text.

Only tags that HTML knows count, and only in a text with two of them or one that closes, breaks a line or has
attributes: `a < b`, `List<int>` and one mention of a tag in a text about HTML are no markup.
"""

from __future__ import annotations

import html
import re
from html.entities import html5

_INLINE = (
    "a|abbr|acronym|b|bdi|bdo|big|cite|code|data|del|dfn|em|font|i|img|ins|kbd|label|mark|nobr|q|rp|rt|ruby|s"
    "|samp|small|span|strike|strong|sub|sup|time|tt|u|var|wbr"
)
_BLOCK = (
    "address|article|aside|blockquote|body|br|button|caption|center|col|colgroup|dd|details|dialog|dir|div|dl|dt"
    "|embed|fieldset|figcaption|figure|footer|form|frame|h1|h2|h3|h4|h5|h6|head|header|hr|html|iframe|input|legend"
    "|li|link|main|map|menu|meta|nav|noscript|object|ol|optgroup|option|p|param|picture|pre|section|select|source"
    "|summary|table|tbody|td|textarea|tfoot|th|thead|title|tr|track|ul|video|audio|canvas|svg|path|area|base"
)
_HIDDEN = "script|style|template"
_IS_INLINE = re.compile(_INLINE, re.IGNORECASE)
# Attributes need an equals sign: `<IMG tag do not work>` is prose.
_TAG = re.compile(rf"<(/?)({_INLINE}|{_BLOCK}|{_HIDDEN})(\s+[A-Za-z_:@][\w:.-]*\s*=[^<>]*)?\s*/?>", re.IGNORECASE)
_HIDDEN_STARTS = re.compile(rf"<({_HIDDEN})(?:\s+[A-Za-z][\w:.-]*\s*=[^<>]*)?\s*>", re.IGNORECASE)
_HIDDEN_ENDS = re.compile(rf"</(?:{_HIDDEN})\s*>", re.IGNORECASE)
_COMMENT_STARTS, _COMMENT_ENDS = re.compile("<!--"), re.compile("-->")
_DECLARATION = re.compile(r"<!DOCTYPE[^<>]{0,300}>|<!\[CDATA\[|\]\]>", re.IGNORECASE)
_LONGEST_HIDDEN = 20_000
"""Characters of a comment, script or style sheet; what seems longer is text between two mentions."""

_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_LEVELS = 4
"""An entity is resolved this often at most: `&amp;amp;quot;` was escaped three times."""


def repair(text: str) -> str:
    """The text without tags and comments, entities resolved."""
    if "<" in text:
        text = _without_tags(text)
    for _ in range(_LEVELS):
        resolved = _ENTITY.sub(_character, text)
        if resolved == text:
            break
        text = resolved
    return text


def _without_tags(text: str) -> str:
    text = _without(text, _COMMENT_STARTS, _COMMENT_ENDS)
    text = _DECLARATION.sub(" ", text)
    evidence = 0
    for match in _TAG.finditer(text):
        evidence += 2 if match[1] or match[3] or match[2].lower() == "br" else 1
        if evidence >= 2:
            break
    else:
        return text
    text = _without(text, _HIDDEN_STARTS, _HIDDEN_ENDS)
    return _TAG.sub(lambda match: "" if _IS_INLINE.fullmatch(match[2]) else "\n", text)


def _without(text: str, starts: re.Pattern[str], ends: re.Pattern[str]) -> str:
    """The text without what lies between a start and the next end; in linear time whatever is nested or open."""
    parts, done = [], 0
    end: re.Match[str] | None = None
    for start in starts.finditer(text):
        if start.start() < done:
            continue
        if end is None or end.start() < start.end():
            end = ends.search(text, start.end())
        if end is None:
            break
        if end.start() - start.end() <= _LONGEST_HIDDEN:
            parts += [text[done : start.start()], " "]
            done = end.end()
    return "".join([*parts, text[done:]]) if done else text


def _character(match: re.Match[str]) -> str:
    entity = match[0]
    if entity[1] != "#":
        return html5.get(entity[1:], entity)
    return html.unescape(entity)
