"""Stable identities: the same record has the same id on every machine, run and runner.

All hashes are XXH3 (https://github.com/Cyan4973/xxHash, 64 and 128 bits). Choices that other tools draw at
random are made from these hashes, so that a rerun makes them again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import xxhash

KEY_BYTES = 16
"""Size of a packed key: a 128-bit hash, big-endian."""


def record_id(source: str, key: str) -> str:
    """The id of a record: 32 hexadecimal digits from its source's name and its own key there."""
    return xxhash.xxh3_128_hexdigest(f"{source}\x00{key}".encode("utf-8", "surrogatepass"))


def text_key(text: str) -> bytes:
    """The 16-byte key under which documents are exact duplicates, of text already normalised.

    White space is folded first: two pages that differ in line breaks alone are the same text.
    """
    return xxhash.xxh3_128_digest(" ".join(text.split()).encode("utf-8", "surrogatepass"))


def stable_hash(*parts: object, seed: int = 0) -> int:
    """A 64-bit hash of the parts' string forms, for choices that must not depend on order or machine."""
    return xxhash.xxh3_64_intdigest("\x1f".join(str(part) for part in parts).encode(), seed=seed)


def fingerprint(value: Any) -> str:
    """32 hexadecimal digits of a JSON-serialisable value, independent of the order of its keys."""
    canonical = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return xxhash.xxh3_128_hexdigest(canonical.encode())


def file_hash(path: str | Path) -> str:
    """32 hexadecimal digits of a local file's bytes, read in pieces of 4 MiB."""
    digest = xxhash.xxh3_128()
    with Path(path).open("rb") as handle:
        while chunk := handle.read(4 << 20):
            digest.update(chunk)
    return digest.hexdigest()
