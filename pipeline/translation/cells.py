"""One step of a route for many sentences: what is computed together, and under which key it is kept.

A *cell* is a set of sentences whose translations depend on nothing else: a batch, whose sentences reach each other
through the order of additions, or with sampling all that a request has, since draws follow one another. Cells are made
of a request's sentences alone and kept as a whole, so neither what was asked before nor what is asked beside it can
change them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import xxhash

from pipeline.translation.batches import cut, rung
from pipeline.translation.decoding import Decoding
from pipeline.translation.loaded import LoadedModel
from pipeline.translation.result import TOO_LONG
from pipeline.translation.routes import Step
from pipeline.translation.search import Events

RULES: Final = "2"
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
    batches = _batches(model, decoding, rows, tokens)
    cells = [batches] if decoding.samples else [[batch] for batch in batches]
    keys: dict[int, bytes] = {}
    for cell in cells:
        salt = _salt(cell, unique, seed if decoding.samples else None)
        keys |= {row: _key(basis, salt, unique[row]) for batch in cell for row in batch}
    found = kept.find(list(keys.values()))
    missing = []
    for cell in cells:
        if all(keys[row] in found for batch in cell for row in batch):
            done |= {unique[row]: found[keys[row]] for batch in cell for row in batch}
            counts.kept += sum(map(len, cell))
        else:
            missing.append(cell)
    cells = missing
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
    limits = [_limit(model, decoding, len(tokens[batch[0]])) for batch in batches]
    prefix = model.family.prefix(step.target)
    found = model.search([[tokens[row] for row in batch] for batch in batches], limits, prefix, decoding, seed, counts)
    done: dict[str, Done] = {}
    waiting: dict[bytes, Done] = {}
    for batch, outputs in zip(batches, found, strict=True):
        made = {row: output for row, output in zip(batch, outputs, strict=True) if not isinstance(output, str)}
        decoded = model.family.decode([output.tokens for output in made.values()], step.target)
        fresh = {
            row: Done(text, output.score, len(output.tokens), output.truncated)
            for (row, output), text in zip(made.items(), decoded, strict=True)
        }
        failed = {
            row: Done("", None, 0, False, output)
            for row, output in zip(batch, outputs, strict=True)
            if isinstance(output, str)
        }
        done |= {texts[row]: one for row, one in (fresh | failed).items()}
        counts.target_tokens += sum(one.tokens for one in fresh.values())
        # A failure is not kept: it may have been the machine's.
        waiting |= {keys[row]: one for row, one in fresh.items()}
        # A batch at once, so that a run that is killed does not lose a whole request; draws are of use only together.
        if not decoding.samples:
            kept.keep(waiting)
            waiting = {}
    if waiting:
        kept.keep(waiting)
    counts.batches += len(batches)
    counts.source_tokens += sum(len(tokens[row]) for batch in batches for row in batch)
    return done


def _batches(
    model: LoadedModel, decoding: Decoding, rows: Sequence[int], tokens: Sequence[list[str]]
) -> list[list[int]]:
    """Rows of each batch; sentences of a batch share one limit."""
    lengths = [len(tokens[row]) for row in rows]
    limits = {length: _limit(model, decoding, length) for length in set(lengths)}
    cuts = cut(lengths, model.batch_tokens(decoding), [(limits[length],) for length in lengths])
    return [[rows[index] for index in batch] for batch in cuts]


def _limit(model: LoadedModel, decoding: Decoding, length: int) -> int:
    return model.output_limit(rung(length), decoding)


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
