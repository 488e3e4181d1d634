"""Labelled text to train and score language identification on, one reader for each data set.

Every unit of text belongs to a group (a novel, a story in all its languages, an article of the declaration);
groups, never single documents, are divided between training and scoring.
"""

from __future__ import annotations

import gzip
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from corpus.errors import InputError
from corpus.hashing import stable_hash
from corpus.tags import to_tag

HARMLESS: Final = frozenset({"boilerplate", "pii", "lang_code_variant", "nfd", "bom_at_file_start"})
"""Planted defects that are to be repaired; a document with no others counts as clean."""

LICENCES: Final = {
    "udhr": "UN text, free to reproduce (OHCHR)",
    "ntrex": "CC BY-SA 4.0",
    "tico19": "CC0 1.0",
    "stories": "CC BY and CC BY 4.0, per story",
    "bible_pd": "public domain",
    "nusax": "CC BY-SA 4.0",
    "corpus": "per document: CC BY 4.0, CC BY-SA 4.0, CC BY-SA 3.0, CC BY, Apache-2.0, MIT, CC0 1.0 and public domain",
    "noise": "made by rule",
}

_UNIFIED: Final = {
    # Names the sources use for what FLORES-200 calls otherwise.
    "zlm_Latn": "zsm_Latn",
    "zlm_Arab": "zsm_Arab",
    "fil_Latn": "tgl_Latn",
    "vie_Hani": "vie_Hani",
}
_MISLABELLED: Final = frozenset({"azb_Latn", "ckb_Latn"})
"""Versions of the declaration whose text is another language's (Turkish, Northern Kurdish), seen by comparing."""
_NTREX_RELABELLED: Final = {"nso_Latn": "sot_Latn"}
"""Files of NTREX-128 in another language than their name says: the one named Northern Sotho is in Southern Sotho
(disjunctive "ho", "hore", no "š"); Northern Sotho of the declaration and Tswana are not taken for it."""
_UD_BLOCK: Final = 10
_LOCALE: Final = re.compile(r"-[a-z]{2}(-[A-Z]{2})?-")
_TRADITIONAL: Final = frozenset("們來個國會說對時實現應發條給經過為這權無與還後從間問關開學體當產將點")
_SIMPLIFIED: Final = frozenset("们来个国会说对时实现应发条给经过为这权无与还后从间问关开学体当产将点") - _TRADITIONAL


@dataclass(frozen=True)
class Unit:
    """A piece of text in one language."""

    tag: str
    text: str
    source: str
    """A key of ``LICENCES``."""
    group: str
    """What must not be divided between training and scoring."""


@dataclass(frozen=True)
class Document:
    """A corpus record with its ground truth."""

    text: str
    true: str
    declared: str | None
    """As the record says; not a tag."""
    group: str
    clean: bool
    wrong_lang: bool
    boilerplate: tuple[int, ...]
    """Numbers of the lines added by the site."""


def unify(label: str) -> str:
    """The tag of a source's label."""
    return _UNIFIED.get(label) or _UNIFIED.get(to_tag(label), to_tag(label))


def han_script(text: str) -> str:
    """``Hans`` or ``Hant``, by characters that only one of the two uses."""
    traditional = sum(character in _TRADITIONAL for character in text)
    simplified = sum(character in _SIMPLIFIED for character in text)
    return "Hant" if traditional > simplified else "Hans"


def in_training(group: str) -> bool:
    """Whether a group of the corpus is for training; the other half is for scoring."""
    return stable_hash("language-id", group) % 2 == 0


def udhr(data: Path, part: str) -> Iterator[Unit]:
    """Sentences of the Universal Declaration of Human Rights; ``dev`` articles train, ``test`` articles score."""
    rows = list(_json_lines(data / "eval" / "lid_udhr" / f"{part}.jsonl.gz"))
    votes: dict[str, Counter[str]] = {}
    for row in rows:
        if row["lang"][4:] in ("Hans", "Hant", "Hani") and row["lang"] != "vie_Hani":
            votes.setdefault(row["lang"], Counter())[han_script(row["text"])] += 1
    for row in rows:
        label = row["lang"]
        if part == "dev" and label in _MISLABELLED:
            continue
        if label in votes:
            label = f"{label[:3]}_{votes[label].most_common(1)[0][0]}"
        yield Unit(unify(label), row["text"], "udhr", f"udhr-{row['article']}")


