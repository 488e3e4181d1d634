"""Proof that a corpus is what its snapshot says, and that the sampler's order does not depend on who reads it."""

from __future__ import annotations

from evenglot.verify.corpus_files import Check, CorpusReport, verify_corpus

__all__ = ["Check", "CorpusReport", "verify_corpus"]
