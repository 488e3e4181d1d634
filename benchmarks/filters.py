"""The text stages on the development corpus: what they repair, mask and reject, and how fast.

    python -m benchmarks.filters --json FILE [--quick] [--labels truth|model] [--peer PYTHON]

Every figure of speed is documents per CPU second of one process, the median of several repeats; stages take turns
within a repeat. Junk is judged under the language it was declared to be, so that the filters have to find it, not
the label. ``--peer`` names the interpreter of an environment with datatrove and spaCy: then its Gopher repetition,
Gopher quality and FineWeb quality filters read documents of the same corpus in the same run, all three each document,
as our chain judges every document by every rule.
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
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.peer import answer, ask

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline.quality.config import FilterConfig
    from pipeline.quality.decide import Decision

CLEAN = frozenset({"boilerplate", "pii", "lang_code_variant", "nfd"})
"""What may be planted in a document that is to be kept."""
BATCH_BYTES = 4 << 20
QUICK_DOCUMENTS = 3_000
PEER_DOCUMENTS = 3_000
CHAIN = ("normalise", "script", "quality", "decide")
"""What every document passes; masking is an option and counted apart."""


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark and write its figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.filters", description=__doc__)
    parser.add_argument("--json", type=Path, required=True, help="file to write the figures to")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with corpus/")
    parser.add_argument("--labels", choices=("truth", "model"), default="truth", help="where languages come from")
    parser.add_argument("--repeats", type=int, default=5, help="repeats of the speed measurement")
    parser.add_argument("--peer", type=Path, help="Python of an environment with datatrove and spaCy")
    parser.add_argument("--quick", action="store_true", help="fewer documents and repeats")
    options = parser.parse_args(arguments)
    from benchmarks.machine import machine

    documents = load(options.data / "corpus")
    if options.quick:
        documents = documents[:QUICK_DOCUMENTS]
    repeats = 2 if options.quick else options.repeats
    raw = batches(documents)
    timings = measure(raw, repeats, options.labels)
    report: dict[str, Any] = {
        "benchmark": "filters",
        "machine": machine(),
        "settings": {
            "documents": len(documents),
            "bytes_per_document": round(sum(len(text["text"].encode()) for text in documents) / len(documents), 1),
            "labels": options.labels,
            "repeats": repeats,
            "quick": options.quick,
        },
        "speed": speeds(timings, len(documents)),
        "quality": judge(documents, raw, options.labels),
        "stop_words": stop_words(documents, raw, options.labels),
    }
    if options.peer:
        report["peer"] = peer(options.peer, documents, repeats=1 if options.quick else 2)
        ratio = report["speed"]["chain"]["median"] / report["peer"]["documents_per_cpu_second"]["median"]
        report["ratio_to_peer"] = round(ratio, 2)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for name, figure in report["speed"].items():
        print(f"{name:<10} {figure['median']:>10,.0f} documents per CPU second")
    quality = report["quality"]
    print(f"clean documents lost {quality['clean_lost']:.2%}, junk rejected {quality['junk_rejected']:.2%}")
    return 0


def load(corpus: Path) -> list[dict[str, Any]]:
    """Every record with a text, with its ground truth.

    Raises:
        SystemExit: the corpus is not there.
    """
    import orjson
    import zstandard

    def lines(path: Path) -> list[bytes]:
        with path.open("rb") as handle, zstandard.ZstdDecompressor().stream_reader(handle) as stream:
            return stream.read().removeprefix(b"\xef\xbb\xbf").split(b"\n")

    if not (corpus / "ground_truth.jsonl.zst").exists():
        raise SystemExit(f"no corpus with ground truth at {corpus}; name its folder's parent with --data")
    truth = {}
    for line in lines(corpus / "ground_truth.jsonl.zst"):
        if line:
            row = json.loads(line)
            truth[row["shard"], row["line"]] = row
    documents = []
    for path in sorted(corpus.glob("shard-*.jsonl.zst")):
        for number, line in enumerate(lines(path), start=1):
            try:
                record = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
            if isinstance(record, dict) and isinstance(record.get("text"), str):
                row = truth[path.name.removesuffix(".zst"), number]
                row["kinds"] = {planted["kind"]: planted for planted in row["planted"]}
                documents.append(
                    {"text": record["text"], "declared": record.get("lang"), "url": record.get("url"), **row}
                )
    return documents


def batches(documents: list[dict[str, Any]]) -> list[pa.RecordBatch]:
    """Raw record batches of about BATCH_BYTES, with the row's number."""
    import pyarrow as pa

    from corpus.tags import to_tag_or_none

    languages = {document["true_lang"] for document in documents} - {"und", "zxx"}
    found, rows, size = [], [], 0
    for number, document in enumerate(documents):
        declared = document["declared"] if isinstance(document["declared"], str) else None
        lang = document["true_lang"]
        if lang not in languages:
            tag = to_tag_or_none(declared) if declared else None
            lang = tag if tag in languages else "eng_Latn"
        url = document["url"] if isinstance(document["url"], str) else None
        rows.append({"row": number, "text": document["text"], "declared_lang": declared, "lang": lang, "url": url})
        size += len(document["text"].encode())
        if size >= BATCH_BYTES or number == len(documents) - 1:
            found.append(pa.RecordBatch.from_pylist(rows))
            rows, size = [], 0
    return found


