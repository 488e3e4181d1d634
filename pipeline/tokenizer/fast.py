"""Tokenizers of Hugging Face models (``tokenizer.json``), so that a corpus can be read by a model of others."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from corpus.errors import ConfigurationError, CorpusError, EvenglotError, InputError
from corpus.hashing import fingerprint

FILE: Final = "tokenizer.json"
_SETTINGS: Final = ("special_tokens_map.json", "tokenizer_config.json")
"""Files beside it that say which token plays which part; the later overrides the earlier."""

_PARTS: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "bos": (("bos_token", "cls_token", "eos_token"), ("<s>", "[CLS]", "<bos>", "<|begin_of_text|>", "<|endoftext|>")),
    "eos": (("eos_token", "sep_token"), ("</s>", "[SEP]", "<eos>", "<|end_of_text|>", "<|endoftext|>")),
    "pad": (("pad_token", "eos_token"), ("<pad>", "[PAD]", "<|endoftext|>", "</s>", "<|end_of_text|>")),
    "unk": (("unk_token",), ("<unk>", "[UNK]")),
    "mask": (("mask_token",), ("<mask>", "[MASK]")),
}
"""For each part that evenglot knows: the names under which a model's files give it, then usual spellings."""

_NEEDED: Final = ("bos", "eos", "pad")


def tokenizers() -> ModuleType:
    """The ``tokenizers`` package, imported when it is first needed.

    Raises:
        EvenglotError: it is not installed.
    """
    # Shards are encoded in processes side by side; threads within each would only get in each other's way.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        import tokenizers as module
    except ImportError as error:
        raise EvenglotError(
            "the tokenizer of a Hugging Face model needs the package `tokenizers`, which is not installed",
            "Install it: pip install 'evenglot[transformers]'",
        ) from error
    checked: ModuleType = module
    return checked


class FastTokenizer:
    """A tokenizer of the library ``tokenizers`` with the ids of its special tokens.

    Whether text survives encoding and decoding unchanged is up to it: some put Unicode into a normal form first.

    Args:
        model: what :func:`packed` gives.

    Raises:
        CorpusError: they are no such bytes.
    """

    def __init__(self, model: bytes) -> None:
        library = tokenizers()
        try:
            content = json.loads(model)
            self.special: dict[str, int] = {name: int(value) for name, value in content["special"].items()}
            """Ids of bos, eos, pad and, where there are such, unk and mask."""
            self._inner: Any = library.Tokenizer.from_str(json.dumps(content["tokenizer"]))
        except Exception as error:
            raise CorpusError(f"the tokenizer's model is damaged: {error}", "Run `evenglot tokenize` again") from error
        self._inner.no_truncation()
        self._inner.no_padding()
        # A document that spells out "<mask>" is encoded as those six characters.
        self._inner.encode_special_tokens = True

    @property
    def vocabulary(self) -> int:
        """One more than the largest id."""
        return 1 + int(max(self._inner.get_vocab(with_added_tokens=True).values()))

    def piece(self, token: int) -> str:
        """A piece as the tokenizer spells it; empty for an id without one."""
        return str(self._inner.id_to_token(token) or "")

    def encode(self, text: str) -> list[int]:
        """The ids of a text, without special ones."""
        ids: list[int] = self._inner.encode(text, add_special_tokens=False).ids
        return ids

    def encode_documents(self, texts: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.int32]]:
        """The ids of several texts, each followed by the one that ends a document.

        Args:
            texts: n documents.

        Returns:
            the ids one after the other, uint32, and the offsets of the documents in them, int32 [n + 1].
        """
        end = self.special["eos"]
        encoded = [found.ids for found in self._inner.encode_batch(list(texts), add_special_tokens=False)]
        offsets = np.zeros(len(texts) + 1, dtype=np.int32)
        np.cumsum([len(ids) + 1 for ids in encoded], out=offsets[1:])
        joined = chain.from_iterable((*ids, end) for ids in encoded)
        return np.fromiter(joined, dtype=np.uint32, count=int(offsets[-1])), offsets

    def decode(self, tokens: Sequence[int] | NDArray[Any]) -> str:
        """The text of ids; special ones are left out."""
        return str(self._inner.decode([int(token) for token in tokens], skip_special_tokens=True))


