"""Train the detector of romanised languages that ships, and write its card.

    python -m pipeline.language_id.train_romanised --data ../shared/data --output pipeline/language_id/models

It learns from the same text as the language model, with languages of other scripts in Latin letters, and needs
uroman (`pip install uroman`). One thread, fixed seeds: the same data gives the same file on the same platform.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from corpus.errors import EvenglotError
from corpus.tags import script_of
from pipeline.language_id.card import training_card
from pipeline.language_id.examples import Balance, build
from pipeline.language_id.fit import Settings, fit
from pipeline.language_id.romanise import romanised
from pipeline.language_id.romanised import CARD, FILE
from pipeline.language_id.sources import LICENCES
from pipeline.language_id.train import LICENCE, labelled

NAME: Final = "evenglot-romanised"
SETTINGS: Final = Settings(dim=32, epoch=6, minn=1, maxn=4, bucket=60_000, min_count=40, dsub=4)
BALANCE: Final = Balance(cap=30_000, floor=8_000, repeats=6)


def run(data: Path, output: Path, seed: int = 0) -> Path:
    """Train, quantise and write the detector with its card.

    Args:
        data: folder with ``eval/``, ``lid/``, ``parallel/`` and ``corpus/``.
        output: folder for the two files.
        seed: of spans and order.

    Returns:
        the file of the detector.
    """
    units = list(labelled(data))
    latin = [unit for unit in units if script_of(unit.tag) == "Latn"]
    tags = frozenset(unit.tag for unit in latin)
    written = list(romanised(units, tags, BALANCE.cap))
    lines = build([*latin, *written], BALANCE, seed)
    path = output / FILE.name
    output.mkdir(parents=True, exist_ok=True)
    fit(lines, SETTINGS, path)
    found = sorted({unit.tag for unit in written})
    facts = training_card(
        path,
        found,
        written,
        len(lines),
        SETTINGS,
        BALANCE,
        seed,
        name=NAME,
        licence=LICENCE,
        licences=LICENCES,
    )
    facts["romanised"] = {"with": "uroman", "others": len(tags)}
    (output / CARD.name).write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(
        f"{len(found)} romanised and {len(tags)} other languages, {path.stat().st_size / 1e6:.2f} MB", file=sys.stderr
    )
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line of the training."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.language_id.train_romanised",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with eval/, lid/, parallel/ and corpus/")
    parser.add_argument("--output", type=Path, required=True, help="folder for the detector and its JSON card")
    parser.add_argument("--seed", type=int, default=0, help="seed of spans and order")
    options = parser.parse_args(arguments)
    try:
        run(options.data, options.output, options.seed)
    except EvenglotError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
