"""From rows by number to the pieces in them: the documents of every language, as each stage views them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from corpus.errors import CorpusError
from sampler.config import Packing
from sampler.passes import LegCache, Passes
from sampler.pieces import Buffers
from sampler.sources import Sources
from sampler.windows import LanguageRows, Made, Windows, make, window_rows


class View:
    """The rows of all languages in one stage, or in several that read the same.

    Args:
        readers: which opens them.
        stage: number of the stage.
    """

    def __init__(self, readers: Readers, stage: int) -> None:
        source = readers.sources.stages[stage]
        sizes = [max(1, source.text.get(lang, 1)) for lang in readers.sources.languages]
        self.rows: NDArray[np.int64] = window_rows(sizes, readers.row_tokens)
        """Rows in a window of each language, [K]."""
        self._readers = readers
        self._stage = stage
        self.windows = Windows(self._windows, self.rows)

    def language(self, language: int) -> LanguageRows:
        """The rows of one language.

        Raises:
            CorpusError: its shards are missing or damaged.
        """
        return self._readers.language(self._stage, language, int(self.rows[language]))

    def _windows(self, wanted: Sequence[tuple[int, int]]) -> Made:
        return make([(self.language(language), number) for language, number in wanted])


class Readers:
    """The documents of a run's languages, opened when they are first read.

    Args:
        sources: what each stage reads.
        buffers: that rows are read into.
        seed: of every order.
        row_tokens: L.
        packing: how documents are laid into rows of one language.
    """

    def __init__(self, sources: Sources, buffers: Buffers, seed: int, row_tokens: int, packing: Packing) -> None:
        self.sources = sources
        self.row_tokens = row_tokens
        self._packing = packing
        self._buffers = buffers
        self._seed = seed
        self._legs = LegCache()
        self._numbers = sources.views
        self._views: dict[bytes, View] = {}
        self._languages: dict[tuple[int, int], LanguageRows] = {}

    def view(self, stage: int) -> View:
        """The rows of a stage."""
        key = self._numbers[stage].tobytes()
        found = self._views.get(key)
        if found is None:
            found = self._views[key] = View(self, stage)
        return found

    def language(self, stage: int, language: int, rows: int) -> LanguageRows:
        """The rows of one language; ``rows`` of them in a window.

        Raises:
            CorpusError: its shards are missing or damaged.
        """
        key = (int(self._numbers[stage][language]), language)
        found = self._languages.get(key)
        if found is None:
            source, lang = self.sources.stages[stage], self.sources.languages[language]
            documents = source.corpus.documents(lang)
            if documents.tokens != source.available[lang]:
                raise CorpusError(
                    f"the token shards of {lang} hold {documents.tokens - documents.documents:,} tokens, the snapshot "
                    f"says {source.available[lang] - documents.documents:,}",
                    "Run `evenglot verify` on the corpus to see what is damaged",
                )
            view, table = source.documents, None
            if not view.is_default:
                table = self.sources.tables.get(source.corpus, lang, view, self._seed)
            turn = int(self.sources.turns[stage][language])
            passes = Passes(documents, self._seed, self._legs, view, table, turn)
            found = LanguageRows(
                passes,
                language=language,
                first_run=self._buffers.register(passes),
                row_tokens=self.row_tokens,
                window_rows=rows,
                packing=self._packing,
            )
            self._languages[key] = found
        return found
