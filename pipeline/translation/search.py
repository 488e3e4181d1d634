"""Batches through CTranslate2: several at a time, halved where memory runs out; no sentence stops the others."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from corpus.errors import ConfigurationError, EvenglotError
from pipeline.translation.decoding import Decoding
from pipeline.translation.families import END
from pipeline.translation.result import FAILED


class DeviceFailed(EvenglotError):
    """A device, not a sentence, is what fails: going on would fail every sentence."""


class Translate(Protocol):
    """``ctranslate2.Translator.translate_batch``."""

    def __call__(self, source: list[list[str]], target_prefix: Any = None, **options: Any) -> list[Any]:
        """Results of each source."""
        ...


@dataclass(frozen=True)
class Output:
    """What a model made of one sentence."""

    tokens: tuple[str, ...]
    """Without the end."""
    score: float
    """Mean log-probability of a token, the end counted where there is one."""
    truncated: bool
    """Whether the limit ended it."""


@dataclass
class Events:
    """What happened on the way."""

    halved: int = 0
    """Batches that did not fit into memory."""
    failed: int = 0
    """Sentences at which the model fails when they are alone."""


def search(
    translate: Translate,
    batches: Sequence[Sequence[list[str]]],
    limits: Sequence[int],
    prefix: list[str],
    decoding: Decoding,
    events: Events,
    ahead: int = 2,
) -> Iterator[list[Output | str]]:
    """Translate batches; what comes back is in their order, each batch as soon as it is done.

    Args:
        translate: CTranslate2's function.
        batches: tokens of the sentences of each batch.
        limits: most tokens of an output, of each batch.
        prefix: tokens that every output begins with; not part of what comes back.
        decoding: how to search.
        events: counts what went wrong.
        ahead: batches that are handed over before the first of them is asked for, at least 1: while one is computed
            the next waits, and what was computed is made use of meanwhile.

    Yields:
        For each batch its sentences' outputs, or the problems they have.

    Raises:
        DeviceFailed: the device cannot be used any more.
        ConfigurationError: more tokens are to be drawn from than the model has.
    """
    # CTranslate2 gives them to whichever translator is free.
    under_way: deque[list[Any]] = deque()
    begun = 0
    for number, (batch, limit) in enumerate(zip(batches, limits, strict=True)):
        while begun < min(number + ahead, len(batches)):
            under_way.append(_submit(translate, batches[begun], limits[begun], prefix, decoding, asynchronous=True))
            begun += 1
        try:
            results = [handle.result() for handle in under_way.popleft()]
        except (RuntimeError, MemoryError, ValueError) as error:
            yield _after(error, translate, batch, limit, prefix, decoding, events)
        else:
            yield [_output(result, prefix, decoding) for result in results]


def _submit(
    translate: Translate, batch: Sequence[list[str]], limit: int, prefix: list[str], decoding: Decoding, **more: Any
) -> list[Any]:
    return translate(
        list(batch),
        [prefix] * len(batch) if prefix else None,
        beam_size=decoding.beam_size,
        length_penalty=decoding.length_penalty,
        repetition_penalty=decoding.repetition_penalty,
        no_repeat_ngram_size=decoding.no_repeat_ngram_size,
        sampling_topk=decoding.sampling_topk,
        sampling_topp=decoding.sampling_topp,
        sampling_temperature=decoding.sampling_temperature,
        max_decoding_length=limit + len(prefix),
        max_input_length=0,  # longer ones do not come here; a source that is cut would be a false translation
        disable_unk=True,
        return_scores=True,
        return_end_token=True,
        **more,
    )


def _after(
    error: Exception,
    translate: Translate,
    batch: Sequence[list[str]],
    limit: int,
    prefix: list[str],
    decoding: Decoding,
    events: Events,
) -> list[Output | str]:
    """Go on after a batch failed: halves of it, down to the sentence that is the cause."""
    if "sampling_topk option" in str(error):
        raise ConfigurationError(f"sampling_topk: {error}", "Set a smaller one, or 0 to draw from all")
    memory = _is_memory(error)
    if not memory and _is_device(error):
        raise DeviceFailed(f"translation stopped: {error}", "Look at the device and its driver; work done is kept")
    if len(batch) == 1:
        events.failed += 1
        return [f"{FAILED}: {'out of memory' if memory else _first_line(error)}"]
    events.halved += memory
    found: list[Output | str] = []
    middle = (len(batch) + 1) // 2
    for half in (batch[:middle], batch[middle:]):
        try:
            results = _submit(translate, half, limit, prefix, decoding)
        except (RuntimeError, MemoryError, ValueError) as again:
            found += _after(again, translate, half, limit, prefix, decoding, events)
        else:
            found += [_output(result, prefix, decoding) for result in results]
    return found


def _output(result: Any, prefix: list[str], decoding: Decoding) -> Output:
    tokens = list(result.hypotheses[0])
    ended = bool(tokens) and tokens[-1] == END
    # CTranslate2's score is the sum over what the model chose, divided by length ** length_penalty; the prefix is part
    # of the length there, and not of the sum. Here it is the mean over what the model chose.
    total = float(result.scores[0]) * max(len(tokens), 1) ** decoding.length_penalty
    score = total / max(len(tokens) - len(prefix), 1)
    return Output(tuple(tokens[len(prefix) : -1 if ended else None]), min(score, 0.0), not ended)


def _is_memory(error: Exception) -> bool:
    text = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in text or "bad_alloc" in text or "allocat" in text


def _is_device(error: Exception) -> bool:
    text = str(error).lower()
    return any(word in text for word in ("cuda", "cublas", "cudnn"))


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
