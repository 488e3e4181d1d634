"""The ledger: every record read is kept, rejected or unreadable, and the sums say so.

    read + made = kept + sum of rejected(stage, reason) + sum of unreadable(reason)

``made`` counts the records that splitting a document into its languages adds to the one that was read; it is 0
unless a recipe asks for that.

It is checked when a snapshot is committed. What was read is counted by the readers, what was kept and
rejected by counting rows in the files written, so that a lost record cannot hide in a shared counter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from pydantic import Field

from corpus.config import Config
from corpus.errors import LedgerError


class Ledger(Config):
    """Where the records of one run went."""

    read: int = Field(ge=0)
    """Records the readers met, whole or broken."""
    made: int = Field(default=0, ge=0)
    """Records made by splitting documents, beyond the one read of each; counted where they are made."""
    kept: dict[str, int]
    """Records in text shards, by language."""
    rejected: dict[str, dict[str, int]]
    """Records in rejected shards, by ``stage/reason`` and then by language (``und`` when none was found)."""
    unreadable: dict[str, int]
    """Broken records set aside as raw bytes, by reason."""

    @property
    def kept_total(self) -> int:
        """Records kept, over all languages."""
        return sum(self.kept.values())

    @property
    def rejected_total(self) -> int:
        """Records rejected, over all reasons and languages."""
        return sum(sum(by_language.values()) for by_language in self.rejected.values())

    @property
    def unreadable_total(self) -> int:
        """Records that could not be parsed."""
        return sum(self.unreadable.values())

    def check(self) -> None:
        """Confirm that the ledger closes.

        Raises:
            LedgerError: it does not; the message holds both sides.
        """
        accounted = self.kept_total + self.rejected_total + self.unreadable_total
        expected = self.read + self.made
        if accounted != expected:
            verb = "lost" if accounted < expected else "counted twice"
            made = f" + {self.made:,} made by splitting" if self.made else ""
            raise LedgerError(
                f"the ledger does not close: {self.read:,} records read{made}, but {self.kept_total:,} kept + "
                f"{self.rejected_total:,} rejected + {self.unreadable_total:,} unreadable = {accounted:,}; "
                f"{abs(accounted - expected):,} {verb}",
                "This is a defect of evenglot; the last snapshot is untouched",
            )

    def by_reason(self) -> dict[str, int]:
        """Rejected records by ``stage/reason``, the most frequent first."""
        totals = {reason: sum(by_language.values()) for reason, by_language in self.rejected.items()}
        return dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))

    def language_totals(self) -> dict[str, tuple[int, int]]:
        """Kept and rejected records of every language."""
        rejected: Counter[str] = Counter()
        for by_language in self.rejected.values():
            rejected.update(by_language)
        return {lang: (self.kept.get(lang, 0), rejected[lang]) for lang in sorted({*self.kept, *rejected})}

    @classmethod
    def sum(cls, parts: Iterable[Ledger]) -> Ledger:
        """One ledger over several runs."""
        read = made = 0
        kept: Counter[str] = Counter()
        unreadable: Counter[str] = Counter()
        rejected: dict[str, Counter[str]] = {}
        for part in parts:
            read += part.read
            made += part.made
            kept.update(part.kept)
            unreadable.update(part.unreadable)
            for reason, by_language in part.rejected.items():
                rejected.setdefault(reason, Counter()).update(by_language)
        return cls(
            read=read,
            made=made,
            kept=sort(kept),
            rejected={r: sort(rejected[r]) for r in sorted(rejected)},
            unreadable=sort(unreadable),
        )


def sort(counts: Mapping[str, int]) -> dict[str, int]:
    """The same counts in the order of their keys, so that equal ledgers have equal bytes."""
    return {key: counts[key] for key in sorted(counts)}
