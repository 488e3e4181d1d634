from __future__ import annotations

import errno
from pathlib import Path

import pytest

from corpus.errors import CorpusError, EvenglotError
from corpus.storage import Storage, explain, write_errors


@pytest.fixture(params=["local", "memory"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "local":
        return Storage(tmp_path / "corpus")
    return Storage(f"memory://storage-test/{request.node.originalname}")


def test_files_come_and_go(storage: Storage) -> None:
    assert not storage.exists()
    assert storage.list("text") == []
    storage.write_bytes("text/swh/b.arrow", b"one")
    storage.write_bytes("text/swh/a.arrow", b"two")
    storage.write_bytes("manifest.json", b"{}")
    assert storage.exists()
    assert storage.exists("text/swh")
    assert storage.list("text/swh") == ["a.arrow", "b.arrow"]
    assert storage.list("text") == ["swh"]
    assert storage.read_bytes("text/swh/b.arrow") == b"one"
    assert storage.size("text/swh/b.arrow") == 3
    storage.write_bytes("text/swh/b.arrow", b"three")
    assert storage.read_bytes("text/swh/b.arrow") == b"three"
    storage.remove("text/swh/a.arrow")
    storage.remove("text/swh/a.arrow")
    assert storage.list("text/swh") == ["b.arrow"]
    storage.remove("text")
    assert not storage.exists("text/swh/b.arrow")
    assert storage.exists("manifest.json")


def test_a_local_path_to_write_and_to_read(storage: Storage) -> None:
    with storage.create("a/b.bin") as path:
        path.write_bytes(b"content")
        assert not storage.exists("a/b.bin")
    with storage.local_copy("a/b.bin") as path:
        assert path.read_bytes() == b"content"
    assert storage.list("a") == ["b.bin"]


def test_a_write_that_fails_leaves_what_was_there(storage: Storage) -> None:
    storage.write_bytes("a.bin", b"old")

    def fail() -> None:
        with storage.create("a.bin") as path:
            path.write_bytes(b"half of the n")
            raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        fail()
    assert storage.read_bytes("a.bin") == b"old"
    assert storage.list("") == ["a.bin"]


def test_reading_what_is_not_there(storage: Storage) -> None:
    with pytest.raises(CorpusError, match=r"cannot read .*/absent"):
        storage.read_bytes("absent")
    if not storage.is_local:
        with pytest.raises(CorpusError, match=r"cannot read .*/absent"), storage.local_copy("absent"):
            pass


@pytest.mark.parametrize("name", ["../outside", "a/../../outside", "/etc/passwd"])
def test_no_name_leaves_the_root(storage: Storage, name: str) -> None:
    with pytest.raises(CorpusError, match="leaves the corpus folder"):
        storage.path(name)
    with pytest.raises(CorpusError, match="leaves the corpus folder"):
        storage.write_bytes(name, b"x")


def test_an_unknown_protocol() -> None:
    with pytest.raises(CorpusError, match=r"cannot open ftpx://a: .*Install the fsspec driver"):
        Storage("ftpx://a")


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "corpus").write_text("a file")
    with pytest.raises(EvenglotError, match="a file is where a folder should be"):
        Storage(tmp_path / "corpus").write_bytes("text/a.arrow", b"x")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), "no permission to write out/a. Choose another"),
        (OSError(errno.ENOSPC, "No space left on device"), "no space left while writing out/a. Free some space"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "no space left while writing out/a. Free some space"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory"), "cannot write out/a: a file is where a folder"),
        (OSError(errno.EIO, "Input/output error"), "cannot write out/a: Input/output error"),
    ],
)
def test_every_failure_is_one_clear_line(error: OSError, message: str) -> None:
    with pytest.raises(EvenglotError) as caught, write_errors("out/a"):
        raise error
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_full_disk_for_real() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(EvenglotError, match="no space left"), write_errors("out/a"), full.open("wb") as file:
        file.write(b"x" * 100_000)


def test_explain_finds_words() -> None:
    assert explain(OSError(errno.EIO, "Input/output error")) == "Input/output error"
    assert explain(OSError("in words")) == "in words"
    assert explain(OSError()) == "OSError"


def test_what_a_driver_of_an_object_store_raises_is_one_clear_error(tmp_path: Path) -> None:
    class NoCredentialsError(Exception):
        """As botocore's, which is no error of the operating system."""

    class Closed:
        def __getattr__(self, name: str) -> object:
            def refuse(*arguments: object, **options: object) -> None:
                raise NoCredentialsError("Unable to locate credentials")

            return refuse

    storage = Storage("memory://storage-test/closed")
    storage.filesystem = Closed()

    def create() -> None:
        storage.write_bytes("a", b"x")

    def copy() -> None:
        with storage.local_copy("a"):
            pass

    message = "cannot reach memory://storage-test/closed: NoCredentialsError: Unable to locate .* the credentials"
    for action in (create, copy, lambda: storage.read_bytes("a"), lambda: storage.exists("a")):
        with pytest.raises(CorpusError, match=message):
            action()
