from __future__ import annotations

import pytest
import torch

from trainer.adapters import LanguageAdapter


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
