"""The corpus of a run that adds languages: the old languages' files as they are, the new languages' encoded for it.

Where one corpus has all of it already, with the run's tokenizer, that corpus is used. Otherwise a corpus of the run's
own is put together in its folder: text and token shards of the old languages are linked (copied where they lie
elsewhere), text of the new ones too, and the new ones are encoded with the run's tokenizer and, where pieces are added,
with the larger one as well. Token shards of old languages are the same bytes under either name.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final, NamedTuple

from corpus.errors import ConfigurationError, CorpusError, InputError
from corpus.hashing import fingerprint
from corpus.ledger import Ledger
from corpus.manifest import LanguageEvidence, ShardFile, Snapshot, commit, current_number, read_snapshot
from corpus.mixtures import proportional
from corpus.schema import TRAIN
from corpus.storage import Storage, write_errors
from pipeline.tokenizer.counts import evidence
from pipeline.tokenizer.encode import Encoded, EncodeTask, encode_shard
from pipeline.tokenizer.extend import extend
from pipeline.tokenizer.model import model_hash, read_model
from pipeline.tokenizer.sample import sample_lines

FOLDER: Final = "corpus"
"""Of a corpus that a run has of its own, in its folder."""
_SAMPLE: Final = 5_000_000
"""Bytes of each new language that new pieces are learnt from."""


class Sources(NamedTuple):
    """Where the languages come from."""

    old: str
    """Corpus that the run was trained on."""
    old_snapshot: int | None
    new: str
    """Corpus that holds the new languages."""
    tokenizer: str
    """The run's, by its name in the old corpus."""
    tokenizer_hash: str


class Joined(NamedTuple):
    """A corpus that holds old and new languages."""

    root: str
    snapshot: int
    tokenizer: str
    """What the new run is trained with."""
    replaced: list[list[int]]
    """For each new piece the ids of the old ones that it stands for; empty without new pieces."""


def joined(sources: Sources, old: Sequence[str], new: Sequence[str], folder: Path, pieces: int, seed: int) -> Joined:
    """A corpus with the text of old and new languages in the run's tokenizer, put together if there is none.

    What a run that died has left is used again.

    Args:
        sources: where the languages come from.
        old: tags of the languages that the model knows.
        new: tags of the others.
        folder: of the new run.
        pieces: how many to add to the vocabulary at most.
        seed: of the sample that they are learnt from.

    Raises:
        InputError: a new language has no training text.
        CorpusError: the old corpus lacks an old language, or is tokenised otherwise.
    """
    snapshot = read_snapshot(sources.new)
    for lang in new:
        if not snapshot.languages.get(lang, LanguageEvidence()).documents:
            known = ", ".join(sorted(set(snapshot.languages) - set(old))[:5]) or "none that is new"
            raise InputError(f"{sources.new} has no training text of {lang}", f"It has {known}")
    described = snapshot.tokenizers.get(sources.tokenizer, {})
    there = {str(file.lang) for file in snapshot.select("tokens", tokenizer=sources.tokenizer, split=TRAIN)}
    if not pieces and described.get("hash") == sources.tokenizer_hash and {*old, *new} <= there:
        return Joined(sources.new, snapshot.number, sources.tokenizer, [])
    return _put_together(sources, snapshot, old, new, folder / FOLDER, pieces, seed)


def _put_together(
    sources: Sources, coming: Snapshot, old: Sequence[str], new: Sequence[str], root: Path, pieces: int, seed: int
) -> Joined:
    had = read_snapshot(sources.old, sources.old_snapshot)
    described = had.tokenizers.get(sources.tokenizer, {})
    if described.get("hash") != sources.tokenizer_hash:
        raise CorpusError(
            f"tokenizer '{sources.tokenizer}' of {sources.old} is not the one that the run was trained with",
            "Name the run's own corpus with `--old-corpus`",
        )
    tokens = [file for lang in old for file in had.select("tokens", lang=lang, tokenizer=sources.tokenizer)]
    missing = sorted(set(old) - {str(file.lang) for file in tokens if file.split == TRAIN})
    if missing:
        raise CorpusError(
            f"{sources.old} has no tokens of {missing[0]}, which the run knows",
            "Name the run's own corpus with `--old-corpus`",
        )
    model = read_model(Storage(sources.old), str(described["path"]), str(described["hash"]))
    storage = Storage(root)
    files = [_linked(sources.old, file, root) for lang in old for file in had.select("text", lang=lang)]
    texts = [_linked(sources.new, file, root) for lang in new for file in coming.select("text", lang=lang)]
    files += texts
    languages = {lang: had.languages[lang] for lang in old} | {lang: coming.languages[lang] for lang in new}
    snapshot = Snapshot(
        number=1,
        made_by="tokenize",
        languages=languages,
        mixtures={"proportional": proportional({lang: float(known.bytes) for lang, known in languages.items()})},
        mixture="proportional",
        ledger=_ledger(languages),
        recipe={"joined": [sources.old, sources.new]},
        fingerprint=fingerprint([had.fingerprint, coming.fingerprint, list(old), list(new), pieces, seed]),
        files=[],
    )
    snapshot, own = _tokenized(storage, snapshot, sources.tokenizer, model, described, tokens, texts, sources)
    files += own
    name, replaced = sources.tokenizer, []
    if pieces:
        if not str(described.get("kind", "")).startswith("sentencepiece"):
            raise ConfigurationError(
                f"tokenizer '{sources.tokenizer}' is no SentencePiece model, and others cannot be given new pieces",
                "Leave `--new-pieces` out",
            )
        sizes = {lang: min(_SAMPLE, coming.languages[lang].bytes) for lang in new}
        larger = extend(model, lambda: sample_lines(Storage(sources.new), coming, sizes, seed), pieces)
        name, replaced = extended_name(sources.tokenizer, new), larger.replaced
        before: Mapping[str, int] = described.get("token_rows", {})
        rows = {lang: int(before.get(lang, described["vocabulary"])) for lang in old}
        more = {
            **described,
            "vocabulary": int(described["vocabulary"]) + len(replaced),
            "token_rows": rows,
            "extends": sources.tokenizer,
        }
        snapshot, own = _tokenized(storage, snapshot, name, larger.model, more, tokens, texts, sources)
        files += own
    whole = snapshot.model_copy(update={"files": sorted(files, key=lambda file: file.path)})
    if current_number(storage) is None:
        commit(storage, whole, {})
    elif read_snapshot(storage).fingerprint != whole.fingerprint:
        raise InputError(f"{root} holds another corpus", "Choose another `--output`, or begin anew with `--fresh`")
    return Joined(str(root), 1, name, replaced)


