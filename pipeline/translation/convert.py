"""A translation model of others -> our model folder: CTranslate2's files, those of the tokenizer, a card.

Families (Marian and OPUS-MT, NLLB, M2M100, MADLAD) are told apart by ``config.json``. The folder is written beside its
place and moved there in one step, so that a folder that is there is whole.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from corpus.errors import ConfigurationError, InputError
from corpus.hashing import file_hash, fingerprint
from corpus.lexicon import LEXICON
from pipeline.translation.card import CARD_NAME, Family, ModelCard, hash_files, write_card
from pipeline.translation.from_opus import OPUS_POSITIONS, run_opus_converter
from pipeline.translation.from_transformers import Quantisation, run_converter
from pipeline.translation.languages import has_language_tokens, language_tokens, languages_of, read_json
from pipeline.translation.readme import licence_of
from pipeline.translation.weights import weights_of

TOKENIZER_FILES: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "marian": (("source.spm",), ("target.spm",)),
    "nllb": (("sentencepiece.bpe.model", "tokenizer.json"),),
    "m2m100": (("sentencepiece.bpe.model",),),
    "t5": (("spiece.model", "sentencepiece.model", "tokenizer.json"),),
}
"""For each family, the tokenizer's files: at least one of each group; all that are there are copied."""
TERMS: Final = ("README.md", "LICENSE", "LICENSE.md", "LICENSE.txt", "NOTICE")
"""Files that say who made a model and what may be done with it."""
_BY_TYPE: Final[Mapping[str, Family]] = {"marian": "marian", "m2m_100": "m2m100", "t5": "t5", "mt5": "t5"}
_UNUSABLE: Final = re.compile(r"[@>\s]+")


