"""Reading raw text: files of many formats, local or remote, and `datasets` datasets.

``plan`` looks at the inputs and cuts them into splits before any work starts; ``read`` turns one split into
batches of records. Whatever cannot become a record becomes a rejected or an unreadable one, with a reason,
and is counted: for every split ``read = records + rejected + unreadable``.

The reader of each format is imported when it is needed, so that looking at a recipe costs nothing.
"""

from pipeline.sources.batch import READ_REJECTED_SCHEMA, SourceBatch, Unreadable
from pipeline.sources.config import FieldsConfig, InputConfig
from pipeline.sources.plan import plan
from pipeline.sources.read import read
from pipeline.sources.split import Split, describe

__all__ = [
    "READ_REJECTED_SCHEMA",
    "FieldsConfig",
    "InputConfig",
    "SourceBatch",
    "Split",
    "Unreadable",
    "describe",
    "plan",
    "read",
]
