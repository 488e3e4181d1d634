"""From the decisions on pieces to sketches that give each language its held-out bound; two jobs end with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import apache_beam as beam

from corpus.storage import Storage
from pipeline.config import PrepareConfig
from pipeline.match import merge_sketches, read_decisions, split_sketches
from pipeline.split.heldout import SplitSketch
from pipeline.work import write_json


def sketch_piece(
    number: int, work: str, folder: str, pieces: Sequence[str], config: PrepareConfig, seed: int
) -> dict[str, SplitSketch]:
    """Sketch what the kept documents of one piece add to each language."""
    if number >= len(pieces):
        return {}  # earlier documents are sketched apart: they lie where they lie
    storage = Storage(work)
    match = read_decisions(storage, folder, pieces[number])
    return split_sketches(storage, pieces[number], match, config.split, seed)


class MergeSketches(beam.CombineFn):
    """Merges the sketches of pieces."""

    def __init__(self, config: PrepareConfig) -> None:
        self.config = config.split

    def create_accumulator(self) -> dict[str, SplitSketch]:
        return {}

    def add_input(self, accumulator: dict[str, SplitSketch], element: dict[str, SplitSketch]) -> dict[str, SplitSketch]:
        return merge_sketches([accumulator, element], self.config)

    def merge_accumulators(self, accumulators: Iterable[dict[str, SplitSketch]]) -> dict[str, SplitSketch]:
        return merge_sketches(list(accumulators), self.config)

    def extract_output(self, accumulator: dict[str, SplitSketch]) -> dict[str, SplitSketch]:
        return accumulator


def write_sketches(sketches: Mapping[str, SplitSketch], work: str, folder: str, name: str = "sketches.json") -> None:
    """Keep the merged sketches for the driver; they are there when all decisions are."""
    write_json({lang: vars(sketch) for lang, sketch in sketches.items()}, work, f"{folder}/{name}")
