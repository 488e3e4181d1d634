"""Decisions: when the mixture may change while a run goes on, and what to.

Decision n = 1, 2, … holds from block n * every on, until the next one. It is made from the losses of the rows before
its border, the first row of block n * every - delay. Both are functions of the row's number: whoever reads ahead, in
however many processes, finds the same decision.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from corpus.errors import ConfigurationError, CorpusError
from sampler.feedback import memory as memories
from sampler.feedback.bounds import Bounds, Floats, bounds, follow, on_grid
from sampler.feedback.config import HELDOUT
from sampler.feedback.losses import Losses, baseline
from sampler.feedback.policies import Evidence, load
from sampler.quota import UNIT, Counts

if TYPE_CHECKING:
    from sampler.config import SamplerConfig
    from sampler.stream import CurriculumStream

_SHOWN: Final = 3


class Report(NamedTuple):
    """Losses of some rows."""

    rows: Any
    """Global row of each loss, int [N]."""
    languages: Any
    """Language index of each, [N]."""
    losses: Any
    """Sums over the tokens in nats, [N]."""
    tokens: Any
    """Predicted tokens of each, [N]."""


class ByHand(NamedTuple):
    """A change that someone asked for."""

    shares: Mapping[str, float]
    """Share of each language named; the others keep their proportions in what is left."""
    reason: str


class Decision(NamedTuple):
    """What was decided."""

    block: int
    """First block that it holds for."""
    weights: Counts | None
    """int64 [K], shares in ``UNIT``; None when the mixture stays as it is."""
    reason: str
    """As in the mixture log: who decided, and the languages that changed most."""
    shares: dict[str, tuple[float, float]]
    """Languages whose share changed, with the shares before and after."""
    losses: dict[str, float]
    """Mean losses that were believed, nats per token."""
    ignored: dict[str, int]
    """Losses that were not finite and were left out."""


class Feedback:
    """The decisions of one run, made in its main process.

    Args:
        stream: whose mixture they change; its ``config.feedback`` says how.

    Raises:
        ConfigurationError: there is no such policy, or the baseline does not fit.
        InputError: the file of the baseline cannot be read.
    """

    def __init__(self, stream: CurriculumStream) -> None:
        self.stream = stream
        self.config = stream.config.feedback
        self.policy = load(self.config.policy)
        self.next = 1
        """Number of the next decision."""
        count = len(stream.languages)
        self.losses = Losses(count)
        given = self.config.baseline
        self._baseline = np.full(count, np.nan) if given == HELDOUT else baseline(given, stream.languages)
        self._memory = memories.rounded(np.full(count, np.nan))
        self._by_hand: tuple[int, Counts] | None = None

    @property
    def block(self) -> int:
        """First block of the next decision."""
        return self.next * self.config.every

    @property
    def border(self) -> int:
        """The next decision uses the losses of the rows before this one."""
        return (self.block - self.config.delay) * self.stream.config.block_rows

    def due(self, row: int, step: int = 0) -> bool:
        """Whether it is time for the next decision.

        Args:
            row: the rows before it are trained on.
            step: rows of the next step, when losses are known by step and not by row: a step that goes over the
                border then counts for the decision after.
        """
        return row >= self.border or row + step > self.border

    def observe(self, rows: Any, languages: Any, losses: Any, tokens: Any) -> None:
        """Count losses.

        Args:
            rows: global row of each loss, int [N]; those that an earlier decision has used are left out.
            languages: language index of each, int [N].
            losses: sums over the tokens in nats, [N].
            tokens: predicted tokens of each, [N].
        """
        rows, languages, losses, tokens = (np.asarray(values).ravel() for values in (rows, languages, losses, tokens))
        used = (self.block - self.config.every - self.config.delay) * self.stream.config.block_rows
        fresh = rows >= (used if self.next > 1 else 0)
        self.losses.add(rows[fresh] >= self.border, languages[fresh], losses[fresh], tokens[fresh])

    def gather(self, reports: Iterable[Report], total: Callable[[Counts], Counts]) -> None:
        """Count the losses of all ranks; each gives its own, and all have the same afterwards.

        Args:
            reports: of this rank, as for :meth:`observe`.
            total: the sum of an array over the ranks.
        """
        agreed, self.losses.sums = self.losses.sums, np.zeros_like(self.losses.sums)
        for report in reports:
            self.observe(*report)
        self.losses.sums = agreed + total(self.losses.sums)

    def set_heldout(self, losses: Mapping[str, float]) -> None:
        """Held-out losses in nats per token; the baseline where that is ``heldout``."""
        if self.config.baseline == HELDOUT:
            known = [losses.get(lang) for lang in self.stream.languages]
            self._baseline = np.array([np.nan if loss is None else loss for loss in known], dtype=np.float64)

    def decide(self, by_hand: ByHand | None = None) -> Decision:
        """Make the next decision and put it into the stream's mixture log.

        Args:
            by_hand: a change that was asked for; it takes the recipe's place from here on, for the policy too.

        Raises:
            ConfigurationError: the change that was asked for is impossible; nothing was decided then.
        """
        present = self._present()
        means = self.losses.means(self.config.min_tokens)
        ignored = self.losses.ignored().copy()
        if by_hand is not None:
            part = self.stream.part(self.block)
            asked = named_shares(by_hand.shares, present / UNIT, self.stream.languages, set(part.sizes))
            allowed = self._bounds(asked, (asked > 0) | (present > 0))
            chosen = on_grid(allowed.base, allowed)
            weights: Counts | None = chosen
            self._by_hand = (self.block, chosen)
            who = f"by hand: {by_hand.reason}"
        else:
            who = f"feedback {self.config.policy}"
            evidence = Evidence(means, memories.values(self._memory), self._baseline, present / UNIT)
            verdict = self.policy(evidence, self.config)
            self._memory = memories.rounded(verdict.memory)
            weights = None
            if np.isfinite(verdict.score).any():
                allowed = self._bounds(self._base() / UNIT)
                weights = on_grid(follow(verdict.score, present / UNIT, allowed, self.config.smoothing), allowed)
        in_force = self.stream.weights(self.block)
        weights = present if weights is None else weights
        if np.array_equal(weights, in_force):
            weights = None
        decision = self._decision(weights, in_force, who, means, ignored)
        self.stream.decide(decision.block, decision.weights, decision.reason)
        self.losses.used(np.isfinite(means))
        self.next += 1
        return decision

    def state(self) -> dict[str, Any]:
        """What :meth:`load_state` needs beside the stream's state, as JSON values."""
        return {
            "next": self.next,
            "memory": memories.dump(self._memory),
            "by_hand": None if self._by_hand is None else [self._by_hand[0], self._by_hand[1].tolist()],
            "heldout": _json(self._baseline) if self.config.baseline == HELDOUT else None,
            "losses": self.losses.state(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on where a state was taken; the stream has its own state loaded before.

        Raises:
            CorpusError: it is damaged, or of other languages.
        """
        try:
            self.next = int(state["next"])
            self._memory = memories.read(state["memory"], len(self.stream.languages))
            by_hand = state["by_hand"]
            self._by_hand = None
            if by_hand is not None:
                weights = np.zeros(len(self.stream.languages), dtype=np.int64)
                weights[: len(by_hand[1])] = by_hand[1]
                self._by_hand = int(by_hand[0]), weights
            if self.config.baseline == HELDOUT:
                known = [np.nan if loss is None else float(loss) for loss in state["heldout"]]
                self._baseline = np.full(len(self.stream.languages), np.nan)
                self._baseline[: len(known)] = known
            self.losses.load_state(state["losses"])
        except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
            raise CorpusError(
                f"the state of the feedback is damaged: {error}", "Resume from an earlier checkpoint"
            ) from error

    def _base(self) -> Counts:
        """The mixture that the policy moves around: the recipe's, or what was asked for by hand in this stage."""
        if self._by_hand is not None and self.stream.part(self._by_hand[0]).first == self.stream.part(self.block).first:
            return self._by_hand[1]
        return self.stream.recipe_weights(self.block)

    def _present(self) -> Counts:
        """What is asked for when nothing is decided, int64 [K]; the recipe's shares where those are on the move."""
        recipe = self.stream.recipe_weights(self.block)
        before = self.stream.recipe_weights(self.block - self.config.every)
        moved = self._by_hand is None and not np.array_equal(recipe, before)
        return recipe if moved else self.stream.weights(self.block)

    def _bounds(self, base: Floats, named: NDArray[np.bool_] | None = None) -> Bounds:
        """What is allowed around a mixture: the floor and the passes of the stage, and the policy's own bounds."""
        part, follows = self.stream.part(self.block), self.config.policy != "none"
        sizes = np.array([part.sizes.get(lang, np.nan) for lang in self.stream.languages])
        limit = part.rule.max_repeats
        if limit is None and follows and part.rule.mixture == "unimax":
            limit = part.rule.epochs
        block_tokens = self.stream.config.block_rows * self.stream.config.row_tokens
        left = part.tokens - (self.block - part.first) * block_tokens
        most = np.ones(len(sizes))
        if limit is not None and left > 0:
            served = self.stream.sampled(self.block)
            # A language of the stage before that fades out is not of this stage: the recipe alone bounds it.
            most = np.where(np.isnan(sizes), most, np.clip((limit * sizes - served) / left, 0.0, 1.0))
        return bounds(
            base,
            floor=self.config.floor if follows else 0.0,
            cap=self.config.cap if follows else np.inf,
            smoothing=self.config.smoothing if follows else 0.0,
            least=part.rule.floor,
            most=most,
            named=named,
        )

    def _decision(self, weights: Counts | None, present: Counts, who: str, means: Floats, ignored: Counts) -> Decision:
        languages = self.stream.languages
        changed = {}
        if weights is not None:
            with np.errstate(divide="ignore"):
                ratio = np.abs(np.log(np.maximum(weights, 0.5)) - np.log(np.maximum(present, 0.5)))
            order = np.argsort(-ratio, kind="stable")
            changed = {
                languages[i]: (float(present[i] / UNIT), float(weights[i] / UNIT))
                for i in order
                if weights[i] != present[i]
            }
        shown = [f"{lang} {before:.3g} to {after:.3g}" for lang, (before, after) in list(changed.items())[:_SHOWN]]
        return Decision(
            self.block,
            weights,
            who if not shown else f"{who} ({', '.join(shown)})",
            changed,
            {languages[i]: float(means[i]) for i in np.flatnonzero(np.isfinite(means))},
            {languages[i]: int(ignored[i]) for i in np.flatnonzero(ignored)},
        )


def check_step(config: SamplerConfig, rows: int) -> None:
    """Confirm that a decision is always made before a step needs it.

    Args:
        config: of the sampler.
        rows: of one step, all ranks together.

    Raises:
        ConfigurationError: a step of so many rows can hold rows that wait for the losses of others in it.
    """
    if config.feedback.policy != "none" and config.feedback.delay * config.block_rows < rows - 1:
        raise ConfigurationError(
            f"sampler.feedback.delay is {config.feedback.delay} blocks of {config.block_rows} rows, less than the "
            f"{rows} rows of a step",
            f"Set sampler.feedback.delay to {-(-(rows - 1) // config.block_rows)} or more",
        )


def named_shares(
    given: Mapping[str, float], present: Floats, languages: tuple[str, ...], sampled: Container[str] | None = None
) -> Floats:
    """A mixture in which some languages have the shares that were asked for.

    Args:
        given: share of each language named; those of all others keep their proportions in what is left.
        present: float64 [K], shares now.
        languages: K tags.
        sampled: those that can have a share now; None for all.

    Raises:
        ConfigurationError: a tag is unknown, a share is no number from 0 to 1, or they come to more than 1 (or to
            less, with no other language there).
    """
    example = f"Use the tags of the run, for example {', '.join(languages[:5])}"
    if not given:
        raise ConfigurationError("no language is named", example)
    asked = np.full(len(languages), np.nan)
    for tag, share in given.items():
        if tag not in languages:
            raise ConfigurationError(f"{tag} has no training tokens in this run", example)
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
            raise ConfigurationError(f"the share {share!r} of {tag} is none", "Give a number from 0 to 1")
        if share > 0 and sampled is not None and tag not in sampled:
            raise ConfigurationError(f"{tag} is not sampled in the present stage", "Ask again when its stage has begun")
        asked[languages.index(tag)] = share
    named = np.isfinite(asked)
    total = float(asked[named].sum())
    rest = float(present[~named].sum())
    if total > 1 + 1e-9:
        raise ConfigurationError(f"the shares come to {total:.6g}, which is more than 1", "Lower some of them")
    if total < 1 - 1e-6 and rest <= 0:
        raise ConfigurationError(
            f"the shares come to {total:.6g}, and no other language has a share", "Give shares that come to 1"
        )
    shares = np.where(named, asked, present / rest * max(0.0, 1 - total) if rest > 0 else 0.0)
    return np.asarray(shares / shares.sum(), dtype=np.float64)


def _json(values: Floats) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]
