"""Named methods with their options, loaded when they are used; importing this module loads no torch."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Generic, Literal, NamedTuple, TypeVar, cast

from pydantic import ValidationError

from corpus.config import Config
from corpus.errors import ConfigurationError

Method = TypeVar("Method")

Keeps = Callable[[Any, int], tuple[int, ...]]
"""From the validated options and the number of blocks to the numbers of the blocks, from 0, whose vectors are read."""


Need = Literal["gates", "noise", "occurrences", "pairs", "passes", "recent"]
"""What costs something to know, or has to be switched on elsewhere: gates of the adapters; dropout or layer drop; how
often each piece of the vocabulary occurs in the training text; sentences that translate each other (it is then called
with the one pass of a step that holds them, and with no other); the passes over each language's text; each language's
loss in the last steps."""


class Entry(NamedTuple, Generic[Method]):
    """What a registry knows of one method."""

    options: type[Config]
    load: Callable[[], Method]
    """Imports and returns the function, so that reading a recipe needs no torch."""
    reads_rows: bool
    """Whether it looks at the rows of a pass, and not at the weights alone."""
    keeps: Keeps | None
    """Which blocks' vectors it reads; None for none."""
    by_language: bool
    """Whether it is a sum over languages, whose strengths may differ."""
    needs: tuple[Need, ...]
    """What it has to be given beside the pass."""


class Registry(Generic[Method]):
    """Methods of one kind by name.

    Args:
        kind: what one of them is called in messages, for example ``regulariser``.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, Entry[Method]] = {}

    def add_own(
        self,
        name: str,
        options: type[Config],
        module: str,
        attribute: str,
        *,
        reads_rows: bool = False,
        keeps: Keeps | None = None,
        by_language: bool = False,
        needs: tuple[Need, ...] = (),
    ) -> None:
        """Add a method of this package by the module and the name of its function."""

        def load() -> Method:
            return cast("Method", getattr(import_module(module), attribute))

        self.register(name, options, load, reads_rows=reads_rows, keeps=keeps, by_language=by_language, needs=needs)

    def register(
        self,
        name: str,
        options: type[Config],
        load: Callable[[], Method],
        *,
        reads_rows: bool = False,
        keeps: Keeps | None = None,
        by_language: bool = False,
        needs: tuple[Need, ...] = (),
    ) -> None:
        """Add a method, so that recipes can name it.

        Args:
            name: for recipes.
            options: what it can be told.
            load: imports and returns the function.
            reads_rows: whether it looks at the rows of a pass; one that looks at the weights alone is called once a
                step, however many passes the step has.
            keeps: which blocks' vectors it reads, as a function of its options and the number of blocks; they are then
                in ``Outputs.inner``. None for none.
            by_language: whether it is a sum over languages that reads their strengths (``Moment.weights`` or
                ``Moment.token_strengths``).
            needs: what it has to be given; otherwise that is None.

        Raises:
            ConfigurationError: the name is taken.
        """
        if name in self._entries:
            raise ConfigurationError(f"a {self.kind} named '{name}' exists already", "Choose another name")
        self._entries[name] = Entry(options, load, reads_rows, keeps, by_language, needs)

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(self._entries)

    def check(self, name: str, options: Mapping[str, Any]) -> Config:
        """The validated options of a named method.

        Raises:
            ConfigurationError: there is no such method, or an option is unknown or wrong.
        """
        if name not in self._entries:
            near = difflib.get_close_matches(name, self._entries, n=1)
            fix = f"Did you mean '{near[0]}'?" if near else f"Choose one of: {', '.join(self.names())}"
            raise ConfigurationError(f"there is no {self.kind} '{name}'", fix)
        expected = self._entries[name].options
        try:
            return expected.model_validate(dict(options))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            known = ", ".join(expected.model_fields) or "none"
            raise ConfigurationError(
                f"option '{where}' of {self.kind} '{name}': {first['msg']}", f"Its options are: {known}"
            ) from error

    def reads_rows(self, name: str) -> bool:
        """Whether a method looks at the rows of a pass."""
        return self._entries[name].reads_rows

    def by_language(self, name: str) -> bool:
        """Whether a method is a sum over languages, whose strengths may differ."""
        return self._entries[name].by_language

    def needs(self, name: str) -> tuple[Need, ...]:
        """What a method has to be given beside the pass."""
        return self._entries[name].needs

    def keeps(self, name: str, options: Config, layers: int) -> tuple[int, ...]:
        """Numbers of the blocks, from 0, whose vectors a method reads.

        Raises:
            ConfigurationError: it wants a block that the model does not have.
        """
        wanted = self._entries[name].keeps
        found = () if wanted is None else tuple(wanted(options, layers))
        for number in found:
            if not 0 <= number < layers:
                raise ConfigurationError(
                    f"{self.kind} '{name}' reads block {number}, and the model has blocks 0 to {layers - 1}",
                    "Choose a block that exists",
                )
        return found

    def load(self, name: str) -> Method:
        """The function of a registered method."""
        return self._entries[name].load()
