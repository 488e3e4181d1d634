from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.model import grouping
from trainer.model.adapters import LanguageAdapter
from trainer.model.grouping import group, grouped_product


def test_tokens_are_sorted_by_language_and_put_back() -> None:
    found = group(torch.tensor([[2, 0, 2], [-1, 1, 0]]), 4)
    assert found.order.tolist() == [1, 3, 5, 4, 0, 2]
    assert found.languages.tolist() == [0, 0, 0, 1, 2, 2]
    assert found.known.flatten().tolist() == [True, False, True, True, True, True]
    assert found.ends.tolist() == [3, 4, 6, 6]
    x = torch.arange(6.0).view(2, 3, 1)
    assert found.sort(x).flatten().tolist() == [1, 3, 5, 4, 0, 2]
    assert torch.equal(found.unsort(found.sort(x), 2), x)


def test_gradients_go_back_to_their_tokens() -> None:
    found = group(torch.tensor([[1, 0, 1, 0]]), 2)
    x = torch.zeros(1, 4, 1, requires_grad=True)
    (found.sort(x) * torch.tensor([[1.0], [2], [3], [4]])).sum().backward()
    assert x.grad is not None
    assert x.grad.flatten().tolist() == [3, 1, 4, 2]


@pytest.mark.parametrize("way", ["grouped", "split"])
@pytest.mark.parametrize(("inputs", "outputs"), [(4, 8), (3, 5), (6, 1)])
def test_each_group_is_multiplied_with_its_matrix(
    way: str, inputs: int, outputs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == "split":
        monkeypatch.setattr(grouping, "_grouped_mm", None)
    torch.manual_seed(0)
    x, weights = torch.randn(7, inputs, requires_grad=True), torch.randn(4, inputs, outputs, requires_grad=True)
    found = grouped_product(x, weights, torch.tensor([3, 3, 6, 7], dtype=torch.int32))
    expected = torch.cat((x[:3] @ weights[0], x[3:6] @ weights[2], x[6:] @ weights[3]))
    torch.testing.assert_close(found, expected)
    pull = torch.randn_like(found)
    gradients = torch.autograd.grad(found, (x, weights), pull)
    for one, other in zip(gradients, torch.autograd.grad(expected, (x, weights), pull), strict=True):
        torch.testing.assert_close(one, other)
    assert not gradients[1][1].any()


def test_autocast_is_followed() -> None:
    x, weights = torch.randn(6, 8), torch.randn(2, 8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        found = grouped_product(x, weights, torch.tensor([2, 6], dtype=torch.int32))
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found[:2].float(), x[:2] @ weights[0], atol=0.1, rtol=0.05)


@st.composite
def batches(draw: st.DrawFn) -> tuple[list[int], int, int, int, str, bool]:
    count = draw(st.integers(1, 5))
    rows = draw(st.lists(st.integers(-1, count - 1), min_size=1, max_size=6))
    gate = draw(st.sampled_from(["none", "static", "input"]))
    return rows, count, draw(st.integers(1, 9)), draw(st.integers(1, 9)), gate, draw(st.booleans())


@settings(max_examples=60, deadline=None)
@given(batches())
def test_rows_of_one_language_are_adapted_alike_row_by_row_and_sorted(
    drawn: tuple[list[int], int, int, int, str, bool],
) -> None:
    rows, count, length, bottleneck, gate, capacities = drawn
    torch.manual_seed(len(rows) * 100 + length)
    adapter = LanguageAdapter(
        count, 8, bottleneck, gate, [1 + number % bottleneck for number in range(count)] if capacities else None
    )
    with torch.no_grad():
        for parameter in (adapter.up, adapter.gate_bias, adapter.gate_weight):
            if parameter is not None:
                parameter.normal_()
    languages = torch.tensor(rows)
    x = torch.randn(len(rows), length, 8, requires_grad=True)
    trained = [parameter for parameter in adapter.parameters() if parameter.requires_grad]

    def run(groups: grouping.Groups | None, spoken: torch.Tensor) -> list[torch.Tensor]:
        found = adapter(x, spoken, groups)
        pull = torch.linspace(-1, 1, found.numel()).view_as(found)
        return [found, *torch.autograd.grad(found, [x, *trained], pull)]

    tokens = languages[:, None].expand(-1, length)
    # The row-by-row way is asked for by name: which one is taken otherwise depends on the sizes.
    adapter.groups = lambda spoken, length: None  # type: ignore[method-assign]
    by_row = run(None, languages)
    by_group = run(group(tokens, count), tokens)
    for one, other in zip(by_row, by_group, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)
    assert torch.equal(by_group[0][languages < 0], x[languages < 0])


def test_weights_larger_than_the_vectors_they_are_for_are_not_copied() -> None:
    adapter = LanguageAdapter(languages=3, width=8, bottleneck=4)
    rows = torch.tensor([0, 2])
    assert adapter.groups(rows, 4) is None
    short = adapter.groups(rows, 3)
    assert short is not None
    assert short.ends.tolist() == [3, 3, 6]
    mixed = adapter.groups(rows[:, None].expand(-1, 100), 100)
    assert mixed is not None
