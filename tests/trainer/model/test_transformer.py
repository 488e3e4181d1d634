from __future__ import annotations

import pytest
import torch

from trainer.config import ModelConfig
from trainer.model.language_model import token_languages
from trainer.model.noise import Noise, drop, kept_rows
from trainer.model.transformer import Inputs, RMSNorm, Transformer, parameter_count

SMALL = ModelConfig(width=32, layers=2, heads=2)


def make(config: ModelConfig = SMALL, languages: int = 3) -> Transformer:
    torch.manual_seed(0)
    return Transformer(config, vocabulary=50, languages=languages)


def inputs(tokens: list[list[int]], segments: list[list[int]], *, bidirectional: bool = False) -> Inputs:
    ids, parts = torch.tensor(tokens), torch.tensor(segments, dtype=torch.int32)
    positions = torch.zeros_like(parts)
    for row in range(len(tokens)):
        for column in range(1, len(tokens[0])):
            if parts[row, column] == parts[row, column - 1]:
                positions[row, column] = positions[row, column - 1] + 1
    rows = len(tokens)
    return Inputs(
        ids,
        parts,
        positions,
        torch.zeros(rows, dtype=torch.long),
        torch.full((rows,), bidirectional),
        torch.arange(ids.numel()),
    )


def test_shapes() -> None:
    batch = inputs([[1, 2, 3, 4]] * 3, [[0, 0, 0, 0]] * 3)
    outputs = make()(batch._replace(select=torch.tensor([0, 5])))
    assert outputs.hidden.shape == (3, 4, 32)
    assert outputs.logits.shape == (2, 50)


def test_at_the_start_the_model_equals_its_core() -> None:
    batch = inputs([[1, 2, 3, 4], [5, 6, 7, 8]], [[0, 0, 1, 1], [0, 0, 0, 0]])
    whole = make()
    core = make(SMALL.model_copy(update={"adapter": 0}))
    core.load_state_dict({name: value for name, value in whole.state_dict().items() if ".adapter." not in name})
    assert len(whole.adapters()) == 2
    assert core.adapters() == []
    assert torch.equal(whole(batch).logits, core(batch).logits)


def test_later_tokens_are_not_seen_unless_the_row_is_bidirectional() -> None:
    model = make()
    for bidirectional in (False, True):
        before = model(inputs([[1, 2, 3, 4]], [[0, 0, 0, 0]], bidirectional=bidirectional)).hidden[0]
        after = model(inputs([[1, 2, 3, 9]], [[0, 0, 0, 0]], bidirectional=bidirectional)).hidden[0]
        assert torch.equal(before[:3], after[:3]) is not bidirectional


@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_packed_document_is_computed_as_if_alone(bidirectional: bool) -> None:
    model = make()
    packed = model(inputs([[1, 2, 3, 4, 5, 0]], [[0, 0, 1, 1, 1, -1]], bidirectional=bidirectional)).hidden[0]
    first = model(inputs([[1, 2]], [[0, 0]], bidirectional=bidirectional)).hidden[0]
    second = model(inputs([[3, 4, 5]], [[0, 0, 0]], bidirectional=bidirectional)).hidden[0]
    torch.testing.assert_close(packed[:5], torch.cat((first, second)))
    assert torch.isfinite(packed).all()


def test_order_matters() -> None:
    model = make()
    one = model(inputs([[1, 2, 3]], [[0, 0, 0]])).hidden[0, -1]
    other = model(inputs([[2, 1, 3]], [[0, 0, 0]])).hidden[0, -1]
    assert not torch.allclose(one, other, atol=1e-3)


def test_embeddings_are_tied_and_counted_once() -> None:
    model = make(SMALL.model_copy(update={"adapter": 0, "qk_norm": False}))
    block = 32 * 96 + 32 * 32 + 2 * 32 * 128 + 2 * 32
    assert parameter_count(model) == 50 * 32 + 2 * block + 2 * 32


