"""Measures of natural and synthetic text."""

from __future__ import annotations

import pytest

from pipeline.naturalness.config import NaturalnessConfig
from pipeline.naturalness.measure import Measure, Naturalness, measure
from tests.pipeline.naturalness.conftest import backwards

CONFIG = NaturalnessConfig(passages=80, passage_characters=150)
NOTHING = Measure(float("nan"), float("nan"), float("nan"))
DISTANCES = {"ngrams", "function_words", "lost_types", "sentence_length", "document_length", "auc", "style_auc"}


def test_more_of_the_same_text_is_natural(natural: list[str], alike: list[str]) -> None:
    found = measure(natural, alike, "eng_Latn", CONFIG)
    assert found.passages == 80
    assert found.measures.keys() == DISTANCES
    for name in ("ngrams", "function_words", "lost_types", "sentence_length"):
        assert found.measures[name].value == pytest.approx(found.measures[name].baseline, abs=0.05)
    for name in ("auc", "style_auc"):
        assert found.measures[name].value == pytest.approx(0.5, abs=0.12)
        assert found.measures[name].low < 0.56


def test_text_in_another_order_is_not(natural: list[str], reversed_text: list[str]) -> None:
    found = measure(natural, reversed_text, "eng_Latn", CONFIG).measures
    assert found["auc"].low > 0.95
    assert found["style_auc"].low > 0.95
    assert found["ngrams"].value > found["ngrams"].baseline + 0.02
    assert found["function_words"].value < 0.02  # the same words


def test_poorer_text(natural: list[str]) -> None:
    found = measure(natural, ["The goat sees a goat by the sea. " * 12] * 40, "eng_Latn", CONFIG).measures
    assert found["lost_types"].value > 0.7
    assert found["ngrams"].value > 0.3


def test_the_same_documents_there_and_back(natural: list[str], reversed_text: list[str]) -> None:
    back = [backwards(text) if row % 4 else None for row, text in enumerate(natural)]
    found = measure(natural, natural[:40], "eng_Latn", CONFIG, retranslated=back)
    assert found.measures.keys() == DISTANCES | {"retranslated_auc", "retranslated_style_auc"}
    assert found.measures["retranslated_auc"].low > 0.95
    assert found.measures["retranslated_auc"].baseline == 0.5  # whatever other halves differ by
    same = measure(natural, [], "eng_Latn", CONFIG, retranslated=natural)
    assert same.passages == 0
    assert same.measures["retranslated_auc"] == Measure(0.5, 0.5, 0.5)


def test_too_little_text_is_not_judged(natural: list[str]) -> None:
    assert measure(natural, natural[:1], "eng_Latn", CONFIG) == Naturalness("eng_Latn", 0, {})
    assert measure([], [], "eng_Latn", CONFIG, retranslated=[]) == Naturalness("eng_Latn", 0, {})


def test_the_order_of_documents_makes_no_difference(natural: list[str], reversed_text: list[str]) -> None:
    ids, parents = [f"n{row}" for row in range(80)], [f"p{row}" for row in range(40)]
    first = measure(natural, reversed_text, "eng_Latn", CONFIG, natural_ids=ids, parents=parents)
    second = measure(
        natural[::-1], reversed_text[::-1], "eng_Latn", CONFIG, natural_ids=ids[::-1], parents=parents[::-1]
    )
    assert first == second


def test_figures_are_numbers_by_name() -> None:
    found = Naturalness(
        "swh_Latn", 40, {"auc": Measure(0.81234, 0.52, 0.7), "ngrams": Measure(0.2, 0.1, 0.2), "lost_types": NOTHING}
    )
    assert found.figures() == {
        "passages": 40,
        "auc": 0.8123,
        "auc_natural": 0.52,
        "auc_low": 0.7,
        "ngrams": 0.2,
        "ngrams_natural": 0.1,
    }
