"""Decompressing streams in bounded memory, keeping everything before a break.

The readers of the standard library and of zstandard either lose up to a buffer of good data in front of a
break or do not notice a missing end at all. This one hands out data as it comes and reports the break after it.
"""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from typing import BinaryIO, Final, Protocol

from pipeline.sources.split import Compression

_INPUT: Final = 16 << 10
# A zstd block of four bytes may stand for 128 KiB, and its decompressor cannot be asked to stop in between:
# with 2 KiB at a time the worst file takes 64 MiB.
_INPUT_ZSTD: Final = 2 << 10
_OUTPUT: Final = 64 << 10
# The strongest preset of xz needs 65 MiB; a header that asks for gigabytes is an attack.
_XZ_MEMORY: Final = 256 << 20


class CorruptStreamError(Exception):
    """A compressed stream is damaged or ends too early; all data before that has been handed out."""


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


class DecompressedStream(io.RawIOBase):
    """The decompressed bytes of a file that may consist of several members or frames.

    ``read`` gives at least one byte and at most what is asked for, until the end.

    Raises:
        CorruptStreamError: from ``read``, once everything before the break has been handed out.
        OSError: the file underneath cannot be read.
    """

    def __init__(self, raw: BinaryIO, compression: Compression) -> None:
        super().__init__()
        self._raw = raw
        self._compression = compression
        self._failures = _failures(compression)
        self._input_size = _INPUT_ZSTD if compression == "zstd" else _INPUT
        self._decompressor: _Decompressor | None = None
        self._pending = b""  # input that the decompressor has not seen
        self._ready = memoryview(b"")  # output that nobody has asked for yet
        self._members = 0

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
                data = self._pending or self._raw.read(self._input_size)
                self._pending = b""
                if not data:
                    raise CorruptStreamError(f"the {self._compression} data ends too early")
            try:
                output = self._decompressor.decompress(data, _OUTPUT)
            except self._failures as error:
                raise CorruptStreamError(f"the {self._compression} data is damaged: {error}") from error
            if self._decompressor.eof:
                self._pending = self._decompressor.unused_data
                self._decompressor = None
                self._members += 1
            if output:
                return output

    def _open_member(self) -> bool:
        """Start the next member; False at the end of the file."""
        while True:
            self._pending = self._pending or self._raw.read(self._input_size)
            if not self._pending:
                return False
            if self._members:
                # gzip and xz allow zero bytes behind a member, where tapes and block devices left them.
                self._pending = self._pending.lstrip(b"\0")
            if self._pending:
                self._decompressor = _decompressor(self._compression)
                return True
