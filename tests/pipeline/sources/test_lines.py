from __future__ import annotations

import io
from pathlib import Path

import fsspec
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.sources.lines import Block, LineNumbers, blocks, count_lines
from pipeline.sources.split import Split

pieces = st.lists(st.sampled_from([b"\n", b"a", b"bc", b"\r", "ü".encode(), b"0123456789"]), max_size=40).map(b"".join)


def lines_of(
    data: bytes, start: int = 0, end: int | None = None, size: int = 7, limit: int = 1000
) -> list[tuple[int, bytes]]:
    """Offset and content of every line, as a reader takes them out of the blocks."""
    stream = io.BytesIO(data)
    stream.seek(max(start - 1, 0))
    found = []
    counted = 0
    for block in blocks(stream, start=start, end=end, size=size, limit=limit):
        assert block.fault is None
        assert block.line == counted
        counted += block.count
        offset = block.offset
        for line in block.data.split(b"\n"):
            found.append((offset, line))
            offset += len(line) + 1
    assert counted == len(found)
    return found


def test_lines_have_their_offsets() -> None:
    assert lines_of(b"one\n\ntwo\r\nlast") == [(0, b"one"), (4, b""), (5, b"two\r"), (10, b"last")]
    assert lines_of(b"") == []
    assert lines_of(b"\n") == [(0, b"")]


def test_a_byte_order_mark_is_left_out() -> None:
    assert lines_of(b"\xef\xbb\xbfone\ntwo") == [(3, b"one"), (7, b"two")]
    assert lines_of(b"\xef\xbb\xbf") == []


def test_a_line_belongs_to_the_range_of_its_first_byte() -> None:
    data = b"one\ntwo\nthree\n"
    assert lines_of(data, 0, 4) == [(0, b"one")]
    assert lines_of(data, 0, 5) == [(0, b"one"), (4, b"two")]
    assert lines_of(data, 4, 8) == [(4, b"two")]
    assert lines_of(data, 5, 8) == []
    assert lines_of(data, 5, None) == [(8, b"three")]


@given(pieces, st.integers(1, 50), st.integers(1, 30), st.booleans())
@settings(max_examples=250, deadline=None)
def test_any_cut_gives_every_line_once(data: bytes, step: int, size: int, mark: bool) -> None:
    data = (b"\xef\xbb\xbf" if mark else b"") + data
    text = data[3:] if mark else data
    expected = text.removesuffix(b"\n").split(b"\n") if text else []
    cut = [line for start in range(0, len(data), step) for line in lines_of(data, start, start + step, size)]
    assert [line for _, line in cut] == expected
    assert cut == lines_of(data, size=size)
    assert all(data[offset : offset + len(line)] == line for offset, line in cut)


def test_a_line_over_the_limit_is_a_fault_and_the_next_ones_are_not() -> None:
    data = b"ok\n" + b"x" * 500 + b"\nafter\nend"
    found = list(blocks(io.BytesIO(data), size=16, limit=100))
    faults = [block for block in found if block.fault is not None]
    assert [(fault.offset, fault.line, fault.count, fault.fault) for fault in faults] == [
        (3, 1, 1, ("line_too_long", "500 bytes, the limit is 100"))
    ]
    assert set(faults[0].data) == {ord("x")}
    assert [block.data for block in found if block.fault is None and block.line > 1] == [b"after", b"end"]
    assert sum(block.count for block in found) == 4


def test_a_last_line_over_the_limit_is_a_fault() -> None:
    found = list(blocks(io.BytesIO(b"x" * 500), size=16, limit=100))
    assert [(block.offset, block.count, block.fault) for block in found] == [
        (0, 1, ("line_too_long", "500 bytes, the limit is 100"))
    ]


def test_a_very_long_line_is_never_held() -> None:
    class Endless(io.RawIOBase):
        """64 MiB without a line end, made as they are asked for."""

        left = 64 << 20

        def read(self, size: int = -1) -> bytes:
            size = min(size, self.left)
            self.left -= size
            return b"y" * size

    (block,) = blocks(Endless(), limit=1 << 20)  # type: ignore[arg-type]
    assert block == Block(0, b"y" * (64 << 10), 0, 1, ("line_too_long", "67,108,864 bytes, the limit is 1,048,576"))


@given(pieces, st.integers(1, 60))
@settings(max_examples=200, deadline=None)
def test_count_lines_is_the_number_of_lines_before(data: bytes, start: int) -> None:
    start = min(start, len(data))
    with fsspec.open("memory://lines/data", "wb") as file:
        file.write(data)
    assert count_lines("memory://lines/data", start) == sum(offset < start for offset, _ in lines_of(data))


def test_line_numbers_of_a_later_split(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b"one\ntwo\nthree\nfour\n")
    assert LineNumbers(Split(0, "s", str(file), "jsonl", None, 0, 5)).of(1) == 2
    assert LineNumbers(Split(0, "s", str(file), "jsonl", None, 8, None)).of(0) == 3
    assert LineNumbers(Split(0, "s", str(file), "jsonl", None, 9, None)).of(0) == 4


def test_counting_lines_through_gigabytes_is_refused(tmp_path: Path) -> None:
    assert LineNumbers(Split(0, "s", str(tmp_path / "absent"), "jsonl", None, 5 << 30, None)).of(0) is None
