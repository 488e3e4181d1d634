"""Text that was decoded with the wrong encoding.

UTF-8 read as a single-byte encoding is left to ftfy (Speer 2019, https://ftfy.readthedocs.io), which is careful
but reads 2,000 documents a second at best, so it is asked only where a sequence of UTF-8 can be seen. Two older
encodings are undone here, each only where the result leaves no doubt.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

# Characters that Windows-1252 has for the bytes 0x80 to 0x9F.
_WINDOWS = "\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013\u2014\u2018-\u201a\u201c-\u201e" + (
    "\u2020-\u2022\u2026\u2030\u2039\u203a\u20ac\u2122"
)
_SECOND = f"[\x80-\xbf{_WINDOWS}]"
_NEXT = f"[\x80-\xbf{_WINDOWS}\ufffd\x1a ]"  # a byte that was lost, or a no-break space made plain
_UTF8 = re.compile(
    f"[Â-ß]{_SECOND}"
    f"|[à-ï]{_NEXT}{_NEXT}"
    f"|[ð-ô]{_NEXT}{_NEXT}{_NEXT}"
    "|(?:[РС][\x80-\xbf‚„…†‡€‰‹Ђ-џҐґ°-ї]){3}"  # as Windows-1251
    "|[ĂĹ][\x80-\xbfĄ-ž˘-˝‚-™]"  # as Windows-1250
    "|[├┬][\u0080-\u2600]|√[\u0080-\u2600]"  # as code page 437 and Mac Roman
)
_C1 = re.compile("[\x80-\x9f]")
_LETTER_RUN = re.compile("[À-ÿ]{4}")
_HIGH = re.compile("[\x80-\xff]")
_LETTER = re.compile(r"[^\W\d_]")
_CYRILLIC = re.compile("[Ѐ-ӿ]")
# More than two thirds of the letters of Russian, Ukrainian, Bulgarian and their neighbours; what other
# alphabets of the time turn into (Greek, Hebrew, Arabic) falls well below.
_COMMON_CYRILLIC = re.compile("[оеаинтсрвлкмідпуОЕАИНТСРВЛ]")
_KANA = re.compile("[\u3040-\u30ff]")
_JAPANESE = re.compile("[\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef]")


def repair(text: str) -> str:
    """The text as it was meant, or unchanged where that cannot be told."""
    repaired = _legacy(text)
    if repaired is not None:
        return repaired
    if _UTF8.search(text):
        text = _fix_encoding(text)
        if _UTF8.search(text):
            # Whole and broken lines in one document defeat the look at the whole.
            text = "\n".join(_fix_encoding(line) if _UTF8.search(line) else line for line in text.split("\n"))
    if _C1.search(text):
        text = _windows_for_c1(text)
    return text


def _fix_encoding(text: str) -> str:
    ftfy, config = _ftfy()
    fixed: str = ftfy.fix_encoding(text, config)
    return fixed


@cache
def _ftfy() -> tuple[Any, Any]:
    import ftfy

    return ftfy, ftfy.TextFixerConfig(unescape_html=False, explain=False)


def _windows_for_c1(text: str) -> str:
    """C1 controls stand for the Windows-1252 characters of the same byte where there is one: quotes, dashes."""
    return _C1.sub(lambda match: bytes([ord(match[0])]).decode("cp1252", "replace").replace("\ufffd", match[0]), text)


def _legacy(text: str) -> str | None:
    """Windows-1251 or Shift JIS read as Latin-1."""
    if not (_C1.search(text) or _LETTER_RUN.search(text)):
        return None
    letters = len(_LETTER.findall(text))
    high = len(_HIGH.findall(text))
    if high * 2 < letters:
        return None
    try:
        data = text.encode("latin-1")
    except UnicodeEncodeError:
        return None
    shift_jis = _as_shift_jis(data)
    if shift_jis is not None:
        return shift_jis
    # The bytes of UTF-8 in an Indic script read as much like Cyrillic as Cyrillic does.
    in_sequences = sum(len(match[0]) for match in _UTF8.finditer(text))
    return _as_windows_1251(data) if in_sequences * 4 < high else None


def _as_windows_1251(data: bytes) -> str | None:
    try:
        text = data.decode("cp1251")
    except UnicodeDecodeError:
        return None
    letters = max(len(_LETTER.findall(text)), 1)
    cyrillic = len(_CYRILLIC.findall(text))
    common = len(_COMMON_CYRILLIC.findall(text))
    lower = sum(character.islower() for character in text)
    likely = cyrillic >= 0.5 * letters and common >= 0.6 * cyrillic and lower >= 0.6 * letters
    return text if likely else None


def _as_shift_jis(data: bytes) -> str | None:
    try:
        text = data.decode("cp932")
    except UnicodeDecodeError:
        return None
    japanese = len(_JAPANESE.findall(text))
    likely = japanese >= 0.2 * len(text) and len(_KANA.findall(text)) >= 0.2 * japanese
    return text if likely else None
