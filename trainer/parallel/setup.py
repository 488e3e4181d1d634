"""What a run with parallel text consists of: its rows and its search for held-out translations."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from corpus.errors import ConfigurationError
from corpus.schema import HELDOUT, TRAIN
from sampler.index import TokenCorpus
from trainer import regularisers
from trainer.config import TrainConfig
from trainer.config.parallel import two_thirds
from trainer.distributed import World
from trainer.parallel.batches import ParallelBatches, Special, reads_both_sides
from trainer.parallel.retrieval import Retrieval, layer_of
from trainer.parallel.text import ParallelText


def parallel_batches(
    config: TrainConfig,
    corpus: TokenCorpus,
    languages: Sequence[str],
    world: World,
    *,
    row_tokens: int,
    pass_rows: int,
    total: int,
    seed: int,
) -> ParallelBatches | None:
    """The rows of translations that join the steps; None where the recipe asks for none.

    Args:
        config: of the training.
        corpus: the snapshot that the run trains on.
        languages: tags, in the order of the model's indices.
        world: the processes.
        row_tokens: L.
        pass_rows: rows in one forward pass at most.
        total: steps of the run.
        seed: of the run.

    Raises:
        ConfigurationError: there are no pairs, or rows are too short for them.
        CorpusError: a shard is missing or damaged.
    """
    wanted = config.parallel
    if wanted is None or not (wanted.tlm or wanted.contrastive_pairs):
        return None
    if row_tokens < 8:
        raise ConfigurationError(
            f"rows of {row_tokens} tokens hold no pair of sentences", "Set sampler.row_tokens to 8 or more"
        )
    text = ParallelText(corpus.storage, corpus.snapshot, corpus.tokenizer, TRAIN, languages, wanted.pivot)
    return ParallelBatches(
        text,
        wanted,
        config.objective,
        world,
        special(corpus),
        languages=len(languages),
        row_tokens=row_tokens,
        pass_rows=pass_rows,
        total=total,
        seed=seed,
    )


def retrieval(
    config: TrainConfig,
    corpus: TokenCorpus,
    languages: Sequence[str],
    world: World,
    *,
    pairs: int,
    layers: int,
    row_tokens: int,
    pass_rows: int,
    precision: torch.dtype,
) -> Retrieval | None:
    """The search for held-out translations; None where there are none to search.

    Args:
        config: of the training.
        corpus: the snapshot; it may have no parallel text.
        languages: tags, in the order of the model's indices.
        world: the processes.
        pairs: of each two languages at most.
        layers: blocks of the model.
        row_tokens: L.
        pass_rows: rows in one forward pass at most.
        precision: number format of the matrix products.

    Raises:
        ConfigurationError: the block that the recipe names does not exist.
    """
    if not pairs or corpus.tokenizer not in corpus.snapshot.parallel:
        return None
    wanted = config.parallel
    layer = layer_of(
        wanted.heldout_layer if wanted is not None else None,
        [
            block
            for entry in config.regularisers
            if "pairs" in regularisers.needs(entry.name)
            for block in regularisers.keeps(entry.name, regularisers.check(entry.name, entry.options), layers)
        ],
        two_thirds(layers),
    )
    if layer >= layers:
        raise ConfigurationError(
            f"train.parallel.heldout_layer is {layer}, and the model has blocks 0 to {layers - 1}",
            "Choose a block that exists",
        )
    text = ParallelText(
        corpus.storage,
        corpus.snapshot,
        corpus.tokenizer,
        HELDOUT,
        languages,
        wanted.pivot if wanted is not None else None,
    )
    found = Retrieval(
        text,
        len(languages),
        layer=layer,
        pairs=pairs,
        both_sides=reads_both_sides(config.objective, wanted),
        row_tokens=row_tokens,
        pass_rows=pass_rows,
        precision=precision,
        special=special(corpus),
        world=world,
    )
    return found if found.candidates else None


def special(corpus: TokenCorpus) -> Special:
    """The pieces of the vocabulary that are no text."""
    return Special(corpus.special("bos"), corpus.special("pad"), corpus.special("mask"))
