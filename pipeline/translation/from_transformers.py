"""Run CTranslate2's converter on a local folder of ``transformers``: the one place that needs it, and torch."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from corpus.errors import EvenglotError, InputError
from pipeline.translation.weights import weights_of

Quantisation = Literal[
    "int8", "int8_float16", "int8_bfloat16", "int8_float32", "int16", "float16", "bfloat16", "float32"
]
_NEEDED: Final = {
    "ctranslate2": "translate", "sentencepiece": "translate", "torch": "train", "transformers": "transformers"
}  # fmt: skip


@dataclass(frozen=True)
class Loaded:
    """What was seen of a model while it was converted."""

    parameters: int
    absent: tuple[str, ...]
    """Weights of the architecture that its files do not hold."""


def require_packages() -> None:
    """Check that all is installed that a conversion needs; nothing is imported.

    Raises:
        EvenglotError: something is missing; names the extras to install.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        extras = ",".join(dict.fromkeys(_NEEDED[name] for name in missing))
        raise EvenglotError(
            f"converting a model needs {' and '.join(missing)}, which "
            f"{'is' if len(missing) == 1 else 'are'} not installed (translating with a converted one does not)",
            f"Install it: pip install 'evenglot[{extras}]', or convert on another machine and copy the folder",
        )


def run_converter(
    source: Path,
    output: Path,
    *,
    quantisation: Quantisation,
    allow_pickle: bool = False,
    needed: Sequence[str] = (),
    prepare: Callable[[Any], None] = lambda model: None,
) -> Loaded:
    """Write ``model.bin``, ``config.json`` and vocabularies of a folder's model into a new folder.

    Code that a model brings along is never run, and nothing is fetched.

    Args:
        source: folder with ``config.json``, weights and tokenizer.
        output: folder to make.
        quantisation: type in which weights are stored.
        allow_pickle: whether weights may be read from a pickle, with torch's restricted reader.
        needed: tokens that the vocabulary must hold, those that name a language.
        prepare: is given the model of ``transformers`` before it is converted.

    Raises:
        EvenglotError: a package is missing.
        InputError: the folder holds no model that CTranslate2 converts.
    """
    require_packages()
    weights = weights_of(source, allow_pickle)
    transformers = importlib.import_module("transformers")
    converters = importlib.import_module("ctranslate2.converters")
    converter = converters.TransformersConverter(str(source))
    seen: list[Loaded] = []
    sizes: list[int] = []
    vocabulary: dict[str, int] = {}

    def load(kind: Any, place: str, **settings: Any) -> Any:
        model, info = kind.from_pretrained(
            place,
            **settings,
            local_files_only=True,
            output_loading_info=True,
            trust_remote_code=False,
            use_safetensors=weights.form == "safetensors",
            weights_only=True,
        )
        seen.append(
            Loaded(
                sum(int(weight.numel()) for weight in model.parameters()),
                tuple(sorted({*info["missing_keys"], *(str(entry[0]) for entry in info["mismatched_keys"])})),
            )
        )
        sizes.append(int(model.config.vocab_size))
        _settings_of_old(model.config)
        prepare(model)
        return model

    def load_tokenizer(kind: Any, place: str, **settings: Any) -> Any:
        tokenizer = kind.from_pretrained(place, **settings, local_files_only=True, trust_remote_code=False)
        # That of M2M100 knows ids of languages which its vocabulary does not list, unless its settings name them; that
        # of T5 makes up tokens behind the end of the model's embeddings.
        known = {**tokenizer.get_vocab(), **getattr(tokenizer, "lang_token_to_id", {})}
        vocabulary.update({token: number for token, number in known.items() if number < sizes[0]})
        tokenizer.get_vocab = lambda: vocabulary
        return tokenizer

    converter.load_model = load
    converter.load_tokenizer = load_tokenizer
    with _quiet(transformers):
        try:
            converter.convert(str(output), quantization=quantisation)
        except (EvenglotError, MemoryError):
            raise
        except Exception as error:
            first = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise InputError(
                f"{source} cannot be converted: {type(error).__name__}: {first}",
                "Use a whole copy of a model that CTranslate2 converts (Marian, M2M100, NLLB, T5, BERT, XLM-R)",
            ) from error
    _check_vocabulary(source, output, vocabulary, needed)
    return seen[0]


def _settings_of_old(config: Any) -> None:
    """Put settings where CTranslate2 4 reads them and transformers 5 no longer has them.

    transformers 5 says that the embeddings of every T5 are tied, and elsewhere whether the output is scaled, which
    CTranslate2 concludes from the former: logits of MADLAD would be smaller by the root of its width. BERT and XLM-R
    have had one kind of positions since then, so the setting is gone that CTranslate2 checks.
    """
    if config.model_type == "t5":
        config.tie_word_embeddings = bool(getattr(config, "scale_decoder_outputs", config.tie_word_embeddings))
    elif config.model_type == "mt5":  # never scaled
        config.tie_word_embeddings = False
    if not hasattr(config, "position_embedding_type"):
        config.position_embedding_type = "absolute"


def _check_vocabulary(source: Path, output: Path, vocabulary: Mapping[str, int], needed: Sequence[str]) -> None:
    """Refuse a model whose vocabulary was written in another order than its embeddings: it would translate to noise."""
    names = ("shared_vocabulary.json", "target_vocabulary.json", "vocabulary.json")
    path = next(output / name for name in names if (output / name).is_file())
    written: list[str] = json.loads(path.read_text(encoding="utf-8"))
    moved = [token for token, number in vocabulary.items() if number < len(written) and written[number] != token]
    if lost := sorted(set(needed) - set(written)) + sorted(moved):
        raise InputError(
            f"{source} cannot be converted: token '{lost[0]}' is not where its embedding is in the vocabulary written",
            "Use the model's files as published, all of them",
        )


@contextlib.contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """No progress bars and no hints of a library that is only a means here."""
    logs = transformers.utils.logging
    level, bars = logs.get_verbosity(), logs.is_progress_bar_enabled()
    logs.set_verbosity_error()
    logs.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logs.set_verbosity(level)
        if bars:
            logs.enable_progress_bar()
