"""Which methods can make text of which language, by the models there are, and along which routes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from corpus.manifest import LanguageEvidence
from corpus.tags import english_name
from pipeline.augment.config import AugmentConfig
from pipeline.parents.budget import natural_bytes
from pipeline.translation.routes import NoRoute, Route, Routes


@dataclass(frozen=True)
class Way:
    """How text of a language is made from natural text of one language."""

    source: str
    """Language of the parents: the target itself for a paraphrase."""
    route: Route
    back: Route
    """To the parents' language, for round trips; empty where no model leads there, and of paraphrases."""


@dataclass(frozen=True)
class Ways:
    """What can be done for one language."""

    back_translation: tuple[Way, ...] = ()
    paraphrase: tuple[Way, ...] = ()
    missing: tuple[str, ...] = field(default=())
    """What cannot be done although it is asked for, and the way out."""


def find_ways(lang: str, languages: Mapping[str, LanguageEvidence], routes: Routes, config: AugmentConfig) -> Ways:
    """The ways to text of one language.

    Args:
        lang: tag.
        languages: evidence of all.
        routes: of the models.
        config: which methods, sources and pivots are asked for.
    """
    missing: list[str] = []
    translated: tuple[Way, ...] = ()
    said: tuple[Way, ...] = ()
    if config.back_translation.enabled:
        translated = _translations(lang, languages, routes, config)
        if not translated:
            missing.append(_no_translation(lang, languages, config))
    if config.paraphrase.enabled:
        said = _paraphrases(lang, languages, routes, config)
        if not said:
            missing.append(
                f"no model translates {english_name(lang)} ({lang}) into another language and back: fetch one with "
                "`evenglot models fetch`, or train one with `evenglot translator fit`"
            )
    return Ways(translated, said, tuple(missing))


def _translations(
    lang: str, languages: Mapping[str, LanguageEvidence], routes: Routes, config: AugmentConfig
) -> tuple[Way, ...]:
    asked = config.back_translation.sources
    own = natural_bytes(languages[lang]) if lang in languages else 0
    sizes = {tag: natural_bytes(known) for tag, known in languages.items()}
    found: dict[str, Route] = {}
    for source in asked or sorted(tag for tag in sizes if sizes[tag] > own):
        if source != lang and sizes.get(source, 0) and routes.reaches(source, lang):
            found[source] = routes.find(source, lang)
    chosen = list(found)
    if found and not asked:
        chosen = [min(found, key=lambda tag: (len(found[tag]), -sizes[tag], tag))]
    return tuple(Way(tag, found[tag], _find(routes, lang, tag)) for tag in chosen)


def _paraphrases(
    lang: str, languages: Mapping[str, LanguageEvidence], routes: Routes, config: AugmentConfig
) -> tuple[Way, ...]:
    if not (lang in languages and natural_bytes(languages[lang])):
        return ()
    asked = config.paraphrase.pivots
    known = sorted({tag for pair in routes.direct for tag in pair})
    found: dict[str, Route] = {}
    for pivot in asked or known:
        if pivot != lang and routes.reaches(lang, pivot) and routes.reaches(pivot, lang):
            found[pivot] = (*routes.find(lang, pivot), *routes.find(pivot, lang))
    if not found:
        return ()
    size = {tag: natural_bytes(languages[tag]) if tag in languages else 0 for tag in found}
    rank = {tag: number for number, tag in enumerate(asked)} if asked else {}
    pivot = min(found, key=lambda tag: (rank.get(tag, 0), len(found[tag]), -size[tag], tag))
    return (Way(lang, found[pivot], ()),)


def _find(routes: Routes, source: str, target: str) -> Route:
    try:
        return routes.find(source, target)
    except NoRoute:
        return ()


def _no_translation(lang: str, languages: Mapping[str, LanguageEvidence], config: AugmentConfig) -> str:
    asked = config.back_translation.sources
    whence = f"from {', '.join(asked)}" if asked else "from a language with more text"
    return (
        f"no model translates into {english_name(lang)} ({lang}) {whence}: fetch one with `evenglot models fetch`, or "
        "train one from parallel text with `evenglot translator fit`"
    )