def ntrex(data: Path) -> Iterator[Unit]:
    """News sentences in 122 languages."""
    for row in _json_lines(data / "lid" / "ntrex128.jsonl.zst"):
        for label, text in row["text"].items():
            tag = unify(label)
            yield Unit(_NTREX_RELABELLED.get(tag, tag), text, "ntrex", row["doc"])


def parallel(data: Path) -> Iterator[Unit]:
    """Training parts of the parallel sets, without what a document for scoring also holds."""
    for name in ("tico19", "stories", "bible_pd"):
        for row in _json_lines(data / "parallel" / f"{name}.jsonl.zst"):
            if row["split"] != "train":
                continue
            group = f"bible-{row['doc']}" if name == "bible_pd" else row["doc"]
            for label, text in row["text"].items():
                shared = name == "stories" or (name == "bible_pd" and label == "chr_Cher")
                if not shared or in_training(group):
                    yield Unit(unify(label), text, name, group)


def nusax(data: Path) -> Iterator[Unit]:
    """Social-media sentences in 12 languages of Indonesia and English; the test part is never read."""
    for part in ("train", "dev"):
        for row in _json_lines(data / "eval" / "nusax_senti" / f"{part}.jsonl.gz"):
            yield Unit(unify(row["lang"]), row["text"], "nusax", f"nusax-{row['id'].rsplit('-', 1)[-1]}")


def corpus_units(data: Path) -> Iterator[Unit]:
    """Clean corpus documents of the training half, without the lines their site added."""
    for document in corpus_documents(data):
        if document.clean and in_training(document.group):
            lines = document.text.split("\n")
            kept = [line for number, line in enumerate(lines) if number not in set(document.boilerplate)]
            yield Unit(unify(document.true), "\n".join(kept), "corpus", document.group)


def corpus_documents(data: Path) -> Iterator[Document]:
    """Every record of the corpus that can be parsed and has a text, with its truth."""
    shards: dict[str, list[bytes]] = {}
    for truth in _json_lines(data / "corpus" / "ground_truth.jsonl.zst"):
        name = truth["shard"]
        if name not in shards:
            shards = {name: _read(data / "corpus" / f"{name}.zst").split(b"\n")}
        planted = {defect["kind"]: defect for defect in truth["planted"]}
        try:
            record = json.loads(shards[name][truth["line"] - 1].decode("utf-8-sig"))
            text = record["text"]
        except (ValueError, KeyError, TypeError):
            continue
        if not isinstance(text, str) or not text:
            continue
        declared = record.get("lang")
        lines = planted.get("boilerplate", {}).get("lines")
        yield Document(
            text=text,
            true=truth["true_lang"],
            declared=declared if isinstance(declared, str) else None,
            group=group_of(truth.get("src_id") or "synthetic"),
            clean=set(planted) <= HARMLESS and truth["true_lang"] not in ("und", "zxx"),
            wrong_lang="wrong_lang" in planted,
            boilerplate=tuple(lines or ()),
        )


def group_of(source_id: str) -> str:
    """What a corpus document was cut from: the novel, the story or article in all languages, the chapter."""
    collection = source_id.split("-", 1)[0]
    if collection in ("asp", "pb"):
        return f"{collection}-{source_id.rsplit('-', 1)[-1]}"
    if collection == "bible":
        _, _, book, chapter = source_id.split("-")
        return f"bible-{book}.{chapter}"
    if collection == "ud":
        stem, _, number = source_id.rpartition("-")
        return f"{stem}-{int(number) // _UD_BLOCK}"
    if collection in ("eltec", "owasp", "fastapi", "osg", "electron"):
        return _LOCALE.sub("-", source_id.rpartition("-")[0], count=1)
    return source_id


def _json_lines(path: Path) -> Iterator[dict[str, Any]]:
    for line in io.BytesIO(_read(path)):
        if line.strip():
            yield json.loads(line)


def _read(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot read {path}: {error.strerror}", "Give the folder that holds eval/, lid/, parallel/ and corpus/"
        ) from error
    if path.suffix == ".gz":
        return gzip.decompress(raw)
    import zstandard

    with zstandard.ZstdDecompressor().stream_reader(raw) as reader:
        return reader.read()
