"""What was wanted, what was reached, and why not more."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from corpus.augmentation import PhenomenonCounts
from corpus.config import Config
from pipeline.phenomena.plan import Census

Why = Literal["reached", "no_carrier", "share", "uses", "multiple", "company"]
"""What ended it: the target was reached; no sentence that has it may be used; the language's share of made text was
full; all sentences that have it, or their documents, were used as often as they may be; they have another phenomenon
which would become too frequent; there was no company for them in a document."""


class PhenomenonAccount(Config):
    """One phenomenon that was looked after. Numbers are sentences, except for code-switches: changes of language."""

    kind: str
    name: str
    """The character, the n-gram with white space as it stands, the cell, or ``from > to``."""
    documents: int
    """Natural ones that have it."""
    natural: int
    target: int
    """Natural ones and those wanted."""
    added: int
    why: Why


class KindAccount(Config):
    """One kind of phenomenon."""

    counted: int
    """Different features of the natural text."""
    one_in: int
    """Of so many n-grams one is counted."""
    common: int
    unattested: int
    """Rare, but in too few documents or sources to be more than chance."""
    rare: int
    planned: int
    """Looked after."""
    reached: int = 0
    natural: int = 0
    """Sentences with a phenomenon, summed over those looked after; the next two likewise."""
    target: int = 0
    added: int = 0

    @staticmethod
    def of(census: Census, phenomena: list[PhenomenonAccount]) -> KindAccount:
        """The sums of some phenomena."""
        return KindAccount(
            counted=census.counted,
            one_in=census.one_in,
            common=census.common,
            unattested=census.unattested,
            rare=census.rare,
            planned=census.planned,
            reached=sum(one.why == "reached" for one in phenomena),
            natural=sum(one.natural for one in phenomena),
            target=sum(one.target for one in phenomena),
            added=sum(one.added for one in phenomena),
        )


class LexiconAccount(Config):
    """What was read of a lexicon."""

    digest: str
    """XXH3-128 of the file, hexadecimal."""
    lines: int
    broken: int
    broken_lines: tuple[int, ...]
    """Numbers of the first of them."""
    several_words: int
    """Entries left out because their form is not one word."""
    cells: int
    absent_cells: int
    """Of those, not in the corpus at all."""


class PhenomenaAccount(Config):
    """What was done for one language."""

    lang: str
    documents: int = 0
    """Natural training documents."""
    sentences: int = 0
    bytes: int = 0
    bound: int = 0
    """What is in more sentences is not rare."""
    kinds: dict[str, KindAccount] = Field(default_factory=dict)
    phenomena: tuple[PhenomenonAccount, ...] = ()
    """By kind, the rarest first."""
    made: int = 0
    """Documents."""
    made_sentences: int = 0
    made_bytes: int = 0
    donors: int = 0
    """Different natural documents that are in made ones."""
    most_uses: int = 0
    """Made documents that one sentence stands in, the most."""
    most_document_uses: int = 0
    """Made documents that one natural document gave to, the most."""
    most_from_one: float = 0.0
    """Largest share of a made document's words that one natural document has given."""
    replaced: int = 0
    """Words in whose place a form of the lexicon was put."""
    left_over: int = 0
    """Passages that were chosen and found no company."""
    unsegmented: int = 0
    """Documents said to hold other languages of which no segments are known."""
    lexicon: LexiconAccount | None = None

    def counts(self) -> dict[str, PhenomenonCounts]:
        """Before and after, by kind."""
        return {
            kind: PhenomenonCounts(before=one.natural, target=one.target, after=one.natural + one.added)
            for kind, one in self.kinds.items()
            if one.planned
        }
