from __future__ import annotations

from pipeline.language_id.noise import examples


def test_examples_follow_from_number_and_seed() -> None:
    assert list(examples(24)) == list(examples(24))
    assert list(examples(24)) == list(examples(48))[:24]
    assert list(examples(24)) != list(examples(24, seed=1))


def test_examples_are_of_every_kind_and_bounded() -> None:
    found = list(examples(170))
    assert len(found) == 170
    assert all(1 <= len(text) <= 240 for text in found)
    assert any("ipsum" in text for text in found)
    assert any("{" in text or "def " in text for text in found)
    assert any("casino" in text for text in found)  # search words
    assert any(text.count("loading") and len(text) < 40 for text in examples(1_700))  # a page's only words
    assert len(set(found)) > 160
