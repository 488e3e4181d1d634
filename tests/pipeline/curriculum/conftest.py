"""A small language: what most documents say, and what some add to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa
import pytest

from corpus.schema import SCRIPT_SHARES
from pipeline.curriculum.score import measure
from pipeline.curriculum.statistics import Statistics, collect

COMMON = (
    "The old house stood by the river, and the river ran to the sea.",
    "A man came to the house, and the man sat by the old river.",
    "The sea was cold, and the house was warm by the fire.",
    "By the river the man had a house, and by the house a fire.",
    "The fire was warm, and the old man sat by the fire in the house.",
)
RARE = "The wherryman moored his keelboat, whereupon the wherryman unshipped the rudder."

Batch = Callable[..., pa.RecordBatch]


def documents(texts: Sequence[str], scripts: object = None, code_switching: object = None) -> pa.RecordBatch:
    """A batch as a text shard has it, as far as scores need it."""
    count = len(texts)
    return pa.RecordBatch.from_arrays(
        [
            pa.array(texts, pa.string()),
            pa.array(scripts or [None] * count, SCRIPT_SHARES),
            pa.array(code_switching or [None] * count, pa.float32()),
        ],
        names=["text", "scripts", "code_switching"],
    )


@pytest.fixture(scope="session")
def batch() -> Batch:
    """A maker of batches."""
    return documents


@pytest.fixture(scope="session")
def language() -> list[str]:
    """Sixty documents: forty-eight of the common sentences, eight with rare words, four of the rarest."""
    common = [" ".join(COMMON[(number + place) % 5] for place in range(4)) for number in range(48)]
    some = [f"{COMMON[number % 5]} {RARE}" for number in range(8)]
    return [*common, *some, *(f"{RARE} Thence the bargee poled the punt." for _ in range(4))]


@pytest.fixture(scope="session")
def statistics(language: list[str]) -> Statistics:
    """Of the whole language."""
    scripts = [[{"script": "Latn", "share": 1.0}]] * len(language)
    return collect([documents(language, scripts)], sum(map(len, language)), measure)
