"""A Marian model with fresh weights, and its folder as ``transformers`` saves one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from corpus.storage import Storage, write_errors
from trainer.translator.size import Shape
from trainer.translator.vocabulary import END, UNKNOWN, Vocabulary

_LEAST: Final = 1e-6
"""Keeps the logarithm of no attention finite."""
_QUIET: Final = 0.3
"""What is left of outputs that would cover what is copied."""


def build(
    shape: Shape,
    vocabulary: int,
    *,
    positions: int,
    dropout: float,
    attention_dropout: float,
    seed: int,
    guided: bool = False,
) -> Any:
    """A ``MarianMTModel`` with weights that the seed decides.

    Matrices and embeddings are drawn from a normal distribution of standard deviation 1/sqrt(dimensions): with
    embeddings scaled by sqrt(dimensions), as Marian has them, both inputs and shared output layer begin at a sound
    scale, which ``transformers``' default of 0.02 is not for narrow models.

    Args:
        shape: its measures.
        vocabulary: number of tokens, the last of which is ``<pad>``.
        positions: most tokens of a sentence.
        dropout: of layers' outputs.
        attention_dropout: of attention weights.
        seed: of the weights.
        guided: whether attention is looked at in training.
    """
    import transformers

    pad = vocabulary - 1
    config = transformers.MarianConfig(
        vocab_size=vocabulary,
        decoder_vocab_size=vocabulary,
        d_model=shape.dimensions,
        encoder_layers=shape.encoder_layers,
        decoder_layers=shape.decoder_layers,
        encoder_attention_heads=shape.heads,
        decoder_attention_heads=shape.heads,
        encoder_ffn_dim=shape.feed_forward,
        decoder_ffn_dim=shape.feed_forward,
        max_position_embeddings=positions,
        activation_function="relu",
        dropout=dropout,
        attention_dropout=attention_dropout,
        init_std=shape.dimensions**-0.5,
        scale_embedding=True,
        share_encoder_decoder_embeddings=True,
        tie_word_embeddings=True,
        pad_token_id=pad,
        eos_token_id=END,
        forced_eos_token_id=END,
        decoder_start_token_id=pad,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = transformers.MarianMTModel(config)
    if guided:
        model.set_attn_implementation("eager")  # the others do not say what they look at
    # A length for each sentence is given to every translation; the model's own answer to "how long" is not wanted.
    model.generation_config.max_length = None
    model.generation_config.bad_words_ids = [[pad]]
    return model


def embeddings_of(model: Any) -> Tensor:
    """The embeddings that both sides and the output share, [V, D]."""
    shared: Tensor = model.get_input_embeddings().weight
    return shared.detach()


@torch.no_grad()
def begin_with(model: Any, vectors: Tensor) -> None:
    """Put other embeddings in their place; that of padding stays zero."""
    table = model.get_input_embeddings().weight
    table[:-1] = vectors[:-1]


@torch.no_grad()
def begin_copying(model: Any, seed: int) -> None:
    """Let the decoder begin by writing what it looks at in the source.

    Of its attention to the source, what takes values is a rotation and what gives them out turns it back, so that a
    source token's vector arrives as it is, and the shared output layer makes the token of it. What would cover it, the
    outputs of attention to itself and of the feed-forward layers on both sides, begins small (as in T-Fixup, Huang et
    al. 2020, https://proceedings.mlr.press/v119/huang20f.html).

    Args:
        model: of :func:`build`.
        seed: of the rotations.
    """
    generator = torch.Generator().manual_seed(seed)
    for layer in model.model.decoder.layers:
        values = layer.encoder_attn.v_proj.weight
        rotation = torch.linalg.qr(torch.randn(values.shape, generator=generator))[0]
        values.copy_(rotation)
        layer.encoder_attn.out_proj.weight.copy_(rotation.T)
    for layer in (*model.model.encoder.layers, *model.model.decoder.layers):
        layer.self_attn.out_proj.weight.mul_(_QUIET)
        layer.fc2.weight.mul_(_QUIET)


def loss(
    model: nn.Module,
    sources: Tensor,
    targets: Tensor,
    *,
    pad: int,
    smoothing: float,
    hidden: tuple[float, float] = (0.0, 0.0),
    links: Tensor | None = None,
    guidance: float = 0.0,
) -> tuple[Tensor, int]:
    """Cross-entropy in nats, summed over the target tokens, and their number.

    Args:
        model: of :func:`build`.
        sources: ids padded with ``pad``, [N, S].
        targets: the same, [N, T].
        pad: id of padding, which also begins the decoder's input.
        smoothing: share of the probability that is spread over the vocabulary.
        hidden: shares of the tokens of sources and of the decoder's input that are shown as ``<unk>`` (word dropout,
            Gal and Ghahramani 2016, https://arxiv.org/abs/1512.05287); they are asked for all the same.
        links: source tokens that each target token should look at, [N, T, S]; None, or no True, for anywhere.
        guidance: weight of the negative logarithm of the attention that the first head of each decoder layer gives to
            them, in the first of several layers to those of the token before; a mean over the layers and a sum over
            the tokens that have any.
    """
    given = torch.cat([torch.full_like(targets[:, :1], pad), targets[:, :-1]], dim=1)
    mask, real = (sources != pad).long(), targets != pad
    sources, given = (_hide(ids, share, pad) for ids, share in zip((sources, given), hidden, strict=True))
    made = model(
        input_ids=sources,
        attention_mask=mask,
        decoder_input_ids=given,
        use_cache=False,
        output_attentions=links is not None,
    )
    logits = made.logits
    # Only the rows of real tokens: the vocabulary is the widest thing here.
    total = nn.functional.cross_entropy(logits[real].float(), targets[real], reduction="sum", label_smoothing=smoothing)
    if links is not None and guidance:
        # Where the word before comes from, a layer can look up by what it is; where the next one comes from, only
        # those above it can know.
        before = torch.cat([torch.zeros_like(links[:, :1]), links[:, :-1]], dim=1)
        layers = len(made.cross_attentions)
        for number, attention in enumerate(made.cross_attentions):
            wanted = before if number == 0 and layers > 1 else links
            mass = (attention[:, 0].float() * wanted).sum(dim=2)[wanted.any(dim=2)]
            total = total - guidance / layers * torch.log(mass + _LEAST).sum()
    return total, int(real.sum())


def _hide(ids: Tensor, share: float, pad: int) -> Tensor:
    """Ids of which a share is ``<unk>``; never padding, the end, or the first, which may ask for the target."""
    if not share:
        return ids
    chosen = (torch.rand(ids.shape, device=ids.device) < share) & (ids != pad) & (ids != END)
    chosen[:, 0] = False
    return ids.masked_fill(chosen, UNKNOWN)


def save_folder(model: Any, vocabulary: Vocabulary, folder: Path, languages: tuple[list[str], list[str]]) -> None:
    """Write the model as ``transformers`` reads it: safetensors, configurations, the tokenizer's files.

    Args:
        model: of :func:`build`.
        vocabulary: its own.
        folder: to write into; made if need be.
        languages: tags of its sources and of its targets.
    """
    with write_errors(str(folder)), _quiet():
        model.save_pretrained(folder)
    vocabulary.write(folder)
    sources, targets = languages
    settings = {
        "tokenizer_class": "MarianTokenizer",
        "source_lang": sources[0] if len(sources) == 1 else "mul",
        "target_lang": targets[0] if len(targets) == 1 else "mul",
        "model_max_length": model.config.max_position_embeddings,
        "separate_vocabs": False,
        "unk_token": "<unk>",
        "eos_token": "</s>",
        "pad_token": "<pad>",
    }
    Storage(folder).write_bytes("tokenizer_config.json", (json.dumps(settings, indent=1) + "\n").encode())


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bar of the library: one file takes no time."""
    from transformers.utils import logging as untyped

    logging: Any = untyped
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
