"""Policies: from losses by language to scores, as pure functions registered by name.

A policy gives each language a score; its share is then the recipe's share times exp(score), brought to sum 1
(:func:`sampler.feedback.bounds.follow`). A score that is not a number says that nothing is known: the language
keeps the share it has. What a policy has to remember is one number for each language.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from corpus.errors import ConfigurationError
from sampler.feedback.config import FeedbackConfig

Floats = NDArray[np.float64]


class Evidence(NamedTuple):
    """What a policy sees at a decision, each float64 [K], not a number where it is not known."""

    loss: Floats
    """Mean loss since the language was last believed, nats per token."""
    memory: Floats
    """What the policy left at its last decision."""
    baseline: Floats
    """Loss to compare with, nats per token."""
    shares: Floats
    """Present mixture, of sum 1."""


class Verdict(NamedTuple):
    """What a policy says, each float64 [K]."""

    score: Floats
    """Exponent over the recipe's share; not a number keeps the present share."""
    memory: Floats
    """For the next decision, from -16 to 16; not a number when there is none."""


Policy = Callable[[Evidence, FeedbackConfig], Verdict]

_POLICIES: Final[dict[str, Policy]] = {}


def register(name: str) -> Callable[[Policy], Policy]:
    """A decorator that makes a policy known under a name; registering a name again replaces it."""

    def keep(policy: Policy) -> Policy:
        _POLICIES[name] = policy
        return policy

    return keep


def load(name: str) -> Policy:
    """The policy of a name.

    Raises:
        ConfigurationError: there is none.
    """
    if name not in _POLICIES:
        raise ConfigurationError(f"there is no policy {name!r}", f"Choose one of {', '.join(sorted(_POLICIES))}")
    return _POLICIES[name]


@register("none")
def none(evidence: Evidence, config: FeedbackConfig) -> Verdict:
    """Every language keeps its share."""
    return Verdict(np.full_like(evidence.loss, np.nan), evidence.memory)


@register("excess")
def excess(evidence: Evidence, config: FeedbackConfig) -> Verdict:
    """Languages whose loss lies above their baseline come more often.

    score = rate * (m - b), with m the running mean loss, decay * m + (1 - decay) * loss, and b the baseline. The
    shares p * exp(score) maximise sum_l w_l (m_l - b_l) - KL(w || p) / rate over all mixtures w: the worst case over
    languages that DoReMi looks for (Xie et al. 2023, arXiv 2305.10429), kept near the recipe's mixture p. DoReMi adds
    the scores of all steps up and cuts excesses at zero; here old ones fade and languages below their baseline give
    share away.
    """
    running = _running(evidence, config)
    fresh = np.where(np.isfinite(evidence.loss), running, np.nan)
    return Verdict(config.rate * (fresh - evidence.baseline), running)


@register("progress")
def progress(evidence: Evidence, config: FeedbackConfig) -> Verdict:
    """Languages whose loss falls fast come more often; those that are learnt, or cannot be, less.

    score = rate * (m - loss) / m, with m the running mean of the losses before: the relative fall. Cf. the learning
    speed of ADO (Jiang et al. 2024, arXiv 2410.11820), who take it from a fitted power law instead.
    """
    fall = (evidence.memory - evidence.loss) / evidence.memory
    return Verdict(config.rate * fall, _running(evidence, config))


@register("exponentiated_gradient")
def exponentiated_gradient(evidence: Evidence, config: FeedbackConfig) -> Verdict:
    """Shares grow with the loss, decision by decision.

    score += rate * (g - sum_l w_l g_l), g = loss - baseline, or the loss where no baseline is given, w the present
    shares of the languages seen: the exponentiated gradient step of group DRO (Sagawa et al. 2020, arXiv 1911.08731)
    on sum_l w_l g_l. With a baseline, a language without one keeps its share.
    """
    gradient = evidence.loss - (evidence.baseline if config.baseline is not None else 0.0)
    seen = np.isfinite(gradient)
    weights = np.where(seen, evidence.shares, 0.0)
    total = float(weights.sum())
    if total <= 0:
        return Verdict(np.full_like(gradient, np.nan), evidence.memory)
    centre = float(np.sum(weights[seen] * gradient[seen])) / total
    before = np.nan_to_num(evidence.memory, nan=0.0)
    score = np.clip(before + config.rate * (gradient - centre), -7.5, 7.5)
    return Verdict(score, np.where(seen, score, evidence.memory))


def _running(evidence: Evidence, config: FeedbackConfig) -> Floats:
    """The running mean loss with the new one, which is taken whole where there was none before."""
    known, fresh = np.isfinite(evidence.memory), np.isfinite(evidence.loss)
    mixed = config.decay * evidence.memory + (1 - config.decay) * evidence.loss
    return np.where(known & fresh, mixed, np.where(fresh, evidence.loss, evidence.memory))
