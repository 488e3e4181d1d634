"""What the graphs have in common: elements of a list, spread over the workers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import apache_beam as beam

Build = Callable[[beam.Pipeline], None]


def dealt(pipeline: beam.Pipeline, name: str, elements: Iterable[Any]) -> Any:
    """The elements of a list as a collection, dealt to the workers; the engine would keep them together."""
    return pipeline | name >> beam.Create(list(elements), reshuffle=False) | f"deal {name}" >> beam.Reshuffle()


def for_each(name: str, elements: Iterable[Any], step: str, do: Callable[..., Any], *arguments: Any) -> Build:
    """A job that does one thing for each element of a list.

    Args:
        name: of the elements.
        elements: what to deal to the workers.
        step: name of what is done.
        do: called with an element and the arguments.
        arguments: the same for all.
    """

    def build(pipeline: beam.Pipeline) -> None:
        _ = dealt(pipeline, name, elements) | step >> beam.Map(do, *arguments)

    return build
