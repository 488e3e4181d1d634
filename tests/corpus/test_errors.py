from __future__ import annotations

import copy
import pickle

import pytest

from corpus.errors import ConfigurationError, CorpusError, EvenglotError, InputError, LedgerError

ALL = [EvenglotError, ConfigurationError, InputError, CorpusError, LedgerError]


def test_a_message_and_its_fix_make_one_line() -> None:
    error = InputError("data.jsonl does not exist", "Correct the path")
    assert str(error) == "data.jsonl does not exist. Correct the path"
    assert (error.message, error.fix) == ("data.jsonl does not exist", "Correct the path")
    assert str(InputError("data.jsonl is empty")) == "data.jsonl is empty"


def test_exit_codes_tell_the_kinds_apart() -> None:
    assert [kind.exit_code for kind in ALL] == [2, 2, 3, 4, 5]


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("fix", [None, "Do this"])
def test_an_error_crosses_processes_whole(kind: type[EvenglotError], fix: str | None) -> None:
    error = kind("what", fix)
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is kind
        assert (twin.message, twin.fix, str(twin)) == (error.message, error.fix, str(error))
