from __future__ import annotations

from pipeline.language_id.sources import Unit
from pipeline.language_id.transfer import COVERED, cuts

LONG = "a sentence of some length. " * (COVERED // 20)
UNITS = [
    Unit("eng_Latn", "Article one of the text.", "udhr", "udhr-1"),
    Unit("kqn_Latn", "Known from one text alone.", "udhr", "udhr-1"),
    *(Unit("eng_Latn", f"English news, story {n}.", "ntrex", f"n{n}") for n in range(20)),
    *(Unit("lit_Latn", f"Lithuanian news, story {n}.", "ntrex", f"n{n}") for n in range(20)),
    Unit("eng_Latn", LONG, "corpus", "novel"),
    Unit("eng_Latn", "too short", "tico19", "t1"),
    Unit("eng_Latn", "A sentence about health.", "tico19", "t2"),
    Unit("ban_Latn", "A sentence in social media.", "nusax", "s1"),
    Unit("ban_Latn", "First of a page. Second sentence of a page!\nThird one of this page.", "corpus", "page"),
    Unit("chr_Cher", "Known from no first source.", "bible_pd", "b1"),
]


def _texts(units: list[Unit]) -> set[tuple[str, str]]:
    return {(unit.tag, unit.source) for unit in units}


def test_the_declaration_and_news_of_covered_languages_are_held_out() -> None:
    cut = cuts(UNITS)[0]
    assert cut.name == "without declaration"
    assert _texts(cut.held["declaration"]) == {("eng_Latn", "udhr")}  # the other is known from nothing else
    assert _texts(cut.held["news, unseen kind"]) == {("eng_Latn", "ntrex")}
    assert _texts(cut.held["news, seen kind"]) == {("lit_Latn", "ntrex")}
    # The same articles are held out in both languages, and of the covered one no article is trained on.
    groups = [{unit.group for unit in cut.held[f"news, {kind} kind"]} for kind in ("seen", "unseen")]
    assert groups[0] == groups[1]
    trained = {unit.group for unit in cut.training if unit.source == "ntrex"}
    assert trained | groups[0] == {f"n{n}" for n in range(20)}
    assert not trained & groups[0]
    assert {tag for tag, source in _texts(cut.training) if source == "ntrex"} == {"lit_Latn"}
    assert not any(unit.source == "udhr" for unit in cut.training)


def test_further_sources_are_held_out_in_single_sentences() -> None:
    cut = cuts(UNITS)[1]
    assert cut.name == "without further sources"
    assert _texts(cut.training) == {
        ("eng_Latn", "udhr"), ("kqn_Latn", "udhr"), ("eng_Latn", "ntrex"), ("lit_Latn", "ntrex"), ("ban_Latn", "nusax"),
        ("chr_Cher", "bible_pd"),
    }  # fmt: skip
    assert [unit.text for unit in cut.held["tico19"]] == ["A sentence about health."]
    pages = [unit.text for unit in cut.held["corpus"] if unit.tag == "ban_Latn"]
    assert sorted(pages) == ["Second sentence of a page!", "Third one of this page."]
    assert len(cut.held["corpus"]) == 2 + 6  # no more than six sentences of a document
