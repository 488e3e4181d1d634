"""What the measures of naturalness say of natural, translated and spoilt text.

    python -m benchmarks.naturalness --json FILE [--quick] [--data ../shared/data] [--models FOLDER ...]

Halves: one half of a source's documents in the place of synthetic text, the other as natural. Sources: two sources of
one language against each other. Human: professional translations against a language's other text. Spoilt: a half with
something done to it against the other half as it is. There and back: documents against themselves with words in
another order, a share of them at a time; and, with models that lead both ways, against their translations. For each arm
the quantiles of every measure, and how often a budget would shrink under the default limits.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import machine
from benchmarks.sources import Document, by_source, clean_documents, translations
from corpus.hashing import stable_hash
from pipeline.naturalness.config import NaturalnessConfig
from pipeline.naturalness.measure import Naturalness, measure
from pipeline.naturalness.shrink import shrink

FEWEST_DOCUMENTS = 20
LANGUAGES = ("eng_Latn", "swh_Latn", "hin_Deva", "tam_Taml", "rus_Cyrl", "ind_Latn", "tur_Latn", "cym_Latn")
"""That are spoilt."""
SHARES = (0.02, 0.05, 0.1, 0.2, 0.5)
MADE, MADE_CHARACTERS = 40, 2_000
"""Documents that are translated, and characters of each."""
Case = tuple[str, str, Naturalness]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and write its figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.naturalness", description=__doc__)
    parser.add_argument("--json", type=Path, required=True, help="file to write the figures to")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with corpus/ and parallel/")
    parser.add_argument("--models", nargs="*", default=[], help="model folders that lead both ways")
    parser.add_argument("--only-models", action="store_true", help="leave out all that needs no models")
    parser.add_argument("--quick", action="store_true", help="three languages, 100 passages")
    options = parser.parse_args(arguments)
    config = NaturalnessConfig(passages=100 if options.quick else NaturalnessConfig().passages)
    documents = clean_documents(options.data)
    if options.quick:
        documents = {lang: documents[lang] for lang in LANGUAGES[:3]}
    started = time.process_time()
    cases: list[Case] = []
    if not options.only_models:
        cases += [case for make in (halves, sources, spoilt, there_and_back) for case in make(documents, config)]
        cases += human(documents, options.data, config)
    seconds = (time.process_time() - started) / max(len(cases), 1)
    if options.models:
        cases += machine_made(documents, options.models, config)
    arms = summary(cases, config)
    report = {
        "benchmark": "naturalness",
        "machine": machine(),
        "settings": {"quick": options.quick, "passages": config.passages},
        "cpu_seconds_per_language": round(seconds, 2),
        "arms": arms,
        "cases": [{"arm": arm, "case": name, **found.figures()} for arm, name, found in cases],
    }
    options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(table(arms))
    print(f"{seconds:.1f} CPU seconds for each comparison")
    return 0


def halves(documents: dict[str, list[Document]], config: NaturalnessConfig) -> Iterator[Case]:
    """Text of one source in the place of synthetic text of the same source."""
    for lang, source, found in _large(documents):
        one, other = _halves(found)
        yield "halves", f"{lang} {source}", _measure(one, [document.text for document in other], lang, config)


def sources(documents: dict[str, list[Document]], config: NaturalnessConfig) -> Iterator[Case]:
    """Text of one source in the place of synthetic text, that of another as natural."""
    for lang in documents:
        large = {source: found for code, source, found in _large({lang: documents[lang]}) if code == lang}
        for one, other in combinations(sorted(large), 2):
            texts = [document.text for document in large[other]]
            yield "sources", f"{lang} {one} {other}", _measure(large[one], texts, lang, config)


def human(documents: dict[str, list[Document]], data: Path, config: NaturalnessConfig) -> Iterator[Case]:
    """Professional translations of medical and encyclopaedic text in the place of synthetic text."""
    for lang, texts in translations(data, "tico19").items():
        if len(documents.get(lang, [])) >= FEWEST_DOCUMENTS:
            yield "human", lang, _measure(documents[lang], [*texts.values()], lang, config)


def spoilt(documents: dict[str, list[Document]], config: NaturalnessConfig) -> Iterator[Case]:
    """A half with something done to it."""
    for lang in LANGUAGES:
        if lang not in documents:
            continue
        one, other = _halves(documents[lang])
        english = [document.text for document in documents["eng_Latn"]]
        for name, spoil in SPOILS.items():
            texts = [spoil(document.text, english[row % len(english)]) for row, document in enumerate(other)]
            yield f"spoilt: {name}", lang, _measure(one, texts, lang, config)


def there_and_back(documents: dict[str, list[Document]], config: NaturalnessConfig) -> Iterator[Case]:
    """The same documents with a share of their words changing places with the next."""
    for lang in LANGUAGES:
        if lang not in documents:
            continue
        one, _ = _halves(documents[lang])
        for share in SHARES:
            back = [swapped(document.text, share) for document in one]
            yield f"swapped {share:.0%}", lang, _measure(one, [], lang, config, back)


def machine_made(
    documents: dict[str, list[Document]], folders: Sequence[str], config: NaturalnessConfig
) -> Iterator[Case]:
    """What models make of the stories' English, and of natural documents there and back."""
    from pipeline.sentences.split import split
    from pipeline.translation.config import TranslationConfig
    from pipeline.translation.decoding import Decoding
    from pipeline.translation.engine import Engine
    from pipeline.translation.routes import Route

    engine = Engine(TranslationConfig(models=tuple(folders)))
    english = [document.text for document in documents["eng_Latn"] if document.source in ("asp", "pb")]

    def translate(texts: Sequence[str], route: Route, target: str) -> list[str]:
        layouts = [split(text, route[0].source) for text in texts]
        flat = [one for layout in layouts for one in layout.sentences]
        found = iter([one.text or None for one in engine.translate(flat, route, Decoding(), seed=0)])
        return [layout.rebuild([next(found) for _ in layout.sentences], target) for layout in layouts]

    for lang in documents:
        if lang == "eng_Latn":
            continue
        if not (engine.routes.reaches("eng_Latn", lang) and engine.routes.reaches(lang, "eng_Latn")):
            continue
        there, back = engine.routes.find("eng_Latn", lang), engine.routes.find(lang, "eng_Latn")
        natural = documents[lang][:MADE]
        made = translate([text[:MADE_CHARACTERS] for text in english[:MADE]], there, lang)
        texts = [document.text[:MADE_CHARACTERS] for document in natural]
        again = translate(translate(texts, back, "eng_Latn"), there, lang)
        shortened = [document._replace(text=text) for document, text in zip(natural, texts, strict=True)]
        yield "machine", lang, _measure(shortened, made, lang, config, again)


