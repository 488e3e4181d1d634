"""Train the language identification model that ships, from labelled text, and write its card.

    python -m pipeline.language_id.train --data ../shared/data --output pipeline/language_id/models

One thread, fixed seeds: the same data gives the same files on the same platform. Test parts of the data are read
only to report the final scores.

``--tune`` chooses settings instead of training what ships. It cuts the text by source (``transfer.py``): languages
are scored on kinds of text they were not trained on, which predicts other origins; no test part is read.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from corpus.errors import EvenglotError, InputError
from corpus.tags import english_name
from pipeline.language_id.card import numbers, training_card
from pipeline.language_id.evaluate import Scores, score, score_corpus, score_udhr
from pipeline.language_id.examples import Balance, build
from pipeline.language_id.fit import Settings, fit
from pipeline.language_id.model import BUILTIN_CARD, BUILTIN_FILE, BUILTIN_RELATIVES, LanguageModel
from pipeline.language_id.relatives import learn as learn_relatives
from pipeline.language_id.relatives import write as write_relatives
from pipeline.language_id.sources import LICENCES, Unit, corpus_units, ntrex, nusax, parallel, udhr
from pipeline.language_id.transfer import cuts

NAME: Final = "evenglot-lid"
LICENCE: Final = "CC BY-SA 4.0"
"""Most of the training text is share-alike; the model file follows it. The code is Apache-2.0."""
ABSTAIN_BELOW: Final = 0.5
"""On sentences of unseen origin this costs the languages that are known nothing (macro F1 0.942 and 0.974 stay as they
are); of sentences in languages that are not, 45 % instead of 22 % are left without a label."""
TUNING_FILE: Final = "evenglot-lid-tuning.json"
_SCORES: Final = "scores"
_TUNING: Final = "tuning"
"""Names of the two tables in the Markdown card, between a begin and an end mark."""
_ERRORS: Final = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line of the training."""
    options = _parser().parse_args(arguments)
    try:
        run(
            options.data,
            options.output,
            settings=_settings(options),
            balance=_balance(options),
            seed=options.seed,
            tune=options.tune,
            card=options.card,
            score_only=options.score_only,
        )
    except EvenglotError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def run(
    data: Path,
    output: Path,
    settings: Settings,
    balance: Balance,
    seed: int = 0,
    tune: bool = False,
    card: Path | None = None,
    score_only: bool = False,
) -> dict[str, Scores]:
    """Train, quantise, score and write the model.

    Args:
        data: folder with ``eval/``, ``lid/``, ``parallel/`` and ``corpus/``.
        output: folder for the model and its JSON card.
        settings: of fastText.
        balance: amounts of text per language.
        seed: of spans and order.
        tune: train the development cuts of ``transfer`` instead and score them by source; never read a test part.
        card: Markdown file whose table (scores, or those of the development cuts) is replaced.
        score_only: score the model that is in the output folder, trained with these settings, and write its card.

    Returns:
        Scores by source: of the development cuts, or of the declaration's test part and the unseen documents.
    """
    units = list(labelled(data))
    output.mkdir(parents=True, exist_ok=True)
    path, relatives = output / BUILTIN_FILE.name, output / BUILTIN_RELATIVES.name
    if tune:
        found = {}
        for cut in cuts(units):
            with tempfile.TemporaryDirectory(prefix=".tuning-", dir=output) as folder:
                model, _ = _train(cut.training, Path(folder), settings, balance, seed)
                for source in sorted(cut.held):
                    found[f"{cut.name}: {source}"] = _score_units(model, cut.held[source])
        for name, scores in found.items():
            _say(
                f"{name}: {scores.count:,} sentences, {len(scores.languages)} languages, "
                f"accuracy {scores.accuracy:.4f}, macro F1 {scores.macro_f1:.4f}"
            )
        (output / TUNING_FILE).write_text(
            json.dumps({name: _tuned(scores) for name, scores in found.items()}, indent=1) + "\n", encoding="utf-8"
        )
        if card is not None:
            _update_card(card, _TUNING, tuning_table(found))
        return found
    if score_only:
        _say(f"scoring {path} as it is")
        model, examples = (
            LanguageModel(path, NAME, LICENCE, True, relatives, ABSTAIN_BELOW),
            len(build(units, balance, seed)),
        )
    else:
        model, examples = _train(units, output, settings, balance, seed)
    declaration = score_udhr(model, data)
    unseen, _, wrong = score_corpus(model, data)
    _say(f"declaration, test sentences: accuracy {declaration.accuracy:.4f}, macro F1 {declaration.macro_f1:.4f}")
    _say(
        f"unseen clean documents: accuracy {unseen.accuracy:.4f}, macro recall {unseen.macro_recall:.4f}; "
        f"wrong labels found {wrong.found:.4f}, corrected {wrong.corrected:.4f}"
    )
    facts = training_card(
        path,
        model.tags,
        units,
        examples,
        settings,
        balance,
        seed,
        name=NAME,
        licence=LICENCE,
        licences=LICENCES,
        relatives=relatives,
    )
    facts["abstain_below"] = ABSTAIN_BELOW
    facts["scores"] = {
        "udhr_test_sentences": numbers(declaration),
        "clean_documents_unseen": numbers(unseen),
        "wrong_labels_unseen": dataclasses.asdict(wrong),
    }
    facts["per_language"] = _per_language(declaration, unseen)
    target = output / BUILTIN_CARD.name
    target.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if card is not None:
        _update_card(card, _SCORES, score_table(facts))
    _say(f"wrote {path} and {target}")
    return {"udhr": declaration, "corpus": unseen}


