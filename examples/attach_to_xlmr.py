"""Train language adapters in the layers of an XLM-R and give the result away as X-MOD.

A tiny XLM-R with random weights stands in for the real one, so that the example runs anywhere in a minute. With the
real one, tokenise the corpus with its tokenizer and name it as the base:

    evenglot tokenize --corpus out/corpus --source FacebookAI/xlm-roberta-base --name xlmr
    python examples/attach_to_xlmr.py out/corpus --tokenizer xlmr --base FacebookAI/xlm-roberta-base
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
import transformers

from corpus.manifest import read_snapshot
from sampler.config import SamplerConfig
from trainer.config import TrainConfig
from trainer.export.export import export
from trainer.loop import train


def made_up_base(folder: Path, vocabulary: int) -> str:
    """A folder with an untrained XLM-R of four layers."""
    config = transformers.XLMRobertaConfig(
        vocab_size=vocabulary,
        hidden_size=64,
        num_hidden_layers=4,
        num_attention_heads=4,
        intermediate_size=128,
        max_position_embeddings=130,
        type_vocab_size=1,
        layer_norm_eps=1e-5,
    )
    torch.manual_seed(0)
    transformers.XLMRobertaForMaskedLM(config).save_pretrained(folder)
    return str(folder)


def main(arguments: list[str] | None = None) -> dict[str, float]:
    """Train and export; the loss of one hidden token under each language, computed by transformers alone."""
    parser = argparse.ArgumentParser(description="Train language adapters in an XLM-R and export them as X-MOD.")
    parser.add_argument("corpus", help="folder or URL of the corpus")
    parser.add_argument("--tokenizer", default="spm", help="its name in the corpus")
    parser.add_argument("--base", help="folder or hub id; a tiny one with random weights when not given")
    parser.add_argument("--output", type=Path, default=Path("xmod-example"), help="folder for run and model")
    parser.add_argument("--steps", type=int, default=20)
    options = parser.parse_args(arguments)

    described = read_snapshot(options.corpus).tokenizers[options.tokenizer]
    base = options.base or made_up_base(options.output / "base", int(described["vocabulary"]))
    config = TrainConfig.model_validate(
        {
            "model": {"base": base, "adapter": 16, "train_core": options.base is None},
            "objective": {"kind": "masked"},
            "optimiser": {"learning_rate": 1e-3},
            "steps": options.steps,
            "rows": 8,
        }
    )
    sampler = SamplerConfig(row_tokens=128, block_rows=64)
    run = options.output / "run"
    train(options.corpus, str(run), config, sampler, tokenizer=options.tokenizer, seed=0)
    written = export(run, options.output / "xmod", "transformers")
    print(
        f"{written['architecture']} with {', '.join(written['languages'])}: logits equal to {written['difference']:.1g}"
    )

    # From here on nothing of evenglot is used: whoever gets the folder does this.
    model = transformers.XmodForMaskedLM.from_pretrained(options.output / "xmod").eval()
    tokens = torch.tensor([[described["special"]["bos"], *range(5, 25), described["special"]["eos"]]])
    hidden = tokens.clone()
    hidden[0, 10] = described["special"]["mask"]
    losses = {}
    for lang in model.config.languages:
        model.set_default_language(lang)
        with torch.no_grad():
            scores = model(input_ids=hidden).logits[0, 10]
        losses[lang] = float(torch.nn.functional.cross_entropy(scores, tokens[0, 10]))
        print(f"{lang}: {losses[lang]:.3f} nats for the hidden token")
    return losses


if __name__ == "__main__":
    main()
