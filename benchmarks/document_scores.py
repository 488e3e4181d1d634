"""What the scores of documents mean on real text, and what they cost.

    python -m benchmarks.document_scores --json FILE [--corpus DIR] [--quick]

Coverage: of all words (pairs of characters where no spaces are written), character 4-grams and word endings that at
least two documents of a language have, the share that the first tenth of its text has, taken by diversity, by
difficulty and at random. They are counted as strings, apart from the scores' own features, of which 4-grams are none.
Sense: how often shuffled words are harder than the text, and shuffled letters than shuffled words; how often noise is
less diverse than the text; and the difficulty of children's stories, Bible and medical texts in the same language.
Cost: CPU seconds of counting and scoring beside those of encoding with SentencePiece, in turns, medians.

``--corpus`` names a prepared corpus; without it the development corpus is prepared first, in a temporary folder.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import regex
import zstandard
from numpy.typing import NDArray

from corpus.manifest import Snapshot, read_snapshot
from corpus.schema import SCRIPT_SHARES
from corpus.shards import read_table
from corpus.storage import Storage
from corpus.tags import UNSPACED
from pipeline.curriculum.sample import chosen, share
from pipeline.curriculum.score import Scores, measure, score
from pipeline.curriculum.statistics import Statistics, collect

FEWEST_DOCUMENTS = 50
MOST_DOCUMENTS = 600
"""Of a language that are looked at for coverage: strings are slow to count."""
PART = 0.1
DRAWS = 5
SAMPLE_BYTES = 4_000_000
ALTERED = 40
"""Documents of each language that are shuffled."""
GROUPS = ((1_000_000, "large"), (200_000, "medium"), (0, "small"))
"""Languages by bytes."""
_WORD = regex.compile(r"\w+")
Order = NDArray[np.int64]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and write its figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.document_scores", description=__doc__)
    parser.add_argument("--json", type=Path, required=True, help="file to write the figures to")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with corpus/ and parallel/")
    parser.add_argument("--corpus", help="a prepared corpus")
    parser.add_argument("--repeats", type=int, default=3, help="of the measurement of cost")
    parser.add_argument("--quick", action="store_true", help="small languages only, one repeat")
    options = parser.parse_args(arguments)
    from benchmarks.machine import machine

    with tempfile.TemporaryDirectory(prefix="evenglot-benchmark-") as folder:
        root = options.corpus or prepared(options.data / "corpus", Path(folder) / "corpus")
        snapshot = read_snapshot(root)
        languages = dict(load(root, snapshot, 300_000 if options.quick else None))
    costs = cost(languages, 1 if options.quick else options.repeats)
    found = {lang: judge(lang, batch) for lang, batch in languages.items()}
    report = {
        "benchmark": "document_scores",
        "machine": machine(),
        "settings": {"quick": options.quick, "part": PART, "draws": DRAWS, "sample_bytes": SAMPLE_BYTES},
        "coverage": grouped({lang: figures["coverage"] for lang, figures in found.items()}, languages),
        "sense": {
            name: round(statistics.fmean(figures["sense"][name] for figures in found.values()), 4)
            for name in next(iter(found.values()))["sense"]
        },
        "difficulty_by_kind": by_kind(options.data / "parallel", languages),
        "cost": costs,
        "languages": found,
    }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for name in ("coverage", "sense", "difficulty_by_kind", "cost"):
        print(name, json.dumps(report[name], ensure_ascii=False))
    return 0


def prepared(data: Path, root: Path) -> str:
    """Prepare the development corpus."""
    from evenglot.recipe.load import load_recipe
    from evenglot.steps import prepare

    flags = {"input": ("--input", [str(data / "shard-*.jsonl.zst")]), "output": ("--output", str(root))}
    prepare(load_recipe(None, (), flags), 1, None)
    return str(root)


def load(root: str, snapshot: Snapshot, most: int | None) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Each language's training documents, as one batch."""
    storage = Storage(root)
    for lang, known in sorted(snapshot.languages.items()):
        files = snapshot.select("text", lang=lang, split="train")
        if known.documents >= FEWEST_DOCUMENTS and (most is None or known.bytes <= most):
            columns = ["id", "text", "scripts", "code_switching"]
            tables = [read_table(storage.path(file.path)).select(columns) for file in files]
            (batch,) = pa.concat_tables(tables).combine_chunks().to_batches()
            # Out of the memory map: the folder may go.
            yield (
                lang,
                pa.RecordBatch.from_pydict({name: batch.column(name) for name in columns}).take(
                    pa.array(np.arange(batch.num_rows))
                ),
            )


