from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.language_id.config import SegmentConfig
from pipeline.language_id.model import load_model
from pipeline.language_id.segments import Segment, likeliest, segment

GERMAN = (
    "Unsere Nachbarin hält hinter dem Haus Bienen und bringt uns jeden Herbst ein Glas Honig. "
    "Im Winter strickt sie Handschuhe für die Kinder aus der ganzen Straße."
)
ENGLISH = (
    "My uncle repairs old clocks in a shed at the end of the garden. "
    "When they all strike at noon, the dog hides under the kitchen table and will not come out."
)
TAMIL = "எங்கள் பக்கத்து வீட்டுக்காரர் வீட்டின் பின்னால் தேனீ வளர்க்கிறார். மழை பெய்ததும் குழந்தைகள் வெளியே ஓடினார்கள்."


def test_each_language_gets_its_place() -> None:
    text = f"{GERMAN}\n\n{ENGLISH}\n{TAMIL}\n"
    found = segment(load_model(), [text], SegmentConfig(min_letters=50))[0]
    second, third = text.index("My"), text.index(TAMIL[:5])
    assert found.segments == (
        Segment("deu_Latn", 0, len(GERMAN)),
        Segment("eng_Latn", second, second + len(ENGLISH)),
        Segment("tam_Taml", third, third + len(TAMIL)),
    )
    assert found.switched == pytest.approx(0.56, abs=0.1)


def test_sentences_in_turn() -> None:
    first, second = GERMAN.split(". "), ENGLISH.split(". ")
    text = f"{first[0]}. {second[0]}. {first[1]} {second[1]}"
    found = segment(load_model(), [text], SegmentConfig(min_letters=50))[0]
    assert [part.lang for part in found.segments] == ["deu_Latn", "eng_Latn", "deu_Latn", "eng_Latn"]


def test_a_document_in_one_language_has_no_segments() -> None:
    found = segment(load_model(), [GERMAN, "", "1 2 3"], SegmentConfig())
    assert [result.segments for result in found] == [(), (), ()]
    assert [result.switched for result in found] == [0.0, 0.0, 0.0]


def test_one_foreign_sentence_in_many_is_code_switching_and_no_segment() -> None:
    quoted = "Everybody says that the weather has never been as strange as it was this year."
    found = segment(load_model(), [f"{GERMAN} {GERMAN} {quoted} {GERMAN}"], SegmentConfig())[0]
    assert found.segments == ()
    assert 0.05 < found.switched < 0.2


def test_results_do_not_depend_on_neighbours() -> None:
    texts = [f"{GERMAN}\n{ENGLISH}", TAMIL, f"{ENGLISH}\n{GERMAN}\n{TAMIL}"]
    assert segment(load_model(), texts, SegmentConfig()) == [
        segment(load_model(), [text], SegmentConfig())[0] for text in texts
    ]


def test_a_long_document_is_read_in_blocks() -> None:
    text = f"{GERMAN}\n" * 60 + f"{ENGLISH}\n" * 60
    found = segment(load_model(), [text], SegmentConfig(max_sentences=20))[0]
    assert [part.lang for part in found.segments] == ["deu_Latn", "eng_Latn"]
    assert abs(found.segments[1].start - text.index("My")) < len(text) / 20
    assert found.segments[-1].end == len(text) - 1


def test_no_documents() -> None:
    assert segment(load_model(), [], SegmentConfig()) == []


def test_a_change_must_be_worth_its_cost() -> None:
    one_odd = [[0.0, -5.0], [-3.0, 0.0], [0.0, -5.0]]
    assert likeliest(one_odd, 2.0) == [0, 0, 0]
    assert likeliest(one_odd, 1.0) == [0, 1, 0]
    assert likeliest([[-1.0, 0.0]], 2.0) == [1]


@given(
    st.lists(st.tuples(*[st.integers(-9, 0)] * 3), min_size=1, max_size=6),
    st.integers(0, 6),
)
def test_the_likeliest_sequence_is_the_best_of_all(scores: list[tuple[int, int, int]], cost: int) -> None:
    def worth(path: tuple[int, ...]) -> int:
        gained = sum(step[state] for step, state in zip(scores, path, strict=True))
        return gained - cost * sum(one != other for one, other in itertools.pairwise(path))

    best = max(worth(path) for path in itertools.product(range(3), repeat=len(scores)))
    assert worth(tuple(likeliest(scores, cost))) == best
