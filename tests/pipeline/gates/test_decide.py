from __future__ import annotations

import numpy as np
import pytest

from corpus.config import Config
from pipeline.gates.config import Bound, GateConfig
from pipeline.gates.decide import decide
from pipeline.gates.document import assemble
from pipeline.gates.features import NAMES, SIZE, Features
from pipeline.gates.thresholds import Thresholds, calibrate, from_dict, pool
from pipeline.sentences.split import split


def features(count: int = 1, **given: float | list[float]) -> Features:
    columns = {name: np.full(count, np.nan) for name in NAMES}
    columns[SIZE] = np.full(count, 100.0)
    columns["length_ratio"] = np.ones(count)
    for name, values in given.items():
        columns[name] = np.broadcast_to(np.asarray(values, np.float64), count).copy()
    return Features(columns)


DEFAULTS = calibrate(None, GateConfig())


def test_defaults_without_a_sample() -> None:
    assert DEFAULTS.limits["min_language"] == 0.5
    assert set(DEFAULTS.origins.values()) == {"default"}
    assert DEFAULTS.sample == 0


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, None),
        ({"language": 0.49}, "wrong_language"),
        ({"language": 0.5}, None),
        ({"script": 0.2, "language": 0.1}, "wrong_script"),
        ({"repetition": 0.5}, "repetition"),
        ({"copy_rate": 0.5}, "copied"),
        ({"distance": 0.05}, "too_close"),
        ({"distance": 0.95}, "too_far"),
        ({"length_ratio": 0.3}, "too_short"),
        ({"length_ratio": 3.0}, "too_long"),
        ({"length_ratio": 0.7, "truncated": 0.5}, "truncated"),
        ({"length_ratio": 1.0, "truncated": 0.5}, None),
        ({"length_ratio": 1.0, "truncated": 1.0}, "truncated"),
        ({"numbers": 0.0}, "numbers"),
        ({"round_trip_chrf": 11.0}, "round_trip"),
        ({"round_trip_chrf": 40.0, "round_trip_margin": 1.0}, "other_content"),
        ({"agreement": 0.1}, "disagrees"),
        ({"score": -4.0}, "low_score"),
    ],
)
def test_reasons(given: dict[str, float], reason: str | None) -> None:
    assert decide(features(**given), DEFAULTS, GateConfig()).reasons == [reason]


def test_details_hold_what_decided_and_all_scores() -> None:
    found = decide(features(2, language=[0.25, 0.9], score=[-0.5, -0.5]), DEFAULTS, GateConfig())
    assert found.details == ["language 0.25 < min_language 0.5; language 0.25, length_ratio 1, score -0.5", None]


def test_empty_output() -> None:
    found = features(length_ratio=1 / 101)
    assert decide(found, DEFAULTS, GateConfig()).reasons == ["empty"]


def test_a_gate_that_is_off_judges_nothing() -> None:
    config = GateConfig(min_language=None, max_truncated=None)
    found = features(2, language=0.0, truncated=1.0)
    assert decide(found, calibrate(None, config), config).reasons == [None, None]
    assert decide(found, DEFAULTS, config).reasons == [None, None]


def test_thresholds_come_from_the_sample_within_bounds() -> None:
    language = [0.6] * 4 + [0.7] * 196
    sample = features(200, language=language, score=-0.2, round_trip_chrf=10.0, length_ratio=1.5)
    found = calibrate(sample, GateConfig(quantile=0.02, min_sample=200))
    assert found.limits["min_language"] == 0.6
    assert found.origins["min_language"] == "derived"
    assert (found.limits["min_score"], found.origins["min_score"]) == (-0.7, "strictest")
    assert (found.limits["min_round_trip"], found.origins["min_round_trip"]) == (12.0, "loosest")
    assert found.origins["min_agreement"] == "default"
    assert found.length_ratio == 1.5
    assert found.sample == 200
    assert from_dict(found.as_dict()) == found


def test_a_small_sample_takes_those_of_all_pairs() -> None:
    config = GateConfig(min_sample=100)
    pooled = features(150, language=0.55, score=[-1.0] * 150)
    found = calibrate(features(30, language=0.6, length_ratio=1.5), config, pooled)
    assert (found.limits["min_language"], found.origins["min_language"]) == (0.55, "pooled")
    assert (found.limits["min_score"], found.origins["min_score"]) == (-1.0, "pooled")
    assert found.length_ratio == 1.5
    assert calibrate(features(5, length_ratio=1.5), config).length_ratio == 1.0
    assert calibrate(features(30, length_ratio=0.3), config).length_ratio == 0.65


