"""Looking at a corpus: its languages, samples of what was kept and rejected, one document and its copies."""

from __future__ import annotations

from evenglot.inspect.documents import Unreadable, find_document, rejected_samples, text_samples, unreadable_records
from evenglot.inspect.languages import LanguageRow, language_rows

__all__ = [
    "LanguageRow",
    "Unreadable",
    "find_document",
    "language_rows",
    "rejected_samples",
    "text_samples",
    "unreadable_records",
]
