"""Evaluation text kept out: its index for the workers, and what of it was found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from corpus.ledger import Ledger
from pipeline.decontaminate.index import build_index, has_index, indexed_items
from pipeline.decontaminate.items import Evaluation, normal_items
from pipeline.decontaminate.report import overlap_account, overlap_warnings
from pipeline.language_id.stage import IdentifyStage
from pipeline.prepare.context import Context
from pipeline.stages import item_stages


def index_evaluation(context: Context, evaluation: Evaluation | None) -> None:
    """Make the n-grams of the evaluation items ready for the workers, unless they are."""
    work = context.work
    if evaluation is None or has_index(work):
        return
    total = evaluation.items.num_rows
    with context.jobs.step("index evaluation items", lambda: (total * has_index(work), total)):
        # An item stays whole, whatever is done with documents in several languages.
        identify = IdentifyStage(context.config.identify.model_copy(update={"mixed": "keep"}))
        items = normal_items(evaluation.items, item_stages(context.config), identify)
        build_index(items, context.config.decontaminate).write(work)


def evaluation_warnings(
    context: Context, evaluation: Evaluation | None, counters: Mapping[str, int], ledger: Ledger
) -> list[str]:
    """Where nothing of it could be found, or nothing was."""
    if evaluation is None:
        return []
    documents = {lang: kept + rejected for lang, (kept, rejected) in ledger.language_totals().items()}
    return overlap_warnings(evaluation, indexed_items(context.work), counters, documents)


def evaluation_account(context: Context, evaluation: Evaluation | None, counters: Mapping[str, int]) -> dict[str, Any]:
    """The run's account of what was found, as ``decontamination``; empty where nothing was looked for."""
    if evaluation is None:
        return {}
    return {"decontamination": overlap_account(evaluation, indexed_items(context.work), counters)}
