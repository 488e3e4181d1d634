from __future__ import annotations

import pytest

from benchmarks.gate_faults import FAULTS, Pair, Unit
from benchmarks.gates import summary, tallied, tried
from pipeline.gates.config import GateConfig
from pipeline.gates.thresholds import calibrate

TEXTS = [
    {"eng_Latn": "Clean water saves many lives here.", "swh_Latn": "Maji safi yanaokoa maisha mengi hapa kijijini."},
    {"eng_Latn": "The children went to school today.", "swh_Latn": "Watoto walikwenda shuleni leo asubuhi mapema."},
    {"eng_Latn": "She bought two fish at the market.", "swh_Latn": "Alinunua samaki wawili sokoni jana jioni."},
    {"eng_Latn": "Nobody knew where he had gone then.", "swh_Latn": "Hakuna aliyejua alikokwenda wakati ule wote."},
]
FRENCH = [
    "L’eau propre sauve des vies ici.",
    "Les enfants sont à l’école.",
    "Elle achète deux poissons.",
    "Nul ne sait.",
]
PAIR = Pair(
    "eng_Latn",
    "swh_Latn",
    [Unit(str(row), "d", {**text, "fra_Latn": FRENCH[row]}) for row, text in enumerate(TEXTS)],
    [Unit(str(row), "e", text) for row, text in enumerate(TEXTS[1:], 1)],
)


@pytest.mark.parametrize(
    ("kind", "made"),
    [
        ("wrong_language", "L’eau propre sauve des vies ici."),
        ("wrong_language_same_script", "L’eau propre sauve des vies ici."),
        ("copy", "Clean water saves many lives here."),
        ("half_copy", "Maji safi yanaokoa maisha many lives here."),
        ("first_third", "Maji safi"),
        ("two_thirds", "Maji safi yanaokoa maisha"),
        (
            "repeated_sentence",
            "Maji safi yanaokoa maisha mengi hapa kijijini. Maji safi yanaokoa maisha mengi hapa kijijini.",
        ),
        ("shuffled_alike", "Watoto walikwenda shuleni leo asubuhi mapema."),
    ],
)
def test_faults(kind: str, made: str) -> None:
    assert FAULTS[kind](PAIR, 0) == made


def test_faults_of_other_sentences_and_loops() -> None:
    assert FAULTS["looped_phrase"](PAIR, 0) == "Maji safi yanaokoa" + 4 * " safi yanaokoa"
    other = FAULTS["shuffled"](PAIR, 0)
    assert other in PAIR.targets[1:]
    assert FAULTS["appended"](PAIR, 0) == f"{PAIR.targets[0]} {other}"


def test_nothing_is_made_where_nothing_can_be() -> None:
    alone = Pair("eng_Latn", "swh_Latn", [Unit("0", "d", {"eng_Latn": "Go!", "swh_Latn": "Nenda!"})])
    for kind in ("wrong_language", "first_third", "shuffled", "shuffled_alike", "appended", "looped_phrase"):
        assert FAULTS[kind](alone, 0) is None


def test_figures_of_a_pair() -> None:
    config = GateConfig()
    found = tallied(tried(PAIR, None), calibrate(None, config), config)
    assert found["good"] == {"sentences": 4, "rejected": 0, "reasons": {}}
    assert found["copy"] == {"sentences": 4, "rejected": 4, "reasons": {"wrong_language": 4}}
    assert found["repeated_sentence"]["rejected"] == 4
    total = summary({"pair": {"defaults": found}}, "defaults")
    assert total["false_rejects"] == 0.0
    assert total["kinds"]["copy"] == {
        "sentences": 4,
        "recall": 1.0,
        "lowest_recall_of_a_pair": 1.0,
        "precision_equal": 1.0,
        "precision_rare": 1.0,
    }
