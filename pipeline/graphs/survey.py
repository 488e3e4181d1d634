"""From the scores of all pieces to the thresholds of each language, inside the job that matches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import apache_beam as beam

from corpus.storage import Storage
from pipeline.config import PrepareConfig
from pipeline.earlier.merge import EarlierLimits
from pipeline.quality.config import FilterConfig
from pipeline.quality.survey import Survey, merge, survey
from pipeline.quality.thresholds import Derived, derive
from pipeline.work import read_without_text, write_json

Surveys = dict[str, Survey]


@dataclass(frozen=True)
class MatchTask:
    """A staged piece and its number in the run."""

    number: int
    name: str


def piece_survey(task: MatchTask, work: str, config: FilterConfig) -> Surveys:
    """What the filter must know of a piece, by language."""
    return survey(read_without_text(Storage(work), task.name), config)


class MergeSurveys(beam.CombineFn):
    """Adds surveys up."""

    def create_accumulator(self) -> Surveys:
        return {}

    def add_input(self, accumulator: Surveys, element: Surveys) -> Surveys:
        return merge([accumulator, element])

    def merge_accumulators(self, accumulators: Iterable[Surveys]) -> Surveys:
        return merge(list(accumulators))

    def extract_output(self, accumulator: Surveys) -> Surveys:
        return accumulator


def derive_limits(surveys: Surveys, config: PrepareConfig, limits: EarlierLimits | None) -> Derived:
    """The limits of a run: from its documents, and from those of the snapshot it goes on with."""
    if limits is None:
        return derive(surveys, config.filter)
    return limits.carry(derive(surveys, config.filter, limits.documents))


def write_thresholds(derived: Derived, work: str, folder: str) -> Mapping[str, Mapping[str, float]]:
    """Keep the limits and what they rest on for the driver; only the limits go on."""
    write_json(derived.thresholds, work, f"{folder}/thresholds.json")
    facts = {tag: found.model_dump(mode="json") for tag, found in derived.facts.items()}
    write_json(facts, work, f"{folder}/threshold_facts.json")
    return derived.thresholds
