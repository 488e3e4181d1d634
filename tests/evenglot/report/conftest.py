"""Corpora and training runs made up to look like real ones: few languages or many, hostile text among them."""

from __future__ import annotations

import base64
import json
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from corpus.boilerplate import REMOVED_SCHEMA
from corpus.hashing import record_id, stable_hash
from corpus.ledger import Ledger
from corpus.manifest import LanguageEvidence, ShardFile, Snapshot, commit
from corpus.mixtures import proportional, temperature, unimax
from corpus.schema import RECORD_SCHEMA, REJECTED_SCHEMA
from corpus.shards import ShardWriter
from corpus.storage import Storage

HOSTILE = '<script>alert("x")</script> <a href="javascript:alert(1)">go</a> <img src=x onerror=alert(2)> & \u202e txt'

SENTENCES = {
    "eng_Latn": "The river rose in the night, and by morning the lower fields were under water.",
    "arb_Arab": "ارتفع النهر في الليل، وعند الصباح كانت الحقول المنخفضة (نحو 12 حقلا) تحت الماء.",
    "heb_Hebr": "הנהר עלה בלילה, ובבוקר היו השדות הנמוכים, כ-12 במספר, מתחת למים.",
    "deu_Latn": "Der Fluss stieg in der Nacht, und am Morgen standen die unteren Felder unter Wasser.",
    "rus_Cyrl": "Ночью река поднялась, и к утру нижние поля оказались под водой.",
    "zho_Hans": "夜里河水上涨，到了早晨，低处的田地都被水淹了。",
    "hin_Deva": "रात में नदी चढ़ गई और सुबह तक निचले खेत पानी में थे।",
    "swh_Latn": "Mto ulifurika usiku, na asubuhi mashamba ya chini yalikuwa chini ya maji.",
    "tam_Taml": "இரவில் ஆறு உயர்ந்தது, காலையில் தாழ்வான வயல்கள் நீரில் இருந்தன.",
    "pes_Arab": "رودخانه شب بالا آمد و صبح زمین‌های پایین زیر آب بودند.",
}
MANY = (  # noqa: SIM905 - a list of sixty strings would take sixty lines
    "eng_Latn deu_Latn fra_Latn spa_Latn rus_Cyrl zho_Hans por_Latn jpn_Jpan arb_Arab ita_Latn pol_Latn tur_Latn "
    "nld_Latn hin_Deva kor_Hang vie_Latn ukr_Cyrl pes_Arab ind_Latn ces_Latn swe_Latn hun_Latn heb_Hebr ell_Grek "
    "fin_Latn ron_Latn tha_Thai ben_Beng tam_Taml tel_Telu mar_Deva kan_Knda guj_Gujr urd_Arab srp_Cyrl hrv_Latn "
    "kat_Geor hye_Armn jav_Latn sun_Latn swh_Latn cym_Latn gle_Latn gla_Latn afr_Latn xho_Latn zul_Latn yor_Latn "
    "hau_Latn amh_Ethi min_Latn mad_Latn bbc_Latn bug_Latn glv_Latn chr_Cher lug_Latn mas_Latn tsn_Latn kam_Latn"
).split()
FEW = ("eng_Latn", "arb_Arab", "heb_Hebr")
REASONS = (
    ("identify", "uncertain", "lang_score 0.31 < 0.52"),
    ("quality", "repeated_lines", "duplicate_line_share 0.71 > 0.30"),
    ("quality", "few_letters", "letter_share 0.22 < 0.55"),
    ("deduplicate", "exact_duplicate", None),
    ("deduplicate", "near_duplicate", "jaccard 0.91 >= 0.4"),
    ("deduplicate", "near_duplicate", "containment 0.95 >= 0.9"),
)
NEAR = {
    "jaccard": 0.4, "containment": 0.9, "bands": 48, "rows": 4, "candidates": 900, "links": 120, "clusters": 40,
    "documents": 130, "removed": 90, "largest_cluster": 7, "checked_again": 3, "unsettled_by_round": [120, 9, 0],
    "curve": [[place / 20, 1 - (1 - (place / 20) ** 4) ** 48] for place in range(21)],
}  # fmt: skip
DECONTAMINATION = {
    "files": [
        {"label": "flores", "hash": "0", "records": 10, "without_text": 1, "items": 7, "too_short": 2, "ngrams": 90,
         "documents": 3, "items_found": 2}
    ],
    "items": [{"file": "flores", "item": "q7", "lang": "eng_Latn", "documents": 2}],
    "items_left_off": 1,
}  # fmt: skip
RELATED = {"jav_Latn": "sun_Latn", "gla_Latn": "gle_Latn", "hrv_Latn": "srp_Cyrl", "ind_Latn": "min_Latn"}


