from __future__ import annotations

import pyarrow as pa
import pytest

from evenglot.inspect.selection import Selection

BATCH = pa.RecordBatch.from_pylist(
    [
        {"lang": "swh_Latn", "source": "news", "url": "https://a.example/1", "text": "Habari ya leo",
         "stage": "filter", "reason": "too_short"},
        {"lang": None, "source": "blogs", "url": "http://user@sub.a.example:80/2", "text": None, "stage": "read",
         "reason": "missing_text"},
        {"lang": "eng_Latn", "source": "blogs", "url": None, "text": "100% HABARI (new)", "stage": "filter",
         "reason": "lines"},
        {"lang": "eng_Latn", "source": "a.example.org", "url": "https://xa.example/a.example", "text": "x",
         "stage": "filter", "reason": "too_short"},
    ]
)  # fmt: skip


@pytest.mark.parametrize(
    ("selection", "rows"),
    [
        (Selection(), [0, 1, 2, 3]),
        (Selection(lang="eng_Latn"), [2, 3]),
        (Selection(lang="und"), [1]),
        (Selection(source="blogs"), [1, 2]),
        (Selection(source="a.example"), [0, 1]),
        (Selection(contains="habari"), [0, 2]),
        (Selection(contains="100% habari ("), [2]),
        (Selection().of_reasons(["filter/too_short", "read/missing_text"]), [0, 1, 3]),
        (Selection(lang="eng_Latn", contains="x").of_reasons(["filter/too_short"]), [3]),
        (Selection().of_reasons([]), []),
    ],
)
def test_conditions(selection: Selection, rows: list[int]) -> None:
    assert [place for place, chosen in enumerate(selection.mask(BATCH).to_pylist()) if chosen] == rows
