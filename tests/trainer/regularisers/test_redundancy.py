from __future__ import annotations

import pytest
import torch

from tests.trainer.regularisers.conftest import MakeMoment
from trainer import regularisers
from trainer.config import ModelConfig
from trainer.model.language_model import Inputs
from trainer.model.transformer import Transformer
from trainer.regularisers.options import RedundancyOptions
from trainer.regularisers.redundancy import centred, penalty, redundancy, same_direction, taken

TINY = 1e-9
OPTIONS = RedundancyOptions(compare="functions", tokens=64, floor=TINY)


def batch(languages: list[int], length: int, padding: int = 0) -> Inputs:
    rows = len(languages)
    tokens = torch.zeros(rows, length, dtype=torch.int64)
    segments = tokens.int().clone()
    segments[:, length - padding :] = -1
    select = torch.arange(rows * length).view(rows, length)[:, : length - padding].flatten()
    return Inputs(tokens, segments, segments, torch.tensor(languages), torch.zeros(rows, dtype=torch.bool), select)


def set_path(model: Transformer, language: int, features: slice, size: float = 1.0) -> None:
    """Have a language's adapters copy the size of some of the 8 features to the first four."""
    with torch.no_grad():
        for adapter in model.adapters():
            adapter.down[language].zero_()
            adapter.down[language, features] = torch.eye(4)
            adapter.up[language] = size * torch.eye(4, 8)


X, Y, Z = (torch.tensor(values)[None, :, None] for values in ([1.0, -1, 1, -1], [1.0, 1, -1, -1], [1.0, -1, 0, 0]))
ALL = torch.ones(1, 4, 4)


def test_inner_products_without_bias() -> None:
    # x_t x_s is 1 for (0, 2) and (1, 3), else -1; rows sum to -1, all to -4: minus -1/2 twice, plus -4/6.
    expected = [[0, -2, 4, -2], [-2, 0, -2, 4], [4, -2, 0, -2], [-2, 4, -2, 0]]
    assert (centred(X @ X.mT, ALL)[0] * 3).tolist() == [pytest.approx(row) for row in expected]
    moved = X + 3
    torch.testing.assert_close(centred(moved @ moved.mT, ALL), centred(X @ X.mT, ALL))


def test_cosine_of_the_views_inner_products() -> None:
    found = [redundancy(X, other, X, ALL, ALL, TINY).item() for other in (X, Y, Z, 3 * Z + 7)]
    # For y, 4/3 at (0, 1) and (2, 3), else -2/3; for z, -1/3 there, else 1/6.
    assert found == pytest.approx([1.0, -0.5, 0.5, 0.5])


def test_small_views_count_little() -> None:
    # Squares of x sum to 32/3. The vectors' mean square is 1, so the floor's square is 0.5^2 for each of 12 pairs.
    assert redundancy(X, X, X, ALL, ALL, 0.5).item() == pytest.approx((32 / 3) / (32 / 3 + 3))


def test_squared_cosine_of_what_is_added() -> None:
    one = torch.tensor([[[1.0, 0.0], [-1.0, 0.0], [3.0, 0.0], [-3.0, 0.0]]])
    tilted = one @ torch.tensor([[0.6, 0.8], [-0.8, 0.6]])
    turned = one @ torch.tensor([[0.0, 1.0], [-1.0, 0.0]])
    others = (one, 5 * tilted + 2, turned, -one)
    assert [same_direction(one, other, one, ALL, ALL, TINY).item() for other in others] == pytest.approx(
        [1, 0.36, 0, 0]
    )
    # CKA does not see that the directions differ.
    assert [redundancy(one, other, one, ALL, ALL, TINY).item() for other in others] == pytest.approx([1, 1, 1, 1])
    # Squares sum to 20, the floor is half of the mean of 5 for each of four tokens.
    assert same_direction(one, one, one, ALL, ALL, 0.5).item() == pytest.approx(400 / 900)


def test_less_than_four_tokens_say_nothing() -> None:
    three = torch.ones(1, 3, 3)
    assert redundancy(X[:, :3], X[:, :3], X[:, :3], three, three, TINY).item() == 0.0


def test_zero_on_average_for_independent_views() -> None:
    torch.manual_seed(0)
    one, other = torch.randn(400, 16, 6), torch.randn(400, 16, 6)
    ones = torch.ones(400, 16, 16)
    assert redundancy(one, other, one, ones, ones, TINY).mean().item() == pytest.approx(0.0, abs=0.01)


def test_paths_that_do_the_same_and_paths_that_do_not(model: Transformer, make_moment: MakeMoment) -> None:
    torch.manual_seed(1)
    inner = {block: torch.randn(8, 64, 8) for block in (0, 1)}
    moment = make_moment(model, share=(0.5, 0.5, 0.0), batch=batch([0, 1] * 4, 64), inner=inner, token_scale=1 / 512)
    for compare in ("functions", "vectors"):
        options = OPTIONS.model_copy(update={"compare": compare})
        for language in (0, 1):
            set_path(model, language, slice(0, 4), size=1.0 + language)
        assert penalty(moment, options, {}).value.item() == pytest.approx(1.0, abs=1e-5)
        set_path(model, 1, slice(4, 8))
        assert penalty(moment, options, {}).value.item() == pytest.approx(0.0, abs=0.1)


def test_start_has_neither_value_nor_gradient(model: Transformer, make_moment: MakeMoment) -> None:
    moment = make_moment(model, batch=batch([0, 1], 64), inner={1: torch.randn(2, 64, 8)})
    result = penalty(moment, RedundancyOptions(blocks=(1,)), {})
    assert result.value.item() == 0.0
    result.value.backward()
    grad = model.adapters()[1].up.grad
    assert grad is not None
    assert (grad == 0).all()


