"""Decompressing streams in bounded memory, keeping everything before a break.

The readers of the standard library and of zstandard either lose up to a buffer of good data in front of a
break or do not notice a missing end at all. This one hands out data as it comes, reports the break after it, and
finds the next member.
"""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from collections.abc import Callable
from typing import BinaryIO, Final, Protocol

import regex

from pipeline.sources.split import Compression

_INPUT: Final = 16 << 10
# A zstd block of four bytes may stand for 128 KiB, and its decompressor cannot be asked to stop in between:
# with 2 KiB at a time the worst file takes 64 MiB.
_INPUT_ZSTD: Final = 2 << 10
_OUTPUT: Final = 64 << 10
# The strongest preset of xz needs 65 MiB; a header that asks for gigabytes is an attack.
_XZ_MEMORY: Final = 256 << 20


class CorruptStreamError(Exception):
    """A compressed stream is damaged or ends too early; all data before that has been handed out.

    Reading on goes on behind the damage.
    """


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...

    @property
    def needs_input(self) -> bool: ...


class _Gzip:
    """zlib under the interface that bz2 and lzma share."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._zlib.unconsumed_tail

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)


class _Zstd:
    """zstandard under the interface that bz2 and lzma share; its output is bounded by its input."""

    needs_input = True

    def __init__(self) -> None:
        import zstandard

        self._zstd = zstandard.ZstdDecompressor().decompressobj()

    @property
    def eof(self) -> bool:
        return bool(self._zstd.eof)

    @property
    def unused_data(self) -> bytes:
        return self._zstd.unused_data or b""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._zstd.decompress(data)


def _decompressor(compression: Compression) -> _Decompressor:
    if compression == "gzip":
        return _Gzip()
    if compression == "bz2":
        return bz2.BZ2Decompressor()
    if compression == "xz":
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)
    return _Zstd()


def _failures(compression: Compression) -> tuple[type[Exception], ...]:
    if compression == "gzip":
        return (zlib.error,)
    if compression == "bz2":
        return (OSError, ValueError)
    if compression == "xz":
        return (lzma.LZMAError,)
    import zstandard

    return (zstandard.ZstdError,)


# How members and frames begin. What looks like a beginning is tried out before it is believed.
_BEGINNINGS: Final = {
    "gzip": regex.compile(rb"\x1f\x8b\x08[\x00-\x1f]"),
    "bz2": regex.compile(rb"BZh[1-9]\x31\x41\x59\x26\x53\x59"),
    "xz": regex.compile(rb"\xfd7zXZ\x00\x00[\x00-\x0f]"),
    "zstd": regex.compile(rb"\x28\xb5\x2f\xfd"),
}
_NOT_PADDING: Final = regex.compile(rb"[^\0]")
# A block of bz2 has up to 900 kB, and one that is cut short swallows as much of what follows.
_LOOK_BACK: Final = 1 << 20
_PROBE: Final = 16 << 10
_LONGEST_BEGINNING: Final = 10


class _Input:
    """The compressed bytes, with as much of the present member as looking back may need."""

    def __init__(self, raw: BinaryIO, size: int) -> None:
        self.at = 0
        """Of the next byte in the buffer."""
        self._raw = raw
        self._size = size
        self._buffer = bytearray()
        self._begin = 0  # of the present member in the buffer, or of what is left of it

    def take(self) -> bytes:
        """The next bytes; b"" at the end."""
        data = self.peek(self.at)
        self.at += len(data)
        return data

    def peek(self, place: int) -> bytes:
        """The bytes at a place in the buffer or behind it, without passing them; b"" at the end."""
        if place >= len(self._buffer) and not self._more():
            return b""
        return bytes(self._buffer[place : place + self._size])

    def begin(self, *, padded: bool) -> bool:
        """Let a member begin with the next byte, zero bytes passed over; False at the end."""
        while True:
            found = _NOT_PADDING.search(self._buffer, self.at) if padded else None
            self.at = found.start() if found else len(self._buffer) if padded else self.at
            # Nothing before the member is needed any more.
            del self._buffer[: self.at]
            self.at = self._begin = 0
            if self._buffer:
                return True
            if not self._more():
                return False

    def find(self, pattern: regex.Pattern[bytes], longest: int, sound: Callable[[int], bool]) -> bool:
        """Go to the next place behind the present member's first byte where a sound member begins.

        Args:
            pattern: of its beginning.
            longest: bytes that the pattern may match.
            sound: says of a place whether one does.

        Returns:
            False, with nothing left to read, where there is none.
        """
        place = self._begin + 1
        while True:
            found = pattern.search(self._buffer, place)
            if found is not None:
                place = found.start()
                if sound(place):
                    self.at = place
                    return True
                place += 1
                continue
            passed = max(place, len(self._buffer) - longest + 1)
            del self._buffer[:passed]
            place = self._begin = 0
            if not self._more():
                self.at = len(self._buffer)
                return False

    def forget(self) -> None:
        """Drop what lies too far back in the present member; places change by it."""
        passed = self.at - _LOOK_BACK
        if passed > _LOOK_BACK:  # seldom, for it moves what remains
            del self._buffer[:passed]
            self.at -= passed
            self._begin = -1  # the first byte of the buffer is not the member's own

    def _more(self) -> bool:
        data = self._raw.read(self._size)
        self._buffer += data
        return bool(data)


class DecompressedStream(io.RawIOBase):
    """The decompressed bytes of a file that may consist of several members or frames.

    ``read`` gives at least one byte and at most what is asked for, until the end. A damaged member costs what lies
    behind the damage in it: reading on after the exception goes on with the next one, or is at the end where there
    is none. What looks like the beginning of a member but lies in a damaged one, a gzip file stored in it for
    instance, is taken for the next.

    Raises:
        CorruptStreamError: from ``read``, once everything before the break has been handed out; once for each break.
        OSError: the file underneath cannot be read.
    """

    def __init__(self, raw: BinaryIO, compression: Compression) -> None:
        super().__init__()
        self._raw = raw
        self._compression = compression
        self._failures = _failures(compression)
        self._input = _Input(raw, _INPUT_ZSTD if compression == "zstd" else _INPUT)
        self._decompressor: _Decompressor | None = None
        self._ready = memoryview(b"")  # output that nobody has asked for yet
        self._members = 0
        self._broken = False

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes; b"" only at the end."""
        if size < 0:
            return b"".join(iter(lambda: self.read(1 << 20), b""))
        if size == 0:
            return b""
        if not self._ready:
            self._ready = memoryview(self._next())
        piece = bytes(self._ready[:size])
        self._ready = self._ready[size:]
        return piece

    def _next(self) -> bytes:
        while True:
            if self._decompressor is None and not self._open_member():
                return b""
            assert self._decompressor is not None
            data = b""
            if self._decompressor.needs_input:
                self._input.forget()
                data = self._input.take()
                if not data:
                    raise self._break("ends too early")
            try:
                output = self._decompressor.decompress(data, _OUTPUT)
            except self._failures as error:
                raise self._break(f"is damaged: {error}") from error
            if self._decompressor.eof:
                self._input.at -= len(self._decompressor.unused_data)
                self._decompressor = None
                self._members += 1
            if output:
                return output

    def _break(self, what: str) -> CorruptStreamError:
        self._decompressor = None
        self._broken = True
        return CorruptStreamError(f"the {self._compression} data {what}")

    def _open_member(self) -> bool:
        """Start the next member; False at the end of the file."""
        if self._broken:
            self._broken = False
            if not self._input.find(_BEGINNINGS[self._compression], _LONGEST_BEGINNING, self._is_sound):
                return False
        # gzip and xz allow zero bytes behind a member, where tapes and block devices left them.
        if not self._input.begin(padded=self._members > 0):
            return False
        self._decompressor = _decompressor(self._compression)
        return True

    def _is_sound(self, place: int) -> bool:
        """Whether a member that begins at a place can be decompressed for a while."""
        decompressor = _decompressor(self._compression)
        seen, produced = 0, False
        while seen < _PROBE and not decompressor.eof:
            data = b""
            if decompressor.needs_input:
                data = self._input.peek(place + seen)
                if not data:
                    return produced
                seen += len(data)
            try:
                produced = bool(decompressor.decompress(data, _OUTPUT)) or produced
            except self._failures:
                return False
        # Of gzip three bytes are no proof, but its data comes at once; bz2 gives nothing before a block's end.
        return decompressor.eof or produced or self._compression != "gzip"
