"""Rows of each step, and how many came before it, as a function of the step's number; plain arithmetic."""

from __future__ import annotations

from fractions import Fraction


class RowSchedule:
    """Rows that grow linearly from a share of the full number, then stay.

    With R rows at the end, the share a in the first step and w steps of growth, the rows before step t are the integral
    of the straight line, cut to a whole multiple: F(t) = R (a t + (1 - a) t^2 / (2 w)) up to w, then R more each step.
    A step's rows are the difference of two such numbers, so that nothing has to be added up and any step can be
    computed alone.

    Args:
        rows: R.
        start: a, above 0 and at most 1; 1 for no growth.
        growth: w.
        multiple: what the rows of a step are a multiple of; R is one.
    """

    def __init__(self, rows: int, *, start: float = 1.0, growth: int = 0, multiple: int = 1) -> None:
        self.full = rows
        self._start = Fraction(start).limit_denominator(10_000)
        self._growth = growth if start < 1 else 0
        self._multiple = multiple

    @property
    def smallest(self) -> int:
        """Rows that every step has at least."""
        return self._whole(self.full * self._start) if self._growth else self.full

    def before(self, step: int) -> int:
        """Rows of all steps before one; the global index of its first row."""
        rising = min(step, self._growth)
        rows = self.full * (step - rising)
        if not rising:
            return rows
        risen = self.full * (self._start * rising + (1 - self._start) * Fraction(rising * rising, 2 * self._growth))
        return self._whole(risen + rows)

    def of(self, step: int) -> range:
        """Global indices of a step's rows."""
        return range(self.before(step), self.before(step + 1))

    def _whole(self, rows: Fraction) -> int:
        return self._multiple * int(rows // self._multiple)
