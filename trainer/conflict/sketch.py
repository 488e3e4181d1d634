"""The gradients of all groups of languages on the shared core, as sketches from the step's own backward pass.

Documents do not see each other, so what a group's loss does to a linear layer comes from the group's own tokens: with
inputs ``a_t`` and gradients of the outputs ``d_t``, the gradient of its weight is ``sum_t d_t a_t'`` over them (the
factors that Goodfellow 2015, arXiv 1510.01799, takes norms from). One backward pass of the whole loss therefore holds
the gradients of all groups. They are never formed: with fixed random signs P and Q, and r numbers on each side,

    S_g = sum_t (P' d_t) (Q' a_t)'        [r, r] for each layer,

is a linear map of the group's gradient with E<S_g, S_h> = <G_g, G_h> (Johnson & Lindenstrauss 1984; signs: Achlioptas
2003; the two-sided form on gradients of linear layers: Choe et al. 2024, arXiv 2405.13954). Being linear, sketches are
added up over passes and processes. Cosines of whole cores average the errors of many layers.

The tokens of each group are also split into two halves of documents. The cosine between the halves of one group is
what the noise of so few rows leaves of a perfect agreement: the yardstick for the cosines between groups.

Left out: embeddings and output layer (most of whose rows belong to some languages alone), norm gains, adapters.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn

from corpus.errors import ConfigurationError
from corpus.hashing import stable_hash
from trainer.model.adapters import LanguageAdapter
from trainer.model.language_model import Inputs, LanguageModel, token_languages


class Sketch(NamedTuple):
    """What was measured in a step."""

    parts: Tensor
    """Sketch of the gradient of each group's halves on each block, float32 [blocks, 2 * groups, k]; the halves of a
    group are next to each other."""
    tokens: Tensor
    """Predicted tokens of each group's halves, float64 [2 * groups]."""


