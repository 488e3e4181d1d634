"""Train a model on labelled rows of one's own: the languages of these rows, and no others."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from corpus.errors import ConfigurationError, InputError
from corpus.hashing import stable_hash, text_key
from corpus.schema import NO_LANGUAGE
from pipeline.language_id.card import numbers, training_card
from pipeline.language_id.evaluate import Scores, score
from pipeline.language_id.examples import Balance, build
from pipeline.language_id.fit import Settings, fit
from pipeline.language_id.model import LanguageModel
from pipeline.language_id.rows import Rows
from pipeline.language_id.sources import Unit

MODEL_FILE: Final = "model.ftz"
CARD_FILE: Final = "model.json"
HELD_OUT: Final = 0.1
"""Share of the groups held out to score the model, unless told otherwise."""
_DRAWS: Final = 1 << 32


@dataclass(frozen=True)
class TrainedModel:
    """What a training made."""

    path: Path
    card: dict[str, Any]
    """As written beside the model."""
    held_out: Scores
    not_scored: tuple[str, ...]
    """Languages of which no group was held out."""


def units_of(rows: Rows) -> list[Unit]:
    """Rows as training text. A row without a group is one of its own; equal texts are one group."""
    return [
        Unit(tag, text, source or rows.origin, group if group is not None else text_key(text).hex())
        for text, tag, source, group in zip(rows.texts, rows.tags, rows.sources, rows.groups, strict=True)
    ]


def train_own(
    units: Iterable[Unit],
    output: Path,
    *,
    name: str,
    licence: str,
    settings: Settings | None = None,
    balance: Balance | None = None,
    held_out: float = HELD_OUT,
    seed: int = 0,
    replace: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> TrainedModel:
    """Train, quantise, score on held-out groups, and write ``model.ftz`` with its card ``model.json``.

    Groups are held out by their hash, whole, so that no document is on both sides; one thread and fixed seeds, so
    that the same rows give the same files.

    Args:
        units: labelled text of at least two languages; read once the other arguments are checked.
        output: folder for model and card.
        name: of the model.
        licence: of the model file, as its maker states it.
        settings: of fastText.
        balance: amounts of text per language.
        held_out: share of the groups, 0 to below 1.
        seed: of the division, of spans and of the order.
        replace: whether a model in the folder may be replaced.
        say: is told what goes on.

    Raises:
        ConfigurationError: a model is there already, or the share is out of bounds.
        InputError: fewer than two languages, or one without a letter to learn from.
    """
    settings, balance = settings or Settings(), balance or Balance()
    if not 0 <= held_out < 1:
        raise ConfigurationError(f"the share held out is {held_out}", "Give at least 0 and less than 1, such as 0.1")
    if (output / MODEL_FILE).exists() and not replace:
        raise ConfigurationError(f"{output / MODEL_FILE} exists", "Choose another folder, or allow it with --replace")
    units = list(units)
    languages = sorted({unit.tag for unit in units} - {NO_LANGUAGE})
    if len(languages) < 2:
        raise InputError(
            f"the rows hold text in {len(languages)} language{'' if len(languages) == 1 else 's'} "
            f"({', '.join(languages) or 'none'}); a model tells at least two apart",
            "Add labelled text of the languages it may be taken for with --base",
        )
    kept, held = divide(units, held_out, seed)
    lines = build(kept, balance, seed)
    learnt = {line.split(" ", 1)[0].removeprefix("__label__") for line in lines}
    if missing := [tag for tag in languages if tag not in learnt]:
        raise InputError(
            f"the text of {', '.join(missing)} holds nothing to learn from once addresses, digits and punctuation "
            "are taken out",
            "Give sentences in these languages, or leave their rows out",
        )
    say(f"training on {len(lines):,} examples of {len(languages)} languages; {len(held):,} rows are held out")
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".training-", dir=output) as folder:
        path = Path(folder) / MODEL_FILE
        fit(lines, settings, path)
        model = LanguageModel(path, name, licence, cleaned=True)
        say("scoring on the rows held out")
        scores = score([unit.tag for unit in held], model.predict([unit.text for unit in held]).tags)
        sources = {unit.source: licence for unit in kept}
        card = training_card(
            path, model.tags, kept, len(lines), settings, balance, seed, name=name, licence=licence, licences=sources
        )
        card["scores"] = {"held_out": numbers(scores)}
        card["per_language"] = _per_language(kept, scores)
        text = json.dumps(card, indent=1, ensure_ascii=False) + "\n"
        (Path(folder) / CARD_FILE).write_text(text, encoding="utf-8")
        for file in (CARD_FILE, MODEL_FILE):
            (Path(folder) / file).replace(output / file)
    unscored = tuple(tag for tag in languages if tag not in scores.languages)
    return TrainedModel(output / MODEL_FILE, card, scores, unscored)


def divide(units: Sequence[Unit], share: float, seed: int = 0) -> tuple[list[Unit], list[Unit]]:
    """Training text and held-out text; a group is on one side, by its hash.

    A language that would have nothing left to train on keeps its text; it is then not scored.

    Args:
        units: all text.
        share: of the groups to hold out.
        seed: another one gives another division.
    """
    limit = round(share * _DRAWS)
    out = [stable_hash("language-id-held-out", unit.group, seed=seed) % _DRAWS < limit for unit in units]
    trained = {unit.tag for unit, held in zip(units, out, strict=True) if not held}
    chosen = [held and unit.tag in trained for unit, held in zip(units, out, strict=True)]
    return (
        [unit for unit, held in zip(units, chosen, strict=True) if not held],
        [unit for unit, held in zip(units, chosen, strict=True) if held],
    )


def _per_language(units: Sequence[Unit], scores: Scores) -> dict[str, dict[str, Any]]:
    rows = Counter(unit.tag for unit in units)
    found: dict[str, dict[str, Any]] = {tag: {"training_rows": rows[tag]} for tag in sorted(rows)}
    for tag, entry in scores.languages.items():
        rounded = {key: value if key == "count" else round(value, 4) for key, value in asdict(entry).items()}
        found[tag]["held_out"] = rounded
    return found
