"""Recipe section ``translator``: a translator trained on the user's own parallel text."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from corpus.config import Config
from corpus.tags import UnknownLanguage, to_tag


class TranslatorModelConfig(Config):
    """Size of the model; what is not given goes by ``size``."""

    size: Literal["auto", "tiny", "small", "base"] = "auto"
    """``tiny``: 128 dimensions, 2 + 2 layers; ``small``: 256, 3 + 3; ``base``: 512, 6 + 6. ``auto`` goes by the words
    to train on: tiny below 100,000, small below 5 million."""
    dimensions: int | None = Field(default=None, ge=8)
    """Width of the layers."""
    feed_forward: int | None = Field(default=None, ge=8)
    """Inner width of the feed-forward parts; four times the width when not given."""
    encoder_layers: int | None = Field(default=None, ge=1)
    """Layers that read the source."""
    decoder_layers: int | None = Field(default=None, ge=1)
    """Layers that write the target; they cost more than the encoder's when translating."""
    heads: int | None = Field(default=None, ge=1)
    """Heads of attention; one for 64 dimensions when not given, but at least four."""
    positions: int = Field(default=256, ge=16)
    """Most tokens of a sentence that the model can be given."""
    dropout: float = Field(default=0.2, ge=0, lt=1)
    """Share of the values of each layer's output that are hidden in training."""
    attention_dropout: float = Field(default=0.1, ge=0, lt=1)
    """Share of the attention weights that are hidden in training."""

    @model_validator(mode="after")
    def _heads_divide(self) -> TranslatorModelConfig:
        if self.dimensions is not None and self.heads is not None and self.dimensions % self.heads:
            raise ValueError(f"{self.heads} heads do not divide {self.dimensions} dimensions")
        if self.dimensions is not None and self.dimensions % 4:
            raise ValueError("`dimensions` is a multiple of 4")
        return self