def run(
    raw: list[pa.RecordBatch], labels: str, config: FilterConfig | None = None
) -> tuple[dict[str, float], list[pa.RecordBatch], list[list[Any]]]:
    """Once through all stages: CPU seconds of each, the scored batches, and the decisions on them."""
    import pyarrow as pa

    from pipeline.normalise.stage import NormaliseStage
    from pipeline.quality.config import FilterConfig
    from pipeline.quality.decide import decide
    from pipeline.quality.stage import QualityStage
    from pipeline.quality.survey import merge, survey
    from pipeline.quality.thresholds import derive
    from pipeline.script.stage import ScriptStage

    config = config or FilterConfig()
    stages: list[Any] = [NormaliseStage(), ScriptStage(), QualityStage(config.stop_words.enabled)]
    if labels == "model":
        from pipeline.language_id.stage import IdentifyStage

        stages.insert(1, IdentifyStage())
    else:
        raw = [batch.append_column("lang_score", pa.array([0.95] * batch.num_rows, pa.float32())) for batch in raw]
    seconds: dict[str, float] = defaultdict(float)
    scored = []
    for batch in raw:
        kept = batch
        for stage in stages:
            start = time.process_time()
            kept = stage(kept).kept
            seconds[stage.name] += time.process_time() - start
        scored.append(kept)
    start = time.process_time()
    thresholds = derive(merge(survey(batch, config) for batch in scored), config).thresholds
    decisions = [decide(batch, thresholds, config) for batch in scored]
    seconds["decide"] = time.process_time() - start
    return dict(seconds), scored, decisions


def measure(raw: list[pa.RecordBatch], repeats: int, labels: str) -> list[dict[str, float]]:
    """CPU seconds of every stage in every repeat, after one batch that builds tables and loads models."""
    from pipeline.pii.stage import MaskPiiStage

    run(raw[:1], labels)
    timings = []
    for _ in range(repeats):
        seconds, _, _ = run(raw, labels)
        start = time.process_time()
        for batch in raw:
            MaskPiiStage()(batch)
        seconds["pii"] = time.process_time() - start
        timings.append(seconds)
    return timings


def speeds(timings: list[dict[str, float]], documents: int) -> dict[str, Any]:
    """Documents per CPU second of every stage and of the chain."""
    series = {name: [documents / timing[name] for timing in timings] for name in timings[0]}
    series["chain"] = [documents / sum(timing[name] for name in CHAIN) for timing in timings]
    return {
        name: {"median": round(statistics.median(values), 1), "repeats": [round(value, 1) for value in values]}
        for name, values in series.items()
    }


