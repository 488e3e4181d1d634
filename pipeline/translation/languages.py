"""Which languages a translation model speaks, and what it calls them, from the files of its folder.

Nobody writes this down in one place: OPUS-MT has it in the model's name, its README and ``>>fra<<`` pieces, NLLB in
special tokens such as ``fra_Latn``, M2M100 in ``__fr__``, MADLAD in ``<2fr>`` pieces. What cannot be mapped to a tag is
listed, never dropped unseen.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from corpus.errors import ConfigurationError, InputError
from corpus.tags import is_group, script_of, to_tag, to_tag_or_none
from pipeline.translation.card import Family

_SPECIAL_TOKENS: Final = ("additional_special_tokens", "extra_special_tokens")
_OWN_CODES: Final[Mapping[str, str]] = {"ns": "nso"}
"""Codes of M2M100 that are no codes of ISO 639."""
_OPUS_NAME: Final = re.compile(r"opus-?mt(?:[-_](?:tc|base|big|tiny|small|bible))*[-_](.+)\Z")
_README_LINE: Final = re.compile(
    r"^\s*[*-]\s*\**(source|target) languages?(?:\(s\))?\**\s*:\s*\**\s*(.+?)\s*$", re.MULTILINE | re.IGNORECASE
)
_NAMED: Final = 8
"""Languages that an error names at most."""
_TOKENS: Final[Mapping[Family, re.Pattern[str]]] = {
    "marian": re.compile(r">>([A-Za-z]{2,}[\w-]*)<<\Z"),
    "nllb": re.compile(r"([a-z]{3}_[A-Z][a-z]{3})\Z"),
    "m2m100": re.compile(r"__([a-z]{2,3}(?:_\w+)?)__\Z"),
    "t5": re.compile(r"<2([A-Za-z]{2,}[\w-]*)>\Z"),
}
"""The token that names a language in each family; its group is the model's own code."""
_MARKS: Final[Mapping[Family, str]] = {"marian": ">>{}<<", "nllb": "{}", "m2m100": "__{}__", "t5": "<2{}>"}


@dataclass(frozen=True)
class Languages:
    """What a model speaks."""

    codes: Mapping[str, str]
    """Tag -> the model's own code, without the marks around it (``fr`` of ``__fr__``); of Marian, only the targets that
    are asked for with a token."""
    pairs: tuple[tuple[str, str], ...] = ()
    """Directions it serves; empty where it translates between all of ``codes``."""
    unmapped: tuple[str, ...] = ()
    """Codes of its own that name no language we know, or only a group of them."""


def languages_of(folder: Path, family: Family, name: str, pairs: Sequence[tuple[str, str]] | None = None) -> Languages:
    """What the model in a folder speaks.

    Args:
        folder: as Hugging Face, or a release of OPUS-MT, lays it out.
        family: of the model.
        name: hub id or folder name; those of OPUS-MT say the direction (``opus-mt-en-de``).
        pairs: (source, target) languages in any scheme, where the user says what it serves.

    Raises:
        InputError: no file says it.
        ConfigurationError: the pairs name a language that the model does not know.
        UnknownLanguage: the pairs name no language.
    """
    codes = sorted({found.group(1) for token in _tokens(folder, family) if (found := _TOKENS[family].match(token))})
    by_tag, unmapped = mapped(codes)
    if family == "marian":
        tags = _tags(pairs) if pairs else None
        if tags is None:
            return _marian(folder, name, by_tag, unmapped)
        _check_known([target for _, target in tags], by_tag if by_tag else None)
        return Languages({tag: code for tag, code in by_tag.items() if tag in {target for _, target in tags}}, tags)
    if len(by_tag) < 2:
        raise InputError(
            f"{folder} names {len(by_tag)} languages in its tokenizer where a {family} model has a token for each",
            "Use a whole copy of a translation model, with all files of its tokenizer",
        )
    if not pairs:
        return Languages(by_tag, unmapped=unmapped)
    tags = _tags(pairs)
    needed = sorted({tag for pair in tags for tag in pair})
    _check_known(needed, by_tag)
    return Languages({tag: by_tag[tag] for tag in needed}, tags)


def has_language_tokens(folder: Path, family: Family) -> bool:
    """Whether the tokenizer in a folder lists tokens of the form that a family names languages by."""
    return any(_TOKENS[family].match(token) for token in _tokens(folder, family))


def language_tokens(family: Family, languages: Languages) -> list[str]:
    """The tokens by which a model is told languages."""
    return [_MARKS[family].format(code) for code in languages.codes.values()]


