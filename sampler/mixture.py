"""The shares that a recipe asks for, within floors and caps on repeats.

Floors and caps hold under every mixture: named, given by hand in the recipe, or set while the run goes on. A cap
counts what was sampled before, in earlier stages too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from corpus import mixtures
from corpus.errors import ConfigurationError
from sampler.config import MixtureName, SamplerConfig, Stage

Given = Mapping[str, float]


class Rule(NamedTuple):
    """The settings of one stage's mixture."""

    mixture: MixtureName | dict[str, float]
    alpha: float
    epochs: float
    max_repeats: float | None
    floor: float
    where: str
    """The section of the recipe, for messages."""

    @property
    def reason(self) -> str:
        """What the log calls its shares."""
        return "recipe" if isinstance(self.mixture, dict) else self.mixture


def rule(config: SamplerConfig, stage: Stage | None = None) -> Rule:
    """The settings of a stage, those of the section around it where it has none."""
    found = {
        name: getattr(config, name) if stage is None or getattr(stage, name) is None else getattr(stage, name)
        for name in ("mixture", "alpha", "epochs", "max_repeats", "floor")
    }
    return Rule(**found, where="sampler" if stage is None else f"sampler.stages.{stage.name}")


def shares(
    rule: Rule, sizes: Mapping[str, float], tokens: float, given: Given | None = None, *, strict: bool = True
) -> dict[str, float]:
    """The share of each language in the rows.

    Args:
        rule: names the mixture, its floor and its caps.
        sizes: training tokens of each language, all positive.
        tokens: to be sampled under the mixture.
        given: tokens of each language that were sampled before.
        strict: refuse a floor that asks for more than all rows, and caps that leave less than is to be sampled;
            else such shares are even, or proportional to what the caps leave. A single language's cap wins over
            its floor in any case.

    Returns:
        probabilities in the order of the sizes, of sum 1.

    Raises:
        ConfigurationError: the mixture names a language without tokens, cannot be computed, or contradicts itself.
    """
    if isinstance(rule.mixture, dict):
        unknown = sorted(set(rule.mixture) - set(sizes))
        if unknown:
            raise ConfigurationError(
                f"{rule.where}.mixture names {unknown[0]}, which has no training tokens here",
                f"Use the tags of the corpus, for example {', '.join(list(sizes)[:5])}",
            )
        if any(share < 0 for share in rule.mixture.values()):
            raise ConfigurationError(
                f"{rule.where}.mixture holds a share below 0", "Give each language a share of 0 or more"
            )
        if not sum(rule.mixture.values()) > 0:
            raise ConfigurationError(
                f"{rule.where}.mixture has no share above 0", "Give one language or more a positive share"
            )
        chosen = mixtures.proportional({lang: rule.mixture.get(lang, 0.0) for lang in sizes})
    elif rule.mixture == "unimax":
        chosen = mixtures.unimax(sizes, rule.epochs, tokens, given)
    elif rule.mixture == "temperature":
        chosen = mixtures.temperature(sizes, rule.alpha)
    elif rule.mixture == "proportional":
        chosen = mixtures.proportional(sizes)
    else:
        chosen = mixtures.temperature(sizes, 0.0)
    # The floor is for every language of the stage, but not for one that a mixture by hand leaves out.
    wanted = {lang: share for lang, share in chosen.items() if share > 0 or not isinstance(rule.mixture, dict)}
    return bounded(wanted, rule, sizes, tokens, given, strict=strict)


def bounded(
    chosen: Mapping[str, float],
    rule: Rule,
    sizes: Mapping[str, float],
    tokens: float,
    given: Given | None = None,
    *,
    strict: bool = True,
) -> dict[str, float]:
    """Shares within a rule's floor and cap on repeats.

    Args:
        chosen: shares of some of the languages; the others get none, whatever the floor.
        rule: of the stage; arguments and errors are otherwise those of :func:`shares`.
    """
    found: Mapping[str, float] = chosen
    if rule.max_repeats is not None or rule.floor > 0:
        if strict:
            _confirm(rule, {lang: sizes[lang] for lang in chosen}, tokens, given or {})
        found = mixtures.capped(
            chosen, sizes, budget=tokens, max_repeats=rule.max_repeats, floor=rule.floor, given=given
        )
    return {lang: found.get(lang, 0.0) for lang in sizes}


def _confirm(rule: Rule, sizes: Mapping[str, float], tokens: float, given: Given) -> None:
    """Refuse floors or caps that no mixture can keep.

    Raises:
        ConfigurationError: with the numbers and the settings that would fit.
    """
    if rule.floor * len(sizes) > 1 + 1e-9:
        raise ConfigurationError(
            f"{rule.where}.floor {rule.floor:g} for {len(sizes)} languages asks for "
            f"{rule.floor * len(sizes):.0%} of the rows",
            f"Set it to {_down(1 / len(sizes))} or less, or name fewer languages",
        )
    if rule.max_repeats is None:
        return
    room = {lang: max(0.0, size * rule.max_repeats - given.get(lang, 0.0)) for lang, size in sizes.items()}
    if sum(room.values()) < tokens * (1 - 1e-6):
        before = sum(given.get(lang, 0.0) for lang in sizes)
        already = f", {before:,.0f} of them sampled before" if before else ""
        allowed = sum(sizes.values()) * rule.max_repeats
        raise ConfigurationError(
            f"{rule.where}.max_repeats {rule.max_repeats:g} allows {allowed:,.0f} tokens of its {len(sizes)} "
            f"languages{already}; {tokens:,.0f} are to be sampled",
            f"Raise it to {_up((tokens + before) / sum(sizes.values()))} or more, sample fewer tokens, or add "
            "languages",
        )


def _up(value: float) -> str:
    """Three digits, not below the value."""
    step = _step(value)
    return f"{math.ceil(value / step) * step:.10g}"


def _down(value: float) -> str:
    """Three digits, not above the value."""
    step = _step(value)
    return f"{math.floor(value / step) * step:.10g}"


def _step(value: float) -> float:
    return 10.0 ** (math.floor(math.log10(value)) - 2) if value > 0 else 1.0