def labelled(data: Path) -> Iterator[Unit]:
    """All text for training, from every source."""
    yield from udhr(data, "dev")
    yield from ntrex(data)
    yield from parallel(data)
    yield from nusax(data)
    yield from corpus_units(data)


def score_table(facts: dict[str, Any]) -> str:
    """The per-language scores of a JSON card as a Markdown table."""
    rows = [
        "| tag | language | characters | sources | declaration F1 | documents | document recall |",
        "|---|---|---:|---|---:|---:|---:|",
    ]
    for tag, entry in facts["per_language"].items():
        training = facts["training"]["languages"].get(tag, {})
        cells = [
            tag,
            english_name(tag),
            f"{training.get('characters', 0):,}",
            ", ".join(training.get("sources", [])),
            _cell(entry.get("udhr_f1")),
            str(entry.get("documents", "")),
            _cell(entry.get("document_recall")),
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def tuning_table(found: Mapping[str, Scores]) -> str:
    """Scores of the development sets as a Markdown table, each with its most frequent confusions."""
    rows = ["| trained | scored | sentences | languages | accuracy | macro F1 | most frequent errors |"]
    rows.append("|---|---|---:|---:|---:|---:|---|")
    for name, scores in found.items():
        trained, _, scored = name.partition(": ")
        errors = ", ".join(f"{true} as {other} {count}" for true, other, count in scores.confusions[:_ERRORS])
        cells = [trained, scored, f"{scores.count:,}", str(len(scores.languages))]
        cells += [f"{scores.accuracy:.4f}", f"{scores.macro_f1:.4f}", errors]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _train(
    units: Sequence[Unit], output: Path, settings: Settings, balance: Balance, seed: int
) -> tuple[LanguageModel, int]:
    """The model and its tables of close relatives, and how many examples they were learnt from."""
    _say(f"{len(units):,} texts in {len({unit.tag for unit in units})} languages")
    lines = build(units, balance, seed)
    _say(f"{len(lines):,} examples, {sum(map(len, lines)):,} characters")
    path, relatives = output / BUILTIN_FILE.name, output / BUILTIN_RELATIVES.name
    start = time.process_time()
    fit(lines, settings, path)
    write_relatives(learn_relatives(lines), relatives)
    size = (path.stat().st_size + relatives.stat().st_size) / 1e6
    _say(f"trained in {time.process_time() - start:.0f} CPU seconds, {size:.2f} MB")
    return LanguageModel(path, NAME, LICENCE, True, relatives, ABSTAIN_BELOW), len(lines)


def _tuned(scores: Scores) -> dict[str, Any]:
    return {
        **numbers(scores),
        "worst": {
            tag: round(entry.f1, 4) for tag, entry in sorted(scores.languages.items(), key=lambda item: item[1].f1)[:20]
        },
        "confusions": scores.confusions,
    }


def _score_units(model: LanguageModel, units: Sequence[Unit]) -> Scores:
    return score([unit.tag for unit in units], model.predict([unit.text for unit in units]).tags)


def _per_language(declaration: Scores, unseen: Scores) -> dict[str, dict[str, Any]]:
    found: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for tag, entry in declaration.languages.items():
        found[tag].update(udhr_sentences=entry.count, udhr_f1=round(entry.f1, 3))
    for tag, entry in unseen.languages.items():
        found[tag].update(documents=entry.count, document_recall=round(entry.recall, 3), document_f1=round(entry.f1, 3))
    return {tag: found[tag] for tag in sorted(found)}


def _update_card(card: Path, name: str, table: str) -> None:
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    text = card.read_text(encoding="utf-8")
    if begin not in text or end not in text:
        raise InputError(f"{card} has no '{begin}' and '{end}'", "Add both lines where the table belongs")
    head, rest = text.split(begin, 1)
    tail = rest.split(end, 1)[1]
    card.write_text(f"{head}{begin}\n{table}\n{end}{tail}", encoding="utf-8")


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.language_id.train",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with eval/, lid/, parallel/ and corpus/")
    parser.add_argument("--output", type=Path, required=True, help="folder for the model and its JSON card")
    parser.add_argument("--card", type=Path, help="Markdown card whose table is replaced")
    parser.add_argument("--tune", action="store_true", help="hold whole sources out instead, and score on them")
    parser.add_argument("--score-only", action="store_true", help="train nothing; score the model in the output folder")
    parser.add_argument("--seed", type=int, default=0, help="seed of spans and order")
    for kind in (Settings, Balance):
        for field in dataclasses.fields(kind):
            flag = "--" + field.name.replace("_", "-")
            parser.add_argument(flag, type=type(field.default), default=field.default, help=f"default {field.default}")
    return parser


def _settings(options: argparse.Namespace) -> Settings:
    return Settings(**{field.name: getattr(options, field.name) for field in dataclasses.fields(Settings)})


def _balance(options: argparse.Namespace) -> Balance:
    return Balance(**{field.name: getattr(options, field.name) for field in dataclasses.fields(Balance)})


if __name__ == "__main__":
    sys.exit(main())
