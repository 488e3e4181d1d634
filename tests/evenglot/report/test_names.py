from __future__ import annotations

import pytest

from evenglot.report.names import LanguageName, describe, names


@pytest.mark.parametrize(
    ("tag", "english", "autonym", "attribute"),
    [
        ("deu_Latn", "German", "Deutsch", "de"),
        ("swh_Latn", "Swahili", "Kiswahili", "swh-Latn"),
        ("heb_Hebr", "Hebrew", "עברית", "he"),
        ("und", "Undetermined", "", "und"),
        ("zxx", "No language", "", "zxx"),
    ],
)
def test_describe(tag: str, english: str, autonym: str, attribute: str) -> None:
    assert describe(tag) == LanguageName(tag, english, autonym, attribute)


@pytest.mark.parametrize("tag", ["", "x", '"><script>', "qqq_Latn", "a_b_c_d", "\u202e"])
def test_strange_tags_give_a_harmless_attribute(tag: str) -> None:
    found = describe(tag)
    assert found.tag == tag
    assert all(character.isascii() and (character.isalnum() or character == "-") for character in found.bcp47)


def test_same_names_are_told_apart_by_script() -> None:
    found = names(["srp_Cyrl", "srp_Latn", "deu_Latn"])
    assert [name.english for name in found.values()] == ["Serbian (Cyrillic)", "Serbian (Latin)", "German"]
