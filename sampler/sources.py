"""Which snapshot each stage reads, and which languages it has there."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from corpus.errors import ConfigurationError, CorpusError
from sampler.config import SamplerConfig, Stage
from sampler.index import TokenCorpus
from sampler.quota import Counts
from sampler.tables import Tables
from sampler.view import DocumentsConfig

_LOGGER = logging.getLogger(__name__)


class Source(NamedTuple):
    """What one stage reads."""

    corpus: TokenCorpus
    languages: tuple[str, ...]
    """Its languages, sorted."""
    available: dict[str, int]
    """Training tokens of each language of its snapshot, one for the beginning of each document included."""
    documents: DocumentsConfig
    """The view of their documents."""
    text: Mapping[str, int]
    """Training tokens of the distinct documents that the view keeps of each language that is read in the stage, those
    that only fade out in it included; of the snapshot's other languages the same as ``available``."""
    left_out: Mapping[str, int]
    """Tokens of each language that its cap on synthetic text leaves out of a pass, where there are any."""

    @property
    def sizes(self) -> dict[str, int]:
        """Training tokens of its languages, of the documents that its view keeps."""
        return {lang: self.text[lang] for lang in self.languages}

    @property
    def kept(self) -> dict[str, float]:
        """The part of each language's text that the view keeps, where that is not all of it."""
        return {
            lang: tokens / self.available[lang] for lang, tokens in self.text.items() if tokens != self.available[lang]
        }


