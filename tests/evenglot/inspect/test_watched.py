from __future__ import annotations

from pathlib import Path

from evenglot.inspect.watched import WatchedStorage


def test_every_file_is_counted(tmp_path: Path) -> None:
    calls: list[tuple[str, int, int]] = []
    storage = WatchedStorage(tmp_path, lambda *call: calls.append(call))
    storage.write_bytes("a", b"one")
    for _ in range(2):
        with storage.local_copy("a") as path:
            assert path.read_bytes() == b"one"
    assert calls == [("look at files", 1, 0), ("look at files", 2, 0)]
