from __future__ import annotations

import json
from math import log
from pathlib import Path

import numpy as np
import pytest

from corpus.errors import ConfigurationError
from sampler.index import TokenCorpus
from trainer.weighting.baseline import baselines, entropy, token_counts


def nothing(lang: str) -> np.ndarray:
    raise AssertionError(f"{lang} was read")


def test_entropy_of_a_sample_with_the_correction_for_its_size() -> None:
    assert entropy(np.array([4, 4, 0])) == pytest.approx(log(2) + 1 / 16)
    assert entropy(np.array([0, 0])) == 0.0


def test_none_and_a_file(tmp_path: Path) -> None:
    assert baselines("none", ["a", "b"], nothing) == [0.0, 0.0]
    table = tmp_path / "table.json"
    table.write_text(json.dumps({"b": 1.5, "a": 2, "c": 0}))
    assert baselines(str(table), ["a", "b"], nothing) == [2.0, 1.5]


def test_unigram_counts_the_tokens_of_the_corpus(tiny_corpus: str) -> None:
    corpus = TokenCorpus(tiny_corpus, "bytes", "train")
    counts = token_counts(corpus.documents("ell_Grek"), 261)
    assert int(counts.sum()) == corpus.snapshot.languages["ell_Grek"].tokens["bytes"]
    found = baselines("unigram", ["ell_Grek"], lambda lang: token_counts(corpus.documents(lang), 261))
    assert found == [entropy(counts)]
    assert 2.0 < found[0] < log(261)


@pytest.mark.parametrize(
    ("text", "match"),
    [('{"a": 1}', "it has no figure for b"), ("[1]", "is no table"), ("{", "is no table"), (None, "cannot be read")],
)
def test_what_is_no_table(text: str | None, match: str, tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigurationError, match=match):
        baselines(str(path), ["a", "b"], nothing)
