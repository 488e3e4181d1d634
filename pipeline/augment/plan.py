"""What is to be made: budgets, ways, parents, units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from corpus.augmentation import route_name
from corpus.hashing import fingerprint
from corpus.manifest import LanguageEvidence
from pipeline.augment.calibrate import Calibration
from pipeline.augment.config import AugmentConfig, VariantConfig
from pipeline.augment.unit import CALIBRATION, TRANSLATED, Place, Unit, units_of
from pipeline.augment.ways import Way, WayFinder, Ways
from pipeline.parents.budget import BACK_TRANSLATION, INSERTION, PARAPHRASE, Budget, budget
from pipeline.parents.choose import Pool, choose
from pipeline.translation.decoding import Decoding
from pipeline.translation.routes import Routes


@dataclass(frozen=True)
class Plan:
    """Which language gets how much, and how."""

    budgets: Mapping[str, Budget]
    """Of every language of the corpus; nothing for most."""
    ways: Mapping[str, Ways]
    """Of the languages that get any."""
    warnings: tuple[str, ...]
    """What cannot be made although it is asked for."""

    @property
    def targets(self) -> list[str]:
        """Languages that get text."""
        return [lang for lang, found in self.budgets.items() if found.bytes]

    @property
    def sources(self) -> list[str]:
        """Languages of parents, of translations and of paraphrases."""
        found = {way.source for lang in self.targets for way in self.ways_of(lang)}
        return sorted(found)

    def ways_of(self, lang: str) -> list[Way]:
        """The ways to text of a language that have a budget."""
        parts = self.budgets[lang].methods
        ways = self.ways.get(lang, Ways())
        translated = ways.back_translation if parts.get(BACK_TRANSLATION) else ()
        return [*translated, *(ways.paraphrase if parts.get(PARAPHRASE) else ())]


def make_plan(languages: Mapping[str, LanguageEvidence], routes: Routes, config: AugmentConfig) -> Plan:
    """Budgets and ways of every language.

    Args:
        languages: evidence of the natural snapshot.
        routes: of the models.
        config: of the augmentation.
    """
    most = {INSERTION: config.phenomena.max_share}
    wished = budget(languages, config.budget, {lang: _asked(lang, config) for lang in languages}, most)
    finder = WayFinder(languages, routes, config)
    ways = {lang: finder.find(lang) for lang, found in wished.items() if found.bytes}
    able = {
        lang: {
            *((BACK_TRANSLATION,) if ways[lang].back_translation else ()),
            *((PARAPHRASE,) if ways[lang].paraphrase else ()),
            *((INSERTION,) if config.phenomena.enabled else ()),
        }
        for lang in ways
    }
    found = budget(languages, config.budget, {lang: able.get(lang, set()) for lang in languages}, most)
    # Where the rules give nothing, the first answer says why.
    budgets = {lang: one if lang in ways else wished[lang] for lang, one in found.items()}
    left_out = replace_all(budgets, "not among `augment.languages`") if config.languages else {}
    budgets |= {lang: one for lang, one in left_out.items() if lang not in config.languages}
    warnings = [f"{lang}: {problem}" for lang in ways for problem in ways[lang].missing]
    absent = [lang for lang in config.languages if lang not in languages]
    warnings += [f"{lang} is to be augmented, but the corpus has no text of it" for lang in absent]
    return Plan(budgets, ways, tuple(warnings))


def replace_all(budgets: Mapping[str, Budget], why: str) -> dict[str, Budget]:
    """Nothing for any language, and why."""
    return {lang: Budget(0, why, {}) for lang in budgets}


def _asked(lang: str, config: AugmentConfig) -> set[str]:
    """The methods that the recipe asks for in a language."""
    if config.languages and lang not in config.languages:
        return set()
    enabled = {
        BACK_TRANSLATION: config.back_translation.enabled,
        PARAPHRASE: config.paraphrase.enabled,
        INSERTION: config.phenomena.enabled,
    }
    return {method for method, on in enabled.items() if on}


def calibration_units(plan: Plan, sketches: Mapping[str, pa.Table], config: AugmentConfig, seed: int) -> list[Unit]:
    """Natural documents through every pair's models: those that sketches have first, as they are ordered by hash.

    Args:
        plan: what is to be made.
        sketches: of documents that may be parents, by language.
        config: how many documents.
        seed: of what is sampled.
    """
    units: list[Unit] = []
    for lang in plan.targets:
        for way in plan.ways_of(lang):
            decoding = Decoding() if way.source != lang else config.paraphrase.variants[0].decoding
            unit = Unit(CALIBRATION, way.source, lang, "sample", way.route, way.back, decoding, "", (), seed)
            few = _places(sketches[way.source], config.calibration.documents)
            units += units_of(unit, few, config.unit_bytes)
    return units


def translated_units(plan: Plan, sketches: Mapping[str, pa.Table], config: AugmentConfig, seed: int) -> list[Unit]:
    """Natural documents of the targets, into the languages of their parents, where a model leads there."""
    units: list[Unit] = []
    for lang in plan.targets:
        for way in plan.ways_of(lang):
            if way.back and config.calibration.translated:
                # There and back: what comes back shows how far from natural text translation alone leads.
                back = way.route if config.naturalness.enabled else ()
                unit = Unit(TRANSLATED, lang, way.source, "topics", way.back, back, Decoding(beam_size=1), "", (), seed)
                few = _places(sketches[lang], config.calibration.translated)
                units += units_of(unit, few, config.unit_bytes)
    return units


def generation_units(
    plan: Plan,
    pools: Mapping[str, Pool],
    calibration: Calibration,
    translated: Mapping[str, tuple[pa.Table | None, float]],
    languages: Mapping[str, LanguageEvidence],
    config: AugmentConfig,
    seed: int,
) -> tuple[list[Unit], dict[str, dict[str, str]]]:
    """Parents of every language, method, way and variant, in units.

    Args:
        plan: what is to be made.
        pools: documents that may be parents, by language; their use is counted here.
        calibration: thresholds and yields.
        translated: words of the targets' documents in their parents' language, by ``route_name`` of the way.
        languages: evidence of the natural snapshot.
        config: of the augmentation.
        seed: of what is sampled.

    Returns:
        the units; and by language how the parents of each method were chosen.
    """
    units: list[Unit] = []
    notes: dict[str, dict[str, str]] = {}
    for lang in plan.targets:
        parts, ways = plan.budgets[lang].methods, plan.ways[lang]
        for method, found, variants in (
            (BACK_TRANSLATION, ways.back_translation, config.back_translation.variants),
            (PARAPHRASE, ways.paraphrase, config.paraphrase.variants),
        ):
            if not parts.get(method):
                continue
            for way in found:
                pair = route_name(way.source, lang)
                if pair not in calibration.gain:
                    continue  # no document may be a parent, which a warning says
                wanted = parts[method] / len(found) / calibration.gain[pair] * config.margin
                words, longer = translated.get(pair, (None, 1.0))
                known = languages[lang]
                natural = round((known.bytes - known.synthetic_bytes) * longer)
                for variant, share in _shares(variants):
                    chosen = choose(
                        pools[way.source], round(wanted * share), config.parents, translated=words, natural=natural
                    )
                    notes.setdefault(lang, {})[f"{method} from {way.source}"] = chosen.note
                    unit = Unit(
                        method, way.source, lang, variant.name, way.route, way.back, variant.decoding, variant.tag, (),
                        seed, _settled(calibration, pair, config),
                    )  # fmt: skip
                    units += units_of(unit, _places(chosen.parents, chosen.parents.num_rows), config.unit_bytes)
    return units, notes


def _shares(variants: Sequence[VariantConfig]) -> list[tuple[VariantConfig, float]]:
    total = sum(variant.weight for variant in variants)
    return [(variant, variant.weight / total) for variant in variants]


def _settled(calibration: Calibration, pair: str, config: AugmentConfig) -> str:
    return fingerprint([calibration.thresholds[pair].as_dict(), config.gates.model_dump(mode="json")])


def _places(documents: pa.Table, most: int) -> list[tuple[Place, int]]:
    """Places and bytes of the first documents of a table."""
    few = documents.slice(0, most)
    columns = (few.column(name).to_pylist() for name in ("path", "row", "bytes"))
    return [(Place(path, row), size) for path, row, size in zip(*columns, strict=True)]
