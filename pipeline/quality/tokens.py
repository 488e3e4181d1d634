"""Features of what stands between spaces: addresses, and runs too long for words."""

from __future__ import annotations

import numpy as np

from pipeline.quality.classes import Kind
from pipeline.quality.text import Columns, Int64s, Text

LONG_TOKEN = 40


def tokens(text: Text) -> Columns:
    """Features of n documents, by name."""
    starts, stops = _spans(text)
    widths = stops - starts
    address = np.zeros(len(starts), np.bool_)
    for places, size in ((_after(text, ":", "//"), 3), (_before(text, "www", "."), 4)):
        holders = np.searchsorted(starts, places, side="right") - 1
        # One that ends beyond its run lies in two documents.
        address[holders[places + size <= stops[holders]]] = True
    owners = text.owners(starts)
    in_urls = text.per_document(owners[address], widths[address])
    plain = ~address
    owners, widths = owners[plain], widths[plain]
    long = widths > LONG_TOKEN
    longest = np.zeros(text.documents, np.int64)
    present = np.flatnonzero(text.per_document(owners))
    if len(present):
        longest[present] = np.maximum.reduceat(widths, np.searchsorted(owners, present))
    return {
        "url_share": in_urls / text.visible,
        "long_token_share": text.per_document(owners[long], widths[long]) / text.visible,
        "longest_token": longest,
    }


def _spans(text: Text) -> tuple[Int64s, Int64s]:
    """Runs without a space and without a letter of a script that writes none."""
    unspaced = (text.kinds == Kind.IDEOGRAPH) | (text.kinds == Kind.UNSPACED)
    if not unspaced.any():
        return text.between(text.spaces)
    return text.spans((text.kinds != Kind.SPACE) & (text.kinds != Kind.NEWLINE) & ~unspaced)


def _after(text: Text, mark: str, what: str) -> Int64s:
    """Positions of a mark that some text follows."""
    places: Int64s = text.marks[text.mark_values == ord(mark)]
    places = places[places < len(text.values) - len(what)]
    for shift, character in enumerate(what, start=1):
        places = places[text.values[places + shift] == ord(character)]
    return places


def _before(text: Text, what: str, mark: str) -> Int64s:
    """Where some text begins that a mark follows."""
    places: Int64s = text.marks[text.mark_values == ord(mark)] - len(what)
    places = places[places >= 0]
    for shift, character in enumerate(what):
        places = places[text.values[places + shift] == ord(character)]
    return places
