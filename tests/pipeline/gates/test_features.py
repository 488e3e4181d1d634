from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.gates.chrf import chrf, margin
from pipeline.gates.features import NAMES, SIZE, Features, concat, measure

SWAHILI = "Maji safi yanaokoa maisha ya watoto wengi katika vijiji vyetu kila mwaka."
ENGLISH = "Clean water saves the lives of many children in our villages every year."


def one(source: str | None, output: str, target: str = "swh_Latn", source_lang: str = "eng_Latn") -> Features:
    return measure([source], [output], source_lang=source_lang, target_lang=target)


def value(features: Features, name: str) -> float:
    return float(features[name][0])


def test_a_good_translation() -> None:
    found = one(ENGLISH, SWAHILI).row(0)
    assert found.pop("language") > 0.95
    assert found == {"script": 1.0, "repetition": 0.0, "copy_rate": 0.0, "length_ratio": 1.033, "truncated": 0.0}


def test_natural_text_is_measured_without_a_source() -> None:
    found = one(None, SWAHILI).row(0)
    assert found.pop("language") > 0.95
    assert found == {"script": 1.0, "repetition": 0.0}


def test_a_copy_is_in_the_wrong_language_and_copied() -> None:
    found = one(ENGLISH, ENGLISH)
    assert value(found, "language") < 0.05
    assert value(found, "copy_rate") == 1.0
    half = "Maji safi yanaokoa maisha ya watoto wengi " + "in our villages every year."
    assert value(one(ENGLISH, half), "copy_rate") == pytest.approx(5 / 11)


def test_names_and_numbers_are_no_copies() -> None:
    source = "Wanjiru Kamau Ndegwa met 300 people of Nairobi in 2019 and left."
    output = "Wanjiru Kamau Ndegwa alikutana na watu 300 wa Nairobi mwaka 2019 akaondoka."
    assert value(one(source, output), "copy_rate") == 0.0
    assert math.isnan(value(one("Nairobi!", "Nairobi!"), "copy_rate"))


@pytest.mark.parametrize(
    ("output", "share"),
    [
        ("maji safi ya kunywa", 0.0),
        ("watoto wengi wengi sana", 0.0),
        ("a b c a b c", 0.5),
        ("maji maji maji maji", 0.75),
        ("one two three four one two three four five six", 0.4),
        ("x one two one two one two", 4 / 7),
        ("水水水水水", 0.8),
        ("我们喝水我们喝水", 0.5),
        ("haha", 0.0),
        ("hahahahaha", 0.8),
    ],
)
def test_repetition(output: str, share: float) -> None:
    assert value(one("A sentence that repeats nothing at all.", output), "repetition") == pytest.approx(share)


def test_what_the_source_repeats_may_be_repeated() -> None:
    assert value(one("Row, row, row, row!", "Makasia, makasia, makasia, makasia!"), "repetition") == 0.0


@pytest.mark.parametrize(
    ("source", "output", "value_"),
    [
        ("It ends.", "Inaisha.", 0.0),
        ("It ends.", "Inaisha", 0.5),
        ("It ends!", "终于结束了！", 0.0),
        ("“It ends.”", "„Es endet.“", 0.0),
        ("यह अंत है।", "It ends.", 0.0),
        ("A title", "Kichwa", math.nan),
    ],
)
def test_truncated(source: str, output: str, value_: float) -> None:
    assert value(one(source, output), "truncated") == pytest.approx(value_, nan_ok=True)


def test_the_limit_of_length_was_reached() -> None:
    found = measure(["It ends."], ["Inaisha."], source_lang="eng_Latn", target_lang="swh_Latn", cut=[True])
    assert value(found, "truncated") == 1.0


@pytest.mark.parametrize(
    ("source", "output", "share"),
    [
        ("In 2019 they had 1,250 goats.", "Mwaka 2019 walikuwa na mbuzi 1.250.", 1.0),
        ("In 2019 they had 12 goats.", "Mwaka 2019 walikuwa na mbuzi.", 2 / 3),
        ("Worth 11 million.", "价值1100万。", 1.0),
        ("In 2 million years.", "200万年后。", 1.0),
        ("At 4:40 he left.", "Il partit à 04h40.", 1.0),
        ("They had goats.", "Walikuwa na mbuzi 300.", 0.0),
        ("They had 3 goats.", "Walikuwa na mbuzi watatu.", math.nan),
        ("वर्ष २०१९ में", "in the year 2019", 1.0),
        ("12 000 personnes", "12,000 people", 1.0),
    ],
)
def test_numbers(source: str, output: str, share: float) -> None:
    assert value(one(source, output), "numbers") == pytest.approx(share, nan_ok=True)


def test_length_counts_dense_scripts_for_more() -> None:
    found = one("Clean water.", "干净的水。", "zho_Hans")
    assert value(found, SIZE) == 11
    assert value(found, "length_ratio") == pytest.approx((1 + 4 * 2.7 + 1) / 12)