def documents_of(place: int, languages: int, most: int) -> int:
    """Documents of the language at a place in the order of sizes: a steep skew."""
    return max(6, round(most * math.exp(-5.5 * place / max(1, languages - 1))))


def make_corpus(
    root: Path, languages: Sequence[str], *, most: int = 60, tokenized: bool = True, hostile: bool = True
) -> Snapshot:
    """Write a corpus whose ledger closes, whole with rejected and unreadable records, and commit it."""
    storage = Storage(str(root))
    files: list[ShardFile] = []
    kept: Counter[str] = Counter()
    evidence: dict[str, LanguageEvidence] = {}
    rejected: list[dict[str, Any]] = []
    for place, lang in enumerate(languages):
        rows = [
            _record(lang, number, hostile and place == 0 and number == 0)
            for number in range(documents_of(place, len(languages), most))
        ]
        for split in ("train", "heldout"):
            part = [row for row in rows if row["split"] == split]
            if not part:
                continue
            name = f"text/{lang}/000001-{split}-00000.arrow"
            _write(root / name, RECORD_SCHEMA, part)
            size = (root / name).stat().st_size
            files.append(ShardFile(path=name, kind="text", lang=lang, split=split, rows=len(part), size=size))
        kept[lang] = len(rows)
        train = [row for row in rows if row["split"] == "train"]
        evidence[lang] = _evidence(lang, train, rows, tokenized)
        rejected += _rejects(lang, rows, languages)
    _write(root / "rejected/000001-00000.arrow", REJECTED_SCHEMA, rejected)
    files.append(ShardFile(path="rejected/000001-00000.arrow", kind="rejected", rows=len(rejected)))
    broken = [
        _broken("raw/a.jsonl", 120, 3, "invalid_json", "Expecting value", b'{"text": <script>'),
        _broken("raw/b.jsonl", 9, 1, "invalid_utf8", "byte 0xff", b"\xff\xfe abc"),
    ]
    storage.write_bytes("unreadable/000001-00000.jsonl", "\n".join(json.dumps(line) for line in broken).encode())
    files.append(ShardFile(path="unreadable/000001-00000.jsonl", kind="unreadable", rows=len(broken)))
    lines = [
        {"site": f"{lang[:3]}.example", "line": line, "count": count}
        for lang in languages
        for line, count in ((f"Home | About {HOSTILE if hostile else ''}", 12), ("Read more", 9))
    ]
    _write(root / "boilerplate/000001.arrow", REMOVED_SCHEMA, lines)
    files.append(ShardFile(path="boilerplate/000001.arrow", kind="boilerplate", rows=len(lines)))
    by_reason: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rejected:
        by_reason[f"{row['stage']}/{row['reason']}"][row["lang"]] += 1
    ledger = Ledger(
        read=sum(kept.values()) + len(rejected) + len(broken),
        kept=dict(kept),
        rejected={reason: dict(counts) for reason, counts in by_reason.items()},
        unreadable={"invalid_json": 1, "invalid_utf8": 1},
    )
    sizes = {lang: float(one.bytes) for lang, one in evidence.items()}
    snapshot = Snapshot(
        number=1,
        made_by="prepare",
        languages=evidence,
        mixtures={
            "proportional": proportional(sizes),
            "temperature": temperature(sizes, 0.3),
            "unimax": unimax(sizes, 4),
        },
        mixture="unimax",
        ledger=ledger,
        thresholds={
            lang: {
                "lang_score": 0.35 + 0.4 * _noise(lang, "a"),
                "letter_share": 0.5 + 0.2 * _noise(lang, "b"),
                "mean_word_length": 3 + 5 * _noise(lang, "c"),
            }
            for lang in languages
        },
        identifier={"name": "sample-model", "licence": "CC0-1.0", "labels": 412},
        tokenizers={"sp16k": {"vocabulary_size": 16000, "path": "tokenizers/sp16k.model"}} if tokenized else {},
        recipe={"corpus": "out/corpus", "seed": 0, "prepare": {"balance": {"mixture": "unimax", "epochs": 4}}},
        fingerprint="0123456789abcdef0123456789abcdef",
        warnings=["stage pii matched nothing in 1,204 documents"] if hostile else [],
        files=files,
    )
    run = {
        "stages": [
            _stage("read", 2.1, ledger.read),
            _stage("normalise", 3.4, ledger.read),
            _stage("identify", 11.8, ledger.read),
            _stage("quality", 6.2, ledger.read),
            _stage("deduplicate", 4.9, ledger.kept_total),
            _stage("write", 1.2, ledger.kept_total),
        ],
        "counters": {"normalise/mojibake": 12, "boilerplate/documents": 30, "boilerplate/bytes": 4000},
        "decontamination": DECONTAMINATION,
        "near_duplicates": NEAR,
        "wall_seconds": 31.0, "cpu_seconds": 29.5, "peak_memory_bytes": 412_000_000, "workers": 2,
        "evenglot_version": "0.1.0", "machine": {"system": "Linux", "processor": "x86_64", "cores": 2},
    }  # fmt: skip
    commit(storage, snapshot, run)
    return snapshot


