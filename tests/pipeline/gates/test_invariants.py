from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.gates.config import GateConfig
from pipeline.gates.decide import decide
from pipeline.gates.document import assemble
from pipeline.gates.features import NAMES, measure
from pipeline.gates.rules import REASONS
from pipeline.gates.thresholds import calibrate
from pipeline.sentences.split import split

RANGES = {
    "language": (0, 1),
    "script": (0, 1),
    "repetition": (0, 1),
    "copy_rate": (0, 1),
    "length_ratio": (0, np.inf),
    "truncated": (0, 1),
    "numbers": (0, 1),
    "round_trip_chrf": (0, 100.0001),
    "round_trip_margin": (-100.0001, 100.0001),
}
PIECES = st.sampled_from(
    ["water ", "maji ", "水", "नदी ", "12 ", "1.5 ", "!", "\ud800", "\n", "ha", "Ann ", "።", "e\u0301"]
)
TEXT = st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=12).map("".join))
ROW = st.tuples(st.one_of(st.none(), TEXT), TEXT, st.one_of(st.none(), TEXT))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(ROW, max_size=6),
    st.sampled_from([("eng_Latn", "swh_Latn"), ("eng_Latn", "zho_Hans"), ("qaa_Latn", "und")]),
)
def test_any_text_can_be_measured_and_judged(
    rows: list[tuple[str | None, str, str | None]], pair: tuple[str, str]
) -> None:
    sources, outputs, back = ([row[place] for row in rows] for place in range(3))
    found = measure(
        sources, [output or "" for output in outputs], round_trips=back, source_lang=pair[0], target_lang=pair[1]
    )
    for name, (low, high) in RANGES.items():
        values = found[name][~np.isnan(found[name])]
        assert ((values >= low) & (values <= high)).all(), name
    judged = decide(found, calibrate(found, GateConfig()), GateConfig())
    assert all(reason is None or reason in REASONS for reason in judged.reasons)
    assert [reason is None for reason in judged.reasons] == [detail is None for detail in judged.details]
    assert len(NAMES) == len(set(NAMES))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=150), st.floats(0, 0.4), st.floats(0, 0.4))
def test_a_larger_quantile_never_rejects_less(language: list[float], one: float, other: float) -> None:
    found = measure(["a b c d"] * len(language), ["e"] * len(language), source_lang="eng_Latn", target_lang="qaa_Latn")
    found = type(found)({**found.columns, "language": np.array(language)})
    limits = [
        calibrate(found, GateConfig(quantile=quantile, min_sample=1)).limits["min_language"]
        for quantile in sorted((one, other))
    ]
    assert limits[0] <= limits[1]


@given(st.lists(st.sampled_from(["Water is life.", "Go!", "42.", "\n", "\n\n", "- "]), max_size=12), st.data())
def test_a_document_holds_what_passed_and_nothing_else(parts: list[str], data: st.DataObject) -> None:
    layout = split(" ".join(parts), "eng_Latn")
    outputs = [f"maji{number}" for number in range(len(layout.sentences))]
    reasons = [data.draw(st.sampled_from([None, "copied"])) for _ in outputs]
    found = assemble(layout, outputs, reasons, GateConfig(min_kept_share=0), "swh_Latn")
    plain = [row for row, copied in enumerate(layout.passthrough) if not copied]
    assert sum(found.dropped.values()) == sum(reasons[row] is not None for row in plain)
    kept = [outputs[row] for row in plain if reasons[row] is None]
    assert (found.text is None) == (not kept)
    if found.text is not None:
        assert [word for word in found.text.split() if word.startswith("maji")] == kept