class TranslatorConfig(Config):
    """A small Marian model from parallel text (the ``parallel`` section names its files)."""

    pairs: tuple[str, ...] = ()
    """Directions, such as ``eng_Latn-swh_Latn``; one model serves all of them."""
    model: TranslatorModelConfig = Field(default_factory=TranslatorModelConfig)
    """Its size."""
    vocabulary: int | None = Field(default=None, ge=32)
    """Pieces of the SentencePiece vocabulary that both sides share; when not given, one for a hundred words to train
    on, from 500 to 32,000."""
    epochs: int = Field(default=30, ge=1)
    """Most passes over as many pairs as there are."""
    steps: int | None = Field(default=None, ge=1)
    """Most optimiser steps, in place of ``epochs``."""
    batch_tokens: int = Field(default=4096, ge=16)
    """Tokens of a batch, source and target together, padding included."""
    max_tokens: int = Field(default=128, ge=4)
    """Pairs of which one side has more tokens are left out of training."""
    temperature: float = Field(default=1.0, ge=1)
    """Directions are drawn in proportion to their pairs to the power of 1/temperature: 1 as they come, higher values
    give small directions more."""
    learning_rate: float = Field(default=1e-3, gt=0)
    """At the end of the warmup."""
    schedule: Literal["inverse_sqrt", "cosine"] = "inverse_sqrt"
    """How the learning rate falls after the warmup; ``cosine`` ends at zero with the last step."""
    warmup: float = Field(default=0.06, ge=0, lt=1)
    """Share of the steps in which the learning rate rises."""
    weight_decay: float = Field(default=0.01, ge=0)
    """Of AdamW, on matrices."""
    clip: float = Field(default=1.0, gt=0)
    """Longest gradient of a step."""
    subword_sampling: float | None = Field(default=None, ge=0, le=1)
    """Power of the probabilities with which words are cut into pieces anew each time they are shown (subword
    regularisation): 0 takes all likely ways alike, 1 as the vocabulary has them; not given, always the likeliest."""
    source_dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of the source's tokens that are hidden in training."""
    target_dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of the tokens before the one to be written that are hidden in training: what remains is the source."""
    word_pairs: float = Field(default=0.0, ge=0)
    """Pairs of single words from a lexicon of the training pairs that are shown beside each sentence pair."""
    phrase_pairs: float = Field(default=0.0, ge=0)
    """Pairs of phrases, of two to six words that are aligned with one another and with nothing else, that are shown
    beside each sentence pair."""
    glosses: float = Field(default=0.0, ge=0)
    """Sentences of the corpus in the target language, glossed into the source word by word, that are shown beside each
    sentence pair; they are those of natural training text, and need `--corpus`."""
    copies: float = Field(default=0.0, ge=0)
    """Rows of words of the target language, drawn from those of the training pairs, that are shown beside each sentence
    pair to be written as they are."""
    glossed_source: bool = False
    """Whether the model is given its source word by word in the target language, as a lexicon of the training pairs
    has it, and learns to mend that. The lexicon goes into the model's folder."""
    guided_alignment: float = Field(default=0.0, ge=0)
    """Weight, beside the loss, of how little one head of attention looks at the source word that a lexicon aligns with
    the word to be written (guided alignment). With little text attention may else never find where to look."""
    embeddings: Literal["random", "aligned"] = "random"
    """What the embeddings begin with: nothing, or vectors under which pieces of both languages are alike that occur in
    the same sentence pairs. With little text a model else learns each word's translation by itself."""
    copying_start: bool = False
    """Whether the decoder begins by writing what it looks at in the source. It learns faster where that is right or
    nearly so: with `glossed_source`."""
    label_smoothing: float = Field(default=0.1, ge=0, lt=1)
    """Share of the probability that the loss spreads over the whole vocabulary."""
    average: float = Field(default=0.998, ge=0, lt=1)
    """Decay of the running mean of the weights, which is what is judged and saved; 0 takes the last weights."""
    stop_on: Literal["loss", "chrf"] = "loss"
    """What is looked at on the development sentences: their loss, or chrF of greedy translations of them, which takes
    longer. The best state is what is saved."""
    patience: int = Field(default=5, ge=1)
    """Evaluations without improvement after which training ends."""
    evaluate_every: int | None = Field(default=None, ge=1)
    """Steps between two evaluations; an epoch's when not given."""
    dev_sentences: int = Field(default=100, ge=1)
    """Development sentences of a direction that are judged; which ones, a hash decides."""
    dev_share: float = Field(default=0.02, gt=0, lt=0.5)
    """Share of the documents taken out of training for development, where the files name no such part."""
    checkpoint_every: int | None = Field(default=None, ge=1)
    """Steps between two checkpoints; those between two evaluations when not given. The last step is always saved."""
    keep: int = Field(default=2, ge=1)
    """Checkpoints that stay."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Arithmetic of the layers; bfloat16 is faster on processors that have it. Weights are float32."""
    threads: int | None = Field(default=None, ge=1)
    """CPU threads; the machine's cores when not given. Another number gives other last bits."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where training runs; ``auto`` takes a GPU if there is one."""
    quantisation: Literal["int8", "float16", "float32"] = "int8"
    """Type in which the converted model stores its weights."""

    @field_validator("pairs")
    @classmethod
    def _known_pairs(cls, pairs: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys("-".join(parse_direction(pair)) for pair in pairs))

    @property
    def directions(self) -> tuple[tuple[str, str], ...]:
        """``pairs`` as (source, target) tags."""
        return tuple(parse_direction(pair) for pair in self.pairs)


def parse_direction(text: str) -> tuple[str, str]:
    """The two tags of ``eng_Latn-swh_Latn``.

    Raises:
        ValueError: these are not two different languages.
    """
    source, dash, target = text.strip().partition("-")
    if not dash:
        raise ValueError(f"'{text}' is no direction such as eng_Latn-swh_Latn")
    try:
        found = to_tag(source), to_tag(target)
    except UnknownLanguage as error:
        raise ValueError(str(error)) from error
    if found[0] == found[1]:
        raise ValueError(f"'{text}' translates a language to itself")
    return found
