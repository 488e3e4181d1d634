"""Peers run in an interpreter of their own, since their requirements and ours need not agree.

A module of the benchmarks that imports nothing but the standard library (and what its peer brings) at its top is
run there with ``python -m``; arguments go in as text, and the last line it prints is the answer, as JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
"""Folder that holds the package of the benchmarks."""
_SHOWN = 3000


class PeerFailed(Exception):
    """A peer ended with an error, gave no answer, or took too long; says the end of what it printed."""


def ask(python: Path, module: str, *arguments: object, timeout: float | None = None) -> dict[str, Any]:
    """Run a module in another interpreter and return its answer.

    Args:
        python: the interpreter.
        module: for ``python -m``, for example ``benchmarks.filters``.
        arguments: given to it as text.
        timeout: seconds after which it is ended, with every process that it started.

    Raises:
        PeerFailed: it did not answer.
    """
    command = [str(python), "-m", module, *(str(argument) for argument in arguments)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
        # Workers of a peer that hangs are its children: all of them form one session, which is ended as a whole.
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment, start_new_session=True
        )
        try:
            printed, _ = process.communicate(timeout=timeout)
        except BaseException as error:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                raise PeerFailed(f"{module} gave no answer within {timeout:.0f} s") from error
            raise
        errors.seek(0)
        said = errors.read()
    if process.returncode:
        raise PeerFailed(f"{module} failed with {python}:\n{said[-_SHOWN:]}")
    try:
        figures: dict[str, Any] = json.loads(printed.splitlines()[-1])
    except (IndexError, json.JSONDecodeError) as error:
        raise PeerFailed(f"{module} gave no answer with {python}:\n{(printed + said)[-_SHOWN:]}") from error
    return figures


def answer(figures: dict[str, Any]) -> None:
    """Give the answer, from within the peer's interpreter."""
    print(json.dumps(figures), flush=True)
