"""One way to local folders and object stores: a root and names relative to it (fsspec underneath).

Local files are replaced atomically by rename; object stores replace whole objects, which is atomic there.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import fsspec
from fsspec.implementations.local import LocalFileSystem

from corpus.errors import CorpusError, EvenglotError


class Storage:
    """A folder on local disk or under an object-store URL such as ``s3://bucket/corpus``.

    Args:
        root: path or URL; created on first write.

    Raises:
        CorpusError: the URL's protocol has no file system installed.
    """

    def __init__(self, root: str | Path) -> None:
        try:
            self.filesystem, base = fsspec.core.url_to_fs(str(root))
        except (ImportError, ValueError) as error:
            raise CorpusError(
                f"cannot open {root}: {error}",
                "Install the fsspec driver of that protocol, for example s3fs or gcsfs",
            ) from error
        self.root = base.rstrip("/") or "/"
        self.url = str(root)
        self.is_local = isinstance(self.filesystem, LocalFileSystem)

    def path(self, name: str = "") -> str:
        """The full path of a name inside the root.

        Raises:
            CorpusError: the name would leave the root.
        """
        parts = PurePosixPath(name).parts
        if ".." in parts or (parts and parts[0] == "/"):
            raise CorpusError(f"'{name}' leaves the corpus folder {self.url}", "The manifest has been tampered with")
        return f"{self.root}/{name}" if name else self.root

    def exists(self, name: str = "") -> bool:
        """Whether a file or folder of that name exists.

        Raises:
            CorpusError: the object store cannot be asked.
        """
        with self._driver_errors():
            return bool(self.filesystem.exists(self.path(name)))

    def read_bytes(self, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            CorpusError: it is missing or unreadable.
        """
        try:
            with self._driver_errors():
                data: bytes = self.filesystem.cat_file(self.path(name))
        except OSError as error:
            raise CorpusError(f"cannot read {self.path(name)}: {explain(error)}") from error
        return data

    def write_bytes(self, name: str, data: bytes) -> None:
        """Write a file in one atomic step, replacing one that is there."""
        with self.create(name) as local:
            local.write_bytes(data)

    @contextmanager
    def create(self, name: str) -> Iterator[Path]:
        """A local path to write to; what lies there at the end of the block becomes the file, all or nothing."""
        target = self.path(name)
        with write_errors(target):
            if self.is_local:
                final = Path(target)
                final.parent.mkdir(parents=True, exist_ok=True)
                partial = final.with_name(f".{final.name}.{os.getpid()}.part")
                try:
                    yield partial
                    with partial.open("rb") as handle:
                        os.fsync(handle.fileno())
                    partial.replace(final)
                except BaseException:
                    partial.unlink(missing_ok=True)
                    raise
            else:
                with tempfile.TemporaryDirectory(prefix="evenglot-") as folder:
                    partial = Path(folder) / PurePosixPath(name).name
                    yield partial
                    with self._driver_errors():
                        self.filesystem.put_file(str(partial), target)

    @contextmanager
    def local_copy(self, name: str) -> Iterator[Path]:
        """A local path to read: the file itself when the root is local, else a temporary download."""
        if self.is_local:
            yield Path(self.path(name))
            return
        with tempfile.TemporaryDirectory(prefix="evenglot-") as folder:
            copy = Path(folder) / PurePosixPath(name).name
            try:
                with self._driver_errors():
                    self.filesystem.get_file(self.path(name), str(copy))
            except OSError as error:
                raise CorpusError(f"cannot read {self.path(name)}: {explain(error)}") from error
            yield copy

    @contextmanager
    def _driver_errors(self) -> Iterator[None]:
        """Drivers of object stores raise types of their own, for absent credentials for example.

        Raises:
            CorpusError: in place of such a type; errors of the operating system pass.
        """
        try:
            yield
        except (EvenglotError, OSError):
            raise
        except Exception as error:
            if self.is_local:
                raise
            raise CorpusError(
                f"cannot reach {self.url}: {type(error).__name__}: {error}", "Check the address and the credentials"
            ) from error

    def list(self, folder: str) -> list[str]:
        """Names of the files directly in a folder, relative to it and sorted; empty when it is missing."""
        path = self.path(folder)
        if not self.filesystem.isdir(path):
            return []
        return sorted(PurePosixPath(entry).name for entry in self.filesystem.ls(path, detail=False))

    def size(self, name: str) -> int:
        """Bytes of a file."""
        return int(self.filesystem.size(self.path(name)))

    def remove(self, name: str) -> None:
        """Remove a file or a folder with all it holds; nothing happens when it is missing."""
        path = self.path(name)
        if self.is_local:
            if Path(path).is_dir():
                shutil.rmtree(path)
            else:
                Path(path).unlink(missing_ok=True)
        elif self.filesystem.exists(path):
            self.filesystem.rm(path, recursive=True)


def explain(error: OSError) -> str:
    """What went wrong, in the words the system has for it."""
    return error.strerror or str(error) or type(error).__name__


@contextmanager
def write_errors(target: str) -> Iterator[None]:
    """Turn what the operating system says of a failed write into one clear line.

    Raises:
        EvenglotError: no space, no permission, or another failure of the operating system.
    """
    try:
        yield
    except PermissionError as error:
        raise EvenglotError(
            f"no permission to write {target}", "Choose another output folder or change its owner"
        ) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise EvenglotError(
                f"no space left while writing {target}",
                "Free some space and run the same command again; it resumes",
            ) from error
        if isinstance(error, FileExistsError | NotADirectoryError):
            raise EvenglotError(f"cannot write {target}: a file is where a folder should be") from error
        raise EvenglotError(f"cannot write {target}: {explain(error)}") from error
