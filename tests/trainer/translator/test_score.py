from __future__ import annotations

import pytest

from trainer.translator.score import chrf


def test_literal_scores() -> None:
    assert chrf(["the cat", "a dog"], ["the cat", "a dog"]).chrf == pytest.approx(100)
    assert chrf(["", ""], ["the cat", "a dog"]).chrf == 0
    assert chrf([], []).sentences == 0
    # One of two letters and none of the single pair of letters: precision and recall are the mean of 1/2 and 0.
    assert chrf(["ab"], ["ac"]).chrf == pytest.approx(25)


def test_the_interval_is_that_of_resampled_sentences() -> None:
    references = [f"sentence number {n} of many" for n in range(40)]
    outputs = [text if n % 2 else text[::-1] for n, text in enumerate(references)]
    first, second = (chrf(outputs, references, resamples=200) for _ in range(2))
    assert first == second
    assert first.interval == pytest.approx(13, abs=5)
    assert chrf(references, references, resamples=200).interval == 0
    assert chrf(references[:1], references[:1], resamples=200).sentences == 1
