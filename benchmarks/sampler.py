"""The sampler beside its peers: speed, start, resume, state, workers, memory, and what stays the same on a resume.

    python -m benchmarks.sampler --json FILE [--quick] [--peers PYTHON] [--large]

Corpora are made up and written to a temporary folder (int32 tokens at random): 8 languages of 100,000 to 500
documents, lognormal in length (mean about 300 tokens, sigma 0.6, 16 to 2,048), 59.9 million tokens; and 1,000 languages
of 20,000 to 20 documents by Zipf's law, 100 tokens each. Every library samples languages by documents ** 0.3, in
batches of 32 documents or of 32 rows of 1,024 tokens, in the order it shuffles in. What each delivers is in the answer
under ``delivers``. Documents of a batch are joined within the measurement, so that views of mapped files do no better
than copies.

Each measurement is a process of its own; the libraries take turns within a repeat, so that noise meets all alike. Speed
is tokens per CPU second of all processes and threads (Linux). Start is opening and the first batch without imports;
resume is the same from a state taken after the batches read before.

``--peers`` names the interpreter of an environment with grain, litdata, torchdata, mosaicml-streaming and datasets:

    python3.11 -m venv peers && peers/bin/pip install -r benchmarks/requirements-sampler-peers.txt

``--large`` measures memory on corpora of up to 10 million documents (short ones; 3 GB of temporary files).
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from benchmarks import peer
from benchmarks.machine import machine
from benchmarks.sampler_peers import corpora

OURS = "ours"
PEERS = ("with_torchdata", "with_litdata", "with_grain", "with_mosaicml", "with_datasets")
NOT_MEASURED = "not measured: pass --peers"


@dataclass(frozen=True)
class Arm:
    """One way of reading with one library."""

    package: str
    """A module of benchmarks.sampler_peers."""
    arm: str
    """One of the module's ``ARMS``."""
    workers: int = 0
    """Worker processes."""

    @property
    def name(self) -> str:
        """For people, and the key in the answer."""
        library = {OURS: "evenglot", "windows": "random windows"}.get(self.package, self.package.removeprefix("with_"))
        return f"{library}: {self.arm}" + (f", {self.workers} workers" if self.workers else "")


EIGHT = (
    Arm(OURS, "rows"),
    Arm(OURS, "rows, int64"),
    Arm(OURS, "rows, int64, segments and positions"),
    Arm(OURS, "rows, best fit"),
    Arm(OURS, "rows, mixed"),
    Arm("windows", "rows"),
    Arm("with_torchdata", "documents"),
    Arm("with_litdata", "rows"),
    Arm("with_litdata", "documents"),
    Arm("with_grain", "rows"),
    Arm("with_grain", "documents"),
    Arm("with_mosaicml", "rows"),
    Arm("with_mosaicml", "documents"),
    Arm("with_datasets", "documents"),
    Arm("with_datasets", "documents, buffer"),
)
THROUGH_WORKERS = (
    Arm(OURS, "torch, blocks"),
    Arm(OURS, "torch, blocks", 1),
    Arm(OURS, "torch, blocks", 2),
    Arm(OURS, "torch"),
    Arm(OURS, "torch", 1),
    Arm(OURS, "torch", 2),
    Arm("with_torchdata", "documents", 2),
    Arm("with_litdata", "rows", 2),
    Arm("with_grain", "rows", 2),
    Arm("with_mosaicml", "rows", 2),
    Arm("with_datasets", "documents", 2),
)
THOUSAND = (
    Arm(OURS, "rows"),
    Arm("with_torchdata", "documents"),
    Arm("with_litdata", "documents"),
    Arm("with_grain", "documents"),
    Arm("with_mosaicml", "documents"),
    Arm("with_datasets", "documents"),
)
BEHAVIOUR = (
    Arm(OURS, "torch, blocks"),
    Arm(OURS, "torch"),
    Arm(OURS, "torch, stateful"),
    Arm("with_mosaicml", "documents"),
    Arm("with_litdata", "one dataset"),
    Arm("with_litdata", "documents"),
    Arm("with_litdata", "rows"),
    Arm("with_datasets", "documents, stateful"),
    Arm("with_datasets", "documents, buffer, stateful"),
    Arm("with_torchdata", "documents"),
    Arm("with_grain", "documents"),
    Arm("with_grain", "rows"),
)
MEASURED = {"8 languages": EIGHT, "1000 languages": THOUSAND, "8 languages, short": THOUSAND[:1]}
"""Arms on each corpus. Short documents of 8 languages are as long as those of 1,000."""
RATIOS = {
    "8 languages: evenglot rows over torchdata documents": ("8 languages", Arm("with_torchdata", "documents"), 1.5),
    "8 languages: evenglot rows over litdata blocks": ("8 languages", Arm("with_litdata", "rows"), 3.0),
    "8 languages: evenglot rows over grain rows": ("8 languages", Arm("with_grain", "rows"), 10.0),
    "8 languages: evenglot rows over mosaicml rows": ("8 languages", Arm("with_mosaicml", "rows"), None),
    "8 languages: evenglot rows over datasets documents": ("8 languages", Arm("with_datasets", "documents"), None),
    "8 languages: evenglot rows over random windows": ("8 languages", Arm("windows", "rows"), None),
    "1000 languages: evenglot rows over torchdata documents": (
        "1000 languages",
        Arm("with_torchdata", "documents"),
        None,
    ),
    "1000 languages: evenglot rows over litdata documents": ("1000 languages", Arm("with_litdata", "documents"), None),
    "1000 languages: evenglot rows over grain documents": ("1000 languages", Arm("with_grain", "documents"), None),
}
"""Corpus, the other arm, and the least ratio of tokens per CPU second asked for."""
PARTS = ("speed", "workers", "behaviour", "quotas", "memory")
SPEED = "million_tokens_per_cpu_second"
WALL = "million_tokens_per_second"
BATCHES = 100
CHECKPOINT = 50
WORKERS = (0, 2)
TIMEOUT = 240.0


