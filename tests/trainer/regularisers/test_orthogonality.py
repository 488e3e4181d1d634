from __future__ import annotations

import pytest
import torch

from corpus.errors import ConfigurationError
from tests.trainer.regularisers.conftest import MakeMoment
from trainer import regularisers
from trainer.config import ModelConfig
from trainer.model.transformer import Transformer
from trainer.regularisers.options import OrthogonalityOptions
from trainer.regularisers.orthogonality import overlap, penalty

TWO = {"share": (0.5, 0.5, 0.0)}


def write(model: Transformer, language: int, *directions: int, size: float = 1.0) -> None:
    """Have a language's adapters write into some of the 8 directions."""
    with torch.no_grad():
        for adapter in model.adapters():
            adapter.up[language].zero_()
            for row, direction in enumerate(directions):
                adapter.up[language, row, direction] = size


def test_cosine_of_second_moments() -> None:
    first = torch.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    same_plane = torch.tensor([[[0.6, 0.8, 0.0], [-0.8, 0.6, 0.0]]])
    one_shared = torch.tensor([[[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]])
    tilted = torch.tensor([[[0.0, 0.6, 0.8], [0.0, 0.0, 0.0]]])
    others = torch.cat((same_plane, one_shared, tilted))
    found = overlap(torch.cat((first.expand(3, 2, 3), others)), 1e-9)
    # <S_a, S_b> is 2, 1 and 0.36; the norms are sqrt(2), sqrt(2) and 1.
    assert found.tolist() == pytest.approx([1.0, 0.5, 0.36 / 2**0.5])


@pytest.mark.parametrize(("other", "expected"), [((0, 1), 1.0), ((2, 3), 0.0), ((1, 2), 0.5), ((0,), 2**-0.5)])
def test_languages_that_write_into_the_same_directions(
    model: Transformer, make_moment: MakeMoment, other: tuple[int, ...], expected: float
) -> None:
    write(model, 0, 0, 1)
    write(model, 1, *other)
    result = penalty(make_moment(model, **TWO), OrthogonalityOptions(floor=1e-9), {})
    assert result.value.item() == pytest.approx(expected)
    assert result.metrics["largest"].item() == pytest.approx(expected)


def test_turns_the_directions_and_does_not_shrink_them(model: Transformer, make_moment: MakeMoment) -> None:
    write(model, 0, 0)
    with torch.no_grad():
        for adapter in model.adapters():
            adapter.up[1, 0, :2] = torch.tensor([0.6, 0.8])
    penalty(make_moment(model, **TWO), OrthogonalityOptions(floor=1e-9), {}).value.backward()
    adapter = model.adapters()[0]
    assert adapter.up.grad is not None
    # The overlap of two lines is cos^2, and each of the two adapters has half of the penalty.
    # d cos^2 / d(0.6, 0.8) = 2 * 0.6 * (1 - 0.36, -0.48) and, for the line along (1, 0), 2 * 0.6 * (0, 0.8).
    assert adapter.up.grad[1, 0, :2].tolist() == pytest.approx([0.6 * 0.64, 0.6 * -0.48])
    assert adapter.up.grad[0, 0, :2].tolist() == pytest.approx([0.0, 0.6 * 0.8])
    assert (adapter.up.grad[2] == 0).all()
    assert (adapter.up.grad * adapter.up).sum(dim=(1, 2)).tolist() == pytest.approx([0.0, 0.0, 0.0], abs=1e-6)


def test_at_the_start_value_and_gradient_are_zero_and_hardly_moved_languages_count_little(
    model: Transformer, make_moment: MakeMoment
) -> None:
    options = OrthogonalityOptions(weights="both", floor=0.01)
    result = penalty(make_moment(model), options, {})
    assert result.value.item() == 0.0
    result.value.backward()
    for adapter in model.adapters():
        for weights in (adapter.up, adapter.down):
            assert weights.grad is not None
            assert (weights.grad == 0).all()
    for language in (0, 1):
        # |S|^2 = 2 * (0.1^2)^2 for two rows of one entry each; the floor is 0.01 * 8 / sqrt(4) = 0.04.
        write(model, language, 0, 1, size=0.1)
    small = 2 * 0.1**4
    result = penalty(make_moment(model, **TWO), OrthogonalityOptions(floor=0.01), {})
    assert result.value.item() == pytest.approx(small / (small + 0.04**2))


def test_relatives_may_share(model: Transformer, make_moment: MakeMoment) -> None:
    for language in range(3):
        write(model, language, 0, 1)
    tags = {"evidence": {"tags": ("ces_Latn", "slk_Latn", "ell_Grek")}}
    relatives = (("ces_Latn", "slk_Latn", "pol_Latn"),)
    options = OrthogonalityOptions(floor=1e-9, relatives=relatives)
    assert penalty(make_moment(model, **TWO, **tags), options, {}).value.item() == 0.0
    others = make_moment(model, share=(0.5, 0.0, 0.5), **tags)
    assert penalty(others, options, {}).value.item() == pytest.approx(1.0)


def test_down_compares_what_has_moved_from_the_common_start(model: Transformer, make_moment: MakeMoment) -> None:
    with torch.no_grad():
        for adapter in model.adapters():
            adapter.down[0, 3] += 1
            adapter.down[1, 3] -= 2
            adapter.down[2, 5] += 1
    options = OrthogonalityOptions(weights="down", floor=1e-9)
    assert penalty(make_moment(model, **TWO), options, {}).value.item() == pytest.approx(1.0)
    apart = make_moment(model, share=(0.5, 0.0, 0.5))
    assert penalty(apart, options, {}).value.item() == pytest.approx(0.0, abs=1e-6)


def test_nothing_without_adapters_or_with_one_language(make_moment: MakeMoment, model: Transformer) -> None:
    bare = Transformer(ModelConfig(width=8, layers=2, heads=2, adapter=0), vocabulary=10, languages=3)
    assert penalty(make_moment(bare), OrthogonalityOptions(), {}).value.item() == 0.0
    write(model, 0, 0)
    alone = make_moment(model, share=(1.0, 0.0, 0.0))
    assert penalty(alone, OrthogonalityOptions(), {}).value.item() == 0.0


def test_a_language_has_one_group() -> None:
    with pytest.raises(ConfigurationError, match="ces_Latn is listed twice"):
        regularisers.check("orthogonality", {"relatives": [["ces_Latn", "slk_Latn"], ["ces_Latn"]]})
