from __future__ import annotations

from collections import Counter

from pipeline.language_id.examples import Balance, build
from pipeline.language_id.sources import Unit

BALANCE = Balance(cap=3_000, floor=1_000, repeats=12, short=0.3)
LARGE = [
    Unit(
        "eng_Latn",
        f"This is sentence number {'abcdefghij'[i % 10]} of the large language, told again and again.",
        "ntrex",
        f"d{i}",
    )
    for i in range(400)
]
SMALL = [Unit("chr_Cher", "ᎯᎠ ᎪᏪᎵ ᎧᏃᎮᎭ ᏧᏁᏢᏔᏅᏒ ᏥᏌ ᎦᎶᏁᏛ ᏕᏫ ᎤᏪᏥ", "udhr", "u1")]


def test_large_languages_are_capped_and_small_ones_read_again() -> None:
    size: Counter[str] = Counter()
    for line in build(LARGE + SMALL, BALANCE):
        label, text = line.split(" ", 1)
        size[label] += len(text)
    assert 3_000 <= size["__label__eng_Latn"] <= 3_300
    assert 300 <= size["__label__chr_Cher"] <= 600  # twelve times its one sentence, no more
    assert size["__label__zxx"] > 0


def test_lines_do_not_depend_on_the_order_of_the_units() -> None:
    once = build(LARGE + SMALL, BALANCE)
    assert once == build(LARGE + SMALL, BALANCE)
    assert sorted(once) != sorted(build(LARGE + SMALL, BALANCE, seed=1))


def test_spans_are_cleaned_single_lines() -> None:
    lines = build([Unit("eng_Latn", "One, TWO!\nthree 4 http://x.example", "ntrex", "d")], BALANCE)
    spans = {line.split(" ", 1)[1] for line in lines if line.startswith("__label__eng_Latn")}
    assert spans
    assert all(span in "one two three" for span in spans)


def test_sources_of_a_language_share_its_cap() -> None:
    other = [Unit("eng_Latn", "wholly different words stand here " * 3, "stories", f"s{i}") for i in range(50)]
    text = " ".join(build(LARGE + other, BALANCE))
    assert text.count("wholly") > 5
    assert text.count("sentence") > 5
