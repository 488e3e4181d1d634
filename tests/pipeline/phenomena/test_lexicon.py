"""Lexicons as UniMorph has them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from corpus.errors import InputError
from corpus.hashing import file_hash
from pipeline.curriculum.features import read_features
from pipeline.phenomena.lexicon import Lexicon, digests, read_lexicon


def numbers(lexicon: Lexicon, text: str) -> list[int]:
    (found,) = read_features(pa.array([text]))
    return lexicon.find(found.words.hashes).tolist()


def test_entries_cells_and_words(lexicon: Path) -> None:
    found = read_lexicon(lexicon)
    assert found.cells == ("N;PL", "N;SG", "V;NFIN", "V;PRS;3;SG", "V;PST")
    assert found.facts.digest == file_hash(lexicon)
    assert digests({"eng_Latn": str(lexicon)}) == {"eng_Latn": found.facts.digest}
    assert (found.facts.lines, found.facts.broken, found.facts.several_words) == (12, 0, 1)
    assert len(found.forms) == 11
    assert len(found.words) == 10  # "run" is of two cells


def test_words_of_a_text_are_found_whatever_their_case(lexicon: Path) -> None:
    found = read_lexicon(lexicon)
    rivers, crossed, unknown, run = numbers(found, "RIVERS Crossed sea run")
    assert unknown == -1
    which, cells = found.cells_of(pa.array([rivers, crossed, run]).to_numpy())
    assert which.tolist() == [0, 1, 2, 2]
    assert [found.cells[cell] for cell in cells] == ["N;PL", "V;PST", "N;SG", "V;NFIN"]
    assert [bool(found.sure[number]) for number in (rivers, crossed, run)] == [True, True, False]


def test_broken_lines_are_counted_and_the_others_read(tmp_path: Path) -> None:
    path = tmp_path / "broken.tsv"
    path.write_bytes(
        "\ufeffcross\tcrosses\tV\n\nno tabs\nlemma\t\tV\nwalk\twalks\tV\textra\n".encode() + b"x\t\xff\tV\n"
    )
    found = read_lexicon(path)
    assert found.facts.lines == 5
    assert found.facts.broken == 3
    assert found.facts.broken_lines == (3, 4, 6)
    assert found.forms.to_pylist() == ["crosses", "walks"]
    assert found.lemmas.to_pylist() == ["cross", "walk"]


def test_a_changed_file_is_read_again(lexicon: Path) -> None:
    before = read_lexicon(lexicon)
    assert read_lexicon(lexicon) is before
    lexicon.write_text("sea\tseas\tN;PL\n", encoding="utf-8")
    assert read_lexicon(lexicon).cells == ("N;PL",)


def test_a_file_that_is_not_there_or_no_lexicon_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read the lexicon .*none\.tsv.*phenomena\.lexicons"):
        read_lexicon(tmp_path / "none.tsv")
    with pytest.raises(InputError, match=r"cannot read the lexicon .*none\.tsv: No such file"):
        digests({"eng_Latn": str(tmp_path / "none.tsv")})
    (tmp_path / "prose.txt").write_text("Once upon a time.\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"no line of the lexicon .*prose\.txt is an entry \(1 lines, .*\[1\]\)"):
        read_lexicon(tmp_path / "prose.txt")
