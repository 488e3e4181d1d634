"""From scores to a mixture that keeps its floors and caps and is short to write down.

Shares come on a coarse grid: a share has eight significant bits, so that neighbouring values lie less than 0.8 %
apart whatever the size of the language (below 2**-16 they are multiples of 2**-24), and one share, of a large
language, takes up what is left to sum 1. The log then takes about a byte and a half for each language.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sampler.course import WEIGHT_QUANTUM
from sampler.quota import UNIT, Counts

Floats = NDArray[np.float64]

_BITS: Final = 8
_HALVINGS: Final = 80


class Bounds(NamedTuple):
    """The mixtures allowed: ``lower <= shares <= upper``, all float64 [K]; ``base`` is one of them."""

    base: Floats
    lower: Floats
    upper: Floats


def bounds(
    base: Floats,
    *,
    floor: float,
    cap: float,
    smoothing: float,
    least: float,
    most: Floats,
    named: NDArray[np.bool_] | None = None,
) -> Bounds:
    """What is allowed around a base mixture.

    Args:
        base: float64 [K], of sum 1.
        floor: smallest share, as a multiple of the base.
        cap: largest share, as a multiple of the base.
        smoothing: part of the base that is always mixed in, another floor.
        least: smallest share of every language in the base; an even share where that is less.
        most: float64 [K], largest share of each, whatever the base says. It wins over the floors. Where all of
            them together are less than 1 the shares are in their proportion.
        named: bool [K], languages that take part; None for those with a share in the base.
    """
    named = base > 0 if named is None else named
    most = np.where(named, np.clip(most, 0.0, 1.0), 0.0)
    if most.sum() < 1:
        most = most / most.sum() if most.sum() > 0 else base
    even = np.minimum(np.where(named, min(least, 1 / int(named.sum())), 0.0), most)
    centre = project(base, even, most)
    lower = np.maximum(even, max(floor, smoothing) * centre)
    upper = np.minimum(cap * centre, most) if np.isfinite(cap) else most
    return Bounds(centre, lower, np.maximum(upper, centre))


def project(wanted: Floats, lower: Floats, upper: Floats) -> Floats:
    """The shares between bounds that keep the wanted proportions wherever no bound holds.

    Args:
        wanted: float64 [K], not negative, one above zero.
        lower: float64 [K], of sum at most 1.
        upper: float64 [K], of sum at least 1.

    Returns:
        float64 [K], clip(s * wanted, lower, upper) with the s that makes the sum 1.
    """
    wanted = np.maximum(wanted, 0.0)
    low, high = 0.0, 1.0
    while np.clip(high * wanted, lower, upper).sum() < 1 and high < 2.0**1000:
        high *= 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if np.clip(middle * wanted, lower, upper).sum() < 1:
            low = middle
        else:
            high = middle
    shares = np.clip(high * wanted, lower, upper)
    missing = 1 - float(shares.sum())
    # What wanted nothing can still be given something where the others are at their caps.
    room = upper - shares
    if missing > 1e-9 and room.sum() > 0:
        shares = shares + room * min(1.0, missing / float(room.sum()))
    return np.asarray(shares, dtype=np.float64)


def follow(score: Floats, present: Floats, allowed: Bounds, smoothing: float) -> Floats:
    """The mixture that a policy asks for, within bounds.

    Languages with a score share what the others leave, in the proportions base * exp(score); the others keep their
    present share. Then ``smoothing`` of the base is mixed in, and the bounds are kept.

    Args:
        score: float64 [K], not a number where nothing is known.
        present: float64 [K], shares now.
        allowed: around the base mixture.
        smoothing: part of the base in the result.

    Returns:
        float64 [K], of sum 1.
    """
    moved = np.isfinite(score) & (allowed.base > 0)
    if not moved.any():
        wanted = present
    else:
        kept = np.where(moved, 0.0, present)
        powers = np.zeros_like(allowed.base)
        powers[moved] = allowed.base[moved] * np.exp(score[moved] - score[moved].max())
        wanted = kept + powers / powers.sum() * max(0.0, 1 - float(kept.sum()))
        wanted = (1 - smoothing) * wanted + smoothing * allowed.base
    return project(wanted, allowed.lower, allowed.upper)


def on_grid(shares: Floats, allowed: Bounds) -> Counts:
    """Shares on the grid, within the bounds.

    Args:
        shares: float64 [K], of sum 1 and within the bounds.
        allowed: the bounds; where they lie too close together for the grid, shares are as exact as they come.

    Returns:
        int64 [K] in ``UNIT``, of sum ``UNIT``.
    """
    lower = np.ceil(allowed.lower * UNIT).astype(np.int64)
    upper = np.floor(allowed.upper * UNIT).astype(np.int64)
    exact = np.clip(np.floor(shares * UNIT).astype(np.int64), lower, np.maximum(lower, upper))
    step = _step(exact)
    whole = exact // step * step
    # The floor is not on the grid: the next value above it, if the cap allows.
    whole = np.where(whole < lower, -(-lower // step) * step, whole)
    whole = np.where(whole > upper, np.maximum(np.minimum(exact, upper), 0), whole)
    left = UNIT - int(whole.sum())
    first = np.argsort(-(exact - whole) / step, kind="stable")
    for index in first:
        if step[index] <= left and whole[index] + step[index] <= upper[index] and shares[index] > 0:
            whole[index] += step[index]
            left -= int(step[index])
    for index in np.argsort(-whole, kind="stable"):
        room = max(0, int(upper[index] - whole[index])) if left > 0 else min(0, int(lower[index] - whole[index]))
        given = min(left, room) if left > 0 else max(left, room)
        whole[index] += given
        left -= given
        if left == 0:
            break
    whole[int(np.argmax(whole))] += left  # all at their bounds: a few units of 2**-32
    return np.asarray(whole, dtype=np.int64)


def _step(values: Counts) -> Counts:
    """Distance of the grid at each value, int64 [K]."""
    _, exponent = np.frexp(values.astype(np.float64))
    steps = np.left_shift(np.int64(1), np.maximum(exponent - _BITS, 0).astype(np.int64))
    # No finer than the log's own quantum, as long as a share has more than that.
    return np.where(values >= WEIGHT_QUANTUM, np.maximum(steps, WEIGHT_QUANTUM), 1)
