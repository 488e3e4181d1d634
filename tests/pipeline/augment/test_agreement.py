from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

from pipeline.augment.generate import Asked, Loaded, measured
from pipeline.augment.unit import Unit
from pipeline.gates.agreement import SentenceEncoder
from pipeline.sentences.split import split
from pipeline.translation.decoding import Decoding
from pipeline.translation.result import Translation
from pipeline.translation.routes import Step


class Lengths:
    """Takes a sentence for its length."""

    def embed(self, sentences: list[str]) -> Any:
        return np.array([[len(sentence), 1.0] for sentence in sentences])


def test_the_encoder_compares_what_was_translated_with_what_came_of_it() -> None:
    route = (Step("toy@1", "eng_Latn", "swh_Latn"),)
    unit = Unit("back_translation", "eng_Latn", "swh_Latn", "beam", route, (), Decoding(), "", (), 0)
    layout = split("Clean water. 42.\n\nBoil it.", "eng_Latn")
    loaded = Loaded(unit, (), (layout,))
    forward = (Translation("Maji ya.", -0.1), Translation("", problem="too_long"))
    asked = Asked("key", (), route, Decoding(), 0, loaded, forward)
    assert loaded.sentences == ["Clean water.", "Boil it."]
    found = measured(asked, (), encoder=cast(SentenceEncoder, Lengths()))
    expected = [(12 * 8 + 1) / np.hypot(12, 1) / np.hypot(8, 1), 1 / np.hypot(8, 1)]
    assert found["agreement"].tolist() == pytest.approx(expected)
    assert np.isnan(measured(asked, ())["agreement"]).all()
