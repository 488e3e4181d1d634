"""The cache gives back what it was given, whoever wrote it, whatever was killed, wherever it lies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.translation.cache import OWN_SEGMENTS, Cache
from pipeline.translation.cells import Done

Places = Callable[[], str]


def key(name: object) -> bytes:
    """A key."""
    return xxhash.xxh3_128_digest(str(name).encode())


def done(name: object) -> Done:
    """A translation."""
    return Done(f"text of {name} ñ", -0.1 * len(str(name)), len(str(name)), truncated=str(name).endswith("7"))


@pytest.fixture(params=["local", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A folder on disk, and one on an object store."""
    return str(tmp_path / "cache") if request.param == "local" else f"memory://cache-{uuid4().hex}"


def test_what_is_kept_is_found_by_others(place: str) -> None:
    cache = Cache(place)
    assert cache.find([key(1), key(2)]) == {}
    cache.keep({key(1): done(1), key(7): done(7)})
    assert cache.find([key(1), key(2)]) == {key(1): done(1)}, "before it is written"
    assert Cache(place).find([key(1)]) == {}, "not before"
    cache.close()
    assert Cache(place).find([key(7), key(2), key(1)]) == {key(1): done(1), key(7): done(7)}


def test_keys_of_equal_first_half_are_told_apart(tmp_path: Path) -> None:
    first, second, third = (bytes(8) + bytes([number]) * 8 for number in (1, 2, 3))
    cache = Cache(tmp_path)
    cache.keep({second: done("b"), first: done("a")})
    cache.flush()
    assert cache.find([first, second, third]) == {first: done("a"), second: done("b")}


def test_a_process_puts_its_segments_together(place: str) -> None:
    cache = Cache(place)
    for number in range(OWN_SEGMENTS + 2):
        cache.keep({key(number): done(number), key("again"): done("again")})
        cache.flush()
    assert len(cache.storage.list("")) == 3, "one of the first 16, and two since"
    found = Cache(place).find([key(number) for number in range(OWN_SEGMENTS + 2)])
    assert found == {key(number): done(number) for number in range(OWN_SEGMENTS + 2)}


def test_compaction_leaves_one_segment_while_others_read_and_write(place: str) -> None:
    first, second = Cache(place), Cache(place)
    for number in range(3):
        first.keep({key(number): done(number)})
        first.flush()
        second.keep({key(10 + number): done(10 + number)})
        second.flush()
    assert second.find([key(0)]) == {key(0): done(0)} or second.find([key(10)]) == {key(10): done(10)}
    assert first.compact() == 1
    assert len(first.storage.list("")) == 1
    # The other knows of its own segments, which are gone, and goes on.
    assert second.find([key(11)]) == {key(11): done(11)}
    for number in range(20, 20 + OWN_SEGMENTS):
        second.keep({key(number): done(number)})
        second.flush()
    second.close()
    wanted = [*range(3), *range(10, 13), *range(20, 20 + OWN_SEGMENTS)]
    assert Cache(place).find([key(number) for number in wanted]) == {key(number): done(number) for number in wanted}


@settings(max_examples=30, deadline=None)
@given(parts=st.lists(st.sets(st.integers(0, 40)), max_size=6), asked=st.sets(st.integers(0, 50)))
def test_any_cut_into_segments_gives_the_same(parts: list[set[int]], asked: set[int]) -> None:
    place = f"memory://cache-{uuid4().hex}"
    cache = Cache(place)
    for part in parts:
        cache.keep({key(number): done(number) for number in part})
        cache.flush()
    kept = set().union(*parts)
    expected = {key(number): done(number) for number in asked & kept}
    assert cache.find([key(number) for number in sorted(asked)]) == expected
    cache.compact()
    assert Cache(place).find([key(number) for number in sorted(asked)]) == expected


@pytest.mark.parametrize("data", [b"", b"ARROW1 and nothing else", os.urandom(3000)])
def test_damaged_files_are_passed_over(tmp_path: Path, data: bytes) -> None:
    cache = Cache(tmp_path)
    cache.keep({key(1): done(1)})
    cache.close()
    (tmp_path / "damaged.arrow").write_bytes(data)
    (tmp_path / ".half.arrow.123.part").write_bytes(data)
    (tmp_path / "notes.txt").write_bytes(data)
    cache = Cache(tmp_path)
    assert cache.find([key(1), key(2)]) == {key(1): done(1)}
    assert cache.damaged == {"damaged.arrow"}


def test_parts_of_killed_processes_go_with_compaction(tmp_path: Path) -> None:
    for name, age in ((".old.arrow.1.part", 7200), (".new.arrow.2.part", 0)):
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, (time.time() - age, time.time() - age))
    Cache(tmp_path).compact()
    assert [path.name for path in tmp_path.iterdir()] == [".new.arrow.2.part"]


WRITER = """
import sys
from pipeline.translation.cache import Cache
from tests.pipeline.translation.test_cache import done, key
cache, number = Cache(sys.argv[1]), int(sys.argv[2])
while True:
    cache.keep({key(number + step): done(number + step) for step in range(40)})
    cache.flush()
    number += 40
    print(number, flush=True)
"""


def test_killed_writers_leave_whole_segments(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    starts = (0, 10_000_000)
    environment = {**os.environ, "PYTHONPATH": str(root)}
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(start)],
            stdout=subprocess.PIPE, text=True, cwd=root, env=environment,
        )
        for start in starts
    ]  # fmt: skip
    reached = []
    for writer in writers:
        assert writer.stdout is not None
        # Beyond the first time that a process puts its segments together.
        lines = [writer.stdout.readline() for _ in range(OWN_SEGMENTS + 3)]
        writer.send_signal(signal.SIGKILL)
        reached.append(int((lines + writer.stdout.read().split())[-1]))
        assert writer.wait() == -signal.SIGKILL
    cache = Cache(tmp_path)
    for start, end in zip(starts, reached, strict=True):
        assert end > start + 40 * OWN_SEGMENTS
        wanted = {key(number): done(number) for number in range(start, end)}
        assert cache.find(list(wanted)) == wanted
    assert cache.damaged == set()
    assert cache.compact() == 1
    again = Cache(tmp_path).find([key(0), key(reached[1] - 1)])
    assert again == {key(0): done(0), key(reached[1] - 1): done(reached[1] - 1)}
