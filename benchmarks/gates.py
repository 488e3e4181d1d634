"""Gates for synthetic text: how many planted bad translations they catch, and how many human ones they reject.

    python -m benchmarks.gates --json FILE [--quick] [--data ../shared/data] [--models FOLDER ...]

Good are human translations; bad are made of them by rules (``gate_faults``). A quarter of the sentences is bad at a
time, so that each is judged among good ones. Thresholds are calibrated, and the defaults were chosen, on ``dev``
documents; all figures are of ``test`` documents. Three times: by surface gates alone; with round trips by a lexicon,
word by word (IBM model 1, of the file's ``train`` part), which is about the worst that translates at all; and with
round trips by the models given, for the pairs that they serve.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import zstandard

from benchmarks.gate_faults import FAULTS, Pair, Unit
from benchmarks.machine import machine
from corpus.hashing import stable_hash
from corpus.tags import UNSPACED, script_of
from pipeline.gates.config import GateConfig
from pipeline.gates.decide import decide
from pipeline.gates.features import Features, measure
from pipeline.gates.rules import RULES, values
from pipeline.gates.thresholds import Thresholds, calibrate, pool

PAIRS = {
    "parallel/tico19": (
        ("eng_Latn", "swh_Latn"),
        ("eng_Latn", "lug_Latn"),
        ("eng_Latn", "fra_Latn"),
        ("eng_Latn", "ind_Latn"),
        ("eng_Latn", "amh_Ethi"),
        ("eng_Latn", "tam_Taml"),
        ("eng_Latn", "zho_Hans"),
        ("eng_Latn", "rus_Cyrl"),
        ("por_Latn", "spa_Latn"),
        ("hin_Deva", "mar_Deva"),
        ("arb_Arab", "pes_Arab"),
        ("swh_Latn", "eng_Latn"),
    ),
    "parallel/stories": (("eng_Latn", "tsn_Latn"), ("eng_Latn", "xho_Latn"), ("eng_Latn", "afr_Latn")),
    "parallel/bible_pd": (("eng_Latn", "chr_Cher"), ("eng_Latn", "glv_Latn"), ("eng_Latn", "eus_Latn")),
    "lid/ntrex128": (
        ("zho_Hans", "jpn_Jpan"),
        ("rus_Cyrl", "ukr_Cyrl"),
        ("ind_Latn", "zsm_Latn"),
        ("eng_Latn", "tha_Thai"),
        ("eng_Latn", "yor_Latn"),
    ),
}
QUICK_PAIRS = 4
TRAINED = 3_000
"""Sentences that a lexicon is learnt from."""
TURNS = 4
"""Every sentence is bad in one of so many turns."""
RARE = 0.1
"""Share of bad sentences for which precision is told beside that of equal numbers."""


@dataclass(frozen=True)
class Task:
    """One pair with its two halves."""

    file: str
    dev: Pair
    test: Pair
    train: list[tuple[str, str]]
    """Target and source of sentences of neither half; none of NTREX."""

    @property
    def name(self) -> str:
        """``eng_Latn > swh_Latn``"""
        return f"{self.test.source} > {self.test.target}"


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark and write its figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gates", description=__doc__)
    parser.add_argument("--json", type=Path, required=True, help="file to write the figures to")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with parallel/ and lid/")
    parser.add_argument("--models", nargs="*", default=[], help="model folders, for round trips")
    parser.add_argument("--sentences", type=int, default=400, help="sentences of each half of a pair")
    parser.add_argument("--half", choices=("dev", "test"), default="test", help="which half to judge")
    parser.add_argument("--quick", action="store_true", help="four pairs, 100 sentences")
    options = parser.parse_args(arguments)
    tasks = load(options.data, 100 if options.quick else options.sentences)
    if options.quick:
        tasks = tasks[:QUICK_PAIRS]
    config = GateConfig()
    report: dict[str, Any] = {
        "benchmark": "gates",
        "machine": machine(),
        "half": options.half,
        "config": config.model_dump(),
        "surface": judged(tasks, config, options.half, None),
    }
    ways: dict[str, Backwards] = {"word_by_word": WordByWord(tasks)}
    if options.models:
        ways["models"] = Models(options.models)
    for name, back in ways.items():
        served = [task for task in tasks if back.serves(task.test)]
        if served:
            report[name] = {"surface": judged(served, config, options.half, None)} | judged(
                served, config, options.half, back
            )
    report["microseconds_per_sentence"] = costs(tasks[0].test)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for name in ("surface", *ways):
        if name in report:
            print(table(name, report[name]), file=sys.stderr)
    return 0


def load(data: Path, sentences: int) -> list[Task]:
    """All pairs; the halves are the files' own, of NTREX by document."""
    tasks = []
    for name, pairs in PAIRS.items():
        with zstandard.open(data / f"{name}.jsonl.zst", "rb") as raw:
            rows = [json.loads(line) for line in io.TextIOWrapper(raw, encoding="utf-8")]
        halves: dict[str, list[dict[str, Any]]] = {"dev": [], "test": []}
        for row in rows:
            half = row["split"] if name.startswith("parallel") else ("dev", "test")[stable_hash(row["doc"]) % 2]
            if half in halves:
                halves[half].append(row)
        for source, target in pairs:
            dev, test = (_pair(halves[half], source, target, sentences) for half in ("dev", "test"))
            dev, test = replace(dev, others=test.units), replace(test, others=dev.units)
            learnt = _pair([row for row in rows if row["split"] == "train"], source, target, TRAINED)
            tasks.append(Task(name, dev, test, list(zip(learnt.targets, learnt.sources, strict=True))))
    return tasks