def test_bfloat16_comes_close_to_float32() -> None:
    model = make()
    batch = inputs([[1, 2, 3, 4]], [[0, 0, 0, 0]])
    exact = model(batch).logits
    with torch.autocast("cpu", torch.bfloat16):
        rounded = model(batch).logits.float()
    assert not torch.equal(rounded, exact)
    torch.testing.assert_close(rounded, exact, atol=0.03, rtol=0.05)


@pytest.mark.parametrize(
    "changes", [{"norm_gains": True}, {"gate": "static"}, {"gate": "input"}, {"adapter_power": 0.5}]
)
def test_what_languages_have_of_their_own_begins_as_if_it_were_not_there(changes: dict[str, object]) -> None:
    batch = inputs([[1, 2, 3, 4], [5, 6, 7, 8]], [[0, 0, 1, 1], [0, 0, 0, 0]])
    core = make(SMALL.model_copy(update={"adapter": 0}))
    own = make(SMALL.model_copy(update=changes))
    missing = own.load_state_dict(core.state_dict(), strict=False).missing_keys
    assert all(".adapter." in name or name.endswith(".own") for name in missing)
    assert torch.equal(own(batch).logits, core(batch).logits)


def test_gains_are_of_the_language_of_each_row() -> None:
    norm = RMSNorm(2, languages=2)
    with torch.no_grad():
        assert norm.own is not None
        norm.own[1] = torch.tensor([1.0, -0.5])
    x = torch.ones(3, 1, 2)
    assert norm(x, torch.tensor([0, 1, -1]))[:, 0].tolist() == [
        pytest.approx([1.0, 1.0], abs=1e-5),
        pytest.approx([2.0, 0.5], abs=1e-5),
        pytest.approx([1.0, 1.0], abs=1e-5),
    ]


@pytest.mark.parametrize(("scaling", "size"), [("norm", 1.0), ("sqrt", 0.02 * 32**0.5), ("none", 0.02)])
def test_size_of_the_embeddings(scaling: str, size: float) -> None:
    model = make(SMALL.model_copy(update={"embedding_scaling": scaling}))
    vectors = model.embed(torch.arange(50)[None])
    assert vectors.square().mean().sqrt().item() == pytest.approx(size, rel=0.05)


def test_dropout_is_at_the_rate_of_the_row() -> None:
    torch.manual_seed(0)
    x = torch.ones(3, 100, 50)
    found = drop(x, torch.tensor([0.0, 0.2, 0.5]))
    assert torch.equal(found[0], x[0])
    assert (found[1] == 0).float().mean().item() == pytest.approx(0.2, abs=0.02)
    assert found[1].max().item() == pytest.approx(1.25)
    assert found[2].mean().item() == pytest.approx(1.0, abs=0.05)
    assert drop(x, None) is x


def test_blocks_are_left_out_for_as_many_rows_as_the_rate_says() -> None:
    assert kept_rows(8, 0.0, torch.device("cpu")) is None
    kept = kept_rows(8, 0.25, torch.device("cpu"))
    assert kept is not None
    assert len(kept) == 6
    assert kept.tolist() == sorted(set(kept.tolist()))
    assert len(kept_rows(2, 0.99, torch.device("cpu")) or []) == 1

    model = make()
    batch = inputs([[row + 1, row + 2, row + 3] for row in range(8)], [[0, 0, 0]] * 8)
    whole = model(batch).hidden
    torch.manual_seed(1)
    part = model(batch, Noise(None, (0.0, 0.5))).hidden
    same = [torch.allclose(whole[row], part[row], atol=1e-5) for row in range(8)]
    assert same == [False] * 8  # half lack the last block, in half it counts twice
    first = model.blocks[0]
    model.blocks = torch.nn.ModuleList([first])
    torch.manual_seed(1)
    kept = kept_rows(8, 0.5, torch.device("cpu"))
    without = model(batch).hidden
    same = [torch.allclose(without[row], part[row], atol=1e-5) for row in range(8)]
    assert kept is not None
    assert [row for row in range(8) if not same[row]] == kept.tolist()


