"""Datasets of the `datasets` library: a folder it has written, a folder of files it understands, or a name on
the hub. Nothing that comes with a dataset is ever executed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from corpus.errors import InputError
from pipeline.sources.batch import BatchBuilder, SourceBatch
from pipeline.sources.columnar import Units, add_batch, pieces
from pipeline.sources.config import InputConfig
from pipeline.sources.fields import Mapper
from pipeline.sources.split import Split

if TYPE_CHECKING:
    from datasets import Dataset, IterableDataset

_ROWS_AT_A_TIME: Final = 256


def plan_dataset(config: InputConfig, split_bytes: int) -> tuple[Units, list[str] | None, list[str]]:
    """Splits in rows of a dataset on disk or in shards of a streamed one.

    Returns:
        The splits, the names of the columns, and the file name of each split; a shard has one of its own.

    Raises:
        InputError: there is no such dataset, or it has no such part.
    """
    if _is_saved(config.path):
        dataset = _load_saved(config)
        rows = dataset.num_rows
        size = int(dataset.data.nbytes)
        count = max(1, -(-size // split_bytes))
        step = max(1, -(-rows // count))
        units: Units = [
            (start, min(start + step, rows), size * min(step, rows - start) // max(rows, 1))
            for start in range(0, rows, step)
        ]
        return units, list(dataset.column_names), [_file_name(config)] * len(units)
    stream = _load_stream(config)
    shards = range(stream.num_shards)
    files = [f"{_file_name(config)}#{shard:05d}" for shard in shards]
    return [(shard, shard + 1, 0) for shard in shards], stream.column_names, files


def read(split: Split, config: InputConfig) -> Iterator[SourceBatch]:
    """The records of a split; of a streamed dataset the offsets are rows within its shard."""
    mapper = Mapper(config, null_is_missing=True)
    if _is_saved(config.path):
        row = split.start
        dataset: Any = _load_saved(config)
        end = dataset.num_rows if split.end is None else split.end
        tables = (
            dataset[start : min(start + _ROWS_AT_A_TIME, end)] for start in range(split.start, end, _ROWS_AT_A_TIME)
        )
    else:
        row = 0
        stream = _load_stream(config)
        tables = stream.shard(stream.num_shards, split.start).iter(_ROWS_AT_A_TIME)
    for table in tables:
        for batch in _batches(table):
            for piece in pieces(batch, config.batch_bytes):
                builder = BatchBuilder(split.file)
                add_batch(builder, mapper, config, piece, row)
                row += piece.num_rows
                yield builder.build()


def _batches(table: Any) -> list[pa.RecordBatch]:
    return table.to_batches() if isinstance(table, pa.Table) else [table]


def _file_name(config: InputConfig) -> str:
    """What the records of a dataset say in ``file``."""
    parts = [config.path, config.subset, config.split, config.revision]
    return "dataset:" + "/".join(part for part in parts if part)


def _is_saved(path: str) -> bool:
    folder = Path(path).expanduser()
    return (folder / "state.json").is_file() or (folder / "dataset_dict.json").is_file()


def _load_saved(config: InputConfig) -> Dataset:
    from datasets import DatasetDict, load_from_disk

    try:
        loaded = load_from_disk(str(Path(config.path).expanduser()))
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise InputError(f"cannot read dataset {config.path}: {error}", "Save it again with save_to_disk") from error
    if isinstance(loaded, DatasetDict):
        if config.split not in loaded:
            raise InputError(
                f"dataset {config.path} has no split '{config.split}'", f"Set `split` to one of: {', '.join(loaded)}"
            )
        loaded = loaded[config.split]
    return loaded.with_format("arrow")


def _load_stream(config: InputConfig) -> IterableDataset:
    from datasets import load_dataset

    path = Path(config.path).expanduser()
    try:
        stream = load_dataset(
            str(path) if path.exists() else config.path,
            config.subset,
            split=config.split,
            revision=config.revision,
            streaming=True,
        )
    except (OSError, ValueError, RuntimeError, KeyError, LookupError) as error:
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise InputError(
            f"cannot open dataset '{config.path}' ({config.split}): {reason}",
            "Check its name, `subset`, `split` and the connection to the hub",
        ) from error
    return stream.with_format("arrow")