def convert(
    source: Path,
    output: Path,
    *,
    pairs: Sequence[tuple[str, str]] | None = None,
    licence: str | None = None,
    made_of: str | None = None,
    quantisation: Quantisation = "int8",
    name: str | None = None,
    origin: str | None = None,
    revision: str | None = None,
    allow_pickle: bool = False,
    replace: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> ModelCard:
    """Convert a local folder and write its card.

    Args:
        source: folder as ``transformers`` saves it (``config.json``, safetensors, tokenizer), or an unpacked release of
            OPUS-MT (``decoder.yml``, ``*.npz``, SentencePiece models).
        output: model folder to make.
        pairs: (source, target) languages it serves, in any scheme; None finds them in the folder.
        licence: of the weights; None takes what the README states.
        made_of: what it was trained on, in words.
        quantisation: type in which weights are stored. int8 is a quarter of float32's size.
        name: what to call it; None takes the origin's name without its owner, or the folder's.
        origin: where the folder comes from, for the card; None: the folder itself, by its name.
        revision: state of the origin; None takes a hash of its weights.
        allow_pickle: whether weights may be read from a pickle, with torch's restricted reader.
        replace: whether a model folder in the place of the output may be replaced.
        say: is told what goes on.

    Raises:
        EvenglotError: torch or transformers is not installed.
        InputError: the folder holds no model of these families, or does not say what it translates.
        ConfigurationError: the output exists, or a pair names no language.
    """
    source, output = Path(source), Path(output)
    weights = weights_of(source, allow_pickle)
    family = family_of(source)
    languages = languages_of(source, family, origin or source.resolve().name, pairs)
    if languages.unmapped:
        listed = ", ".join(languages.unmapped)
        say(f"{len(languages.unmapped)} of its language codes name no single language and are left out: {listed}")
    called = card_name(name, origin, source)
    with staged(output, replace) as folder:
        say(f"converting {called} to {quantisation}")
        if weights.form == "npz":
            loaded = run_opus_converter(source, folder, quantisation=quantisation)
        else:
            needed = language_tokens(family, languages)
            loaded = run_converter(source, folder, quantisation=quantisation, allow_pickle=allow_pickle, needed=needed)
        if loaded.absent:
            raise InputError(
                f"{source} lacks {len(loaded.absent)} weights of its architecture, such as {loaded.absent[0]}",
                "Use a whole copy of the model",
            )
        copy_tokenizer(source, folder, TOKENIZER_FILES[family])
        card = ModelCard(
            name=called,
            family=family,
            source=origin or source.resolve().name,
            revision=source_revision(source, weights.names, revision),
            licence=licence or licence_of(source),
            pairs=languages.pairs,
            languages=() if languages.pairs else tuple(languages.codes),
            codes=dict(languages.codes),
            unmapped=languages.unmapped,
            quantisation=quantisation,
            files=hash_files(folder),
            parameters=loaded.parameters,
            max_positions=_positions(source, family),
            made_of=made_of or "",
        )
        write_card(folder, card)
    return card


def family_of(source: Path) -> Family:
    """The family of a folder's model.

    Raises:
        InputError: it is of none that translates.
    """
    if (source / "decoder.yml").is_file():
        return "marian"
    config = read_json(source / "config.json")
    kind = str(config.get("model_type", ""))
    family = _BY_TYPE.get(kind)
    if family is None:
        raise InputError(
            f"{source} is no translation model that can be converted: "
            + (f"its config.json says model_type '{kind}'" if kind else "it has no config.json with a model_type"),
            f"Use a model of one of the types {', '.join(sorted(_BY_TYPE))}",
        )
    if family == "marian" and config.get("share_encoder_decoder_embeddings") is False:
        raise InputError(
            f"{source} is a Marian model with vocabularies of its own for source and target, which CTranslate2's "
            "converter for transformers takes for one",
            "Convert the release in Marian's own format (decoder.yml, *.npz) instead",
        )
    # NLLB is the same architecture with other tokens.
    return "nllb" if family == "m2m100" and has_language_tokens(source, "nllb") else family


def check_free(output: Path, replace: bool) -> None:
    """Check that a model folder may be made in a place.

    Raises:
        ConfigurationError: something is there that may not be replaced, or is no model folder.
    """
    if output.exists() and any(output.iterdir() if output.is_dir() else [output]):
        if not replace:
            raise ConfigurationError(f"{output} exists", "Choose another folder, or allow it with --replace")
        if not (output / CARD_NAME).is_file():
            raise ConfigurationError(
                f"{output} is no model folder (it has no {CARD_NAME}) and is not replaced", "Choose another folder"
            )


@contextmanager
def staged(output: Path, replace: bool) -> Iterator[Path]:
    """A new folder beside ``output`` (not yet made) that takes its place when the block ends well.

    Raises:
        ConfigurationError: the output exists and may not be replaced, or is no model folder.
    """
    check_free(output, replace)
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{output.name}-", dir=output.parent) as place:
        folder = Path(place) / "new"
        yield folder
        if output.exists():
            output.replace(Path(place) / "old")
        folder.replace(output)


def copy_tokenizer(source: Path, folder: Path, groups: Sequence[Sequence[str]]) -> None:
    """Copy the files that make tokens of text, the lexicon if there is one, and what licences want kept with a model.

    Raises:
        InputError: one is missing.
    """
    for group in groups:
        found = [name for name in group if (source / name).is_file()]
        if not found:
            raise InputError(f"{source} has no {' or '.join(group)}", "Use a whole copy of the model")
        for name in found:
            shutil.copyfile(source / name, folder / name)
    for name in (LEXICON, *TERMS):
        if (source / name).is_file():
            shutil.copyfile(source / name, folder / name)


def card_name(name: str | None, origin: str | None, source: Path) -> str:
    """What a card calls the model: as asked, else the origin's name without its owner, else the folder's."""
    return _UNUSABLE.sub("-", name or (origin or source.resolve().name).rstrip("/").rpartition("/")[2])


def source_revision(source: Path, weights: Sequence[str], given: str | None) -> str:
    """The state of the source: as given, else 16 hexadecimal digits of a hash of its weights."""
    hashed = fingerprint([[name, file_hash(source / name)] for name in weights]) if given is None else given
    return _UNUSABLE.sub("-", given or hashed[:16])


def _positions(source: Path, family: Family) -> int | None:
    if family == "t5":
        return None  # attends by relative position
    found = read_json(source / "config.json").get("max_position_embeddings", OPUS_POSITIONS)
    return int(found) if found else None
