"""Which documents may need which repair, from the bytes of a whole batch.

Most documents need none. Looking for the few bytes that every kind of damage must contain costs some
microseconds a document, a tenth of looking at each text by itself. A suspect is only looked at more closely;
a document that is none is surely in order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.script.codepoints import Bytes, Int64s

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Suspects:
    """For each of n documents, whether it may need a repair; all of shape (n,)."""

    mojibake: Bools
    markup: Bools
    control: Bools
    nfc: Bools
    whitespace: Bools

    @property
    def but_nfc(self) -> Bools:
        """Suspected of anything that has a rarer sign than a letter outside Latin-1."""
        return self.mojibake | self.markup | self.control | self.whitespace


def suspects(raw: Bytes, bounds: Int64s) -> Suspects:
    """Find suspects.

    Args:
        raw: UTF-8 of n documents, end to end.
        bounds: their bounds, shape (n + 1,), from 0.
    """
    found: dict[str, list[Bools]] = {name: [] for name in _KINDS}
    start = 0
    while start < len(bounds) - 1:
        stop = int(np.searchsorted(bounds, bounds[start] + _BLOCK, side="right")) - 1
        stop = max(stop, start + 1)
        search = _Search(raw[bounds[start] : bounds[stop]], bounds[start : stop + 1] - bounds[start])
        for name in _KINDS:
            found[name].append(getattr(search, name)())
        start = stop
    return Suspects(**{name: np.concatenate(parts or [np.empty(0, np.bool_)]) for name, parts in found.items()})


_KINDS = ("mojibake", "markup", "control", "nfc", "whitespace")
_BLOCK = 1 << 17
"""Bytes looked at together: what is compared a dozen times should stay in the cache."""


class _Search:
    def __init__(self, raw: Bytes, bounds: Int64s) -> None:
        # Eight bytes more, so that looking ahead needs no bounds check; zero is no byte that any rule wants next.
        self.raw = np.concatenate((raw, np.zeros(8, np.uint8)))
        self.text = self.raw[: len(raw)]
        self.bounds = bounds
        self.c2 = self._after(np.flatnonzero(self.text == 0xC2))
        self.c3 = np.flatnonzero(self.text == 0xC3)
        self.e2 = np.flatnonzero(self.text == 0xE2)

    def _after(self, positions: Int64s) -> tuple[Int64s, Bytes]:
        return positions, self.raw[positions + 1]

    def _documents(self, *positions: Int64s) -> Bools:
        """The documents in which any of the positions lie."""
        found = np.zeros(len(self.bounds) - 1, np.bool_)
        for places in positions:
            found[np.searchsorted(self.bounds, places, side="right") - 1] = True
        return found

    def control(self) -> Bools:
        text = self.text
        low = np.flatnonzero(((text < 0x20) & (text != 0x0A) & (text != 0x09)) | (text == 0x7F))
        places, following = self.c2
        c1_or_soft_hyphen = places[(following < 0xA0) | (following == 0xAD)]
        second, third = self.raw[self.e2 + 1], self.raw[self.e2 + 2]
        general = (second == 0x80) & (((third >= 0x8B) & (third <= 0x8F)) | ((third >= 0xA8) & (third <= 0xAE)))
        invisible = self.e2[general | ((second == 0x81) & (third >= 0xA0) & (third <= 0xAF))]
        ef = np.flatnonzero(text == 0xEF)
        second, third = self.raw[ef + 1], self.raw[ef + 2]
        special = ef[((second == 0xBB) & (third == 0xBF)) | ((second == 0xBF) & (third >= 0xB9) & (third != 0xBD))]
        e1 = np.flatnonzero(text == 0xE1)
        mongolian_separator = e1[(self.raw[e1 + 1] == 0xA0) & (self.raw[e1 + 2] == 0x8E)]
        return self._documents(low, c1_or_soft_hyphen, invisible, special, mongolian_separator)

    def mojibake(self) -> Bools:
        raw = self.raw
        # U+00C2 to U+00F4, which look like the first byte of a sequence, before what looks like the second.
        following = raw[self.c3 + 2]
        lead = (raw[self.c3 + 1] >= 0x82) & (raw[self.c3 + 1] <= 0xB4)
        second = np.isin(following, np.array([0xC2, 0xC5, 0xC6, 0xCB, 0xE2], np.uint8))
        # Four letters U+00C0 to U+00FF in a row: Cyrillic read as Latin-1.
        run = (following == 0xC3) & (raw[self.c3 + 4] == 0xC3) & (raw[self.c3 + 6] == 0xC3)
        places, after_c2 = self.c2
        c1 = places[after_c2 < 0xA0]
        # UTF-8 read as Windows-1251, Windows-1250, code page 437 and Mac Roman.
        d0 = np.flatnonzero(self.text == 0xD0)
        capital = d0[(raw[d0 + 1] == 0xA0) | (raw[d0 + 1] == 0xA1)]
        cyrillic = capital[(raw[capital + 4] == 0xD0) & ((raw[capital + 5] == 0xA0) | (raw[capital + 5] == 0xA1))]
        c4 = np.flatnonzero(self.text == 0xC4)
        central = c4[((raw[c4 + 1] == 0x82) | (raw[c4 + 1] == 0xB9)) & np.isin(raw[c4 + 2], _AFTER_1250)]
        second_byte, third_byte = raw[self.e2 + 1], raw[self.e2 + 2]
        boxes = (second_byte == 0x94) & ((third_byte == 0x9C) | (third_byte == 0xAC))
        boxed = self.e2[boxes | ((second_byte == 0x88) & (third_byte == 0x9A))]
        return self._documents(self.c3[(lead & second) | run], c1, cyrillic, central, boxed)

    def markup(self) -> Bools:
        less = np.flatnonzero(self.text == ord("<"))
        ampersand = np.flatnonzero(self.text == ord("&"))
        tag, entity = self.raw[less + 1], self.raw[ampersand + 1]
        letter = ((tag | 0x20) >= ord("a")) & ((tag | 0x20) <= ord("z"))
        opens = less[letter | (tag == ord("/")) | (tag == ord("!"))]
        entities = ampersand[(entity == ord("#")) | (((entity | 0x20) >= ord("a")) & ((entity | 0x20) <= ord("z")))]
        return self._documents(opens, entities)

    def nfc(self) -> Bools:
        # All below U+0300 is composed; of what begins with E2, the common punctuation is.
        beyond = self.text >= 0xCC
        beyond[self.e2[self.raw[self.e2 + 1] == 0x80]] = False
        return self._documents(np.flatnonzero(beyond))

    def whitespace(self) -> Bools:
        raw, text, size = self.raw, self.text, len(self.text)
        blank = (raw == 0x20) | (raw == 0x09)
        following = raw[1 : size + 1]
        runs = blank[:size] & (blank[1 : size + 1] | (following == 0x0A))
        breaks = text == 0x0A
        many = breaks & (following == 0x0A) & (raw[2 : size + 2] == 0x0A) & (raw[3 : size + 3] == 0x0A)
        odd = np.flatnonzero(runs | many | (text == 0x0D))
        places, after = self.c2
        no_break = places[(after == 0xA0) | (after == 0x85)]
        second, third = raw[self.e2 + 1], raw[self.e2 + 2]
        spaces = (second == 0x80) & ((third <= 0x8A) | (third == 0xA8) | (third == 0xA9) | (third == 0xAF))
        wide = self.e2[spaces | ((second == 0x81) & (third == 0x9F))]
        e3 = np.flatnonzero(text == 0xE3)
        ideographic = e3[(raw[e3 + 1] == 0x80) & (raw[e3 + 2] == 0x80)]
        e1 = np.flatnonzero(text == 0xE1)
        ogham = e1[(raw[e1 + 1] == 0x9A) & (raw[e1 + 2] == 0x80)]
        found = self._documents(odd, no_break, wide, ideographic, ogham)
        filled = self.bounds[:-1] < self.bounds[1:]
        first, last = raw[self.bounds[:-1]], raw[np.maximum(self.bounds[1:] - 1, 0)]
        edges = (first == 0x20) | (first == 0x09) | (first == 0x0A) | (last == 0x20) | (last == 0x09) | (last == 0x0A)
        result: Bools = found | (filled & edges)
        return result


_AFTER_1250 = np.array([0xC2, 0xC4, 0xC5, 0xCB, 0xE2], np.uint8)
