"""What is asked of the engine at a time: the sentences of one piece of work, the way they go, and how."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.translation.decoding import Decoding
from pipeline.translation.routes import Route


@dataclass(frozen=True)
class Request:
    """Sentences to translate together.

    Translations depend, in last bits or by draws, on what is translated with them: that is the request, and never
    another one.
    """

    key: str
    """Names the request; the engine does not look at it."""
    sentences: tuple[str, ...]
    """Sentences in the first language of the route; a blank one is its own translation."""
    route: Route
    """Models to pass."""
    decoding: Decoding
    """How to search, at every step."""
    seed: int = 0
    """For sampling: another seed, another sample."""