def packed(source: str, revision: str | None = None) -> bytes:
    """A tokenizer and the ids of its special tokens in one piece, the same for the same files.

    Args:
        source: a ``tokenizer.json``, the folder of a model that has one, or a hub id.
        revision: branch, tag or commit on the hub; None takes its default.

    Raises:
        InputError: there is none, or it cannot be read.
        ConfigurationError: its files do not tell how a document begins and ends.
    """
    files = _files(source, revision)
    content = _json(files[FILE])
    try:
        inner = tokenizers().Tokenizer.from_str(json.dumps(content))
    except Exception as error:
        raise InputError(
            f"tokenizer.source: {files[FILE]} is no tokenizer: {error}",
            "Give a `tokenizer.json` of the library `tokenizers`, or the folder of a model that has one",
        ) from error
    named: dict[str, Any] = {}
    for name in _SETTINGS:
        if name in files:
            named |= {key: value for key, value in _json(files[name]).items() if value is not None}
    special = special_ids(inner.get_vocab(with_added_tokens=True), named)
    missing = [name for name in _NEEDED if name not in special]
    if missing:
        raise ConfigurationError(
            f"tokenizer.source: {source} names no token for: {', '.join(missing)}",
            "Put them into the tokenizer_config.json beside it (bos_token, eos_token, pad_token)",
        )
    return json.dumps({"special": special, "tokenizer": content}, sort_keys=True, ensure_ascii=False).encode()


def unpacked(model: bytes) -> dict[str, bytes]:
    """Files by name, from which ``AutoTokenizer`` reads what :func:`packed` took in."""
    content = json.loads(model)
    pieces = (
        {value: key for key, value in content["tokenizer"]["model"].get("vocab", {}).items()}
        if isinstance(content["tokenizer"]["model"].get("vocab"), dict)
        else {number: pair[0] for number, pair in enumerate(content["tokenizer"]["model"].get("vocab", []))}
    )
    pieces |= {token["id"]: token["content"] for token in content["tokenizer"].get("added_tokens", [])}
    settings = {"tokenizer_class": "PreTrainedTokenizerFast"} | {
        f"{name}_token": pieces[number] for name, number in content["special"].items() if number in pieces
    }
    return {
        FILE: json.dumps(content["tokenizer"], ensure_ascii=False).encode(),
        "tokenizer_config.json": json.dumps(settings, ensure_ascii=False, indent=1).encode(),
    }


def vocabulary_hash(model: bytes) -> str:
    """Fingerprint of the vocabulary in what :func:`packed` gave; the trainer compares it with that of a model."""
    return fingerprint(json.loads(model)["tokenizer"]["model"].get("vocab"))


def special_ids(vocabulary: Mapping[str, int], named: Mapping[str, Any]) -> dict[str, int]:
    """Which token begins a document, ends it, fills up, stands for the unknown and for the hidden.

    Where a model has no token that begins documents, as GPT-2 and Qwen, the one that ends them does that too.

    Args:
        vocabulary: ids by token.
        named: content of the model's files, for example ``{"eos_token": "</s>"}``.
    """
    found = {}
    for part, (names, usual) in _PARTS.items():
        spelt = [_spelt(named[name]) for name in names if name in named]
        known = [token for token in (*spelt, *usual) if token in vocabulary]
        if known:
            found[part] = vocabulary[known[0]]
    return found


def _spelt(value: Any) -> str:
    return str(value["content"] if isinstance(value, dict) else value)


def _files(source: str, revision: str | None) -> dict[str, Path]:
    """The tokenizer's files by name."""
    path = Path(source)
    if path.is_file():
        beside = {name: path.parent / name for name in _SETTINGS if (path.parent / name).is_file()}
        return {**beside, FILE: path}
    if path.is_dir():
        here = {name: path / name for name in (FILE, *_SETTINGS) if (path / name).is_file()}
        if FILE not in here:
            raise InputError(
                f"tokenizer.source: {source} has no {FILE}",
                "Give the folder of a model with a fast tokenizer: `AutoTokenizer.from_pretrained(...)."
                "save_pretrained(...)` writes one",
            )
        return here
    if source.startswith((".", "/", "~")) or source.count("/") > 1:
        raise InputError(f"tokenizer.source: there is no {source}", "Correct the path, or give a hub id")
    return _from_hub(source, revision)


def _from_hub(source: str, revision: str | None) -> dict[str, Path]:
    tokenizers()
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    found = {}
    try:
        for name in (FILE, *_SETTINGS):
            try:
                found[name] = Path(hf_hub_download(source, name, revision=revision))
            except EntryNotFoundError:
                if name == FILE:
                    raise
    except (OSError, ValueError) as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(
            f"tokenizer.source: {source} has no {FILE} that can be had from the hub: {first}",
            "Give a local folder, or a hub id that this machine can reach",
        ) from error
    return found


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"tokenizer.source: {path} cannot be read: {error}", "Use a whole copy of it") from error
    if not isinstance(found, dict):
        raise InputError(f"tokenizer.source: {path} holds no JSON object", "Use a whole copy of it")
    return found
