from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from corpus.errors import ConfigurationError
from corpus.hashing import file_hash
from corpus.tags import is_tag
from pipeline.language_id import romanised
from pipeline.language_id.config import IdentifyConfig
from pipeline.language_id.model import load_model
from pipeline.language_id.romanised import CARD, FILE, find_romanised, is_latin
from pipeline.language_id.stage import IdentifyStage

# Written by hand, as people write.
HINDI = (
    "Hamari padosan ghar ke piche madhumakkhiyan palti hai aur har saal hamein shahad deti hai. Bachche school se "
    "aate hi bagiche mein khelte hain aur shaam ko dadi unhein kahaniyan sunati hain."
)
RUSSIAN = (
    "Nasha sosedka derzhit pchel za domom i kazhduyu osen prinosit nam banku meda. Deti posle shkoly igrayut v sadu, "
    "a vecherom babushka rasskazyvaet im skazki."
)
GREEK = (
    "I geitonissa mas echei melisses piso apo to spiti kai kathe fthinoporo mas fernei meli. Ta paidia paizoun ston "
    "kipo meta to scholeio kai to vrady i giagia tous leei paramythia."
)
ENGLISH = "My neighbour keeps bees behind the house and brings us honey every autumn."
LATIN_SCRIPT = [
    ENGLISH,
    "Unsere Nachbarin hält hinter dem Haus Bienen und bringt uns jeden Herbst ein Glas Honig.",
    "Jirani yetu anafuga nyuki nyuma ya nyumba, na kila mwaka anatuletea chupa ya asali.",
    "Komşumuz evin arkasında arı besliyor ve her sonbaharda bize bir kavanoz bal getiriyor.",
    "Naša susjeda drži pčele iza kuće i svake jeseni nam donese staklenku meda.",
]


def test_romanised_text_gets_the_tag_of_its_language() -> None:
    one = find_romanised([GREEK], 0.5)[0]
    assert one is not None
    assert (one.tag, one.candidates[0][0]) == ("ell_Latn", "ell_Latn")
    assert one.probability > 0.9


def test_where_several_languages_fit_the_tag_is_und_and_they_are_named() -> None:
    for text, lang in ((HINDI, "hin_Latn"), (RUSSIAN, "rus_Latn")):
        one = find_romanised([text], 0.5)[0]
        assert one is not None
        assert lang in dict(one.candidates)
        assert one.tag in (lang, "und")
        assert (one.tag == "und") == (2 * one.candidates[0][1] <= one.probability)


def test_hindi_is_not_left_with_the_language_written_like_it() -> None:
    outcome = IdentifyStage()(pa.RecordBatch.from_pydict({"text": [HINDI]}))
    assert outcome.kept.column("lang")[0].as_py() in ("hin_Latn", "und")
    assert "hin_Latn" in outcome.kept.column("lang_candidates")[0].as_py()


def test_languages_of_the_latin_script_are_not_taken_for_romanised_ones() -> None:
    assert find_romanised(LATIN_SCRIPT, 0.5) == [None] * len(LATIN_SCRIPT)


def test_the_stage_tags_romanised_documents_and_says_so() -> None:
    outcome = IdentifyStage()(pa.RecordBatch.from_pydict({"text": [GREEK, ENGLISH]}))
    assert outcome.kept.column("lang").to_pylist() == ["ell_Latn", "eng_Latn"]
    assert outcome.kept.column("lang_candidates")[0].as_py().endswith("(romanised)")
    assert outcome.counters["romanised"] == 1
    off = IdentifyStage(IdentifyConfig(romanised=False))(pa.RecordBatch.from_pydict({"text": [GREEK]}))
    assert off.kept.column("lang").to_pylist() != ["ell_Latn"]


def test_only_latin_letters_are_looked_at() -> None:
    assert is_latin("Hamari padosan")
    assert is_latin("Čeština, à côté")
    assert not is_latin("हमारी पड़ोसन ghar")
    assert not is_latin("123 !?")


def test_the_card_describes_the_file() -> None:
    card = json.loads(CARD.read_text(encoding="utf-8"))
    assert card["xxh3_128"] == file_hash(FILE)
    assert card["bytes"] == FILE.stat().st_size < 1_500_000
    assert len(card["labels"]) >= 30
    assert all(is_tag(tag) and tag.endswith("_Latn") for tag in card["labels"])
    assert not set(card["labels"]) & set(load_model().tags), "languages that are written so anyway are left alone"


def test_no_documents() -> None:
    assert find_romanised([], 0.5) == []


def test_a_missing_detector_is_said_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(romanised, "CARD", tmp_path / "none.json")
    romanised._load.cache_clear()
    with pytest.raises(ConfigurationError, match="cannot be loaded"):
        find_romanised([HINDI], 0.5)
    romanised._load.cache_clear()
