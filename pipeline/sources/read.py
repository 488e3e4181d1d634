"""Reading a split, whatever its format."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.sources.batch import BatchBuilder, SourceBatch
from pipeline.sources.config import InputConfig
from pipeline.sources.files import head
from pipeline.sources.lines import KEPT_OF_LONG
from pipeline.sources.split import Split


def read(split: Split, config: InputConfig) -> Iterator[SourceBatch]:
    """The records of a split, in order, in batches of about ``config.batch_bytes``.

    Args:
        split: made by ``plan``.
        config: the input that the split belongs to.

    Yields:
        Batches. Summed over the split, ``read`` equals records + rejected + unreadable.

    Raises:
        InputError: the file has gone, or its disk or connection fails. Damaged content raises nothing.
    """
    if split.problem is not None:
        return iter([_unusable(split, split.problem)])
    if split.format == "jsonl":
        from pipeline.sources.jsonl import read as read_format
    elif split.format == "text":
        from pipeline.sources.plain import read as read_format
    elif split.format in ("csv", "tsv"):
        from pipeline.sources.delimited import read as read_format
    elif split.format == "parquet":
        from pipeline.sources.columnar import read_parquet as read_format
    elif split.format == "arrow":
        from pipeline.sources.columnar import read_arrow as read_format
    elif split.format == "warc":
        from pipeline.sources.warc import read as read_format
    else:
        from pipeline.sources.hub import read as read_format
    return read_format(split, config)


def _unusable(split: Split, problem: str) -> SourceBatch:
    builder = BatchBuilder(split.file, read=1)
    builder.spoil(0, None, "corrupt_file", problem, head(split.file, None, KEPT_OF_LONG))
    return builder.build()
