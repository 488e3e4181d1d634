from __future__ import annotations

import pytest

from pipeline.language_id.structure import structure

FEW = 15


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Access denied", "few_letters"),
        ("404 Not Found", "few_letters"),
        ("This sentence is long enough.", None),
        ("天气很", "few_letters"),
        ("今天天气很好", None),
        ("", None),
        ("12 34 56", None),
        ("Coming soon, please wait. " * 12, "repetition"),
        ("कृपया प्रतीक्षा करें। " * 12, "repetition"),
        ("お待ちください。" * 20, "repetition"),
        ("Row, row, row your boat gently down the stream. Merrily, merrily, life is but a dream.", None),
        ("cheap loan hotel flight bonus casino movie online free buy " * 2 + "loan cheap free hotel " * 6, "word_list"),
        ("one two three four five six seven eight nine ten " * 3, "word_list"),
        (" ".join(f"word{number}" for number in range(40)), None),
    ],
)
def test_rules(text: str, rule: str | None) -> None:
    assert structure(text, FEW) == rule


def test_a_story_that_repeats_its_lines_as_it_grows_is_a_text() -> None:
    lines = [
        "In the wood there stands a tree",
        "on the tree there grows a branch",
        "on the branch there hangs a nest",
        "in the nest there lies an egg",
        "out of the egg there comes a bird",
        "from the bird a feather falls",
        "of the feather they made a bed",
        "on the bed there sleeps a child",
    ]
    story = "\n\n".join(", ".join(reversed(lines[: number + 1])) + "." for number in range(len(lines)))
    assert structure(story, FEW) is None


def test_a_long_text_is_judged_by_its_beginning() -> None:
    assert structure("Nothing to see here, move on. " * 10_000, FEW) == "repetition"
