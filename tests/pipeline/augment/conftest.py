"""A model for all tests of augmentation."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.augment.augmented import write_model


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with nothing but its card."""
    return write_model(tmp_path_factory.mktemp("models") / "words")
