"""The table of languages: how much each has, its share before and after balancing, what was rejected."""

from __future__ import annotations

from dataclasses import dataclass

from corpus.manifest import Snapshot
from corpus.mixtures import proportional
from corpus.tags import english_name


@dataclass(frozen=True)
class LanguageRow:
    """One language of a snapshot. Shares are of the training bytes and between 0 and 1."""

    lang: str
    name: str
    documents: int
    bytes: int
    copies: int
    """Documents the kept ones stand for, themselves included."""
    share: float
    """Share under proportional sampling."""
    balanced_share: float
    """Share under the snapshot's mixture."""
    heldout_documents: int
    rejected: int


def language_rows(snapshot: Snapshot) -> list[LanguageRow]:
    """The languages of a snapshot, the largest first; those of which everything was rejected come last."""
    sizes = {lang: float(evidence.bytes) for lang, evidence in snapshot.languages.items()}
    shares = proportional(sizes) if sum(sizes.values()) > 0 else dict.fromkeys(sizes, 0.0)
    balanced = snapshot.mixtures.get(snapshot.mixture, {})
    rejected = {lang: counts[1] for lang, counts in snapshot.ledger.language_totals().items()}
    rows = []
    for lang in {*snapshot.languages, *rejected}:
        evidence = snapshot.languages.get(lang)
        rows.append(
            LanguageRow(
                lang=lang,
                name=english_name(lang),
                documents=evidence.documents if evidence else 0,
                bytes=evidence.bytes if evidence else 0,
                copies=evidence.copies if evidence else 0,
                share=shares.get(lang, 0.0),
                balanced_share=balanced.get(lang, 0.0),
                heldout_documents=evidence.heldout_documents if evidence else 0,
                rejected=rejected.get(lang, 0),
            )
        )
    return sorted(rows, key=lambda row: (-row.bytes, -row.rejected, row.lang))
