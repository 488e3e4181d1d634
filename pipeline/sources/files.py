"""Finding and opening files, local or behind a URL, and saying clearly why one cannot be had."""

from __future__ import annotations

import glob
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import fsspec

from corpus.errors import InputError
from corpus.storage import explain
from pipeline.sources.compression import CorruptStreamError, DecompressedStream
from pipeline.sources.config import WILDCARDS
from pipeline.sources.split import Compression

_REMOTE_BLOCK: Final = 8 << 20


class UnusableFileError(InputError):
    """What a file holds cannot be read as its format at all; other files of the input may be in order."""


@dataclass(frozen=True)
class Found:
    """A file and its size, where that is known without reading it."""

    file: str
    size: int | None


def is_remote(path: str) -> bool:
    """Whether a path is a URL that fsspec has to open."""
    return "://" in path or "::" in path


def find(path: str) -> list[Found]:
    """The files that a path, folder or pattern stands for, sorted.

    Raises:
        InputError: there is none, or its file system cannot be reached.
    """
    return _find_remote(path) if is_remote(path) else _find_local(path)


def _find_local(path: str) -> list[Found]:
    place = Path(path).expanduser()
    if place.is_dir():
        names = [str(file) for file in place.rglob("*") if file.is_file() and not _hidden(file.relative_to(place))]
        if not names:
            raise InputError(f"folder {path} holds no files", "Correct the path")
    elif WILDCARDS & set(path) and not place.exists():
        matches = glob.glob(str(place), recursive=True)  # noqa: PTH207 - Path.glob takes no absolute patterns
        names = [name for name in matches if not Path(name).is_dir()]
        if not names:
            raise InputError(
                f"no file matches {path}", "Correct the pattern; quote it on the command line, `**` crosses folders"
            )
    else:
        names = [str(place)]
    found = []
    for name in sorted(names):
        with _read_errors(name):
            status = Path(name).stat()
        if not Path(name).is_file():
            raise InputError(f"{name} is no regular file", "Write its content to a file first")
        found.append(Found(name, status.st_size))
    return found


def _hidden(path: Path) -> bool:
    """Whether a file found in a folder is bookkeeping, such as ``_SUCCESS`` or ``.crc``."""
    return any(part.startswith((".", "_")) for part in path.parts)


def _find_remote(path: str) -> list[Found]:
    with _read_errors(path):
        filesystem, name = file_system(path)
        if "::" in path:
            return [Found(path, _size(filesystem.info(name)))]
        if WILDCARDS & set(name):
            infos = [info for info in filesystem.glob(name, detail=True).values() if info["type"] == "file"]
            if not infos:
                raise InputError(f"no file matches {path}", "Correct the pattern")
        elif filesystem.isdir(name) and not filesystem.isfile(name):
            infos = list(filesystem.find(name, detail=True).values())
            infos = [info for info in infos if not _hidden(Path(_below(info["name"], name)))]
            if not infos:
                raise InputError(f"folder {path} holds no files", "Correct the path")
        else:
            infos = [filesystem.info(name)]
        found = [Found(filesystem.unstrip_protocol(info["name"]), _size(info)) for info in infos]
    return sorted(found, key=lambda item: item.file)


def _below(name: str, folder: str) -> str:
    return name.removeprefix(folder).lstrip("/")


def _size(info: dict[str, Any]) -> int | None:
    size = info.get("size")
    return None if size is None else int(size)


def file_system(path: str) -> tuple[Any, str]:
    """The fsspec file system of a URL and the path in it.

    Raises:
        InputError: its driver is not installed or the protocol is unknown.
    """
    try:
        filesystem, name = fsspec.core.url_to_fs(path)
    except (ImportError, ValueError) as error:
        raise InputError(
            f"cannot open {path}: {error}", "Install the fsspec driver of that protocol, for example s3fs or gcsfs"
        ) from error
    return filesystem, str(name)


@contextmanager
def _read_errors(path: str) -> Iterator[None]:
    """Say in one line why a file cannot be read.

    Raises:
        InputError: always when the block fails.
    """
    try:
        yield
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist", "Correct the path in the recipe or the --input flag") from error
    except PermissionError as error:
        raise InputError(f"no permission to read {path}", "Change its permissions or run as its owner") from error
    except IsADirectoryError as error:
        raise InputError(f"{path} is a folder", "Name a file or a pattern") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {explain(error)}") from error
    except Exception as error:  # drivers of object stores raise types of their own
        if not is_remote(path):
            raise
        raise InputError(
            f"cannot read {path}: {type(error).__name__}: {error}", "Check the address and the credentials"
        ) from error


@contextmanager
def open_raw(file: str) -> Iterator[BinaryIO]:
    """A file as it lies on disk, seekable where its file system can.

    Raises:
        InputError: it cannot be read; also when that shows only in the middle.
    """
    with _read_errors(file):
        if is_remote(file):
            filesystem, name = file_system(file)
            stream = filesystem.open(name, "rb", block_size=_REMOTE_BLOCK)
        else:
            stream = Path(file).open("rb")  # noqa: SIM115 - closed below
    with stream:
        try:
            yield cast(BinaryIO, stream)
        except OSError as error:
            raise InputError(
                f"cannot read {file}: {explain(error)}",
                "Check the disk or the connection and run the same command again",
            ) from error


@contextmanager
def open_stream(file: str, compression: Compression | None, start: int = 0) -> Iterator[BinaryIO]:
    """A file's content once decompressed, from byte ``start`` on.

    Raises:
        InputError: it cannot be read.
    """
    with open_raw(file) as raw:
        if compression is not None:
            yield cast(BinaryIO, DecompressedStream(raw, compression))
            return
        if start:
            raw.seek(start)
        yield raw


def head(file: str, compression: Compression | None, size: int) -> bytes:
    """The first bytes of a file's content, as far as they can be decompressed.

    Raises:
        InputError: it cannot be read.
    """
    buffer = io.BytesIO()
    with open_stream(file, compression) as stream:
        try:
            while buffer.tell() < size and (piece := stream.read(size - buffer.tell())):
                buffer.write(piece)
        except CorruptStreamError:
            pass
    return buffer.getvalue()
