from __future__ import annotations

from pathlib import Path

import pytest

from corpus.manifest import read_snapshot
from evenglot.inspect.languages import language_rows


def test_languages_largest_first_with_shares_before_and_after(corpus: Path) -> None:
    rows = language_rows(read_snapshot(str(corpus)))
    assert [row.lang for row in rows] == ["eng_Latn", "swh_Latn", "heb_Hebr", "und"]
    assert [row.documents for row in rows] == [12, 2, 1, 0]
    assert [row.rejected for row in rows] == [1, 0, 0, 1]
    assert [row.copies for row in rows] == [13, 2, 1, 0]
    assert rows[0].name == "English"
    assert sum(row.share for row in rows) == pytest.approx(1)
    assert sum(row.balanced_share for row in rows) == pytest.approx(1)
    assert rows[0].balanced_share < rows[0].share
    assert rows[1].balanced_share > rows[1].share
