"""The weight of features."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.curriculum.diversity import SEGMENT, feature_weights, rare
from pipeline.curriculum.features import read_features
from pipeline.curriculum.score import measure
from pipeline.curriculum.statistics import collect


def test_a_feature_is_shared_out_among_the_documents_that_have_it() -> None:
    weights = feature_weights()
    assert weights[:4].tolist() == pytest.approx([0, 1 / 2, 1 / 3, 1 / 4])
    assert weights[49:].tolist() == pytest.approx([1 / 50, 0])


def test_words_weigh_by_the_other_documents_that_have_them(batch: Any) -> None:
    texts = ["wherry punt", "wherry punt skiff", "wherry oar", "wherry gig gig"]
    statistics = collect([batch(texts)], 60, measure)
    (found,) = read_features(batch(texts).column("text"))
    # wherry: three others. punt: one other. What no other document has weighs nothing, however often it comes.
    inside = rare(found, statistics, np.ones(4, np.bool_)).words
    assert inside.tolist() == pytest.approx([1 / 4 + 1 / 2, 1 / 4 + 1 / 2, 1 / 4, 1 / 4])
    # To documents that were not counted, all four are others.
    outside = rare(found, statistics, np.zeros(4, np.bool_)).words
    assert outside.tolist() == pytest.approx([1 / 5 + 1 / 3, 1 / 5 + 1 / 3 + 1 / 2, 1 / 5 + 1 / 2, 1 / 5 + 1 / 2])


def test_a_feature_counts_once_in_a_segment(batch: Any) -> None:
    statistics = collect([batch(["wherry", "wherry"])], 12, measure)
    texts = ["wherry " * 100, "wherry " * 100 + "x " * SEGMENT + "wherry"]
    (found,) = read_features(batch(texts).column("text"))
    counted = rare(found, statistics, np.zeros(2, np.bool_)).words
    assert counted.tolist() == pytest.approx([1 / 3, 2 / 3])


def test_ngrams_that_others_have_are_attested(batch: Any) -> None:
    text = "wherrymen unshipped the rudders of keelboats moored downriver "
    statistics = collect([batch([text, text, "xqzvkjwpfqxvzzkjqw"])], 120, measure)
    (found,) = read_features(batch([text, "xqzvkjwpfqxvzzkjqw"]).column("text"))
    known = rare(found, statistics, np.array([True, True]))
    assert known.attested[0] == known.attestable[0] > 0
    assert known.attested[1] == 0 < known.attestable[1]
