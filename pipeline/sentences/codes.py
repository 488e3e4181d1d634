"""Which rules of the sentence splitter a language gets."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import langcodes

from corpus.tags import script_of

GENERAL: Final = "en"
"""The splitter's rules for whatever it knows nothing of: the final marks of all scripts, English abbreviations."""


_GENERAL_INSTEAD: Final = frozenset({"mya"})
"""Languages whose own rules do harm: those for Burmese also end a sentence at \u104f, which marks the possessive."""


@lru_cache(maxsize=4096)
def splitter_code(tag: str) -> str:
    """The code that sentencex knows a language by: ``sw`` for ``swh_Latn``, ``zh`` for ``zho_Hant``.

    Its codes are those of Wikipedia's editions: the two-letter code where there is one, that of the macrolanguage
    where the tag is a member. A language that it does not know gets the rules of the language that MediaWiki falls
    back to, which is its own table, and in the end ``GENERAL``; final marks are those of all scripts in any case, so
    that what differs is only which abbreviations do not end a sentence. Text in no language, and text in Latin letters
    of a language usually written otherwise (``hin_Latn``), get ``GENERAL`` at once; so does Burmese.

    Args:
        tag: ours.
    """
    script = script_of(tag)
    if script is None:
        return GENERAL
    code = tag.partition("_")[0]
    usual = langcodes.Language.get(code).maximize().script
    if code in _GENERAL_INSTEAD or (script == "Latn" and usual not in (None, "Latn")):
        return GENERAL
    return str(langcodes.standardize_tag(code, macro=True))
