"""Tables of languages under views: the same with and without a file, and made again where it is of no use."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sampler import SamplerConfig
from sampler.cells import Cells, Contents, Table
from sampler.config import CacheConfig
from sampler.index import TokenCorpus
from sampler.stream import CurriculumStream
from sampler.tables import VERSION, Tables, pack, unpack
from sampler.view import DocumentsConfig

A, B = "aaa_Latn", "bbb_Cyrl"
EASIER = DocumentsConfig(difficulty=(0, 0.5))
ALL = DocumentsConfig(
    order="easy_first", diversity=(0.1, 1), repeat_diverse=2, rehydrate="middle", max_synthetic_share=0.2
)


@pytest.fixture(scope="module")
def root(made_up: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(made_up.corpus(tmp_path_factory.mktemp("corpus"), {A: [3, 5] * 30, B: [9] * 50}, attributes=True))


def corpus(root: str, folder: Path | None = None) -> TokenCorpus:
    return TokenCorpus(root, "spm", "train", cache=CacheConfig(folder=None if folder is None else str(folder)))


def same(one: Table, other: Table) -> bool:
    return (
        np.array_equal(one.tokens, other.tokens)
        and one.contents == other.contents
        and one.synthetic_buckets == other.synthetic_buckets
        and one.quantiles.keys() == other.quantiles.keys()
        and all(np.array_equal(values, other.quantiles[name]) for name, values in one.quantiles.items())
    )


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The languages whose columns were looked at."""
    found: list[str] = []
    look = Cells._look

    def counted(self: Cells, *args: Any) -> Table:
        found.append(self._documents.lang)
        return look(self, *args)

    monkeypatch.setattr(Cells, "_look", counted)
    return found


def test_what_a_look_finds_is_what_this_version_says(root: str) -> None:
    # When these figures change, rows under views do: VERSION goes up, so that no older file is read.
    table = Tables().get(corpus(root), A, ALL, 1)
    assert VERSION == 1
    assert table.contents == Contents(800, 188, 31, 144, 840, 132)
    assert table.synthetic_buckets == 9064
    assert Tables().get(corpus(root), A, EASIER, 1).contents == Contents(150, 30, 30, 0, 0, 150)


@pytest.mark.parametrize("view", [EASIER, ALL])
def test_a_file_gives_the_same_without_a_look(
    root: str, tmp_path: Path, view: DocumentsConfig, looks: list[str]
) -> None:
    expected = Tables().get(corpus(root), A, view, 1)
    assert looks == [A]
    assert same(Tables().get(corpus(root, tmp_path), A, view, 1), expected)
    assert (looks, len(files(tmp_path))) == ([A, A], 1)
    assert same(Tables().get(corpus(root, tmp_path), A, view, 1), expected)
    assert looks == [A, A]


def test_files_are_told_apart(root: str, tmp_path: Path, looks: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    known = corpus(root, tmp_path)
    for lang, view, seed in ((A, EASIER, 1), (B, EASIER, 1), (A, ALL, 1), (A, ALL, 2)):
        Tables().get(known, lang, view, seed)
    assert (looks, len(files(tmp_path))) == ([A, B, A, A], 4)
    monkeypatch.setattr("sampler.tables.VERSION", VERSION + 1)
    Tables().get(known, A, EASIER, 1)
    assert (looks, len(files(tmp_path))) == ([A, B, A, A, A], 5)


@pytest.mark.parametrize("damage", ["byte", "cut", "empty"])
def test_a_damaged_file_is_made_again(root: str, tmp_path: Path, damage: str, looks: list[str]) -> None:
    expected = Tables().get(corpus(root, tmp_path), A, ALL, 1)
    (path,) = files(tmp_path)
    data = path.read_bytes()
    middle = len(data) // 2
    damaged = {"byte": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :], "cut": data[:-9], "empty": b""}
    path.write_bytes(damaged[damage])
    assert same(Tables().get(corpus(root, tmp_path), A, ALL, 1), expected)
    assert len(looks) == 2
    assert path.read_bytes() == data


