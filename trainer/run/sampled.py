"""What the sampler gave the run so far: shares asked for and got, passes, stages, what packing cut."""

from __future__ import annotations

from typing import Any

from sampler.packing_report import packing_report
from sampler.stream import CurriculumStream

PACKING_ROWS = 4096
"""Rows at the end of a run in which the work of packing is counted."""


def sampled_line(stream: CurriculumStream, *, step: int, row: int, tokens: int) -> dict[str, Any]:
    """The line of the metrics that says what each language got before a row.

    Args:
        stream: its position is moved to the row.
        step: optimiser steps done.
        row: the next global row.
        tokens: read so far.

    Returns:
        shares of the rows asked for and got since the run began, and passes over the text, of each language that was
        asked for, and tokens that the cap on synthetic text leaves out of a pass over it in the stage of the last row,
        where there are any; with the name of that stage, and the first rows of the stages so far.
    """
    stream.seek(row)
    begun = [stage for stage in stream.stages() if stage.read]
    left_out = begun[-1].left_out if begun else {}
    return {
        "kind": "sampler",
        "step": step,
        "tokens": tokens,
        "row": row,
        "stage": begun[-1].name if begun else None,
        "stages": {stage.name: stage.first_row for stage in begun},
        "languages": {
            lang: {"asked": got.asked, "got": got.share, "passes": got.passes}
            | ({"left_out_tokens": left_out[lang]} if lang in left_out else {})
            for lang, got in stream.realised().items()
            if got.asked or got.share
        },
    }


def stage_shares(stream: CurriculumStream, row: int) -> dict[str, dict[str, dict[str, float]]]:
    """What each language got in each stage before a row; empty for a run of a single stage.

    Args:
        stream: its position is moved to the row.
        row: the next global row.

    Returns:
        by language and stage: the shares asked for and got in that stage, and its tokens.
    """
    stream.seek(row)
    stages = [stage for stage in stream.stages() if stage.read]
    if len(stages) < 2:
        return {}
    return {
        lang: {
            stage.name: {
                "share_asked": stage.languages[lang].asked,
                "share_realised": stage.languages[lang].share,
                "tokens": stage.languages[lang].tokens,
            }
            for stage in stages
            if lang in stage.languages
        }
        for lang in stream.languages
    }


def packing_figures(stream: CurriculumStream, row: int) -> dict[str, float]:
    """What packing did in the last rows before a row: documents and tokens cut, and empty places; empty at row 0."""
    if not row:
        return {}
    found = packing_report(stream, max(0, row - PACKING_ROWS), row)
    return {
        "rows": found.rows,
        "documents": found.documents,
        "documents_cut_share": found.documents_cut_share,
        "tokens_cut_share": found.tokens_cut_share,
        "waste": found.waste,
    }
