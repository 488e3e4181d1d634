from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from corpus.errors import CorpusError
from corpus.storage import Storage
from evenglot.cli.app import app
from evenglot.inspect.extremes import extremes
from evenglot.inspect.selection import Selection
from pipeline.curriculum.config import ScoresConfig
from pipeline.tokenizer import TokenizerConfig, tokenize_corpus

COMMON = "The old house stood by the river, and the man sat by the fire of the old house. "
RARE = "The wherryman moored his keelboat, whereupon the wherryman unshipped the rudder. "
ROWS = [
    *({"key": f"c{number}", "text": COMMON * (2 + number % 3), "lang": "eng_Latn"} for number in range(20)),
    *({"key": f"r{number}", "text": COMMON + RARE * 2, "lang": "eng_Latn"} for number in range(3)),
    {"key": "noise", "text": "xqz vkj wpf qxv zzk jqw kvx pzq " * 12, "lang": "eng_Latn", "source": "odd"},
    {"key": "fra", "text": "La pluie tombe sur la plaine.", "lang": "fra_Latn"},
]
CONFIG = TokenizerConfig(vocabulary=320)


def test_the_ends_of_both_scores(build: Any) -> None:
    storage, _ = build(ROWS)
    snapshot = tokenize_corpus(storage.url, CONFIG)
    found, total = extremes(storage, snapshot, Selection(lang="eng_Latn"), 2)
    assert total == 24
    assert list(found) == ["hardest", "easiest", "most diverse", "least diverse"]
    assert [row["text"][:7] for row in found["hardest"]] == ["xqz vkj", COMMON[:7]]
    assert all(RARE in row["text"] for row in found["most diverse"])
    assert found["hardest"][0]["difficulty"] > found["hardest"][1]["difficulty"] > found["easiest"][0]["difficulty"]
    assert found["least diverse"][0]["diversity"] < found["most diverse"][1]["diversity"]
    assert all(row["lang"] == "eng_Latn" for rows in found.values() for row in rows)


def test_only_documents_of_a_selection(build: Any) -> None:
    storage, _ = build(ROWS)
    snapshot = tokenize_corpus(storage.url, CONFIG)
    found, total = extremes(storage, snapshot, Selection(source="odd"), 3)
    assert total == 1
    assert {name: len(rows) for name, rows in found.items()} == dict.fromkeys(found, 1)
    _, none = extremes(storage, snapshot, Selection(contains="nowhere"), 3)
    assert none == 0


def test_a_corpus_without_scores(build: Any) -> None:
    storage, prepared = build(ROWS)
    with pytest.raises(CorpusError, match="no document with scores"):
        extremes(storage, prepared, Selection(), 1)
    off = tokenize_corpus(storage.url, CONFIG.model_copy(update={"scores": ScoresConfig(enabled=False)}))
    with pytest.raises(CorpusError, match="no document with scores"):
        extremes(storage, off, Selection(), 1)


def test_on_the_command_line(build: Any, tmp_path: Path) -> None:
    storage: Storage = build(ROWS)[0]
    tokenize_corpus(storage.url, CONFIG)
    result = CliRunner().invoke(app, ["inspect", storage.url, "--scores", "--lang", "eng_Latn", "-n", "1"])
    assert result.exit_code == 0
    assert "the ends of 24 documents with scores" in result.output
    assert result.output.count("bits per character") == 4
