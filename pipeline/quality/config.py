"""Settings of the quality filter: bounds within which each language's limits are set from its own data."""

from __future__ import annotations

import difflib
from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from corpus.config import Config
from corpus.schema import NO_LANGUAGE, UNDETERMINED
from corpus.tags import UnknownLanguage, to_tag
from pipeline.quality.rules import RULES


class Limit(Config):
    """A limit on one feature, set for each language from its own documents.

    It lies ``sigmas`` robust standard deviations beyond the median of the language's documents, on the side
    where junk is, and never outside the two bounds. A number instead of a section is one limit for every language.
    """

    strictest: float
    """The limit is never tighter than this, however uniform a language's documents are."""
    loosest: float
    """The limit is never wider than this, however odd they are."""
    default: float
    """The limit of languages with too few documents to tell."""
    sigmas: float = Field(default=4.0, ge=0)
    """Robust standard deviations between median and limit: the distance from the median to the 16 % or 84 %
    quantile, whichever lies on the limit's side."""

    @model_validator(mode="before")
    @classmethod
    def _one_for_all(cls, given: Any) -> Any:
        """A number is one limit for every language."""
        if isinstance(given, int | float) and not isinstance(given, bool):
            return {"strictest": given, "loosest": given, "default": given}
        return given


class StopWordsConfig(Config):
    """Rejection of documents whose most frequent words are no stop words of their language.

    Prose repeats the words that hold sentences together; lists of key words, menus and programs repeat others.
    """

    enabled: bool = False
    """Find the stop words of every language in the corpus and judge documents by them. Off by default: on the
    ground truth the other rules leave it nothing to find."""
    min_share: float = Field(default=0.05, ge=0, le=1)
    """Share of a document's most frequent words (up to 16 that come at least twice; documents with fewer than 8 are
    not judged) that must be stop words; 0.05 asks for one. Reason ``no_stop_words``."""
    min_sources: int = Field(default=8, ge=3)
    """Sources a language's documents must come from for its stop words to be told."""
    source_share: float = Field(default=0.1, gt=0, le=1)
    """Share of a language's sources, and at least three, in whose documents a stop word is among the most frequent
    words; a source counts as far as its documents agree."""
    most: int = Field(default=100, ge=1)
    """Stop words of one language."""
    words: dict[str, list[str]] = Field(default_factory=dict)
    """Lists given by hand, by language; an empty one turns the rule off for that language."""

    @field_validator("words")
    @classmethod
    def _words_by_tag(cls, given: dict[str, list[str]]) -> dict[str, list[str]]:
        for label, words in given.items():
            for word in words:
                if not word or word.split() != [word]:
                    raise ValueError(f"'{word}' of {label} is no single word")
        return {_tag(label): words for label, words in given.items()}


