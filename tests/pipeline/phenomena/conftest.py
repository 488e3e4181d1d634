"""A small language of whole sentences, in documents of two sites, some of it held out or made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pytest

from corpus.schema import RECORD_SCHEMA

Batch = Callable[..., pa.RecordBatch]

_NOUNS = """river market teacher garden bridge winter kitchen letter window harbour mountain dinner doctor engine valley
    brother candle forest island ladder meadow needle orchard pocket quarry ribbon saddle tunnel uncle village"""
NOUNS = _NOUNS.split()
_VERBS = "crosses remembers paints follows measures carries visits watches repairs finds"
VERBS = _VERBS.split()
_ADJECTIVES = """quiet narrow golden ancient hollow gentle broken silver distant wooden yellow heavy little modern
    famous bitter clever public"""
ADJECTIVES = _ADJECTIVES.split()

RARE = (
    "The fa\u00e7ade crosses nothing at all.",
    "Our fa\u00e7ade remembers the old paint.",
    "No fa\u00e7ade repairs itself.",
)


def sentence(number: int) -> str:
    """One of many sentences that have no five words in common."""
    words = [
        ADJECTIVES[number % 18],
        NOUNS[number % 30],
        VERBS[number * 7 % 10],
        ADJECTIVES[(number // 18 + 5 * number) % 18],
        NOUNS[(number // 30 + 11 * number) % 30],
        NOUNS[(number // 10 + 17 * number) % 30],
        ADJECTIVES[(number // 6 + 13 * number) % 18],
        NOUNS[(number // 5 + 23 * number) % 30],
    ]
    return "{} {} {} {} {} beside {} with {} {}.".format(*words).capitalize()


def records(
    texts: Sequence[str],
    lang: str = "eng_Latn",
    *,
    splits: Sequence[str] | None = None,
    origins: Sequence[str] | None = None,
    urls: Sequence[str | None] | None = None,
    segments: Sequence[object] | None = None,
    first: int = 0,
) -> pa.RecordBatch:
    """A batch as a text shard has it."""
    rows = [
        {
            "id": f"{first + number:032x}",
            "text": text,
            "lang": lang,
            "source": "web",
            "url": urls[number] if urls else f"https://site{(first + number) % 2}.example/{first + number}",
            "origin": origins[number] if origins else "natural",
            "copies": 1,
            "split": splits[number] if splits else "train",
            "weight": 1.0,
            "segments": segments[number] if segments else None,
            "code_switching": 0.1 if segments and segments[number] else None,
        }
        for number, text in enumerate(texts)
    ]
    names = [field.name for field in RECORD_SCHEMA]
    whole = [{name: row.get(name) for name in names} for row in rows]
    return pa.RecordBatch.from_pylist(whole, schema=RECORD_SCHEMA)


def language() -> list[str]:
    """Thirty documents of six sentences; the fifth, the tenth and the twentieth have one with a rare letter more."""
    texts = [" ".join(sentence(6 * number + place) for place in range(6)) for number in range(30)]
    for place, rare in zip((4, 9, 19), RARE, strict=True):
        head, tail = texts[place].split(". ", 1)
        texts[place] = f"{head}. {rare} {tail}"
    return texts


@pytest.fixture(scope="session")
def batch() -> Batch:
    """A maker of batches."""
    return records


@pytest.fixture(scope="session")
def texts() -> list[str]:
    """The documents of the language."""
    return language()


LEXICON = """\
cross\tcrosses\tV;PRS;3;SG
visit\tvisits\tV;PRS;3;SG
repair\trepairs\tV;PRS;3;SG
mend\tmends\tV;PRS;3;SG
cross\tcrossed\tV;PST
mend\tmended\tV;PST
visit\tvisited\tV;PST
cross\tto cross\tV;NFIN
river\triver\tN;SG
river\trivers\tN;PL
run\trun\tV;NFIN
run\trun\tN;SG
"""


@pytest.fixture
def lexicon(tmp_path: Path) -> Path:
    """A small lexicon of English in the form of UniMorph."""
    path = tmp_path / "eng.tsv"
    path.write_text(LEXICON, encoding="utf-8")
    return path
