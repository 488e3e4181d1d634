"""The chain with models that translate: a cache of translations changes nothing but the time."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from pipeline.augment.config import AugmentConfig
from pipeline.augment.run import augment
from tests.pipeline.augment.augmented import ENGLISH, PREPARE, natural, rows_of, texts, tree

AFRIKAANS = "afr_Latn"


def config(cache: Path | None) -> AugmentConfig:
    models = files("evenglot.demo").joinpath("models")
    return AugmentConfig.model_validate(
        {
            "languages": [AFRIKAANS],
            "translation": {
                "models": [str(models.joinpath(name)) for name in ("demo-eng-afr", "demo-afr-eng")],
                "cache": None if cache is None else str(cache),
            },
            "budget": {"share": 0.5, "below_share": None, "least_bytes": 100, "total_share": None},
            "parents": {"min_quality": 0.1, "min_bytes": 100},
            "calibration": {"documents": 8, "translated": 8},
            "naturalness": {"enabled": False},
        }
    )


@pytest.mark.slow
def test_cold_and_warm_cache_give_the_same_bytes(tmp_path: Path) -> None:
    cache = tmp_path / "translations"
    trees, read = [], []
    for name, kept in (("none", None), ("cold", cache), ("warm", cache)):
        root = tmp_path / name / "corpus"
        root.parent.mkdir()
        more = [{"id": f"a{n}", "lang": "af", "text": text} for n, text in enumerate(texts(AFRIKAANS, 12))]
        natural(root, english=40, more=more)
        after = augment(str(root), config(kept), PREPARE, workers=1)
        trees.append(tree(root))
        made = [row for kind in ("text", "rejected") for row in rows_of(root, after, kind) if row["provenance"]]
        read.append(sorted((row["id"], row["text"]) for row in made))
        assert made
        assert {row["file"].split("/")[1] for row in made if "file" in row} <= {ENGLISH}
    assert read[0] == read[1] == read[2]
    assert trees[0] == trees[1] == trees[2]
    assert len([path for path in cache.rglob("*") if path.is_file()]) == 1  # put together at the end