def test_vectors_between_blocks_are_kept_when_asked_for() -> None:
    model = make()
    batch = inputs([[1, 2, 3], [4, 5, 6]], [[0, 0, 0]] * 2)
    plain = model(batch)
    assert dict(plain.inner) == {}
    for noise in (Noise(None, ()), Noise(None, (0.0, 0.5))):
        kept = model(batch, noise, keep=(1,))
        assert set(kept.inner) == {1}
        assert kept.inner[1].shape == (2, 3, 32)
        assert torch.equal(model.final_norm(kept.inner[1]), kept.hidden)
    both = model(batch, keep=(0, 1))
    assert torch.equal(both.logits, plain.logits)
    model.blocks = model.blocks[:1]
    assert torch.equal(model.final_norm(both.inner[0]), model(batch).hidden)


def test_languages_of_tokens() -> None:
    batch = inputs([[1, 2, 3], [4, 5, 6]], [[0, 0, 0]] * 2)
    assert token_languages(batch._replace(languages=torch.tensor([2, -1]))).tolist() == [[2, 2, 2], [-1, -1, -1]]
    mixed = torch.tensor([[0, 0, 1], [1, 2, -1]])
    assert torch.equal(token_languages(batch._replace(languages=mixed)), mixed)


@pytest.mark.parametrize(
    "changes", [{}, {"norm_gains": True}, {"gate": "static"}, {"gate": "input"}, {"adapter_power": 0.5}]
)
def test_documents_of_several_languages_in_a_row_are_computed_as_in_rows_of_their_own(
    changes: dict[str, object],
) -> None:
    model = make(SMALL.model_copy(update=changes))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith((".up", ".own", ".gate_bias", ".gate_weight")):
                parameter.normal_()
    tokens = [[1, 2, 3, 4, 5, 6], [7, 8, 9, 1, 2, 3]]
    segments = [[0, 0, 1, 1, 2, 2], [0, 0, 0, 0, 1, 1]]
    spoken = torch.tensor([[0, 0, 2, 2, -1, -1], [1, 1, 1, 1, 0, 0]])
    found = model(inputs(tokens, segments)._replace(languages=spoken), keep=(0,))
    for row in range(2):
        for language in set(spoken[row].tolist()):
            alone = model(
                inputs([tokens[row]], [segments[row]])._replace(languages=torch.tensor([language])), keep=(0,)
            )
            own = spoken[row] == language
            torch.testing.assert_close(found.hidden[row][own], alone.hidden[0][own], atol=1e-5, rtol=1e-5)
            torch.testing.assert_close(found.inner[0][row][own], alone.inner[0][0][own], atol=1e-5, rtol=1e-5)


def test_blocks_are_left_out_of_mixed_rows_too() -> None:
    model = make()
    with torch.no_grad():
        for adapter in model.adapters():
            adapter.up.normal_()
    batch = inputs([[1, 2, 3], [4, 5, 6], [7, 8, 9], [1, 3, 5]], [[0, 0, 0]] * 4)
    rows, noise = torch.tensor([0, 2, -1, 1]), Noise(torch.tensor([0.0, 0.3, 0.1, 0.2]), (0.5, 0.5))
    torch.manual_seed(1)
    by_row = model(batch._replace(languages=rows), noise).hidden
    torch.manual_seed(1)
    assert noise.dropout is not None
    spread = Noise(noise.dropout[:, None].expand(-1, 3), noise.depth)
    by_token = model(batch._replace(languages=rows[:, None].expand(-1, 3)), spread).hidden
    torch.testing.assert_close(by_token, by_row, atol=1e-5, rtol=1e-5)


def test_dropout_is_at_the_rate_of_the_token() -> None:
    torch.manual_seed(0)
    found = drop(torch.ones(1, 2, 5000), torch.tensor([[0.0, 0.5]]))
    assert (found[0, 0] == 1).all()
    assert (found[0, 1] == 0).float().mean().item() == pytest.approx(0.5, abs=0.03)
