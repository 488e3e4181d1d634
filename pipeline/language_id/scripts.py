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
    members: npt.NDArray[np.int64]
    """[most scripts of a name, names] Unicode scripts that the name's way of writing uses, ``none`` for no more."""
    none: int
    """A number past those of the scripts, of which no text has any."""

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
        none = len(unicode_scripts) + 2
        most = max(len(scripts) for scripts in _MEMBERS.values())
        members = np.full((most, len(names)), none, dtype=np.int64)
        for column, name in enumerate(names):
            for row, member in enumerate(_MEMBERS.get(name, (name,))):
                members[row, column] = unicode_scripts.index(member) + 2
        return cls(tuple(names), table, members, none)

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
        width = self.none + 1
        counts = np.bincount(owner * width + kinds, minlength=len(texts) * width).reshape(len(texts), width)
        letters = counts.astype(np.float32)
        # No product of matrices: its threads would cost more than it does.
        by_script = letters[:, self.members[0]]
        for row in self.members[1:]:
            by_script += letters[:, row]
        return letters[:, _OTHER:].sum(axis=1), by_script