def _pair(rows: Sequence[dict[str, Any]], source: str, target: str, most: int) -> Pair:
    units = [Unit(str(row["id"]), row["doc"], row["text"]) for row in rows if {source, target} <= row["text"].keys()]
    chosen = {unit.id for unit in sorted(units, key=lambda unit: stable_hash(unit.id))[:most]}
    return Pair(source, target, [unit for unit in units if unit.id in chosen])


class Backwards(Protocol):
    """Translates outputs back."""

    def serves(self, pair: Pair) -> bool:
        """Whether there is a way back."""
        ...

    def __call__(self, pair: Pair, outputs: Sequence[str]) -> list[str | None]:
        """[n] outputs in the source language; None where that failed."""
        ...


class WordByWord:
    """By lexicons, for targets that put spaces between words."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        from trainer.translator.lexicon import learn

        self._lexicons = {
            (task.test.source, task.test.target): learn(task.train)
            for task in tasks
            if task.train and script_of(task.test.target) not in UNSPACED
        }

    def serves(self, pair: Pair) -> bool:
        """Whether a lexicon could be learnt."""
        return (pair.source, pair.target) in self._lexicons

    def __call__(self, pair: Pair, outputs: Sequence[str]) -> list[str | None]:
        """[n] outputs word by word."""
        lexicon = self._lexicons[(pair.source, pair.target)]
        return [lexicon.translate(output) for output in outputs]


class Models:
    """By translation models, each text once."""

    def __init__(self, folders: Sequence[str]) -> None:
        from pipeline.translation.config import TranslationConfig
        from pipeline.translation.engine import Engine

        self._engine = Engine(TranslationConfig(models=tuple(folders), device="cpu"))
        self._known: dict[tuple[str, str, str], str | None] = {}

    def serves(self, pair: Pair) -> bool:
        """Whether one model goes back."""
        return (pair.target, pair.source) in self._engine.routes.direct

    def __call__(self, pair: Pair, outputs: Sequence[str]) -> list[str | None]:
        """[n] outputs by beam search; None where the model refused."""
        from pipeline.translation.decoding import Decoding

        way = (pair.target, pair.source)
        new = sorted({text for text in outputs if (*way, text) not in self._known})
        if new:
            route = self._engine.routes.find(*way)
            for text, found in zip(new, self._engine.translate(new, route, Decoding()), strict=True):
                self._known[(*way, text)] = found.text if found.problem is None else None
        return [self._known[(*way, text)] for text in outputs]


def features_of(pair: Pair, outputs: Sequence[str], rows: Sequence[int], back: Backwards | None) -> Features:
    """Measure outputs in place of the pair's translations; only ``rows``, which are judged, make a round trip."""
    returned: list[str | None] | None = None
    if back is not None:
        returned = [None] * len(outputs)
        for row, text in zip(rows, back(pair, [outputs[row] for row in rows]), strict=True):
            returned[row] = text
    return measure(
        pair.sources,
        outputs,
        source_lang=pair.source,
        target_lang=pair.target,
        documents=_numbers([unit.document for unit in pair.units]),
        round_trips=returned,
    )


