"""Make a trained fastText classifier small without losing what it knows.

Product quantisation moves every feature vector a little. The output layer was fitted to where they were; fitting
it again to where they are now, with the vectors fixed, is a convex problem and takes seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.errors import EvenglotError
from pipeline.language_id.softmax import Matrix, dense_output


def refit_output(path: Path, lines: Sequence[str], epochs: int = 6, rate: float = 0.05, batch: int = 512) -> None:
    """Fit the output layer of a quantised model file to its quantised features, in place.

    Multinomial logistic regression by Adam (Kingma and Ba, 2015) from the present weights, with a learning rate
    that falls linearly to zero.

    Args:
        path: a fastText supervised model with softmax loss, quantised features and a dense output matrix.
        lines: training examples, each a label, a space and a text.
        epochs: passes over the examples.
        rate: first learning rate.
        batch: examples of one step.

    Raises:
        EvenglotError: the file does not end in such an output matrix.
    """
    import fasttext

    model: Any = fasttext.load_model(str(path))
    labels: list[str] = model.get_labels()
    width = int(model.get_dimension())
    raw = bytearray(path.read_bytes())
    found = dense_output(bytes(raw), len(labels), width)
    if found is None:
        raise EvenglotError(f"{path} does not end in a dense output matrix of {len(labels)} by {width}")
    weights: Matrix = found.copy()
    number = {label: index for index, label in enumerate(labels)}
    pairs = [line.split(" ", 1) for line in lines]
    gold = np.array([number[label] for label, _ in pairs], dtype=np.int64)
    vectors: Matrix = np.stack([model.get_sentence_vector(text) for _, text in pairs]).astype(np.float32)
    weights = _logistic_regression(vectors, gold, weights, epochs, rate, batch)
    raw[-weights.nbytes :] = weights.astype("<f4").tobytes()
    path.write_bytes(bytes(raw))


def _logistic_regression(
    vectors: Matrix, gold: npt.NDArray[np.int64], weights: Matrix, epochs: int, rate: float, batch: int
) -> Matrix:
    first, second = np.zeros_like(weights), np.zeros_like(weights)
    steps_each = -(-len(gold) // batch)
    step = 0
    for epoch in range(epochs):
        # A stride coprime to the number of examples visits each once, in another order every epoch.
        stride = _coprime(len(gold), 7919 + 104_729 * epoch)
        order = (np.arange(len(gold), dtype=np.int64) * stride) % len(gold)
        for start in range(0, len(gold), batch):
            rows = order[start : start + batch]
            given = vectors[rows]
            logits = given @ weights.T
            logits -= logits.max(axis=1, keepdims=True)
            error = np.exp(logits)
            error /= error.sum(axis=1, keepdims=True)
            error[np.arange(len(rows)), gold[rows]] -= 1.0
            gradient = error.T @ given / len(rows)
            step += 1
            first += 0.1 * (gradient - first)
            second += 0.001 * (gradient * gradient - second)
            pace = rate * (1.0 - step / (epochs * steps_each))
            weights -= pace * (first / (1.0 - 0.9**step)) / (np.sqrt(second / (1.0 - 0.999**step)) + 1e-8)
    return weights


def _coprime(size: int, candidate: int) -> int:
    while np.gcd(size, candidate) != 1:
        candidate += 1
    return candidate
