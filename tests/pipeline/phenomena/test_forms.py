"""Forms of a lexicon in the place of words."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.phenomena.forms import Replaced, replace, shaped
from pipeline.phenomena.lexicon import Lexicon, read_lexicon


@pytest.mark.parametrize(
    ("form", "word", "expected"),
    [
        ("mends", "crosses", "mends"),
        ("mends", "Crosses", "Mends"),
        ("mends", "CROSSES", "MENDS"),
        ("Berg", "Fluss", "Berg"),
        ("Berg", "fluss", None),
        ("mends", "cRosses", None),
        ("McBride", "Smith", None),
        ("a", "I", "A"),
    ],
)
def test_a_form_takes_the_shape_of_the_word(form: str, word: str, expected: str | None) -> None:
    assert shaped(form, word) == expected


def words(lexicon: Lexicon, *forms: str) -> frozenset[int]:
    written = lexicon.forms.to_pylist()
    return frozenset(int(lexicon.word[written.index(form)]) for form in forms)


def test_a_word_of_the_cell_is_replaced_by_another_lexeme_s_form(lexicon: Path) -> None:
    known = read_lexicon(lexicon)
    cell = known.cells.index("V;PRS;3;SG")
    found = replace("He crosses it.", {cell}, known, words(known, "mends"), 5)
    assert found == Replaced("He mends it.", "crosses", "mends", "V;PRS;3;SG")
    assert replace("Repairs, always!", {cell}, known, words(known, "mends"), 5) == Replaced(
        "Mends, always!", "Repairs", "mends".capitalize(), "V;PRS;3;SG"
    )


def test_nothing_is_invented(lexicon: Path) -> None:
    known = read_lexicon(lexicon)
    cell = known.cells.index("V;PRS;3;SG")
    # No word of the cell; a form of the same lexeme only; a form of another cell only; no forms at all.
    assert replace("He crossed it.", {cell}, known, words(known, "mends"), 0) is None
    assert replace("He mends it.", {cell}, known, words(known, "mends"), 0) is None
    assert replace("He crosses it.", {cell}, known, words(known, "mended"), 0) is None
    assert replace("He crosses it.", {cell}, known, frozenset(), 0) is None
    # A word that could be of another cell is left alone.
    assert replace("They run.", {known.cells.index("V;NFIN")}, known, words(known, "crosses"), 0) is None


def test_the_hash_says_which_form(lexicon: Path) -> None:
    known = read_lexicon(lexicon)
    cell = known.cells.index("V;PRS;3;SG")
    allowed = words(known, "mends", "visits", "repairs")
    picked = {replace("He crosses it.", {cell}, known, allowed, pick) for pick in range(6)}
    assert {one.form for one in picked if one} == {"mends", "visits", "repairs"}
