"""Which methods can make text of which language, by the models there are, and along which routes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from corpus.manifest import LanguageEvidence
from corpus.tags import english_name
from pipeline.augment.config import AugmentConfig
from pipeline.parents.budget import natural_bytes
from pipeline.translation.routes import NoRoute, Route, Routes

LOOKED_AT: Final = 20
"""Languages, the largest, from which a way through others is looked for where no model leads to a target directly."""


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


class WayFinder:
    """Ways to text of any language.

    Args:
        languages: evidence of all.
        routes: of the models.
        config: which methods, sources and pivots are asked for.
    """

    def __init__(self, languages: Mapping[str, LanguageEvidence], routes: Routes, config: AugmentConfig) -> None:
        self.routes, self.config = routes, config
        self.sizes = {lang: natural_bytes(known) for lang, known in languages.items()}
        self.direct = frozenset(routes.direct)
        self.targets = frozenset(target for _, target in self.direct)
        self.known = sorted({lang for pair in self.direct for lang in pair})
        self.by_size = sorted(
            (lang for lang in self.sizes if self.sizes[lang]), key=lambda lang: (-self.sizes[lang], lang)
        )

    def find(self, lang: str) -> Ways:
        """The ways to text of one language."""
        missing: list[str] = []
        translated: tuple[Way, ...] = ()
        said: tuple[Way, ...] = ()
        if self.config.back_translation.enabled:
            translated = self._translations(lang)
            if not translated:
                missing.append(_no_translation(lang, self.config))
        if self.config.paraphrase.enabled:
            said = self._paraphrases(lang)
            if not said:
                missing.append(
                    f"no model translates {english_name(lang)} ({lang}) into another language and back: fetch one with "
                    "`evenglot models fetch`, or train one with `evenglot translator fit`"
                )
        return Ways(translated, said, tuple(missing))

    def _translations(self, lang: str) -> tuple[Way, ...]:
        if lang not in self.targets:
            return ()  # no route can end there
        asked = self.config.back_translation.sources
        if asked:
            able = [one for one in asked if one != lang and self.sizes.get(one) and self.routes.reaches(one, lang)]
            return tuple(self._way(source, lang) for source in able)
        larger = [one for one in self.by_size if self.sizes[one] > self.sizes.get(lang, 0)]
        near = [one for one in larger if (one, lang) in self.direct]
        if near:
            return (self._way(near[0], lang),)
        found = [self._way(one, lang) for one in larger[:LOOKED_AT] if self.routes.reaches(one, lang)]
        return (min(found, key=lambda way: len(way.route)),) if found else ()

    def _paraphrases(self, lang: str) -> tuple[Way, ...]:
        if not self.sizes.get(lang) or lang not in self.targets:
            return ()
        asked = self.config.paraphrase.pivots
        known = asked or sorted(self.known, key=lambda one: (-self.sizes.get(one, 0), one))
        near = [one for one in known if {(lang, one), (one, lang)} <= self.direct]
        if near and not asked:
            known = near[:1]
        found = [
            (*self.routes.find(lang, one), *self.routes.find(one, lang))
            for one in known[:LOOKED_AT]
            if one != lang and self.routes.reaches(lang, one) and self.routes.reaches(one, lang)
        ]
        if not found:
            return ()
        return (Way(lang, found[0] if asked else min(found, key=len), ()),)

    def _way(self, source: str, lang: str) -> Way:
        return Way(source, self.routes.find(source, lang), _find(self.routes, lang, source))


def _find(routes: Routes, source: str, target: str) -> Route:
    try:
        return routes.find(source, target)
    except NoRoute:
        return ()


def _no_translation(lang: str, config: AugmentConfig) -> str:
    asked = config.back_translation.sources
    whence = f"from {', '.join(asked)}" if asked else "from a language with more text"
    return (
        f"no model translates into {english_name(lang)} ({lang}) {whence}: fetch one with `evenglot models fetch`, or "
        "train one from parallel text with `evenglot translator fit`"
    )
