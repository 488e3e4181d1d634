"""Which pairs come when: a function of the pair's global number, for any number of processes and any resume point.

Global number n gets the point x_n = (A n + U) mod 2^64, with A the golden ratio's fraction of 2^64: such points are
spread so evenly that any stretch of numbers holds of each two languages what their share asks for, give or take a few
(Weyl 1916; discrepancy O(log n / n)). The share decides which interval the point falls into, and how many points fell
into it before is counted in closed form, so no step has to be replayed to know the next.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from corpus import mixtures
from corpus.errors import ConfigurationError
from corpus.hashing import stable_hash
from sampler.order import permutation

_RANGE: Final = 1 << 64
_GOLDEN: Final = 0x9E3779B97F4A7C15
_KEPT: Final = 256
"""Orders in memory at once."""


class Place(NamedTuple):
    """Where a global number leads."""

    pair: str
    """The two languages."""
    number: int
    """Among their pairs, from 0."""
    passes: int
    """Passes over their pairs before."""


class PairOrder:
    """An endless order of the pairs of several languages.

    Args:
        sizes: pairs of each two languages, all positive.
        shares: of each two languages among the pairs that are read; of sum 1.
        key: what the order depends on beside, for example the seed.

    Raises:
        ConfigurationError: there are no pairs.
    """

    def __init__(self, sizes: Mapping[str, int], shares: Mapping[str, float], *key: object) -> None:
        if not sizes:
            raise ConfigurationError(
                "no two languages of the run have parallel text",
                "Encode some with `evenglot tokenize --parallel FILES`, or set train.parallel to null",
            )
        self._names = sorted(sizes)
        self._sizes = sizes
        self._key = key
        self._offset = stable_hash("pairs", *key)
        ends = np.cumsum([shares[name] for name in self._names])
        self._edges = [0, *(min(_RANGE, int(end / ends[-1] * 2.0**53) << 11) for end in ends[:-1]), _RANGE]
        self._orders: OrderedDict[tuple[str, int], npt.NDArray[np.int64]] = OrderedDict()

    def places(self, first: int, count: int) -> list[Place]:
        """Where the global numbers from ``first`` on lead."""
        numbers = np.arange(first, first + count, dtype=np.uint64)
        with np.errstate(over="ignore"):
            points = numbers * np.uint64(_GOLDEN) + np.uint64(self._offset)
        found = np.searchsorted(np.array(self._edges[1:-1], np.uint64), points, side="right").tolist()
        before: dict[int, int] = {}
        places = []
        for pair in found:
            if pair not in before:
                before[pair] = self.given(first, pair)
            nth = before[pair]
            before[pair] += 1
            name = self._names[pair]
            passes, place = divmod(nth, self._sizes[name])
            places.append(Place(name, int(self._order(name, passes)[place]), passes))
        return places

    def given(self, numbers: int, pair: int) -> int:
        """How many of the first global numbers lead to the pair of languages of this place in the alphabet."""
        start, stop = self._edges[pair], self._edges[pair + 1]
        return _below(numbers, self._offset, stop) - _below(numbers, self._offset, start)

    def read(self, numbers: int) -> dict[str, int]:
        """Pairs of each two languages among the first global numbers."""
        return {name: self.given(numbers, place) for place, name in enumerate(self._names)}

    def _order(self, name: str, passes: int) -> npt.NDArray[np.int64]:
        found = self._orders.get((name, passes))
        if found is None:
            found = permutation(self._sizes[name], "pairs", name, passes, *self._key)
            self._orders[name, passes] = found
            if len(self._orders) > _KEPT:
                self._orders.popitem(last=False)
        else:
            self._orders.move_to_end((name, passes))
        return found


def pair_shares(
    sizes: Mapping[str, int], mixture: str, alpha: float, max_repeats: float, budget: float
) -> dict[str, float]:
    """Shares of each two languages among the pairs that are read, as the sampler's mixtures of languages.

    Args:
        sizes: pairs of each two languages.
        mixture: unimax, temperature, proportional or uniform.
        alpha: of the temperature.
        max_repeats: cap on the passes, as long as other languages have room.
        budget: pairs that the run reads.
    """
    if mixture == "unimax":
        return mixtures.unimax(sizes, max_repeats, budget)
    exponent = {"temperature": alpha, "proportional": 1.0, "uniform": 0.0}[mixture]
    wanted = mixtures.temperature(sizes, exponent)
    return mixtures.capped(wanted, sizes, budget=budget, max_repeats=max_repeats)


def _below(numbers: int, offset: int, edge: int) -> int:
    """How many of the points (A n + offset) mod 2^64, n < numbers, lie below an edge of at most 2^64.

    A point lies below it exactly where floor((A n + offset) / 2^64) and floor((A n + offset - edge) / 2^64) differ.
    """
    return floor_sum(numbers, _RANGE, _GOLDEN, offset) - floor_sum(numbers, _RANGE, _GOLDEN, offset - edge)


def floor_sum(count: int, modulus: int, factor: int, offset: int) -> int:
    """Sum of floor((factor i + offset) / modulus) over i = 0 … count - 1, in steps like Euclid's algorithm.

    Args:
        count: at least 0.
        modulus: positive.
        factor: any integer.
        offset: any integer.
    """
    total = 0
    while count > 0:
        whole, factor = divmod(factor, modulus)
        total += whole * (count * (count - 1) // 2)
        whole, offset = divmod(offset, modulus)
        total += whole * count
        top = factor * count + offset
        if top < modulus:
            break
        # Lattice points under the line, counted along the other axis.
        count, offset = divmod(top, modulus)
        modulus, factor = factor, modulus
    return total
