"""A BERT or XLM-R of others -> our folder of a sentence encoder, for the gate that compares meanings."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from corpus.errors import InputError
from pipeline.translation.card import hash_files
from pipeline.translation.convert import card_name, copy_tokenizer, source_revision, staged
from pipeline.translation.encoder_card import TOKENIZER, EncoderCard, Pooling, write_encoder_card
from pipeline.translation.from_transformers import Quantisation, run_converter
from pipeline.translation.languages import read_json
from pipeline.translation.readme import licence_of
from pipeline.translation.weights import weights_of

ENCODER_TYPES: Final = ("bert", "xlm-roberta")
_SPARE: Final = {"bert": ("pooler.",), "xlm-roberta": ("classifier.",)}
"""Weights that a checkpoint may lack: they are not used, or only by the pooler."""


def is_encoder(source: Path) -> bool:
    """Whether a folder holds a model that is converted as an encoder."""
    return read_json(source / "config.json").get("model_type") in ENCODER_TYPES


def convert_encoder(
    source: Path,
    output: Path,
    *,
    pooling: Pooling | None = None,
    prompt: str = "",
    licence: str | None = None,
    quantisation: Quantisation = "int8",
    name: str | None = None,
    origin: str | None = None,
    revision: str | None = None,
    allow_pickle: bool = False,
    replace: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> EncoderCard:
    """Convert a local folder and write its card.

    Args:
        source: folder as ``transformers`` or ``sentence-transformers`` saves it, with a ``tokenizer.json``.
        output: model folder to make.
        pooling: how vectors of tokens become one; None takes what ``sentence-transformers`` noted, else the mean.
        prompt: text to put before every sentence.
        licence: of the weights; None takes what the README states.
        quantisation: type in which weights are stored.
        name: what to call it; None takes the origin's name without its owner, or the folder's.
        origin: where the folder comes from, for the card.
        revision: state of the origin; None takes a hash of its weights.
        allow_pickle: whether weights may be read from a pickle, with torch's restricted reader.
        replace: whether a model folder in the place of the output may be replaced.
        say: is told what goes on.

    Raises:
        EvenglotError: torch or transformers is not installed.
        InputError: the folder holds no such model, or one whose vectors would not be the same.
        ConfigurationError: the output exists.
    """
    source, output = Path(source), Path(output)
    weights = weights_of(source, allow_pickle)
    config = read_json(source / "config.json")
    architecture = config.get("model_type")
    if architecture not in ENCODER_TYPES:
        raise InputError(
            f"{source} is no sentence encoder that can be converted: its config.json says model_type '{architecture}'",
            f"Use a model of one of the types {', '.join(ENCODER_TYPES)}",
        )
    noted, dense = _noted_pooling(source)
    chosen: Pooling = pooling or ("pooler" if dense else noted) or "mean"
    if pooling is None and noted is None:
        say("the folder does not say how vectors of tokens become one: the mean is taken (--pooling chooses)")
    if chosen == "pooler" and architecture != "bert":
        raise InputError(f"{source} has no pooler: only BERT has one here", "Choose --pooling cls or mean")

    def prepare(model: Any) -> None:
        if dense is not None and chosen == "pooler":
            _replace_pooler(model, dense)

    with staged(output, replace) as folder:
        called = card_name(name, origin, source)
        say(f"converting {called} to {quantisation}")
        loaded = run_converter(source, folder, quantisation=quantisation, allow_pickle=allow_pickle, prepare=prepare)
        spare = () if chosen == "pooler" and dense is None else _SPARE[architecture]
        if absent := [weight for weight in loaded.absent if not weight.startswith(spare)]:
            raise InputError(
                f"{source} lacks {len(absent)} weights of its architecture, such as {absent[0]}",
                "Use a whole copy of the model" + (", or --pooling cls or mean" if "pooler" in absent[0] else ""),
            )
        copy_tokenizer(source, folder, ((TOKENIZER,),))
        card = EncoderCard(
            name=called,
            architecture=architecture,
            source=origin or source.resolve().name,
            revision=source_revision(source, weights.names, revision),
            licence=licence or licence_of(source),
            pooling=chosen,
            prompt=prompt,
            dimension=int(config["hidden_size"]),
            # XLM-R begins to count behind the position of padding.
            max_tokens=int(config["max_position_embeddings"]) - (2 if architecture == "xlm-roberta" else 0),
            quantisation=quantisation,
            files=hash_files(folder),
            parameters=loaded.parameters,
        )
        write_encoder_card(folder, card)
    return card


def _noted_pooling(source: Path) -> tuple[Pooling | None, Path | None]:
    """Pooling that ``sentence-transformers`` noted, and the folder of the dense layer behind it.

    Raises:
        InputError: it asks for what CTranslate2 cannot do.
    """
    told = read_json(source / "1_Pooling" / "config.json")
    modes = sorted(key for key, chosen in told.items() if key.startswith("pooling_mode_") and chosen is True)
    if not modes:
        return None, None
    known: dict[str, Pooling] = {"pooling_mode_cls_token": "cls", "pooling_mode_mean_tokens": "mean"}
    if len(modes) > 1 or modes[0] not in known:
        raise InputError(
            f"{source} joins the vectors of tokens by {' and '.join(modes)}, which is not known here",
            "Use a model with cls or mean pooling, or choose one with --pooling and measure what it is worth",
        )
    pooling = known[modes[0]]
    settings = read_json(source / "2_Dense" / "config.json")
    if not settings:
        return pooling, None
    activation = str(settings.get("activation_function", "")).rpartition(".")[2]
    width = read_json(source / "config.json").get("hidden_size")
    same = settings.get("in_features") == settings.get("out_features") == width
    if pooling != "cls" or activation != "Tanh" or not same or settings.get("bias") is False:
        raise InputError(
            f"{source} has a dense layer ({activation}) behind {pooling} pooling, which cannot be converted",
            "Use a model without one: its vectors would not be those the model was trained for",
        )
    if not (source / "2_Dense" / "model.safetensors").is_file():
        raise InputError(f"{source}/2_Dense has no model.safetensors", "Use a revision of the model that has one")
    return pooling, source / "2_Dense" / "model.safetensors"


def _replace_pooler(model: Any, path: Path) -> None:
    """Put the dense layer of LaBSE and its like in the place of BERT's pooler: both are tanh of a linear map."""
    found = importlib.import_module("safetensors.torch").load_file(path)
    try:
        model.pooler.dense.load_state_dict({"weight": found["linear.weight"], "bias": found["linear.bias"]})
    except (KeyError, RuntimeError) as error:
        raise InputError(f"{path} is no dense layer of the model's width: {error}", "Use a whole copy of it") from error
