"""Near duplicates made on purpose: which of them are found, how fast texts are signed, and whether the S-curve holds.

    python -m benchmarks.near_duplicates --json FILE [--data ../shared/data/corpus] [--quick]

Copies of clean documents of the development corpus are edited, cut and framed, then signed, paired and verified
among all documents by the functions that ``prepare`` runs. The planted duplicates of the corpus itself are judged
through ``prepare`` in ``benchmarks.dedup``.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.machine import machine
from benchmarks.truth import decompressed, load_truth, share
from corpus.tags import UNSPACED, script_of
from pipeline.deduplicate.bands import bands_and_rows, candidate_probability
from pipeline.deduplicate.candidates import candidate_pairs
from pipeline.deduplicate.config import NearDuplicateConfig
from pipeline.deduplicate.shingles import shingles
from pipeline.deduplicate.sign import lengths_of, near_columns
from pipeline.deduplicate.similarity import shingle_sets, similarity

SHORTEST = 200
"""Characters of a document that copies are made of."""
STEPS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0001)


@dataclass(frozen=True)
class Copy:
    """A document made from another one."""

    of: int
    text: str
    kind: str
    spaced: bool


def edit(text: str, other: str, share_changed: float, spaced: bool, draw: random.Random) -> str:
    """Some words, or characters of an unspaced text, changed: half replaced by those of another text of the language,
    a quarter left out, a quarter followed by another."""
    words, others = (text.split(" "), other.split(" ")) if spaced else (list(text), list(other))
    out: list[str] = []
    for word in words:
        if draw.random() >= share_changed:
            out.append(word)
            continue
        kind = draw.random()
        if kind < 0.5:
            out.append(draw.choice(others))
        elif kind >= 0.75:
            out += [word, draw.choice(others)]
    return (" " if spaced else "").join(out)


def make(number: int, documents: Sequence[tuple[str, str]], others: dict[str, list[str]], draw: random.Random) -> Copy:
    """One copy of a kind drawn at random."""
    lang, text = documents[number]
    spaced = script_of(lang) not in UNSPACED
    other = draw.choice(others[lang])
    kind = draw.choice(("edit", "cut", "inside", "cut and edit", "frame"))
    if kind == "edit":
        changed = draw.uniform(0.03, 0.10)
        bound = next(bound for bound in (5, 7.5, 10) if changed * 100 <= bound)
        return Copy(number, edit(text, other, changed, spaced, draw), f"{kind} up to {bound:g} %", spaced)
    if kind == "cut":
        left = draw.uniform(0.15, 0.9)
        return Copy(
            number, text[: int(len(text) * left)], f"{kind} to {'less' if left < 0.4 else 'more'} than 40 %", spaced
        )
    size = int(len(text) * draw.uniform(0.15, 0.5))
    if kind == "inside":
        start = draw.randrange(len(text) - size + 1)
        return Copy(number, text[start : start + size], f"{kind}: 15 to 50 %", spaced)
    if kind == "cut and edit":
        return Copy(number, edit(text[:size], other, 0.01, spaced, draw), f"{kind}: 15 to 50 %, 1 %", spaced)
    frame = (other * (1 + 3 * len(text) // len(other)))[: int(len(text) * draw.uniform(0.2, 2.5))]
    half = len(frame) // 2
    return Copy(number, f"{frame[:half]}\n{text}\n{frame[half:]}", f"{kind}: 20 to 250 % more", spaced)


def clean_documents(data: Path) -> list[tuple[str, str]]:
    """Language and text of every document in which nothing is planted."""
    lines = {(line.shard, line.offset): line for line in load_truth(data).values()}
    found = []
    for path in sorted(data.glob("shard-*.jsonl.zst")):
        offset = 0
        for raw in decompressed(path).split(b"\n")[:-1]:
            line = lines[path.name.removesuffix(".zst"), offset]
            offset += len(raw) + 1
            if not line.planted:
                found.append((line.true_lang, str(json.loads(raw)["text"])))
    return found


def measure(documents: list[tuple[str, str]], copies: list[Copy], config: NearDuplicateConfig) -> dict[str, Any]:
    """Sign, pair and verify all documents and copies."""
    column = pa.array([text for _, text in documents] + [copy.text for copy in copies], pa.large_string())
    (bands, sampled), signing = timed(lambda: near_columns(column, config))
    width = bands.type.byte_width // 8
    whole = np.flatnonzero(bands.is_valid().to_numpy(zero_copy_only=False))
    of_bands = np.frombuffer(bands.buffers()[1], "<u8").reshape(-1, width)[whole]
    owners = np.repeat(np.arange(len(column)), np.diff(sampled.offsets.to_numpy()))
    order = np.zeros(len(column), np.float32)
    by_bands = np.repeat(whole, width)
    keys = np.concatenate([of_bands.ravel(), sampled.values.to_numpy()])
    numbers = np.concatenate([by_bands, owners])
    pairs, pairing = timed(lambda: candidate_pairs(keys, numbers.astype(np.uint64), order[numbers]))
    only = candidate_pairs(of_bands.ravel(), by_bands.astype(np.uint64), order[by_bands])
    sets = shingle_sets(shingles(column, lengths_of(config)))
    (jaccard, one_in, two_in), verifying = timed(
        lambda: similarity(sets, pairs["first"].astype(np.int64), pairs["second"].astype(np.int64))
    )
    alike = (jaccard >= config.jaccard) | (np.maximum(one_in, two_in) >= config.containment)
    linked, met = as_set(pairs[alike]), as_set(only)
    made = [(copy.of, len(documents) + number) for number, copy in enumerate(copies)]
    first, second = (np.array([pair[side] for pair in made]) for side in (0, 1))
    true_jaccard, of_in, copy_in = similarity(sets, first, second)
    true = (true_jaccard >= config.jaccard) | (np.maximum(of_in, copy_in) >= config.containment)
    groups: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for copy, pair, above in zip(copies, made, true.tolist(), strict=True):
        group = groups[f"{'spaced' if copy.spaced else 'unspaced'}, {copy.kind}"]
        group["found"].append(pair in linked)
        group["true"].append(above)
    between = sum(second < len(documents) for _, second in linked)
    return {
        "documents": len(column),
        "keys_per_document": round(len(keys) / len(column), 1),
        "signed_per_cpu_second": round(len(column) / signing),
        "cpu_seconds": {"sign": round(signing, 3), "pair": round(pairing, 3), "compare": round(verifying, 3)},
        "candidates": len(pairs),
        "links_between_originals": between,
        "copies": {
            name: {
                "made": len(group["found"]),
                "found": share(sum(group["found"]), len(group["found"])),
                "above_a_threshold": share(sum(group["true"]), len(group["true"])),
                "found_of_those": share(
                    sum(hit for hit, above in zip(group["found"], group["true"], strict=True) if above),
                    sum(group["true"]),
                ),
            }
            for name, group in sorted(groups.items())
        },
        "curve": curve_met(true_jaccard, [pair in met for pair in made], config),
    }


def curve_met(jaccard: np.ndarray, hits: list[bool], config: NearDuplicateConfig) -> list[dict[str, Any]]:
    """For each range of true similarity the share of pairs that shared a band, beside what the formula says."""
    bands, rows = bands_and_rows(config)
    expected = np.array([candidate_probability(value, bands, rows) for value in jaccard.tolist()])
    met = np.array(hits)
    found = []
    for low, high in pairwise(STEPS):
        inside = (jaccard >= low) & (jaccard < high)
        if inside.any():
            found.append(
                {
                    "jaccard": [low, min(high, 1.0)],
                    "pairs": int(inside.sum()),
                    "met": round(float(met[inside].mean()), 4),
                    "formula": round(float(expected[inside].mean()), 4),
                }
            )
    return found


def as_set(pairs: np.ndarray) -> set[tuple[int, int]]:
    """Pairs of numbers."""
    return set(zip(pairs["first"].tolist(), pairs["second"].tolist(), strict=True))


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    """What a call gives, and its CPU seconds."""
    started = time.process_time()
    value = call()
    return value, time.process_time() - started


def main() -> None:
    """Make copies, find them, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True, help="file for all figures")
    parser.add_argument("--data", type=Path, default=Path("../shared/data/corpus"), help="folder of the corpus")
    parser.add_argument("--quick", action="store_true", help="a fifth of the copies")
    arguments = parser.parse_args()
    documents = clean_documents(arguments.data)
    draw = random.Random(3)
    others: dict[str, list[str]] = defaultdict(list)
    for lang, text in documents:
        others[lang].append(text)
    long = [number for number, (_, text) in enumerate(documents) if len(text) >= SHORTEST]
    unspaced = [number for number in long if script_of(documents[number][0]) in UNSPACED]
    chosen = draw.sample(long, 1000 if arguments.quick else 5000) + unspaced * (1 if arguments.quick else 3)
    copies = [make(number, documents, others, draw) for number in chosen]
    near_columns(pa.array(["tables are built once a process"]), NearDuplicateConfig())
    result = {"machine": machine(), "default": measure(documents, copies, NearDuplicateConfig())}
    arguments.json.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
