"""A corpus of much English and little Swahili, and a translator that knows Swahili words but no grammar."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from corpus.hashing import stable_hash
from corpus.manifest import Snapshot
from corpus.shards import read_table
from pipeline.augment.config import AugmentConfig
from pipeline.augment.generate import Asked
from pipeline.augment.run import AugmentRun
from pipeline.config import PrepareConfig
from pipeline.graphs.inference import Translated, TranslationHandler
from pipeline.prepare import prepare
from pipeline.prepare.context import Context
from pipeline.sources import InputConfig
from pipeline.translation.card import ModelCard, write_card
from pipeline.translation.request import Request
from pipeline.translation.result import Translation

ENGLISH, SWAHILI = "eng_Latn", "swh_Latn"
PREPARE = PrepareConfig.model_validate({"split": {"heldout_min_documents": 2}, "batch_bytes": 1 << 14})


def texts(lang: str, count: int) -> list[str]:
    """Documents of the demo's text."""
    whole = files("evenglot.demo").joinpath("texts", f"{lang}.txt").read_text(encoding="utf-8")
    return [text.strip() for text in whole.split("\n---\n")][:count]


@lru_cache(maxsize=1)
def swahili_words() -> list[str]:
    return sorted({word.lower() for text in texts(SWAHILI, 99) for word in re.findall(r"[^\W\d_]{2,}", text)})


def into_swahili(sentence: str) -> str:
    """Every word as the Swahili word that its hash falls on."""
    words = swahili_words()
    made = re.sub(r"[^\W\d_]+", lambda word: words[stable_hash(word.group().lower()) % len(words)], sentence)
    return made[:1].upper() + made[1:]


class WordEngine:
    """Translates into Swahili word by word; back it gives what it was given, so round trips lose nothing."""

    def translate(self, request: Request) -> list[Translation]:
        assert isinstance(request, Asked)
        assert request.loaded is not None
        if os.environ.get("EVENGLOT_TEST_DELAY"):
            time.sleep(float(os.environ["EVENGLOT_TEST_DELAY"]))
        if not request.route:
            return [Translation(sentence) for sentence in request.sentences]
        back = bool(request.forward)
        if os.environ.get("EVENGLOT_TEST_LOG") and not back:
            with Path(os.environ["EVENGLOT_TEST_LOG"]).open("a", encoding="utf-8") as log:
                log.write(f"{request.key}\n")
        sources = request.loaded.sentences if back else request.sentences
        found = []
        for sentence in sources:
            planted = re.search(r"PLANT(\d+)", sentence)
            if "UNTRANSLATABLE" in sentence:
                found.append(Translation("", problem="too_long"))
            elif planted and not back:
                texts = json.loads(Path(os.environ["EVENGLOT_TEST_PLANTS"]).read_text(encoding="utf-8"))
                found.append(Translation(texts[int(planted[1])], -0.4, 5, scores=(-0.4,)))
            else:
                found.append(Translation(sentence if back else into_swahili(sentence), -0.4, 5, scores=(-0.4,)))
        return found


class WordHandler(TranslationHandler):
    """Runs the translator above, and notes every unit that it is given where a folder is named."""

    def load_model(self) -> Any:
        return WordEngine()

    def run_inference(
        self, batch: Sequence[Request], model: Any, inference_args: Mapping[str, Any] | None = None
    ) -> Iterable[Translated]:
        return [Translated(request, tuple(model.translate(request))) for request in batch]


class WordRun(AugmentRun):
    """An augmentation with that translator."""

    def handler(self, context: Context) -> TranslationHandler:
        return WordHandler(self.translation(context), requests=1)


def settings(model: Path, **changes: Any) -> AugmentConfig:
    """Text for Swahili alone, as much again as there is."""
    return AugmentConfig.model_validate(
        {
            "translation": {"models": [str(model)]},
            "budget": {"share": 0.5, "below_share": None, "least_bytes": 100, "total_share": None},
            "parents": {"min_quality": 0.1, "documents": 100},
            "calibration": {"documents": 8, "translated": 8},
            "unit_bytes": 2048,
            "languages": [SWAHILI],
            **changes,
        }
    )


def augmented(root: Path | str, config: AugmentConfig, **more: Any) -> Snapshot:
    """A run to its end."""
    given = {"seed": 0, "workers": 1, "progress": None, **more}
    return WordRun(str(root), config, PREPARE, **given).execute()


def write_model(folder: Path) -> Path:
    """A model folder with nothing but its card."""
    folder.mkdir()
    pairs = ((ENGLISH, SWAHILI), (SWAHILI, ENGLISH))
    write_card(folder, ModelCard(name="words", family="marian", revision="1", pairs=pairs, licence="CC0-1.0"))
    return folder


def natural(root: Path, english: int = 60, more: Sequence[dict[str, str]] = (), **changes: Any) -> Snapshot:
    """A corpus that ``prepare`` made, of the demo's text and some more rows."""
    source = root.parent / "in.jsonl"
    config = PrepareConfig.model_validate({**PREPARE.model_dump(mode="json"), **changes})
    rows = [
        {"id": f"{lang}-{number}", "lang": lang, "text": text}
        for lang, count in ((ENGLISH, english), (SWAHILI, 99))
        for number, text in enumerate(texts(lang, count))
    ]
    rows += more
    source.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    recipe = {"prepare": config.model_dump(mode="json")}
    return prepare([InputConfig(path=str(source), name="in")], str(root), config, recipe=recipe)


def rows_of(root: Path, snapshot: Snapshot, kind: Any = "text") -> list[dict[str, Any]]:
    """All rows of the files of one kind."""
    return [row for file in snapshot.select(kind) for row in read_table(root / file.path).to_pylist()]


def tree(root: Path) -> dict[str, str]:
    """Hash of every file but those that belong to one run alone."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.parent.name != "runs"
    }
