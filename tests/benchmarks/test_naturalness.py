"""How text is spoilt for the benchmark of naturalness, and what is said of it."""

from __future__ import annotations

from benchmarks.naturalness import copied, poor, shuffled, summary, swapped, table
from pipeline.naturalness.config import NaturalnessConfig
from pipeline.naturalness.measure import Measure, Naturalness

TEXT = " ".join(f"w{number}" for number in range(200)) + "\nlast line"


def test_a_share_of_the_words_is_swapped() -> None:
    assert swapped(TEXT, 0) == TEXT
    few = swapped(TEXT, 0.1).split()
    moved = sum(one != other for one, other in zip(few, TEXT.split(), strict=True))
    assert 20 <= moved <= 60  # two words for each of some twenty places
    assert sorted(few) == sorted(TEXT.split())
    assert swapped(TEXT, 0.1).endswith("\nlast line")


def test_text_is_spoilt_by_rule() -> None:
    assert sorted(shuffled(TEXT, "").split("\n")[0].split()) == sorted(TEXT.split("\n")[0].split())
    assert shuffled(TEXT, "") != TEXT
    english = copied(TEXT, "the ship").split()
    assert 40 <= sum(word in ("the", "ship") for word in english) <= 80
    assert poor(TEXT, "").split()[:16] == [f"w{number}" for number in [*range(8), *range(8)]]


def test_the_summary_counts_what_shrinks() -> None:
    near = Naturalness("a", 40, {"ngrams": Measure(0.2, 0.1, 0.2)})
    far = Naturalness("b", 40, {"ngrams": Measure(0.78, 0.105, 0.78)})
    found = summary([("arm", "a", near), ("arm", "b", far), ("arm", "c", Naturalness("c", 0, {}))], NaturalnessConfig())
    assert found["arm"]["cases"] == 2
    assert found["arm"]["shrink"] == 1
    assert found["arm"]["mean_share"] == 0.75  # (1 + (1 - 0.675) / (1 - 0.35)) / 2
    assert found["arm"]["measures"]["ngrams"]["quantiles"][0] == 0.2
    assert table(found).split("\n")[2] == "| arm | 2 | 1 | 0.75 | 0.49 (0.20-0.78) |"
