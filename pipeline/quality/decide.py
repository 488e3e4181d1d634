"""From scores and limits to decisions, each with the numbers that made it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpus.schema import NO_LANGUAGE, UNDETERMINED
from pipeline.quality.config import FilterConfig
from pipeline.quality.rules import RARE_RULE, RULES, STOP_RULE, Rule
from pipeline.quality.stop_words import shares
from pipeline.quality.thresholds import Thresholds, defaults
from pipeline.stage import with_column

_ORDER = (RULES[0], RARE_RULE, *RULES[1:], STOP_RULE)


class Decision(NamedTuple):
    """Why a document is rejected."""

    stage: str
    """``identify``, ``script`` or ``filter``: what the reason belongs to in the ledger."""
    reason: str
    detail: str


def decide(
    batch: pa.RecordBatch, thresholds: Mapping[str, Mapping[str, float]], config: FilterConfig
) -> list[Decision | None]:
    """Judge the documents of a batch.

    Args:
        batch: n rows with ``lang``, ``lang_score`` and the columns of the quality stage; those of the script
            stage are used where they are.
        thresholds: limits by language and rule, as ``thresholds.derive`` made them from the whole corpus; a
            language that is not there gets the defaults. A ``Thresholds`` brings the stop words along.
        config: the filter's settings.

    Returns:
        n decisions, None for a document that stays. The first rule broken decides, in the order: language,
        script, then ``RULES``.
    """
    langs = batch.column("lang")
    if not pa.types.is_dictionary(langs.type):
        langs = pc.dictionary_encode(langs)
    tags: list[str] = [*langs.dictionary.to_pylist(), UNDETERMINED]
    owners = langs.indices.fill_null(len(tags) - 1).to_numpy(zero_copy_only=False).astype(np.int64)
    decisions: list[Decision | None] = [_language(tag, config) for tag in tags]
    decisions = [decisions[owner] for owner in owners]
    _scripts(batch, tags, owners, decisions)
    if config.enabled:
        limits = {tag: {**defaults(tag, config), **thresholds.get(tag, {})} for tag in tags}
        if isinstance(thresholds, Thresholds) and thresholds.stop_words:
            batch = with_column(batch, STOP_RULE.feature, pa.array(shares(batch, thresholds.stop_words)))
        for rule in _ORDER:
            bounds = np.array([limits[tag].get(rule.name, np.nan) for tag in tags])
            if not np.isnan(bounds).all():
                _apply(rule, batch, bounds[owners], decisions)
    _candidates(batch, decisions)
    return decisions


def _candidates(batch: pa.RecordBatch, decisions: list[Decision | None]) -> None:
    """Say of documents rejected for want of a language what the best labels were."""
    index = batch.schema.get_field_index("lang_candidates")
    if index < 0:
        return
    named = batch.column(index)
    for row, decision in enumerate(decisions):
        if decision is not None and decision.stage == "identify" and named[row].is_valid:
            decisions[row] = decision._replace(detail=f"{decision.detail}; best: {named[row].as_py()}")


def _language(tag: str, config: FilterConfig) -> Decision | None:
    """What the tag alone decides."""
    if tag in config.exclude:
        return Decision("filter", "excluded_language", f"{tag} is in filter.exclude")
    language = tag.partition("_")[0]
    if language == NO_LANGUAGE and not config.keep_undetermined:
        return Decision("identify", "no_language", f"lang {tag}")
    if language == UNDETERMINED and not config.keep_undetermined:
        return Decision("identify", "undetermined", f"lang {tag}")
    if config.include and tag not in config.include:
        return Decision("filter", "excluded_language", f"{tag} is not in filter.include")
    return None


def _scripts(
    batch: pa.RecordBatch, tags: list[str], owners: npt.NDArray[np.int64], decisions: list[Decision | None]
) -> None:
    if batch.schema.get_field_index("lang_script_agrees") < 0:
        return
    agrees = batch.column("lang_script_agrees").fill_null(True).to_numpy(zero_copy_only=False)
    for row in np.flatnonzero(~agrees):
        if decisions[row] is None:
            script = batch.column("script")[row].as_py()
            share = batch.column("script_share")[row].as_py()
            decisions[row] = Decision(
                "script", "script_mismatch", f"lang {tags[owners[row]]}, but {share:.0%} of the letters are {script}"
            )


def _apply(
    rule: Rule, batch: pa.RecordBatch, bounds: npt.NDArray[np.float64], decisions: list[Decision | None]
) -> None:
    values = batch.column(rule.feature).to_numpy(zero_copy_only=False)
    # Compared in the column's own precision: a limit that a value was written as must not cut that value off.
    limits = bounds.astype(values.dtype)
    broken = values < limits if rule.side == "min" else values > limits
    if rule.guard is not None:
        feature, least = rule.guard
        broken &= batch.column(feature).to_numpy(zero_copy_only=False) >= least
    sign = "<" if rule.side == "min" else ">"
    for row in np.flatnonzero(broken):
        if decisions[row] is None:
            detail = f"{rule.feature} {values[row]:.4g} {sign} {rule.name} {bounds[row]:.4g}"
            decisions[row] = Decision(rule.stage, rule.reason, detail)
