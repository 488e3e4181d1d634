"""Phenomena through a whole augmentation: mistakes of the user, and what a lexicon decides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from corpus.errors import ConfigurationError, InputError
from pipeline.augment.config import AugmentConfig
from tests.pipeline.augment.augmented import SWAHILI, augmented, natural, rows_of, settings, tree

BUDGET = {"below_share": None, "least_bytes": 100, "total_share": None}
INFLECTIONS = {"characters": False, "ngrams": False, "switches": False}


def config(model: Path, **phenomena: Any) -> AugmentConfig:
    return settings(
        model,
        back_translation={"enabled": False},
        phenomena={"enabled": True, "max_share": 0.5, "min_documents": 2, "min_sources": 1, **phenomena},
        budget={**BUDGET, "share": 0.6, "insertion": 1.0, "paraphrase": 0.0},
        naturalness={"enabled": False},
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.pipeline.augment.augmented import write_model

    return write_model(tmp_path_factory.mktemp("models") / "words")


def test_mistakes_end_in_one_clear_line(tmp_path: Path, model: Path) -> None:
    root = tmp_path / "corpus"
    natural(root, english=1)
    lexicons = {SWAHILI: str(tmp_path / "swh.tsv")}
    with pytest.raises(InputError, match=r"cannot read the lexicon .*swh\.tsv: No such file or directory"):
        augmented(root, config(model, lexicons=lexicons))
    with pytest.raises(ConfigurationError, match=r"max_document_share is 0\.9"):
        augmented(root, config(model, max_document_share=0.9))


@pytest.mark.slow
def test_a_lexicon_decides_what_is_made(tmp_path: Path, model: Path) -> None:
    root, lexicon = tmp_path / "corpus", tmp_path / "swh.tsv"
    natural(root, english=6)
    settings = config(model, lexicons={SWAHILI: str(lexicon)}, **INFLECTIONS)
    lexicon.write_text("mtoto\twatoto\tN;PL\nmti\tmiti\tN;PL\nbroken line\n", encoding="utf-8")
    first = augmented(root, settings)
    assert first.augmentation is not None
    assert set(first.augmentation.phenomena[SWAHILI]) <= {"inflections"}
    assert augmented(root, settings).augmentation == first.augmentation
    lexicon.write_text("mtu\twatu\tN;PL\n", encoding="utf-8")
    changed = augmented(root, settings)
    assert changed.augmentation is not None
    assert changed.augmentation.fingerprint != first.augmentation.fingerprint


@pytest.mark.slow
def test_two_workers_make_the_same_bytes(tmp_path: Path, model: Path) -> None:
    roots = [tmp_path / name / "corpus" for name in ("one", "two")]
    for workers, root in enumerate(roots, start=1):
        root.parent.mkdir()
        natural(root, english=6)
        snapshot = augmented(root, config(model), workers=workers)
        made = [row for row in rows_of(root, snapshot) if row["origin"] == "insertion"]
        assert made
        assert all(json.loads(row["provenance"])["mode"] == "oversample" for row in made)
    assert tree(roots[0] / "text") == tree(roots[1] / "text")
