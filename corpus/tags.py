"""Language tags: ``iso639-3_Script`` as in FLORES-200, FineWeb-2 and GlotLID (``swh_Latn``, ``zho_Hans``).

One function turns whatever people and models write (BCP-47 tags, ISO 639-1, -2 and -3 codes, fastText,
NLLB, OpenLID and GlotLID labels, English names) into such a tag, or says why it cannot. What a code means
is decided by langcodes and its CLDR data, what a name means by whole names (``language_names``); here stand
only the choices where a code is a macrolanguage and the field has agreed on one of its members.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import langcodes
from langcodes.tag_parser import LanguageTagError

from corpus.errors import EvenglotError
from corpus.language_names import code_of, similar
from corpus.schema import NO_LANGUAGE, UNDETERMINED

_MEMBER: Final = {
    # macrolanguage (or a code replaced since) -> the member or code FLORES-200 uses
    "ara": "arb", "aym": "ayr", "aze": "azj", "bik": "bcl", "cmn": "zho", "din": "dik", "est": "ekk", "fas": "pes",
    "fil": "tgl", "ful": "fuv", "grn": "gug", "hbs": "hrv", "kok": "gom", "kon": "kng", "kur": "kmr", "lav": "lvs",
    "mlg": "plt", "mon": "khk", "msa": "zsm", "nep": "npi", "nor": "nob", "ori": "ory", "orm": "gaz", "pus": "pbt",
    "que": "quy", "sqi": "als", "swa": "swh", "uzb": "uzn", "yid": "ydd", "zlm": "zsm",
    # one written standard under several codes
    "pbu": "pbt", "pst": "pbt", "src": "srd",
}  # fmt: skip
_SPECIAL: Final = frozenset({*_MEMBER, NO_LANGUAGE, UNDETERMINED})
_SCRIPT: Final = {"Kore": "Hang", "Hrkt": "Jpan"}
_DEFAULT_SCRIPT: Final = {"kor": "Hang", "jpn": "Jpan", "zho": "Hans"}
_TRADITIONAL_REGIONS: Final = frozenset({"TW", "HK", "MO"})
_SEPARATORS: Final = re.compile(r"[\s_]+")
_TAG: Final = re.compile(r"[a-z]{3}_[A-Z][a-z]{3}\Z")
_NO_LABEL: Final = frozenset({"", "und", "unknown", "xx", "null", "none", "n/a", "-", "?", "mul", "mis"})

UNSPACED: Final = frozenset({"Hans", "Hant", "Hani", "Jpan", "Hira", "Kana", "Thai", "Laoo", "Khmr", "Mymr", "Tibt"})
"""Scripts of tags whose texts put no spaces between words: there, words are counted by characters."""


class UnknownLanguage(EvenglotError):
    """A label that names no language."""


@lru_cache(maxsize=65_536)
def to_tag(label: str) -> str:
    """The tag of a language label, for example ``sw``, ``zh-TW``, ``__label__swh_Latn``, ``Swahili`` or ``iw``.

    A script in the label is kept; without one the language's usual script is added.

    Args:
        label: as people, sites and models write it; case, ``-`` and ``_`` do not matter.

    Returns:
        ``iso639-3_Script``, or ``zxx`` where the label says "no linguistic content".

    Raises:
        UnknownLanguage: it names no language, or says that the language is unknown.
    """
    text = label.strip().removeprefix("__label__")
    if _TAG.match(text) and text[:3] not in _SPECIAL and text[4:] not in _SCRIPT and text[4:] != "Hani":
        return text
    if not text.isprintable():
        # langcodes looks names up in a trie that cannot hold control characters.
        raise UnknownLanguage(f"{label!r} holds control characters")
    if text.lower() in _NO_LABEL or text.lower().startswith("und"):
        raise UnknownLanguage(f"'{label}' says that the language is unknown")
    if re.split(r"[-_]", text.lower(), maxsplit=1)[0] == NO_LANGUAGE:
        return NO_LANGUAGE
    # "Min Nan" would be read as a tag: Minangkabau (min) with the extension nan.
    named = code_of(text) if " " in text else None
    try:
        if named is not None:
            raise LookupError(label)
        language = langcodes.Language.get(_SEPARATORS.sub("-", text), normalize=True)
        if not language.language or not language.is_valid():
            raise LookupError(label)
        alpha3 = language.to_alpha3()
    except (LanguageTagError, LookupError):
        language, alpha3 = _by_name(text)
    alpha3 = _MEMBER.get(alpha3, alpha3)
    return f"{alpha3}_{_script_of(language, alpha3)}"


def to_tag_or_none(label: str | None) -> str | None:
    """The tag of a label, or None when it names no language."""
    if label is None:
        return None
    try:
        return to_tag(label)
    except UnknownLanguage:
        return None


def is_tag(text: str) -> bool:
    """Whether the text has the form of one of our tags, ``und`` and ``zxx`` included."""
    return text in (UNDETERMINED, NO_LANGUAGE) or _TAG.match(text) is not None


def script_of(tag: str) -> str | None:
    """The ISO 15924 script of a tag; None for ``und`` and ``zxx``."""
    return tag[4:] if _TAG.match(tag) else None


@lru_cache(maxsize=65_536)
def english_name(tag: str) -> str:
    """The language's English name as CLDR has it, without its notes in brackets."""
    if tag == UNDETERMINED:
        return "Undetermined"
    if tag == NO_LANGUAGE:
        return "No language"
    return re.sub(r" \(.*\)", "", str(langcodes.Language.get(bcp47(tag)).language_name("en")))


def is_group(tag: str) -> bool:
    """Whether the code stands for a group of languages, as those of ISO 639-5 do (``sla_Latn``: Slavic languages)."""
    name = str(langcodes.Language.get(tag[:3]).language_name("en"))
    return name.endswith((" languages", "(family)", " pidgins"))


def bcp47(tag: str) -> str:
    """The BCP-47 form for HTML ``lang`` attributes, for example ``sw-Latn``."""
    code, _, script = tag.partition("_")
    return str(langcodes.standardize_tag(f"{code}-{script}")) if script else code


def _by_name(text: str) -> tuple[langcodes.Language, str]:
    code = code_of(text)
    if code is not None:
        try:
            language = langcodes.Language.get(code)
            return language, language.to_alpha3()
        except LookupError:
            pass  # a few names are of groups that ISO 639-3 has no code for
    near = similar(text)
    raise UnknownLanguage(
        f"'{text}' names no language known to ISO 639 or CLDR",
        f"Did you mean {' or '.join(near)}?" if near else "Use a tag such as swh_Latn, a code such as sw or a name",
    )


def _script_of(language: langcodes.Language, alpha3: str) -> str:
    if language.script:
        script = str(language.script)
        if script == "Hani":
            usual = str(langcodes.Language.get(alpha3).maximize().script)
            return usual if usual in ("Hans", "Hant") else "Hani"
        return _SCRIPT.get(script, script)
    if alpha3 == "zho" and language.territory in _TRADITIONAL_REGIONS:
        return "Hant"
    if alpha3 in _DEFAULT_SCRIPT:
        return _DEFAULT_SCRIPT[alpha3]
    likely = language.maximize().script or langcodes.Language.get(alpha3).maximize().script
    if not likely:
        return "Latn"  # CLDR knows no script for the small languages that have no entry; nearly all write Latin
    return _SCRIPT.get(str(likely), str(likely))
