"""The local cache of remote pieces."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pyarrow as pa
import pytest

from sampler.cache import PieceCache


def name(number: int) -> str:
    """A piece's name."""
    return f"{number:032x}"


def sizes(folder: Path) -> dict[str, int]:
    """Bytes of each file in a cache."""
    return {path.name: path.stat().st_size for path in folder.rglob("*") if path.is_file()}


def test_a_piece_comes_back_and_is_shared(tmp_path: Path) -> None:
    one, other = PieceCache(str(tmp_path), 1 << 20), PieceCache(str(tmp_path), 1 << 20)
    assert one.get(name(1)) is None
    one.put(name(1), pa.py_buffer(b"tokens"))
    found = other.get(name(1))
    assert found is not None
    assert found.to_pybytes() == b"tokens"
    assert sizes(tmp_path) == {name(1): 22}


@pytest.mark.parametrize("damage", [b"", b"tokens", b"tokenz" + bytes(16), bytes(16)])
def test_a_damaged_piece_is_removed(tmp_path: Path, damage: bytes) -> None:
    cache = PieceCache(str(tmp_path), 1 << 20)
    cache.put(name(1), pa.py_buffer(b"tokens"))
    (tmp_path / "00" / name(1)).write_bytes(damage)
    assert cache.get(name(1)) is None
    assert sizes(tmp_path) == {}


def test_the_bound_holds_and_the_longest_unused_goes_first(tmp_path: Path) -> None:
    cache = PieceCache(str(tmp_path), 10_000)
    for number in range(9):
        cache.put(name(number), pa.py_buffer(bytes(984)))
        os.utime(tmp_path / "00" / name(number), (time.time() - 100 + number,) * 2)
    assert cache.get(name(0)) is not None
    cache.put(name(9), pa.py_buffer(bytes(984)))
    kept = sizes(tmp_path)
    assert name(0) in kept
    assert name(1) not in kept
    for number in range(10, 200):
        cache.put(name(number), pa.py_buffer(bytes(984)))
        assert sum(sizes(tmp_path).values()) <= 10_000
    assert name(199) in sizes(tmp_path)


def test_a_piece_larger_than_the_bound_is_not_kept(tmp_path: Path) -> None:
    cache = PieceCache(str(tmp_path), 100)
    cache.put(name(1), pa.py_buffer(bytes(100)))
    assert sizes(tmp_path) == {}


def test_a_mapped_piece_outlives_its_removal(tmp_path: Path) -> None:
    cache = PieceCache(str(tmp_path), 2_100)
    cache.put(name(1), pa.py_buffer(b"x" * 900))
    held = cache.get(name(1))
    assert held is not None
    for number in range(2, 9):
        cache.put(name(number), pa.py_buffer(bytes(900)))
    assert name(1) not in sizes(tmp_path)
    assert held.to_pybytes() == b"x" * 900


def test_what_a_killed_writer_left_goes_after_an_hour(tmp_path: Path) -> None:
    (tmp_path / "00").mkdir()
    for part, age in (("old.part", 4000), ("new.part", 10)):
        (tmp_path / "00" / part).write_bytes(b"half")
        os.utime(tmp_path / "00" / part, (time.time() - age,) * 2)
    PieceCache(str(tmp_path), 1 << 20).put(name(1), pa.py_buffer(b"tokens"))
    assert set(sizes(tmp_path)) == {"new.part", name(1)}


def test_a_temporary_cache_goes_with_its_owner() -> None:
    cache = PieceCache(None, 1 << 20)
    cache.put(name(1), pa.py_buffer(b"tokens"))
    folder = cache.folder
    assert folder.is_dir()
    del cache
    assert not folder.exists()