def extended_name(tokenizer: str, new: Sequence[str]) -> str:
    """Name of a tokenizer with pieces of new languages: ``spm.swh_Latn``, or ``spm.swh_Latn-2`` with one more."""
    name = f"{tokenizer}.{new[0]}" + (f"-{len(new)}" if len(new) > 1 else "")
    return name if len(name) <= 64 else f"{tokenizer[:40]}.{fingerprint(name)[:16]}"


def _tokenized(
    storage: Storage,
    snapshot: Snapshot,
    name: str,
    model: bytes,
    described: Mapping[str, Any],
    old_tokens: Sequence[ShardFile],
    texts: Sequence[ShardFile],
    sources: Sources,
) -> tuple[Snapshot, list[ShardFile]]:
    """The snapshot with one tokenizer more, and its files: old token shards as they are, new text encoded."""
    digest = model_hash(model)
    path = f"tokens/{name}/{digest[:16]}.model"
    if not storage.exists(path):
        storage.write_bytes(path, model)
    files = [
        ShardFile(
            path=path, kind="tokenizer", tokenizer=name, rows=described["vocabulary"], size=len(model), hash=digest
        )
    ]
    for file in old_tokens:
        renamed = f"tokens/{name}/{file.lang}/{PurePosixPath(file.path).name}"
        files.append(_linked(sources.old, file, Path(storage.path()), renamed).model_copy(update={"tokenizer": name}))
    encoded: list[Encoded] = []
    for text in texts:
        target = f"tokens/{name}/{text.lang}/{PurePosixPath(text.path).name}"
        encoded.append(encode_shard(EncodeTask(storage.path(), text, target, name, path, digest)).encoded)
    new = sorted({str(text.lang) for text in texts})
    part = snapshot.model_copy(update={"languages": {lang: snapshot.languages[lang] for lang in new}})
    languages = snapshot.languages | evidence(part, name, encoded, {})
    for lang in sorted({str(file.lang) for file in old_tokens}):
        languages[lang] = _same_evidence(languages[lang], sources.tokenizer, name)
    tokenizer = {**described, "path": path, "hash": digest, "fingerprint": fingerprint([digest, "joined"])}
    return (
        snapshot.model_copy(update={"languages": languages, "tokenizers": {**snapshot.tokenizers, name: tokenizer}}),
        [*files, *(part.file for part in encoded)],
    )


def _same_evidence(known: LanguageEvidence, source: str, name: str) -> LanguageEvidence:
    """An old language's evidence under another name of its tokens."""
    fields = ("tokens", "synthetic_tokens", "fertility", "bytes_per_token", "scores")
    found = {field: getattr(known, field) for field in fields}
    return known.model_copy(
        update={
            field: {**values, **({name: values[source]} if source in values else {})} for field, values in found.items()
        }
    )


def _linked(source: str, file: ShardFile, root: Path, name: str | None = None) -> ShardFile:
    """A file of another corpus under this one's root: a hard link, or a copy where that cannot be."""
    target = root / (name or file.path)
    if not (target.exists() and target.stat().st_size == file.size):
        with write_errors(str(target)), Storage(source).local_copy(file.path) as path:
            target.parent.mkdir(parents=True, exist_ok=True)
            partial = target.with_name(f"{target.name}.{os.getpid()}.part")
            try:
                os.link(path, partial)
            except OSError:
                shutil.copyfile(path, partial)
            partial.replace(target)
    return file.model_copy(update={"path": name or file.path})


def _ledger(languages: Mapping[str, LanguageEvidence]) -> Ledger:
    kept = {lang: known.documents + known.heldout_documents for lang, known in languages.items()}
    return Ledger(read=sum(kept.values()), kept=kept, rejected={}, unreadable={})
