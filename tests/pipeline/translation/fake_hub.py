"""A model hub on this machine, as far as fetching needs one: what it lists, and files by ranges of bytes."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """What the hub serves and what it was asked."""

    models: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """Hub id -> file name -> bytes."""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """File names with the range of bytes that was asked for."""
    stall_after: int | None = None
    """Send so many bytes of a file and then nothing more."""
    spoilt: set[str] = field(default_factory=set)
    """Files that arrive with a changed byte."""
    address: str = ""
    released: threading.Event = field(default_factory=threading.Event)

    def add(self, model: str, folder: Path) -> None:
        """Publish a folder."""
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        self.models[model] = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@contextmanager
def serving() -> Iterator[Hub]:
    """A hub that answers until the block ends."""
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            return

        def do_GET(self) -> None:
            path = self.path.partition("?")[0].strip("/").split("/")
            if path[:2] == ["api", "models"]:
                self._describe("/".join(path[2:4]), path[5:] or ["main"])
            elif len(path) > 4 and path[2] == "resolve" and path[3] == COMMIT:
                self._send("/".join(path[:2]), "/".join(path[4:]))
            else:
                self._answer(404, b"{}")

        def _describe(self, model: str, revision: list[str]) -> None:
            if model not in hub.models:
                return self._answer(404, b"{}", {"X-Error-Code": "RepoNotFound"})
            if revision[0] not in ("main", COMMIT):
                return self._answer(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
            siblings = [_sibling(name, data) for name, data in hub.models[model].items()]
            told = {"id": model, "sha": COMMIT, "private": False, "tags": [], "downloads": 0, "siblings": siblings}
            return self._answer(200, json.dumps(told).encode())

        def _send(self, model: str, name: str) -> None:
            data = hub.models[model][name]
            if name in hub.spoilt:
                data = bytes([data[0] ^ 1]) + data[1:]
            wanted = self.headers.get("Range")
            hub.asked.append((name, wanted))
            begin = int(wanted.removeprefix("bytes=").partition("-")[0]) if wanted else 0
            rest = data[begin:]
            self.send_response(206 if wanted else 200)
            self.send_header("Content-Length", str(len(rest)))
            if wanted:
                self.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
            self.end_headers()
            if hub.stall_after is not None and len(rest) > hub.stall_after:
                self.wfile.write(rest[: hub.stall_after])
                self.wfile.flush()
                hub.released.wait(60)
                return
            self.wfile.write(rest)

        def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        hub.released.set()
        server.shutdown()
        server.server_close()
        thread.join(10)


def _sibling(name: str, data: bytes) -> dict[str, Any]:
    git = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    told: dict[str, Any] = {"rfilename": name, "size": len(data), "blobId": git}
    if name.endswith((".safetensors", ".bin", ".spm")):
        told["lfs"] = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "pointerSize": 130}
    return told
