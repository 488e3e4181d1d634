"""A plain PyTorch training loop on evenglot's rows: document boundaries, checkpoints, several processes.

    python examples/train_with_pytorch.py demo-output/corpus --steps 40
    torchrun --nproc-per-node 2 examples/train_with_pytorch.py demo-output/corpus --steps 80

The second command goes on where the first stopped, on two processes. `demo-output/corpus` is what `evenglot demo`
leaves; any corpus that went through `evenglot tokenize` will do.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from sampler import SamplerConfig
from sampler.torch import RowDataset, RowLoader


class Model(nn.Module):
    """One causal attention layer and one hidden layer, small enough for an example."""

    def __init__(self, vocabulary: int, positions: int, width: int = 64, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Embedding(positions, width)
        self.qkv = nn.Linear(width, 3 * width)
        self.join = nn.Linear(width, width)
        self.hidden = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 256), nn.GELU(), nn.Linear(256, width))
        self.norm = nn.LayerNorm(width)
        for embedding in (self.tokens, self.positions):
            nn.init.normal_(embedding.weight, std=0.02)

    def forward(self, tokens: Tensor, positions: Tensor, segments: Tensor) -> Tensor:
        """Scores of the next token, [B, L, vocabulary]."""
        # Positions begin at 0 again with every document, and a token sees its own document alone.
        x = self.tokens(tokens) + self.positions(positions)
        same = segments[:, None, :, None] == segments[:, None, None, :]
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in self.qkv(x).chunk(3, dim=-1))
        seen = F.scaled_dot_product_attention(q, k, v, attn_mask=same & same.new_ones(same.shape[-2:]).tril())
        x = x + self.join(seen.transpose(1, 2).flatten(2))
        return self.norm(x + self.hidden(x)) @ self.tokens.weight.T


def loss_of(model: nn.Module, batch: Any) -> Tensor:
    """Cross-entropy of each next token within its document."""
    scores = model(batch["tokens"], batch["positions"], batch["segments"])
    targets = batch["tokens"][:, 1:].masked_fill(batch["positions"][:, 1:] == 0, -100)
    return F.cross_entropy(scores[:, :-1].flatten(0, 1), targets.flatten())


def main(arguments: list[str] | None = None) -> list[float]:
    """Train; the loss of each step."""
    parser = argparse.ArgumentParser(description="Train a tiny model in a plain PyTorch loop.")
    parser.add_argument("corpus", help="folder or URL of the corpus")
    parser.add_argument("--tokenizer", default="spm", help="its name in the corpus")
    parser.add_argument("--checkpoint", type=Path, default=Path("pytorch.pt"), help="file to save to and go on from")
    parser.add_argument("--steps", type=int, default=40, help="steps in all, earlier ones included")
    parser.add_argument("--rows", type=int, default=16, help="rows of all processes together in a step")
    parser.add_argument("--workers", type=int, default=1, help="worker processes of the loader")
    options = parser.parse_args(arguments)

    rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if torch.cuda.is_available() and world > 1 else None
    device = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if world > 1:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    dataset = RowDataset(
        options.corpus,
        tokenizer=options.tokenizer,
        config=SamplerConfig(row_tokens=128, mixture="temperature", block_rows=64),
        seed=0,
        batch_rows=options.rows // world,
        rank=rank,
        world=world,
        stop=options.steps * options.rows,
    )
    torch.manual_seed(0)
    model: nn.Module = Model(int(dataset.stream.corpus.described["vocabulary"]), positions=128).to(device)
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    if options.checkpoint.exists():
        saved = torch.load(options.checkpoint, weights_only=True, map_location=device)
        model.load_state_dict(saved["model"])
        optimiser.load_state_dict(saved["optimiser"])
        dataset.load_state_dict(saved["rows"])
    trained = nn.parallel.DistributedDataParallel(model) if world > 1 else model

    losses = []
    loader = RowLoader(dataset, num_workers=options.workers, pin_memory=device.type == "cuda")
    for batch in loader:
        loss = loss_of(trained, batch.to(device, non_blocking=True))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
        step = batch["next_row"] // options.rows
        if rank == 0 and (step % 10 == 0 or step == options.steps):
            print(f"step {step}  loss {losses[-1]:.3f}", flush=True)
            state = {"model": model.state_dict(), "optimiser": optimiser.state_dict()}
            partial = options.checkpoint.with_suffix(".part")
            torch.save({**state, "rows": dataset.state_dict(batch["next_row"])}, partial)
            partial.replace(options.checkpoint)
    if world > 1:
        dist.destroy_process_group()
    return losses


if __name__ == "__main__":
    main()
