"""Hugging Face's Trainer on evenglot's rows; the order of rows goes on exactly where a checkpoint was saved.

    python examples/train_with_transformers.py demo-output/corpus --steps 40
    python examples/train_with_transformers.py demo-output/corpus --steps 80 --resume

The model is a tiny one with random weights, made on the spot. `demo-output/corpus` is what `evenglot demo` leaves;
any corpus that went through `evenglot tokenize` will do.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader
from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_utils import get_last_checkpoint

from sampler import SamplerConfig
from sampler.torch import RowDataset, TensorBatch

STATE = "rows.json"


def model_inputs(batch: TensorBatch) -> dict[str, torch.Tensor]:
    """What a causal model is called with.

    Without an attention mask and without a cache (``use_cache=False`` in the model's configuration), transformers
    takes the places where positions begin at 0 again for borders that attention must not cross. The first token of
    a document is nothing that the one before it could predict.
    """
    labels = batch["tokens"].masked_fill(batch["positions"] == 0, -100)
    return {"input_ids": batch["tokens"], "position_ids": batch["positions"].long(), "labels": labels}


def tiny_model(vocabulary: int) -> LlamaForCausalLM:
    """A causal model with random weights."""
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=128,
            use_cache=False,  # with a cache the borders between documents would be ignored
        )
    )


class RowTrainer(Trainer):
    """A Trainer that takes whole batches as the data set deals them out to the ranks."""

    def get_train_dataloader(self) -> DataLoader[Any]:
        """The loader, not handed to accelerate: each rank's data set knows its own rows."""
        workers = self.args.dataloader_num_workers
        return DataLoader(self.train_dataset, batch_size=None, num_workers=workers, collate_fn=model_inputs)


class SaveRows(TrainerCallback):
    """Saves the state of the rows into every checkpoint.

    The row follows from the steps done and not from what the loader has handed out, which is ahead of the model.
    """

    def __init__(self, dataset: RowDataset, step: int = 0) -> None:
        self.dataset = dataset
        self.first = (step, dataset.state_dict()["start"])

    def on_save(self, args: TrainingArguments, state: Any, control: Any, **kwargs: Any) -> None:
        """Called by the Trainer after it has saved weights and optimiser."""
        step, row = self.first
        row += (state.global_step - step) * args.gradient_accumulation_steps * self.dataset.step_rows
        if state.is_world_process_zero:
            folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            (folder / STATE).write_text(json.dumps(self.dataset.state_dict(row)))


def main(arguments: list[str] | None = None) -> Trainer:
    """Train."""
    parser = argparse.ArgumentParser(description="Train a tiny model with Hugging Face's Trainer.")
    parser.add_argument("corpus", help="folder or URL of the corpus")
    parser.add_argument("--tokenizer", default="spm", help="its name in the corpus")
    parser.add_argument("--output", default="transformers-run", help="folder of the checkpoints")
    parser.add_argument("--steps", type=int, default=40, help="steps in all, earlier ones included")
    parser.add_argument("--save-every", type=int, default=20, help="steps from one checkpoint to the next")
    parser.add_argument("--workers", type=int, default=1, help="worker processes of the loader")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    options = parser.parse_args(arguments)

    training = TrainingArguments(
        output_dir=options.output,
        max_steps=options.steps,
        per_device_train_batch_size=8,
        learning_rate=3e-3,
        lr_scheduler_type="constant",
        save_steps=options.save_every,
        logging_steps=10,
        dataloader_num_workers=options.workers,
        ignore_data_skip=True,  # the data set begins at the right row itself; nothing is read to be thrown away
        remove_unused_columns=False,
        report_to=[],
        seed=0,
    )
    dataset = RowDataset(
        options.corpus,
        tokenizer=options.tokenizer,
        config=SamplerConfig(row_tokens=128, mixture="temperature", block_rows=64),
        seed=0,
        batch_rows=training.per_device_train_batch_size,
        rank=training.process_index,
        world=training.world_size,
    )
    checkpoint = get_last_checkpoint(options.output) if options.resume else None
    step = 0
    if checkpoint is not None:
        dataset.load_state_dict(json.loads((Path(checkpoint) / STATE).read_text()))
        step = int(json.loads((Path(checkpoint) / "trainer_state.json").read_text())["global_step"])
    model = tiny_model(int(dataset.stream.corpus.described["vocabulary"]))
    trainer = RowTrainer(model=model, args=training, train_dataset=dataset, callbacks=[SaveRows(dataset, step)])
    trainer.train(resume_from_checkpoint=checkpoint)
    return trainer


if __name__ == "__main__":
    main()
