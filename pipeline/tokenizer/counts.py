"""What a run counted: the evidence of each language, and the run's own account."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from corpus.manifest import LanguageEvidence, ScoreQuantiles, Snapshot
from corpus.schema import TRAIN
from pipeline.account import Clock, run_account
from pipeline.tokenizer.encode import Encoded


def evidence(
    snapshot: Snapshot, tokenizer: str, encoded: Sequence[Encoded], scores: Mapping[str, ScoreQuantiles]
) -> dict[str, LanguageEvidence]:
    """Every language's evidence with its training tokens, fertility, bytes per token and scores.

    Tokens count the end of each document, because rows hold it; fertility and bytes per token do not.

    Args:
        snapshot: whose evidence is added to.
        tokenizer: its name.
        encoded: all token shards.
        scores: quantiles of each language that has scores.
    """
    totals: dict[str, Counter[str]] = {lang: Counter() for lang in snapshot.languages}
    for part in encoded:
        if part.file.split == TRAIN:
            counts = {
                "tokens": part.tokens,
                "synthetic_tokens": part.synthetic_tokens,
                "pieces": part.tokens - part.documents,
                "bytes": part.bytes,
                "words": part.words,
            }
            totals.setdefault(str(part.file.lang), Counter()).update(counts)
    languages = {}
    for lang in sorted(totals):
        old, total = snapshot.languages.get(lang, LanguageEvidence()), totals[lang]
        pieces, words = total["pieces"], total["words"]
        languages[lang] = old.model_copy(
            update={
                "tokens": {**old.tokens, tokenizer: total["tokens"]},
                "synthetic_tokens": {**old.synthetic_tokens, tokenizer: total["synthetic_tokens"]},
                "scores": {**old.scores, **({tokenizer: scores[lang]} if lang in scores else {})},
                "fertility": {**old.fertility, **({tokenizer: round(pieces / words, 4)} if words else {})},
                "bytes_per_token": {
                    **old.bytes_per_token,
                    **({tokenizer: round(total["bytes"] / pieces, 4)} if pieces else {}),
                },
            }
        )
    return languages


def account(
    clock: Clock,
    seconds: tuple[float, float, float],
    documents: int,
    sampled: int,
    encoded: Sequence[Encoded],
    workers: int,
) -> dict[str, Any]:
    """What belongs to one run alone: times, rates, machine.

    Args:
        clock: started with the run.
        seconds: of training, counting and encoding.
        documents: in all token shards.
        sampled: documents that were counted for the scores.
        encoded: all token shards.
        workers: processes.
    """
    new = sum(part.documents for part in encoded if not part.reused)
    names = ("train tokenizer", "count what is rare", "encode")
    return run_account(clock, workers) | {
        "stages": [
            {
                "name": name,
                "seconds": round(took, 3),
                "records_in": taken,
                "records_out": taken,
                "documents_per_second": round(rows / took, 1) if took and rows else None,
            }
            for name, took, taken, rows in zip(
                names, seconds, (documents, sampled, documents), (0, sampled, new), strict=True
            )
        ],
        "counters": {
            "encode/tokens": sum(part.tokens for part in encoded),
            "encode/shards": len(encoded),
            "encode/shards_reused": sum(part.reused for part in encoded),
            "scores/documents": sum(part.scored for part in encoded),
            "scores/documents_sampled": sampled,
        },
    }
