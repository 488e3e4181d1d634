"""What a snapshot says of its synthetic text: budgets, candidates and what became of them, by language.

Synthetic text is a layer over a natural snapshot (``Snapshot.goes_on_with``): leaving out ``Augmentation.shards`` gives
that snapshot's text back.
"""

from __future__ import annotations

from pydantic import Field

from corpus.config import Config


class UsedModel(Config):
    """A translation model whose output is in the corpus, or was judged for it."""

    revision: str
    licence: str = ""
    hash: str = ""
    """Of its files; equal ones translate alike."""


class MethodCounts(Config):
    """Candidates of one method in one language."""

    candidates: int = 0
    kept: int = 0
    bytes: int = 0
    """UTF-8 bytes of those kept."""


class Naturalness(Config):
    """How far the synthetic text of a language is from its natural text, and what was done about it."""

    measures: dict[str, float] = Field(default_factory=dict)
    """By name, of the candidates that passed the gates against a sample of natural text."""
    share: float = Field(default=1.0, ge=0, le=1)
    """Part of the budget that stayed."""
    why: str = ""
    """Which measure exceeded which limit; empty where none did."""


class LanguageAugmentation(Config):
    """What augmentation did for one language."""

    natural_bytes: int = 0
    """UTF-8 bytes of its natural training text."""
    budget: int = 0
    """Synthetic bytes that it may have, before naturalness was measured."""
    why: str = ""
    """How the budget came about; where it is 0, why."""
    candidates: int = 0
    """Documents that were generated, whatever became of them."""
    kept: int = 0
    kept_bytes: int = 0
    """UTF-8 bytes of those kept; never more than the budget."""
    rejected: dict[str, int] = Field(default_factory=dict)
    """Candidates by ``stage/reason``."""
    dropped_sentences: dict[str, int] = Field(default_factory=dict)
    """Sentences taken out of candidates, by the gate that did it."""
    methods: dict[str, MethodCounts] = Field(default_factory=dict)
    """By origin: ``back_translation``, ``paraphrase``, ``insertion``."""
    parents: dict[str, str] = Field(default_factory=dict)
    """How the parents were chosen, by method and language of the parents (``back_translation from eng_Latn``)."""
    naturalness: Naturalness = Naturalness()


class PhenomenonCounts(Config):
    """How often a rare phenomenon stood in the text of a language before and after augmentation."""

    before: int = 0
    target: int = 0
    after: int = 0


class Augmentation(Config):
    """The synthetic layer of a snapshot."""

    fingerprint: str
    """Of the natural snapshot, the settings, the models and the code: equal ones give equal text."""
    shards: tuple[str, ...] = ()
    """Paths of the text shards that hold synthetic documents; all others are natural."""
    languages: dict[str, LanguageAugmentation] = Field(default_factory=dict)
    """Those that the rules of the budget allow any, also where no model can make it."""
    thresholds: dict[str, dict[str, float]] = Field(default_factory=dict)
    """Bounds of the gates by pair, named ``eng_Latn>swh_Latn``, from the calibration sample."""
    models: dict[str, UsedModel] = Field(default_factory=dict)
    """By name."""
    phenomena: dict[str, dict[str, PhenomenonCounts]] = Field(default_factory=dict)
    """By language and kind of phenomenon."""


def route_name(source: str, target: str) -> str:
    """The name of a translation direction: ``eng_Latn>swh_Latn``."""
    return f"{source}>{target}"