class Sketcher:
    """Sketches the gradients of groups while the block of :meth:`watching` runs.

    Args:
        model: whose blocks are watched.
        of_language: index of each language's group.
        groups: number of groups.
        size: r, numbers that each side of a layer's gradient is projected to.

    Raises:
        ConfigurationError: no linear layer of the blocks is trained.
    """

    def __init__(self, model: LanguageModel, of_language: tuple[int, ...], groups: int, size: int) -> None:
        self._size = size
        self._halves = 2 * groups
        self._device = next(model.parameters()).device
        self._of_language = torch.tensor(of_language, dtype=torch.int64, device=self._device)
        self._maps = [(name, block, module) for block, name, module in core_maps(model)]
        if not self._maps:
            raise ConfigurationError(
                "train.conflict compares gradients of the core's linear layers, and none of them is trained",
                "Remove train.conflict, or train the core",
            )
        self._blocks = len(model.blocks)
        self._signs: dict[tuple[str, int], Tensor] = {}
        self._sums: dict[str, Tensor] = {}
        self._tokens = torch.zeros(self._halves, dtype=torch.float64, device=self._device)
        self._places: list[Tensor] = []
        self._shape = (0, 0)
        self._reading = self._listening = False

    @contextmanager
    def watching(self) -> Iterator[None]:
        """While the block runs, backward passes are sketched; begins a new measurement."""
        self._sums = {}
        self._tokens.zero_()
        handles = [module.register_forward_hook(self._hook(name)) for name, _, module in self._maps]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()
            self._places = []

    @contextmanager
    def forward(self, inputs: Inputs) -> Iterator[None]:
        """While the block runs, the model is given these rows, and their losses are what is measured."""
        self._shape = (inputs.tokens.shape[0], inputs.tokens.shape[1])
        halves = self._of_half(inputs).flatten()
        self._places = [(halves == half).nonzero()[:, 0] for half in range(self._halves)]
        self._tokens += torch.bincount(halves[inputs.select] + 1, minlength=self._halves + 1)[1:].double()
        self._reading = True
        try:
            yield
        finally:
            self._reading = False

    @contextmanager
    def backward(self) -> Iterator[None]:
        """While the block runs, the gradient of the whole loss is found: what is to be measured."""
        self._listening = True
        try:
            yield
        finally:
            self._listening = False

    def sketch(self) -> Sketch:
        """What the passes of this process added up to."""
        blocks: list[list[Tensor]] = [[] for _ in range(self._blocks)]
        nothing = torch.zeros(self._halves, 0, device=self._device)
        for name, block, _ in self._maps:
            blocks[block].append(self._sums[name].flatten(1) if name in self._sums else nothing)
        joined = [torch.cat(parts, dim=1) if parts else nothing for parts in blocks]
        width = max(part.shape[1] for part in joined)
        padded = [nn.functional.pad(part, (0, width - part.shape[1])) for part in joined]
        return Sketch(torch.stack(padded), self._tokens.clone())

    def _of_half(self, inputs: Inputs) -> Tensor:
        """Half of a group that each token belongs to, int64 [B, L]; -1 for tokens of no language.

        Documents of a row take turns; which half comes first is up to the row's tokens, so that it does not depend on
        which process reads the row.
        """
        languages = token_languages(inputs)
        first = inputs.tokens.sum(dim=1, keepdim=True)
        half = (first + inputs.segments).remainder(2)
        found = 2 * self._of_language[languages.clamp(min=0)] + half
        return found.where((languages >= 0) & (inputs.segments >= 0), -1)

    def _hook(self, name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        def forward_hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            if not (self._reading and output.requires_grad):
                return
            if output.shape[:2] != self._shape:
                raise ConfigurationError(
                    f"train.conflict cannot tell the rows apart in '{name}', which was not given all rows of the pass",
                    "Remove train.conflict, or what leaves rows out",
                )
            # The step may compute in bfloat16; sums over thousands of tokens need more.
            with torch.autocast(output.device.type, enabled=False):
                seen = self._project(name, 0, inputs[0].detach())
            places = self._places

            def backward_hook(gradient: Tensor) -> None:
                if not self._listening:
                    return
                asked = self._project(name, 1, gradient.detach())
                parts = [asked.index_select(0, at).T @ seen.index_select(0, at) for at in places]
                found = torch.stack(parts)
                self._sums[name] = self._sums[name] + found if name in self._sums else found

            output.register_hook(backward_hook)  # type: ignore[no-untyped-call]

        return forward_hook

    def _project(self, name: str, side: int, vectors: Tensor) -> Tensor:
        """Vectors [B, L, d] as [B * L, min(r, d)] in float32."""
        flat = vectors.flatten(0, -2).float()
        if flat.shape[1] <= self._size:
            return flat
        if (name, side) not in self._signs:
            self._signs[name, side] = signs(flat.shape[1], self._size, name, side).to(flat.device)
        return torch.matmul(flat, self._signs[name, side])


def signs(width: int, size: int, name: str, side: int) -> Tensor:
    """Random signs over the root of ``size``, float32 [width, size], the same in every run.

    Args:
        width: of the vectors that are projected.
        size: numbers that are left of them.
        name: of the layer.
        side: 0 for its inputs, 1 for the gradients of its outputs.
    """
    generator = torch.Generator().manual_seed(stable_hash("sketch", name, side) >> 1)
    ones = torch.randint(2, (width, size), generator=generator, dtype=torch.float32) * 2 - 1
    return ones / math.sqrt(size)


def core_maps(model: LanguageModel) -> list[tuple[int, str, nn.Module]]:
    """The trained linear layers of the blocks that all languages share: block, name and module of each.

    Layers are known by their weight, a matrix, so that those of other libraries are found too.
    """
    adapters = {id(part) for adapter in model.adapters() for part in adapter.modules()}
    found = []
    for number, block in enumerate(model.blocks):
        for name, module in block.named_modules():
            weight = getattr(module, "weight", None)
            if (
                isinstance(weight, nn.Parameter)
                and weight.ndim == 2
                and weight.requires_grad
                and id(module) not in adapters
                and not isinstance(module, nn.Embedding | LanguageAdapter)
            ):
                found.append((number, f"blocks.{number}.{name}", module))
    return found
