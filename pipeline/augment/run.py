"""One call of ``augment``: what is there already, the chain of jobs over one work folder, and the commit."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from corpus.augmentation import route_name
from corpus.errors import ConfigurationError, WorkerLost
from corpus.hashing import fingerprint
from corpus.ledger import Ledger, sort
from corpus.lock import exclusive
from corpus.manifest import Snapshot, commit, read_snapshot
from corpus.storage import Storage
from pipeline.account import Clock, run_account
from pipeline.augment.calibrate import Calibration, thresholds_of
from pipeline.augment.compare import Compared, apply_budgets, compare_with_natural, rows_by_language
from pipeline.augment.config import AugmentConfig
from pipeline.augment.files import candidate_facts, file_of, paraphrased_file, read_terms
from pipeline.augment.insertions import insertions, phenomena_of
from pipeline.augment.join import (
    Layer,
    compare,
    heldout_refusals,
    join_config,
    over_natural,
    refuse,
    stage_candidates,
    survivors,
    write_layer,
)
from pipeline.augment.natural import (
    judged_by,
    layer_identity,
    made_from,
    natural_snapshot,
    quality_floors,
    recipe_of,
)
from pipeline.augment.plan import (
    Plan,
    calibration_units,
    generation_units,
    make_plan,
    translated_units,
)
from pipeline.augment.pools import sketch_languages
from pipeline.augment.stages import candidate_stages
from pipeline.augment.summary import augmentation_of, count_methods, dropped_sentences, warnings_of
from pipeline.augment.unit import Unit
from pipeline.config import PrepareConfig
from pipeline.decontaminate.items import read_evaluation
from pipeline.earlier.find import earlier_corpora
from pipeline.leftovers import remove_partial
from pipeline.parents.choose import Pool
from pipeline.parents.topics import find_topics
from pipeline.phenomena.lexicon import digests
from pipeline.prepare.context import Context
from pipeline.prepare.counts import counters as total_counters
from pipeline.prepare.counts import stage_account
from pipeline.prepare.earlier import earlier_parts
from pipeline.prepare.evaluation import index_evaluation
from pipeline.prepare.jobs import Jobs, Progress
from pipeline.prepare.read import Reading
from pipeline.stage import Stage
from pipeline.translation.cache import Cache
from pipeline.translation.config import TranslationConfig
from pipeline.translation.encoder_card import read_encoder_card
from pipeline.translation.engine import Model, read_models
from pipeline.translation.model_folders import model_folder
from pipeline.translation.routes import Routes

if TYPE_CHECKING:
    from pipeline.graphs.inference import TranslationHandler

_log = logging.getLogger(__name__)

NOTHING_NEW: Final = "nothing new to augment"
_FAST: Final = {"device", "device_indices", "threads", "translators", "batch_tokens", "cache", "keep_loaded", "models"}
"""Settings of translation that decide how fast it goes, or are told by the models' hashes, not what comes of it."""
_WORTH_WORKERS: Final = 1 << 20
"""UTF-8 bytes of a budget from which on further worker processes, which all load the models, pay."""


