"""Pairs of languages, drawn by hash: comparing all of them would cost the square of their number."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from corpus.hashing import stable_hash
from trainer.objective.task import uniform
from trainer.regularisers.base import Moment

_UNITS: Final = 1 << 40
"""Shares are counted in whole units, so that their running sum is the same on every device."""


def drawn_pairs(moment: Moment, name: str, count: int) -> tuple[Tensor, Tensor]:
    """Two different languages, drawn anew in each step: the first by its share of the batch, the second by its share
    of the others.

    Args:
        moment: the pass; the draw is the same in all passes of a step and on all processes.
        name: of who draws.
        count: P.

    Returns:
        language indices, both int64 [P]; equal where the batch has one language alone.
    """
    share = moment.evidence.share
    draws = uniform(stable_hash(name), np.array([moment.step]), 2 * count).reshape(2, count)
    one, two = torch.from_numpy(draws).to(share.device)
    return _draw(share, one, two)


def drawn_others(moment: Moment, name: str) -> Tensor:
    """Another language for each language, by its share of the others and anew in each step, int64 [languages].

    Args:
        moment: the pass; the draw is the same in all passes of a step and on all processes.
        name: of who draws.
    """
    share = moment.evidence.share
    draws = uniform(stable_hash(name), np.array([moment.step]), len(share))[0]
    everyone = torch.arange(len(share), device=share.device)
    return _other(*_units(share), everyone, torch.from_numpy(draws).to(share.device))


def unrelated(moment: Moment, relatives: Sequence[Sequence[str]], first: Tensor, second: Tensor) -> Tensor:
    """1 where two languages are to be kept apart, 0 where they are the same or belong to one group of relatives.

    Args:
        moment: the pass.
        relatives: groups of tags.
        first: language indices, int64 [P].
        second: the same.

    Returns:
        float32 [P].
    """
    groups = torch.from_numpy(_groups(moment.evidence.tags, tuple(map(tuple, relatives)), len(moment.evidence.share)))
    groups = groups.to(first.device)
    return (groups[first] != groups[second]).float()


def _draw(share: Tensor, one: Tensor, two: Tensor) -> tuple[Tensor, Tensor]:
    units, ends = _units(share)
    first = torch.searchsorted(ends, (one * ends[-1]).long(), right=True).clamp(max=len(share) - 1)
    return first, _other(units, ends, first, two)


def _units(share: Tensor) -> tuple[Tensor, Tensor]:
    """Each language's share in whole units, and where its units end, both int64 [languages]."""
    units = (share.double() * _UNITS).long()
    return units, units.cumsum(0)


def _other(units: Tensor, ends: Tensor, first: Tensor, draw: Tensor) -> Tensor:
    """A language that is not the first, from a number in [0, 1) for each."""
    own, end = units[first], ends[first]
    place = (draw * (ends[-1] - own)).long()
    place = torch.where(place >= end - own, place + own, place)
    second = torch.searchsorted(ends, place, right=True).clamp(max=len(units) - 1)
    return torch.where(own < ends[-1], second, first)


@lru_cache(maxsize=16)
def _groups(tags: tuple[str, ...], relatives: tuple[tuple[str, ...], ...], languages: int) -> npt.NDArray[np.int64]:
    """The number of each language's group; one of its own for a language without relatives."""
    numbers = {tag: number for number, group in enumerate(relatives) for tag in group}
    known = tags or ("",) * languages
    return np.array([numbers.get(tag, len(relatives) + index) for index, tag in enumerate(known)], dtype=np.int64)
