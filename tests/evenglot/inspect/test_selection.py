from __future__ import annotations

import pyarrow as pa
import pytest

from evenglot.inspect.selection import Selection

BATCH = pa.RecordBatch.from_pylist(
    [
        {"lang": "swh_Latn", "source": "news", "url": "https://a.example/1", "text": "Habari ya leo", "detail": None,
         "stage": "filter", "reason": "too_short"},
        {"lang": None, "source": "blogs", "url": "http://user@sub.a.example:80/2", "text": None, "stage": "read",
         "reason": "missing_text"},
        {"lang": "eng_Latn", "source": "blogs", "url": None, "text": "100% HABARI (new)", "stage": "filter",
         "reason": "lines", "detail": "a 1 > max_a 2"},
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
        (Selection().of_reasons(["filter/lines"], "max_a"), [2]),
        (Selection().of_reasons(["filter/lines"], "max_b"), []),
    ],
)
def test_conditions(selection: Selection, rows: list[int]) -> None:
    assert [place for place, chosen in enumerate(selection.mask(BATCH).to_pylist()) if chosen] == rows


def test_documents_in_several_languages() -> None:
    parts = [{"lang": lang, "start": 0, "end": 5} for lang in ("swh_Latn", "eng_Latn")]
    kind = pa.list_(pa.struct([("lang", pa.string()), ("start", pa.int32()), ("end", pa.int32())]))
    batch = pa.record_batch({"lang": ["swh_Latn", "eng_Latn"], "segments": pa.array([parts, None], kind)})
    assert Selection(mixed=True).mask(batch).to_pylist() == [True, False]
    assert Selection(mixed=True, lang="eng_Latn").mask(batch).to_pylist() == [True, False]
    assert Selection(mixed=True, lang="deu_Latn").mask(batch).to_pylist() == [False, False]
    assert Selection(mixed=True).mask(BATCH).to_pylist() == [False] * 4


def test_how_documents_came_about() -> None:
    kept = pa.record_batch({"origin": ["natural", "paraphrase"], "generator": [None, "pivot@2 > back@1"]})
    assert Selection(origins=frozenset({"paraphrase"})).mask(kept).to_pylist() == [False, True]
    assert Selection(generator="back@1").mask(kept).to_pylist() == [False, True]
    assert Selection(generator="back@2").mask(kept).to_pylist() == [False, False]
    rejected = pa.record_batch({"provenance": [None, '{"method": "insertion", "models": ["lexicon@3"]}']})
    assert Selection(origins=frozenset({"natural"})).mask(rejected).to_pylist() == [True, False]
    assert Selection(origins=frozenset({"insertion"}), generator="lexicon").mask(rejected).to_pylist() == [False, True]
    # shards of older versions know no synthetic text
    assert Selection(origins=frozenset({"natural"})).mask(BATCH).to_pylist() == [True] * 4
    assert Selection(generator="x").mask(BATCH).to_pylist() == [False] * 4
