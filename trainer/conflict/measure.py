"""The measurement of gradient conflict as a part of the training step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

from torch import Tensor

from trainer.config.conflict import ConflictConfig
from trainer.conflict.groups import make_groups
from trainer.conflict.matrix import ConflictMatrix, ConflictReport
from trainer.conflict.sketch import Sketch, Sketcher
from trainer.distributed import World
from trainer.model.language_model import Inputs, LanguageModel


class ConflictMeter:
    """Measures the conflict between groups every so many steps; other steps are left alone.

    Args:
        config: what to measure and when.
        model: whose blocks are watched.
        languages: tags, in the order of the language indices.
        train_tokens: training tokens that exist of each language.
        world: the processes.

    Raises:
        ConfigurationError: languages cannot be grouped as asked, or no linear layer of the blocks is trained.
    """

    def __init__(
        self,
        config: ConflictConfig,
        model: LanguageModel,
        languages: Sequence[str],
        train_tokens: Sequence[int],
        world: World,
    ) -> None:
        self.groups = make_groups(config.groups, languages, train_tokens)
        self._every = config.every
        self._world = world
        count = len(self.groups.names)
        self._sketcher = Sketcher(model, self.groups.of_language, count, config.sketch)
        self._matrix = ConflictMatrix(count, config.smoothing, world.device)
        self._watching = False

    def watching(self, number: int) -> AbstractContextManager[None]:
        """While the block runs, the backward passes of a step are measured, if it is the step's turn.

        Args:
            number: of the step, 0 for the first.
        """
        self._watching = (number + 1) % self._every == 0
        return self._sketcher.watching() if self._watching else nullcontext()

    def forward(self, inputs: Inputs) -> AbstractContextManager[None]:
        """While the block runs, the model is given these rows, and their losses are what is measured.

        Further passes, which only penalties look at, are left out.
        """
        return self._sketcher.forward(inputs) if self._watching else nullcontext()

    def backward(self) -> AbstractContextManager[None]:
        """While the block runs, the gradient of the whole loss is found; other backward passes are left out."""
        return self._sketcher.backward() if self._watching else nullcontext()

    def finish(self, tokens: float) -> ConflictReport | None:
        """Take in what was measured, after a step with a finite gradient; all processes must call it.

        Args:
            tokens: predicted tokens of the step, over all processes.

        Returns:
            The report, or None when it was not the step's turn.
        """
        if not self._watching:
            return None
        parts, counts = self._sketcher.sketch()
        # Each process's loss is multiplied by their number, because their gradients are averaged.
        parts = self._world.sum(parts) / self._world.size
        return self._matrix.update(Sketch(parts, self._world.sum(counts)), tokens)

    def state(self) -> dict[str, Tensor]:
        """Tensors for the checkpoint."""
        return self._matrix.state()

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from a checkpoint."""
        self._matrix.load_state(tensors)
