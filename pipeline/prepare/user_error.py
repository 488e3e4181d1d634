"""A user's error, taken out of what Beam wraps around it."""

from __future__ import annotations

from typing import Final

from corpus import errors
from corpus.errors import EvenglotError

_BEAM_SUFFIX: Final = " [while running "


def user_error(error: BaseException) -> EvenglotError | None:
    """The user's error inside one that Beam has wrapped, also when it came as text from another process."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, EvenglotError):
            # Beam makes a new error of the same type whose text ends with the step it arose in.
            return type(seen)(str(seen).partition(_BEAM_SUFFIX)[0])
        seen = seen.__cause__ or seen.__context__
    for line in str(error).splitlines():
        name, _, message = line.partition(": ")
        if message and name.startswith("corpus.errors."):
            kind = getattr(errors, name.removeprefix("corpus.errors."), EvenglotError)
            return kind(message.partition(_BEAM_SUFFIX)[0]) if issubclass(kind, EvenglotError) else None
    return None
