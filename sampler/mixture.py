"""The shares that a recipe asks for."""

from __future__ import annotations

from collections.abc import Mapping

from corpus import mixtures
from corpus.errors import ConfigurationError
from sampler.config import SamplerConfig


def shares(config: SamplerConfig, sizes: Mapping[str, int]) -> dict[str, float]:
    """The share of each language in the rows.

    Args:
        config: names the mixture and its caps.
        sizes: training tokens of each language, all positive.

    Returns:
        probabilities in the order of the sizes, of sum 1.

    Raises:
        ConfigurationError: the mixture names a language without tokens, or cannot be computed.
    """
    budget = float(config.budget_tokens or sum(sizes.values()))
    if isinstance(config.mixture, dict):
        unknown = sorted(set(config.mixture) - set(sizes))
        if unknown:
            raise ConfigurationError(
                f"sampler.mixture names {unknown[0]}, which has no training tokens here",
                f"Use the tags of the corpus, for example {', '.join(list(sizes)[:5])}",
            )
        if any(share < 0 for share in config.mixture.values()):
            raise ConfigurationError("sampler.mixture holds a share below 0", "Give each language a share of 0 or more")
        chosen = mixtures.proportional({lang: config.mixture.get(lang, 0.0) for lang in sizes})
    elif config.mixture == "unimax":
        chosen = mixtures.unimax(sizes, config.epochs, budget)
    elif config.mixture == "temperature":
        chosen = mixtures.temperature(sizes, config.alpha)
    elif config.mixture == "proportional":
        chosen = mixtures.proportional(sizes)
    else:
        chosen = mixtures.temperature(sizes, 0.0)
    if config.max_repeats is not None or config.floor > 0:
        named = {lang: share for lang, share in chosen.items() if share > 0}
        bounded = mixtures.capped(named, sizes, budget=budget, max_repeats=config.max_repeats, floor=config.floor)
        chosen = {lang: bounded.get(lang, 0.0) for lang in sizes}
    return chosen
