"""What packing costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from corpus.errors import ConfigurationError
from sampler import CurriculumStream, SamplerConfig, packing_report


def report(root: str, start: int, stop: int, **settings: Any) -> tuple[int, ...]:
    config = SamplerConfig(row_tokens=8, block_rows=16, mixture="uniform", **settings)
    return tuple(packing_report(CurriculumStream(root, tokenizer="spm", config=config, seed=1), start, stop))


def test_documents_cut_are_counted(made_up: Any, tmp_path: Path) -> None:
    # Documents of 6 tokens with their beginning, in rows of 8: a pass is three rows, 6 + 2, 4 + 4 and 2 + 6.
    root = made_up.corpus(tmp_path, {"aaa_Latn": [5, 5, 5, 5]})
    assert report(root, 0, 3) == (3, 24, 4, 2, 12, 0)
    # The first row holds a whole document and begins one that it cuts; the second ends that and cuts the next.
    assert report(root, 0, 1) == (1, 8, 2, 1, 2, 0)
    assert report(root, 1, 2) == (1, 8, 1, 1, 8, 0)
    found = packing_report(CurriculumStream(root, tokenizer="spm", config=SamplerConfig(row_tokens=8), seed=1), 0, 3)
    assert (found.documents_cut_share, found.tokens_cut_share) == (0.5, 0.5)


@pytest.mark.parametrize("rows", ["one_language", "mixed"])
def test_best_fit_cuts_less_and_neither_wastes(made_up: Any, tmp_path: Path, rows: str) -> None:
    root = made_up.corpus(tmp_path, {"aaa_Latn": [2, 4, 1, 3, 5] * 60, "bbb_Latn": [3, 3, 6, 1] * 60})
    plain = report(root, 0, 160, rows=rows)
    fitted = report(root, 0, 160, rows=rows, packing="best_fit")
    assert plain[:2] == fitted[:2] == (160, 1280)
    assert plain[5] == fitted[5] == 0
    assert 2 * fitted[3] < plain[3]


def test_nothing_to_report(made_up: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="rows 3 to 3 are none"):
        report(made_up.corpus(tmp_path, {"aaa_Latn": [5]}), 3, 3)
