"""What each language's loss is compared with: raw losses of languages cannot be compared with each other.

A token of one language carries more than one of another, so the largest loss need not be the worst learnt language
(Oren et al. 2019, arXiv 1909.02060, take off the loss of a simple model for that reason). The baseline here is the
entropy of the language's tokens one by one, or what a file gives, for example the losses of single-language models.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from corpus.errors import ConfigurationError
from sampler.index import Documents
from sampler.order import permutation

_SAMPLE = 1 << 20


def baselines(
    kind: str,
    languages: Sequence[str],
    counts: Callable[[str], npt.NDArray[np.int64]],
    setting: str = "train.language_loss.baseline",
) -> list[float]:
    """Nats per token to be taken off each language's loss.

    Args:
        kind: ``none``, ``unigram``, or the path of a JSON file ``{tag: nats per token}``.
        languages: tags, in the order of the result.
        counts: gives how often each piece of the vocabulary occurs in a sample of a language, [V].
        setting: where the kind was given, for messages.

    Raises:
        ConfigurationError: the file is missing, no such table, or lacks a language.
    """
    if kind == "none":
        return [0.0] * len(languages)
    if kind == "unigram":
        return [entropy(counts(lang)) for lang in languages]
    try:
        table = json.loads(Path(kind).read_text(encoding="utf-8"))
        return [float(table[lang]) for lang in languages]
    except OSError as error:
        raise ConfigurationError(
            f"{setting} names {kind}, which cannot be read: {error.strerror}",
            "Give none, unigram, or the path of a JSON file that maps tags to nats per token",
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        detail = f"it has no figure for {error.args[0]}" if isinstance(error, KeyError) else str(error)
        raise ConfigurationError(
            f"{setting}: {kind} is no table of baselines: {detail}",
            "It must be a JSON object that maps each language of the run to nats per token",
        ) from error


def token_counts(documents: Documents, vocabulary: int) -> npt.NDArray[np.int64]:
    """How often each piece occurs in a sample of a language's training text.

    Args:
        documents: of the language.
        vocabulary: V.

    Returns:
        int64 [V], over about a million tokens taken run by run from all over the language.
    """
    counts = np.zeros(vocabulary, dtype=np.int64)
    for index in permutation(documents.count, "baseline", documents.lang).tolist():
        run = documents.run(index, keep=False)
        counts += np.bincount(run.tokens[run.offsets[0] : run.offsets[-1]], minlength=vocabulary)[:vocabulary]
        if counts.sum() >= _SAMPLE:
            break
    return counts


def entropy(counts: npt.NDArray[np.int64]) -> float:
    """Entropy of a distribution from a sample, in nats.

    The sample's own entropy is too small by about (kinds - 1) / (2 * size), which is added (Miller 1955).

    Args:
        counts: of each piece, [V]; all zero gives 0.
    """
    positive = counts[counts > 0].astype(np.float64)
    size = positive.sum()
    if not size:
        return 0.0
    share = positive / size
    return float(-(share * np.log(share)).sum() + (len(positive) - 1) / (2 * size))
