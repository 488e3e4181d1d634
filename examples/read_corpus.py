"""Read a corpus with pyarrow alone and with `datasets`: no evenglot is needed to use what it has written.

    python examples/read_corpus.py out/corpus

A corpus is a folder with a manifest, and the manifest names the current snapshot. Only the files of that
snapshot belong to the corpus; others may be left over from an earlier run.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def current_snapshot(corpus: Path) -> dict[str, Any]:
    """What the current snapshot of a corpus says of itself."""
    number = json.loads((corpus / "manifest.json").read_text())["current"]
    snapshot: dict[str, Any] = json.loads((corpus / "snapshots" / f"{number:06d}.json").read_text())
    return snapshot


def text_files(corpus: Path, snapshot: dict[str, Any], split: str = "train") -> list[str]:
    """Paths of the text shards of one split."""
    files = [file for file in snapshot["files"] if file["kind"] == "text" and file["split"] == split]
    return [str(corpus / file["path"]) for file in files]


def mapped(file: str) -> pa.Table:
    """The documents of a shard. The file is mapped, so that only what is touched is read."""
    return pa.ipc.open_file(pa.memory_map(file)).read_all()


def count_with_pyarrow(files: list[str]) -> Counter[str]:
    """UTF-8 bytes of text in each language."""
    sizes: Counter[str] = Counter()
    for file in files:
        table = mapped(file)
        lengths = pa.table({"lang": table["lang"].cast(pa.string()), "bytes": pc.binary_length(table["text"])})
        for row in lengths.group_by("lang").aggregate([("bytes", "sum")]).to_pylist():
            sizes[row["lang"]] += row["bytes_sum"]
    return sizes


def show_with_datasets(files: list[str], fingerprint: str, rows: int) -> None:
    """Print the first rows as dictionaries. The fingerprint is what `datasets` would hash all the text to find.

    ``load_dataset("arrow", data_files=files)`` gives the same rows, from a copy in its cache or, with
    ``streaming=True``, without one. It has Arrow's threads read files of Python, though, and a script that ends while
    one of them still lets go of its file is aborted. Over mapped files no thread needs Python, and nothing is copied.
    """
    from datasets import Dataset

    table = pa.concat_tables([mapped(file) for file in files], promote_options="default")
    corpus = Dataset(table, fingerprint=fingerprint)
    for row in islice(corpus, rows):
        print(f"  {row['lang']}  weight {row['weight']:.2f}  {row['text'][:60]!r}")


def main() -> None:
    """Show how much text a corpus has in each language, its weights and some rows."""
    parser = argparse.ArgumentParser(description="Look into a corpus without evenglot.")
    parser.add_argument("corpus", type=Path, help="folder that `evenglot prepare` has written")
    parser.add_argument("--rows", type=int, default=5, help="rows to print")
    arguments = parser.parse_args()

    snapshot = current_snapshot(arguments.corpus)
    files = text_files(arguments.corpus, snapshot)
    mixture = snapshot["mixtures"][snapshot["mixture"]]
    print(f"snapshot {snapshot['number']}, {len(files)} files, mixture {snapshot['mixture']}")
    for lang, size in count_with_pyarrow(files).most_common():
        print(f"  {lang}  {size:>12,} bytes  sampled {mixture[lang]:6.1%}")
    contents = hashlib.sha256(json.dumps(snapshot["files"]).encode()).hexdigest()  # names the hash of every file
    show_with_datasets(files, contents, arguments.rows)


if __name__ == "__main__":
    main()
