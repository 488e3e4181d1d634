"""Features of sentences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.phenomena.lexicon import read_lexicon
from pipeline.phenomena.observe import measure, ngram_name, observe, own_letters, switches
from pipeline.phenomena.sentences import read_sentences, spans


def test_sentences_stand_where_they_are_said_to() -> None:
    text = "  Mr. Smith came. He left!\n\n- A list\n- Another item"
    assert [text[start:stop] for start, stop in spans(text, "eng_Latn")] == [
        "Mr. Smith came.",
        "He left!",
        "A list",
        "Another item",
    ]
    found = read_sentences([text, "", "One. Two."], "eng_Latn")
    assert found.texts.to_pylist()[4:] == ["One.", "Two."]
    assert found.bounds.tolist() == [0, 4, 4, 6]
    assert found.documents.tolist() == [0, 0, 0, 0, 2, 2]


def test_characters_of_other_scripts_are_none_of_the_language() -> None:
    seen = observe(pa.array(["Aa ça 12 Жж, ʻō!"]), "haw_Latn", ["characters"], None)["characters"]
    assert "".join(chr(key) for key in sorted(seen.keys.tolist())) == "açōʻ"
    assert set(seen.first.tolist()) == {0}
    own = own_letters("jpn_Jpan")
    assert [bool(own[ord(one)]) for one in "かカ日aЖ1。\ufe0f"] == [True, True, True, False, False, False, False, False]
    assert own_letters("und")[ord("Ж")]


def test_ngrams_hold_no_digits_and_no_marks() -> None:
    text = 'The "tall" ships of 1947, (perhaps) sailing: 3x faster'
    seen = observe(pa.array([text]), "eng_Latn", ["ngrams"], None)["ngrams"]
    names = [ngram_name(text, "eng_Latn", key) for key in seen.keys.tolist()]
    assert len(names) >= 5
    for name in names:
        assert name is not None
        assert len(name) in (3, 5)
        assert not set(name) & set('"0,():')
        assert name in text.lower()
    assert ngram_name("Nothing of it", "eng_Latn", int(seen.keys[0])) is None


def test_a_cell_is_counted_in_doubt_and_looked_for_without(lexicon: Path) -> None:
    known = read_lexicon(lexicon)
    texts = pa.array(["They run.", "She crossed rivers."])
    counted = observe(texts, "eng_Latn", ["inflections"], known)["inflections"]
    pairs = sorted(zip(counted.first.tolist(), (known.cells[key] for key in counted.keys.tolist()), strict=True))
    assert pairs == [(0, "N;SG"), (0, "V;NFIN"), (1, "N;PL"), (1, "V;PST")]
    sure = observe(texts, "eng_Latn", ["inflections"], known, sure=True)["inflections"]
    assert sorted(known.cells[key] for key in sure.keys.tolist()) == ["N;PL", "V;PST"]
    assert observe(texts, "eng_Latn", ["inflections"], None) == {}


def test_changes_of_language_span_the_sentences_beside_them() -> None:
    text = "Habari ya asubuhi. Karibu sana. Good morning. Come in. Asante."
    sentences = read_sentences([text, "No segments."], "swh_Latn")
    parts: list[dict[str, Any]] = [
        {"lang": "swh_Latn", "start": 0, "end": 31},
        {"lang": "eng_Latn", "start": 32, "end": 54},
        {"lang": "swh_Latn", "start": 55, "end": 62},
    ]
    seen, names = switches([parts, None], sentences)
    assert [names[key] for key in seen.keys.tolist()] == ["swh_Latn > eng_Latn", "eng_Latn > swh_Latn"]
    assert list(zip(seen.first.tolist(), seen.last.tolist(), strict=True)) == [(1, 2), (3, 4)]
    inside = [{"lang": "swh_Latn", "start": 0, "end": 25}, {"lang": "eng_Latn", "start": 25, "end": 62}]
    seen, _ = switches([inside, None], sentences)
    assert (seen.first.tolist(), seen.last.tolist()) == ([1], [1])


def test_words_and_letters_are_measured() -> None:
    found = measure(pa.array(["Two words.", "12 34 56", "Ещё слово"]), "eng_Latn")
    assert found.words.tolist() == [2, 3, 2]
    assert found.letters.tolist() == [8 / 9, 0, 0]
