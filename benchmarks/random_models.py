"""Translation models with random weights, of any shape: as fast as trained ones, and made in a second without torch.

Their text is noise. What ends a sentence is a constant on the end's logit, so outputs end at different lengths.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.translation.card import ModelCard, hash_files, write_card


def random_marian(
    folder: Path | str,
    texts: Sequence[str],
    pairs: Sequence[tuple[str, str]],
    *,
    name: str = "random",
    width: int = 32,
    layers: int = 2,
    heads: int = 4,
    vocabulary: int = 200,
    pieces: int | None = None,
    positions: int = 512,
    quantisation: str | None = "int8",
    end: float = 0.0,
    seed: int = 0,
    codes: dict[str, str] | None = None,
) -> ModelCard:
    """Make a model folder of the Marian family.

    Args:
        folder: where to.
        texts: the SentencePiece model is trained on them.
        pairs: directions on the card.
        name: on the card.
        width: of the model; its feed-forward layers are four times as wide.
        layers: of the encoder and of the decoder.
        heads: of attention.
        vocabulary: of the model; what the texts do not give is filled up with pieces that never occur in a source.
        pieces: that are trained on the texts; None: as many as the vocabulary.
        positions: most tokens of a sentence.
        quantisation: of the weights that are stored; None: float32.
        end: added to the logit of the end of a sentence.
        seed: of the weights.
        codes: tag -> code, for several targets; their tokens ``>>code<<`` join the vocabulary.

    Returns:
        The model's card.
    """
    import ctranslate2
    from ctranslate2.specs import transformer_spec

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tokens = [*train_pieces(folder, texts, pieces or vocabulary), *(f">>{code}<<" for code in (codes or {}).values())]
    tokens += [f"filler{index}" for index in range(vocabulary - len(tokens))]
    spec = transformer_spec.TransformerSpec.from_config(
        (layers, layers), heads, pre_norm=False, activation=ctranslate2.specs.Activation.SWISH
    )
    spec.decoder.start_from_zero_embedding = True
    generator = np.random.default_rng(seed)
    embeddings = _noise(generator, len(tokens), width)
    for side in (spec.encoder, spec.decoder):
        side.scale_embeddings = True
        side.position_encodings.encodings = _sinusoids(positions, width)
        for layer in side.layer:
            _fill_layer(layer, generator, width)
    spec.encoder.embeddings[0].weight = spec.decoder.embeddings.weight = embeddings
    # Not the embeddings, as trained models have it: noise would repeat its last piece for ever.
    spec.decoder.projection.weight = 3 * _noise(generator, len(tokens), width)
    bias = np.zeros(len(tokens), dtype=np.float32)
    bias[tokens.index("</s>")], bias[tokens.index("<unk>")] = end, -20.0  # trained models hardly ever give <unk>
    spec.decoder.projection.bias = bias
    spec.register_source_vocabulary(tokens)
    spec.register_target_vocabulary(tokens)
    spec.config.decoder_start_token = "</s>"
    spec.validate()
    parameters = sum(value.size for value in spec.variables().values() if isinstance(value, np.ndarray))
    spec.optimize(quantization=quantisation)
    spec.save(str(folder))
    card = ModelCard(
        name=name,
        family="marian",
        revision=f"{seed}",
        licence="CC0-1.0",
        pairs=tuple(pairs),
        codes=codes or {},
        quantisation=quantisation or "float32",
        files=hash_files(folder),
        parameters=parameters,
        max_positions=positions,
        made_of="random weights, for tests and measurements of speed",
    )
    write_card(folder, card)
    return card


def train_pieces(folder: Path, texts: Sequence[str], vocabulary: int) -> list[str]:
    """Train a SentencePiece model for both sides and give its pieces."""
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts), model_writer=model, vocab_size=vocabulary, hard_vocab_limit=False, num_threads=1,
        character_coverage=1.0, bos_id=-1, pad_id=-1, eos_id=0, unk_id=1, minloglevel=2,
    )  # fmt: skip
    for side in ("source.spm", "target.spm"):
        (folder / side).write_bytes(model.getvalue())
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    return [processor.id_to_piece(index) for index in range(processor.get_piece_size())]


def _fill_layer(layer: Any, generator: np.random.Generator, width: int) -> None:
    _fill_linears(layer.self_attention, generator, [(3 * width, width), (width, width)])
    if hasattr(layer, "attention"):
        _fill_linears(layer.attention, generator, [(width, width), (2 * width, width), (width, width)])
    for linear, shape in ((layer.ffn.linear_0, (4 * width, width)), (layer.ffn.linear_1, (width, 4 * width))):
        linear.weight, linear.bias = _noise(generator, *shape), _noise(generator, shape[0], 1)[:, 0]
    _fill_norm(layer.ffn.layer_norm, width)


def _fill_linears(attention: Any, generator: np.random.Generator, shapes: Sequence[tuple[int, int]]) -> None:
    for linear, shape in zip(attention.linear, shapes, strict=True):
        linear.weight, linear.bias = _noise(generator, *shape), _noise(generator, shape[0], 1)[:, 0]
    _fill_norm(attention.layer_norm, width=shapes[0][1])


def _fill_norm(norm: Any, width: int) -> None:
    norm.gamma, norm.beta = np.ones(width, dtype=np.float32), np.zeros(width, dtype=np.float32)


def _noise(generator: np.random.Generator, rows: int, columns: int) -> np.ndarray[Any, Any]:
    drawn: np.ndarray[Any, Any] = generator.standard_normal((rows, columns), dtype=np.float32)
    return drawn / np.float32(max(columns, 16) ** 0.5)


def _sinusoids(positions: int, width: int) -> np.ndarray[Any, Any]:
    angles = np.arange(positions)[:, None] / 10_000 ** (np.arange(0, width, 2)[None, :] / width)
    waves: np.ndarray[Any, Any] = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
    return waves.astype(np.float32)
