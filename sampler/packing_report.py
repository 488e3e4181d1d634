"""What packing costs: documents cut between rows, and room that holds nothing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from corpus.errors import ConfigurationError
from sampler.pieces import BEGINS, ENDS, FLAGS, LENGTH
from sampler.stream import CurriculumStream

_ROWS = 4096


class PackingReport(NamedTuple):
    """What a range of rows holds."""

    rows: int
    tokens: int
    """Tokens of documents in the rows."""
    documents: int
    """Documents that begin in the rows."""
    documents_cut: int
    """Those of them that do not end in the row in which they begin; a document longer than a row always is."""
    tokens_cut: int
    """Tokens in pieces of documents that are cut."""
    waste: int
    """Places that hold no token of a document: 0, as rows are made."""

    @property
    def documents_cut_share(self) -> float:
        """Share of the documents that is cut."""
        return self.documents_cut / self.documents if self.documents else 0.0

    @property
    def tokens_cut_share(self) -> float:
        """Share of the tokens that lies in documents that are cut."""
        return self.tokens_cut / self.tokens


def packing_report(stream: CurriculumStream, start: int, stop: int) -> PackingReport:
    """Count what packing does to the documents in global rows [start, stop).

    No tokens are read, and the stream's position stays where it is. A million rows of 1,024 tokens take a few
    seconds.

    Raises:
        ConfigurationError: there is no row in the range.
        CorpusError: a shard is missing or damaged.
    """
    if not 0 <= start < stop:
        raise ConfigurationError(f"rows {start} to {stop} are none", "Give a first row from 0 and a later end")
    tokens = documents = documents_cut = tokens_cut = 0
    for first in range(start, stop, _ROWS):
        pieces = stream.lay(range(first, min(first + _ROWS, stop))).pieces
        begins, ends = (pieces[FLAGS] & BEGINS) > 0, (pieces[FLAGS] & ENDS) > 0
        tokens += int(pieces[LENGTH].sum(dtype=np.int64))
        documents += int(np.count_nonzero(begins))
        documents_cut += int(np.count_nonzero(begins & ~ends))
        tokens_cut += int(pieces[LENGTH][~(begins & ends)].sum(dtype=np.int64))
    rows = stop - start
    waste = rows * stream.config.row_tokens - tokens
    return PackingReport(rows, tokens, documents, documents_cut, tokens_cut, waste)
