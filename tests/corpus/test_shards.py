from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from datasets import Dataset, disable_progress_bars, load_dataset
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import CorpusError
from corpus.schema import RECORD_SCHEMA, REJECTED_SCHEMA, token_schema
from corpus.shards import ShardWriter, conform, open_shard, read_batches, read_table, run_tokens

disable_progress_bars()
SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("lang", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("score", pa.float32()),
    ]
)


def batch(ids: list[str], langs: list[str]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"lang": langs, "id": ids, "unknown": ids})


def test_batches_come_back_in_order_under_one_dictionary(tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    with ShardWriter(path, SCHEMA, metadata={"split": "train"}) as writer:
        writer.write(batch(["1", "2"], ["swh", "eng"]))
        writer.write(batch([], []))
        writer.write(batch(["3"], ["hau"]))
        assert writer.rows == 3
        assert not path.exists()
    assert [part.num_rows for part in read_batches(path)] == [2, 1]
    table = read_table(path)
    assert table.schema.remove_metadata() == SCHEMA
    assert table.schema.metadata == {b"split": b"train"}
    assert table.to_pylist() == [
        {"id": "1", "lang": "swh", "score": None},
        {"id": "2", "lang": "eng", "score": None},
        {"id": "3", "lang": "hau", "score": None},
    ]
    assert {tuple(chunk.dictionary.to_pylist()) for chunk in table["lang"].chunks} == {("swh", "eng", "hau")}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("compression", ["none", "lz4", "zstd"])
def test_every_compression_reads_alike(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "a.arrow"
    with ShardWriter(path, SCHEMA, compression) as writer:  # type: ignore[arg-type]
        writer.write(batch([str(n) for n in range(5000)], ["swh"] * 5000))
    assert read_table(path)["id"].to_pylist() == [str(n) for n in range(5000)]


def test_an_uncompressed_shard_is_read_without_a_copy(tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    with ShardWriter(path, SCHEMA) as writer:
        writer.write(batch(["x" * 1000] * 5000, ["swh"] * 5000))
    before = pa.total_allocated_bytes()
    table = read_table(path)
    assert table.nbytes > 5_000_000
    assert pa.total_allocated_bytes() - before < 100_000


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        with ShardWriter(tmp_path / name, SCHEMA) as writer:
            writer.write(batch(["1", "2"], ["swh", "eng"]))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_an_empty_shard_has_its_columns(tmp_path: Path) -> None:
    with ShardWriter(tmp_path / "a.arrow", SCHEMA):
        pass
    assert read_table(tmp_path / "a.arrow").schema == SCHEMA
    assert list(read_batches(tmp_path / "a.arrow")) == []


def test_a_failure_on_the_way_leaves_no_file(tmp_path: Path) -> None:
    def fail() -> None:
        with ShardWriter(tmp_path / "a.arrow", SCHEMA) as writer:
            writer.write(batch(["1"], ["swh"]))
            raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_shard_that_cannot_be_written_says_so_and_keeps_the_old_one(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"cannot write .*absent/a.arrow: .*Free some space"):
        ShardWriter(tmp_path / "absent" / "a.arrow", SCHEMA).close()


@pytest.mark.parametrize("data", [b"", b"no arrow", b"ARROW1\0\0" + bytes(100)])
def test_a_damaged_shard_is_a_corpus_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.arrow"
    path.write_bytes(data)
    with pytest.raises(CorpusError, match=r"cannot read shard .*a.arrow.*evenglot verify"):
        open_shard(path)
    with pytest.raises(CorpusError, match="cannot read shard"):
        open_shard(tmp_path / "absent.arrow")


def test_conform_orders_encodes_and_fills() -> None:
    found = conform(batch(["1", "2"], ["swh", "swh"]), SCHEMA)
    assert found.schema == SCHEMA
    assert found.to_pylist() == [{"id": "1", "lang": "swh", "score": None}, {"id": "2", "lang": "swh", "score": None}]
    plain = pa.schema([("lang", pa.string())])
    assert conform(found, plain).column(0).to_pylist() == ["swh", "swh"]
    wider = pa.RecordBatch.from_pydict({"id": pa.array(["1"], pa.large_string()), "lang": ["a"], "score": [0.5]})
    assert conform(wider, SCHEMA).to_pylist() == [{"id": "1", "lang": "a", "score": 0.5}]


def test_conform_refuses_nulls_where_there_must_be_none() -> None:
    with pytest.raises(CorpusError, match="column 'lang' has 1 nulls but must have none"):
        conform(pa.RecordBatch.from_pydict({"id": ["1"], "lang": pa.array([None], pa.string())}), SCHEMA)
    with pytest.raises(CorpusError, match="column 'id' has 2 nulls"):
        conform(pa.RecordBatch.from_pydict({"lang": ["a", "b"]}), SCHEMA)


@given(st.lists(st.lists(st.tuples(st.text(max_size=5), st.sampled_from("abc")), max_size=5), max_size=6))
@settings(max_examples=50, deadline=None)
def test_property_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, parts: list[list[tuple[str, str]]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "property.arrow"
    with ShardWriter(path, SCHEMA) as writer:
        for part in parts:
            writer.write(batch([key for key, _ in part], [lang for _, lang in part]))
    rows = [(row["id"], row["lang"]) for row in read_table(path).to_pylist()]
    assert rows == [row for part in parts for row in part]


RECORD = {
    "id": "0" * 32,
    "text": "habari",
    "lang": "swh_Latn",
    "source": "web",
    "origin": "natural",
    "copies": 1,
    "split": "train",
    "weight": 1.0,
}


def test_datasets_reads_text_and_token_shards(tmp_path: Path) -> None:
    with ShardWriter(tmp_path / "text.arrow", RECORD_SCHEMA) as writer:
        writer.write(pa.RecordBatch.from_pylist([RECORD, RECORD]))
    with ShardWriter(tmp_path / "tokens.arrow", token_schema(1000)) as writer:
        writer.write(pa.RecordBatch.from_pylist([{"id": "a", "tokens": [1, 2, 999], "bytes": 6}]))
    cache = str(tmp_path / "cache")
    text = load_dataset("arrow", data_files=str(tmp_path / "text.arrow"), split="train", cache_dir=cache)
    assert isinstance(text, Dataset)
    assert [(row["text"], row["lang"], row["copies"], row["url"]) for row in text] == [
        ("habari", "swh_Latn", 1, None)
    ] * 2
    tokens = load_dataset("arrow", data_files=str(tmp_path / "tokens.arrow"), split="train", cache_dir=cache)
    assert list(tokens) == [{"id": "a", "tokens": [1, 2, 999], "bytes": 6}]


def test_tokens_take_two_bytes_as_long_as_they_fit() -> None:
    assert token_schema(65_536).field("tokens").type.value_type == pa.uint16()
    assert token_schema(65_537).field("tokens").type.value_type == pa.uint32()


def test_every_token_shard_has_the_first_columns_and_new_ones_their_attributes_too() -> None:
    plain, full = token_schema(1000), token_schema(1000, attributes=True)
    assert plain.names == ["id", "tokens", "bytes"]
    assert full.names == ["id", "tokens", "bytes", "copies", "synthetic", "difficulty", "diversity"]
    assert [field.nullable for field in full] == [False, False, False, False, False, True, True]


def test_tokens_of_runs_of_documents() -> None:
    def batch(lengths: list[int]) -> pa.RecordBatch:
        columns = {"id": ["a"] * len(lengths), "tokens": [[7] * length for length in lengths], "bytes": lengths}
        return conform(pa.RecordBatch.from_pydict(columns), token_schema(1000))

    whole = batch([1, 2, 3] + [1] * 2000)
    assert run_tokens([]) == ()
    assert run_tokens([batch([4, 5]), whole, batch([])]) == (9, 1027, 979)
    assert run_tokens([whole.slice(2)]) == (1026, 977)


def test_a_rejected_record_needs_no_text(tmp_path: Path) -> None:
    row = {"id": "1", "file": "f", "offset": 3, "stage": "read", "reason": "missing_text"}
    with ShardWriter(tmp_path / "a.arrow", REJECTED_SCHEMA) as writer:
        writer.write(pa.RecordBatch.from_pylist([row]))
    (found,) = read_table(tmp_path / "a.arrow").to_pylist()
    assert {name: value for name, value in found.items() if value is not None} == row