def test_a_whole_file_that_cannot_be_of_these_documents_is_made_again(
    root: str, tmp_path: Path, looks: list[str]
) -> None:
    known = corpus(root, tmp_path)
    expected = Tables().get(known, A, ALL, 1)
    (path,) = files(tmp_path)
    other = Tables().get(corpus(root), B, ALL, 1)
    wrong = [
        pack(expected._replace(tokens=expected.tokens + 1), path.name),
        pack(expected._replace(tokens=expected.tokens[:, :0]), path.name),
        pack(expected._replace(quantiles={}), path.name),
        pack(other._replace(contents=other.contents._replace(tokens=1)), path.name),
        pack(expected, "0" * 32),
        b"no archive",
        pickle.dumps({"key": path.name}),
    ]
    assert known.kept is not None
    for number, data in enumerate(wrong):
        known.kept.put(path.name, pa.py_buffer(data))
        assert same(Tables().get(known, A, ALL, 1), expected)
        assert len(looks) == 3 + number


def test_a_packed_table_comes_back(root: str) -> None:
    table = Tables().get(corpus(root), A, ALL, 1)
    found = unpack(pack(table, "key"), "key")
    assert found is not None
    assert same(found, table)
    assert unpack(pack(table, "key"), "other") is None


@pytest.mark.parametrize("packing", ["concatenate", "best_fit"])
def test_rows_are_the_same_with_and_without_the_file(root: str, tmp_path: Path, packing: str, looks: list[str]) -> None:
    plain = SamplerConfig(row_tokens=16, block_rows=8, packing=packing, documents=ALL)
    kept = plain.model_copy(update={"cache": CacheConfig(folder=str(tmp_path))})
    streams = [CurriculumStream(root, tokenizer="spm", config=config, seed=3) for config in (plain, kept, kept)]
    rows = [stream.rows(range(100)).tokens for stream in streams]
    assert looks == [A, B, A, B]
    assert np.array_equal(rows[0], rows[1])
    assert np.array_equal(rows[0], rows[2])
    streams[2].load_state(streams[0].state(50))
    assert np.array_equal(streams[2].rows(range(50, 100)).tokens, rows[0][50:])


def test_tables_travel_with_a_pickled_data_set(root: str, looks: list[str]) -> None:
    torch_module = pytest.importorskip("sampler.torch")
    config = SamplerConfig(row_tokens=16, block_rows=8, documents=EASIER)
    dataset = torch_module.RowDataset(root, tokenizer="spm", config=config, seed=3, batch_rows=4)
    assert looks == [A, B]
    again = pickle.loads(pickle.dumps(dataset))
    assert (again.batch(8)["tokens"] == dataset.batch(8)["tokens"]).all()
    assert looks == [A, B]


def test_a_default_view_looks_at_nothing_and_keeps_no_file(root: str, tmp_path: Path, looks: list[str]) -> None:
    config = SamplerConfig(row_tokens=16, block_rows=8, cache=CacheConfig(folder=str(tmp_path)))
    CurriculumStream(root, tokenizer="spm", config=config, seed=3).rows(range(20))
    assert (looks, files(tmp_path)) == ([], [])


def test_text_left_out_for_want_of_natural_text_is_told_once(root: str, caplog: pytest.LogCaptureFixture) -> None:
    config = SamplerConfig(row_tokens=16, block_rows=8, documents=DocumentsConfig(max_synthetic_share=0))
    tables = Tables()
    for _ in range(2):
        CurriculumStream(root, tokenizer="spm", config=config, seed=3, tables=tables)
    # Of a 30 documents of 5 tokens and one more each are synthetic, of b 25 of 9 and one.
    assert [record.getMessage() for record in caplog.records] == [
        "max_synthetic_share 0 leaves out 430 tokens of 2 languages in a pass for want of natural text, 250 of them of "
        "bbb_Cyrl, which keeps 250"
    ]
