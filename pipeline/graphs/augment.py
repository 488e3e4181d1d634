"""The job that makes text: units -> parents' sentences -> translations -> round trips -> files.

Its elements are units, a few parents each; their text is read where it lies, passes the models inside one worker and is
written there. Calibration and generation have the same graph, which has the same size for any number of languages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import apache_beam as beam
from apache_beam.metrics.metric import Metrics
from apache_beam.ml.inference.base import RunInference

from corpus.augmentation import route_name
from corpus.storage import Storage
from pipeline.augment.calibrate import sample_batch, write_sample
from pipeline.augment.files import file_of, paraphrased_file, write_candidates, write_paraphrased, write_terms
from pipeline.augment.generate import Asked, backward, finish, forward, load, measured
from pipeline.augment.unit import CALIBRATION, TRANSLATED, Unit
from pipeline.gates.agreement import load_encoder
from pipeline.gates.config import GateConfig
from pipeline.gates.thresholds import Thresholds
from pipeline.graphs.deal import Build, dealt
from pipeline.graphs.inference import Translated, TranslationHandler
from pipeline.translation.config import TranslationConfig


@dataclass(frozen=True)
class UnitsJob:
    """What all units need; small enough to be sent to each worker."""

    corpus: str
    work: str
    gates: GateConfig
    thresholds: Mapping[str, Thresholds]
    """By pair; empty while calibrating."""
    identify: str | tuple[str, ...]
    """Model of language identification."""
    translation: TranslationConfig
    """Device and arithmetic of the sentence encoder, where the gates ask for one."""


def units_job(units: Sequence[Unit], job: UnitsJob, handler: TranslationHandler) -> Build:
    """Make the files of some units.

    Args:
        units: those whose files are not there.
        job: what they have in common.
        handler: of the models.
    """

    def build(pipeline: beam.Pipeline) -> None:
        _ = (
            dealt(pipeline, "units", units)
            | "load" >> beam.FlatMap(load_unit, job)
            | "translate" >> RunInference(handler)
            | "turn" >> beam.Map(turn)
            | "translate back" >> RunInference(handler)
            | "finish" >> beam.Map(finish_unit, job)
        )

    return build


def load_unit(unit: Unit, job: UnitsJob) -> Iterator[Asked]:
    """What a unit asks of the models, unless its file is there: an engine may ask for it twice."""
    if not Storage(job.work).exists(file_of(unit)):
        yield forward(load(unit, Storage(job.corpus)))


def turn(found: Translated) -> Asked:
    """The translations of a unit on their way back."""
    return backward(_asked(found), found.translations)


def finish_unit(found: Translated, job: UnitsJob) -> None:
    """Judge what came of a unit and write its file."""
    asked = _asked(found)
    assert asked.loaded is not None
    unit, work = asked.loaded.unit, Storage(job.work)
    if unit.purpose == TRANSLATED:
        write_terms(work, unit, asked, found.translations)
        return
    folder = job.gates.agreement_model
    encoder = load_encoder(folder, job.translation) if folder is not None else None
    features = measured(asked, found.translations, job.identify, encoder)
    if unit.purpose == CALIBRATION:
        # Before the sample, which says that the unit is done.
        if (paraphrased := paraphrased_file(unit)) is not None:
            write_paraphrased(work, paraphrased, asked)
        write_sample(work, unit, sample_batch(asked, features))
        return
    made = finish(asked, features, job.thresholds[route_name(unit.source, unit.lang)], job.gates)
    for name, count in made.counters.items():
        Metrics.counter("augment", name).inc(count)
    write_candidates(work, unit, made)


def _asked(found: Translated) -> Asked:
    assert isinstance(found.request, Asked)
    return found.request