def mapped(codes: Iterable[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Codes by tag, and the codes that name no single language.

    Where several codes mean one tag (``zh``, ``zh_Hans``), the one that says the script wins, then the shortest.
    """
    by_tag: dict[str, str] = {}
    unmapped = []
    for code in sorted(set(codes)):
        tag = tag_of(code)
        if tag is None:
            unmapped.append(code)
        elif tag not in by_tag or _rank(code, tag) < _rank(by_tag[tag], tag):
            by_tag[tag] = code
    return {tag: by_tag[tag] for tag in sorted(by_tag)}, tuple(unmapped)


def tag_of(code: str) -> str | None:
    """The tag of a model's code; None where it names no language or a group (``ROMANCE``, ``mul``, ``sla``)."""
    tag = to_tag_or_none(_OWN_CODES.get(code, code))
    return None if tag is None or script_of(tag) is None or is_group(tag) else tag


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty where there is no such file.

    Raises:
        InputError: it is damaged.
    """
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}", "Use a whole copy of the model") from error
    if not isinstance(found, dict):
        raise InputError(f"{path} holds no JSON object", "Use a whole copy of the model")
    return found


def _rank(code: str, tag: str) -> tuple[bool, int, str]:
    return not code.endswith(f"_{tag[4:]}"), len(code), code


def _tags(pairs: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(dict.fromkeys((to_tag(source), to_tag(target)) for source, target in pairs))


def _check_known(tags: Sequence[str], known: Mapping[str, str] | None) -> None:
    if known is not None and (unknown := [tag for tag in tags if tag not in known]):
        raise ConfigurationError(
            f"the model does not know {unknown[0]}, which the pairs name",
            f"It knows {', '.join(list(known)[:_NAMED])}" + (" and others" if len(known) > _NAMED else ""),
        )


def _marian(folder: Path, name: str, target_tokens: Mapping[str, str], unmapped: Sequence[str]) -> Languages:
    sides = {side: _side(folder, name, side) for side in ("source", "target")}
    sources, of_no_language = mapped(sides["source"])
    targets, also = (target_tokens, ()) if target_tokens else mapped(sides["target"])
    lost = tuple(dict.fromkeys([*unmapped, *of_no_language, *also]))
    if not sources or not targets:
        side = "target" if sources else "source"
        raise InputError(
            f"no file of {folder} says the {side} language of the model"
            + (f" ('{', '.join(sides[side])}' names none)" if sides[side] else ""),
            "Say what it translates with --pair SOURCE-TARGET, for example --pair en-sw",
        )
    pairs = tuple((source, target) for source in sources for target in targets if source != target)
    return Languages(target_tokens, pairs, lost)


def _side(folder: Path, name: str, side: str) -> list[str]:
    """Codes of one side: of the README where it lists single languages, else of the tokenizer, else of the name."""
    told = read_json(folder / "tokenizer_config.json").get(f"{side}_lang")
    codes = [str(told)] if told else _codes_in_name(name)[side == "target"]
    if codes and any(tag_of(code) for code in codes):
        return codes
    listed = _codes_in_readme(folder).get(side, [])
    return listed or codes


def _codes_in_name(name: str) -> tuple[list[str], list[str]]:
    """Source and target codes of a name such as ``Helsinki-NLP/opus-mt-tc-big-en-cat_oci_spa``."""
    found = _OPUS_NAME.search(name.rstrip("/").rpartition("/")[2])
    if found is None or found.group(1).count("-") != 1:
        return [], []
    source, target = found.group(1).split("-")
    return _members(source), _members(target)


def _members(code: str) -> list[str]:
    """``cat_oci_spa`` is three languages, ``zh_Hant`` one."""
    parts = code.split("_")
    several = len(parts) > 1 and all(len(part) in (2, 3) and part.islower() for part in parts)
    return parts if several else [code]


def _codes_in_readme(folder: Path) -> dict[str, list[str]]:
    path = folder / "README.md"
    if not path.is_file():
        return {}
    found: dict[str, list[str]] = {}
    for side, codes in _README_LINE.findall(path.read_text(encoding="utf-8", errors="replace")):
        found.setdefault(side.lower(), [code for code in re.split(r"[\s,]+", codes.strip("`* ")) if code])
    return found


def _tokens(folder: Path, family: Family) -> Iterator[str]:
    """Every token that may name a language: those of the tokenizer's settings, of its vocabulary, of its pieces."""
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        settings = read_json(folder / name)
        for key in _SPECIAL_TOKENS:
            listed = settings.get(key) or ()
            yield from (_content(token) for token in (listed.values() if isinstance(listed, dict) else listed))
        yield from (_content(token) for token in dict(settings.get("added_tokens_decoder") or {}).values())
    yield from read_json(folder / "added_tokens.json")
    yield from read_json(folder / "vocab.json")
    fast = read_json(folder / "tokenizer.json")
    yield from (_content(token) for token in fast.get("added_tokens") or ())
    if family == "t5":
        vocabulary = dict(fast.get("model") or {}).get("vocab") or ()
        yield from (str(piece[0]) if isinstance(piece, list) else str(piece) for piece in vocabulary)
        if not vocabulary:
            yield from _pieces(folder)
    if family == "marian":
        yield from _marian_vocabulary(folder)
    if family == "m2m100":
        yield from _m2m100_tokens(read_json(folder / "tokenizer_config.json").get("language_codes") or "m2m100")


def _m2m100_tokens(codes: str) -> Iterator[str]:
    """Those that the tokenizer of ``transformers`` adds by itself, whatever its files list."""
    try:
        module = importlib.import_module("transformers.models.m2m_100.tokenization_m2m_100")
    except ImportError:
        return  # asked for before anything is converted
    yield from (f"__{code}__" for code in module.FAIRSEQ_LANGUAGE_CODES.get(codes, ()))


def _content(token: Any) -> str:
    return str(token["content"] if isinstance(token, dict) and "content" in token else token)


def _pieces(folder: Path) -> Iterator[str]:
    import sentencepiece

    for name in ("spiece.model", "sentencepiece.model"):
        if (folder / name).is_file():
            try:
                pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / name))
            except (OSError, RuntimeError) as error:
                raise InputError(f"{folder / name} is no SentencePiece model", "Use a whole copy of it") from error
            yield from (str(pieces.id_to_piece(number)) for number in range(pieces.get_piece_size()))


def _marian_vocabulary(folder: Path) -> Iterator[str]:
    """Tokens of a release as OPUS-MT publishes them: ``opus.spm32k-spm32k.vocab.yml``, a line for each."""
    for path in sorted(folder.glob("*.yml")):
        with path.open(encoding="utf-8", errors="replace") as lines:
            yield from (line.rpartition(":")[0].strip("\"' ") for line in lines if ">>" in line)
