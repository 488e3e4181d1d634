"""Groups of languages: by script, by size, each language alone, or as a file says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from corpus.errors import ConfigurationError
from trainer.config.conflict import GroupsConfig

OTHERS: Final = "others"


class Groups(NamedTuple):
    """Groups that every language is in exactly one of."""

    names: tuple[str, ...]
    """The group with the most training tokens first, ``others`` last."""
    of_language: tuple[int, ...]
    """Index of each language's group, in the order of the language indices."""

    def members(self, languages: Sequence[str]) -> dict[str, list[str]]:
        """The tags of each group, in the order of the language indices."""
        return {
            name: [lang for lang, group in zip(languages, self.of_language, strict=True) if group == index]
            for index, name in enumerate(self.names)
        }


def make_groups(config: GroupsConfig, languages: Sequence[str], train_tokens: Sequence[int]) -> Groups:
    """The groups of a run's languages.

    Args:
        config: how to group.
        languages: tags, in the order of the language indices.
        train_tokens: training tokens that exist of each language.

    Raises:
        ConfigurationError: the file cannot be read, names a language twice or one that is not trained, or all
            languages are in one group.
    """
    named = _named(config, languages, train_tokens)
    tokens: dict[str, int] = {}
    for name, size in zip(named, train_tokens, strict=True):
        tokens[name] = tokens.get(name, 0) + size
    order = sorted(tokens, key=lambda name: (name == OTHERS, -tokens[name], name))
    if len(order) > config.most:
        order = [*[name for name in order if name != OTHERS][: config.most - 1], OTHERS]
        named = [name if name in order else OTHERS for name in named]
    if len(order) < 2:
        raise ConfigurationError(
            f"all {len(languages)} languages are in one group, '{order[0]}'", "Group them by language, size or file"
        )
    return Groups(tuple(order), tuple(order.index(name) for name in named))


def _named(config: GroupsConfig, languages: Sequence[str], train_tokens: Sequence[int]) -> list[str]:
    """Name of each language's group."""
    if config.by == "language":
        return list(languages)
    if config.by == "script":
        return [lang.rpartition("_")[2] for lang in languages]
    if config.by == "size":
        return _by_size(languages, train_tokens, config.most)
    assert config.file is not None
    known = _read(config.file, languages)
    return [known.get(lang, OTHERS) for lang in languages]


def _by_size(languages: Sequence[str], train_tokens: Sequence[int], classes: int) -> list[str]:
    """Classes of equally many languages up to one, named by their place."""
    classes = min(classes, len(languages))
    order = sorted(range(len(languages)), key=lambda index: (-train_tokens[index], languages[index]))
    names = [""] * len(languages)
    for place, index in enumerate(order):
        names[index] = f"size {place * classes // len(languages) + 1} of {classes}"
    return names


def _read(file: str, languages: Sequence[str]) -> dict[str, str]:
    """Group of each language that a file names.

    Raises:
        ConfigurationError: it cannot be read or does not fit the languages.
    """
    fix = "Write an object that maps names of groups to lists of tags"
    try:
        content = json.loads(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"groups file {file} cannot be read: {error}", fix) from error
    if not isinstance(content, dict) or not all(
        isinstance(tags, list) and all(isinstance(tag, str) for tag in tags) for tags in content.values()
    ):
        raise ConfigurationError(f"groups file {file} is not an object of lists of tags", fix)
    found: dict[str, str] = {}
    for name, tags in content.items():
        for tag in tags:
            if tag not in languages:
                raise ConfigurationError(
                    f"groups file {file}, group '{name}': '{tag}' is not among the run's languages",
                    f"Remove it; the languages are: {', '.join(languages)}",
                )
            if tag in found:
                raise ConfigurationError(
                    f"groups file {file}: '{tag}' is in '{found[tag]}' and in '{name}'", "Leave it in one of them"
                )
            found[tag] = name
    return found
