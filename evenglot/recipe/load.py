"""From YAML files and flags to a validated ``Recipe``, with errors that name file, line, field and the way out."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from corpus.errors import ConfigurationError
from corpus.hashing import fingerprint
from evenglot.recipe.models import Recipe
from evenglot.recipe.yaml_source import Mark, Node, parse_yaml, read_yaml

_EXTENDS = "extends"


def load_recipe(
    path: str | Path | None = None,
    overrides: Sequence[str] = (),
    flags: Mapping[str, tuple[str, Any]] | None = None,
    base: tuple[str, Mapping[str, Any]] | None = None,
) -> Recipe:
    """Read a recipe, lay overrides over it and validate the whole.

    A recipe may name one or several others under ``extends``, relative to its own folder. Mappings are
    merged key by key, everything else is replaced. Later ones win: ``extends``, the file, ``--set``, flags.

    Args:
        path: the YAML file; None starts from the defaults.
        overrides: ``section.key=value``, the value in YAML, as given to ``--set``.
        flags: for each dotted key the flag's name and its value; a value of None is not laid over.
        base: what the file is laid over, with the name that messages call it by; None takes the defaults.

    Raises:
        ConfigurationError: what is wrong, where, and what to do.
    """
    root = Node({}, Mark("defaults"), {}) if base is None else _as_node(base[1], Mark(base[0]))
    if path is not None:
        root = _merge(root, _read_extended(Path(path), ()))
    for override in overrides:
        root = _override(root, override)
    for key, (flag, value) in (flags or {}).items():
        if value is not None:
            root = _lay(root, tuple(key.split(".")), _as_node(value, Mark(flag)), key)
    return validate(root)


def validate(root: Node) -> Recipe:
    """Turn a document into a recipe.

    Raises:
        ConfigurationError: the first thing that is wrong, in the order of the document, and how many more are.
    """
    try:
        return Recipe.model_validate(root.plain())
    except ValidationError as error:
        grouped: dict[tuple[int | str, ...], list[Any]] = {}
        for problem in error.errors(include_url=False):
            grouped.setdefault(_written(problem["loc"], root), []).append(problem)
        steps, first = next(iter(grouped.items()))
        message, fix = _explain(steps, first, root)
        if len(grouped) > 1:
            others = [".".join(map(str, other)) for other in list(grouped)[1:]]
            message += f" (also wrong: {', '.join(others[:5])}{' ...' if len(others) > 5 else ''})"
        raise ConfigurationError(message, fix) from error


def resolved(recipe: Recipe) -> dict[str, Any]:
    """The recipe with every default written out, as JSON values; it goes into every output."""
    return recipe.model_dump(mode="json")


def dump_recipe(recipe: Recipe) -> str:
    """The recipe with every default written out, as YAML that ``load_recipe`` reads back to the same recipe."""
    return yaml.safe_dump(resolved(recipe), sort_keys=False, allow_unicode=True, width=110)


def recipe_fingerprint(recipe: Recipe) -> str:
    """32 hexadecimal digits that are equal exactly when two recipes ask for the same."""
    return fingerprint(resolved(recipe))


def _read_extended(path: Path, chain: tuple[Path, ...]) -> Node:
    real = path.resolve()
    if real in chain:
        loop = " -> ".join(str(step) for step in (*chain[chain.index(real) :], real))
        raise ConfigurationError(f"recipe {path} extends itself: {loop}", f"Remove one `{_EXTENDS}`")
    node = read_yaml(path)
    if _EXTENDS not in node.value:
        return node
    base = node.value[_EXTENDS]
    names = base.value if isinstance(base.value, list) else [base]
    merged = Node({}, node.mark, {})
    for name in names:
        if not isinstance(name.value, str) or not name.value:
            raise ConfigurationError(
                f"{name.mark}: {_EXTENDS}: expected the path of a recipe, got {_show(name.plain())}"
            )
        target = path.parent / name.value
        if not target.exists():
            raise ConfigurationError(
                f"{name.mark}: {_EXTENDS}: {target} does not exist", "Paths are relative to the recipe that names them"
            )
        merged = _merge(merged, _read_extended(target, (*chain, real)))
    own = {key: value for key, value in node.value.items() if key != _EXTENDS}
    return _merge(merged, Node(own, node.mark, node.keys))


def _merge(under: Node, over: Node) -> Node:
    if not isinstance(under.value, dict) or not isinstance(over.value, dict):
        return over
    values = dict(under.value)
    for key, node in over.value.items():
        values[key] = _merge(values[key], node) if key in values else node
    return Node(values, over.mark, {**(under.keys or {}), **(over.keys or {})})


def _override(root: Node, text: str) -> Node:
    key, equals, value = text.partition("=")
    key = key.strip()
    if not equals or not key or not all(key.split(".")):
        raise ConfigurationError(f"--set {text}: expected KEY=VALUE", "For example `--set train.steps=100`")
    return _lay(root, tuple(key.split(".")), parse_yaml(value, f"--set {key}", line=None), key)


def _lay(root: Node, path: tuple[str, ...], node: Node, key: str) -> Node:
    if not path:
        return node
    step, rest = path[0], path[1:]
    if isinstance(root.value, list):
        if not step.isdigit() or int(step) >= len(root.value):
            raise ConfigurationError(
                f"{node.mark}: '{step}' in {key} is no position in a list of {len(root.value)}",
                "Positions count from 0",
            )
        items = list(root.value)
        items[int(step)] = _lay(items[int(step)], rest, node, key)
        return Node(items, root.mark)
    values = dict(root.value) if isinstance(root.value, dict) else {}
    inner = values.get(step, Node({}, node.mark, {}))
    values[step] = _lay(inner, rest, node, key)
    return Node(values, root.mark, {**(root.keys or {}), step: node.mark})


def _as_node(value: Any, mark: Mark) -> Node:
    if isinstance(value, Mapping):
        return Node({str(k): _as_node(v, mark) for k, v in value.items()}, mark, {str(k): mark for k in value})
    if isinstance(value, list | tuple):
        return Node([_as_node(item, mark) for item in value], mark)
    return Node(value, mark)


def _explain(steps: tuple[int | str, ...], problems: list[Any], root: Node) -> tuple[str, str | None]:
    """One message for what is wrong at one place; a union of types gives several problems there."""
    field = ".".join(str(step) for step in steps) or "recipe"
    place = f"{root.find(steps)}: {field}"
    problem = problems[0]
    kind, location = problem["type"], problem["loc"]
    if kind == "extra_forbidden":
        known = sorted({name for model in _models_at(Recipe, location[:-1]) for name in model.model_fields})
        unknown = str(location[-1])
        near = difflib.get_close_matches(unknown, known, n=1, cutoff=0.5)
        parent = ".".join(str(step) for step in steps[:-1])
        where = f"in '{parent}'" if parent else "at the top of a recipe"
        fix = f"Did you mean '{near[0]}'?" if near else f"Known keys {where}: {', '.join(known)}"
        return f"{place}: unknown key '{unknown}'", fix
    if kind == "missing":
        return f"{place}: '{location[-1]}' is missing", "Add it"
    said = list(dict.fromkeys(_said(each) for each in problems))
    expected = [text.removeprefix("expected ") for text in said if text.startswith("expected ")]
    message = f"expected {' or '.join(expected)}" if len(expected) == len(said) else "; ".join(said)
    return f"{place}: {message}, got {_show(problem['input'])}", None


def _said(problem: Any) -> str:
    """What pydantic says of a value, as "expected ..." where it says what it should be."""
    if problem["type"] in ("model_type", "model_attributes_type", "dict_type", "mapping_type"):
        return "expected a section of `key: value` lines"
    if problem["type"] in ("tuple_type", "list_type"):
        return "expected a list"
    if problem["type"] == "string_type":
        return "expected text"
    said = str(problem["msg"])
    if said.startswith("Input should be "):
        return "expected " + said.removeprefix("Input should be ").partition(", unable to")[0]
    for prefix in ("Value error, ", "Assertion failed, "):
        said = said.removeprefix(prefix)
    return said


def _written(location: tuple[int | str, ...], root: Node) -> tuple[int | str, ...]:
    """The steps of a pydantic location that the user wrote or should have written, without names of union members."""
    steps: list[int | str] = []
    here: Node | None = root
    for index, step in enumerate(location):
        inside = None
        if here is not None and isinstance(here.value, dict):
            inside = here.value.get(str(step))
        elif here is not None and isinstance(here.value, list) and isinstance(step, int):
            inside = here.value[step] if step < len(here.value) else None
        if inside is not None:
            steps.append(step)
            here = inside
        elif index == len(location) - 1 and here is not None and isinstance(here.value, dict):
            steps.append(step)
    return tuple(steps)


def _models_at(annotation: Any, path: tuple[int | str, ...]) -> Iterator[type[BaseModel]]:
    """The models that may stand at a place; several where a union allows them."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        yield from _models_at(typing.get_args(annotation)[0], path)
    elif origin in (typing.Union, types.UnionType):
        members = typing.get_args(annotation)
        named = [m for m in members if path and _is_model(m) and path[0] in (m.__name__, *_tags(m))]
        for member in named or members:
            yield from _models_at(member, path[1:] if named else path)
    elif origin is not None:
        inner = [argument for argument in typing.get_args(annotation) if argument is not Ellipsis]
        if path and inner:
            yield from _models_at(inner[-1], path[1:])
    elif _is_model(annotation):
        if not path:
            yield annotation
        elif path[0] in annotation.model_fields:
            yield from _models_at(annotation.model_fields[str(path[0])].annotation, path[1:])


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _tags(model: type[BaseModel]) -> tuple[Any, ...]:
    """Values of a model's literal fields: pydantic names the members of a tagged union by them."""
    return tuple(
        value
        for field in model.model_fields.values()
        if typing.get_origin(field.annotation) is typing.Literal
        for value in typing.get_args(field.annotation)
    )


def _show(value: Any) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
