from __future__ import annotations

import pytest
import torch

from trainer.model.adapters import LanguageAdapter, capacities


@pytest.fixture
def adapter() -> LanguageAdapter:
    torch.manual_seed(0)
    return LanguageAdapter(languages=3, width=8, bottleneck=4)


def test_starts_as_the_identity(adapter: LanguageAdapter) -> None:
    x = torch.randn(5, 7, 8)
    assert torch.equal(adapter(x, torch.tensor([0, 1, 2, 0, -1])), x)
    assert adapter.deviation().tolist() == [0.0, 0.0, 0.0]


def test_each_row_is_adapted_by_its_language(adapter: LanguageAdapter) -> None:
    with torch.no_grad():
        adapter.up.normal_()
        adapter.down.normal_()
    x = torch.randn(4, 7, 8)
    languages = torch.tensor([2, 0, -1, 2])
    together = adapter(x, languages)
    for row, lang in enumerate(languages.tolist()):
        normed = adapter.norm(x[row])
        added = torch.nn.functional.gelu(normed @ adapter.down[lang]) @ adapter.up[lang]
        torch.testing.assert_close(together[row], x[row] + added if lang >= 0 else x[row])


def test_only_languages_of_the_batch_are_moved(adapter: LanguageAdapter) -> None:
    adapter(torch.randn(2, 7, 8), torch.tensor([1, -1])).square().sum().backward()
    assert adapter.up.grad is not None
    assert [bool(adapter.up.grad[lang].any()) for lang in range(3)] == [False, True, False]


def test_deviation_is_in_units_of_the_prior_variance(adapter: LanguageAdapter) -> None:
    with torch.no_grad():
        adapter.up[1] += 0.5  # 4 * 8 weights, each with variance 1/4
        adapter.down[2] += 0.5  # 8 * 4 weights, each with variance 1/8
    assert adapter.deviation().tolist() == pytest.approx([0.0, 32 * 0.25 * 4, 32 * 0.25 * 8])


def test_gates_scale_the_path_of_their_language() -> None:
    torch.manual_seed(0)
    static = LanguageAdapter(languages=2, width=8, bottleneck=4, gate="static")
    plain = LanguageAdapter(languages=2, width=8, bottleneck=4)
    with torch.no_grad():
        plain.down.copy_(static.down)
        plain.up.normal_()
        static.up.copy_(plain.up)
        assert static.gate_bias is not None
        static.gate_bias.copy_(torch.tensor([0.0, -30.0]))
    x = torch.randn(2, 5, 8)
    languages = torch.tensor([0, 1])
    path = plain(x, languages) - x
    found = static(x, languages) - x
    torch.testing.assert_close(found[0], path[0] / 2)
    torch.testing.assert_close(found[1], torch.zeros_like(found[1]))
    openness = static.openness()
    assert openness is not None
    assert openness.tolist() == pytest.approx([0.5, 0.0], abs=1e-6)
    assert plain.openness() is None


def test_input_gates_decide_token_by_token() -> None:
    torch.manual_seed(0)
    adapter = LanguageAdapter(languages=1, width=8, bottleneck=4, gate="input")
    x = torch.randn(1, 5, 8)
    normed = adapter.norm(x)
    index = torch.tensor([0])
    start = adapter.gate(normed, index)
    assert start is not None
    assert start.flatten().tolist() == pytest.approx([torch.tensor(3.0).sigmoid().item()] * 5)
    with torch.no_grad():
        assert adapter.gate_weight is not None
        adapter.gate_weight.copy_(torch.arange(8.0))
    gate = adapter.gate(normed, index)
    assert gate is not None
    expected = (3 + (normed[0] * torch.arange(8.0)).sum(-1)).sigmoid()
    torch.testing.assert_close(gate.flatten(), expected)


def test_a_language_uses_the_dimensions_it_was_given() -> None:
    torch.manual_seed(0)
    adapter = LanguageAdapter(languages=2, width=8, bottleneck=4, capacities=[4, 1])
    with torch.no_grad():
        adapter.up.normal_()
    adapter(torch.randn(2, 5, 8), torch.tensor([0, 1])).square().sum().backward()
    assert adapter.up.grad is not None
    used = adapter.up.grad.abs().sum(dim=2) > 0
    assert used.tolist() == [[True] * 4, [True, False, False, False]]


def test_capacity_by_the_amount_of_text() -> None:
    assert capacities([10_000, 2_500, 1, 0], 32, 0.5) == [32, 16, 1, 1]
    assert capacities([10_000, 2_500], 32, 0.0) == [32, 32]
    assert capacities([], 32, 0.5) == []
