"""Rare phenomena in small languages: how often before and after, what was made for it, and whether it stays.

    python -m benchmarks.phenomena --json FILE [--corpus DIR] [--languages kam_Latn,...] [--modes oversample,insert]

Before and after are counted again here, as strings in sentences, apart from the counts that the method keeps.
*Near copies*: made documents that the near-duplicate rule of ``prepare`` would remove, all pairs with natural text
(held-out text included) and with each other compared; beside it the same for natural documents with one sentence of
another document inserted, which is what the method could have made. Swahili gets a lexicon of regular verb forms
written here, to have inflections at all.

``--corpus`` names a prepared corpus; without it the development corpus is prepared first, in a temporary folder.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.document_scores import prepared
from benchmarks.machine import machine
from corpus.manifest import read_snapshot
from corpus.shards import read_batches
from corpus.storage import Storage
from pipeline.curriculum.features import fold_table
from pipeline.deduplicate.config import NearDuplicateConfig
from pipeline.deduplicate.resolve import MEMBER, Cluster, resolve
from pipeline.deduplicate.verify import verify
from pipeline.language_id.config import IdentifyConfig
from pipeline.language_id.stage import IdentifyStage
from pipeline.phenomena.account import PhenomenaAccount
from pipeline.phenomena.config import PhenomenaConfig
from pipeline.phenomena.counts import Counts, count
from pipeline.phenomena.find import carriers
from pipeline.phenomena.make import Made, compose
from pipeline.phenomena.passages import keep
from pipeline.phenomena.plan import plan
from pipeline.phenomena.sentences import read_sentences

LANGUAGES = "chr_Cher,tsn_Latn,mas_Latn,kam_Latn,lug_Latn,gle_Latn,swh_Latn,fin_Latn,jav_Latn,jpn_Jpan"
COPIES = 60
"""Natural documents that get a sentence more."""
SUBJECTS = {"ni": "1;SG", "u": "2;SG", "a": "3;SG", "tu": "1;PL", "m": "2;PL", "wa": "3;PL"}
TENSES = {"na": "PRS", "li": "PST", "ta": "FUT", "me": "PRF", "ki": "COND", "ka": "CONSEC"}
STEMS = (
    "soma fanya penda taka ona sema pata weka leta lala cheka kimbia andika sikia uliza jibu rudi fika anza maliza "
    "ingia toka kaa simama tembea cheza imba lia beba chukua tumia saidia"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and write its figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.phenomena", description=__doc__)
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with corpus/")
    parser.add_argument("--corpus", help="a prepared corpus")
    parser.add_argument("--languages", default=LANGUAGES)
    parser.add_argument("--modes", default="oversample,insert")
    options = parser.parse_args(arguments)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="evenglot-benchmark-") as folder:
        root = options.corpus or prepared(options.data / "corpus", Path(folder) / "corpus")
        swahili = Path(folder) / "swh.tsv"
        swahili.write_text("".join(lexicon()), encoding="utf-8")
        for lang in options.languages.split(","):
            batches = list(load(root, lang, "train"))
            natural = [
                text for split in ("train", "heldout") for batch in load(root, lang, split) for text in texts(batch)
            ]
            for mode, forms in product(options.modes.split(","), (False, True) if lang == "swh_Latn" else (False,)):
                config = PhenomenaConfig(mode=mode, lexicons={"swh_Latn": str(swahili)}, lexicon_forms=forms)
                made, seconds = timed(batches, lang, config)
                rows.append(judge(lang, mode, forms, batches, natural, made, seconds))
                print(line(rows[-1]))
    if options.json is not None:
        report = {"benchmark": "phenomena", "machine": machine(), "languages": rows}
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


def lexicon() -> Iterator[str]:
    """Regular forms of Swahili verbs: subject, tense, stem."""
    for stem, (subject, person), (tense, name) in product(STEMS.split(), SUBJECTS.items(), TENSES.items()):
        yield f"-{stem}\t{subject}{tense}{stem}\tV;{name};{person}\n"


def load(root: str, lang: str, split: str) -> Iterator[pa.RecordBatch]:
    """The text of one language."""
    storage = Storage(root)
    for file in read_snapshot(root).select("text", lang=lang, split=split):
        yield from read_batches(storage.path(file.path))


def texts(batch: pa.RecordBatch) -> list[str]:
    """Of a batch."""
    found: list[str] = batch.column("text").to_pylist()
    return found


def timed(batches: Sequence[pa.RecordBatch], lang: str, config: PhenomenaConfig) -> tuple[Made, dict[str, float]]:
    """What is made of a language, and the CPU seconds of each step."""
    seconds = [time.process_time()]
    counts = Counts(lang)
    for batch in batches:
        counts = counts.merge(count(batch, lang, config), config)
    seconds.append(time.process_time())
    planned = plan(counts, config)
    found = keep([carriers(batch, planned, config) for batch in batches], config)
    seconds.append(time.process_time())
    made = compose(found, planned, config)
    seconds.append(time.process_time())
    return made, dict(zip(("count", "find", "compose"), np.diff(seconds).round(3).tolist(), strict=True))


def judge(
    lang: str,
    mode: str,
    forms: bool,
    batches: Sequence[pa.RecordBatch],
    natural: Sequence[str],
    made: Made,
    seconds: Mapping[str, float],
) -> dict[str, Any]:
    """All figures of one language."""
    account = made.account
    new = made.candidates.column("text").to_pylist()
    train = [text for batch in batches for text in texts(batch)]
    sentences = [folded(text) for text in read_sentences(train, lang).texts.to_pylist()]
    added = [folded(text) for text in read_sentences(new, lang).texts.to_pylist()]
    naive = with_a_sentence(train, lang)
    return {
        "lang": lang,
        "mode": mode,
        "lexicon_forms": forms,
        "bytes": account.bytes,
        "sentences": account.sentences,
        "made": account.made,
        "share_of_bytes": round(account.made_bytes / max(account.bytes, 1), 4),
        "share_of_sentences": round(account.made_sentences / max(account.sentences, 1), 4),
        "most_uses": account.most_uses,
        "most_from_one": account.most_from_one,
        "replaced": account.replaced,
        "kinds": {kind: recount(kind, account, sentences, added) for kind in account.kinds},
        "near_copies": near_copies(new, natural),
        "identified": identified(new, lang),
        "naive": len(naive),
        "naive_near_copies": near_copies(naive, natural),
        "cpu_seconds": dict(seconds),
        "cpu_seconds_per_mb": {name: round(value / account.bytes * 1e6, 2) for name, value in seconds.items()},
    }


def recount(kind: str, account: PhenomenaAccount, sentences: list[str], added: list[str]) -> dict[str, Any]:
    """Sentences with the planned phenomena before and after: of characters and n-grams counted as strings."""
    planned = [one for one in account.phenomena if one.kind == kind]
    found: dict[str, Any] = account.kinds[kind].model_dump()
    found["after"] = found["natural"] + found["added"]
    if kind in ("characters", "ngrams"):
        names = [one.name for one in planned]
        found["counted_before"] = sum(name in text for name in names for text in sentences)
        found["counted_after"] = found["counted_before"] + sum(name in text for name in names for text in added)
    found["why"] = {why: sum(one.why == why for one in planned) for why in sorted({one.why for one in planned})}
    return found


def folded(text: str) -> str:
    """As features are counted."""
    return "".join(map(chr, fold_table()[np.frombuffer(text.encode("utf-32-le"), np.uint32)].tolist()))


def with_a_sentence(train: Sequence[str], lang: str) -> list[str]:
    """Natural documents, each with a sentence of the next one in its middle."""
    found = read_sentences(train, lang)
    copies: list[str] = []
    for number in range(len(train) - 1):
        begin, end, after = found.bounds[number : number + 3].tolist()
        if end - begin >= 6 and after > end and len(copies) < COPIES:
            place = int(found.stops[(begin + end) // 2])
            copies.append(f"{train[number][:place]} {found.texts[end].as_py()}{train[number][place:]}")
    return copies


class Texts:
    """Documents in memory, for the comparison of near duplicates."""

    def __init__(self, new: Sequence[str], natural: Sequence[str]) -> None:
        self.all, self.new = [*new, *natural], len(new)

    def texts(self, numbers: np.ndarray) -> pa.Array:
        """Texts of some."""
        return pa.array([self.all[int(number)] for number in numbers], pa.large_string())

    def sizes(self, numbers: np.ndarray) -> np.ndarray:
        """Their bytes."""
        return np.array([len(self.all[int(number)].encode()) for number in numbers], np.int64)

    def members(self, numbers: np.ndarray) -> np.ndarray:
        """What the rule that keeps needs to know, all of one quality; natural ones are of an earlier snapshot."""
        members = np.zeros(len(numbers), dtype=MEMBER)
        members["document"] = numbers
        members["id"] = members["key"] = [f"{number:016d}".encode() for number in numbers.tolist()]
        members["earlier"] = numbers >= self.new
        members["quality"], members["copies"] = 0.5, 1
        members["bytes"] = self.sizes(numbers)
        return members


def near_copies(new: Sequence[str], natural: Sequence[str]) -> int:
    """How many of some documents the rule would remove; natural ones stay."""
    if not new:
        return 0
    config = NearDuplicateConfig()
    documents = Texts(new, natural)
    first, second = np.array(
        [(one, two) for one in range(len(new)) for two in range(one + 1, len(documents.all))], np.uint64
    ).T
    found = verify(first, second, documents, config)
    members = documents.members(np.arange(len(documents.all), dtype=np.uint64))
    cluster = Cluster(members, found, np.zeros(len(members), np.int64))
    kept, _, _ = resolve(cluster, config.containment, config.own_text)
    return int((~kept[: len(new)]).sum())


def identified(new: Sequence[str], lang: str) -> int:
    """How many documents ``prepare`` takes for the language that they are of."""
    columns = {
        "id": [f"{number:032x}" for number in range(len(new))],
        "text": list(new),
        "declared_lang": [lang] * len(new),
        "source": ["benchmark"] * len(new),
    }
    batch = pa.RecordBatch.from_pydict({name: pa.array(some, pa.string()) for name, some in columns.items()})
    return int(IdentifyStage(IdentifyConfig())(batch).kept.column("lang").to_pylist().count(lang))


def line(row: Mapping[str, Any]) -> str:
    """One row of the table that is printed."""
    kinds = "; ".join(
        f"{kind} {one['planned']}: {one['natural']} -> {one['after']} of {one['target']}"
        for kind, one in row["kinds"].items()
        if one["planned"]
    )
    return (
        f"{row['lang']} {row['mode']}{' forms' if row['lexicon_forms'] else ''}, {row['bytes'] / 1e3:.0f} kB: "
        f"{row['made']} made, {row['share_of_bytes']:.1%} of bytes, {row['share_of_sentences']:.1%} of sentences "
        f"| {kinds} | near copies {row['near_copies']}, with a sentence more {row['naive_near_copies']} "
        f"of {row['naive']} | identified {row['identified']} | s/MB {row['cpu_seconds_per_mb']}"
    )


if __name__ == "__main__":
    raise SystemExit(main())
