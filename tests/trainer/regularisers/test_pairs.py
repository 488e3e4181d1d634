from __future__ import annotations

from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.trainer.regularisers.conftest import MakeMoment
from trainer.regularisers.pairs import _draw, drawn_others, drawn_pairs

numbers = st.floats(0, 1, exclude_max=True, width=32)


@given(
    st.lists(st.integers(0, 5), min_size=2, max_size=6).filter(lambda counts: sum(map(bool, counts)) > 1),
    numbers,
    numbers,
)
def test_two_different_languages_of_the_batch(counts: list[int], one: float, two: float) -> None:
    share = torch.tensor(counts, dtype=torch.float32) / sum(counts)
    first, second = _draw(share, torch.tensor([one]), torch.tensor([two]))
    assert first != second
    assert share[first] > 0
    assert share[second] > 0


def test_by_their_shares(make_moment: MakeMoment) -> None:
    seen: Counter[tuple[int, int]] = Counter()
    for step in range(40):
        first, second = drawn_pairs(make_moment(None, step=step), "x", 100)
        seen.update(zip(first.tolist(), second.tolist(), strict=True))
    # 0.5 * 0.5, 0.25 * 2/3 and 0.25 * 1/3, twice each
    assert seen[0, 1] / 4000 == pytest.approx(0.25, abs=0.03)
    assert seen[1, 0] / 4000 == pytest.approx(1 / 6, abs=0.03)
    assert seen[1, 2] / 4000 == pytest.approx(1 / 12, abs=0.03)
    assert len(seen) == 6


def test_the_same_in_a_step_and_another_in_the_next(make_moment: MakeMoment) -> None:
    steps = [drawn_pairs(make_moment(None, step=step), "x", 50)[0].tolist() for step in (3, 3, 4)]
    assert steps[0] == steps[1] != steps[2]


def test_another_language_for_each(make_moment: MakeMoment) -> None:
    for step in range(20):
        others = drawn_others(make_moment(None, step=step, share=(0.6, 0.4, 0.0)), "x").tolist()
        assert others[:2] == [1, 0]
        assert others[2] in (0, 1)


def test_one_language_alone_is_its_own_other(make_moment: MakeMoment) -> None:
    alone = make_moment(None, share=(1.0, 0.0, 0.0))
    first, second = drawn_pairs(alone, "x", 4)
    assert first.tolist() == second.tolist() == [0, 0, 0, 0]
    assert drawn_others(alone, "x").tolist() == [0, 0, 0]