@pytest.mark.parametrize("compare", ["functions", "vectors"])
def test_adapters_move_and_the_core_does_not(model: Transformer, make_moment: MakeMoment, compare: str) -> None:
    for language in range(3):
        set_path(model, language, slice(0, 4))
        with torch.no_grad():
            for adapter in model.adapters():
                adapter.up[language, 0, 1 + language] = 1.0
    vectors = torch.randn(2, 64, 8, requires_grad=True)
    moment = make_moment(model, batch=batch([0, 1], 64), inner={1: vectors}, token_scale=1 / 128)
    penalty(
        moment, RedundancyOptions.model_validate({"blocks": (1,), "floor": TINY, "compare": compare}), {}
    ).value.backward()
    assert vectors.grad is None
    grad = model.adapters()[1].up.grad
    assert grad is not None
    assert grad.abs().sum() > 0
    # Its value does not change with a path's size, so its gradient is at right angles to the weights.
    assert (grad * model.adapters()[1].up).sum(dim=(1, 2)).tolist() == pytest.approx([0.0] * 3, abs=1e-3)


def test_padding_and_rows_of_relatives_are_left_out(model: Transformer, make_moment: MakeMoment) -> None:
    for language in range(3):
        set_path(model, language, slice(0, 4))
    tags = {"tags": ("ces_Latn", "slk_Latn", "ell_Grek")}
    vectors = torch.randn(2, 64, 8)
    spoilt = vectors.clone()
    spoilt[:, 40:] = 1e3
    options = RedundancyOptions(blocks=(1,), tokens=64, floor=0.001)
    found = [
        penalty(
            make_moment(
                model,
                share=(0.5, 0.5, 0),
                batch=batch([0, 1], 64, 24),
                inner={1: one},
                evidence=tags,
                token_scale=1 / 80,
            ),
            options,
            {},
        ).value.item()
        for one in (vectors, spoilt)
    ]
    assert found[0] == pytest.approx(found[1])
    assert found[0] > 0.5
    related = options.model_copy(update={"relatives": (("ces_Latn", "slk_Latn"),)})
    moment = make_moment(model, share=(0.5, 0.5, 0), batch=batch([0, 1], 64), inner={1: vectors}, evidence=tags)
    assert penalty(moment, related, {}).value.item() == 0.0


def test_rows_weigh_by_their_predicted_tokens_whatever_the_passes(model: Transformer, make_moment: MakeMoment) -> None:
    set_path(model, 0, slice(0, 4))
    set_path(model, 1, slice(2, 6))
    vectors = torch.randn(4, 32, 8)
    languages = [0, 1, 0, 1]
    options = RedundancyOptions(blocks=(1,))
    kind = {"share": (0.5, 0.5, 0.0)}
    whole = penalty(
        make_moment(model, batch=batch(languages, 32), inner={1: vectors}, token_scale=1 / 128, **kind), options, {}
    )
    parts = [
        penalty(
            make_moment(model, batch=batch(languages[rows], 32), inner={1: vectors[rows]}, token_scale=2 / 128, **kind),
            options,
            {},
        ).value.item()
        for rows in (slice(0, 1), slice(1, 4))
    ]
    assert whole.value.item() == pytest.approx(sum(parts) / 2, rel=1e-5)


def test_tokens_of_several_languages_in_a_row_are_compared_within_each(
    model: Transformer, make_moment: MakeMoment
) -> None:
    for language in range(3):
        set_path(model, language, slice(0, 4))
    mixed = batch([0], 64)._replace(languages=torch.tensor([[0] * 32 + [1] * 30 + [-1] * 2]))
    moment = make_moment(model, batch=mixed, inner={1: torch.randn(1, 64, 8)}, token_scale=1 / 64)
    found = penalty(moment, RedundancyOptions(blocks=(1,), tokens=64, floor=TINY), {}).value.item()
    assert found == pytest.approx(1.0, abs=1e-5)


def test_against_the_core(model: Transformer, make_moment: MakeMoment) -> None:
    torch.manual_seed(2)
    inner = {1: torch.randn(4, 64, 8)}
    set_path(model, 0, slice(0, 4))
    moment = make_moment(model, batch=batch([0] * 4, 64), inner=inner, token_scale=1 / 256)
    options = RedundancyOptions(blocks=(1,), between="core", compare="functions", tokens=64)
    assert penalty(moment, options, {}).value.item() > 0.3


def test_blocks() -> None:
    assert RedundancyOptions().wanted(8) == (4, 7)
    assert RedundancyOptions().wanted(1) == (0,)
    assert regularisers.keeps("redundancy", RedundancyOptions(blocks=(2, 0)), 4) == (0, 2)


def test_columns_are_spread_and_move() -> None:
    columns = taken(256, 32, 0)
    assert sorted(((columns.sort().values.diff()) % 256).tolist()) == [8] * 31
    assert taken(256, 32, 0).tolist() != taken(256, 32, 1).tolist()
    assert sorted(taken(5, 32, 3).tolist()) == [0, 1, 2, 3, 4]


def test_nothing_without_adapters(make_moment: MakeMoment) -> None:
    bare = Transformer(ModelConfig(width=8, layers=2, heads=2, adapter=0), vocabulary=10, languages=3)
    assert penalty(make_moment(bare), RedundancyOptions(), {}).value.item() == 0.0
