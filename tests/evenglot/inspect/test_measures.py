from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from corpus.errors import CorpusError
from corpus.manifest import ShardFile
from corpus.shards import ShardWriter
from corpus.storage import Storage
from evenglot.inspect import measures as module
from evenglot.inspect.measures import measured_batches
from evenglot.inspect.selection import Selection
from pipeline.quality.scores import SCORES_SCHEMA, scores_of


def words(number: int, lang: str = "eng_Latn") -> dict[str, Any]:
    return {"key": f"{lang}{number}", "text": " ".join(["word"] * number), "lang": lang}


def found(opened: Any, selection: Selection | None = None) -> dict[str, float]:
    chosen = measured_batches(*opened, selection or Selection(), {})
    return {
        key: value
        for _, batch, measures in chosen
        for key, value in zip(batch.column("key").to_pylist(), measures.column("n_words").to_pylist(), strict=True)
    }


def beside(opened: Any, values: list[float]) -> Any:
    """The corpus with a file of measures beside the shard of its English documents."""
    storage, snapshot = opened
    shard = next(file for file in snapshot.files if file.lang == "eng_Latn")
    name = scores_of(shard.path)
    rows = pa.RecordBatch.from_pylist([{"n_words": value} for value in values], pa.schema([("n_words", pa.float32())]))
    with storage.create(name) as path, ShardWriter(path, SCORES_SCHEMA) as writer:
        writer.write(rows)
    file = ShardFile(path=name, kind="scores", lang="eng_Latn", rows=len(values))
    return storage, snapshot.model_copy(update={"files": [*snapshot.files, file]})


def test_measured_anew_where_nothing_was_kept(build: Any) -> None:
    opened = build([words(3), words(9), words(4, "swh_Latn")])
    assert found(opened) == {"eng_Latn3": 3, "eng_Latn9": 9, "swh_Latn4": 4}
    assert found(opened, Selection(lang="swh_Latn")) == {"swh_Latn4": 4}


def test_what_was_kept_is_read_and_not_measured_again(build: Any) -> None:
    opened = beside(build([words(3), words(9), words(4, "swh_Latn")]), [30, 90])
    assert found(opened) == {"eng_Latn3": 30, "eng_Latn9": 90, "swh_Latn4": 4}
    assert found(opened, Selection(contains=" ".join(["word"] * 5))) == {"eng_Latn9": 90}


def test_measures_of_other_rows_are_refused(build: Any) -> None:
    with pytest.raises(CorpusError, match=r"has 1 rows, text/eng_Latn/000001-train-00000.arrow 2"):
        found(beside(build([words(3), words(9)]), [30]))


def test_of_many_documents_a_sample_is_measured(build: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{**words(10), "key": f"k{number}"} for number in range(200)]
    opened = build(rows)
    monkeypatch.setattr(module, "MEASURED", 50)
    assert 25 < len(found(opened)) < 75
    assert len(found(beside(opened, [1.0] * 200))) == 200


def test_measured_anew_or_kept_it_is_the_same(tmp_path: Path) -> None:
    from pipeline.config import PrepareConfig
    from pipeline.prepare import prepare
    from pipeline.sources.config import InputConfig

    story = "The river rises in the hills and flows slowly past the old mill towards the sea, where boats wait."
    lines = [f'{{"text": "{story} It was the {number}th morning of the year."}}\n' for number in range(6)]
    (tmp_path / "in.jsonl").write_text("".join(lines))
    snapshot = prepare(
        [InputConfig(path=str(tmp_path / "in.jsonl"))], str(tmp_path / "out"), PrepareConfig(), workers=1
    )
    storage = Storage(tmp_path / "out")
    bare = snapshot.model_copy(update={"files": [file for file in snapshot.files if file.kind != "scores"]})
    kept, anew = (list(measured_batches(storage, state, Selection(), {})) for state in (snapshot, bare))
    assert len(snapshot.files) > len(bare.files)
    assert len(kept) == len(anew) > 0
    for (_, _, one), (_, _, other) in zip(kept, anew, strict=True):
        for name in module.FEATURES:
            np.testing.assert_array_equal(one.column(name).to_numpy(), other.column(name).to_numpy(), err_msg=name)
