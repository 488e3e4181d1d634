"""The rules of the filter: which feature each looks at, on which side its limit lies, what a rejection is called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Side = Literal["min", "max"]


@dataclass(frozen=True)
class Rule:
    """A document breaks a rule when its feature lies beyond the limit of its language."""

    name: str
    """Name of the limit in the configuration and in the snapshot's thresholds."""
    feature: str
    side: Side
    reason: str
    guard: tuple[str, float] | None = None
    """Only documents in which this feature reaches this value are judged: shares of very little mean nothing."""

    @property
    def stage(self) -> str:
        """The stage a rejection is booked under."""
        return "identify" if self.feature == "lang_score" else "filter"


RULES: Final[tuple[Rule, ...]] = (
    Rule("min_lang_score", "lang_score", "min", "low_score"),
    Rule("min_words", "n_words", "min", "too_short"),
    Rule("max_urls", "url_share", "max", "urls"),
    Rule("max_long_tokens", "long_token_share", "max", "long_tokens"),
    Rule("max_filler", "filler_share", "max", "filler"),
    Rule("max_digits", "digit_ratio", "max", "digits"),
    Rule("max_code_lines", "code_line_share", "max", "code", ("n_lines", 3)),
    Rule("max_code", "code_ratio", "max", "code"),
    Rule("max_symbols", "symbol_ratio", "max", "symbols"),
    Rule("min_alphabetic", "alphabetic_ratio", "min", "symbols"),
    Rule("max_duplicate_ngrams", "duplicate_ngram_share", "max", "repetition"),
    Rule("max_duplicate_lines", "duplicate_line_share", "max", "repetition", ("n_lines", 3)),
    Rule("max_top_bigram", "top_bigram_share", "max", "repetition"),
    Rule("min_diversity", "lexical_diversity", "min", "repetition", ("n_words", 30)),
    Rule("max_short_lines", "short_line_share", "max", "lines", ("n_lines", 5)),
    Rule("max_word_length", "mean_word_length", "max", "word_length"),
    Rule("min_punctuation", "punctuation_ratio", "min", "no_punctuation", ("n_words", 50)),
    # Those below are off by default.
    Rule("max_words", "n_words", "max", "too_long"),
    Rule("min_word_length", "mean_word_length", "min", "word_length"),
    Rule("min_alphabetic_words", "alphabetic_word_share", "min", "symbols"),
    Rule("max_hashes", "hash_word_ratio", "max", "symbols"),
    Rule("max_ellipses", "ellipsis_word_ratio", "max", "symbols"),
    Rule("max_newlines", "newline_word_ratio", "max", "lines"),
    Rule("max_bullet_lines", "bullet_line_share", "max", "lines"),
    Rule("max_ellipsis_lines", "ellipsis_line_share", "max", "lines"),
    Rule("min_terminal_lines", "terminal_line_share", "min", "lines"),
    Rule("max_repeated_lines", "duplicate_line_ratio", "max", "repetition"),
    Rule("max_repeated_paragraphs", "duplicate_paragraph_ratio", "max", "repetition"),
    Rule("max_duplicate_paragraphs", "duplicate_paragraph_share", "max", "repetition"),
    Rule("max_top_trigram", "top_trigram_share", "max", "repetition"),
    Rule("max_top_4gram", "top_4gram_share", "max", "repetition"),
    Rule("max_duplicate_6grams", "duplicate_6gram_share", "max", "repetition"),
    Rule("max_duplicate_7grams", "duplicate_7gram_share", "max", "repetition"),
    Rule("max_duplicate_8grams", "duplicate_8gram_share", "max", "repetition"),
    Rule("max_duplicate_9grams", "duplicate_9gram_share", "max", "repetition"),
    Rule("max_duplicate_10grams", "duplicate_10gram_share", "max", "repetition"),
)
"""In the order in which they are tried: the first broken one names the reason."""

RARE_RULE: Final = Rule("min_rare_score", "lang_score", "min", "rare_language")
"""Tried after ``min_lang_score``, in languages of a handful of documents alone."""

STOP_RULE: Final = Rule("min_stop_words", "stop_word_share", "min", "no_stop_words")
"""Tried last, in languages whose stop words are known."""

MEASURES: Final = tuple(dict.fromkeys(rule.feature for rule in RULES))
"""The features that limits are set on, each with a histogram per language."""