@dataclass(frozen=True)
class Bench:
    """Where things are and how long to measure."""

    folder: Path
    peers: Path | None
    quick: bool = False

    @property
    def shrink(self) -> int:
        """Of the numbers of documents."""
        return 10 if self.quick else 1

    @property
    def warm(self) -> float:
        """Seconds before the clock of a measurement starts."""
        return 0.3 if self.quick else 1.0

    @property
    def seconds(self) -> float:
        """Seconds on the clock of a measurement."""
        return 0.5 if self.quick else 2.0

    def ask(self, what: str, arm: Arm, corpus: str, **more: Any) -> dict[str, Any]:
        """Have one thing done in a process of its own; what fails is told, not raised, since peers are judged here."""
        python = Path(sys.executable) if arm.package in (OURS, "windows") else self.peers
        if python is None:
            return {"failed": NOT_MEASURED}
        made = self.folder / "made" / corpus / arm.package
        request = {
            "what": what,
            "library": arm.package,
            "arm": arm.arm,
            "corpus": str(self.folder / corpus),
            "folder": str(made),
            "workers": arm.workers,
            "warm": self.warm,
            "seconds": self.seconds,
            **more,
        }
        print(f"{time.strftime('%H:%M:%S')} {what}: {arm.name}, {corpus}", file=sys.stderr, flush=True)
        # Writing the largest corpora takes a while; a measurement that does not end is a peer that hangs.
        timeout = None if what == "prepare" else TIMEOUT
        try:
            return peer.ask(python, "benchmarks.sampler_peers.drive", json.dumps(request), timeout=timeout)
        except peer.PeerFailed as error:
            if arm.package == OURS:
                raise
            return {"failed": last_line(str(error))}

    def scale(self, what: str, corpus: str) -> dict[str, Any]:
        """Memory or quotas of evenglot."""
        print(f"{time.strftime('%H:%M:%S')} {what}: {corpus}", file=sys.stderr, flush=True)
        request = {"what": what, "corpus": str(self.folder / corpus), "folder": str(self.made(corpus))}
        return peer.ask(Path(sys.executable), "benchmarks.sampler_peers.scale", json.dumps(request))

    def made(self, corpus: str) -> Path:
        """evenglot's form of a corpus."""
        return self.folder / "made" / corpus / OURS


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark and write its figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sampler", description=__doc__)
    parser.add_argument("--json", type=Path, required=True, help="file to write the figures to")
    parser.add_argument("--repeats", type=int, default=5, help="measurements of each arm")
    parser.add_argument("--peers", type=Path, help="Python of an environment with the peers")
    parser.add_argument("--parts", default=",".join(PARTS), help=f"what to measure, of {', '.join(PARTS)}")
    parser.add_argument(
        "--folder", type=Path, help="keep the corpora there for runs of the same version and size; else temporary"
    )
    parser.add_argument("--large", action="store_true", help="memory on up to 10 million documents")
    parser.add_argument("--quick", action="store_true", help="a tenth of the documents, shorter and fewer measurements")
    options = parser.parse_args(arguments)
    parts = options.parts.split(",")
    if unknown := sorted(set(parts) - set(PARTS)):
        parser.error(f"there is no part {unknown[0]}; there are {', '.join(PARTS)}")
    peers = options.peers.absolute() if options.peers else None  # not resolved: that would leave its environment
    repeats = 2 if options.quick else options.repeats
    with nullcontext(options.folder) if options.folder else temporary() as folder:
        bench = Bench(Path(folder).absolute(), peers, options.quick)
        report: dict[str, Any] = {
            "benchmark": "sampler",
            "machine": machine(),
            "settings": {
                "repeats": repeats,
                "quick": options.quick,
                "warm_seconds": bench.warm,
                "seconds": bench.seconds,
                "batch": 32,
                "row_tokens": 1024,
                "alpha": corpora.ALPHA,
            },
            "peers": str(peers.name) if peers else NOT_MEASURED,
            "delivers": prepare(bench, parts),
        }
        measures: dict[str, Callable[[], dict[str, Any]]] = {
            "speed": lambda: speed(bench, repeats),
            "workers": lambda: {
                "ranks": ranks(bench, repeats),
                **feeding(bench, repeats),
                "through workers": speeds(bench, "8 languages", THROUGH_WORKERS, repeats),
            },
            "behaviour": lambda: {arm.name: behaviour(bench, arm) for arm in BEHAVIOUR},
            "quotas": lambda: quotas(bench, 200 if options.quick else 2_000),
            "memory": lambda: memory(bench, options.large),
        }
        options.json.parent.mkdir(parents=True, exist_ok=True)
        for part in PARTS:
            report[part] = measures[part]() if part in parts else {"failed": f"not measured: --parts {options.parts}"}
            if part == "speed" and part in parts:
                report["ratios"] = ratios(report["speed"])
            report["machine"]["load_at_the_end"] = machine()["load"]
            # After every part, so that an interrupted run leaves what it has.
            options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(table(report))
    return 0


