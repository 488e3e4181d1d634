from __future__ import annotations

from pathlib import Path

import pytest

from corpus.interrupt import INTERRUPT
from corpus.ledger import Ledger
from corpus.manifest import Snapshot, commit, current_number
from corpus.storage import Storage


def test_a_snapshot_becomes_current_only_where_nobody_pressed_ctrl_c(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = Storage(tmp_path)
    snapshot = Snapshot(
        number=1,
        made_by="prepare",
        languages={},
        mixtures={"uniform": {}},
        mixture="uniform",
        ledger=Ledger(read=0, kept={}, rejected={}, unreadable={}),
        files=[],
    )
    with monkeypatch.context() as pressed:
        pressed.setattr(INTERRUPT, "pressed", True)
        with pytest.raises(KeyboardInterrupt):
            commit(storage, snapshot, {})
    assert current_number(storage) is None
    commit(storage, snapshot, {})
    assert current_number(storage) == 1
