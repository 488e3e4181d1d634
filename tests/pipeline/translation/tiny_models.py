"""Models of other toolkits with random weights, as their publishers lay them out: for tests of converting them.

They translate nothing, but a converted one must give what the original gives.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SENTENCES = (
    "the river rose in the night",
    "the farmer led the cows up the hill",
    "der fluss stieg in der nacht",
    "der bauer trieb die kuehe den berg hinauf",
)
README = """---
language:
- en
- de
license: apache-2.0
tags:
- translation
---

### opus-mt-en-de
"""


def pieces_model(folder: Path, symbols: Sequence[str] = (), **settings: Any) -> tuple[bytes, list[str]]:
    """A SentencePiece model of the sentences above, and its pieces."""
    import sentencepiece

    made = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES * 5),
        model_writer=made,
        vocab_size=60 + len(symbols),
        hard_vocab_limit=False,
        minloglevel=2,
        user_defined_symbols=list(symbols),
        **settings,
    )
    pieces = sentencepiece.SentencePieceProcessor(model_proto=made.getvalue())
    return made.getvalue(), [str(pieces.id_to_piece(number)) for number in range(pieces.get_piece_size())]


def marian(folder: Path, *, source: str = "en", target: str = "de", targets: Sequence[str] = ()) -> Path:
    """A Marian model as ``transformers`` saves it; with ``targets``, one that is told the target by ``>>xxx<<``."""
    import transformers

    folder.mkdir(parents=True)
    model, pieces = pieces_model(folder)
    tokens = [f">>{code}<<" for code in targets]
    words = [piece for piece in pieces if piece not in ("<s>", "</s>", "<unk>")]
    vocabulary = ["</s>", "<unk>", *words, *tokens, "<pad>"]
    write_json(folder / "vocab.json", {piece: number for number, piece in enumerate(vocabulary)})
    for name in ("source.spm", "target.spm"):
        (folder / name).write_bytes(model)
    settings = {"source_lang": source, "target_lang": target, "tokenizer_class": "MarianTokenizer"}
    write_json(folder / "tokenizer_config.json", settings)
    (folder / "README.md").write_text(README, encoding="utf-8")
    pad = len(vocabulary) - 1
    config = transformers.MarianConfig(
        vocab_size=len(vocabulary),
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        max_position_embeddings=64,
        scale_embedding=True,
        activation_function="swish",
        init_std=0.5,
        pad_token_id=pad,
        eos_token_id=0,
        forced_eos_token_id=0,
        decoder_start_token_id=pad,
    )
    save(transformers.MarianMTModel, config, folder)
    return folder


OPUS_CONFIG = """type: transformer
enc-depth: 1
dec-depth: 1
transformer-heads: 2
transformer-decoder-autoreg: self-attention
transformer-no-projection: false
transformer-ffn-activation: swish
transformer-preprocess: ""
transformer-postprocess: dan
transformer-postprocess-emb: d
transformer-guided-alignment-layer: last
"""


def opus_release(folder: Path, original: Path) -> Path:
    """The weights of a Marian folder as OPUS-MT releases them: ``*.npz``, a vocabulary in YAML, ``decoder.yml``."""
    import numpy as np
    from safetensors.numpy import load_file

    folder.mkdir(parents=True)
    vocabulary = list(json.loads((original / "vocab.json").read_text(encoding="utf-8")))[:-1]  # Marian has no <pad>
    given = load_file(original / "model.safetensors")
    embeddings = given.get("model.shared.weight", given.get("model.encoder.embed_tokens.weight"))
    assert embeddings is not None
    arrays = {"Wemb": embeddings[:-1], "decoder_ff_logit_out_b": given["final_logits_bias"][:, :-1]}
    parts = [("encoder", "self", "self_attn"), ("decoder", "self", "self_attn"), ("decoder", "context", "encoder_attn")]
    for side, ours, theirs in parts:
        place = f"model.{side}.layers.0.{theirs}"
        name = f"{side}_l1_{ours}"
        for letter, projection in zip("qkvo", ("q_proj", "k_proj", "v_proj", "out_proj"), strict=True):
            arrays[f"{name}_W{letter}"] = given[f"{place}.{projection}.weight"].T
            arrays[f"{name}_b{letter}"] = given[f"{place}.{projection}.bias"][None]
        arrays[f"{name}_Wo_ln_scale"] = given[f"{place}_layer_norm.weight"][None]
        arrays[f"{name}_Wo_ln_bias"] = given[f"{place}_layer_norm.bias"][None]
    for side in ("encoder", "decoder"):
        place = f"model.{side}.layers.0"
        for number in (1, 2):
            arrays[f"{side}_l1_ffn_W{number}"] = given[f"{place}.fc{number}.weight"].T
            arrays[f"{side}_l1_ffn_b{number}"] = given[f"{place}.fc{number}.bias"][None]
        arrays[f"{side}_l1_ffn_ffn_ln_scale"] = given[f"{place}.final_layer_norm.weight"][None]
        arrays[f"{side}_l1_ffn_ffn_ln_bias"] = given[f"{place}.final_layer_norm.bias"][None]
    arrays["special:model.yml"] = np.frombuffer(OPUS_CONFIG.encode() + b"\0", dtype=np.int8)
    np.savez(folder / "opus.npz", **arrays)  # type: ignore[arg-type]  # its stub takes names for flags
    lines = [f"{json.dumps(piece, ensure_ascii=False)}: {number}" for number, piece in enumerate(vocabulary)]
    (folder / "opus.vocab.yml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    told = "models:\n  - opus.npz\nvocabs:\n  - opus.vocab.yml\n  - opus.vocab.yml\nbeam-size: 6\n"
    (folder / "decoder.yml").write_text(told, encoding="utf-8")
    for name in ("source.spm", "target.spm"):
        (folder / name).write_bytes((original / name).read_bytes())
    (folder / "README.md").write_text(
        "# opus-2020-01-01.zip\n\n* dataset: opus\n* source language(s): eng\n* target language(s): deu\n",
        encoding="utf-8",
    )
    return folder


def nllb(folder: Path, codes: Sequence[str] | None = None) -> Path:
    """An NLLB model as ``transformers`` saves it, with a ``tokenizer.json`` alone; None: all its 202 languages."""
    import transformers

    merges = [("t", "h"), ("th", "e"), ("▁", "the"), ("e", "r"), ("d", "er"), ("▁", "der")]
    letters = sorted(set("".join(SENTENCES)) - {" "})
    words = ["<s>", "<pad>", "</s>", "<unk>", "▁", *letters, *("".join(merge) for merge in merges)]
    tokenizer = transformers.NllbTokenizer(
        vocab={word: number for number, word in enumerate(words)},
        merges=merges,
        src_lang="eng_Latn",
        tgt_lang="deu_Latn",
        additional_special_tokens=None if codes is None else list(codes),
    )
    tokenizer.save_pretrained(folder)
    config = _m2m100_config(len(tokenizer) + 2)  # as published: a few embeddings more than tokens
    save(transformers.M2M100ForConditionalGeneration, config, folder)
    return folder


def m2m100(folder: Path, *, listed: bool) -> Path:
    """An M2M100 model; ``listed``: as published, with its languages in ``special_tokens_map.json``."""
    import transformers

    folder.mkdir(parents=True)
    model, pieces = pieces_model(folder, model_type="bpe")
    vocabulary = ["<s>", "<pad>", "</s>", "<unk>", *pieces[3:]]
    (folder / "sentencepiece.bpe.model").write_bytes(model)
    write_json(folder / "vocab.json", {piece: number for number, piece in enumerate(vocabulary)})
    settings = {"tokenizer_class": "M2M100Tokenizer", "src_lang": "en", "tgt_lang": "de", "num_madeup_words": 8}
    write_json(folder / "tokenizer_config.json", settings)
    tokenizer = transformers.M2M100Tokenizer.from_pretrained(folder)
    if listed:
        parts = {"eos_token": "</s>", "additional_special_tokens": list(tokenizer.lang_token_to_id)}
        write_json(folder / "special_tokens_map.json", parts)
    config = _m2m100_config(len(vocabulary) + len(tokenizer.lang_token_to_id) + 8)
    save(transformers.M2M100ForConditionalGeneration, config, folder)
    return folder


def _m2m100_config(size: int) -> Any:
    import transformers

    return transformers.M2M100Config(
        vocab_size=size,
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        max_position_embeddings=64,
        scale_embedding=True,
        init_std=0.5,
    )


def madlad(folder: Path, codes: Sequence[str] = ("de", "en", "translate"), kind: str = "T5") -> Path:
    """A T5 model with a piece for each target language, as MADLAD-400; ``kind``: ``T5`` or ``MT5``."""
    import numpy as np
    import sentencepiece
    import transformers
    from safetensors.numpy import load_file, save_file

    folder.mkdir(parents=True)
    symbols = [f"<2{code}>" for code in codes]
    model, pieces = pieces_model(folder, symbols, pad_id=0, eos_id=1, unk_id=2, bos_id=-1)
    (folder / "spiece.model").write_bytes(model)
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    scored = [(piece, float(processor.get_score(number))) for number, piece in enumerate(pieces)]
    transformers.T5Tokenizer(vocab=scored, extra_ids=0).save_pretrained(folder)
    config = getattr(transformers, f"{kind}Config")(
        vocab_size=len(pieces),
        d_model=16,
        d_kv=8,
        d_ff=32,
        num_layers=1,
        num_heads=2,
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
        pad_token_id=0,
        eos_token_id=1,
        decoder_start_token_id=0,
    )
    save(getattr(transformers, f"{kind}ForConditionalGeneration"), config, folder)
    # As published: an output layer of its own, and a configuration that says so.
    weights = load_file(folder / "model.safetensors")
    weights["lm_head.weight"] = np.random.default_rng(7).standard_normal((len(pieces), 16)).astype(np.float32)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    settings.pop("scale_decoder_outputs", None)
    write_json(folder / "config.json", {**settings, "tie_word_embeddings": False})
    return folder


def encoder(folder: Path, kind: str) -> Path:
    """A BERT or an XLM-R with a ``tokenizer.json``."""
    import transformers

    folder.mkdir(parents=True)
    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"] if kind == "bert" else ["<s>", "<pad>", "</s>", "<unk>"]
    words = sorted({word for sentence in SENTENCES for word in sentence.split()})
    _word_tokenizer(kind, marks, words).save(str(folder / "tokenizer.json"))
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    if kind != "bert":
        names = {"pad_token": "<pad>", "unk_token": "<unk>", "cls_token": "<s>", "sep_token": "</s>"}
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", **names})
    settings: dict[str, Any] = {
        "vocab_size": len(marks) + len(words),
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "max_position_embeddings": 32,
        "initializer_range": 0.5,
    }
    if kind == "bert":
        save(transformers.BertModel, transformers.BertConfig(**settings, type_vocab_size=2), folder)
    else:
        config = transformers.XLMRobertaConfig(**settings, type_vocab_size=1, pad_token_id=1)
        save(transformers.XLMRobertaModel, config, folder)
    return folder


def _word_tokenizer(kind: str, marks: Sequence[str], words: Sequence[str]) -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    begin, end, unknown = ("[CLS]", "[SEP]", "[UNK]") if kind == "bert" else ("<s>", "</s>", "<unk>")
    vocabulary = {word: number for number, word in enumerate([*marks, *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=unknown))
    tokenizer.add_special_tokens(list(marks))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A {end}", special_tokens=[(begin, vocabulary[begin]), (end, vocabulary[end])]
    )
    return tokenizer


def save(kind: Any, config: Any, folder: Path, **settings: Any) -> None:
    """Write a model with random weights, always the same."""
    import torch

    torch.manual_seed(7)
    with contextlib.redirect_stderr(io.StringIO()):
        kind(config).save_pretrained(folder, **settings)


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file."""
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