def temporary() -> tempfile.TemporaryDirectory[str]:
    """A folder for the corpora that goes with the run."""
    return tempfile.TemporaryDirectory(prefix="evenglot-benchmark-")


def speed(bench: Bench, repeats: int) -> dict[str, Any]:
    """Every arm on the corpus it is measured on."""
    return {corpus: speeds(bench, corpus, arms, repeats) for corpus, arms in MEASURED.items()}


def prepare(bench: Bench, parts: Sequence[str]) -> dict[str, Any]:
    """Write the corpora that the parts need, in the form of every library; what each arm delivers, and versions."""
    wanted: dict[str, list[Arm]] = {corpus: [] for corpus in MEASURED}
    if "speed" in parts:
        for corpus, arms in MEASURED.items():
            wanted[corpus] += arms
    if "behaviour" in parts:
        wanted["8 languages"] += BEHAVIOUR
    if "workers" in parts:
        wanted["8 languages"] += THROUGH_WORKERS
    found: dict[str, Any] = {}
    for corpus, chosen in wanted.items():
        if chosen:
            largest = 20_000 // bench.shrink
            eight = [size // bench.shrink for size in corpora.EIGHT]
            sizes = corpora.zipf(1000, largest, 20) if corpus == "1000 languages" else eight
            corpora.write(bench.folder / corpus, sizes, length=None if corpus == "8 languages" else 100)
        for arm in dict.fromkeys(Arm(arm.package, arm.arm) for arm in chosen):
            said = bench.ask("prepare", arm, corpus)
            found[arm.name] = said if "failed" in said else {"version": said["version"], "what": said["arms"][arm.arm]}
    return found


def speeds(bench: Bench, corpus: str, arms: Sequence[Arm], repeats: int) -> dict[str, Any]:
    """Figures of every arm: medians and all repeats; the arms take turns."""
    found: dict[str, list[dict[str, Any]]] = {arm.name: [] for arm in arms}
    for _ in range(repeats):
        for arm in arms:
            if not any("failed" in figures for figures in found[arm.name]):
                found[arm.name].append(bench.ask("speed", arm, corpus))
    return {name: summary(figures) for name, figures in found.items()}


def ranks(bench: Bench, repeats: int) -> dict[str, Any]:
    """Tokens a second of one reader, and of two processes at once that read as two ranks, each for itself."""
    pair = (Arm(OURS, "rank 0 of 2"), Arm(OURS, "rank 1 of 2"))
    rates: dict[str, list[float]] = {"one reader": [], "two ranks together": []}
    for _ in range(repeats):
        rates["one reader"].append(bench.ask("speed", Arm(OURS, "rows"), "8 languages")[WALL])
        with ThreadPoolExecutor() as pool:
            both = list(pool.map(lambda arm: bench.ask("speed", arm, "8 languages"), pair))
        rates["two ranks together"].append(sum(figures[WALL] for figures in both))
    found: dict[str, Any] = {
        name: {"million_tokens_per_second": {"median": statistics.median(all_of), "repeats": all_of}}
        for name, all_of in rates.items()
    }
    one, two = (statistics.median(all_of) for all_of in rates.values())
    found["two over one"] = round(two / one, 3)
    return found


def summary(measured: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The median and the repeats of each figure, or why there are none."""
    for figures in measured:
        if "failed" in figures:
            return dict(figures)
    return {
        figure: {
            "median": statistics.median(one[figure] for one in measured),
            "repeats": [one[figure] for one in measured],
        }
        for figure in measured[0]
    }


def ratios(speed: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Ratios of medians beside what was asked; why not, where an arm has no figure."""
    found: dict[str, Any] = {}
    for name, (corpus, other, asked) in RATIOS.items():
        mine, theirs = (speed[corpus][arm.name] for arm in (Arm(OURS, "rows"), other))
        failed = mine.get("failed") or theirs.get("failed")
        if failed:
            found[name] = {"failed": failed, "asked": asked}
        else:
            found[name] = {"ratio": round(mine[SPEED]["median"] / theirs[SPEED]["median"], 3), "asked": asked}
    own = Arm(OURS, "rows").name
    for corpus in ("8 languages", "8 languages, short"):
        ratio = speed[corpus][own][SPEED]["median"] / speed["1000 languages"][own][SPEED]["median"]
        found[f"evenglot rows: {corpus} over 1000 languages"] = {"ratio": round(ratio, 3), "asked at most": 2.0}
    return found


def feeding(bench: Bench, repeats: int) -> dict[str, Any]:
    """Batches a second that reach a consumer who works two milliseconds on each, with 0, 1 and 2 workers."""
    found: dict[str, Any] = {}
    consumers = [(consumer, milliseconds) for consumer in ("computes", "sleeps") for milliseconds in (2.0,)]
    measured: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for _ in range(repeats):
        for consumer, milliseconds in consumers:
            for workers in (0, 1, 2):
                said = bench.ask(
                    "feed",
                    Arm(OURS, "torch, blocks", workers),
                    "8 languages",
                    consumer=consumer,
                    milliseconds=milliseconds,
                )
                measured.setdefault((consumer, workers), []).append(said)
    for (consumer, workers), figures in measured.items():
        found.setdefault(f"consumer {consumer} 2 ms", {})[f"{workers} workers"] = summary(figures)
    for by_workers in found.values():
        rates = [by_workers[f"{workers} workers"]["batches_per_second"]["median"] for workers in (0, 2)]
        by_workers["2 workers over 0"] = round(rates[1] / rates[0], 3)
    return found


def behaviour(bench: Bench, arm: Arm) -> dict[str, Any]:
    """Whether the order is the same with 0 and 2 workers, and what a resume in another process goes on with."""
    corpus = "8 languages"
    whole: dict[int, Any] = {}
    answer: dict[str, Any] = {}
    for workers in WORKERS:
        whole[workers] = bench.ask(
            "trace",
            Arm(arm.package, arm.arm, workers),
            corpus,
            batches=BATCHES,
            save_after=CHECKPOINT,
            save=str(state_file(bench, arm, workers)),
        )
    answer["same order with 0 and 2 workers"] = same_order(whole[0], whole[2])
    for before in WORKERS:
        for after in WORKERS:
            if "failed" in whole[before]:
                answer[f"resume {before}->{after}"] = dict(whole[before])
                continue
            got = bench.ask(
                "trace",
                Arm(arm.package, arm.arm, after),
                corpus,
                batches=BATCHES - CHECKPOINT,
                load=str(state_file(bench, arm, before)),
            )
            answer[f"resume {before}->{after}"] = continued(whole[before]["items"], got)
    return answer


def state_file(bench: Bench, arm: Arm, workers: int) -> Path:
    """Where a run leaves its state for the next."""
    folder = bench.folder / "states"
    folder.mkdir(exist_ok=True)
    return folder / f"{arm.name.replace(' ', '-').replace(':', '')}-{workers}"


def same_order(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Whether two runs gave the same items in the same order; else the share of the first's that the second had."""
    for run in (first, second):
        if "failed" in run:
            return dict(run)
    if first["items"] == second["items"]:
        return {"same": True}
    return {"same": False, "in_common": round(overlap(flat(first["items"]), flat(second["items"])), 3)}


def continued(whole: Sequence[Sequence[str]], got: Mapping[str, Any]) -> dict[str, Any]:
    """How a resumed run compares with the rest of the run that was not interrupted.

    Args:
        whole: items of each batch of that run; the state was taken after ``CHECKPOINT`` batches.
        got: the resumed run.

    Returns:
        ``exact``, or the share of the expected items that came, and how many came again that were seen before the
        state was taken.
    """
    if "failed" in got:
        return dict(got)
    seen, expected = whole[:CHECKPOINT], whole[CHECKPOINT:]
    if [list(batch) for batch in expected] == [list(batch) for batch in got["items"]]:
        return {"exact": True}
    before, wanted = set(flat(seen)), set(flat(expected))
    again = sum(item in before and item not in wanted for item in flat(got["items"]))
    return {
        "exact": False,
        "expected_items_found": round(overlap(flat(expected), flat(got["items"])), 3),
        "seen_again": again,
    }


def flat(batches: Iterable[Sequence[str]]) -> list[str]:
    """The items of all batches."""
    return list(chain.from_iterable(batches))


def overlap(first: Sequence[str], second: Sequence[str]) -> float:
    """Share of the first's items, with repeats, that the second has too."""
    return (Counter(first) & Counter(second)).total() / len(first)


def quotas(bench: Bench, languages: int) -> dict[str, Any]:
    """How exact the shares of many languages are."""
    corpora.write(bench.folder / "quotas", corpora.zipf(languages, 2_000, 2), length=100)
    bench.ask("prepare", Arm(OURS, "rows"), "quotas")
    return bench.scale("quotas", "quotas")


def memory(bench: Bench, large: bool) -> dict[str, Any]:
    """Memory on growing corpora of short documents; each is removed before the next is written."""
    found: dict[str, Any] = {}
    for times in (1, 10, 50) if large else (1, 10):
        corpus = f"{200_000 // bench.shrink * times:,} documents"
        corpora.write(bench.folder / corpus, [size // bench.shrink * times for size in corpora.EIGHT], mean=24.0)
        bench.ask("prepare", Arm(OURS, "rows"), corpus)
        found[corpus] = bench.scale("memory", corpus)
        shutil.rmtree(bench.folder / corpus)
        shutil.rmtree(bench.made(corpus))
    if not large:
        found["10,000,000 documents"] = {"failed": "not measured: pass --large"}
    return found


def table(report: Mapping[str, Any]) -> str:
    """The figures for people, as Markdown tables."""
    lines = []
    through = [("through workers", arms) for name, arms in part(report, "workers") if name == "through workers"]
    for corpus, arms in [*part(report, "speed"), *through]:
        lines += [
            "",
            f"{corpus} | M tokens per CPU-s | M tokens per s | start s | resume s | state bytes",
            "---|---|---|---|---|---",
        ]
        for name, figures in arms.items():
            if "failed" in figures:
                lines.append(f"{name} | {figures['failed']} | | | |")
                continue
            cells = [
                f"{figures[figure]['median']:,.{digits}f}" if figure in figures else ""
                for figure, digits in (
                    (SPEED, 2),
                    ("million_tokens_per_second", 2),
                    ("start_seconds", 3),
                    ("resume_seconds", 3),
                    ("state_bytes", 0),
                )
            ]
            lines.append(" | ".join([name, *cells]))
    columns = ("same order with 0 and 2 workers", *(f"resume {way}" for way in ("0->0", "2->2", "0->2", "2->0")))
    lines += ["", " | ".join(["behaviour", *columns]), "|".join(["---"] * 6)]
    for name, cells in part(report, "behaviour"):
        lines.append(" | ".join([name, *(cell(cells[column]) for column in columns)]))
    lines += ["", *(f"{name}: {figures}" for name, figures in report.get("ratios", {}).items())]
    return "\n".join(lines)


def part(report: Mapping[str, Any], name: str) -> list[tuple[str, Any]]:
    """The entries of a part that was measured."""
    return [] if "failed" in report[name] else list(report[name].items())


def cell(found: Mapping[str, Any]) -> str:
    """One cell of the table of behaviour."""
    if "failed" in found:
        return str(found["failed"])
    if "same" in found:
        return "same" if found["same"] else f"other ({found['in_common']:.0%} in common)"
    if found["exact"]:
        return "exact"
    return f"not exact: {found['expected_items_found']:.0%} of the expected, {found['seen_again']} seen again"


def last_line(text: str) -> str:
    """The last line of a message that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "no message"


if __name__ == "__main__":
    raise SystemExit(main())
