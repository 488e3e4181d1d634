from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipeline.language_id.sentences import sentences


def cut(text: str, longest: int = 300) -> list[str]:
    bounds = sentences(text, longest)
    return [text[start:end] for start, end in pairwise(bounds)]


def test_final_marks_of_many_scripts_end_a_sentence() -> None:
    assert cut('He came. "Why?" Nobody knew…\nA line') == ["He came. ", '"Why?" ', "Nobody knew…\n", "A line"]
    assert cut("वह आया। सब चुप थे॥ फिर") == ["वह आया। ", "सब चुप थे॥ ", "फिर"]
    assert cut("今日は晴れ。明日は雨？「はい。」終わり") == ["今日は晴れ。", "明日は雨？", "「はい。」", "終わり"]
    assert cut("ماذا؟ لا أعلم. نعم") == ["ماذا؟ ", "لا أعلم. ", "نعم"]
    assert cut("version 3.14 of a.example") == ["version 3.14 of a.example"]


def test_long_sentences_are_cut_at_white_space() -> None:
    assert cut("aaaa bbbb cccc dddd", 10) == ["aaaa bbbb ", "cccc dddd"]
    assert cut("a" * 25, 10) == ["a" * 10, "a" * 10, "a" * 5]


def test_no_text() -> None:
    assert sentences("") == [0]


@given(st.text(alphabet="ab .\n。\u0964", max_size=200), st.integers(4, 50))
def test_sentences_cover_the_text_in_order(text: str, longest: int) -> None:
    bounds = sentences(text, longest)
    assert bounds[0] == 0
    assert bounds[-1] == len(text)
    assert bounds == sorted(set(bounds))
    assert "".join(cut(text, longest)) == text
    assert all(len(part.rstrip()) <= longest for part in cut(text, longest))
