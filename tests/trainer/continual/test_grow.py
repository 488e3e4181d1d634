from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trainer.build import build_model
from trainer.config import ModelConfig
from trainer.continual.grow import digest, grow, old_part
from trainer.model.language_model import LanguageModel
from trainer.optimiser.own_rows import language_rows

CONFIG = ModelConfig(width=8, layers=1, heads=2, gate="static", norm_gains=True, adapter_power=0.5)


def trained(languages: int, seed: int = 0) -> LanguageModel:
    """A model none of whose tensors is at its start."""
    torch.manual_seed(seed)
    model = build_model(CONFIG, 20, languages, [100 >> number for number in range(languages)])
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter))
    return model


def larger(languages: int, vocabulary: int = 20) -> LanguageModel:
    torch.manual_seed(1)
    return build_model(CONFIG, vocabulary, languages, [100] * (languages - 1) + [25])


def test_which_tensors_have_a_row_for_each_language() -> None:
    assert language_rows(trained(2)) == {
        "blocks.0.attention_norm.own",
        "blocks.0.feedforward_norm.own",
        "blocks.0.adapter.down",
        "blocks.0.adapter.up",
        "blocks.0.adapter.gate_bias",
        "blocks.0.adapter.usable",
    }


def test_a_new_language_starts_from_the_core_or_from_the_mean_of_its_relatives() -> None:
    old = trained(2)
    tensors = old.state_dict()
    new = larger(4)
    grow(tensors, new, ["eng", "swh"], ["afr", "eng", "swh", "zul"], {"afr": ("eng", "swh")})
    adapter = new.blocks[0].adapter
    before = old.blocks[0].adapter
    assert torch.equal(adapter.down[3], before.prior)
    assert torch.equal(adapter.up[3], torch.zeros_like(adapter.up[3]))
    assert adapter.gate_bias[3].item() == 3.0
    assert torch.equal(adapter.up[0], before.up.mean(dim=0))
    assert adapter.gate_bias[0].item() == pytest.approx(before.gate_bias.mean().item())
    assert torch.equal(adapter.prior, before.prior)
    assert adapter.usable.sum(dim=1)[[0, 3]].tolist() == [2, 1]  # by text: 100 and 25 of the largest's 100


@given(st.permutations(["a", "b", "c", "d"]), st.integers(1, 3))
def test_the_old_model_inside_the_new_one_is_the_old_one(order: list[str], count: int) -> None:
    before = [lang for lang in ("b", "d", "a") if lang in order][:count]
    old = trained(len(before)).state_dict()
    new = larger(4, 23)
    grow(old, new, before, order, {"c": (before[0],)}, torch.ones(3, 8))
    inside = old_part(new.state_dict(), language_rows(new), order, before, 20)
    assert digest(inside) == digest(old)
    assert torch.equal(new.embedding.weight[20:], torch.ones(3, 8))


def test_a_digest_tells_one_bit_and_another_shape() -> None:
    value = torch.tensor([1.0, 2.0])
    other = torch.tensor([1.0, 2.0 + 2**-22])
    assert digest({"a": value}) == digest({"a": value.clone()})
    assert len({digest({"a": part}) for part in (value, other, value[:, None])} | {digest({"b": value})}) == 4


def test_deviation_of_a_new_language_counts_from_where_it_starts() -> None:
    adapter = larger(3).blocks[0].adapter
    with torch.no_grad():
        adapter.up[1:] = 0.5
        adapter.down[2] += 1.0
    adapter.start_from(torch.tensor([False, False, True]))
    far = 0.25 * 2 * 8 * 2  # squared, over [bottleneck, width], times the bottleneck
    assert adapter.deviation().tolist() == pytest.approx([0.0, far, 0.0])
    with torch.no_grad():
        adapter.up[2] = 0.0
    assert adapter.deviation().tolist() == pytest.approx([0.0, far, far])
