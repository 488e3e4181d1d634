from __future__ import annotations

from corpus.ledger import Ledger
from corpus.parallel import ParallelText
from evenglot.cli.parallel import parallel_result, parallel_text, retrieval_text

TEXT = ParallelText(
    fingerprint="0" * 32,
    ledger=Ledger(
        read=13,
        kept={"eng_Latn": 4, "swh_Latn": 5},
        rejected={"parallel/alone": {"eng_Latn": 1}, "parallel/copy": {"eng_Latn": 1, "swh_Latn": 1}},
        unreadable={"truncated_json": 1},
    ),
    groups={"heldout": 1, "train": 3},
    tokens={"eng_Latn": 40},
    pairs={"train": {"eng_Latn-swh_Latn": 3}, "heldout": {"eng_Latn-swh_Latn": 1}},
)


def test_what_tokenize_says() -> None:
    assert parallel_text(TEXT) == (
        "parallel text: 9 of 13 sentences in 3 training and 1 held-out groups, 1 language pairs; "
        "left out: copy 2, alone 1; 1 lines could not be read\n"
    )
    assert parallel_text(None) == ""
    result = parallel_result(TEXT)["parallel"]
    assert (result["read"], result["kept"], result["rejected"], result["unreadable"]) == (13, 9, 3, 1)
    assert parallel_result(None) == {}


def test_what_evaluate_says() -> None:
    mean = {"cosine": 0.25, "margin": 0.5, "centred": 0.75, "chance": 0.01, "embeddings": 0.1}
    assert retrieval_text({"pairs": {"a-b": {}}, "mean": mean}).plain == (
        "\ntranslations found among 1 pairs of languages: 25.0% by cosine, 50.0% by margin, 75.0% with languages "
        "centred (chance 1.0%, token embeddings 10.0%)"
    )
    assert retrieval_text(None).plain == ""
