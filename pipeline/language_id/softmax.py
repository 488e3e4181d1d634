"""The last layer of a fastText model over many texts at once.

fastText multiplies a text's vector by its output matrix number by number, which for some hundred labels costs
as much as all that comes before. Here it gives the vector alone, and NumPy multiplies.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]


class Best(NamedTuple):
    """The likeliest labels of n texts, each text's in descending order."""

    label: npt.NDArray[np.int64]
    """[n, k] position among the model's labels."""
    probability: npt.NDArray[np.float64]
    """[n, k]"""


class Softmax:
    """Multinomial logistic regression over the mean of a text's feature vectors (Joulin et al., 2017).

    Args:
        model: the loaded fastText model, which makes the vectors.
        output: [labels, dimension] its output matrix.
    """

    def __init__(self, model: Any, output: Matrix) -> None:
        self._model = model.f
        self._output: Matrix = np.ascontiguousarray(output.T)

    def best(self, lines: Sequence[str], count: int) -> Best:
        """The labels of texts.

        Args:
            lines: n texts without line breaks.
            count: k, labels for each; fewer where the model has fewer.
        """
        from fasttext import FastText

        # Of its own: several threads may use one model.
        vector = FastText.fasttext.Vector(len(self._output))
        scores = np.empty((len(lines), self._output.shape[1]), dtype=np.float32)
        for row, line in enumerate(lines):
            self._model.getSentenceVector(vector, line + "\n")
            # Not by BLAS: its sums depend, in their last bit, on the number of rows, and its threads cost more
            # than they give on matrices of this size.
            np.einsum("dk,d->k", self._output, np.asarray(vector), out=scores[row])
        scores -= scores.max(axis=1, keepdims=True, initial=-np.inf)
        np.exp(scores, out=scores)
        count = min(count, scores.shape[1])
        chosen = np.argpartition(-scores, count - 1, axis=1)[:, :count]
        found = np.take_along_axis(scores, chosen, axis=1)
        order = np.lexsort((chosen, -found), axis=1)
        share = found / scores.sum(axis=1, keepdims=True)
        return Best(
            np.take_along_axis(chosen, order, axis=1).astype(np.int64),
            np.take_along_axis(share, order, axis=1).astype(np.float64),
        )


def softmax_of(model: Any, path: Path) -> Softmax | None:
    """The last layer of a loaded model, or None where it has another than a dense softmax.

    Args:
        model: the loaded fastText model.
        path: its file; the library hands out the output matrix of quantised models only through it.
    """
    settings = model.f.getArgs()
    if settings.loss.name != "softmax" or (model.f.isQuant() and settings.qout):
        return None
    if not model.f.isQuant():
        return Softmax(model, np.asarray(model.get_output_matrix(), dtype=np.float32))
    output = dense_output(path.read_bytes(), len(model.get_labels()), int(model.get_dimension()))
    return None if output is None else Softmax(model, output)


def dense_output(raw: bytes, labels: int, width: int) -> Matrix | None:
    """The dense output matrix [labels, width] that a fastText file ends with; None where it ends otherwise."""
    size = labels * width * 4
    if len(raw) < size + 16 or struct.unpack("<qq", raw[-size - 16 : -size]) != (labels, width):
        return None
    return np.frombuffer(raw[-size:], dtype="<f4").reshape(labels, width)