def judge(documents: list[dict[str, Any]], raw: list[pa.RecordBatch], labels: str) -> dict[str, Any]:
    """What the ground truth says of repairs, masks and decisions."""
    _, scored, decided = run(raw, labels)
    texts: dict[int, str] = {}
    decisions: dict[int, Decision | None] = {}
    scripts_agree: dict[int, bool | None] = {}
    for batch, verdicts in zip(scored, decided, strict=True):
        rows = batch.column("row").to_pylist()
        texts |= dict(zip(rows, batch.column("text").to_pylist(), strict=True))
        scripts_agree |= dict(zip(rows, batch.column("lang_script_agrees").to_pylist(), strict=True))
        decisions |= dict(zip(rows, verdicts, strict=True))
    clean: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    junk: dict[str, list[int]] = {}
    for number, document in enumerate(documents):
        kinds = document["kinds"]
        decision = decisions.get(number)
        gone = decision is not None or number not in decisions
        if set(kinds) <= CLEAN:
            clean[document["true_lang"]] += 1
            lost[document["true_lang"]] += gone
            if decision:
                reasons[f"{decision.stage}/{decision.reason}"] += 1
        elif "junk" in kinds or "very_long_repetition" in kinds:
            tally = junk.setdefault(kinds["junk"]["how"] if "junk" in kinds else "very_long_repetition", [0, 0])
            tally[0] += gone
            tally[1] += 1
    shares = {lang: lost[lang] / count for lang, count in clean.items()}
    worst = max(shares, key=lambda lang: (shares[lang], lang))
    return {
        "clean_documents": clean.total(),
        "clean_lost": round(lost.total() / clean.total(), 5),
        "clean_lost_by_reason": dict(reasons.most_common()),
        "clean_lost_worst_language": {"lang": worst, "share": round(shares[worst], 5), "documents": clean[worst]},
        "junk_rejected": round(sum(tally[0] for tally in junk.values()) / sum(tally[1] for tally in junk.values()), 5),
        "junk_rejected_by_kind": {kind: f"{tally[0]}/{tally[1]}" for kind, tally in sorted(junk.items())},
        "repaired": repaired(documents, texts, scripts_agree),
        "masked": masked(documents),
    }


def stop_words(documents: list[dict[str, Any]], raw: list[pa.RecordBatch], labels: str) -> dict[str, Any]:
    """What the rule of stop words does by itself, and what it adds to the others; it is off by default.

    Judged are documents of at least eight repeated words, in the languages of enough sources to tell stop words.
    """
    from pipeline.quality.config import FilterConfig, StopWordsConfig
    from pipeline.quality.stop_words import shares
    from pipeline.quality.survey import merge, survey
    from pipeline.quality.thresholds import derive

    config = FilterConfig(stop_words=StopWordsConfig(enabled=True))
    _, scored, _ = run(raw, labels, config)
    _, _, without = run(raw, labels)
    lists = derive(merge(survey(batch, config) for batch in scored), config).thresholds.stop_words
    clean: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    junk: dict[str, list[int]] = {}
    added = [0, 0]
    for batch, decisions in zip(scored, without, strict=True):
        found = shares(batch, lists)
        langs = batch.column("lang").to_pylist()
        for row, lang, share, decision in zip(batch.column("row").to_pylist(), langs, found, decisions, strict=True):
            if share != share:  # not judged
                continue
            kinds = documents[row]["kinds"]
            broken = bool(share < config.stop_words.min_share)
            if set(kinds) <= CLEAN:
                clean[lang] += 1
                lost[lang] += broken
                added[0] += broken and decision is None
            elif "junk" in kinds:
                tally = junk.setdefault(kinds["junk"]["how"], [0, 0])
                tally[0] += broken
                tally[1] += 1
                added[1] += broken and decision is None
    shares_lost = {lang: lost[lang] / count for lang, count in clean.items()}
    worst = max(shares_lost, key=lambda lang: (shares_lost[lang], lang), default=None)
    spent: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(3):
        for enabled, times in spent.items():
            seconds, _, _ = run(raw, labels, config if enabled else None)
            times.append(seconds["quality"] + seconds["decide"])
    extra = min(spent[True]) - min(spent[False])
    return {
        "languages": {lang: len(words) for lang, words in lists.items()},
        "microseconds_per_document": round(extra / len(documents) * 1e6, 1),
        "alone": {
            "clean_judged": clean.total(),
            "clean_lost": round(lost.total() / max(clean.total(), 1), 5),
            "clean_lost_worst_language": worst and {"lang": worst, "share": round(shares_lost[worst], 5)},
            "junk_rejected_by_kind": {kind: f"{tally[0]}/{tally[1]}" for kind, tally in sorted(junk.items())},
        },
        "beside_the_others": {"clean_lost": added[0], "junk_rejected": added[1]},
    }


