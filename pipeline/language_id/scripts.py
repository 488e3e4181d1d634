"""How much of a text is written in which script, for many texts at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import regex

_MEMBERS: Final = {
    # Tags name ways of writing; Unicode names the scripts they use.
    "Hans": ("Hani", "Bopo"),
    "Hant": ("Hani", "Bopo"),
    "Jpan": ("Hani", "Hira", "Kana"),
    "Kore": ("Hang", "Hani"),
    "Hang": ("Hang", "Hani"),
    "Hrkt": ("Hira", "Kana"),
}
_CODE_POINTS: Final = 0x33480
_OTHER: Final = 1


@dataclass(frozen=True)
class ScriptCounter:
    """Counts the letters of a text that a script of the given ones could have written.

    ``names`` are ISO 15924 codes as in language tags (``Latn``, ``Jpan``, ``Hans``).
    """

    names: tuple[str, ...]
    table: npt.NDArray[np.uint8]
    """Code point -> 0 for what is no letter, 1 for letters of other scripts, from 2 on the Unicode scripts."""
    members: npt.NDArray[np.float32]
    """[Unicode scripts + 2, names]: 1 where the name's way of writing uses the script."""

    @classmethod
    def of(cls, names: Sequence[str]) -> ScriptCounter:
        """A counter for these scripts; names unknown to Unicode count no letters."""
        unicode_scripts = sorted({member for name in names for member in _MEMBERS.get(name, (name,))})
        everything = "".join(map(chr, range(_CODE_POINTS))).encode("utf-32-le", "surrogatepass")
        alphabet = everything.decode("utf-32-le", "surrogatepass")
        table = np.zeros(_CODE_POINTS + 1, dtype=np.uint8)
        for match in regex.finditer(r"[\p{L}\p{M}&&[^\p{Script=Zyyy}\p{Script=Zinh}]]+", alphabet, regex.V1):
            table[match.start() : match.end()] = _OTHER
        for number, script in enumerate(unicode_scripts, start=2):
            try:
                pattern = regex.compile(rf"\p{{Script={script}}}+")
            except regex.error:
                continue
            for match in pattern.finditer(alphabet):
                table[match.start() : match.end()] = number
        members = np.zeros((len(unicode_scripts) + 2, len(names)), dtype=np.float32)
        for column, name in enumerate(names):
            for member in _MEMBERS.get(name, (name,)):
                members[unicode_scripts.index(member) + 2, column] = 1.0
        return cls(tuple(names), table, members)

    def count(self, texts: Sequence[str]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Letters of each text, and how many of them each named script could have written.

        Args:
            texts: n texts without line breaks.

        Returns:
            letters, float32 [n], and by script, float32 [n, names].
        """
        codes = np.frombuffer("\n".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        kinds = self.table[np.minimum(codes, _CODE_POINTS)]
        owner = np.cumsum(codes == ord("\n"), dtype=np.int64)
        width = self.members.shape[0]
        counts = np.bincount(owner * width + kinds, minlength=len(texts) * width).reshape(len(texts), width)
        letters = counts.astype(np.float32)
        return letters[:, _OTHER:].sum(axis=1), letters @ self.members
