"""One way in for every model: a folder or a hub id becomes a model folder, whatever kind of model it is."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from corpus.errors import InputError
from pipeline.translation.card import CARD_NAME, ModelCard, read_card
from pipeline.translation.convert import card_name, convert, staged
from pipeline.translation.convert_encoder import convert_encoder, is_encoder
from pipeline.translation.encoder_card import EncoderCard, Pooling, read_encoder_card
from pipeline.translation.from_transformers import Quantisation
from pipeline.translation.model_folders import kind_of
from pipeline.translation.verify import file_problems


@dataclass(frozen=True)
class Wishes:
    """What the user may say of a model; see :func:`~pipeline.translation.convert.convert`."""

    pairs: tuple[tuple[str, str], ...] = ()
    licence: str | None = None
    made_of: str | None = None
    quantisation: Quantisation = "int8"
    name: str | None = None
    allow_pickle: bool = False
    replace: bool = False
    pooling: Pooling | None = None
    prompt: str = ""


def install(
    source: Path,
    output: Path,
    wishes: Wishes | None = None,
    *,
    origin: str | None = None,
    revision: str | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> ModelCard | EncoderCard:
    """Make a model folder of a local folder: convert a model of others, copy one of ours after checking its files.

    Args:
        source: folder of the model.
        output: model folder to make.
        wishes: what the user says of it.
        origin: where the folder comes from, for the card.
        revision: state of the origin.
        say: is told what goes on.

    Raises:
        EvenglotError: a package that conversions need is not installed.
        InputError: the folder holds no model that can be used, or a damaged one.
        ConfigurationError: the output exists.
    """
    wishes = wishes or Wishes()
    if (source / CARD_NAME).is_file():
        return _copied(source, output, wishes.replace)
    if is_encoder(source):
        return convert_encoder(
            source,
            output,
            pooling=wishes.pooling,
            prompt=wishes.prompt,
            licence=wishes.licence,
            quantisation=wishes.quantisation,
            name=wishes.name,
            origin=origin,
            revision=revision,
            allow_pickle=wishes.allow_pickle,
            replace=wishes.replace,
            say=say,
        )
    return convert(
        source,
        output,
        pairs=wishes.pairs or None,
        licence=wishes.licence,
        made_of=wishes.made_of,
        quantisation=wishes.quantisation,
        name=wishes.name,
        origin=origin,
        revision=revision,
        allow_pickle=wishes.allow_pickle,
        replace=wishes.replace,
        say=say,
    )


def default_name(source: Path, origin: str | None, name: str | None) -> str:
    """What a model's folder is called: as asked, else by its own card, else by where it comes from."""
    if name is None and (source / CARD_NAME).is_file():
        return (read_encoder_card(source) if kind_of(source) == "encoder" else read_card(source)).name.replace("/", "-")
    return card_name(name, origin, source).replace("/", "-")


def _copied(source: Path, output: Path, replace: bool) -> ModelCard | EncoderCard:
    card: ModelCard | EncoderCard = read_encoder_card(source) if kind_of(source) == "encoder" else read_card(source)
    if problems := file_problems(source, card.files):
        raise InputError(problems[0], "Copy or fetch the model again")
    with staged(output, replace) as folder:
        folder.mkdir()
        for name in (*card.files, CARD_NAME):
            shutil.copyfile(source / name, folder / name)
    return card