def augment(
    root: str,
    config: AugmentConfig,
    prepare: PrepareConfig | None = None,
    *,
    seed: int = 0,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Snapshot:
    """Make synthetic text over the last snapshot that ``prepare`` made, and commit a snapshot that holds both.

    Synthetic text of before is replaced. Work that an interrupted run with the same settings left is taken up; where
    the current snapshot has the synthetic text of these settings, nothing is done.

    Args:
        root: corpus root, a folder or an object-store URL.
        config: of the augmentation.
        prepare: of the recipe; the natural snapshot's own settings are taken where it has them.
        seed: of what is chosen and sampled.
        workers: processes of the local engine; None takes one per core where there is much to do.
        progress: called with (step, done, total) now and then.

    Returns:
        The snapshot that is current afterwards.

    Raises:
        CorpusError: there is no corpus, or another run is writing to it.
        ConfigurationError: no model is given although one is needed, or one cannot be used.
        LedgerError: candidates were lost; the last snapshot stays current.
    """
    return AugmentRun(root, config, prepare or PrepareConfig(), seed, workers, progress).execute()


class AugmentRun:
    """One call of ``augment``."""

    def __init__(
        self,
        root: str,
        config: AugmentConfig,
        prepare: PrepareConfig,
        seed: int,
        workers: int | None,
        progress: Progress | None,
    ) -> None:
        if workers is not None and workers < 1:
            raise ConfigurationError(f"--workers is {workers}", "Give a number of at least 1")
        self.root, self.config, self.given, self.seed, self.workers_asked = root, config, prepare, seed, workers
        self.progress = progress or (lambda step, done, total: None)
        self.corpus = Storage(root)
        self.clock = Clock()
        self.restarts = 0
        self.language_of: dict[str, str] = {}
        self.mixtures: dict[str, dict[str, float]] = {}
        self.pairs: dict[str, list[str]] = {}
        self.without_parents: list[str] = []
        self.inserted: dict[str, str] = {}
        self.notes: dict[str, dict[str, str]] = {}

    def prepare_plan(self) -> Plan:
        """Budgets, ways and what is missing, from the natural snapshot's evidence and the models' cards alone."""
        self.natural = natural_snapshot(self.corpus)
        self.judged = judged_by(self.natural, self.given)
        self.models = self.read_models()
        cards = [model.card for model in self.models.values()]
        self.routes = Routes(cards, self.config.translation.pivots, self.config.translation.max_hops)
        return make_plan(self.natural.languages, self.routes, self.config)

    def read_models(self) -> dict[str, Model]:
        """The models by ``name@revision``.

        Raises:
            ConfigurationError: there are none, and a method needs one.
        """
        models = read_models(self.config.translation)
        if not models and (self.config.back_translation.enabled or self.config.paraphrase.enabled):
            raise ConfigurationError(
                "augment.translation.models names no translation model",
                "Fetch one with `evenglot models fetch`, train one with `evenglot translator fit`, or switch off "
                "`augment.back_translation` and `augment.paraphrase`",
            )
        return models

    def encoder(self) -> dict[str, str]:
        """The sentence encoder of the gates by ``name@revision``; empty where they have none."""
        folder = self.config.gates.agreement_model
        if folder is None:
            return {}
        card = read_encoder_card(model_folder(folder))
        return {card.generator: fingerprint(card.files)}

    def lexicons(self) -> dict[str, str]:
        """Hash of every lexicon that phenomena are looked for with, by language.

        Raises:
            InputError: one cannot be read.
            ConfigurationError: all that is made would be near duplicates.
        """
        found = self.config.phenomena
        if not found.enabled:
            return {}
        found.check(self.judged.deduplicate.near)
        return digests(found.lexicons)

    def execute(self) -> Snapshot:
        """Run what is not done yet and commit."""
        with exclusive(self.corpus) as self.confirm:
            remove_partial(self.corpus)
            self.plan = self.prepare_plan()
            self.identity = layer_identity(
                self.natural,
                self.settings(),
                {
                    **{name: model.card.identity for name, model in self.models.items()},
                    **self.encoder(),
                    **self.lexicons(),
                },
                self.seed,
                version("evenglot"),
            )
            current = read_snapshot(self.corpus)
            if made_from(current, self.corpus, self.identity):
                self.progress(NOTHING_NEW, 1, 1)
                return current
            self.folder = f".work/{self.identity[:16]}"
            self.jobs = Jobs(self.judged.runner, self.workers(), self.progress)
            while True:
                try:
                    return self.make(current)
                except WorkerLost:
                    if self.restarts == self.judged.runner.restarts:
                        raise
                    self.restarts += 1
                    self.jobs.workers = max(1, self.jobs.workers - 1)
                    _log.warning("a worker process was killed; going on with %d", self.jobs.workers)

    def settings(self) -> dict[str, Any]:
        """What of the settings decides the outcome."""
        return self.config.model_dump(mode="json", exclude={"enabled": True, "translation": _FAST})

    def workers(self) -> int:
        """As many processes as asked for, or as suit what there is to do."""
        if self.workers_asked is not None:
            return self.workers_asked
        if self.root.startswith("memory://") or self.config.translation.device == "cuda":
            return 1
        wanted = sum(found.bytes for found in self.plan.budgets.values())
        return max(1, (os.cpu_count() or 1) // self.config.translation.threads) if wanted >= _WORTH_WORKERS else 1

    def make(self, current: Snapshot) -> Snapshot:
        """The rest of ``execute``, with the corpus to itself."""
        context = Context(
            output=self.root,
            work_url=f"{self.root.rstrip('/')}/{self.folder}",
            config=join_config(self.judged),
            seed=self.seed,
            number=current.number + 1,
            base=self.natural,
            jobs=self.jobs,
        )
        calibration, files = self.generate(context)
        facts = {name: candidate_facts(context.work, name) for name in files}
        reading, compared, layer = self.join(context, [name for name in files if facts[name][0]], facts)
        snapshot = self.snapshot(context, current, calibration, facts, compared, layer)
        self.confirm()
        # A worker outlives its killed run by a moment, and may have begun a file after this run cleaned up.
        remove_partial(self.corpus)
        commit(self.corpus, snapshot, self.account(reading))
        self.corpus.remove(self.folder)
        self.tidy_cache()
        return snapshot

    def tidy_cache(self) -> None:
        """Write and put together what a cache of the user's got: each worker leaves files of its own in it."""
        if self.config.translation.cache:
            from pipeline.graphs.inference import close_engines

            close_engines()
            cache = Cache(self.config.translation.cache)
            cache.compact()
            cache.close()

    def generate(self, context: Context) -> tuple[Calibration, list[str]]:
        """Calibrate, choose parents and make candidates; the files of candidates in order."""
        plan, config = self.plan, self.config
        languages = sorted({*plan.sources, *(lang for lang in plan.targets if plan.ways_of(lang))})
        sketches = sketch_languages(context, self.natural, languages, config.parents)
        samples = calibration_units(plan, sketches, config, self.seed)
        others = translated_units(plan, sketches, config, self.seed)
        self.run_units(context, [*samples, *others], "calibrate (units)", Calibration({}, {}))
        self.pairs = {}
        for unit in others:
            self.pairs.setdefault(unit.source, []).append(file_of(unit))
        # Where nothing is translated, paraphrases show how far from natural text the models lead.
        translated_back = frozenset(self.pairs)
        for unit in samples:
            if unit.lang not in translated_back and (name := paraphrased_file(unit)) is not None:
                self.pairs.setdefault(unit.lang, []).append(name)
        calibration = thresholds_of(context.work, samples, config.gates)
        translated = {
            pair: read_terms(context.work, [unit for unit in others if route_name(unit.lang, unit.source) == pair])
            for pair in sorted({route_name(unit.lang, unit.source) for unit in others})
        }
        pools = {
            lang: Pool.of(find_topics(sketches[lang], config.parents))
            for lang in plan.sources
            if sketches[lang].num_rows
        }
        self.without_parents = [lang for lang in plan.sources if lang not in pools]
        evidence = self.natural.languages
        units, self.notes = generation_units(plan, pools, calibration, translated, evidence, config, self.seed)
        self.run_units(context, units, "make text (units)", calibration)
        self.inserted = insertions(context, self.natural, plan, config.phenomena)
        self.language_of = {file_of(unit): unit.lang for unit in units}
        self.language_of |= {name: lang for lang, name in self.inserted.items()}
        return calibration, list(self.language_of)

    def run_units(self, context: Context, units: Sequence[Unit], step: str, calibration: Calibration) -> None:
        """Make the files of units that are not there yet."""
        from pipeline.graphs.augment import UnitsJob, units_job

        work = context.work
        waiting = list({unit.name: unit for unit in units if not work.exists(file_of(unit))}.values())
        if not waiting:
            return
        job = UnitsJob(
            context.output,
            context.work_url,
            self.config.gates,
            calibration.thresholds,
            self.judged.identify.model,
            self.config.translation,
        )
        handler = self.handler(context)
        with context.jobs.step(step, lambda: (sum(work.exists(file_of(unit)) for unit in units), len(units))):
            context.jobs.run(units_job(waiting, job, handler))

    def handler(self, context: Context) -> TranslationHandler:
        """The models, for a job."""
        from pipeline.graphs.inference import TranslationHandler

        return TranslationHandler(self.translation(context))

    def translation(self, context: Context) -> TranslationConfig:
        """The models' settings; without a cache of the user's own, translations are kept as long as the run lasts."""
        found = self.config.translation
        return found if found.cache else found.model_copy(update={"cache": f"{context.work_url}/translations"})

    def join(
        self, context: Context, files: Sequence[str], facts: Mapping[str, tuple[int, dict[str, int]]]
    ) -> tuple[Reading, Compared, Layer | None]:
        """Judge the candidates, cut them to the budgets and write what stays and what does not."""
        self.mixtures = self.natural.mixtures
        if not files:
            return Reading([], []), Compared({}), None
        index_evaluation(
            context, read_evaluation(context.config.decontaminate) if context.config.decontaminate.files else None
        )
        earlier = earlier_parts(context, earlier_corpora(self.root, self.natural, self.judged.deduplicate.against))
        counts = {name: count for name, (count, _) in facts.items()}
        reading = stage_candidates(context, files, counts, self.stages(context.work_url))
        matched = compare(context, self.natural, reading, earlier)
        found = survivors(context, reading, matched)
        refused = heldout_refusals(found)
        rows = rows_by_language(found, refused)
        likeness = compare_with_natural(
            context, self.natural, reading, found, rows, self.pairs, self.config.naturalness
        )
        compared = apply_budgets(found, refused, rows, self.plan.budgets, likeness)
        matched = refuse(context, reading, matched, found, compared.refused)
        self.mixtures = matched.mixtures
        return reading, compared, Layer.of(context, reading, write_layer(context, reading, matched))

    def stages(self, work: str) -> list[Stage]:
        """What candidates pass before they are compared."""
        floors = quality_floors(self.corpus, self.natural, self.plan.targets, self.config.gates)
        return candidate_stages(join_config(self.judged), work, self.config.gates, floors)

    def snapshot(
        self,
        context: Context,
        current: Snapshot,
        calibration: Calibration,
        facts: Mapping[str, tuple[int, dict[str, int]]],
        compared: Compared,
        layer: Layer | None,
    ) -> Snapshot:
        """Everything the manifest says of the new state."""
        natural = self.natural
        counters: dict[str, Counter[str]] = {}
        for name, (_, counted) in facts.items():
            counters.setdefault(self.language_of[name], Counter()).update(counted)
        ledger = layer.ledger if layer is not None else Ledger(read=0, kept={}, rejected={}, unreadable={})
        files = layer.files if layer is not None else []
        made = augmentation_of(
            self.identity,
            self.plan,
            natural.languages,
            self.models,
            calibration,
            count_methods(context.work, facts, context.corpus, files),
            dropped_sentences(counters),
            self.notes,
            ledger,
            compared.naturalness,
            files,
            phenomena_of(context.work, self.inserted, context.corpus, files),
        )
        alone = Snapshot(
            number=context.number,
            parent=current.number,
            made_by="augment",
            languages=layer.languages if layer is not None else {},
            mixtures=self.mixtures,
            mixture=natural.mixture,
            ledger=ledger,
            thresholds=natural.thresholds,
            threshold_facts=natural.threshold_facts,
            identifier=natural.identifier,
            augmentation=made,
            # Where translations are kept is no part of what they are.
            recipe=recipe_of(
                natural, self.config.model_dump(mode="json", exclude={"translation": {"cache"}}), self.seed
            ),
            fingerprint=fingerprint([natural.fingerprint, self.identity]),
            warnings=warnings_of(self.plan, made, self.without_parents),
            files=files,
        )
        return over_natural(natural, alone)

    def account(self, reading: Reading) -> dict[str, Any]:
        """What belongs to this run alone: times, rates, machine."""
        names = ["read", *(stage.name for stage in self.stages(""))]
        return {
            **run_account(self.clock, self.jobs.workers, self.jobs.worker_memory),
            "stages": stage_account(names, reading.pieces),
            "steps": self.jobs.steps,
            "restarts": self.restarts,
            "counters": sort(total_counters(reading.pieces)),
        }
