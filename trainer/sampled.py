"""What the sampler gave the run so far: shares asked for and got, passes, stage; for the log and the evidence."""

from __future__ import annotations

from typing import Any

from sampler.stream import CurriculumStream


def sampled_line(stream: CurriculumStream, *, step: int, row: int, tokens: int) -> dict[str, Any]:
    """The line of the metrics that says what each language got before a row.

    Args:
        stream: its position is moved to the row.
        step: optimiser steps done.
        row: the next global row.
        tokens: read so far.

    Returns:
        shares of the rows asked for and got since the run began, and passes over the text, of each language that was
        asked for; with the name of the stage that the last row is of, and the first rows of the stages so far.
    """
    stream.seek(row)
    begun = [stage for stage in stream.stages() if stage.read]
    return {
        "kind": "sampler",
        "step": step,
        "tokens": tokens,
        "row": row,
        "stage": begun[-1].name if begun else None,
        "stages": {stage.name: stage.first_row for stage in begun},
        "languages": {
            lang: {"asked": got.asked, "got": got.share, "passes": got.passes}
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
