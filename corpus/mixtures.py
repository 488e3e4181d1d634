"""Mixtures: how often each language is sampled, from the evidence on its size.

All functions take sizes (training bytes or tokens per language) and give probabilities that sum to 1, in
the order of the sizes' keys.
"""

from __future__ import annotations

from collections.abc import Mapping

from corpus.errors import ConfigurationError

Sizes = Mapping[str, float]
Probabilities = dict[str, float]


def proportional(sizes: Sizes) -> Probabilities:
    """Each language by its size: q_l = n_l / sum n. What happens when nobody intervenes."""
    total = _total(sizes)
    return {lang: size / total for lang, size in sizes.items()}


def temperature(sizes: Sizes, alpha: float) -> Probabilities:
    """Exponent smoothing, q_l proportional to n_l ** alpha (Conneau et al. 2020, arXiv 1911.02116: alpha 0.3).

    Args:
        sizes: size of each language.
        alpha: 1 is proportional, 0 is uniform.

    Raises:
        ConfigurationError: alpha is outside 0 to 1.
    """
    if not 0 <= alpha <= 1:
        raise ConfigurationError(
            f"mixture exponent alpha is {alpha}", "Choose a value from 0 (uniform) to 1 (proportional)"
        )
    shares = proportional(sizes)
    powered = {lang: share**alpha if share > 0 else 0.0 for lang, share in shares.items()}
    return proportional(powered)


def unimax(
    sizes: Sizes, epochs: float, budget: float | None = None, given: Mapping[str, float] | None = None
) -> Probabilities:
    """UniMax (Chung et al. 2023, arXiv 2304.09151): as even as a cap on repeats allows.

    The budget is dealt out evenly, smallest language first; one that would be repeated too often gets its
    cap and leaves the rest to the others. When every language is capped the shares are proportional to what the
    caps leave, and to the sizes when they leave nothing.

    Args:
        sizes: size of each language.
        epochs: largest number of passes over any language.
        budget: amount to be sampled in all, in the unit of the sizes; None takes one pass over the corpus.
        given: amount of each language that was sampled before, which counts towards its cap.

    Raises:
        ConfigurationError: epochs or budget is not positive.
    """
    if epochs <= 0:
        raise ConfigurationError(f"UniMax cap is {epochs} epochs", "Choose a positive number, for example 4")
    remaining = _total(sizes) if budget is None else budget
    if remaining <= 0:
        raise ConfigurationError(f"UniMax budget is {budget}", "Choose a positive number")
    room = _room(sizes, epochs, given)
    present = sorted((lang for lang in sizes if room[lang] > 0), key=lambda lang: (room[lang], lang))
    if not present:
        return proportional(sizes)
    dealt = dict.fromkeys(sizes, 0.0)
    for index, lang in enumerate(present):
        dealt[lang] = min(remaining / (len(present) - index), room[lang])
        remaining -= dealt[lang]
    return proportional(dealt)


def capped(
    probabilities: Mapping[str, float],
    sizes: Sizes,
    *,
    budget: float,
    max_repeats: float | None = None,
    floor: float = 0.0,
    given: Mapping[str, float] | None = None,
) -> Probabilities:
    """Bound a mixture: no language repeated more than ``max_repeats`` times within the budget, none under ``floor``.

    What the floor gives is taken from the languages above it in their proportion, and what the cap takes away goes
    to the uncapped ones. The cap wins over the floor; when all languages reach their cap the shares are proportional
    to what the caps leave, and where they leave nothing at all the cap is set aside. A floor that is more than an
    even share makes the shares even. ``given`` is what was sampled before and counts towards the caps.
    """
    limits = dict.fromkeys(probabilities, 1.0)
    if max_repeats is not None:
        left = _room({lang: sizes[lang] for lang in probabilities}, max_repeats, given)
        if any(left[lang] > 0 for lang, p in probabilities.items() if p > 0):
            limits = {lang: min(1.0, amount / budget) for lang, amount in left.items()}
    wanted = _lifted({lang: p for lang, p in probabilities.items() if sizes[lang] > 0}, floor)
    fixed: dict[str, float] = {}
    while True:
        free = {lang: p for lang, p in wanted.items() if lang not in fixed and p > 0}
        room = 1.0 - sum(fixed.values())
        total = sum(free.values())
        if not free or room <= 0:
            break
        over = {lang: limits[lang] for lang, p in free.items() if p / total * room > limits[lang]}
        if not over:
            fixed.update({lang: p / total * room for lang, p in free.items()})
            break
        fixed.update(over)
    return proportional({lang: fixed.get(lang, 0.0) for lang in probabilities})


def _room(sizes: Sizes, passes: float, given: Mapping[str, float] | None) -> dict[str, float]:
    """What a cap on passes leaves of each language after what was given."""
    before = given or {}
    return {lang: max(0.0, size * passes - before.get(lang, 0.0)) for lang, size in sizes.items()}


def _lifted(probabilities: Mapping[str, float], floor: float) -> Probabilities:
    """Shares of sum 1, none under the floor; those above it keep their proportion to each other."""
    if not probabilities:
        return {}
    floor = min(floor, 1 / len(probabilities))
    lifted: set[str] = set()
    while True:
        free = {lang: p for lang, p in probabilities.items() if lang not in lifted}
        total = sum(free.values())
        room = 1.0 - floor * len(lifted)
        low = {lang for lang, p in free.items() if total <= 0 or p / total * room < floor}
        if not low:
            return {lang: floor if lang in lifted else p / total * room for lang, p in probabilities.items()}
        lifted |= low
        if len(lifted) == len(probabilities):
            return dict.fromkeys(probabilities, 1 / len(probabilities))


def repeats(probabilities: Mapping[str, float], sizes: Sizes, budget: float) -> dict[str, float]:
    """Passes over each language when ``budget`` is sampled under the mixture; 0 for an empty language."""
    return {lang: p * budget / sizes[lang] if sizes[lang] else 0.0 for lang, p in probabilities.items()}


def relative_weights(probabilities: Mapping[str, float], sizes: Sizes) -> dict[str, float]:
    """Weight of one unit of text of each language relative to proportional sampling; 1 is unchanged."""
    natural = proportional(sizes)
    return {lang: p / natural[lang] if natural[lang] else 0.0 for lang, p in probabilities.items()}


def _total(sizes: Sizes) -> float:
    total = float(sum(sizes.values()))
    if total <= 0:
        raise ConfigurationError(
            "no language has any text to balance", "Look at the rejected records: `evenglot inspect`"
        )
    return total
