"""YAML that remembers where every value was written.

Scalars follow the YAML 1.2 core schema, not PyYAML's 1.1: there, the language code ``no`` would be a boolean
and ``1e-3`` a string. Keys are always strings as written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from corpus.errors import ConfigurationError

_MOST_NODES: Final = 100_000
"""A bound on the expanded document: aliases of aliases would otherwise grow without end."""


@dataclass(frozen=True)
class Mark:
    """Where a value was written: a file and a line, or a flag of the command line."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Node:
    """A value of a YAML document with its place; the values inside it are nodes too."""

    value: Any
    """``dict[str, Node]``, ``list[Node]`` or a scalar."""
    mark: Mark
    keys: Mapping[str, Mark] | None = None
    """Of a mapping: where each key was written."""

    def plain(self) -> Any:
        """The value without places."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def find(self, path: tuple[int | str, ...]) -> Mark:
        """The place of the innermost value on a path; steps that are not in the document are passed over."""
        here, mark = self, self.mark
        for step in path:
            if isinstance(here.value, dict) and step in here.value:
                mark = (here.keys or {}).get(str(step), here.value[step].mark)
                here = here.value[step]
            elif isinstance(here.value, list) and isinstance(step, int) and step < len(here.value):
                here = here.value[step]
                mark = here.mark
        return mark


class _Loader(yaml.SafeLoader):
    """Composes and resolves by the YAML 1.2 core schema."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own class attribute, emptied here


for _tag, _pattern, _first in (
    ("tag:yaml.org,2002:null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("tag:yaml.org,2002:bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("tag:yaml.org,2002:int", r"^[-+]?[0-9][0-9_]*$", list("-+0123456789")),
    (
        "tag:yaml.org,2002:float",
        r"^[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?$|^[-+]?\.(?:inf|Inf|INF)$|^\.(?:nan|NaN|NAN)$",
        list("-+0123456789."),
    ),
):
    _Loader.add_implicit_resolver(_tag, re.compile(_pattern), _first)

_SCALARS: Final[dict[str, Any]] = {
    "tag:yaml.org,2002:null": lambda text: None,
    "tag:yaml.org,2002:bool": lambda text: text.lower() == "true",
    "tag:yaml.org,2002:int": lambda text: int(text.replace("_", "")),
    "tag:yaml.org,2002:float": lambda text: float(re.sub(r"\.(?=inf|nan)", "", text.lower()).replace("_", "")),
    "tag:yaml.org,2002:str": str,
}  # fmt: skip
_TAGS: Final = {
    yaml.ScalarNode: frozenset(_SCALARS),
    yaml.MappingNode: frozenset({"tag:yaml.org,2002:map"}),
    yaml.SequenceNode: frozenset({"tag:yaml.org,2002:seq"}),
}


def read_yaml(path: Path) -> Node:
    """Read one YAML file whose top is a mapping.

    Raises:
        ConfigurationError: it is missing, unreadable, no YAML, or has a key twice; the message names the line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigurationError(f"recipe {path} does not exist", "Correct the path") from error
    except IsADirectoryError as error:
        raise ConfigurationError(f"recipe {path} is a folder", "Give the YAML file itself") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"recipe {path} is not UTF-8 text: byte {error.start}", "Save it as UTF-8") from error
    except OSError as error:
        raise ConfigurationError(f"cannot read recipe {path}: {error.strerror or error}") from error
    node = parse_yaml(text, str(path))
    if node.value is None:
        return Node({}, node.mark, {})
    if not isinstance(node.value, dict):
        raise ConfigurationError(f"{node.mark}: a recipe is a mapping of keys to values", "Write `key: value` lines")
    return node


def parse_yaml(text: str, name: str, line: int | None = 1) -> Node:
    """Parse one YAML document.

    Args:
        text: the document.
        name: what to call it in messages: a path or a flag.
        line: number of its first line; None for text that has no lines, such as a flag's value.

    Raises:
        ConfigurationError: it is no YAML, or has a key twice; the message names the line.
    """
    try:
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
        finally:
            loader.dispose()
        if root is None:
            return Node(None, Mark(name, line))
        return _build(root, name, line, iter(range(_MOST_NODES)))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Mark(name, None if mark is None or line is None else mark.line + line)
        said = " ".join(part for part in (error.context, error.problem) if part)
        raise ConfigurationError(f"{place}: this is not YAML: {said}", _hint(said)) from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{name}: this is not YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise ConfigurationError(f"{name}: the document is nested too deeply or refers to itself") from error


def _build(node: yaml.Node, name: str, first: int | None, budget: Iterator[int]) -> Node:
    mark = Mark(name, None if first is None else node.start_mark.line + first)
    if next(budget, None) is None:
        raise ConfigurationError(f"{mark}: the document expands to more than {_MOST_NODES:,} values")
    if node.tag not in _TAGS[type(node)]:
        raise ConfigurationError(f"{mark}: YAML tag '{node.tag}' is not allowed", "Write a plain value")
    if isinstance(node, yaml.MappingNode):
        values: dict[str, Node] = {}
        keys: dict[str, Mark] = {}
        for key_node, value_node in node.value:
            place = Mark(name, None if first is None else key_node.start_mark.line + first)
            if not isinstance(key_node, yaml.ScalarNode):
                raise ConfigurationError(f"{place}: a key must be plain text")
            key = key_node.value
            if key in values:
                raise ConfigurationError(
                    f"{place}: '{key}' stands here for the second time, first at {keys[key]}", "Keep one of them"
                )
            keys[key] = place
            values[key] = _build(value_node, name, first, budget)
        return Node(values, mark, keys)
    if isinstance(node, yaml.SequenceNode):
        return Node([_build(item, name, first, budget) for item in node.value], mark)
    try:
        return Node(_SCALARS[node.tag](node.value), mark)
    except ValueError as error:
        raise ConfigurationError(f"{mark}: '{node.value}' is no {node.tag.rpartition(':')[2]}") from error


def _hint(said: str) -> str | None:
    if "'\\t'" in said:
        return "Indent with spaces, not tabs"
    if "mapping values are not allowed" in said:
        return "Quote a text that holds ': ', or correct the indentation"
    if "alias" in said or "while scanning an anchor" in said:
        return "Quote a text that begins with * or &"
    return None
