"""Models of ``transformers`` with random weights, made on the spot from their configurations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from trainer.model.language_model import Inputs

VOCABULARY = 261
SIZES: dict[str, Any] = {
    "vocab_size": VOCABULARY, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
    "intermediate_size": 24,
}  # fmt: skip
ENCODER = {**SIZES, "max_position_embeddings": 66, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
BASES: dict[str, tuple[str, dict[str, Any]]] = {
    "xlm-roberta": ("masked", {**ENCODER, "pad_token_id": 1, "type_vocab_size": 1, "layer_norm_eps": 1e-5}),
    "bert": ("masked", ENCODER),
    "electra": ("masked", {**ENCODER, "embedding_size": 8}),
    "distilbert": (
        "masked",
        {"vocab_size": VOCABULARY, "dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 24, "dropout": 0.0},
    ),
    "modernbert": ("masked", {**SIZES, "local_attention": 6, "global_attn_every_n_layers": 2, "pad_token_id": 0}),
    "llama": ("causal", {**SIZES, "max_position_embeddings": 64}),
    "qwen2": ("causal", {**SIZES, "num_key_value_heads": 1, "tie_word_embeddings": True}),
    "mistral": ("causal", {**SIZES, "num_key_value_heads": 1, "sliding_window": 3}),
    "gemma2": ("causal", {**SIZES, "num_key_value_heads": 1, "head_dim": 8, "sliding_window": 4}),
    "gpt_neox": ("causal", {**SIZES, "max_position_embeddings": 64}),
    "gpt2": ("causal", {"vocab_size": VOCABULARY, "n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 64,
                        "resid_pdrop": 0.0, "attn_pdrop": 0.0, "embd_pdrop": 0.0}),
}  # fmt: skip
"""Kind and settings by type of model."""

MakeBase = Callable[[str], Path]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes ``base_name`` for every type of model."""
    given = [mark for mark in metafunc.definition.iter_markers("parametrize") if "base_name" in mark.args[0]]
    if "base_name" in metafunc.fixturenames and not given:
        metafunc.parametrize("base_name", list(BASES))


@pytest.fixture(scope="session")
def kinds() -> dict[str, str]:
    """Whether each type of model fills masks or predicts the next token."""
    return {name: kind for name, (kind, _) in BASES.items()}


@pytest.fixture(scope="session")
def make_base(tmp_path_factory: pytest.TempPathFactory) -> MakeBase:
    """A function that writes a model of a type as ``save_pretrained`` does and gives its folder."""
    made: dict[str, Path] = {}

    def make(name: str) -> Path:
        if name not in made:
            kind, settings = BASES[name]
            torch.manual_seed(7)
            auto = transformers.AutoModelForMaskedLM if kind == "masked" else transformers.AutoModelForCausalLM
            model = auto.from_config(transformers.AutoConfig.for_model(name, **settings), dtype=torch.float32)
            for value in model.parameters():  # larger than at a usual start, so that nothing is negligible
                value.data += 0.2 * torch.randn_like(value)
            made[name] = tmp_path_factory.mktemp(name)
            transformers.utils.logging.disable_progress_bar()
            model.save_pretrained(made[name])
        return made[name]

    return make


@pytest.fixture
def packed() -> Callable[..., Inputs]:
    """A function that gives two equal rows of several documents, all but the first token of each predicted, or, in
    masked rows, every third."""
    return _packed


def _packed(kind: str, lengths: tuple[int, ...] = (7, 5)) -> Inputs:
    generator = torch.Generator().manual_seed(3)
    length = sum(lengths)
    tokens = torch.randint(10, VOCABULARY, (2, length), generator=generator)
    segments = torch.tensor([number for number, size in enumerate(lengths) for _ in range(size)], dtype=torch.int32)
    positions = torch.cat([torch.arange(size) for size in lengths]).int()
    row = torch.tensor([at for at in range(length) if positions[at] > 0]) - 1
    if kind == "masked":
        row = row[::3]
        tokens[:, row + 1] = 4
    return Inputs(
        tokens=tokens,
        segments=segments.repeat(2, 1),
        positions=positions.repeat(2, 1),
        languages=torch.tensor([1, 0]),
        bidirectional=torch.full((2,), kind == "masked"),
        select=torch.cat([row, row + length]),
    )
