"""Control characters and others that cannot be seen."""

from __future__ import annotations

from functools import cache
from typing import Any

import regex

# Scripts whose letters take other forms next to a zero-width joiner or non-joiner.
_JOINING = (
    "Arab Syrc Mand Mong Nkoo Phag Adlm Deva Beng Guru Gujr Orya Taml Telu Knda Mlym Sinh Mymr Khmr Tibt Bali Java "
    "Sund Cham Lana Limb Lepc Newa Mtei Kawi Gran Tirh Sidd Modi Takr Khoj Shrd Kthi Cakm"
)
# Scripts in which a zero-width space stands between words.
_BREAKING = "Thai Laoo Khmr Mymr Tibt Lana Bali Java"


@cache
def _patterns() -> dict[str, Any]:
    joining = "".join(rf"\p{{Script={script}}}" for script in _JOINING.split())
    breaking = "".join(rf"\p{{Script={script}}}" for script in _BREAKING.split())
    emoji = r"\p{Emoji}\p{Emoji_Modifier}\ufe0f"
    return {
        "ansi": regex.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)|[@-Z\\^_])"),
        # A break inside a word was put there by accident; next to a blank it adds nothing.
        "inside": regex.compile(
            r"(?<=\p{L})[\x0b\x0c\u2028](?=\p{Ll})|(?<=[ \t])[\x0b\x0c\u2028]|[\x0b\x0c\u2028](?=[ \t])"
        ),
        "break": regex.compile(r"[\x0b\x0c\u2028\u2029\x85]"),
        "joiner": regex.compile(
            rf"(?<![{joining}\p{{Inherited}}])\u200c|\u200c(?![{joining}])"
            rf"|(?<![{joining}{emoji}\p{{Inherited}}])\u200d"
        ),
        "zero_width_space": regex.compile(rf"(?<![{breaking}\p{{Inherited}}])\u200b|\u200b(?![{breaking}])"),
        "invisible": regex.compile(
            r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u180e\u200e\u200f\u202a-\u202e\u2060-\u206f"
            r"\ufeff\ufff9-\ufffb\ufffe\uffff]"
        ),
    }


def repair(text: str) -> str:
    """The text without what cannot be seen, joiners kept where they shape letters."""
    patterns = _patterns()
    if "\x1b" in text:
        text = patterns["ansi"].sub("", text)
    text = patterns["invisible"].sub("", text)
    if "\u200b" in text:
        text = patterns["zero_width_space"].sub("", text)
    if "\u200c" in text or "\u200d" in text:
        text = patterns["joiner"].sub("", text)
    if patterns["break"].search(text):
        text = patterns["inside"].sub("", text)
        text = patterns["break"].sub("\n", text)
    return text
