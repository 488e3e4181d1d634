"""The sampler's section of a recipe."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import ValidationError

from sampler.config import SamplerConfig


def test_defaults() -> None:
    config = SamplerConfig()
    assert (config.row_tokens, config.mixture, config.epochs, config.block_rows) == (1024, "unimax", 4.0, 256)


@pytest.mark.parametrize(
    "wrong", [{"mixture": "best"}, {"row_tokens": 1}, {"alpha": 2}, {"rows": 3}, {"packing": "first_fit"}]
)
def test_wrong_settings(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SamplerConfig.model_validate(wrong)


def test_the_sampler_imports_no_torch() -> None:
    code = "import sys, sampler; sys.exit('torch' in sys.modules or 'apache_beam' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ([{"name": "x"}, {"name": "y"}], "stages.x.tokens is missing; only the last stage may be without"),
        ([{"name": "x", "tokens": 5}, {"name": "x"}], "two are named 'x'"),
        (
            [{"name": "x", "tokens": 5}, {"name": "y", "tokens": 5, "transition": 6}],
            "stages.y.transition is 6 tokens, the stage has 5",
        ),
        ([{"name": "x", "transition": 6}], "stages.x.transition: the first stage turns from nothing"),
        ([{"name": "x", "snapshot": 2}], "stages.x.snapshot: the first stage reads the run's snapshot"),
    ],
)
def test_wrong_stages(stages: list[dict[str, object]], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SamplerConfig.model_validate({"stages": stages})