class FilterConfig(Config):
    """Rejection of documents that are no text of their language."""

    enabled: bool = True
    """Judge documents by the limits below. Documents without a language or in the wrong script are rejected
    all the same; see ``keep_undetermined`` and the ``script`` section."""
    keep_undetermined: bool = False
    """Keep documents whose language could not be told (``und``) or that have none (``zxx``)."""
    include: list[str] = Field(default_factory=list)
    """Languages to keep (``sw``, ``swh_Latn``, ``Swahili``); empty for all. Others are rejected as
    ``excluded_language``."""
    exclude: list[str] = Field(default_factory=list)
    """Languages to reject as ``excluded_language``."""
    min_documents: int = Field(default=50, ge=1)
    """Documents a language must have for its limits to be set from them; with fewer, the defaults hold."""
    min_sources: float = Field(default=4, ge=0)
    """Effective number of sources (hosts, or inputs of documents without address) that a language's documents must
    come from for its limits to be set from them; with fewer, its own limit or the default holds, whichever rejects
    less. From 4 on no single source can hold more than half of the documents and set the median alone."""
    rare_documents: int = Field(default=5, ge=0)
    """A language with fewer documents in a large corpus is more likely a mistake of the identifier than a find:
    its documents must reach ``rare_score``. 0 turns this off."""
    rare_share: float = Field(default=0.001, ge=0, le=1)
    """A language with this share of all documents or more is not rare: a few documents among a hundred are a find."""
    rare_score: float = Field(default=0.8, ge=0, le=1)
    """Probability that the documents of so rare a language must have. Reason ``rare_language`` of the stage
    ``identify``; ``languages: {TAG: {min_lang_score: 0.25}}`` lets a language in."""
    languages: dict[str, dict[str, float]] = Field(default_factory=dict)
    """Limits fixed by hand, by language and limit name: ``{tha_Thai: {min_punctuation: 0}}``."""
    stop_words: StopWordsConfig = StopWordsConfig()
    """Stop words of the corpus's own languages."""

    min_lang_score: Limit = Limit(strictest=0.4, loosest=0.2, default=0.25, sigmas=3)
    """Probability of the language. Reason ``low_score`` of the stage ``identify``."""
    min_words: Limit = Limit(strictest=10, loosest=5, default=8, sigmas=3)
    """Words; in scripts without spaces ideographs, kana, or pieces of about four letters. Reason ``too_short``."""
    max_urls: Limit = Limit(strictest=0.5, loosest=0.7, default=0.6)
    """Share of the characters in addresses. Reason ``urls``."""
    max_long_tokens: Limit = Limit(strictest=0.4, loosest=0.6, default=0.5)
    """Share of the characters in unbroken runs of more than 40, such as encoded data. Reason ``long_tokens``."""
    max_filler: Limit = Limit(strictest=0.5, loosest=0.7, default=0.5)
    """Share of the characters in the printers' filler text ("Lorem ipsum ..."). Reason ``filler``."""
    max_digits: Limit = Limit(strictest=0.25, loosest=0.4, default=0.3)
    """Share of the characters that are numbers. Reason ``digits``."""
    max_code_lines: Limit = Limit(strictest=0.6, loosest=0.8, default=0.7)
    """Share of the lines that end with a brace or a semicolon, in documents of three lines or more. Reason ``code``."""
    max_code: Limit = Limit(strictest=0.12, loosest=0.25, default=0.2)
    """Share of the characters that belong to programs and markup. Reason ``code``."""
    max_symbols: Limit = Limit(strictest=0.15, loosest=0.35, default=0.25)
    """Share of the characters that are symbols, of programs or others. Reason ``symbols``."""
    min_alphabetic: Limit = Limit(strictest=0.65, loosest=0.5, default=0.55)
    """Share of the characters that are letters or marks. Reason ``symbols``."""
    max_duplicate_ngrams: Limit = Limit(strictest=0.5, loosest=0.7, default=0.6)
    """Share of the word 5-grams that came before in the document. Reason ``repetition``."""
    max_duplicate_lines: Limit = Limit(strictest=0.5, loosest=0.7, default=0.6)
    """Share of the characters in lines that came before, in documents of three lines or more. Reason ``repetition``."""
    max_top_bigram: Limit = Limit(strictest=0.35, loosest=0.5, default=0.4)
    """Share of the words in the most frequent pair of words. Reason ``repetition``."""
    min_diversity: Limit = Limit(strictest=0.7, loosest=0.5, default=0.65)
    """Logarithm of the different words by that of all words, in documents of 30 words or more.
    Reason ``repetition``."""
    max_short_lines: Limit = Limit(strictest=0.95, loosest=0.98, default=0.95)
    """Share of the lines under 30 characters that no mark ends, in documents of five lines or more.
    Reason ``lines``."""
    max_word_length: Limit = Limit(strictest=14, loosest=25, default=18, sigmas=6)
    """Mean characters of a word. Reason ``word_length``."""
    min_punctuation: Limit = Limit(strictest=0.004, loosest=0, default=0, sigmas=2.5)
    """Share of the characters that are punctuation, in documents of 50 words or more. Reason ``no_punctuation``."""

    max_words: Limit | None = None
    """Words, as above; null for no limit. Gopher has 100000. Reason ``too_long``."""
    min_word_length: Limit | None = None
    """Mean characters of a word; null for no limit. Gopher has 3, which only alphabets reach. Reason
    ``word_length``."""
    min_alphabetic_words: Limit | None = None
    """Share of the words that do not begin with a number; null for no limit. Gopher has 0.8. Reason ``symbols``."""
    max_hashes: Limit | None = None
    """Number signs by words; null for no limit. Gopher has 0.1. Reason ``symbols``."""
    max_ellipses: Limit | None = None
    """Ellipses by words; null for no limit. Gopher has 0.1. Reason ``symbols``."""
    max_newlines: Limit | None = None
    """Line ends by words; null for no limit. FineWeb has 0.3. Reason ``lines``."""
    max_bullet_lines: Limit | None = None
    """Share of the lines that begin with a bullet; null for no limit. Gopher has 0.9. Reason ``lines``."""
    max_ellipsis_lines: Limit | None = None
    """Share of the lines that end with an ellipsis; null for no limit. Gopher has 0.3. Reason ``lines``."""
    min_terminal_lines: Limit | None = None
    """Share of the lines that end with a mark that ends sentences; null for no limit. FineWeb has 0.12. Reason
    ``lines``."""
    max_repeated_lines: Limit | None = None
    """Share of the lines that came before; null for no limit. Gopher has 0.3. Reason ``repetition``."""
    max_repeated_paragraphs: Limit | None = None
    """Share of the paragraphs that came before; null for no limit. Gopher has 0.3. Reason ``repetition``."""
    max_duplicate_paragraphs: Limit | None = None
    """Share of the characters in paragraphs that came before; null for no limit. Gopher has 0.2. Reason
    ``repetition``."""
    max_top_trigram: Limit | None = None
    """Share of the words in the most frequent three words; null for no limit. Gopher has 0.18, of characters.
    Reason ``repetition``."""
    max_top_4gram: Limit | None = None
    """Share of the words in the most frequent four words; null for no limit. Gopher has 0.16, of characters.
    Reason ``repetition``."""
    max_duplicate_6grams: Limit | None = None
    """Share of the word 6-grams that came before; null for no limit. Gopher has 0.14, of characters. Reason
    ``repetition``."""
    max_duplicate_7grams: Limit | None = None
    """Share of the word 7-grams that came before; null for no limit. Gopher has 0.13, of characters. Reason
    ``repetition``."""
    max_duplicate_8grams: Limit | None = None
    """Share of the word 8-grams that came before; null for no limit. Gopher has 0.12, of characters. Reason
    ``repetition``."""
    max_duplicate_9grams: Limit | None = None
    """Share of the word 9-grams that came before; null for no limit. Gopher has 0.11, of characters. Reason
    ``repetition``."""
    max_duplicate_10grams: Limit | None = None
    """Share of the word 10-grams that came before; null for no limit. Gopher has 0.10, of characters. Reason
    ``repetition``."""

    @field_validator("include", "exclude")
    @classmethod
    def _tags(cls, labels: list[str]) -> list[str]:
        return [_tag(label) for label in labels]

    @field_validator("languages")
    @classmethod
    def _limits_by_tag(cls, given: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
        limits: dict[str, dict[str, float]] = {}
        for label, chosen in given.items():
            tag = _tag(label)
            if tag in limits:
                raise ValueError(f"'{label}' is {tag}, which stands here already; keep one of them")
            limits[tag] = chosen
        return limits

    @model_validator(mode="after")
    def _check(self) -> Self:
        for rule in RULES:
            limit = self.limit(rule.name)
            if limit is None:
                continue
            low, high = (limit.loosest, limit.strictest) if rule.side == "min" else (limit.strictest, limit.loosest)
            if low > high:
                raise ValueError(
                    f"{rule.name}: strictest {limit.strictest} is looser than loosest {limit.loosest}; swap them"
                )
        names = [rule.name for rule in RULES]
        for tag, limits in self.languages.items():
            for name in limits:
                if name not in names:
                    near = difflib.get_close_matches(name, names, n=1)
                    hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(names)}"
                    raise ValueError(f"languages.{tag}.{name} is no limit; {hint}")
        return self

    def limit(self, name: str) -> Limit | None:
        """The limit of a rule, by its name; None where the rule is off."""
        limit: Limit | None = getattr(self, name)
        return limit


def _tag(label: str) -> str:
    """The tag of a language that the recipe names: a misspelt one would silently match no document."""
    if label in (UNDETERMINED, NO_LANGUAGE):
        return label
    try:
        return to_tag(label)
    except UnknownLanguage as error:
        raise ValueError(str(error)) from error
