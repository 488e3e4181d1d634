"""Sentences to batches of like length, and how large a batch may be.

A batch costs what its longest sentence costs, times its size, and something for each step however few are in it:
sentences are ordered by length, batches counted in tokens with padding, and few.

A translation depends on its batch: the order of additions in products of matrices goes with their shape, and with int8
a last bit may become a difference in the third decimal of a score, rarely another word. So batches are made of a
request's sentences alone, and the same on every machine of a kind: see ``docs/translation-engine.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from corpus.errors import ConfigurationError
from pipeline.translation.devices import Device

MIN_BATCH_TOKENS: Final = 256
CPU_HYPOTHESIS_TOKENS: Final = 2048
"""Tokens of a batch times its hypotheses on the CPU, measured (``docs/translation-engine.md``): with twice as many
a model of 75 million parameters is as fast, with four times as many a quarter slower, with half as many a seventh."""
CPU_LEAST_TOKENS: Final = 512
"""However many hypotheses there are: a step costs as much as 10 sentences do, however few are in it."""
CUDA_BATCH_TOKENS: Final = 16_384
SAMPLE_TOKENS: Final = 2048
"""Tokens of a batch that is sampled, on every machine: its draws depend on who is in it."""
_BASE_PARAMETERS: Final = 75e6
_BASE_TOKEN_BYTES: Final = 128 * 1024
_SHARE: Final = 0.5


def rung(tokens: int) -> int:
    """The next of 1, 3, 7, 15, 31, ...: for limits that sentences of like length share."""
    return (1 << tokens.bit_length()) - 1


def cut(lengths: Sequence[int], batch_tokens: int, groups: Sequence[tuple[int, ...]] | None = None) -> list[list[int]]:
    """Divide sentences into batches of like length.

    Args:
        lengths: tokens of each sentence, at least 1.
        batch_tokens: tokens of a batch, padding included. What is left at the end of a group joins the batch before
            where it is less than half of one, so a batch may be half as large again; a longer sentence is a batch of
            its own.
        groups: of each sentence; no batch holds two. None: one group.

    Returns:
        Indices of the sentences of each batch: by group, by length, then in the given order.
    """
    named = groups if groups is not None else [()] * len(lengths)
    order = sorted(range(len(lengths)), key=lambda index: (named[index], lengths[index]))
    batches: list[list[int]] = []
    for _, group in groupby(order, key=lambda index: named[index]):
        own: list[list[int]] = [[]]
        for index in group:
            if own[-1] and lengths[index] * (len(own[-1]) + 1) > batch_tokens:
                own.append([])
            own[-1].append(index)
        if len(own) > 1 and 2 * lengths[own[-1][-1]] * len(own[-1]) < batch_tokens:
            together = [*own[-2], *own[-1]]
            if 2 * lengths[together[-1]] * len(together) <= 3 * batch_tokens:
                own[-2:] = [together]
        batches += own
    return batches


def automatic_tokens(memory: int, weights: int, parameters: int, beam: int, device: Device) -> int:
    """Tokens of a batch that fit into memory.

    What a token needs are its keys and values in every layer of the decoder, once for each hypothesis, and as much
    again for what is computed. That grows with layers times width, so with the power 2/3 of the parameters; a Marian
    base model (75 million parameters, 6 layers, 512 wide) takes 128 KiB for a hypothesis.

    Args:
        memory: bytes of the device.
        weights: bytes that the model's weights take of them.
        parameters: number of weights.
        beam: hypotheses of a sentence.
        device: where it runs; half of its memory is used, and divided among its translators.

    Raises:
        ConfigurationError: the weights alone do not fit.
    """
    if weights >= memory:
        raise ConfigurationError(
            f"the model's weights take {weights / 2**30:.1f} GiB and the device has {memory / 2**30:.1f} GiB",
            "Take a smaller model, one stored as int8, or a larger device",
        )
    token = _BASE_TOKEN_BYTES * beam * (max(parameters, 1) / _BASE_PARAMETERS) ** (2 / 3)
    fitting = int((memory - weights) * _SHARE / device.translators / token)
    most = max(CPU_HYPOTHESIS_TOKENS // beam, CPU_LEAST_TOKENS) if device.name == "cpu" else CUDA_BATCH_TOKENS
    most = 1 << (most.bit_length() - 1)
    return max(MIN_BATCH_TOKENS, min(most, 1 << (max(fitting, 1).bit_length() - 1)))
