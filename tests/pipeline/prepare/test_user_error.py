from __future__ import annotations

from corpus.errors import CorpusError, InputError
from pipeline.prepare.user_error import user_error


def test_errors_of_worker_processes_come_back_as_what_they_were() -> None:
    told = "corpus.errors.InputError: a.gz is damaged. Fetch it again [while running 'read']"
    found = user_error(RuntimeError(f"Traceback (most recent call last):\n{told}\n"))
    assert type(found) is InputError
    assert str(found) == "a.gz is damaged. Fetch it again"
    assert user_error(RuntimeError("KeyError: 'x'")) is None
    wrapped = CorpusError("shard x is damaged [while running 'write']")
    assert str(user_error(wrapped)) == "shard x is damaged"
