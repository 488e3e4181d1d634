"""What decontamination found, for the run's account, and what a user must hear of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa

from pipeline.decontaminate.index import column
from pipeline.decontaminate.items import Evaluation
from pipeline.decontaminate.stage import ITEM

_ITEMS: Final = 100
"""Items that the account lists, those in most documents first."""
_EXAMPLES: Final = 20
_NAMES: Final = 8
"""Languages that a warning names."""


def overlap_account(evaluation: Evaluation, items: pa.Table, counters: Mapping[str, int]) -> dict[str, Any]:
    """Files, what of them could be looked for, and where it was found.

    Args:
        evaluation: the files as they were read.
        items: those of the index.
        counters: of all pieces.

    Returns:
        ``files``: for each its ``label``, ``hash``, ``records``, ``without_text``, ``items``, ``too_short`` (with
        ``too_short_items``, the first of them), ``ngrams``, ``documents`` that hold something of it and
        ``items_found``; ``items``: the items in most documents; ``items_left_off``: how many more were found.
    """
    documents = documents_by_item(counters)
    files, ids = column(items, "file"), items.column("id").to_pylist()
    ngrams = column(items, "ngrams").astype(np.int64)
    table = []
    for number, file in enumerate(evaluation.files):
        mine = np.flatnonzero(files == number)
        short = mine[ngrams[mine] == 0]
        found = [row for row in documents if files[row] == number]
        table.append(
            {
                "label": file.label,
                "hash": file.hash,
                "records": file.records,
                "without_text": file.records - len(mine),
                "items": len(mine) - len(short),
                "too_short": len(short),
                "too_short_items": [ids[row] for row in short[:_EXAMPLES].tolist()],
                "ngrams": int(ngrams[mine].sum()),
                "documents": sum(documents[row] for row in found),
                "items_found": len(found),
            }
        )
    ranked = sorted(documents, key=lambda row: (-documents[row], row))
    languages = items.column("lang").to_pylist()
    listed = [
        {
            "file": evaluation.files[int(files[row])].label,
            "item": ids[row],
            "lang": languages[row],
            "documents": documents[row],
        }
        for row in ranked[:_ITEMS]
    ]
    return {"files": table, "items": listed, "items_left_off": max(0, len(ranked) - _ITEMS)}


def overlap_warnings(
    evaluation: Evaluation, items: pa.Table, counters: Mapping[str, int], documents: Mapping[str, int]
) -> list[str]:
    """Warnings where nothing could match, or nothing did.

    Args:
        evaluation: the files as they were read.
        items: those of the index.
        counters: of all pieces.
        documents: documents read, by language.
    """
    found = []
    files = column(items, "file")
    usable = column(items, "ngrams") > 0
    languages = np.array(items.column("lang").to_pylist(), dtype=object)
    for number, file in enumerate(evaluation.files):
        mine = files == number
        if not (mine & usable).any():
            found.append(
                f"decontamination: no item of {file.label} can be looked for ({file.records:,} records, "
                f"{file.records - int(mine.sum()):,} without text, {int(mine.sum()):,} too short): check its `fields`, "
                "or lower `prepare.decontaminate.min_words`"
            )
            continue
        counts = Counter(languages[mine & usable].tolist())
        absent = {lang: count for lang, count in sorted(counts.items()) if not documents.get(lang)}
        if absent:
            names = ", ".join(list(absent)[:_NAMES])
            more = f" and {len(absent) - _NAMES} more languages" if len(absent) > _NAMES else ""
            none = len(absent) == len(counts)
            what = "no item" if none else f"{sum(absent.values()):,} of {counts.total():,} items"
            found.append(
                f"decontamination: {what} of {file.label} can{'' if none else 'not'} match: "
                f"the corpus has no document in {names}{more}"
            )
    if usable.any() and not documents_by_item(counters):
        found.append(
            "decontamination: no document holds text of an evaluation item; if that surprises you, check that the "
            "files hold what their `fields` say"
        )
    return found


def documents_by_item(counters: Mapping[str, int]) -> dict[int, int]:
    """Documents by the row of the item they were put down to."""
    return {int(name.removeprefix(ITEM)): count for name, count in counters.items() if name.startswith(ITEM)}
