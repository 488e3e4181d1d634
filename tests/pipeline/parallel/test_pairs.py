from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from corpus.translations import SentencePair
from pipeline.parallel.config import ParallelConfig, ParallelInput
from pipeline.parallel.pairs import ParallelPairs, part_of, read_pairs

ENG, SWH, FRA = "eng_Latn", "swh_Latn", "fra_Latn"
HELDOUT = "the quick brown fox jumps over the lazy dog near the river"


def _record(key: str, split: str | None, **text: str) -> dict[str, Any]:
    tags = {"eng": ENG, "swh": SWH, "fra": FRA}
    record: dict[str, Any] = {"id": key, "text": {tags[lang]: sentence for lang, sentence in text.items()}}
    return record if split is None else {**record, "split": split}


RECORDS = [
    _record("a", "train", eng="the cat\n sat", swh="paka alikaa", fra="le chat"),
    _record("b", "test", eng="the moon", swh="mwezi"),
    _record("c", "validation", eng="the sun", swh="jua", fra="le soleil"),
    _record("d", "train", eng="the moon", swh="mwezi ule"),
    _record("e", "train", eng=HELDOUT, swh="mbweha mwepesi anaruka juu ya mbwa"),
    _record("f", "train", swh="mimi", fra="moi"),
]


def _read(path: Path, directions: list[tuple[str, str]], corpus: str | None = None) -> ParallelPairs:
    lines = "".join(json.dumps(record) + "\n" for record in RECORDS)
    path.write_text(lines + "broken\n", "utf-8")
    return read_pairs(ParallelConfig(inputs=(ParallelInput(path=str(path)),)), directions, dev_share=0.1, corpus=corpus)


def test_pairs_of_the_directions_by_the_parts_of_their_source(tmp_path: Path) -> None:
    found = _read(tmp_path / "pairs.jsonl", [(ENG, SWH), (SWH, ENG)])
    assert found.parts["train"] == [
        SentencePair(ENG, SWH, "the cat sat", "paka alikaa"),
        SentencePair(SWH, ENG, "paka alikaa", "the cat sat"),
        SentencePair(ENG, SWH, HELDOUT, "mbweha mwepesi anaruka juu ya mbwa"),
        SentencePair(SWH, ENG, "mbweha mwepesi anaruka juu ya mbwa", HELDOUT),
    ]
    assert found.counts() == {
        "train": {"eng_Latn-swh_Latn": 2, "swh_Latn-eng_Latn": 2},
        "dev": {"eng_Latn-swh_Latn": 1, "swh_Latn-eng_Latn": 1},
        "test": {"eng_Latn-swh_Latn": 1, "swh_Latn-eng_Latn": 1},
    }
    assert found.sources == ("pairs",)
    # French was not asked for and is not read; "the moon" is a test sentence, and its translation is left alone.
    assert found.left_out == {"alone": {SWH: 2}, "heldout_sentence": {ENG: 1}}
    assert sum(found.unreadable.values()) == 1
    assert found.kept == {ENG: 4, SWH: 4}
    assert found.read == 8 + 3 + 1


def test_sentences_of_a_corpus_held_out_documents_do_not_train(
    tmp_path: Path, write_corpus: Callable[..., str]
) -> None:
    corpus = write_corpus(tmp_path / "corpus", {ENG: ["some text about nothing at all"]}, {ENG: [f"Once {HELDOUT}."]})
    found = _read(tmp_path / "pairs.jsonl", [(ENG, SWH)], corpus)
    assert [pair.text for pair in found.parts["train"]] == ["the cat sat"]
    assert found.left_out["heldout_document"] == {ENG: 1}


def test_documents_without_a_split_are_cut_by_hash(tmp_path: Path) -> None:
    path = tmp_path / "pairs.tsv"
    rows = [f"{ENG}\t{SWH}\tdoc", *(f"sentence {n}\tsentensi {n}\td{n // 3}" for n in range(600))]
    path.write_text("\n".join(rows) + "\n")
    config = ParallelConfig(inputs=(ParallelInput(path=str(path)),), heldout_share=0.2)
    found = read_pairs(config, [(ENG, SWH)], dev_share=0.1)
    sizes = {part: len(pairs) for part, pairs in found.parts.items()}
    assert sum(sizes.values()) == 600
    assert 80 < sizes["test"] < 160
    assert 30 < sizes["dev"] < 120
    parts_of: dict[int, set[str]] = {}
    for part, pairs in found.parts.items():
        for pair in pairs:
            parts_of.setdefault(int(pair.text.split()[1]) // 3, set()).add(part)
    assert all(len(parts) == 1 for parts in parts_of.values())
    # The test part is what `tokenize` would hold out.
    alone = read_pairs(config, [(ENG, SWH)], dev_share=0.0)
    assert alone.parts["test"] == found.parts["test"]


def test_parts() -> None:
    assert part_of("Dev", "d", 0.1, True, 0) == "dev"
    assert part_of("devtest", "d", 0.1, True, 0) == "dev"
    assert part_of("test", "d", 0.1, True, 0) == "test"
    assert part_of("other", "d", 0.1, True, 0) == "test"
    assert part_of(None, "d", 0.1, False, 0) == "train"
    assert part_of(None, "d", 1.0, True, 0) == "test"
    assert part_of(None, "d", 0.0, True, 0) == "dev"
