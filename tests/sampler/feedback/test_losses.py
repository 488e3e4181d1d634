"""Sums of losses, and baselines."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import ConfigurationError, InputError
from sampler.feedback.losses import Losses, baseline

NAN, INF = float("nan"), float("inf")


def test_means_of_languages_with_enough_tokens() -> None:
    losses = Losses(3)
    losses.add([False] * 3, [0, 0, 1], [30.0, 60.0, 8.0], [10, 20, 4])
    assert losses.means(30) == pytest.approx([3.0, NAN, NAN], nan_ok=True)
    assert losses.means(4) == pytest.approx([3.0, 2.0, NAN], nan_ok=True)


def test_what_was_believed_goes_and_the_rest_adds_up() -> None:
    losses = Losses(2)
    losses.add([False, False, True], [0, 1, 1], [20.0, 4.0, 5.0], [10, 2, 1])
    losses.used(np.isfinite(losses.means(3)))
    assert losses.means(1) == pytest.approx([NAN, 3.0], nan_ok=True)


def test_losses_that_are_not_finite_are_left_out_and_counted() -> None:
    losses = Losses(2)
    losses.add([False] * 5, [0, 0, 0, 0, 1], [NAN, INF, -1.0, 6.0, 0.0], [3, 3, 3, 3, 0])
    assert losses.ignored().tolist() == [3, 0]
    assert losses.means(1) == pytest.approx([2.0, NAN], nan_ok=True)
    losses.used(np.array([True, False]))
    assert losses.ignored().tolist() == [0, 0]


@given(st.permutations(range(12)))
def test_the_order_does_not_matter(order: list[int]) -> None:
    values = [0.1 * 3**i for i in range(12)]
    one, other = Losses(1), Losses(1)
    one.add([False] * 12, [0] * 12, values, [1] * 12)
    for i in order:
        other.add([False], [0], [values[i]], [1])
    assert np.array_equal(one.sums, other.sums)


def test_a_state_comes_back_for_more_languages_too() -> None:
    losses = Losses(4)
    losses.add([False, True, False], [1, 3, 2], [20.0, NAN, 3e9], [10, 2, 1 << 30])
    state = json.loads(json.dumps(losses.state()))
    back, more = Losses(4), Losses(6)
    back.load_state(state)
    more.load_state(state)
    assert np.array_equal(back.sums, losses.sums)
    assert np.array_equal(more.sums[:, :4], losses.sums)
    assert not more.sums[:, 4:].any()
    assert back.sums[0, 1].tolist() == [20 * 1024, 10, 0]
    with pytest.raises(ValueError, match="are of 4 languages, not 2"):
        Losses(2).load_state(state)


@pytest.mark.parametrize("name", ["losses.yaml", "losses.json"])
def test_baselines_from_a_file(tmp_path: Path, name: str) -> None:
    text = "swh_Latn: 3.5\neng_Latn: 2\n" if name.endswith("yaml") else '{"swh_Latn": 3.5, "eng_Latn": 2}'
    (tmp_path / name).write_text(text)
    found = baseline(str(tmp_path / name), ("deu_Latn", "eng_Latn", "swh_Latn"))
    assert found == pytest.approx([NAN, 2.0, 3.5], nan_ok=True)


def test_no_baseline() -> None:
    assert np.isnan(baseline(None, ("a", "b"))).all()


def test_baselines_that_cannot_be(tmp_path: Path) -> None:
    languages = ("eng_Latn", "swh_Latn")
    with pytest.raises(ConfigurationError, match="gives eng_Latn the loss -1"):
        baseline({"eng_Latn": -1}, languages)
    with pytest.raises(ConfigurationError, match=r"names none of the languages here. Use their tags, for example eng"):
        baseline({"english": 2.0}, languages)
    with pytest.raises(InputError, match="No such file"):
        baseline(str(tmp_path / "none.yaml"), languages)
    (tmp_path / "list.yaml").write_text("- 1\n")
    with pytest.raises(InputError, match="holds no mapping"):
        baseline(str(tmp_path / "list.yaml"), languages)