def test_few_sentences_of_a_pair_can_only_loosen() -> None:
    config = GateConfig(min_sample=100)
    strict = calibrate(features(30, language=0.7), config)
    assert (strict.limits["min_language"], strict.origins["min_language"]) == (0.5, "default")
    loose = calibrate(features(30, language=0.3), config, features(100, language=0.6))
    assert (loose.limits["min_language"], loose.origins["min_language"]) == (0.3, "derived")
    assert calibrate(features(19, language=0.3), config).limits["min_language"] == 0.5


def test_a_gate_may_have_a_quantile_of_its_own() -> None:
    numbers = [0.0] * 14 + [1.0] * 86
    assert calibrate(features(100, numbers=numbers), GateConfig()).limits["min_numbers"] == 0.3
    spelled = [0.0] * 16 + [1.0] * 84
    assert calibrate(features(100, numbers=spelled), GateConfig()).limits["min_numbers"] == 0.15


def test_a_language_without_final_marks_is_not_truncated() -> None:
    natural = features(100, truncated=[0.5] * 20 + [0.0] * 80, length_ratio=[0.8] * 20 + [1.0] * 80)
    found = calibrate(natural, GateConfig())
    assert found.limits["max_truncated"] == 0.5
    short = features(2, truncated=[0.5, 1.0], length_ratio=0.85)
    assert decide(short, found, GateConfig()).reasons == [None, "truncated"]
    assert decide(short, DEFAULTS, GateConfig()).reasons == ["truncated", "truncated"]


def test_ratios_of_all_pairs_are_told_from_their_own_usual_ones() -> None:
    joined = pool([features(30, length_ratio=1.5), features(30, length_ratio=0.75)])
    assert joined["length_ratio"].tolist() == [1.0] * 60


def test_no_more_than_the_quantile_of_the_sample_fails() -> None:
    values = np.linspace(0.2, 0.8, 1000)
    sample = features(1000, language=values.tolist())
    config = GateConfig(quantile=0.05, max_length_deviation=None)
    reasons = decide(sample, calibrate(sample, config), config).reasons
    assert 0.04 <= sum(reason is not None for reason in reasons) / 1000 <= 0.05


def test_bounds_by_number_and_order() -> None:
    assert GateConfig.model_validate({"min_score": -2}).min_score == Bound(strictest=-2, loosest=-2, default=-2)
    with pytest.raises(ValueError, match=r"the default 3.0 lies outside 1.0 to 2.0"):
        Bound(strictest=1.0, loosest=2.0, default=3.0)
    assert issubclass(GateConfig, Config)


LAYOUT = split("# Water\n\nClean water saves lives. Boil it. 42.\n\nThank you.\n", "eng_Latn")


def test_a_document_without_its_bad_sentences() -> None:
    outputs = ["Maji", "Maji safi yanaokoa maisha.", "Boil it.", "garbage", "Asante."]
    found = assemble(LAYOUT, outputs, [None, None, "copied", None, None], GateConfig(), "swh_Latn")
    assert found.text == "# Maji\n\nMaji safi yanaokoa maisha. 42.\n\nAsante.\n"
    assert (found.reason, found.detail) == (None, None)
    assert found.kept_share == pytest.approx(33 / 39)
    assert found.dropped == {"copied": 1}


def test_a_document_that_lost_too_much() -> None:
    outputs = ["Maji", "water", "", None, "Asante."]
    found = assemble(LAYOUT, outputs, [None, "wrong_language", None, None, None], GateConfig(), "swh_Latn")
    assert found.text is None
    assert found.reason == "wrong_language"
    assert found.detail == "kept 0.333 of the letters < min_kept_share 0.7; sentences: empty 1, wrong_language 1"
    assert found.dropped == {"empty": 1, "wrong_language": 1}


def test_a_document_with_nothing_to_translate() -> None:
    found = assemble(split("42\n\n- 12 %", "eng_Latn"), [None] * 2, [None] * 2, GateConfig(), "swh_Latn")
    assert (found.text, found.reason) == (None, "nothing_to_translate")


def test_thresholds_of_another_sample_need_no_gate() -> None:
    assert decide(features(language=0.0), Thresholds({}, {}), GateConfig()).reasons == [None]
