from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import resource
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.sources.compression import CorruptStreamError, DecompressedStream
from pipeline.sources.split import Compression

COMPRESS: dict[Compression, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}
ALL = sorted(COMPRESS)
DATA = "\n".join(f"line {n} {random.Random(n).random()}" for n in range(20_000)).encode()


def drain(data: bytes, compression: Compression, size: int = 1 << 16) -> tuple[bytes, str | None]:
    """What can be read, and the complaint at its end."""
    stream = DecompressedStream(io.BytesIO(data), compression)
    found = bytearray()
    try:
        while piece := stream.read(size):
            assert len(piece) <= size
            found += piece
    except CorruptStreamError as error:
        return bytes(found), str(error)
    return bytes(found), None


@pytest.mark.parametrize("compression", ALL)
def test_whole_streams(compression: Compression) -> None:
    assert drain(COMPRESS[compression](DATA), compression) == (DATA, None)
    assert drain(COMPRESS[compression](b""), compression) == (b"", None)
    assert drain(b"", compression) == (b"", None)


@pytest.mark.parametrize("compression", ALL)
@given(st.lists(st.binary(max_size=100), min_size=1, max_size=5), st.integers(1, 50))
@settings(max_examples=40, deadline=None)
def test_members_and_frames_follow_one_another(compression: Compression, parts: list[bytes], size: int) -> None:
    data = b"".join(COMPRESS[compression](part) for part in parts)
    assert drain(data, compression, size) == (b"".join(parts), None)


@pytest.mark.parametrize("compression", ["gzip", "xz"])
def test_zero_bytes_behind_a_member_are_padding(compression: Compression) -> None:
    data = COMPRESS[compression](b"one") + b"\0" * 8 + COMPRESS[compression](b"two") + b"\0" * 4
    assert drain(data, compression) == (b"onetwo", None)


