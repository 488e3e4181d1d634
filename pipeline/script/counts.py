"""Letters per script, for all documents of a batch at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.schema import SCRIPT_SHARES
from pipeline.script.codepoints import chunks
from pipeline.script.config import ScriptConfig
from pipeline.script.tags import script_rule
from pipeline.script.unicode import COMMON, SCRIPT_IDS, SCRIPTS, script_table

Counts = npt.NDArray[np.int64]

JAPANESE = "Jpan"
_NAMES = np.array([COMMON, *SCRIPTS, JAPANESE])
_WIDTH = 256
_HAN, _HIRAGANA, _KATAKANA = SCRIPT_IDS["Hani"], SCRIPT_IDS["Hira"], SCRIPT_IDS["Kana"]


def script_counts(column: pa.Array) -> Counts:
    """Code points of each script in each document.

    Args:
        column: n texts.

    Returns:
        shape (n, 256), by the numbers of ``SCRIPT_IDS``; column 0 holds what belongs to no script.
    """
    table = script_table()
    counts = np.zeros((len(column), _WIDTH), np.int64)
    for chunk in chunks(column):
        ids = table[chunk.values].astype(np.int64)
        ids += np.repeat(np.arange(chunk.documents) * _WIDTH, np.diff(chunk.bounds))
        found = np.bincount(ids, minlength=chunk.documents * _WIDTH)
        counts[chunk.first : chunk.first + chunk.documents] = found.reshape(-1, _WIDTH)
    return counts


def dominant(counts: Counts) -> tuple[list[str], npt.NDArray[np.float32]]:
    """The script most letters belong to, and their share.

    Kana and Han of a Japanese text count as one, ``Jpan``: they alternate within words. A text without
    letters has the script ``Zyyy`` and the share 0.

    Args:
        counts: shape (n, 256).

    Returns:
        n ISO 15924 codes, and shares of shape (n,).
    """
    letters = np.zeros((len(counts), len(_NAMES)), np.int64)
    letters[:, 1:-1] = counts[:, 1 : len(SCRIPTS) + 1]
    kana = letters[:, _HIRAGANA] + letters[:, _KATAKANA]
    japanese = kana * 20 >= kana + letters[:, _HAN]  # one kana in twenty is more than a Chinese text quotes
    japanese &= kana > 0
    for script in (_HAN, _HIRAGANA, _KATAKANA):
        letters[japanese, -1] += letters[japanese, script]
        letters[japanese, script] = 0
    best = letters.argmax(axis=1)
    total = letters.sum(axis=1)
    share = letters[np.arange(len(letters)), best] / np.maximum(total, 1)
    return _NAMES[np.where(total > 0, best, 0)].tolist(), share.astype(np.float32)


def shares_column(counts: Counts, least: float = 0.01) -> pa.ListArray:
    """Share of each script among the letters of each document, the largest first.

    Args:
        counts: shape (n, 256).
        least: smallest share that is named.

    Returns:
        n lists of (script, share), as ``corpus.schema.SCRIPT_SHARES``; empty where a text has no letters.
    """
    letters = counts[:, 1 : len(SCRIPTS) + 1]
    total = letters.sum(axis=1)
    rows, scripts = np.nonzero(letters)
    shares = letters[rows, scripts] / total[rows]
    named = shares >= least
    rows, scripts, shares = rows[named], scripts[named], shares[named]
    order = np.lexsort((scripts, -shares, rows))
    offsets = np.searchsorted(rows, np.arange(len(counts) + 1)).astype(np.int32)
    codes = pa.DictionaryArray.from_arrays(pa.array(scripts[order].astype(np.int32)), pa.array(SCRIPTS))
    values = pa.StructArray.from_arrays(
        [codes.dictionary_decode(), pa.array(shares[order].astype(np.float32))], fields=list(SCRIPT_SHARES.value_type)
    )
    return pa.ListArray.from_arrays(pa.array(offsets), values)


def agreement(counts: Counts, tags: Sequence[str | None], config: ScriptConfig) -> list[bool | None]:
    """Whether each document is in the script that its language tag names.

    Args:
        counts: shape (n, 256).
        tags: n language tags, None where unknown.
        config: the shares asked for.

    Returns:
        n answers; None where the tag names no script or the text has no letters.
    """
    total = counts[:, 1:].sum(axis=1)
    answers: list[bool | None] = [None] * len(tags)
    rows_of: dict[str, list[int]] = {}
    for row, tag in enumerate(tags):
        if tag is not None and total[row]:
            rows_of.setdefault(tag, []).append(row)
    for tag, rows in rows_of.items():
        rule = script_rule(tag)
        if rule is None:
            continue
        inside = _letters_in(counts[rows], rule.accepted)
        least = config.min_share if rule.accepted == {"Latn"} else config.min_share_other
        agrees = inside >= least * total[rows]
        if rule.evidence:
            agrees &= _letters_in(counts[rows], rule.evidence) >= config.evidence * total[rows]
        for row, answer in zip(rows, agrees.tolist(), strict=True):
            answers[row] = answer
    return answers


def _letters_in(counts: Counts, scripts: frozenset[str]) -> Counts:
    """Letters of each document in any of the scripts, shape (n,)."""
    total: Counts = counts[:, [SCRIPT_IDS[script] for script in sorted(scripts)]].sum(axis=1)
    return total
