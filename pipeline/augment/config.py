"""Recipe section ``augment``: synthetic text over the natural corpus; each part is defined beside what it steers."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from corpus.config import Config
from corpus.tags import UnknownLanguage, to_tag
from pipeline.gates.config import GateConfig
from pipeline.naturalness.config import NaturalnessConfig
from pipeline.parents.config import BudgetConfig, ParentsConfig
from pipeline.phenomena.config import PhenomenaConfig
from pipeline.translation.config import TranslationConfig
from pipeline.translation.decoding import Decoding


class VariantConfig(Config):
    """One way of making text: how it is decoded, and how much of the method's budget it gets."""

    name: str = Field(default="beam", pattern=r"^[a-z][a-z0-9_]*$")
    """Stands in the provenance; another name makes other candidates."""
    decoding: Decoding = Decoding()
    """Search or sampling."""
    weight: float = Field(default=1.0, gt=0)
    """Share of the method's budget, relative to the other variants. Each makes text of parents of its own, since two
    translations of one document are mostly near duplicates."""
    tag: str = ""
    """Put before every document that this variant makes, as it is; ``"<BT> "`` or a line with its end, for tagged
    back-translation (Caswell et al. 2019). A model trained on it learns to tell synthetic text, and repeats the tag
    where it is not taken out again."""


class BackTranslationConfig(Config):
    """Natural documents of languages with much text, translated into languages with little."""

    enabled: bool = True
    """Make back-translations."""
    sources: tuple[str, ...] = ()
    """Languages to translate from, where a route leads from them; each gives an equal part. Empty: the largest language
    from which one model translates, and is larger than the target; else, of the largest twenty, the one with the fewest
    models on the way."""
    variants: tuple[VariantConfig, ...] = (VariantConfig(),)
    """Ways of decoding."""


class ParaphraseConfig(Config):
    """Natural documents of a language, said differently: through another language and back."""

    enabled: bool = False
    """Make paraphrases."""
    pivots: tuple[str, ...] = ()
    """Languages to go through, the first one that has routes both ways. Empty: the one with the fewest models on the
    way, of those the one with most natural text."""
    variants: tuple[VariantConfig, ...] = (
        VariantConfig(name="sampling", decoding=Decoding(beam_size=1, sampling_topk=10, sampling_temperature=0.8)),
    )
    """Ways of decoding. Beam search both ways mostly gives the sentence back; what is too near to its parent is
    rejected by ``gates``."""


class CalibrationConfig(Config):
    """A natural sample that goes through the models before anything is generated."""

    documents: int = Field(default=64, ge=8)
    """Documents of each pair that thresholds of the gates rest on, and how much text a parent yields."""
    translated: int = Field(default=256, ge=0)
    """Natural documents of each target language that are translated into the language of its parents, to see which
    topics it lacks; 0, or no route back, chooses parents by diversity alone."""


class AugmentConfig(Config):
    """Back-translation, paraphrase and rare phenomena over a natural corpus."""

    enabled: bool = False
    """Make synthetic text after ``prepare``. ``evenglot augment`` makes it in any case."""
    languages: tuple[str, ...] = ()
    """Languages that get text, of those that ``budget`` allows any; empty: all of those."""
    back_translation: BackTranslationConfig = BackTranslationConfig()
    """From languages with much text."""
    paraphrase: ParaphraseConfig = ParaphraseConfig()
    """Within a language."""
    phenomena: PhenomenaConfig = PhenomenaConfig()
    """Rare characters, n-grams, inflections and code-switches."""
    translation: TranslationConfig = TranslationConfig()
    """Models and the machine they run on."""
    calibration: CalibrationConfig = CalibrationConfig()
    """The sample that thresholds rest on."""
    gates: GateConfig = GateConfig()
    """What a sentence and a document must reach."""
    budget: BudgetConfig = BudgetConfig()
    """How much each language gets."""
    parents: ParentsConfig = ParentsConfig()
    """Which documents text is made from."""
    naturalness: NaturalnessConfig = NaturalnessConfig()
    """How far synthetic text may be from natural text."""
    margin: float = Field(default=1.25, ge=1)
    """Text that is generated for a budget, as a multiple of what calibration says will do. What is left over is
    rejected as ``gates/over_budget``."""
    unit_bytes: int = Field(default=64 << 10, ge=1 << 10)
    """Text of parents that is translated together and written at once: what a crash loses at most in each worker, but
    for translations that are in the cache. Larger units fill the models' batches a little better, smaller ones are
    spread over more workers."""

    @field_validator("languages")
    @classmethod
    def _known_languages(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return tuple(dict.fromkeys(to_tag(label) for label in languages))
        except UnknownLanguage as error:
            raise ValueError(str(error)) from error

    @model_validator(mode="after")
    def _variants_apart(self) -> AugmentConfig:
        for method in (self.back_translation, self.paraphrase):
            names = [variant.name for variant in method.variants]
            if len(set(names)) < len(names):
                raise ValueError("variants of one method have different names")
            if not names:
                raise ValueError("a method has at least one variant")
        return self