def make_run(root: Path, languages: Sequence[str], mixture: str, *, lines: int = 40) -> Path:
    """Write a training run in which the small languages gain from balance and the large ones lose a little."""
    root.mkdir(parents=True)
    balanced = mixture != "proportional"
    log: list[str] = []
    last: dict[str, Any] = {}
    for index in range(lines + 1):
        tokens = index * 50_000 + 10_000
        share = index / lines
        measured = {}
        for place, lang in enumerate(languages):
            rank = place / max(1, len(languages) - 1)
            floor = (
                1.5
                + (0.35 if balanced else 1.1) * rank
                + 0.25 * _noise(lang, "floor")
                + (0.08 if balanced else 0) * (1 - rank)
            )
            bits = floor + (5.2 - floor) * math.exp(-5 * share)
            measured[lang] = {"bits_per_byte": bits, "loss": bits * 2.4, "bytes": 20_000, "tokens": 6_000}
        macro = sum(one["bits_per_byte"] for one in measured.values()) / len(measured)
        train = {
            lang: {
                "loss": one["loss"] * (0.97 + 0.06 * _noise(lang, index)), "tokens": 800,
                "seen_tokens": 800 * index, "repeats": share * 4,
            }
            for lang, one in measured.items()
        }  # fmt: skip
        penalty = {"value": 0.2 + 0.6 * (1 - math.exp(-4 * share)), "strength": 0.01 * share}
        log.append(
            json.dumps(
                {
                    "kind": "train", "step": index * 10, "tokens": tokens, "loss": macro * 2.3, "lr": 1e-3,
                    "grad_norm": 1.0, "tokens_per_second": 21_000.0,
                    "penalties": {"deviation": penalty},
                    "languages": train,
                }
            )
        )  # fmt: skip
        last = {
            "kind": "heldout", "step": index * 10, "tokens": tokens, "objective": "causal", "languages": measured,
            "macro_bits_per_byte": macro, "micro_bits_per_byte": macro - 0.2,
        }  # fmt: skip
        if index % 4 == 0:
            log.append(json.dumps(last))
    (root / "metrics.jsonl").write_text("\n".join(log) + "\n", encoding="utf-8")
    evidence = {}
    for place, lang in enumerate(languages):
        rank = place / max(1, len(languages) - 1)
        repeats = 0.4 * math.exp(2.6 * rank) if balanced else 0.8
        gap = 0.02 + 0.02 * repeats + 0.05 * _noise(lang, "gap")
        heldout = last["languages"][lang]["bits_per_byte"]
        evidence[lang] = {
            "train_tokens_seen": 60_000, "repeats": repeats, "train_loss": 3.0, "train_bits_per_byte": heldout - gap,
            "heldout_bits_per_byte": heldout, "gap_bits_per_byte": gap,
            "share_asked": 1 / len(languages), "share_realised": 1.001 / len(languages),
        }  # fmt: skip
    (root / "evidence.json").write_text(json.dumps(evidence), encoding="utf-8")
    summary = {
        "step": lines * 10, "tokens": lines * 50_000, "wall_seconds": 95.0, "parameters": 1_843_200,
        "mixture": mixture, "objective": "causal", "final": last,
    }  # fmt: skip
    (root / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    (root / "recipe.yaml").write_text(f"sampler:\n  mixture: {mixture}\n", encoding="utf-8")
    return root


@pytest.fixture(scope="session")
def small_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three languages, two of them written from right to left, one hostile document."""
    root = tmp_path_factory.mktemp("small") / "corpus"
    make_corpus(root, FEW, most=24)
    return root


@pytest.fixture(scope="session")
def large_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty languages."""
    root = tmp_path_factory.mktemp("large") / "corpus"
    make_corpus(root, MANY, most=60)
    return root


@pytest.fixture(scope="session")
def small_runs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A proportional and a balanced run over three languages."""
    root = tmp_path_factory.mktemp("runs")
    return [str(make_run(root / mixture, FEW, mixture)) for mixture in ("proportional", "unimax")]


@pytest.fixture(scope="session")
def large_runs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A proportional and a balanced run over sixty languages."""
    root = tmp_path_factory.mktemp("runs")
    return [str(make_run(root / mixture, MANY, mixture)) for mixture in ("proportional", "unimax")]


def _noise(*parts: object) -> float:
    return stable_hash(*parts) / 2**64


def _broken(file: str, offset: int, line: int, reason: str, detail: str, raw: bytes) -> dict[str, Any]:
    return {
        "file": file, "offset": offset, "line": line, "reason": reason, "detail": detail,
        "raw_base64": base64.b64encode(raw).decode(),
    }  # fmt: skip


def _text(lang: str, number: int) -> str:
    sentence = SENTENCES.get(lang, SENTENCES["swh_Latn"])
    return f"{number + 1}. " + " ".join([sentence] * (1 + stable_hash(lang, number) % 5))


def _record(lang: str, number: int, hostile: bool) -> dict[str, Any]:
    key = f"{lang}-{number}"
    declared: str | None = lang
    if lang in RELATED and number % 5 == 0:
        declared = RELATED[lang]
    elif number % 17 == 3:
        declared = "eng_Latn"
    elif number % 23 == 4:
        declared = None
    elif number % 29 == 5:
        declared = "gibberish"
    return {
        "id": record_id("raw", key), "key": key, "text": HOSTILE if hostile else _text(lang, number), "lang": lang,
        "lang_score": 0.6 + 0.4 * _noise(key), "declared_lang": declared, "source": "raw",
        "url": "javascript:alert(3)" if hostile else f"https://{lang[:3]}.example/{number}", "origin": "natural",
        "copies": 1 + (stable_hash(key, "c") % 9 if number % 7 == 0 else 0), "quality": _noise(key, "q"),
        "split": "heldout" if number % 10 == 9 else "train", "weight": 1.0, "meta": None,
    }  # fmt: skip


def _rejects(lang: str, rows: Sequence[dict[str, Any]], languages: Sequence[str]) -> list[dict[str, Any]]:
    found = []
    for number, row in enumerate(rows[:: 2 + languages.index(lang) % 3]):
        stage, reason, detail = REASONS[stable_hash(lang, number, "r") % len(REASONS)]
        found.append(
            {
                "id": record_id("rejected", row["key"]), "key": row["key"], "text": row["text"], "lang": lang,
                "lang_score": 0.4, "declared_lang": row["declared_lang"], "source": "raw", "url": row["url"],
                "meta": None, "file": "raw/a.jsonl", "offset": 100 * number, "stage": stage, "reason": reason,
                "detail": detail, "duplicate_of": row["id"] if stage == "deduplicate" else None,
            }
        )  # fmt: skip
    return found


def _evidence(
    lang: str, train: Sequence[dict[str, Any]], rows: Sequence[dict[str, Any]], tokenized: bool
) -> LanguageEvidence:
    text = [len(row["text"].encode()) for row in rows]
    size = sum(len(row["text"].encode()) for row in train) * 1000
    rate = 2.2 + 3 * _noise(lang, "rate")
    return LanguageEvidence(
        documents=len(train), bytes=size, characters=size // 2, copies=sum(row["copies"] for row in train),
        heldout_documents=len(rows) - len(train), heldout_bytes=sum(text) // 10,
        tokens={"sp16k": round(size / rate)} if tokenized else {},
        fertility={"sp16k": 1.1 + 2 * _noise(lang, "fertility")} if tokenized else {},
        bytes_per_token={"sp16k": rate} if tokenized else {},
    )  # fmt: skip


def _stage(name: str, seconds: float, records: int) -> dict[str, Any]:
    return {
        "name": name, "seconds": seconds, "records_in": records, "records_out": records,
        "documents_per_second": records / seconds,
    }  # fmt: skip


def _write(path: Path, schema: pa.Schema, rows: Sequence[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {name: pa.array([row.get(name) for row in rows]) for name in rows[0]} if rows else {}
    with ShardWriter(path, schema) as writer:
        if rows:
            writer.write(pa.record_batch(columns))