def swapped(text: str, share: float) -> str:
    """A text of which a share of the words changed places with the word after them."""
    lines = []
    for number, line in enumerate(text.split("\n")):
        words = line.split()
        for place in range(len(words) - 1):
            if stable_hash("swap", number, place, *words[place : place + 2]) < share * 2**64:
                words[place], words[place + 1] = words[place + 1], words[place]
        lines.append(" ".join(words))
    return "\n".join(lines)


def shuffled(text: str, _: str) -> str:
    """The words of each line ordered by hash."""
    return "\n".join(
        " ".join(sorted(line.split(), key=lambda word: stable_hash("shuffle", word))) for line in text.split("\n")
    )


def copied(text: str, english: str) -> str:
    """Three words in ten taken from an English document."""
    others = english.split() or ["the"]
    words = text.split(" ")
    return " ".join(
        others[place % len(others)] if stable_hash("copy", place) % 10 < 3 else word for place, word in enumerate(words)
    )


def poor(text: str, _: str) -> str:
    """Of every run of four sentences' worth of words the first three again and again: a model in a loop."""
    words = text.split()
    return " ".join(word for start in range(0, len(words), 40) for word in words[start : start + 8] * 5)


SPOILS: dict[str, Callable[[str, str], str]] = {
    "one word in ten swapped": lambda text, _: swapped(text, 0.1),
    "words shuffled in each line": shuffled,
    "three words in ten copied from English": copied,
    "eight words in forty, five times each": poor,
}


def summary(cases: Sequence[Case], config: NaturalnessConfig) -> dict[str, Any]:
    """By arm: cases, how many shrink, by how much, and quantiles of every measure."""
    arms: dict[str, Any] = {}
    for arm in dict.fromkeys(arm for arm, _, _ in cases):
        found = [one for name, _, one in cases if name == arm and one.measures]
        if not found:
            continue
        shares = [shrink(one, config).share for one in found]
        names = dict.fromkeys(name for one in found for name in one.measures)
        measures = {}
        for name in names:
            values = [one.measures[name] for one in found if name in one.measures]
            spread = np.nanquantile([one.value for one in values], (0, 0.05, 0.5, 0.95, 1))
            measures[name] = {
                "quantiles": [round(float(value), 3) for value in spread],
                "natural": round(float(np.nanmedian([one.baseline for one in values])), 3),
            }
        arms[arm] = {
            "cases": len(found),
            "shrink": sum(share < 1 for share in shares),
            "mean_share": round(float(np.mean(shares)), 3),
            "measures": measures,
        }
    return arms


def table(arms: dict[str, Any]) -> str:
    """Medians, with the least and the largest value, as Markdown."""
    names = list(dict.fromkeys(name for arm in arms.values() for name in arm["measures"]))
    rows = [["text", "cases", "shrink", "share kept", *names], ["---"] * (len(names) + 4)]
    for arm, found in arms.items():
        cells = []
        for name in names:
            known = found["measures"].get(name)
            if known is None:
                cells.append("")
                continue
            least, _, middle, _, most = known["quantiles"]
            cells.append(f"{middle:.2f} ({least:.2f}-{most:.2f})")
        rows.append([arm, str(found["cases"]), str(found["shrink"]), f"{found['mean_share']:.2f}", *cells])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _large(documents: dict[str, list[Document]]) -> Iterator[tuple[str, str, list[Document]]]:
    for lang, every in documents.items():
        for source, found in by_source(every).items():
            if len(found) >= FEWEST_DOCUMENTS:
                yield lang, source, found


def _halves(documents: Sequence[Document]) -> tuple[list[Document], list[Document]]:
    sides: tuple[list[Document], list[Document]] = ([], [])
    for document in documents:
        sides[stable_hash("benchmark half", document.id) % 2].append(document)
    return sides


def _measure(
    natural: Sequence[Document],
    synthetic: Sequence[str],
    lang: str,
    config: NaturalnessConfig,
    retranslated: Sequence[str | None] | None = None,
) -> Naturalness:
    texts, ids = [document.text for document in natural], [document.id for document in natural]
    return measure(texts, synthetic, lang, config, natural_ids=ids, retranslated=retranslated)


if __name__ == "__main__":
    raise SystemExit(main())
