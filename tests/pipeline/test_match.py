from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from pipeline.deduplicate.candidates import number
from pipeline.deduplicate.exact import DECISION, DUPLICATE_TEXT, KEPT, NEAR_DUPLICATE, REPEATED_ID
from pipeline.deduplicate.resolve import FATE
from pipeline.match import MOVE, exact_copies, follow, match_batch, near_keys, settle_piece


def key(name: str) -> bytes:
    """Sixteen bytes, with zeros at the end where NumPy would hide them."""
    return name.encode().ljust(16, b"\0")


def decisions() -> pa.Table:
    rows = np.array(
        [
            (0, 7, DUPLICATE_TEXT, 0, key("b")),
            (0, 0, KEPT, 3, key("a")),
            (0, 2, KEPT, 1, key("b")),
            (0, 4, REPEATED_ID, 0, key("a")),
            (0, 5, KEPT, 1, key("c")),
        ],
        dtype=DECISION,
    )
    keys = np.array([key(f"t{row}") for row in range(8)], dtype="S16")
    return pa.Table.from_batches([match_batch(rows, keys)])


def test_exact_decisions_make_clusters_of_texts() -> None:
    assert decisions().to_pydict() == {
        "row": [0, 2, 4, 5, 7],
        "verdict": [KEPT, KEPT, REPEATED_ID, KEPT, DUPLICATE_TEXT],
        "copies": [3, 1, 0, 1, 0],
        "other": [key("a"), key("b"), key("a"), key("c"), key("b")],
        "cluster": [key("t0"), key("t2"), None, key("t5"), key("t7")],
        "jaccard": [None] * 5,
        "containment": [None] * 5,
        "heldout": [None] * 5,
    }


def test_keys_of_kept_documents() -> None:
    packed = np.arange(16, dtype="<u8").reshape(8, 2)
    table = pa.table(
        {
            "bands": pa.array([None if row == 2 else packed[row].tobytes() for row in range(8)], pa.binary(16)),
            "sampled": [[100], [], [101, 102], [], [103], [], [], []],
            "quality": np.arange(8, dtype=np.float32),
        }
    )
    keys = near_keys(table, decisions())
    assert keys.tolist() == [(0, 0, 0), (1, 0, 0), (10, 5, -5), (11, 5, -5), (100, 0, 0), (101, 2, -2), (102, 2, -2)]
    assert len(near_keys(table, decisions().slice(0, 0))) == 0


def fate(
    row: int, kept: int, copies: int, other: str, jaccard: float = 0, containment: float = 0
) -> tuple[object, ...]:
    document = int(number(0, np.array([row], np.uint32))[0])
    return (document, kept, copies, key({0: "a", 2: "b", 5: "c"}[row]), key(other), key("k"), jaccard, containment, 0)


def test_piece_is_settled() -> None:
    fates = np.array([fate(2, 0, 0, "a", 0.5, 0.75), fate(0, 1, 5, "a")], dtype=FATE)
    moves = np.array([(0, 7, key("a"), key("k"))], dtype=MOVE)
    settled = settle_piece(decisions(), fates, moves)
    assert settled.to_pydict() == {
        "row": [0, 2, 4, 5, 7],
        "verdict": [KEPT, NEAR_DUPLICATE, REPEATED_ID, KEPT, DUPLICATE_TEXT],
        "copies": [5, 0, 0, 1, 0],
        "other": [key("a"), key("a"), key("a"), key("c"), key("a")],
        "cluster": [key("k"), key("k"), None, key("t5"), key("k")],
        "jaccard": [None, 0.5, None, None, None],
        "containment": [None, 0.75, None, None, None],
        "heldout": [None] * 5,
    }
    unchanged = settle_piece(decisions(), fates[:0], moves[:0])
    assert pa.Table.from_batches([unchanged]).equals(decisions())


def test_exact_copies_follow_what_became_of_their_original() -> None:
    copies = exact_copies(3, decisions())
    assert [(row["piece"], row["row"], row["other"]) for row in copies] == [(3, 7, b"b")]
    others = np.array([(9, 1, key("zz"), b""), (9, 2, key("c"), b"")], dtype=MOVE)
    moved = follow(np.concatenate([copies, others]), np.array([fate(2, 0, 0, "a"), fate(5, 1, 2, "c")], dtype=FATE))
    assert [tuple(row) for row in moved.tolist()] == [(3, 7, b"a", b"k"), (9, 2, b"c", b"k")]
    assert len(follow(copies, np.zeros(0, dtype=FATE))) == 0
    assert len(follow(copies[:0], np.zeros(0, dtype=FATE))) == 0


@pytest.mark.parametrize("letter", ["a", "\0"])
def test_keys_with_zeros_at_the_end_are_whole(letter: str) -> None:
    raw = (letter * 3).encode().ljust(16, b"\0")
    rows = np.array([(0, 0, KEPT, 1, raw)], dtype=DECISION)
    assert match_batch(rows, np.array([raw], dtype="S16")).column("other").to_pylist() == [raw]
