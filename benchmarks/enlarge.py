"""A corpus several times as large, of different texts: no copy may be a duplicate of another.

    python -m benchmarks.enlarge --data ../shared/data/corpus --output DIR --times 10

Each further copy has the lines of the original with their words in another order, so that it keeps what matters for
cost: languages, lengths, sites and their shared lines, and the duplicates planted in it. The order of a line follows
from the line and the copy alone, so lines that were equal stay equal within a copy; hosts and ids are the copy's own.
"""

from __future__ import annotations

import argparse
import functools
import json
import random
from pathlib import Path
from typing import Any, Final

import orjson
import zstandard

from benchmarks.truth import decompressed
from corpus.hashing import stable_hash

_LONG: Final = 32
"""Words from which on a line is rearranged by a stride, which is much faster than shuffling and as different."""
_UNSPACED: Final = 16
"""Mean letters of a word from which on a line is taken to have no spaces; groups of letters are its words then."""
_GROUP: Final = 3


def enlarge(data: Path, output: Path, times: int) -> list[Path]:
    """Write the shards of ``data`` and ``times - 1`` rearranged copies of each; gives their paths."""
    output.mkdir(parents=True, exist_ok=True)
    written = []
    for path in sorted(data.glob("shard-*.jsonl.zst")):
        lines = decompressed(path).split(b"\n")[:-1]
        for copy in range(times):
            content = b"".join((line if copy == 0 else rearranged(line, copy)) + b"\n" for line in lines)
            target = output / path.name.replace("shard-", f"shard-{copy:02d}-")
            target.write_bytes(zstandard.compress(content, 3))
            written.append(target)
    return written


def rearranged(line: bytes, copy: int) -> bytes:
    """A record of the copy; what is no record stays as it is."""
    try:
        record: Any = orjson.loads(line)
    except orjson.JSONDecodeError:
        return line
    if not isinstance(record, dict):
        return line
    if isinstance(record.get("text"), str):
        record["text"] = "\n".join(other_order(part, copy) for part in record["text"].split("\n"))
    if isinstance(record.get("id"), str):
        record["id"] = f"{copy}-{record['id']}"
    if isinstance(record.get("url"), str):
        record["url"] = record["url"].replace("://", f"://copy{copy}.", 1)
    return json.dumps(record, ensure_ascii=False).encode("utf-8", "surrogatepass")


@functools.lru_cache(1 << 16)
def other_order(line: str, copy: int) -> str:
    """The words of a line in the order of a copy."""
    words = line.split(" ")
    glue = " "
    if len(line) > _UNSPACED * len(words):
        words = [line[start : start + _GROUP] for start in range(0, len(line), _GROUP)]
        glue = ""
    if len(words) < _LONG:
        random.Random(stable_hash(line, copy)).shuffle(words)
        return glue.join(words)
    # Words that were neighbours come to stand a whole part of the line away from each other, another one each copy.
    return glue.join(word for start in range(copy + 1) for word in words[start :: copy + 1])


def main() -> None:
    """Write the larger corpus."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/corpus"), help="folder of the corpus")
    parser.add_argument("--output", type=Path, required=True, help="folder to write to")
    parser.add_argument("--times", type=int, default=10, help="how many times as large")
    options = parser.parse_args()
    files = enlarge(options.data, options.output, options.times)
    print(f"{len(files)} files, {sum(file.stat().st_size for file in files) / 1e6:,.0f} MB")


if __name__ == "__main__":
    main()