def test_script() -> None:
    assert value(one(ENGLISH, "स्वच्छ जल water", "hin_Deva"), "script") == pytest.approx(8 / 13)
    assert math.isnan(value(one(ENGLISH, "123", "hin_Deva"), "script"))


def test_a_short_sentence_is_judged_with_its_document() -> None:
    outputs = [SWAHILI, "Ndiyo.", ENGLISH, "Ndiyo."]
    found = measure([ENGLISH] * 4, outputs, source_lang="eng_Latn", target_lang="swh_Latn", documents=[7, 7, 3, 3])
    alone = measure([ENGLISH], ["Ndiyo."], source_lang="eng_Latn", target_lang="swh_Latn")
    language = found["language"]
    assert language[0] > 0.95
    assert language[2] < 0.05
    assert language[1] > language[3]
    assert language[1] - language[3] == pytest.approx((1 - 5 / 15) * 0.99, abs=0.05)
    assert 0 <= value(alone, "language") <= 1


def test_relatives_count_as_the_target_but_never_the_source() -> None:
    malay = "Kerajaan Malaysia berkata bahawa mesyuarat itu akan diadakan pada hari Isnin di Kuala Lumpur."
    assert value(one(ENGLISH, malay, "ind_Latn"), "language") > 0.9
    assert value(one(ENGLISH, malay, "ind_Latn", "zsm_Latn"), "language") < 0.3


def test_an_unknown_language_is_not_measured() -> None:
    assert math.isnan(value(one(ENGLISH, SWAHILI, "qaa_Latn"), "language"))


def test_paraphrases_have_a_distance_instead_of_a_copy_rate() -> None:
    found = one(ENGLISH, ENGLISH, "eng_Latn")
    assert value(found, "distance") == 0.0
    assert math.isnan(value(found, "copy_rate"))
    other = one(ENGLISH, "Every year many children in our villages live because of clean water.", "eng_Latn")
    assert value(other, "distance") == pytest.approx(1 - 0.6386, abs=0.2)


def test_round_trip_score_and_embeddings_are_passed_on() -> None:
    found = measure(
        [ENGLISH, ENGLISH],
        [SWAHILI, SWAHILI],
        round_trips=[ENGLISH, None],
        scores=[-0.25, -1.0],
        embeddings=(np.array([[1.0, 0.0], [0.0, 0.0]]), np.array([[1.0, 1.0], [1.0, 0.0]])),
        source_lang="eng_Latn",
        target_lang="swh_Latn",
    )
    assert found["round_trip_chrf"][0] == 100.0
    assert math.isnan(found["round_trip_chrf"][1])
    assert found["score"].tolist() == [-0.25, -1.0]
    assert found["agreement"][0] == pytest.approx(math.sqrt(0.5))
    assert math.isnan(found["agreement"][1])


def test_chrf_is_that_of_sacrebleu() -> None:
    assert chrf(["the cat sat", None, ""], ["the cat sat down", "a", "b"]) == pytest.approx(
        [66.02, math.nan, 0.0], nan_ok=True, abs=0.1
    )


def test_nothing_and_broken_text() -> None:
    empty = measure([], [], source_lang="eng_Latn", target_lang="swh_Latn")
    assert len(empty) == 0
    odd = measure(["a\ud800b.", ""], ["\ud800", ""], source_lang="eng_Latn", target_lang="swh_Latn")
    assert len(concat([empty, odd])) == 2
    assert set(odd.columns) == {*NAMES, SIZE}


def test_a_sentence_is_measured_alike_in_any_batch() -> None:
    sources = [ENGLISH, "It ends.", "12 goats"] * 5
    outputs = [SWAHILI, "Inaisha", "mbuzi mbuzi mbuzi 12"] * 5
    documents = list(range(15))
    both = measure(sources, outputs, source_lang="eng_Latn", target_lang="swh_Latn", documents=documents)
    for row in range(3):
        alone = one(sources[row], outputs[row])
        assert both.row(row + 9) == alone.row(0)


def test_the_margin_is_taken_from_the_nearest_other_sources() -> None:
    sources = [
        "the cat sat here",
        "the dog ran off",
        "a bird",
        "the cat sat here",
        "a very long sentence about nothing",
    ]
    back = ["the cat sat there", None, "a bird", "the dog ran off", ""]
    scores = chrf(back, sources)
    found = margin(back, sources, scores)
    near = chrf(["the cat sat there"] * 2, ["the dog ran off", "a bird"])
    assert found[0] == pytest.approx(scores[0] - near.mean())
    assert math.isnan(found[1])
    assert found[2] == pytest.approx(100 - chrf(["a bird"] * 2, ["the dog ran off", "the cat sat here"]).mean())
    assert found[3] < -20
    assert found[4] == 0.0
    assert np.isnan(margin(["a"], ["a"], chrf(["a"], ["a"]))).all()
    assert np.isnan(margin(["a", "b"], ["a", "a"], chrf(["a", "b"], ["a", "a"]))).all()
