"""Bytes of synthetic text that each language may get, and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Final

from corpus.manifest import LanguageEvidence
from pipeline.parents.config import BudgetConfig, LanguageBudget

BACK_TRANSLATION: Final = "back_translation"
PARAPHRASE: Final = "paraphrase"
INSERTION: Final = "insertion"
METHODS: Final = (BACK_TRANSLATION, PARAPHRASE, INSERTION)
"""In the order of ``corpus.schema.ORIGINS``."""


@dataclass(frozen=True)
class Budget:
    """What one language may get."""

    bytes: int
    """UTF-8 bytes of synthetic text, of all methods."""
    why: str
    """Which rule set it, in one line."""
    methods: Mapping[str, int]
    """Bytes by method; they add up to ``bytes``."""


def budget(
    languages: Mapping[str, LanguageEvidence],
    config: BudgetConfig,
    methods: Mapping[str, Collection[str]] | None = None,
    most: Mapping[str, float] | None = None,
) -> dict[str, Budget]:
    """The budget of every language, those that get nothing among them.

    A language of N natural bytes gets what keeps synthetic text at ``share`` of it, N · share / (1 - share), but never
    grows beyond the size below which languages get any. Synthetic text that it has already counts. Where all wishes
    exceed the bound of the corpus, each gets what it wishes up to a common level: the smallest are served first.

    Args:
        languages: evidence by language.
        config: of the recipe.
        methods: which of ``METHODS`` can make text of each language; None where all can.
        most: by method, what it may make at most, in parts of a language's natural text; back-translation gets what a
            method may not.
    """
    natural = {lang: natural_bytes(languages[lang]) for lang in sorted(languages)}
    below, bound = _below(natural, config)
    wishes: dict[str, dict[str, int]] = {}
    why: dict[str, str] = {}
    for lang, size in natural.items():
        wish, why[lang] = _wish(lang, size, languages[lang].synthetic_bytes, below, bound, config)
        able = METHODS if methods is None else methods.get(lang, ())
        wishes[lang] = _split(wish, able, config, {method: int(size * part) for method, part in (most or {}).items()})
        possible = sum(wishes[lang].values())
        if possible < wish:
            only = " and ".join(method for method in METHODS if method in able)
            why[lang] += f"; {amount(possible)} of it, by {only} alone" if only else "; but no method can make any"
    total = _total(natural, languages, config)
    level = _level([sum(parts.values()) for parts in wishes.values()], total)
    budgets = {}
    for lang, parts in wishes.items():
        wish = sum(parts.values())
        if level is not None and wish > level:
            parts = {method: size * level // wish for method, size in parts.items()}
            why[lang] += f"; cut to {amount(level)}, since all languages together may get {amount(total or 0)}"
        budgets[lang] = Budget(sum(parts.values()), why[lang], parts)
    return budgets


def natural_bytes(evidence: LanguageEvidence) -> int:
    """UTF-8 bytes of the natural training documents."""
    return max(evidence.bytes - evidence.synthetic_bytes, 0)


def amount(size: int) -> str:
    """A number of bytes as people read it: ``0.9 MB``."""
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}" if size < 10 * unit else f"{size / unit:.0f} {name}"
    return f"{size} B"


def _below(natural: Mapping[str, int], config: BudgetConfig) -> tuple[int | None, str]:
    """The size below which languages get text, and what set it."""
    sizes = [size for size in natural.values() if size]
    bounds = []
    if config.below_bytes is not None:
        bounds.append((config.below_bytes, "below_bytes"))
    if config.below_share is not None and sizes:
        bounds.append((int(config.below_share * max(sizes)), f"{config.below_share:g} of the largest language"))
    if config.below_median is not None and sizes:
        bounds.append((int(config.below_median * median(sizes)), f"{config.below_median:g} × the median language"))
    return min(bounds) if bounds else (None, "")


def _wish(lang: str, size: int, present: int, below: int | None, bound: str, config: BudgetConfig) -> tuple[int, str]:
    """What a language would get if no other did, and why."""
    if size < config.least_bytes:
        return 0, f"{amount(size)} of natural text are too little to compare with"
    own = config.languages.get(lang)
    if own is None:
        own = LanguageBudget()
    elif own.share == 0 or own.bytes == 0:
        return 0, "switched off by name"
    else:
        below = None  # named by hand
    if below is not None and size >= below:
        return 0, f"{amount(size)} of natural text are enough: the bound is {amount(below)} ({bound})"
    share = config.share if own.share is None else own.share
    limits = [(int(size * share / (1 - share)), f"share {share:g}")]
    if below is not None:
        limits.append((below - size, f"none beyond {amount(below)} ({bound})"))
    if own.bytes is not None:
        limits.append((own.bytes, "set by name"))
    elif config.max_bytes is not None:
        limits.append((config.max_bytes, "max_bytes"))
    wish, why = min(limits, key=lambda limit: limit[0])
    if present:
        why += f", less {amount(present)} that it has"
    wish = max(wish - present, 0)
    return wish, f"{amount(wish)} for {amount(size)} of natural text: {why}"


def _split(size: int, able: Collection[str], config: BudgetConfig, most: Mapping[str, int]) -> dict[str, int]:
    """A budget by method. Back-translation takes what is left; without it that is not used."""
    parts = {PARAPHRASE: int(size * config.paraphrase), INSERTION: int(size * config.insertion)}
    parts = {method: min(part, most.get(method, part)) if method in able else 0 for method, part in parts.items()}
    rest = size - sum(parts.values()) if BACK_TRANSLATION in able else 0
    return {BACK_TRANSLATION: rest, **parts}


def _total(natural: Mapping[str, int], languages: Mapping[str, LanguageEvidence], config: BudgetConfig) -> int | None:
    """Synthetic bytes that may be added to all languages together; None where nothing bounds them."""
    bounds = []
    if config.total_share is not None:
        bounds.append(int(sum(natural.values()) * config.total_share / (1 - config.total_share)))
    if config.total_bytes is not None:
        bounds.append(config.total_bytes)
    present = sum(evidence.synthetic_bytes for evidence in languages.values())
    return max(min(bounds) - present, 0) if bounds else None


def _level(wishes: list[int], total: int | None) -> int | None:
    """The size to which wishes are cut so that their sum is no more than ``total``; None where none has to be."""
    if total is None or sum(wishes) <= total:
        return None
    rest = total
    ordered = sorted(wishes)
    for place, wish in enumerate(ordered):
        level = rest // (len(ordered) - place)
        if wish > level:
            return level
        rest -= wish
    return None
