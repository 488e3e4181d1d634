"""The sides of parallel text as documents: natural text of languages of which the development corpus holds little.

    python -m benchmarks.parallel_documents --output FILE [--languages LANG LANG] [--data ../shared/data]

Writes JSONL with ``id``, ``lang`` and ``text``, a document of a language on a line, its units joined by line ends: the
training parts of TICO-19, of picture books and of public-domain Bibles, and NTREX-128. Prepared beside the development
corpus it is what effects of synthetic text were measured on.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Final

from benchmarks.truth import decompressed

FILES: Final = ("parallel/tico19", "parallel/stories", "parallel/bible_pd", "lid/ntrex128")
LANGUAGES: Final = (
    "afr_Latn",
    "chr_Cher",
    "cym_Latn",
    "gle_Latn",
    "glv_Latn",
    "heb_Hebr",
    "kam_Latn",
    "lug_Latn",
    "mas_Latn",
    "swh_Latn",
    "tsn_Latn",
    "xho_Latn",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the documents."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.parallel_documents", description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="JSONL file to write")
    parser.add_argument("--languages", nargs="*", default=LANGUAGES, help="tags of the sides to take")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with parallel/ and lid/")
    options = parser.parse_args(arguments)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with options.output.open("w", encoding="utf-8") as stream:
        for document in documents(options.data, frozenset(options.languages)):
            stream.write(json.dumps(document, ensure_ascii=False) + "\n")
            count += 1
    print(f"{count:,} documents in {options.output}")
    return 0


def documents(data: Path, languages: Collection[str]) -> Iterator[dict[str, str]]:
    """Every document of the sides in some languages, file by file.

    Only the training parts of the files under ``parallel/``; of NTREX-128, which is a test set as a whole, everything.

    Args:
        data: folder with ``parallel/`` and ``lid/``.
        languages: tags.
    """
    for name in FILES:
        units: dict[tuple[str, str], list[str]] = defaultdict(list)
        for line in decompressed(data / f"{name}.jsonl.zst").splitlines():
            row = json.loads(line)
            if row["split"] == "train" or not name.startswith("parallel/"):
                for lang, text in row["text"].items():
                    if lang in languages:
                        units[row["doc"], lang].append(text)
        for (document, lang), texts in units.items():
            yield {"id": f"{name}/{document}/{lang}", "lang": lang, "text": "\n".join(texts)}


if __name__ == "__main__":
    raise SystemExit(main())