def judge(lang: str, batch: pa.RecordBatch) -> dict[str, Any]:
    """All figures of one language."""
    _, scores = scored(batch)
    texts = batch.column("text").to_pylist()
    hard, rich = scores.difficulty, scores.diversity
    packed = np.array([len(zlib.compress(text.encode())) / max(len(text.encode()), 1) for text in texts])
    return {
        "documents": len(texts),
        "bytes": sum(len(text.encode()) for text in texts),
        "coverage": coverage(texts[:MOST_DOCUMENTS], hard[:MOST_DOCUMENTS], rich[:MOST_DOCUMENTS], lang),
        "sense": sense(texts, batch),
        "rank_correlation": {
            "difficulty_diversity": rank_correlation(hard, rich),
            "difficulty_length": rank_correlation(hard, np.array([len(text) for text in texts])),
            "diversity_length": rank_correlation(rich, np.array([len(text) for text in texts])),
            "difficulty_zlib": rank_correlation(hard, packed),
        },
    }


def scored(batch: pa.RecordBatch) -> tuple[Statistics, Scores]:
    """Statistics of a language's sample and the scores of its documents, as ``tokenize`` makes them."""
    own = sampled(batch)
    sample = batch.filter(pa.array(own))
    counted = collect([sample], size_of(sample), measure)
    return counted, score(batch, counted, own)


def sampled(batch: pa.RecordBatch) -> NDArray[np.bool_]:
    """Which documents are in the sample."""
    return chosen(batch.column("id").to_pylist(), share(size_of(batch), batch.num_rows, SAMPLE_BYTES))


def size_of(batch: pa.RecordBatch) -> int:
    """UTF-8 bytes of all texts."""
    return sum(len(text.encode()) for text in batch.column("text").to_pylist())


def coverage(
    texts: Sequence[str], hard: NDArray[np.float32], rich: NDArray[np.float32], lang: str
) -> dict[str, dict[str, float]]:
    """Share of a language's features that the first tenth of its text has, by kind of feature and of order."""
    sizes = np.array([len(text) for text in texts])
    orders: dict[str, list[Order]] = {
        "diverse_first": [np.argsort(-rich, kind="stable")],
        "hard_first": [np.argsort(-hard, kind="stable")],
        "random": [np.random.default_rng(number).permutation(len(texts)) for number in range(DRAWS)],
    }
    found: dict[str, dict[str, float]] = {}
    for kind, parts in kinds(lang).items():
        by_document = [parts(text.lower()) for text in texts]
        times = Counter(part for some in by_document for part in some)
        known = {part for part, count in times.items() if count > 1}
        found[kind] = {}
        for name, several in orders.items():
            shares = []
            for order in several:
                first = order[: int(np.searchsorted(np.cumsum(sizes[order]), PART * sizes.sum())) + 1]
                shares.append(len(set().union(*(by_document[row] for row in first)) & known) / max(len(known), 1))
            found[kind][name] = round(statistics.fmean(shares), 4)
    return found


def kinds(lang: str) -> dict[str, Callable[[str], set[str]]]:
    """How features are counted as strings."""

    def words(text: str) -> set[str]:
        if lang.rpartition("_")[2] in UNSPACED:
            return ngrams(text, 2)
        return set(_WORD.findall(text))

    return {
        "words": words,
        "4-grams": lambda text: ngrams(text, 4),
        "endings": lambda text: {word[-4:] + "$" for word in _WORD.findall(text) if len(word) > 4},
    }


def ngrams(text: str, order: int) -> set[str]:
    """Different n-grams of characters."""
    return {text[start : start + order] for start in range(len(text) - order + 1)}


def sense(texts: Sequence[str], batch: pa.RecordBatch) -> dict[str, float]:
    """How often the scores say of altered text what they should, by statistics of the other documents."""
    rows = [row for row, text in enumerate(texts) if len(text) >= 500][:ALTERED]
    others = sampled(batch)
    others[rows] = False
    sample = batch.filter(pa.array(others))
    counted = collect([sample], size_of(sample), measure)
    random = np.random.default_rng(0)
    letters = sorted({character for row in rows for character in texts[row] if character.isalpha()})
    versions: dict[str, list[str]] = {
        "text": [texts[row] for row in rows],
        "words": [" ".join(random.permutation(texts[row].split())) for row in rows],
        "letters": ["".join(random.permutation(list(texts[row]))) for row in rows],
        "noise": ["".join(random.choice([*letters, " "], len(texts[row]))) for row in rows],
    }
    judged = {name: score(plain(some), counted, np.zeros(len(some), np.bool_)) for name, some in versions.items()}
    hard = {name: found.difficulty for name, found in judged.items()}
    rich = {name: found.diversity for name, found in judged.items()}
    middle = float(np.median(rich["text"]))
    return {
        "shuffled_words_harder": float((hard["words"] > hard["text"]).mean()),
        "shuffled_letters_harder_than_words": float((hard["letters"] > hard["words"]).mean()),
        "noise_harder": float((hard["noise"] > hard["text"]).mean()),
        "noise_less_diverse_than_the_median": float((rich["noise"] < middle).mean()),
        "shuffled_letters_less_diverse_than_the_median": float((rich["letters"] < middle).mean()),
    }


