"""Recipe section ``augment.translation``: which models translate, and on what."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from corpus.config import Config
from corpus.tags import UnknownLanguage, to_tag


class TranslationConfig(Config):
    """Models and the machine they run on."""

    models: tuple[str, ...] = ()
    """Model folders, as ``evenglot models convert`` and ``evenglot translator fit`` make them, or names that ``evenglot
    models list`` shows. Where several serve a pair, the first one does."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """``auto`` takes CUDA where CTranslate2 finds a device and the libraries it needs, and the CPU otherwise."""
    device_indices: tuple[int, ...] = ()
    """CUDA devices to use, one copy of a model on each; empty: all there are."""
    compute_type: str = "auto"
    """Type of the arithmetic (``int8``, ``int8_float16``, ``float16``, ``bfloat16``, ``float32``, ...). ``auto`` is
    ``int8`` on the CPU, and on CUDA ``int8_float16`` or ``float16``, whichever the device supports and the model's
    weights are stored for. Another type gives other translations."""
    threads: int = Field(default=1, ge=1)
    """CPU threads of one translation. With int8 their number changes nothing; with float32 it may change the last
    bit of a score."""
    translators: int = Field(default=1, ge=1)
    """Translations at a time in one process on the CPU; they share the weights."""
    batch_tokens: int | Literal["auto"] = "auto"
    """Source tokens of a batch, padding included; a batch may be half as large again rather than leave a small rest.
    ``auto`` goes by the memory of the machine. Another number may change a score, and rarely a word."""
    pivots: tuple[str, ...] = ("eng_Latn",)
    """Languages to go through where no model serves a pair, the preferred one first; others are tried after them."""
    max_hops: int = Field(default=2, ge=1, le=4)
    """Most models that a sentence passes one after another."""
    cache: str | None = None
    """Folder, or object-store URL, where translations are kept to be found again; None: none are kept beyond the
    run's own work folder."""
    keep_loaded: int = Field(default=2, ge=1)
    """Models held in memory at a time in one process; the one used longest ago goes first."""

    @field_validator("pivots")
    @classmethod
    def _known_languages(cls, pivots: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return tuple(dict.fromkeys(to_tag(label) for label in pivots))
        except UnknownLanguage as error:
            raise ValueError(str(error)) from error

    @field_validator("device_indices")
    @classmethod
    def _each_once(cls, indices: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(indices)) != len(indices) or any(index < 0 for index in indices):
            raise ValueError("device indices are 0 or above, each named once")
        return indices

    @field_validator("batch_tokens")
    @classmethod
    def _some_tokens(cls, tokens: int | str) -> int | str:
        if isinstance(tokens, int) and tokens < 1:
            raise ValueError("a batch has at least 1 token")
        return tokens
