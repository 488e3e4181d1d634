"""What phenomena are called in accounts and provenance."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.phenomena.choose import Passage
from pipeline.phenomena.config import Kind
from pipeline.phenomena.lexicon import Lexicon
from pipeline.phenomena.observe import ngram_name
from pipeline.phenomena.plan import Plan


class Names:
    """Names of a plan's phenomena by number. An n-gram is known by a hash until a passage that has it is looked at."""

    def __init__(self, plan: Plan, passages: Sequence[Passage], lexicon: Lexicon | None) -> None:
        self.plan, self.lexicon = plan, lexicon
        self._having: dict[int, str] = {}
        for passage in passages:
            for number in passage.counts:
                self._having.setdefault(number, passage.text)
        self._known: dict[int, tuple[Kind, str]] = {}

    def __call__(self, number: int) -> tuple[Kind, str]:
        """Kind and name of a phenomenon."""
        if number not in self._known:
            self._known[number] = self._find(number)
        return self._known[number]

    def _find(self, number: int) -> tuple[Kind, str]:
        kind = [kind for kind, first in self.plan.firsts.items() if first <= number][-1]
        key = int(self.plan.wanted[kind].keys[number - self.plan.firsts[kind]])
        if kind == "characters":
            return kind, chr(key)
        if kind == "switches":
            return kind, self.plan.names[key]
        if kind == "inflections":
            assert self.lexicon is not None
            return kind, self.lexicon.cells[key]
        found = ngram_name(self._having[number], self.plan.lang, key) if number in self._having else None
        return kind, f"#{key:x}" if found is None else found
