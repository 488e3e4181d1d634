"""What a policy remembers, in two bytes a language."""

from __future__ import annotations

import numpy as np
import pytest

from sampler.feedback import memory


def test_numbers_come_back_to_half_a_unit() -> None:
    given = np.array([0.0, 3.14159, -7.5, np.nan, np.inf, 100.0])
    kept = memory.rounded(given)
    assert kept.tolist() == [0, 6434, -15360, -32768, -32768, 32767]
    back = memory.values(kept)
    assert back[:3] == pytest.approx([0.0, 3.14159, -7.5], abs=1 / 4096)
    assert np.isnan(back[3:5]).all()
    assert back[5] == pytest.approx(16, abs=0.001)


def test_text_comes_back() -> None:
    kept = memory.rounded(np.array([1.5, np.nan, -2.0]))
    assert memory.dump(kept) == "AAwAgADw"
    assert memory.read("AAwAgADw", 3).tolist() == kept.tolist()


def test_a_thousand_languages_take_less_than_three_kilobytes() -> None:
    assert len(memory.dump(memory.rounded(np.linspace(0, 12, 1000)))) == 2668 == memory.size(1000)


def test_languages_that_came_later_remember_nothing() -> None:
    assert memory.read("AAwAgADw", 5).tolist() == [3072, -32768, -4096, -32768, -32768]


@pytest.mark.parametrize(("text", "message"), [("AAwAgADw", "is of 3 languages, not 2"), ("AAw!", "not base64")])
def test_damaged_text(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        memory.read(text, 2)