def _numbers(names: Sequence[str]) -> list[int]:
    known = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return [known[name] for name in names]


def judged(tasks: Sequence[Task], config: GateConfig, half: str, back: Backwards | None) -> dict[str, Any]:
    """Figures of all pairs under calibrated thresholds, and with the defaults alone."""
    samples = [features_of(task.dev, task.dev.targets, range(len(task.dev.units)), back) for task in tasks]
    pooled = pool(samples)
    pairs: dict[str, Any] = {}
    for task, sample in zip(tasks, samples, strict=True):
        pair = getattr(task, half)
        thresholds = calibrate(sample, config, pooled)
        defaults = calibrate(None, config)
        runs = tried(pair, back)
        pairs[task.name] = {
            "file": task.file,
            "sentences": len(pair.units),
            "thresholds": thresholds.as_dict(),
            "calibrated": tallied(runs, thresholds, config),
            "defaults": tallied(runs, defaults, config),
            "alone": alone(runs, thresholds),
        }
    modes = {mode: summary(pairs, mode) for mode in ("calibrated", "defaults")}
    return {"pairs": pairs, **modes, "gates_alone": gates_alone(pairs)}


Runs = dict[str, list[tuple[Features, list[int]]]]
"""By kind the features of every turn, and the rows that are judged in it."""


def tried(pair: Pair, back: Backwards | None) -> Runs:
    """By kind the features of every turn and the rows that are bad in it; ``good`` has one turn without any."""
    every = list(range(len(pair.units)))
    runs = {"good": [(features_of(pair, pair.targets, every, back), every)]}
    for kind, fault in FAULTS.items():
        bad = [fault(pair, row) for row in range(len(pair.units))]
        turns = []
        for turn in range(TURNS):
            rows = [row for row in range(turn, len(bad), TURNS) if bad[row] is not None]
            outputs = list(pair.targets)
            for row in rows:
                outputs[row] = bad[row] or ""
            if rows:
                turns.append((features_of(pair, outputs, rows, back), rows))
        if turns:
            runs[kind] = turns
    return runs


def tallied(runs: Runs, thresholds: Thresholds, config: GateConfig) -> dict[str, Any]:
    """By kind how many sentences there are, how many were rejected, and by which gates."""
    found = {}
    for kind, turns in runs.items():
        reasons: Counter[str | None] = Counter()
        for features, rows in turns:
            given = decide(features, thresholds, config).reasons
            reasons.update(given[row] for row in rows)
        total, kept = reasons.total(), reasons.pop(None, 0)
        found[kind] = {"sentences": total, "rejected": total - kept, "reasons": dict(reasons.most_common())}
    return found


def alone(runs: Runs, thresholds: Thresholds) -> dict[str, dict[str, int]]:
    """By gate and kind how many sentences it rejects when it is the only one."""
    found: dict[str, dict[str, int]] = {}
    for rule in RULES:
        limit = thresholds.limits.get(rule.name)
        if limit is None:
            continue
        counts: Counter[str] = Counter()
        for kind, turns in runs.items():
            for features, rows in turns:
                measured = values(rule, features, thresholds.length_ratio)[rows]
                counts[kind] += int((measured < limit if rule.side == "min" else measured > limit).sum())
        found[rule.name] = dict(counts)
    return found


