"""The identification stage on whole documents: mixed, without a language, wrongly declared, romanised; and its speed.

    python -m benchmarks.identify_stage --json FILE [--data ../shared/data/corpus]

Texts are normalised as ``prepare`` normalises them, and the lines that a site adds to all its pages are taken out by
the ground truth (``prepare`` takes them out before this stage; with them many clean pages are in two languages). The
part on romanised text needs anyascii, which spells otherwise than the tool that the detector was trained with.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from benchmarks.machine import machine
from benchmarks.truth import CLEAN_KINDS, decompressed, share
from corpus.schema import NO_LANGUAGE, UNDETERMINED
from corpus.tags import script_of, to_tag_or_none
from pipeline.language_id.config import IdentifyConfig
from pipeline.language_id.romanised import CARD
from pipeline.language_id.sentences import sentences
from pipeline.language_id.sources import group_of, in_training
from pipeline.language_id.stage import IdentifyStage
from pipeline.normalise.stage import NormaliseStage

BATCH: Final = 700
NONE: Final = (UNDETERMINED, NO_LANGUAGE)
_UNROMANISED: Final = ("Hans", "Hant", "Jpan", "Latn")


@dataclass
class Document:
    """A record with its truth, normalised."""

    text: str
    true: str
    declared: str | None
    kinds: frozenset[str]
    source: str
    bounds: list[int] = field(default_factory=list)
    """Of a mixed document: where its languages change, in characters of the text."""
    mode: str = ""

    @property
    def clean(self) -> bool:
        """Whether it is a document in one language without a defect."""
        return self.kinds <= {*CLEAN_KINDS, "bom_at_file_start"} and self.true not in NONE


def load(folder: Path) -> list[Document]:
    """Every record that can be parsed and has a text."""
    lines: dict[str, list[bytes]] = {}
    raw: list[str] = []
    found: list[Document] = []
    before: dict[int, list[str]] = {}
    for row in decompressed(folder / "ground_truth.jsonl.zst").splitlines():
        truth = json.loads(row)
        name = truth["shard"]
        if name not in lines:
            lines[name] = decompressed(folder / f"{name}.zst").split(b"\n")
        try:
            record = json.loads(lines[name][truth["line"] - 1].decode("utf-8-sig"))
            text = record["text"]
            text.encode()
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
        planted = {plant["kind"]: plant for plant in truth["planted"]}
        document = Document(
            "",
            truth["true_lang"],
            to_tag_or_none(record["lang"]) if isinstance(record.get("lang"), str) else None,
            frozenset(planted),
            truth.get("src_id") or "synthetic",
        )
        if "mixed_lang" in planted:
            document.mode = planted["mixed_lang"]["mode"]
            before[len(found)] = [text[:start] for _, start, _ in planted["mixed_lang"]["segments"][1:]]
        elif planted.get("boilerplate", {}).get("lines"):
            added = set(planted["boilerplate"]["lines"])
            text = "\n".join(line for number, line in enumerate(text.split("\n")) if number not in added)
        raw.append(text)
        found.append(document)
    for document, text in zip(found, normalised(raw), strict=True):
        document.text = text
    for row_number, parts in before.items():
        # One letter behind keeps the white space that normalising would take from the end.
        found[row_number].bounds = [len(part) - 1 for part in normalised([f"{part}x" for part in parts])]
    return [document for document in found if document.text]


def normalised(texts: Sequence[str]) -> list[str]:
    """Texts as the first stage leaves them, "" where it rejects one."""
    stage, found = NormaliseStage(), [""] * len(texts)
    for start in range(0, len(texts), BATCH):
        part = texts[start : start + BATCH]
        kept = stage(pa.RecordBatch.from_pydict({"text": part, "row": range(start, start + len(part))})).kept
        for row, text in zip(kept.column("row").to_pylist(), kept.column("text").to_pylist(), strict=True):
            found[row] = text
    return found


def label(texts: Sequence[str], declared: Sequence[str | None], config: IdentifyConfig) -> tuple[list[Any], float]:
    """(lang, segments, code_switching) of each text, and CPU seconds."""
    stage = IdentifyStage(config)
    batches = [
        pa.RecordBatch.from_pydict(
            {
                "text": pa.array(texts[start : start + BATCH], pa.string()),
                "declared_lang": pa.array(declared[start : start + BATCH], pa.string()),
            }
        )
        for start in range(0, len(texts), BATCH)
    ]
    for batch in batches[:1]:
        stage(batch)  # the models are loaded
    began = time.process_time()
    kept = [stage(batch).kept for batch in batches]
    seconds = time.process_time() - began
    columns = ("lang", "segments", "code_switching")
    return [row for rows in kept for row in zip(*(rows.column(c).to_pylist() for c in columns), strict=True)], seconds


def mixed(documents: Sequence[Document], found: Sequence[Any]) -> dict[str, Any]:
    """Mixed documents found, the false rate, and how near the boundaries lie."""
    planted = [row for row, document in enumerate(documents) if document.mode]
    clean = [row for row, document in enumerate(documents) if document.clean]
    boundaries: Counter[str] = Counter()
    for row in planted:
        document, segments = documents[row], found[row][1] or []
        hits = near(document, [part["start"] for part in segments[1:]])
        boundaries.update(
            {f"{document.mode}_true": len(document.bounds), f"{document.mode}_found": max(0, len(segments) - 1)}
        )
        boundaries[f"{document.mode}_hit"] += hits
    modes = sorted({documents[row].mode for row in planted})
    return {
        "planted": len(planted),
        "found": share(sum(bool(found[row][1]) for row in planted), len(planted)),
        "false_on_clean": share(sum(bool(found[row][1]) for row in clean), len(clean)),
        "boundaries": sum(boundaries[f"{mode}_true"] for mode in modes),
        "boundaries_within_one_sentence": share(
            sum(boundaries[f"{mode}_hit"] for mode in modes), sum(boundaries[f"{mode}_true"] for mode in modes)
        ),
        "by_mode": {
            mode: {
                "boundaries": boundaries[f"{mode}_true"],
                "recall": share(boundaries[f"{mode}_hit"], boundaries[f"{mode}_true"]),
                "precision": share(boundaries[f"{mode}_hit"], boundaries[f"{mode}_found"]),
            }
            for mode in modes
        },
        "code_switching_median": {
            "mixed": round(statistics.median(found[row][2] for row in planted), 3),
            "clean": round(statistics.median(found[row][2] for row in clean), 3),
        },
        "code_switching_mean_clean": round(statistics.mean(found[row][2] for row in clean), 4),
    }


def near(document: Document, starts: Sequence[int]) -> int:
    """True changes of language with a found one of their own at most one sentence away."""
    ends, used, hits = sentences(document.text), set(), 0
    for place in document.bounds:
        low = ends[max(0, bisect_left(ends, place - 2) - 1)]
        high = ends[min(len(ends) - 1, bisect_right(ends, place + 2))]
        candidates = [start for start in starts if low <= start <= high and start not in used]
        if candidates:
            used.add(min(candidates, key=lambda start: abs(start - place)))
            hits += 1
    return hits


def labels(documents: Sequence[Document], found: Sequence[Any]) -> dict[str, Any]:
    """Clean documents labelled right, wrong declarations found, text without a language found."""
    clean = [(document, row[0]) for document, row in zip(documents, found, strict=True) if document.clean]
    unseen = [(document, tag) for document, tag in clean if not in_training(group_of(document.source))]
    wrong = [
        (document, row[0])
        for document, row in zip(documents, found, strict=True)
        if "wrong_lang" in document.kinds and document.declared
    ]
    rightly = [(document, tag) for document, tag in clean if document.declared == document.true]
    empty = [(document, row[0]) for document, row in zip(documents, found, strict=True) if document.true in NONE]
    return {
        "clean": {"documents": len(clean)} | accuracy(clean),
        "clean_unseen": {"documents": len(unseen)} | accuracy(unseen),
        "clean_called_und_or_zxx": share(sum(tag in NONE for _, tag in clean), len(clean)),
        "wrong_lang": {
            "documents": len(wrong),
            "found": share(sum(tag != document.declared for document, tag in wrong), len(wrong)),
            "corrected": share(sum(tag == document.true for document, tag in wrong), len(wrong)),
            "false": share(sum(tag != document.declared for document, tag in rightly), len(rightly)),
        },
        "und_or_zxx": {
            "documents": len(empty),
            "found": share(sum(tag in NONE for _, tag in empty), len(empty)),
        },
    }


def accuracy(pairs: Sequence[tuple[Document, str]]) -> dict[str, Any]:
    """Share of right labels, over documents and over languages."""
    total = Counter(document.true for document, _ in pairs)
    right = Counter(document.true for document, tag in pairs if document.true == tag)
    macro = statistics.mean(right[tag] / total[tag] for tag in total) if total else None
    return {"accuracy": share(right.total(), len(pairs)), "macro": macro and round(macro, 5)}


def romanised(documents: Sequence[Document], found: Sequence[Any], config: IdentifyConfig) -> dict[str, Any]:
    """Unseen documents in other scripts, romanised; and clean Latin ones taken for romanised.

    A document of Arabic or Persian counts as tagged whichever language of that script it is given to;
    ``language_right`` says how often it is its own.
    """
    latin = [
        row[0]
        for document, row in zip(documents, found, strict=True)
        if document.clean and script_of(document.true) == "Latn"
    ]
    odd = frozenset(json.loads(CARD.read_text(encoding="utf-8"))["labels"])
    result: dict[str, Any] = {
        "clean_latin": len(latin),
        "false_on_clean_latin": share(sum(tag in odd for tag in latin), len(latin)),
    }
    if find_spec("anyascii") is None:
        return result | {"recall": "not measured: anyascii is not installed"}
    from anyascii import anyascii

    chosen = [
        document
        for document in documents
        if document.clean
        and script_of(document.true) not in _UNROMANISED
        and not in_training(group_of(document.source))
    ]
    got, _ = label([anyascii(document.text) for document in chosen], [None] * len(chosen), config)
    tags = [row[0] for row in got]
    honest = [tag in odd or tag in NONE for tag in tags]
    right = [tag == f"{d.true.partition('_')[0]}_Latn" for d, tag in zip(chosen, tags, strict=True)]
    by_language = Counter(document.true for document in chosen)
    return result | {
        "documents": len(chosen),
        "tagged_romanised": share(sum(tag in odd for tag in tags), len(tags)),
        "tagged_romanised_or_und": share(sum(honest), len(tags)),
        "language_right": share(sum(right), len(tags)),
        "by_language": {
            tag: share(sum(hit for d, hit in zip(chosen, honest, strict=True) if d.true == tag), by_language[tag])
            for tag in sorted(by_language)
        },
    }


def declared_margins(documents: Sequence[Document], config: IdentifyConfig) -> dict[str, Any]:
    """What the declared label does to labels, at several margins."""
    found = {}
    for margin in (0.0, 0.1, 0.2, 0.3, 0.5):
        rows, _ = label(
            [document.text for document in documents],
            [document.declared for document in documents],
            config.model_copy(update={"declared_margin": margin, "mixed": "keep"}),
        )
        result = labels(documents, rows)
        found[str(margin)] = result["clean"] | result["wrong_lang"]
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark and write its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True, help="file to write the figures to")
    parser.add_argument("--data", type=Path, default=Path("../shared/data/corpus"), help="folder of the corpus")
    parser.add_argument("--repeats", type=int, default=3, help="repeats of the speed measurement")
    parser.add_argument("--margins", action="store_true", help="also compare margins of the declared label")
    options = parser.parse_args(arguments)
    documents, config = load(options.data), IdentifyConfig()
    texts, declared = [document.text for document in documents], [document.declared for document in documents]
    speeds: dict[str, list[float]] = {"mark": [], "keep": []}
    found: list[Any] = []
    for _ in range(options.repeats):
        for mode in ("keep", "mark"):
            found, seconds = label(texts, declared, config.model_copy(update={"mixed": mode}))
            speeds[mode].append(len(texts) / seconds)
    result = {
        "machine": machine(),
        "documents": len(documents),
        "documents_per_cpu_second": {
            mode: {"median": round(statistics.median(rates), 1), "repeats": [round(rate, 1) for rate in rates]}
            for mode, rates in speeds.items()
        },
        "mixed": mixed(documents, found),
        "labels": labels(documents, found),
        "romanised": romanised(documents, found, config),
    }
    if options.margins:
        result["declared_margins"] = declared_margins(documents, config)
    options.json.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
