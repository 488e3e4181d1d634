"""One step of a route for many sentences: what is computed together, and under which key it is kept.

A *cell* is the smallest set of sentences whose translations depend on nothing else. With int8 on the CPU that is a
sentence; with other arithmetic it is a batch, whose sentences reach each other through the order of additions; with
sampling it is all that a request has, since draws follow one another. Cells are made of a request's sentences alone and
kept as a whole, so neither what was asked before nor what is asked beside it can change them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import xxhash

from pipeline.translation.batches import BOUNDARIES, MIN_BATCH_TOKENS, cut, rung
from pipeline.translation.decoding import Decoding
from pipeline.translation.loaded import LoadedModel
from pipeline.translation.result import TOO_LONG
from pipeline.translation.routes import Step
from pipeline.translation.search import Events

RULES: Final = "1"
"""Changes whenever this code makes something else of the same sentence, so that nothing older is found."""


@dataclass(frozen=True)
class Done:
    """What one step made of a sentence."""

    text: str
    score: float | None
    tokens: int
    truncated: bool
    problem: str | None = None


class Kept(Protocol):
    """Translations made before, by key."""

    def find(self, keys: Sequence[bytes]) -> Mapping[bytes, Done]:
        """Those of the keys that are there."""
        ...

    def keep(self, made: Mapping[bytes, Done]) -> None:
        """Take up new ones."""
        ...

    def close(self) -> None:
        """Nothing more comes."""
        ...


class NothingKept:
    """Keeps nothing."""

    def find(self, keys: Sequence[bytes]) -> Mapping[bytes, Done]:
        """Nothing."""
        return {}

    def keep(self, made: Mapping[bytes, Done]) -> None:
        """Nothing happens."""

    def close(self) -> None:
        """Nothing happens."""


@dataclass
class Counts(Events):
    """What a step did."""

    sentences: int = 0
    """Different sentences that were asked for."""
    too_long: int = 0
    """Those of more tokens than the model takes."""
    kept: int = 0
    """Those that had been translated before."""
    source_tokens: int = 0
    """Tokens of the others."""
    target_tokens: int = 0
    """Tokens that were made for them."""
    batches: int = 0
    """Batches they made."""


def translate_step(
    model: LoadedModel,
    step: Step,
    decoding: Decoding,
    texts: Sequence[str],
    seed: int,
    kept: Kept,
    counts: Counts,
) -> dict[str, Done]:
    """Translate sentences by one model.

    Args:
        model: in memory.
        step: the languages.
        decoding: how to search.
        texts: none of them blank; equal ones have equal translations.
        seed: for sampling.
        kept: translations made before; takes up the new ones.
        counts: added to.

    Returns:
        The translation of each different text, or its problem.
    """
    unique = sorted(set(texts))
    tokens = model.family.encode(unique, step.source, step.target)
    most = model.most_tokens(decoding)
    done = {
        text: Done("", None, 0, False, TOO_LONG)
        for text, pieces in zip(unique, tokens, strict=True)
        if len(pieces) > most
    }
    rows = [row for row, text in enumerate(unique) if text not in done]
    counts.sentences += len(unique)
    counts.too_long += len(done)
    basis = _basis(model, step, decoding)
    sizes = _Sizes(model, decoding)
    if model.invariant and not decoding.samples:
        keys = {row: _key(basis, b"", unique[row]) for row in rows}
        found = kept.find(list(keys.values()))
        done |= {unique[row]: found[key] for row, key in keys.items() if key in found}
        counts.kept += len(found)
        rows = [row for row in rows if keys[row] not in found]
        cells = [sizes.batches(rows, tokens)]
    else:
        batches = sizes.batches(rows, tokens)
        cells = [batches] if decoding.samples else [[batch] for batch in batches]
        keys = {}
        for cell in cells:
            salt = _salt(cell, unique, seed if decoding.samples else None)
            keys |= {row: _key(basis, salt, unique[row]) for batch in cell for row in batch}
        found = kept.find(list(keys.values()))
        whole = [all(keys[row] in found for batch in cell for row in batch) for cell in cells]
        for cell, complete in zip(cells, whole, strict=True):
            if complete:
                done |= {unique[row]: found[keys[row]] for batch in cell for row in batch}
                counts.kept += sum(map(len, cell))
        cells = [cell for cell, complete in zip(cells, whole, strict=True) if not complete]
    if decoding.samples:
        for cell in cells:
            draw = int.from_bytes(_salt(cell, unique, seed)[:8], "big") ^ int.from_bytes(basis[:8], "big")
            done |= _compute(model, step, decoding, cell, unique, tokens, draw, keys, kept, counts)
    else:
        together = [batch for cell in cells for batch in cell]
        done |= _compute(model, step, decoding, together, unique, tokens, 0, keys, kept, counts)
    return done


def _compute(
    model: LoadedModel,
    step: Step,
    decoding: Decoding,
    batches: Sequence[Sequence[int]],
    texts: Sequence[str],
    tokens: Sequence[list[str]],
    seed: int,
    keys: Mapping[int, bytes],
    kept: Kept,
    counts: Counts,
) -> dict[str, Done]:
    if not batches:
        return {}
    limits = [_limit(model, decoding, tokens[batch[0]]) for batch in batches]
    prefix = model.family.prefix(step.target)
    outputs = model.search(
        [[tokens[row] for row in batch] for batch in batches], limits, prefix, decoding, seed, counts
    )
    rows = [row for batch in batches for row in batch]
    flat = [output for batch in outputs for output in batch]
    made = {row: output for row, output in zip(rows, flat, strict=True) if not isinstance(output, str)}
    decoded = model.family.decode([output.tokens for output in made.values()], step.target)
    fresh = {
        row: Done(text, output.score, len(output.tokens), output.truncated)
        for (row, output), text in zip(made.items(), decoded, strict=True)
    }
    # A failure is not kept: it may have been the machine's.
    kept.keep({keys[row]: one for row, one in fresh.items()})
    counts.batches += len(batches)
    counts.source_tokens += sum(len(tokens[row]) for row in rows)
    counts.target_tokens += sum(one.tokens for one in fresh.values())
    failed = {
        texts[row]: Done("", None, 0, False, output)
        for row, output in zip(rows, flat, strict=True)
        if isinstance(output, str)
    }
    return failed | {texts[row]: one for row, one in fresh.items()}


class _Sizes:
    """How a model's sentences are cut into batches."""

    def __init__(self, model: LoadedModel, decoding: Decoding) -> None:
        self.model, self.decoding = model, decoding
        self.batch_tokens = model.batch_tokens(decoding)

    def batches(self, rows: Sequence[int], tokens: Sequence[list[str]]) -> list[list[int]]:
        """Rows of each batch."""
        lengths = [len(tokens[row]) for row in rows]
        size = self.batch_tokens
        if self.model.invariant and not self.decoding.samples and self.model.device.translators > 1:
            # Something for every translator, and again when the first ones are done.
            size = max(MIN_BATCH_TOKENS, min(size, sum(lengths) // (2 * self.model.device.translators)))
        groups = [
            (
                sum(length >= width for width in BOUNDARIES),
                _limit(self.model, self.decoding, tokens[row]),
            )
            for row, length in zip(rows, lengths, strict=True)
        ]
        return [[rows[index] for index in batch] for batch in cut(lengths, size, groups)]


def _limit(model: LoadedModel, decoding: Decoding, tokens: Sequence[str]) -> int:
    return model.output_limit(rung(len(tokens)), decoding)


def _basis(model: LoadedModel, step: Step, decoding: Decoding) -> bytes:
    """A hash of all but the sentences that decides a translation."""
    import ctranslate2

    parts = (
        model.card.identity,
        step.source,
        step.target,
        decoding.model_dump_json(),
        model.device.name,
        model.compute_type,
        ctranslate2.__version__,
        RULES,
    )
    return xxhash.xxh3_128_digest("\x1f".join(parts).encode())


def _salt(cell: Sequence[Sequence[int]], texts: Sequence[str], seed: int | None) -> bytes:
    digest = xxhash.xxh3_128(f"{seed}".encode())
    for batch in cell:
        digest.update(b"\x1e")
        for row in batch:
            digest.update(texts[row].encode("utf-8", "surrogatepass") + b"\x1f")
    return digest.digest()


def _key(basis: bytes, salt: bytes, text: str) -> bytes:
    return xxhash.xxh3_128_digest(basis + salt + text.encode("utf-8", "surrogatepass"))
