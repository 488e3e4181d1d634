"""evenglot's sampler on large corpora and many languages: memory, and how exact the shares are.

    python -m benchmarks.sampler_peers.scale REQUEST

REQUEST is JSON: ``what`` (memory or quotas), ``corpus`` and ``folder``. The answer is one line of JSON.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peer import answer
from benchmarks.sampler_peers.clock import memory_bytes
from benchmarks.sampler_peers.corpora import Flat, tag
from benchmarks.sampler_peers.loader import BATCH, SEED
from benchmarks.sampler_peers.ours import stream_of
from corpus.hashing import stable_hash

PLACES = 200
NEAR_BATCHES = 2_000


def memory(flat: Flat, folder: Path) -> dict[str, Any]:
    """Resident memory after the start, after many batches in a row, and after batches from all over ten passes.

    Mapped files (page cache, which the kernel takes back when it needs it) are counted apart from anonymous memory.
    """
    documents, tokens = int(flat.sizes.sum()), len(flat.tokens)
    figures: dict[str, Any] = {"documents": documents, "tokens": tokens, "before": memory_bytes()}
    used, begun = time.process_time(), time.perf_counter()
    stream = stream_of(flat, folder)
    stream.rows(range(BATCH))
    figures["start_seconds"] = time.perf_counter() - begun
    figures["start_cpu_seconds"] = time.process_time() - used
    figures["started"] = memory_bytes()
    for batch in range(NEAR_BATCHES):
        stream.rows(range(batch * BATCH, (batch + 1) * BATCH))
    figures["after_batches_in_a_row"] = memory_bytes()
    rows = 10 * tokens // stream.config.row_tokens
    longest = 0.0
    for place in range(PLACES):
        first = stable_hash("place", place, SEED) % rows
        begun = time.perf_counter()
        stream.rows(range(first, first + BATCH))
        longest = max(longest, time.perf_counter() - begun)
    figures["after_far_batches"] = memory_bytes()
    figures["longest_far_batch_seconds"] = longest
    state = stream.state(rows)
    figures["state_bytes"] = len(json.dumps(state))
    used, begun = time.process_time(), time.perf_counter()
    stream_of(flat, folder, state).rows(range(rows, rows + BATCH))
    figures["resume_seconds"] = time.perf_counter() - begun
    figures["resume_cpu_seconds"] = time.process_time() - used
    return figures


def quotas(flat: Flat, folder: Path, blocks: int = 400, read: int = 20) -> dict[str, Any]:
    """How far each language is from its share, in rows, at the end of every block; a mixture changes half way.

    Of the first blocks the rows are read and counted; of the others the sampler's own count is taken.
    """
    stream = stream_of(flat, folder)
    size, languages = stream.config.block_rows, list(stream.languages)
    shares = np.array([stream.mixture(0)[lang] for lang in languages])
    counted = np.zeros(len(languages), dtype=np.int64)
    off = before = 0.0
    for block in range(read):
        batch = stream.rows(range(block * size, (block + 1) * size))
        counted += np.bincount(batch.languages, minlength=len(languages))
        off = max(off, float(np.abs(counted - shares * (block + 1) * size).max()))
    for block in range(read, blocks):
        stream.seek(block * size)
        before = max(before, float(np.abs(rows_of(stream, languages) - shares * block * size).max()))
    stream.seek(blocks * size)
    served = rows_of(stream, languages)
    starved = int(np.sum((served == 0) & (shares * blocks * size >= 1)))
    flipped = {tag(number): float(share) for number, share in enumerate(flat.shares[::-1])}
    stream.set_mixture(flipped, "the shares turned round")
    later = np.array([flipped[lang] for lang in languages])
    changed = []
    for block in range(blocks, 2 * blocks):
        stream.seek((block + 1) * size)
        asked = shares * blocks * size + later * (block + 1 - blocks) * size
        changed.append(float(np.abs(rows_of(stream, languages) - asked).max()))
    return {
        "languages": len(languages),
        "blocks": blocks,
        "block_rows": size,
        "smallest_share_in_rows_of_a_block": float(shares.min() * size),
        "rows_off_counted_in_rows_read": off,
        "rows_off_before_the_change": before,
        "rows_off_after_the_change": max(changed),
        "rows_off_in_the_last_quarter": max(changed[-blocks // 4 :]),
        "languages_without_a_row_though_owed_one": starved,
        "state_bytes": len(json.dumps(stream.state())),
    }


def rows_of(stream: Any, languages: list[str]) -> Any:
    """Rows that each language had before the stream's position."""
    got = stream.realised()
    return np.array([got[lang].tokens // stream.config.row_tokens for lang in languages])


def main(arguments: list[str]) -> None:
    """Do what the request says."""
    request = json.loads(arguments[0])
    answer(
        {"memory": memory, "quotas": quotas}[request["what"]](Flat(Path(request["corpus"])), Path(request["folder"]))
    )


if __name__ == "__main__":
    main(sys.argv[1:])