@pytest.mark.parametrize("compression", ALL)
def test_a_missing_end_keeps_what_came_before(compression: Compression) -> None:
    whole = COMPRESS[compression](DATA)
    found, complaint = drain(whole[: len(whole) // 2], compression)
    assert complaint == f"the {compression} data ends too early"
    assert DATA.startswith(found)
    if compression != "bz2":  # its blocks of 900 kB are larger than this; see the next test
        assert len(found) > 0.3 * len(DATA)


def test_a_missing_end_loses_no_finished_bz2_block() -> None:
    data = random.Random(0).randbytes(2_500_000)
    whole = bz2.compress(data)
    found, complaint = drain(whole[: len(whole) * 9 // 10], "bz2")
    assert complaint is not None
    assert data.startswith(found)
    assert len(found) > 1_700_000


@pytest.mark.parametrize("compression", ALL)
def test_a_damaged_middle_keeps_what_came_before(compression: Compression) -> None:
    data = random.Random(1).randbytes(3_000_000)
    # Without a checksum, damage in the literals of zstd goes unnoticed.
    checked = zstandard.ZstdCompressor(write_checksum=True).compress
    whole = bytearray((checked if compression == "zstd" else COMPRESS[compression])(data))
    middle = len(whole) * 2 // 3
    whole[middle : middle + 64] = b"\xff" * 64
    found, complaint = drain(bytes(whole), compression)
    assert complaint is not None
    assert len(found) >= 1_700_000
    assert found[:1_700_000] == data[:1_700_000]


@pytest.mark.parametrize("compression", ALL)
def test_what_is_no_stream_at_all_gives_a_complaint(compression: Compression) -> None:
    found, complaint = drain(b"this is plain text, whatever its name says", compression)
    assert found == b""
    assert complaint is not None
    assert complaint.startswith(f"the {compression} data is damaged")


def test_rubbish_behind_a_member_gives_a_complaint_after_the_data() -> None:
    found, complaint = drain(gzip.compress(b"good") + b"rubbish", "gzip")
    assert found == b"good"
    assert complaint is not None


@pytest.mark.parametrize("compression", ALL)
def test_a_bomb_is_read_in_bounded_memory(compression: Compression) -> None:
    zeros = bytes(32 << 20)
    bomb = COMPRESS[compression](zeros) * 4
    stream = DecompressedStream(io.BytesIO(bomb), compression)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    total = 0
    while piece := stream.read(1 << 20):
        total += len(piece)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert total == 4 * len(zeros)
    assert grown < 160 << 10, f"{grown} KiB more for {len(bomb)} bytes of {compression}"


def test_an_xz_header_that_asks_for_gigabytes_is_refused() -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 30, "mode": lzma.MODE_FAST, "mf": lzma.MF_HC3}]
    greedy = lzma.compress(b"x", filters=filters)
    found, complaint = drain(greedy, "xz")
    assert found == b""
    assert complaint == "the xz data is damaged: Memory usage limit exceeded"


def test_a_failing_disk_is_not_taken_for_damage() -> None:
    class Failing(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"):
        DecompressedStream(Failing(), "bz2").read(10)  # type: ignore[arg-type]


def drain_all(data: bytes, compression: Compression) -> tuple[list[bytes], list[str]]:
    """What can be read between the breaks, and the complaint at each."""
    stream = DecompressedStream(io.BytesIO(data), compression)
    found, complaints = [bytearray()], []
    while True:
        try:
            piece = stream.read(1 << 16)
        except CorruptStreamError as error:
            complaints.append(str(error))
            found.append(bytearray())
            assert len(complaints) < len(data) + 2
            continue
        if not piece:
            return [bytes(part) for part in found], complaints
        found[-1] += piece


CHECKED = {**COMPRESS, "zstd": zstandard.ZstdCompressor(write_checksum=True).compress}
# Random digits: damage shows soon, and bz2 takes only one block for each part.
PARTS = [bytes(random.Random(n).choices(b"0123456789\n", k=60_000)) for n in range(4)]


@pytest.mark.parametrize("compression", ALL)
@pytest.mark.parametrize("damaged", [0, 1, 3])
@pytest.mark.parametrize("how", ["overwritten", "cut short", "beginning lost"])
def test_members_behind_a_damaged_one_are_read(compression: Compression, damaged: int, how: str) -> None:
    members = [CHECKED[compression](part) for part in PARTS]
    member, middle = members[damaged], len(members[damaged]) // 2
    members[damaged] = {
        "overwritten": member[:middle] + b"\xff" * 64 + member[middle + 64 :],
        "cut short": member[:middle],
        "beginning lost": b"\xff" * 12 + member[12:],
    }[how]
    found, complaints = drain_all(b"".join(members), compression)
    assert len(complaints) == 1
    before, after = found
    assert before.startswith(b"".join(PARTS[:damaged]))
    assert after == b"".join(PARTS[damaged + 1 :])


def test_a_member_swallowed_by_one_cut_short_long_before_is_found() -> None:
    """The decompressor takes what follows for the rest of a block of 900 kB."""
    long = random.Random(5).randbytes(1_200_000)
    cut = bz2.compress(long)[:1_000_000]
    found, complaints = drain_all(cut + bz2.compress(PARTS[0]) + bz2.compress(PARTS[1]), "bz2")
    assert found[1] == PARTS[0] + PARTS[1]
    assert len(complaints) == 1


def test_what_only_looks_like_a_beginning_is_passed_over() -> None:
    member = gzip.compress(PARTS[0])
    decoys = b"\x1f\x8b\x08\x00" * 20 + b"\x1f\x8b\x08\x1f" + bytes(50)
    found, complaints = drain_all(member[:5000] + b"\xff" * 40 + decoys + gzip.compress(b"next"), "gzip")
    assert PARTS[0].startswith(found[0])
    assert (found[1], len(complaints)) == (b"next", 1)


@pytest.mark.parametrize("compression", ALL)
@given(st.data())
@settings(max_examples=60, deadline=None)
def test_no_damage_is_endless_and_sound_members_survive(compression: Compression, data: st.DataObject) -> None:
    parts = data.draw(st.lists(st.binary(min_size=20, max_size=200), min_size=2, max_size=5))
    members = [CHECKED[compression](part) for part in parts]
    damaged = data.draw(st.integers(0, len(parts) - 1))
    rubbish = data.draw(st.binary(max_size=60))
    cut = data.draw(st.integers(1, len(members[damaged]) - 1))
    members[damaged] = members[damaged][:cut] + rubbish
    found, _ = drain_all(b"".join(members), compression)
    assert found[0].startswith(b"".join(parts[:damaged]))
    assert b"".join(found).endswith(b"".join(parts[damaged + 1 :]))
