from __future__ import annotations

from evenglot.inspect.difference import Change, difference


def test_equal_texts_differ_in_nothing() -> None:
    assert difference("the same\nwords", "the  same words ") == []
    assert difference("", "") == []


def test_one_changed_word_with_what_surrounds_it() -> None:
    first = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
    assert difference(first, first.replace("seven", "7")) == [
        Change("gap", "2 unchanged"),
        Change("same", "three four five six"),
        Change("removed", "seven"),
        Change("added", "7"),
        Change("same", "eight nine ten eleven"),
        Change("gap", "3 more, unchanged"),
    ]


def test_a_text_that_was_cut_and_one_with_more_before_it() -> None:
    assert difference("a b c", "a b") == [Change("same", "a b"), Change("removed", "c")]
    assert difference("a b", "x y a b") == [Change("added", "x y"), Change("same", "a b")]
    long = " ".join(str(number) for number in range(100))
    assert difference(f"a {long}", "a") == [
        Change("same", "a"),
        Change("removed", f"{' '.join(map(str, range(16)))} ... 76 ... {' '.join(map(str, range(92, 100)))}"),
    ]


def test_characters_where_no_spaces_part_words() -> None:
    assert difference("夜里河水上涨", "夜里江水上涨", spaced=False) == [
        Change("same", "夜里"),
        Change("removed", "河"),
        Change("added", "江"),
        Change("same", "水上涨"),
    ]


def test_many_changes_are_summed_up() -> None:
    first = " ".join(f"w{number} x" for number in range(20))
    second = " ".join(f"w{number} y" for number in range(20))
    found = difference(first, second, most=2)
    assert found[-1] == Change("gap", "18 more changes")
    assert [change.text for change in found if change.kind == "removed"] == ["x", "x"]


def test_beyond_what_is_compared_in_detail_the_rest_counts_as_changed() -> None:
    first, second = "a " * 4000 + "b", "c " * 4000 + "d"
    found = difference(first, second)
    assert [change.kind for change in found] == ["removed", "added", "removed", "added"]
    assert found[-1].text.endswith("c d")