def plain(texts: Sequence[str]) -> pa.RecordBatch:
    """Texts of which no scripts are known."""
    columns = {
        "text": pa.array(texts, pa.string()),
        "scripts": pa.nulls(len(texts), SCRIPT_SHARES),
        "code_switching": pa.nulls(len(texts), pa.float32()),
    }
    return pa.RecordBatch.from_pydict(columns)


def by_kind(folder: Path, languages: Mapping[str, pa.RecordBatch]) -> dict[str, dict[str, float]]:
    """Median difficulty of parallel texts by their kind, under the statistics of the corpus; pieces of 20 sentences.

    Only of the development and test parts, of which no sentence is in the corpus.
    """
    found: dict[str, dict[str, float]] = {}
    for name in ("stories", "bible_pd", "tico19"):
        text = zstandard.ZstdDecompressor().stream_reader((folder / f"{name}.jsonl.zst").open("rb")).read().decode()
        units = [json.loads(line) for line in text.split("\n") if line]
        for lang in ("eng_Latn", "por_Latn", "fra_Latn", "hin_Deva", "swh_Latn", "ukr_Cyrl"):
            sentences = [unit["text"][lang] for unit in units if unit["split"] != "train" and lang in unit["text"]]
            if lang in languages and sentences:
                pieces = [" ".join(sentences[start : start + 20]) for start in range(0, len(sentences), 20)]
                counted, _ = scored(languages[lang])
                values = score(plain(pieces), counted, np.zeros(len(pieces), np.bool_)).difficulty
                found.setdefault(lang, {})[name] = round(float(np.median(values)), 3)
    return found


def cost(languages: Mapping[str, pa.RecordBatch], repeats: int) -> dict[str, Any]:
    """CPU seconds of counting, scoring and encoding all documents, in turns."""
    from pipeline.tokenizer import TokenizerConfig
    from pipeline.tokenizer.model import Tokenizer
    from pipeline.tokenizer.train import train

    texts = {lang: batch.column("text").to_pylist() for lang, batch in languages.items()}
    lines = [line for some in texts.values() for text in some[:60] for line in text.splitlines()][:20_000]
    tokenizer = Tokenizer(train(lambda: lines, TokenizerConfig(vocabulary=16_000)))
    taken: dict[str, list[float]] = {"count": [], "score": [], "encode": []}
    for _ in range(repeats):
        for lang, batch in languages.items():
            own = sampled(batch)
            sample = batch.filter(pa.array(own))
            begun = time.process_time()
            counted = collect([sample], size_of(sample), measure)
            between = time.process_time()
            score(batch, counted, own)
            after = time.process_time()
            tokenizer.encode_documents(texts[lang])
            for name, seconds in zip(
                taken, (between - begun, after - between, time.process_time() - after), strict=True
            ):
                taken[name].append(seconds)
    turn = len(languages)
    each = {
        name: statistics.median(sum(values[first : first + turn]) for first in range(0, len(values), turn))
        for name, values in taken.items()
    }
    documents = sum(batch.num_rows for batch in languages.values())
    size = sum(len(text.encode()) for some in texts.values() for text in some)
    return {
        "documents": documents,
        "bytes": size,
        "cpu_seconds": {name: round(seconds, 3) for name, seconds in each.items()},
        "microseconds_per_document": {name: round(1e6 * seconds / documents, 1) for name, seconds in each.items()},
        "score_to_encode": round(each["score"] / each["encode"], 3),
    }


def grouped(
    found: Mapping[str, Mapping[str, Mapping[str, float]]], languages: Mapping[str, pa.RecordBatch]
) -> dict[str, Any]:
    """Coverage relative to random order, means over the languages of each group."""
    groups: dict[str, list[str]] = {}
    for lang, batch in languages.items():
        size = size_of(batch)
        name = "unspaced" if lang.rpartition("_")[2] in UNSPACED else next(n for least, n in GROUPS if size >= least)
        groups.setdefault(name, []).append(lang)
    return {
        name: {
            "languages": len(members),
            **{
                kind: {
                    order: round(
                        statistics.fmean(found[lang][kind][order] / found[lang][kind]["random"] for lang in members), 3
                    )
                    for order in ("diverse_first", "hard_first")
                }
                for kind in next(iter(found.values()))
            },
        }
        for name, members in sorted(groups.items())
    }


def rank_correlation(one: NDArray[Any], two: NDArray[Any]) -> float:
    """Spearman's, ties broken by position."""
    ranks = [np.argsort(np.argsort(values, kind="stable"), kind="stable") for values in (one, two)]
    return round(float(np.corrcoef(ranks[0], ranks[1])[0, 1]), 3)


if __name__ == "__main__":
    raise SystemExit(main())