class Sources:
    """What the stages of a recipe read.

    Args:
        root: corpus root, path or URL.
        tokenizer: name of the tokenizer in the snapshots.
        config: the recipe's section.
        seed: of every order.
        snapshot: number that the first stage reads; None takes the current one.
        pinned: numbers that the first stages read, whatever the recipe says: those of stages that have begun.
        tables: of languages under views; those that are missing are added.

    Raises:
        CorpusError: there is no such corpus, snapshot or tokenizer, or it has no training tokens.
        ConfigurationError: a stage names a language that its snapshot has no training tokens of, or its view leaves
            no document of one.
    """

    def __init__(
        self,
        root: str,
        tokenizer: str,
        config: SamplerConfig,
        seed: int,
        snapshot: int | None,
        pinned: Sequence[int] = (),
        tables: Tables | None = None,
    ) -> None:
        self.tables = Tables() if tables is None else tables
        self.seed = seed
        self.stages: list[Source] = []
        opened: dict[int, TokenCorpus] = {}
        for number, stage in enumerate(config.stages or (None,)):
            wanted = snapshot if number == 0 else self.stages[-1].corpus.snapshot.number
            if stage is not None and stage.snapshot is not None:
                wanted = None if stage.snapshot == "current" else stage.snapshot
            if number < len(pinned):
                wanted = pinned[number]
            corpus = opened.get(wanted) if wanted is not None else None
            if corpus is None:
                corpus = TokenCorpus(root, tokenizer, "train", wanted, config.cache)
                corpus = opened.setdefault(corpus.snapshot.number, corpus)
            _same_pieces(self.stages[0].corpus if self.stages else corpus, corpus, tokenizer)
            self.stages.append(_source(root, config, stage, corpus))
        _known(config, self.stages)
        read: frozenset[str] = frozenset()
        for number, source in enumerate(self.stages):
            fading = read if config.stages and config.stages[number].transition else frozenset()
            read = frozenset(source.languages) | (fading & set(source.available))
            self.stages[number] = self._looked(source, sorted(read))

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """Tags of all stages: those of the first sorted, then those that each later one adds.

        A language keeps its number when later stages, or a new snapshot's, bring others.
        """
        found: dict[str, None] = {}
        for source in self.stages:
            found.update(dict.fromkeys(source.languages))
        return tuple(found)

    @cached_property
    def absent(self) -> list[frozenset[str]]:
        """For each stage, the languages of other stages that its snapshot has no training tokens of."""
        return [frozenset(self.languages) - set(source.available) for source in self.stages]

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Training tokens of each language that the view keeps, in the last stage whose snapshot has it."""
        return {
            lang: next(source.text[lang] for source in reversed(self.stages) if lang in source.available)
            for lang in self.languages
        }

    @cached_property
    def views(self) -> list[Counts]:
        """For each stage and language, the number of the view it is read from, int64 [K].

        Equal numbers mean the same token shards and the same choice and order of documents.
        """
        if len(self.stages) == 1:
            return [np.zeros(len(self.languages), dtype=np.int64)]
        numbers: dict[tuple[str, str], int] = {}
        found = []
        for source in self.stages:
            view = source.documents.model_dump_json()
            keys = [
                (source.corpus.fingerprint([lang]) if lang in source.available else "", view) for lang in self.languages
            ]
            found.append(np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64))
        return found

    @cached_property
    def turns(self) -> list[Counts]:
        """For each stage and language, how many other views it was read from in the stages before its view came up,
        int64 [K]."""
        met: list[list[int]] = [[] for _ in self.languages]
        found = []
        for numbers in self.views:
            for known, number in zip(met, numbers.tolist(), strict=True):
                if number not in known:
                    known.append(number)
            found.append(np.array([known.index(n) for known, n in zip(met, numbers.tolist(), strict=True)], np.int64))
        return found

    def _looked(self, source: Source, read: Sequence[str]) -> Source:
        """A source with what its view keeps; looks at no document where that is the default one."""
        if source.documents.is_default:
            return source
        contents = {lang: self.tables.get(source.corpus, lang, source.documents, self.seed).contents for lang in read}
        left_out = {lang: found.left_out_tokens for lang, found in contents.items() if found.left_out_tokens}
        if left_out:
            most = max(left_out, key=lambda lang: (left_out[lang], lang))
            message = (
                f"max_synthetic_share {source.documents.max_synthetic_share:g} leaves out {sum(left_out.values()):,} "
                f"tokens of {len(left_out)} languages in a pass for want of natural text, {left_out[most]:,} of them "
                f"of {most}, which keeps {contents[most].tokens:,}"
            )
            if self.tables.first(message):
                _LOGGER.warning("%s", message)
        text = source.available | {lang: found.distinct_tokens for lang, found in contents.items()}
        return source._replace(text=text, left_out=left_out)


def _source(root: str, config: SamplerConfig, stage: Stage | None, corpus: TokenCorpus) -> Source:
    sizes = corpus.sizes()
    if not sizes:
        raise CorpusError(
            f"snapshot {corpus.snapshot.number} of {root} has no training tokens",
            "Look at the rejected records: `evenglot inspect`",
        )
    documents = config.documents if stage is None or stage.documents is None else stage.documents
    where, wanted = "sampler.languages", config.languages
    if stage is not None and stage.languages is not None:
        where, wanted = f"sampler.stages.{stage.name}.languages", stage.languages
        missing = sorted(set(wanted) - set(sizes))
    else:
        missing = []  # a language of the whole recipe may enter with a later stage's snapshot
    chosen = tuple(sorted(sizes if wanted is None else set(wanted) & set(sizes)))
    if missing or not chosen:
        named = missing[0] if missing else sorted(wanted or ("none",))[0]
        raise ConfigurationError(
            f"{where} names {named}, which has no training tokens here"
            + (f" (snapshot {corpus.snapshot.number})" if stage is not None else ""),
            f"Use the tags of the corpus, for example {', '.join(list(sizes)[:5])}",
        )
    return Source(corpus, chosen, sizes, documents, text=sizes, left_out={})


def _known(config: SamplerConfig, stages: Sequence[Source]) -> None:
    """Confirm that every language of the recipe is in the snapshot of some stage."""
    every = {lang for source in stages for lang in source.available}
    unknown = sorted(set(config.languages or ()) - every)
    if unknown:
        raise ConfigurationError(
            f"sampler.languages names {unknown[0]}, which has no training tokens here",
            f"Use the tags of the corpus, for example {', '.join(sorted(every)[:5])}",
        )


def _same_pieces(first: TokenCorpus, corpus: TokenCorpus, tokenizer: str) -> None:
    """Confirm that two snapshots were tokenised with the same pieces."""
    if first.described.get("fingerprint") != corpus.described.get("fingerprint"):
        raise CorpusError(
            f"tokenizer '{tokenizer}' of snapshot {corpus.snapshot.number} is not the one of snapshot "
            f"{first.snapshot.number}: the same numbers mean other pieces",
            "Tokenise the newer snapshot with the tokenizer of the older one",
        )
