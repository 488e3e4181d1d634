"""What a snapshot says of its synthetic text, and what a user should look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from corpus.augmentation import (
    Augmentation,
    LanguageAugmentation,
    MethodCounts,
    Naturalness,
    PhenomenonCounts,
    UsedModel,
)
from corpus.ledger import Ledger, sort
from corpus.manifest import LanguageEvidence, ShardFile
from corpus.shards import read_table
from corpus.storage import Storage
from pipeline.augment.calibrate import Calibration
from pipeline.augment.plan import Plan
from pipeline.parents.budget import natural_bytes
from pipeline.translation.engine import Model

_SENTENCES: Final = "_sentences"
_NAMED: Final = 20
"""Languages without a model that are named one by one."""
_LITTLE: Final = 0.5
"""Part of a budget below which a warning says that it was not filled."""


def augmentation_of(
    fingerprint: str,
    plan: Plan,
    languages: Mapping[str, LanguageEvidence],
    models: Mapping[str, Model],
    calibration: Calibration,
    counted: Mapping[str, Mapping[str, MethodCounts]],
    dropped: Mapping[str, Mapping[str, int]],
    parents: Mapping[str, Mapping[str, str]],
    ledger: Ledger,
    naturalness: Mapping[str, Naturalness],
    files: Sequence[ShardFile],
    phenomena: Mapping[str, dict[str, PhenomenonCounts]],
) -> Augmentation:
    """The account of a layer.

    Args:
        fingerprint: of what it was made from.
        plan: budgets.
        languages: evidence of the natural snapshot.
        models: that were used, by ``name@revision``.
        calibration: thresholds.
        counted: by language and method; see ``count_methods``.
        dropped: sentences by language and gate.
        parents: how they were chosen, by language and method.
        ledger: of the candidates.
        naturalness: by language.
        files: that were written.
        phenomena: how often they stand in the text before and after, by language and kind.
    """
    found = {}
    for lang, budget in plan.budgets.items():
        if lang not in plan.ways and not counted.get(lang):
            continue  # of those that are large enough, or not asked for, there is nothing to say
        methods = counted.get(lang, {})
        rejected = {reason: by_lang[lang] for reason, by_lang in ledger.rejected.items() if by_lang.get(lang)}
        found[lang] = LanguageAugmentation(
            natural_bytes=natural_bytes(languages[lang]),
            budget=budget.bytes,
            why=budget.why,
            candidates=sum(one.candidates for one in methods.values()),
            kept=sum(one.kept for one in methods.values()),
            kept_bytes=sum(one.bytes for one in methods.values()),
            rejected=sort(rejected),
            dropped_sentences=sort(dropped.get(lang, {})),
            methods=dict(sorted(methods.items())),
            parents=dict(sorted(parents.get(lang, {}).items())),
            naturalness=naturalness.get(lang, Naturalness()),
        )
    return Augmentation(
        fingerprint=fingerprint,
        shards=tuple(sorted(file.path for file in files if file.kind == "text")),
        languages=found,
        thresholds={pair: dict(sorted(one.limits.items())) for pair, one in sorted(calibration.thresholds.items())},
        models={
            name: UsedModel(revision=model.card.revision, licence=model.card.licence, hash=model.card.identity)
            for name, model in sorted(models.items())
        },
        phenomena=dict(phenomena),
    )


def count_methods(
    work: Storage, candidates: Iterable[str], corpus: Storage, files: Sequence[ShardFile]
) -> dict[str, dict[str, MethodCounts]]:
    """Candidates and kept documents of every language and method, counted in their files."""
    made: Counter[tuple[str, str]] = Counter()
    kept: Counter[tuple[str, str]] = Counter()
    size: Counter[tuple[str, str]] = Counter()
    for name in candidates:
        with work.local_copy(name) as path:
            table = read_table(path).select(["lang", "origin"])
        made.update(zip(*(table.column(column).to_pylist() for column in table.column_names), strict=True))
    for file in files:
        if file.kind != "text":
            continue
        with corpus.local_copy(file.path) as path:
            table = read_table(path).select(["lang", "origin", "text"])
        lengths = pc.binary_length(table.column("text")).to_pylist()
        columns = [pc.cast(table.column(column), pa.string()).to_pylist() for column in ("lang", "origin")]
        for lang, origin, length in zip(*columns, lengths, strict=True):
            kept[lang, origin] += 1
            size[lang, origin] += length
    found: dict[str, dict[str, MethodCounts]] = {}
    for lang, origin in sorted({*made, *kept}):
        one = MethodCounts(candidates=made[lang, origin], kept=kept[lang, origin], bytes=size[lang, origin])
        found.setdefault(lang, {})[origin] = one
    return found


def dropped_sentences(counters: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """Sentences that gates took out, by language and reason.

    Args:
        counters: of the candidates of each language.
    """
    return {
        lang: {
            name.removeprefix("gates/").removesuffix(_SENTENCES): count
            for name, count in some.items()
            if name.endswith(_SENTENCES)
        }
        for lang, some in counters.items()
    }


def warnings_of(plan: Plan, made: Augmentation, without_parents: Sequence[str] = ()) -> list[str]:
    """What a user should look at: languages without models, budgets that were not filled, text unlike natural text."""
    found = list(plan.warnings[:_NAMED])
    if len(plan.warnings) > _NAMED:
        found.append(f"{len(plan.warnings) - _NAMED:,} more languages have a budget, but no model")
    found += [
        f"no document of {lang} may be a parent: look at `augment.parents` (quality, length)"
        for lang in without_parents
    ]
    for lang, one in made.languages.items():
        if one.naturalness.why:
            found.append(f"{lang}: {one.naturalness.why}; its budget shrank to {one.naturalness.share:.0%}")
        allowed = one.budget * one.naturalness.share
        if one.candidates and one.kept_bytes < _LITTLE * allowed:
            worst = max(one.rejected, key=lambda reason: one.rejected[reason], default="")
            most = f", mostly for {worst}" if worst else ""
            found.append(
                f"{lang} got {one.kept_bytes:,} of {allowed:,.0f} bytes: {one.kept:,} of {one.candidates:,} candidates "
                f"stayed{most}"
            )
    if not any(one.budget for one in made.languages.values()):
        found.append("no language has a budget of synthetic text: look at `augment.budget`")
    return found
