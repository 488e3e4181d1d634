"""The last layer over many texts at once gives what fastText gives for each."""

from __future__ import annotations

import fasttext
import numpy as np
import pytest

from pipeline.language_id.model import BUILTIN_FILE
from pipeline.language_id.softmax import Softmax, dense_output, softmax_of
from pipeline.language_id.text import clean

TEXTS = clean(
    [
        "Jirani yetu anafuga nyuki nyuma ya nyumba na kila mwaka anatuletea asali.",
        "The river rises in the hills behind the town.",
        "Фермеры продают мёд на рынке у реки.",
        "ನಮ್ಮ ನೆರೆಯವರು ಜೇನು ಸಾಕುತ್ತಾರೆ.",
        "x",
    ]
)


@pytest.fixture(scope="module")
def softmax() -> Softmax:
    found = softmax_of(fasttext.load_model(str(BUILTIN_FILE)), BUILTIN_FILE)
    assert found is not None
    return found


def test_labels_and_probabilities_are_those_of_fasttext(softmax: Softmax) -> None:
    model = fasttext.load_model(str(BUILTIN_FILE))
    names = model.get_labels()
    labels, values = model.predict(TEXTS, k=3)
    best = softmax.best(TEXTS, 3)
    assert [[names[label] for label in row] for row in best.label.tolist()] == [list(row) for row in labels]
    # fastText adds 1e-5 before it takes a logarithm.
    np.testing.assert_allclose(best.probability, np.array(values), atol=3e-5)


def test_a_text_alone_and_among_others(softmax: Softmax) -> None:
    together = softmax.best(TEXTS * 40, 3)
    for row, text in enumerate(TEXTS):
        alone = softmax.best([text], 3)
        for copy in range(row, len(TEXTS) * 40, len(TEXTS)):
            assert together.probability[copy].tolist() == alone.probability[0].tolist()
            assert together.label[copy].tolist() == alone.label[0].tolist()


def test_no_more_labels_than_there_are(softmax: Softmax) -> None:
    best = softmax.best(TEXTS[:1], 10_000)
    assert best.label.shape == (1, 464)
    assert best.probability.sum() == pytest.approx(1.0, abs=1e-5)
    assert softmax.best([], 3).label.shape == (0, 3)


def test_files_that_end_otherwise_have_no_dense_output() -> None:
    assert dense_output(b"short", 2, 3) is None
    head, body = np.array([2, 3], dtype="<i8").tobytes(), np.arange(6, dtype="<f4").tobytes()
    assert dense_output(b"..." + head + body, 3, 2) is None
    found = dense_output(b"..." + head + body, 2, 3)
    assert found is not None
    assert found.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