def repaired(
    documents: list[dict[str, Any]], texts: dict[int, str], scripts_agree: dict[int, bool | None]
) -> dict[str, str]:
    """Documents of each damaged kind without a trace of the damage."""
    import ast
    import unicodedata

    tallies: dict[str, list[int]] = {}
    for number, document in enumerate(documents):
        text = texts.get(number)
        for kind, planted in document["kinds"].items():
            if kind == "mojibake":
                whole = text is not None and not re.search("Ã[\x80-\xbf]|â€|[\x80-\x9f]", text)
                whole = whole and scripts_agree[number] is not False
            elif kind == "html_markup":
                whole = text is not None and not re.search(r"</?(?:p|div|br|span)\b|&#?\w+;", text)
            elif kind == "control_chars":
                whole = text is not None and ast.literal_eval(planted["char"]) not in text
            elif kind == "nfd":
                whole = text is not None and unicodedata.is_normalized("NFC", text)
            else:
                continue
            tally = tallies.setdefault(kind, [0, 0])
            tally[0] += whole
            tally[1] += 1
    return {kind: f"{tally[0]}/{tally[1]}" for kind, tally in sorted(tallies.items())}


def masked(documents: list[dict[str, Any]]) -> dict[str, Any]:
    """Planted personal data that is gone, and what else was masked in documents where none was planted."""
    from pipeline.pii.config import PiiConfig
    from pipeline.pii.mask import mask

    config = PiiConfig(enabled=True)
    found: dict[str, list[int]] = {}
    elsewhere: Counter[str] = Counter()
    unplanted = 0
    for document in documents:
        planted = document["kinds"].get("pii")
        text, counts = mask(document["text"], config)
        if planted:
            tally = found.setdefault(planted["pii"], [0, 0])
            tally[0] += planted["value"] not in text
            tally[1] += 1
        else:
            unplanted += 1
            elsewhere.update(counts)
    return {
        "planted": {kind: f"{tally[0]}/{tally[1]}" for kind, tally in sorted(found.items())},
        "elsewhere": dict(sorted(elsewhere.items())),
        "documents_without_planted": unplanted,
    }


def peer(python: Path, documents: list[dict[str, Any]], repeats: int) -> dict[str, Any]:
    """datatrove's chain of three filters on evenly spread documents, in an interpreter of its own."""
    step = max(len(documents) // PEER_DOCUMENTS, 1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "documents.json"
        path.write_text(json.dumps([document["text"] for document in documents[::step]]), encoding="utf-8")
        return ask(python, "benchmarks.filters", "--as-peer", path, repeats)


def as_peer(path: Path, repeats: int) -> None:
    """What runs in the peer's interpreter; datatrove splits words once, the filters share them."""
    from importlib.metadata import version

    from datatrove.data import Document
    from datatrove.pipeline.filters import FineWebQualityFilter, GopherQualityFilter, GopherRepetitionFilter

    texts = json.loads(path.read_text(encoding="utf-8"))
    filters = [GopherRepetitionFilter(), GopherQualityFilter(), FineWebQualityFilter()]

    def chain(text: str, number: int) -> None:
        document = Document(text=text, id=str(number))
        for judge_one in filters:
            judge_one.filter(document)

    chain(texts[0], 0)
    rates = []
    for _ in range(repeats):
        start = time.process_time()
        for number, text in enumerate(texts):
            chain(text, number)
        rates.append(len(texts) / (time.process_time() - start))
    figures = {
        "name": "datatrove",
        "version": version("datatrove"),
        "filters": [type(judge_one).__name__ for judge_one in filters],
        "documents": len(texts),
        "documents_per_cpu_second": {
            "median": round(statistics.median(rates), 1),
            "repeats": [round(rate, 1) for rate in rates],
        },
    }
    answer(figures)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--as-peer"]:
        as_peer(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        sys.exit(main())
