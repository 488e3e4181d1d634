from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec
import pytest

from corpus.errors import InputError
from pipeline.sources.files import find, head, open_stream


def names(path: str) -> list[str]:
    return [found.file for found in find(path)]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("b.txt", "a.txt", "sub/c.txt", "sub/deep/d.txt", "_SUCCESS", ".hidden/x.txt", "odd[1].txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_patterns_folders_and_files(tree: Path) -> None:
    assert names("a.txt") == ["a.txt"]
    assert names("[ab].txt") == ["a.txt", "b.txt"]
    assert names("sub/*") == ["sub/c.txt"]
    assert names("**/*.txt") == ["a.txt", "b.txt", "odd[1].txt", "sub/c.txt", "sub/deep/d.txt"]
    assert names("sub") == ["sub/c.txt", "sub/deep/d.txt"]
    assert names(".") == ["a.txt", "b.txt", "odd[1].txt", "sub/c.txt", "sub/deep/d.txt"]
    assert names("odd[1].txt") == ["odd[1].txt"]
    assert names(str(tree / "sub" / "c.*")) == [str(tree / "sub" / "c.txt")]
    assert [found.size for found in find("[ab].txt")] == [5, 5]


def test_what_is_not_there(tree: Path) -> None:
    with pytest.raises(InputError, match=r"absent.txt does not exist. Correct the path"):
        find("absent.txt")
    with pytest.raises(InputError, match=r"no file matches \*.jsonl. Correct the pattern"):
        find("*.jsonl")
    (tree / "empty").mkdir()
    with pytest.raises(InputError, match="folder empty holds no files"):
        find("empty")
    (tree / "broken.txt").symlink_to("nowhere")
    with pytest.raises(InputError, match=r"broken\.txt does not exist"):
        find("b*.txt")
    os.mkfifo(tree / "pipe.txt")
    with pytest.raises(InputError, match=r"pipe\.txt is no regular file"):
        find("p*.txt")


def test_a_file_without_permission(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *args: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match=r"no permission to read a.txt. Change its permissions"):
        head("a.txt", None, 10)


def test_a_disk_that_fails_in_the_middle(tree: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read a\.txt: Input/output error"), open_stream("a.txt", None):
        raise OSError(5, "Input/output error")


def test_a_file_system_in_memory() -> None:
    for name in ("a.txt", "sub/b.txt", "sub/_tmp/c.txt"):
        with fsspec.open(f"memory://files-test/{name}", "wb") as file:
            file.write(name.encode())
    assert names("memory://files-test/*.txt") == ["memory:///files-test/a.txt"]
    assert names("memory://files-test/**/*.txt")[-1] == "memory:///files-test/sub/b.txt"
    assert names("memory://files-test") == ["memory:///files-test/a.txt", "memory:///files-test/sub/b.txt"]
    assert head("memory:///files-test/sub/b.txt", None, 3) == b"sub"
    with open_stream("memory:///files-test/a.txt", None, 2) as stream:
        assert stream.read() == b"txt"
    with pytest.raises(InputError, match="does not exist"):
        find("memory://files-test/absent.txt")
    with pytest.raises(InputError, match="no file matches"):
        find("memory://files-test/*.csv")


def test_an_unknown_protocol() -> None:
    with pytest.raises(InputError, match=r"cannot open ftpx://a/b: .*Install the fsspec driver"):
        find("ftpx://a/b")


class Handler(BaseHTTPRequestHandler):
    """A web server that knows one file."""

    def do_HEAD(self) -> None:
        self._answer(b"")

    def do_GET(self) -> None:
        self._answer(b"one\ntwo\n")

    def _answer(self, body: bytes) -> None:
        known = self.path == "/data/a.txt"
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", "8" if known else "0")
        self.end_headers()
        self.wfile.write(body if known else b"")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()


def test_the_web(server: str) -> None:
    assert [(found.file, found.size) for found in find(f"{server}/data/a.txt")] == [(f"{server}/data/a.txt", 8)]
    assert head(f"{server}/data/a.txt", None, 100) == b"one\ntwo\n"
    with pytest.raises(InputError, match=r"absent\.txt does not exist"):
        find(f"{server}/absent.txt")


def test_an_unreachable_server_is_one_clear_line() -> None:
    with pytest.raises(InputError, match=r"cannot read http://127.0.0.1:9/a.txt"):
        find("http://127.0.0.1:9/a.txt")
