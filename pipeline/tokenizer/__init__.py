"""A vocabulary for all languages, and token shards beside the text."""

from pipeline.tokenizer.config import TokenizerConfig
from pipeline.tokenizer.job import tokenize_corpus
from pipeline.tokenizer.model import Tokenizer, load_tokenizer

__all__ = ["Tokenizer", "TokenizerConfig", "load_tokenizer", "tokenize_corpus"]
