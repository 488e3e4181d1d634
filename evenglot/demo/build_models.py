"""Trains the demo's two translation models from its parallel text, and says on their cards what they are good for.

English and Afrikaans, one small model for each direction, from the sentences of ``parallel/``: a grammar over a few
hundred words, and pairs written by hand. They translate what is said in those words and hardly anything else, which is
what the demo needs: text that they cannot translate is there to be turned away. Run
``python -m evenglot.demo.build_models`` after changing the parallel text, and commit what it writes; it takes some
fifteen minutes of one core. The same text, versions and machine give the same files.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from evenglot.demo.parallel.lexicon import Pair
from evenglot.demo.parallel.pairs import ParallelText, parallel_text

MODELS: Final = Path(__file__).parent / "models"
ENGLISH: Final = "eng_Latn"
AFRIKAANS: Final = "afr_Latn"
DIRECTIONS: Final = ((ENGLISH, AFRIKAANS), (AFRIKAANS, ENGLISH))
LICENCE: Final = "CC0-1.0"
SETTINGS: Final = {
    "model": {"dimensions": 128, "feed_forward": 256, "encoder_layers": 3, "decoder_layers": 1, "heads": 4,
              "positions": 128, "dropout": 0.05, "attention_dropout": 0.0},
    "vocabulary": 1600, "steps": 1200, "batch_tokens": 4096, "learning_rate": 3e-3, "schedule": "cosine",
    "warmup": 0.15, "average": 0.98, "patience": 100, "dev_sentences": 100, "evaluate_every": 300,
    "checkpoint_every": 100, "threads": 1, "device": "cpu",
}  # fmt: skip
"""Of the recipe section ``translator``."""


class Scores(NamedTuple):
    """chrF of one direction, 0 to 100."""

    heldout: float
    """On held-out sentences of the grammar."""
    free: float
    """On held-out pairs written by hand."""
    untouched: float
    """On the latter, of sources that are left as they are: what copying scores."""


def name(source: str, target: str) -> str:
    """A direction's folder and model name: ``demo-eng-afr``."""
    return f"demo-{source[:3]}-{target[:3]}"


def sides(pairs: Sequence[Pair], source: str) -> tuple[list[str], list[str]]:
    """Sources and references of some pairs."""
    english, afrikaans = [pair.english for pair in pairs], [pair.afrikaans for pair in pairs]
    return (english, afrikaans) if source == ENGLISH else (afrikaans, english)


def made_of(text: ParallelText, scores: Scores | None = None) -> str:
    """What a card says of the model."""
    said = (
        f"Fitted with `evenglot translator fit` on {len(text.train):,} English and Afrikaans sentences written for the "
        "demo: a template grammar over a few hundred words, and pairs written by hand. Good for the demo's sentences "
        "and for nothing else."
    )
    if scores is None:
        return said
    return (
        f"{said} chrF on held-out sentences: {scores.heldout:.1f} on {len(text.heldout):,} of the grammar, "
        f"{scores.free:.1f} on {len(text.heldout_free):,} written by hand (copying the source: {scores.untouched:.1f})."
    )


def build(source: str, target: str, text: ParallelText, output: Path, work: Path) -> Scores:
    """Fit, convert and score one direction, and write its card.

    Args:
        source: tag.
        target: tag.
        text: to learn from.
        output: model folder to make; one that is there is replaced.
        work: folder for the training run; one that was stopped there goes on.
    """
    from corpus.translations import SentencePair
    from pipeline.translation.card import read_card, write_card
    from pipeline.translation.convert import convert
    from trainer.translator.config import TranslatorConfig
    from trainer.translator.fit import fit

    def pairs(some: Sequence[Pair]) -> list[SentencePair]:
        return [SentencePair(source, target, *both) for both in zip(*sides(some, source), strict=True)]

    fitted = fit(pairs(text.train), TranslatorConfig.model_validate(SETTINGS), work, dev=pairs(text.heldout))
    if not fitted.finished:
        raise SystemExit(f"stopped; run the same command again to go on in {work}")
    convert(
        fitted.folder,
        output,
        pairs=[(source, target)],
        licence=LICENCE,
        made_of=made_of(text),
        name=name(source, target),
        origin="evenglot/demo/parallel",
        replace=True,
    )
    scores = score(source, target, text, output)
    write_card(output, read_card(output).model_copy(update={"made_of": made_of(text, scores)}))
    return scores


def score(source: str, target: str, text: ParallelText, folder: Path) -> Scores:
    """chrF of a converted model on what was held out."""
    from pipeline.translation.config import TranslationConfig
    from pipeline.translation.decoding import Decoding
    from pipeline.translation.engine import Engine
    from trainer.translator.score import chrf

    engine = Engine(TranslationConfig(models=(str(folder),)))
    route = engine.routes.find(source, target)

    def of(some: Sequence[Pair]) -> float:
        given, wanted = sides(some, source)
        return chrf([one.text for one in engine.translate(given, route, Decoding())], wanted).chrf

    return Scores(of(text.heldout), of(text.heldout_free), chrf(*sides(text.heldout_free, source)).chrf)


def main(work: Path) -> None:
    """Build both directions."""
    text = parallel_text()
    for source, target in DIRECTIONS:
        folder = name(source, target)
        scores = build(source, target, text, MODELS / folder, work / folder)
        sys.stdout.write(f"{folder}: {scores}\n")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(Path(folder))
