from __future__ import annotations

from pathlib import Path

from corpus.storage import Storage
from pipeline.prepare.so_far import read_so_far


def test_progress_counts_whole_splits_and_estimates_those_under_way(tmp_path: Path) -> None:
    work = Storage(str(tmp_path))
    work.write_bytes("staged/000000-a-000000.arrow", b"x" * 400)
    work.write_bytes("staged/000000-a.done.json", b"{}")
    work.write_bytes("staged/000001-b-000000.arrow", b"x" * 100)
    sizes = {"000000-a": 200, "000001-b": 200, "000002-c": 200}
    assert read_so_far(work, sizes) == 200 + 50, "two staged bytes for each byte read"
    work.write_bytes("staged/000001-b-000001.arrow", b"x" * 900)
    assert read_so_far(work, sizes) == 200 + 190, "never quite done before it is"
