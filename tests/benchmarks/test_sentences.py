from __future__ import annotations

from benchmarks.sentences import judged, marks, ours, theirs, together

TEXTS = ["He said: “I go.", "You stay.”", "Then he left."]


def test_ends() -> None:
    text, ends = together(TEXTS, "eng_Latn")
    assert text == "He said: “I go. You stay.” Then he left."
    assert ends == {15, 26}
    assert ours(text, "eng_Latn") == {15, 26}
    assert marks(text, "eng_Latn") == {15, 26}
    assert theirs(text, "eng_Latn") == {26}
    assert together(["好。", "", "走。"], "zho_Hans") == ("好。走。", {2})


def test_figures() -> None:
    found = judged([[{"eng_Latn": text} for text in TEXTS]], theirs)
    assert found["languages"] == {"eng_Latn": 0.6667}
    assert (found["mean"], found["lowest"]) == (0.6667, {"eng_Latn": 0.6667})
