"""The benchmark of rare phenomena: what it calls a near copy, and what it counts."""

from __future__ import annotations

from benchmarks.phenomena import folded, lexicon, near_copies, with_a_sentence

STORY = (
    "The miller rose before dawn and opened the sluice. Water ran over the old wheel. His daughter carried the grain. "
    "A cart came down from the hill farms. Its driver wanted two sacks by noon. They spoke of the weather for a while. "
    "Then the stones began to turn. Flour fell into the trough like snow."
)
OTHER = "Ships lay in the harbour. Nobody had seen the captain since Friday. Gulls cried over the empty market."


def test_a_document_with_one_sentence_more_is_a_near_copy() -> None:
    (copy,) = with_a_sentence([STORY, OTHER], "eng_Latn")
    assert copy == STORY.replace("noon. They", "noon. Ships lay in the harbour. They")
    assert near_copies([copy], [STORY, OTHER]) == 1
    assert near_copies([copy], [OTHER]) == 0
    assert near_copies([OTHER, OTHER], []) == 1
    assert near_copies([], [STORY]) == 0


def test_text_is_folded_as_features_are() -> None:
    assert folded("Ça 1948 Ж") == "ça 0000 ж"


def test_the_lexicon_has_regular_forms_once_each() -> None:
    lines = list(lexicon())
    assert lines[0] == "-soma\tninasoma\tV;PRS;1;SG\n"
    assert len({line.split("\t")[1] for line in lines}) == len(lines) == 32 * 36
