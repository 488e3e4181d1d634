"""Changes by hand: files in a run's folder, by which people ask and the trainer answers.

``mixture/000001.json`` is a request: shares, and a reason. The trainer takes up the oldest one that has no answer at
each decision block and writes ``mixture/000001.answer.json``: applied or refused, with the block. A run that resumes
from before that block meets the request with its answer and takes it up at the same block again.
``mixture/now.json`` holds the shares that the run asks for at present. Files appear whole or not at all.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from corpus.errors import InputError
from corpus.storage import Storage, write_errors

FOLDER: Final = "mixture"
NOW: Final = "now.json"

_ANSWER: Final = ".answer.json"


class Request(NamedTuple):
    """One change that was asked for, and what became of it."""

    number: int
    """From 1, in the order in which they were asked for."""
    shares: dict[str, float]
    reason: str
    problem: str | None
    """Why the file is no request; None when it is one."""
    answer: dict[str, Any] | None
    """``status`` (applied or refused), ``block``, and ``why`` when refused; None while it waits."""


def ask(run: Path, shares: Mapping[str, float], reason: str) -> int:
    """Write a request into a run's folder and return its number.

    Raises:
        EvenglotError: no space, no permission.
    """
    folder = run / FOLDER
    text = json.dumps({"shares": dict(shares), "reason": reason}, ensure_ascii=False, allow_nan=False, indent=1)
    with write_errors(str(folder)):
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=folder)
        partial = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text + "\n")
                file.flush()
                os.fsync(handle)
            partial.chmod(0o644)  # the trainer may run as someone else
            number = max((request.number for request in read(run)), default=0) + 1
            while True:
                try:
                    os.link(partial, folder / f"{number:06d}.json")  # fails where another was quicker, unlike a rename
                except FileExistsError:
                    number += 1
                else:
                    return number
        finally:
            partial.unlink(missing_ok=True)


def read(run: Path) -> list[Request]:
    """The requests of a run with their answers, the oldest first; a file that is no request says so."""
    folder = run / FOLDER
    if not folder.is_dir():
        return []
    numbers = sorted(int(path.stem) for path in folder.glob("*.json") if path.stem.isdecimal())
    return [_read(folder, number) for number in numbers]


def next_request(run: Path, block: int) -> Request | None:
    """The request to be taken up by the decision of a block: the one that was before, else the oldest that waits."""
    requests = read(run)
    answered = [request for request in requests if request.answer is not None and request.answer.get("block") == block]
    waiting = [request for request in requests if request.answer is None]
    return next(iter(answered + waiting), None)


def answer(run: Path, number: int, block: int, why: str | None) -> None:
    """Confirm a request.

    Args:
        run: the run's folder.
        number: of the request.
        block: first block of the decision that took it up.
        why: it was refused; None when it was applied.
    """
    said = {"status": "applied" if why is None else "refused", "block": block}
    _write(run, f"{number:06d}{_ANSWER}", said if why is None else {**said, "why": why})


def set_now(run: Path, row: int, block: int, shares: Mapping[str, float]) -> None:
    """Put down what the run asks for at present.

    Args:
        run: the run's folder.
        row: rows trained on.
        block: the newest one that is decided upon.
        shares: its mixture.
    """
    _write(run, NOW, {"row": row, "block": block, "shares": dict(shares)})


def now(run: Path) -> dict[str, Any] | None:
    """What :func:`set_now` wrote last; None before."""
    try:
        found: dict[str, Any] = json.loads((run / FOLDER / NOW).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise InputError(
            f"{run / FOLDER / NOW} cannot be read: {error}", "Remove it; the run writes it anew"
        ) from error
    return found


def _read(folder: Path, number: int) -> Request:
    shares: dict[str, float] = {}
    reason, problem = "", None
    try:
        value = json.loads((folder / f"{number:06d}.json").read_text(encoding="utf-8"))
        for tag, share in value["shares"].items():
            if isinstance(share, bool) or not isinstance(share, int | float) or not math.isfinite(share):
                raise ValueError(f"the share of {tag} is no number")
            shares[str(tag)] = float(share)
        reason = str(value["reason"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        problem = f"the file is no request: {error}"
    try:
        said = json.loads((folder / f"{number:06d}{_ANSWER}").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        said = None
    return Request(number, shares, reason, problem, said if isinstance(said, dict) else None)


def _write(run: Path, name: str, value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1)
    Storage(run / FOLDER).write_bytes(name, (text + "\n").encode())
