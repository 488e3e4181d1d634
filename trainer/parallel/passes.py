"""The passes over translations that join a step, and what is counted of them apart from the other rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from trainer.config import StrengthScheduleConfig
from trainer.config.parallel import TranslationConfig
from trainer.distributed import World
from trainer.model.language_model import LanguageModel, Outputs
from trainer.model.noise import SILENT
from trainer.optimiser.schedules import strength_share
from trainer.parallel.batches import ParallelBatches, SentenceBatch, TranslationBatch
from trainer.regularisers.base import Moment
from trainer.steps.backward import Compute, token_losses
from trainer.steps.penalties import Penalties
from trainer.steps.plan import Agreed, Plan
from trainer.steps.tally import Tally, mean


class ParallelPasses:
    """Adds the gradient of a step's translations to what the parameters hold.

    Args:
        config: of translation language modelling; None for none.
        batches: the rows of a step.
        model: the bare model.
        penalties: those that read pairs are computed on the pass over sentences.
        world: the processes.
        smoothing: of labels.
        total: steps of the run.
    """

    def __init__(
        self,
        config: TranslationConfig | None,
        batches: ParallelBatches,
        model: LanguageModel,
        penalties: Penalties,
        world: World,
        smoothing: float,
        total: int,
    ) -> None:
        self._config = config
        self._batches = batches
        self._model = model
        self._penalties = penalties
        self._world = world
        self._smoothing = smoothing
        self._total = total
        self._waiting: list[tuple[Tensor, TranslationBatch]] = []
        self.tally = Tally(model.languages, world.device)
        """Of hidden tokens in translations alone."""

    def __call__(self, compute: Compute, plan: Plan, agreed: Agreed) -> Tensor:
        """Do the passes of a step; gradients are only added up, not averaged over the processes.

        Returns:
            what was minimised, before it is averaged over the processes; a scalar.
        """
        self._waiting = []
        total = torch.zeros((), device=self._world.device)
        for batch in self._batches.translations(plan.number):
            total = total + self._translate(compute, batch, plan)
        sentences = self._batches.sentences(plan.number)
        return total if sentences is None else total + self._contrast(compute, sentences, plan, agreed)

    def commit(self) -> None:
        """Count a step that has moved the weights."""
        for losses, batch in self._waiting:
            self.tally.add_loss(losses, batch.work.languages)
            self.tally.add_seen(batch.rows.token_languages, batch.rows.segments)
        self._waiting = []

    def state(self) -> dict[str, Tensor]:
        """Counts for the checkpoint, after the tally was collected."""
        return {name: torch.tensor(value, dtype=torch.float64) for name, value in self.tally.state().items()}

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from a checkpoint."""
        self.tally.load_state({name: value.cpu().tolist() for name, value in tensors.items()})

    def line(self, step: int, languages: Sequence[str]) -> dict[str, Any]:
        """The ``parallel`` line of the metrics, after the tally was collected: loss and tokens of hidden tokens in
        translations, by language too, and passes over the pairs of each two languages.

        Args:
            step: steps done.
            languages: tags, in the order of the indices.
        """
        tally = self.tally
        sources = {"tlm": self._batches.tlm, "contrastive": self._batches.contrastive}
        return {
            "kind": "parallel",
            "step": step,
            "tokens": int(tally.seen.sum()),
            "loss": tally.mean_loss(),
            "strength": self._strength(step - 1),
            "languages": {
                lang: {"loss": mean(tally.window[index]), "tokens": int(tally.window_seen[index])}
                for index, lang in enumerate(languages)
                if tally.window_seen[index]
            },
            "passes": {kind: source.passes(step) for kind, source in sources.items() if source is not None},
        }

    def _translate(self, compute: Compute, batch: TranslationBatch, plan: Plan) -> Tensor:
        outputs = compute(batch.work, plan.noise(batch.rows, self._world.device), ())
        losses, counted = token_losses(outputs.logits, batch.work.labels, self._smoothing)
        # The processes' gradients are averaged, the loss is a mean over the tokens of all of them.
        loss = counted.sum() * (self._strength(plan.number) * self._world.size / max(1, batch.total))
        torch.autograd.backward(loss)
        self._waiting.append((losses.detach(), batch))
        return loss.detach()

    def _contrast(self, compute: Compute, batch: SentenceBatch, plan: Plan, agreed: Agreed) -> Tensor:
        work = batch.work

        def again() -> Outputs:
            return compute(work, SILENT, self._penalties.keep_pairs)

        outputs = again()
        moment = Moment(
            model=self._model,
            batch=work.inputs,
            outputs=outputs,
            losses=outputs.logits.new_zeros(0, dtype=torch.float32),
            labels=work.labels,
            languages=work.languages,
            evidence=agreed.evidence,
            again=again,
            step=plan.number,
            total=plan.total,
            pairs=batch.pairs,
        )
        nothing = torch.zeros((), device=self._world.device)
        loss = self._penalties.add(nothing, moment, passes=1, last=True, measure=plan.measure)
        if loss.requires_grad:
            torch.autograd.backward(loss)
        return loss.detach()

    def _strength(self, step: int) -> float:
        """Factor of the translations' loss in a step."""
        if self._config is None:
            return 0.0
        schedule = StrengthScheduleConfig(warmup=self._config.warmup)
        return self._config.strength * strength_share(schedule, step, self._total)
