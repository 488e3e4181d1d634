from __future__ import annotations

from pathlib import Path

import pytest

from corpus.errors import ConfigurationError
from evenglot import steps
from evenglot.recipe.models import Recipe
from pipeline.tokenizer import TokenizerConfig, tokenize_corpus


@pytest.mark.parametrize("there", [None, b"seed: 7\n"])
def test_a_recipe_that_does_not_fit_is_not_left_in_the_run(corpus: Path, tmp_path: Path, there: bytes | None) -> None:
    tokenize_corpus(str(corpus), TokenizerConfig(vocabulary=320), seed=0, workers=1)
    run = tmp_path / "run"
    if there is not None:
        run.mkdir()
        (run / "recipe.yaml").write_bytes(there)
    recipe = Recipe.model_validate({"corpus": str(corpus), "run": str(run), "sampler": {"languages": ["xxx_Latn"]}})
    with pytest.raises(ConfigurationError, match="xxx_Latn"):
        steps.train(recipe, fresh=True)
    assert [path.read_bytes() for path in run.iterdir()] == ([] if there is None else [there])