def gates_alone(pairs: dict[str, Any]) -> dict[str, dict[str, float]]:
    """By gate the share of sentences of each kind that it rejects by itself, over all pairs."""
    totals: Counter[str] = Counter()
    for found in pairs.values():
        totals.update({kind: one["sentences"] for kind, one in found["calibrated"].items()})
    shares: dict[str, dict[str, float]] = {}
    for rule in RULES:
        counts: Counter[str] = Counter()
        for found in pairs.values():
            counts.update(found["alone"].get(rule.name, {}))
        if counts.total():
            shares[rule.name] = {kind: round(counts[kind] / total, 4) for kind, total in totals.items()}
    return shares


def summary(pairs: dict[str, Any], mode: str) -> dict[str, Any]:
    """Over all pairs: false rejects, and by kind recall and precision."""
    good = [found[mode]["good"] for found in pairs.values()]
    false = sum(one["rejected"] for one in good) / sum(one["sentences"] for one in good)
    worst = max(pairs, key=lambda name: pairs[name][mode]["good"]["rejected"] / pairs[name][mode]["good"]["sentences"])
    kinds = {}
    for kind in FAULTS:
        met = [found[mode][kind] for found in pairs.values() if kind in found[mode]]
        if not met:
            continue
        recall = sum(one["rejected"] for one in met) / sum(one["sentences"] for one in met)
        kinds[kind] = {
            "sentences": sum(one["sentences"] for one in met),
            "recall": round(recall, 4),
            "lowest_recall_of_a_pair": round(min(one["rejected"] / one["sentences"] for one in met), 4),
            "precision_equal": round(recall / (recall + false), 4) if recall else None,
            "precision_rare": round(RARE * recall / (RARE * recall + (1 - RARE) * false), 4) if recall else None,
        }
    by_reason: Counter[str] = Counter()
    for one in good:
        by_reason.update(one["reasons"])
    return {
        "good_sentences": sum(one["sentences"] for one in good),
        "false_rejects": round(false, 4),
        "false_rejects_by_reason": dict(by_reason.most_common()),
        "worst_pair": worst,
        "kinds": kinds,
    }


def costs(pair: Pair) -> dict[str, float]:
    """CPU time of each group of measures, the least of five."""
    from pipeline.gates.chrf import chrf, margin
    from pipeline.gates.language import language_probability, script_share
    from pipeline.gates.surface import surface

    sources, targets = pair.sources, pair.targets
    nothing = np.zeros(len(sources))
    measures: dict[str, Callable[[], object]] = {
        "surface": lambda: surface(sources, targets),
        "language": lambda: language_probability(targets, pair.target, pair.source),
        "script": lambda: script_share(targets, pair.target),
        "chrf": lambda: chrf(sources, targets),
        "margin": lambda: margin(sources, targets, nothing),
    }
    least: dict[str, float] = {}
    for _ in range(5):
        for name, run in measures.items():
            started = time.process_time()
            run()
            spent = (time.process_time() - started) / len(sources) * 1e6
            least[name] = round(min(least.get(name, spent), spent), 1)
    return least


def table(title: str, found: dict[str, Any]) -> str:
    """What a person reads."""
    lines = []
    for mode in ("calibrated", "defaults"):
        part = found[mode]
        lines.append(f"{title}, {mode}: false rejects {part['false_rejects']:.2%} of {part['good_sentences']} good")
        lines += [
            f"  {kind:28} recall {one['recall']:7.2%}  lowest {one['lowest_recall_of_a_pair']:7.2%}  "
            f"precision 1:1 {one['precision_equal'] or 0:7.2%}  at {RARE:.0%} bad {one['precision_rare'] or 0:7.2%}"
            for kind, one in part["kinds"].items()
        ]
    lines.append("each gate alone:")
    for gate, shares in found["gates_alone"].items():
        caught = ", ".join(f"{kind} {share:.1%}" for kind, share in shares.items() if kind != "good" and share >= 0.05)
        lines.append(f"  {gate:22} false {shares['good']:6.2%}  {caught}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
