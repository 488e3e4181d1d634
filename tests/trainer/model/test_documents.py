from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.model.attention import dense
from trainer.model.documents import Bucket, Documents, pieces

CPU = torch.device("cpu")


def rows(*segments: list[int]) -> np.ndarray:
    return np.array(segments, dtype=np.int32)


def test_pieces() -> None:
    starts, lengths = pieces(rows([0, 0, 1, 1], [1, 1, 1, -1]))
    assert starts.tolist() == [0, 2, 4, 7]
    assert lengths.tolist() == [2, 2, 3, 1]


def test_documents_of_similar_length_are_laid_side_by_side() -> None:
    long, short = [0] * 40, [1] * 20
    segments = rows([*long, *short, *[2] * 4], [*[0] * 32, *[1] * 32])
    found = Documents.of(segments, np.array([False, False]), CPU)
    assert found is not None
    assert found.buckets == (Bucket(3, 40, None, True), Bucket(1, 20, None, True), Bucket(1, 4, None, True))
    assert found.places[:40].tolist() == list(range(40))
    assert found.places[40:80].tolist() == [*range(64, 96), *[95] * 8]
    assert found.places[120:].tolist() == list(range(40, 64))
    assert torch.equal(found.places[found.back], torch.arange(128))


def test_documents_read_from_both_sides_have_buckets_of_their_own() -> None:
    found = Documents.of(rows([0, 0, 0, 1], [0, 0, 1, 1]), np.array([False, True]), CPU)
    assert found is not None
    causal, both = found.buckets
    assert causal == Bucket(2, 3, None, True)
    assert both == Bucket(2, 2, None, False)
    ragged = Documents.of(rows([0, 0, 0, 1]), np.array([True]), CPU)
    assert ragged is not None
    assert ragged.buckets[0].keys is not None
    assert ragged.buckets[0].keys[:, 0, 0].int().tolist() == [[1, 1, 1], [1, 0, 0]]


def test_a_document_in_several_pieces_is_left_to_a_mask() -> None:
    assert Documents.of(rows([0, 1, 0, 1]), np.array([False]), CPU) is None
    assert Documents.of(rows([0, 0, 1, 1], [0, 1, 1, 0]), np.array([False, False]), CPU) is None


@st.composite
def batches(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    length = draw(st.integers(1, 48))
    made = []
    for _ in range(draw(st.integers(1, 4))):
        breaks = draw(st.lists(st.integers(0, length), max_size=6).map(sorted))
        segments = np.searchsorted(breaks, np.arange(length), side="right")
        if draw(st.booleans()):
            segments[segments == segments.max()] = -1
        made.append(segments.astype(np.int32))
    return np.stack(made), np.array(draw(st.lists(st.booleans(), min_size=len(made), max_size=len(made))))


@settings(max_examples=80, deadline=None)
@given(batches(), st.data())
def test_gives_what_a_mask_gives(batch: tuple[np.ndarray, np.ndarray], data: st.DataObject) -> None:
    segments, both = batch
    layout = Documents.of(segments, both, CPU)
    assert layout is not None
    masked = dense(torch.from_numpy(segments), torch.from_numpy(both))
    torch.manual_seed(segments.size)
    given_vectors = torch.randn(3, *segments.shape, 2, 4, requires_grad=True)
    pull = torch.randn(*segments.shape, 2, 4)
    expected = masked.attend(*given_vectors.unbind(0))
    found = layout.attend(*given_vectors.unbind(0))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
    (one,), (other,) = (torch.autograd.grad(result, given_vectors, pull) for result in (found, expected))
    torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)

    kept = torch.tensor(sorted(data.draw(st.sets(st.integers(0, len(segments) - 1), min_size=1))))
    part = given_vectors.detach()[:, kept]
    torch.testing.assert_close(
        layout.rows(kept).attend(*part.unbind(0)), masked.rows(kept).attend(*part.unbind(0)), atol=1e-5, rtol=1e-4
    )
