"""The recipe reference: one Markdown page made from the models, their defaults and their docstrings.

``python -m evenglot.recipe.reference docs/recipe-reference.md`` writes it, with ``--check`` it only compares.
"""

from __future__ import annotations

import argparse
import inspect
import json
import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from evenglot.recipe.models import Recipe

_TOP = """# Recipe reference

Every key a recipe may have, with its type and default. This page is made from the code (`make docs`); the same
texts stand beside the fields there.

A recipe is one YAML file. Every key has a default, so a recipe says only what differs. Unknown keys are errors that
name the line and the nearest key.

- `extends: other.yaml` (or a list of files, relative to the recipe) takes everything from there first; sections are
  merged key by key, lists and single values are replaced.
- `--set section.key=value` overrides any key on the command line; flags such as `--steps` override both.
- Other paths are relative to the folder the command is run in.
- Environment variables are not expanded: secrets (object stores, the hub) stay in the environment, where their
  libraries look for them, and never reach an output.
- The whole resolved recipe goes into every snapshot and run directory.
"""


def reference() -> str:
    """The whole page."""
    places: dict[type[BaseModel], list[str]] = {}
    for path, model in _sections("", Recipe, ()):
        places.setdefault(model, []).append(path)
    # One that stands in lists everywhere has the same defaults in all its places, and goes by the first of them.
    repeated = {model for model, paths in places.items() if len(paths) > 1 and not all("[]" in path for path in paths)}
    parts = [_TOP, *("\n" + _section(paths, model, repeated) for model, paths in places.items())]
    return "".join(parts)


def main(arguments: list[str] | None = None) -> int:
    """Write the page, or compare it with what is there."""
    parser = argparse.ArgumentParser(prog="python -m evenglot.recipe.reference", description=main.__doc__)
    parser.add_argument("page", type=Path)
    parser.add_argument("--check", action="store_true", help="only compare; exit code 1 when the page is out of date")
    options = parser.parse_args(arguments)
    page = reference()
    if options.check:
        if not options.page.exists() or options.page.read_text(encoding="utf-8") != page:
            print(f"{options.page} is out of date: run `make docs`", file=sys.stderr)
            return 1
        return 0
    options.page.parent.mkdir(parents=True, exist_ok=True)
    options.page.write_text(page, encoding="utf-8")
    return 0


def _sections(
    path: str, model: type[BaseModel], seen: tuple[type[BaseModel], ...]
) -> Iterator[tuple[str, type[BaseModel]]]:
    yield path, model
    for name, field in model.model_fields.items():
        here = f"{path}.{name}" if path else name
        for inner, suffix in _models(field.annotation):
            if inner not in seen:
                yield from _sections(here + suffix, inner, (*seen, model))


def _models(annotation: Any) -> Iterator[tuple[type[BaseModel], str]]:
    """The models inside a type, with ``[]`` for those in lists."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, ""
        return
    origin = typing.get_origin(annotation)
    if origin is None or origin is typing.Literal:
        return
    union = origin in (typing.Union, types.UnionType, typing.Annotated)
    suffix = "" if union else ".<key>" if origin is dict else "[]"
    for argument in typing.get_args(annotation):
        for model, inner in _models(argument):
            yield model, suffix + inner


def _section(paths: list[str], model: type[BaseModel], repeated: set[type[BaseModel]]) -> str:
    title = f"`{model.__name__}`" if model in repeated else f"`{paths[0]}`" if paths[0] else "Top level"
    lines = [f"## {title}", "", _prose(inspect.getdoc(model) or ""), ""]
    if model in repeated:
        lines += ["The section of " + ", ".join(f"`{path}`" for path in paths) + ".", ""]
    elif len(paths) > 1:
        lines += ["Also the section of " + ", ".join(f"`{path}`" for path in paths[1:]) + ".", ""]
    lines += ["| key | type | default | meaning |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        lines.append(
            f"| `{name}` | {_cell(_type(field.annotation) + _bounds(field))} | {_default(field, repeated)} | "
            f"{_cell(_prose(field.description or ''))} |"
        )
    return "\n".join(lines) + "\n"


def _type(annotation: Any) -> str:
    if annotation is None or annotation is type(None):
        return "null"
    if annotation is Any:
        return "any value"
    origin = typing.get_origin(annotation)
    arguments = typing.get_args(annotation)
    if origin is typing.Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if origin is typing.Annotated:
        return _type(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_type(argument) for argument in arguments)
    if origin is dict or (origin is not None and issubclass(origin, typing.cast(type, typing.Mapping))):
        return f"mapping of {_type(arguments[0])} to {_type(arguments[1])}"
    if origin is tuple and Ellipsis not in arguments:
        return "list of " + ", ".join(_type(argument) for argument in arguments)
    if origin is not None:
        return f"list of {_type(arguments[0])}"
    names = {str: "text", int: "integer", float: "number", bool: "true or false", Path: "path"}
    if annotation in names:
        return names[annotation]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "section"
    return str(getattr(annotation, "__name__", annotation))


def _bounds(field: FieldInfo) -> str:
    signs = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}
    said = [
        f"{word} {_number(getattr(item, key))}"
        for item in field.metadata
        for key, word in signs.items()
        if getattr(item, key, None) is not None
    ]
    return f", {', '.join(said)}" if said else ""


def _number(value: float) -> str:
    if isinstance(value, int) and abs(value) >= 1 << 20 and value & (value - 1) == 0:
        return f"2^{value.bit_length() - 1}"
    return str(value)


def _default(field: FieldInfo, repeated: set[type[BaseModel]]) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, BaseModel) and type(value) not in repeated:
        return "see its section"
    text = json.dumps(_plain(value), ensure_ascii=False)
    return f"`{_cell(text)}`"


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_unset=True)
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return str(value) if isinstance(value, Path) else value


def _prose(text: str) -> str:
    return " ".join(text.replace("``", "`").split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
