"""Staged pieces to decisions: thresholds, exact duplicates, then near ones; with them held-out bounds and mixtures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from corpus.hashing import fingerprint
from corpus.manifest import Snapshot, ThresholdFacts
from corpus.mixtures import relative_weights
from pipeline.balance.mixtures import stored_mixtures
from pipeline.earlier.documents import EarlierPart
from pipeline.earlier.filter import new_keys
from pipeline.earlier.merge import EarlierLimits
from pipeline.match import merge_sketches
from pipeline.prepare.context import Context
from pipeline.prepare.decisions import Decisions
from pipeline.prepare.near import near_duplicates
from pipeline.prepare.read import Reading
from pipeline.quality.thresholds import Thresholds, stop_words_of
from pipeline.split.config import SplitConfig
from pipeline.split.heldout import SplitSketch
from pipeline.work import json_files


@dataclass(frozen=True)
class Matched:
    """What was decided on the documents of a run."""

    decisions: Decisions
    bounds: dict[str, int]
    """Held-out bound of each language."""
    mixtures: dict[str, dict[str, float]]
    """Stored mixtures by name."""
    weights: dict[str, float]
    """Of the recipe's mixture, relative to the languages' sizes."""
    thresholds: dict[str, dict[str, float]]
    facts: dict[str, ThresholdFacts]
    """Where the thresholds come from."""
    near: dict[str, Any] | None
    """Account of the search for near duplicates; None where there was none."""


def match(
    context: Context, reading: Reading, earlier: Sequence[EarlierPart], limits: EarlierLimits | None = None
) -> Matched:
    """Thresholds, duplicates, held-out bounds; then mixtures and weights.

    Args:
        context: of the run.
        reading: its pieces.
        earlier: documents that are compared as well, and stay.
        limits: that are carried on; None takes those of the snapshot that the run goes on with.
    """
    from pipeline.graphs.match import match_job
    from pipeline.graphs.new_keys import new_keys_job

    config, jobs = context.config, context.jobs
    names = [piece.name for piece in reading.pieces]
    # Decisions rest on all pieces and on thresholds derived from them; other pieces have another folder.
    decisions = Decisions(context.work_url, f"match/{fingerprint(names)[:16]}")
    keys = None
    if earlier:
        keys = new_keys(context.work_url, f"{decisions.folder}/new", reading.rows)
        if not decisions.is_done("new"):
            with jobs.step("keys of new documents", lambda: (0, len(names))):
                jobs.run(new_keys_job(names, keys))
            decisions.mark_done("new")
    near = config.deduplicate.near
    exact = f"{decisions.folder}/{'exact' if near.enabled else 'final'}"
    if not decisions.is_done("exact"):
        with jobs.step("thresholds, exact duplicates (pieces)", context.files_in(exact, ".arrow", len(names))):
            if limits is None and context.base is not None:
                limits = EarlierLimits.of(context.base)
            known = (earlier, keys, limits)
            job = match_job(names, context.work_url, decisions.folder, config, context.seed, *known)
            jobs.run(job, reading.rows)
        decisions.mark_done("exact")
    account = near_duplicates(context, decisions, reading, earlier, keys) if near.enabled else None
    found = dict(json_files(context.work, decisions.folder))
    facts = {lang: ThresholdFacts.model_validate(fields) for lang, fields in found.get("threshold_facts", {}).items()}
    sketches, before = (
        {lang: SplitSketch.of(fields) for lang, fields in found.get(name, {}).items()}
        for name in ("sketches", "earlier_sketches")
    )
    bounds, sizes = bounds_and_sizes(sketches, before, context.base, config.split)
    mixtures = stored_mixtures(sizes, config.balance)
    present = {lang: size for lang, size in sizes.items() if size > 0}
    return Matched(
        decisions=decisions,
        bounds=bounds,
        mixtures=mixtures,
        weights=relative_weights(mixtures[config.balance.mixture], present) if mixtures else {},
        thresholds=Thresholds(found.get("thresholds", {}), stop_words_of(facts)),
        facts=facts,
        near=account,
    )


def bounds_and_sizes(
    new: Mapping[str, SplitSketch],
    before: Mapping[str, SplitSketch],
    base: Snapshot | None,
    config: SplitConfig,
) -> tuple[dict[str, int], dict[str, int]]:
    """Held-out bounds of the languages that have new documents, and bytes of training text of all languages.

    Earlier documents lie where they lie; they count when the bound of a language is found.

    Args:
        new: sketches of this run's documents.
        before: of those of the snapshot that it goes on with.
        base: that snapshot.
        config: how much is held out.
    """
    merged = merge_sketches([before, new], config)
    bounds = {lang: merged[lang].bound(config) for lang in new}
    sizes = {} if base is None else {lang: known.bytes for lang, known in base.languages.items()}
    for lang, sketch in new.items():
        sizes[lang] = sizes.get(lang, 0) + sketch.bytes - sketch.under(bounds[lang], config)
    return bounds, {lang: sizes[lang] for lang in sorted(sizes)}
