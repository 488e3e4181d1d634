"""The table of new keys: no key that is there is missed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.storage import Storage
from pipeline.earlier.filter import NewKeys, first_half, load_table, new_keys, piece_places, write_range


def test_table_grows_with_the_documents_within_bounds() -> None:
    assert [new_keys("w", "f", documents).bits for documents in (0, 1, 1000, 10**6, 10**9)] == [16, 16, 20, 30, 30]
    assert [new_keys("w", "f", documents).parts for documents in (1000, 10**6)] == [1, 64]


def test_keys_of_a_piece_are_found_and_few_others(tmp_path: Path) -> None:
    keys = NewKeys(str(tmp_path), "new", 16, 4)
    table = pa.table(
        {
            "id": ["00112233445566778899aabbccddeeff"],
            "text_key": pa.array([bytes(range(16))], pa.binary(16)),
            "bands": pa.array([np.array([7, 8], "<u8").tobytes()], pa.binary(16)),
            "sampled": pa.array([[9, 10, 11]], pa.list_(pa.uint64())),
        }
    )
    places = piece_places(table, keys)
    for part in set(keys.part_of(places).tolist()):
        write_range(Storage(tmp_path), keys, part, places[keys.part_of(places) == part])
    load_table.cache_clear()
    there = [0x7766554433221100, int.from_bytes(bytes(range(8)), "little"), 7, 8, 9, 10, 11]
    assert keys.has(np.array(there, np.uint64)).tolist() == [True] * 7
    others = np.arange(100, 20_100, dtype=np.uint64)
    assert keys.has(others).sum() < 20


def test_first_half_of_a_key_keeps_zeros() -> None:
    keys = np.frombuffer(bytes([1, 0, 0, 0, 0, 0, 0, 0]) + bytes(8) + bytes(16), "S16")
    assert first_half(keys).tolist() == [1, 0]


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=50), st.sampled_from([1, 2, 8]))
@settings(max_examples=50, deadline=None)
def test_whatever_is_written_is_found(values: list[int], parts: int) -> None:
    import tempfile

    keys = np.array(values, np.uint64)
    with tempfile.TemporaryDirectory() as folder:
        table = NewKeys(folder, "new", 18, parts)
        places = np.unique(table.places(keys))
        for part in range(parts):
            write_range(Storage(folder), table, part, places[table.part_of(places) == part])
        assert table.has(keys).all()
        assert table.has(keys).dtype == np.bool_
