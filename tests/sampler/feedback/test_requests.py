"""Changes by hand as files: asked for, taken up in order, confirmed."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from corpus.errors import InputError
from sampler.feedback import requests
from sampler.feedback.requests import Request


def test_a_request_waits_and_is_answered(tmp_path: Path) -> None:
    assert requests.read(tmp_path) == []
    assert requests.ask(tmp_path, {"swh_Latn": 0.3}, "more Swahili") == 1
    assert json.loads((tmp_path / "mixture" / "000001.json").read_text()) == {
        "shares": {"swh_Latn": 0.3},
        "reason": "more Swahili",
    }
    waiting = Request(1, {"swh_Latn": 0.3}, "more Swahili", None, None)
    assert requests.read(tmp_path) == [waiting]
    requests.answer(tmp_path, 1, 16, None)
    assert requests.read(tmp_path) == [waiting._replace(answer={"status": "applied", "block": 16})]


def test_the_oldest_that_waits_comes_first_unless_the_block_took_one_before(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        requests.ask(tmp_path, {"swh_Latn": number / 10}, "")
    requests.answer(tmp_path, 2, 24, "no")
    numbers = {block: requests.next_request(tmp_path, block) for block in (16, 24)}
    assert {block: found.number for block, found in numbers.items() if found is not None} == {16: 1, 24: 2}
    for number in (1, 3):
        requests.answer(tmp_path, number, 8 * number, None)
    assert requests.next_request(tmp_path, 32) is None


def test_many_who_ask_at_once_get_numbers_of_their_own(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda share: requests.ask(tmp_path, {"a": share / 100}, ""), range(24)))
    assert sorted(numbers) == list(range(1, 25))
    assert sorted(request.shares["a"] for request in requests.read(tmp_path)) == [share / 100 for share in range(24)]


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"shares": {"a": "x"}, "reason": ""}', '{"shares": {"a": NaN}, "reason": ""}', '{"shares": {}}'],
)
def test_a_file_that_is_no_request_says_so(tmp_path: Path, text: str) -> None:
    (tmp_path / "mixture").mkdir()
    (tmp_path / "mixture" / "000001.json").write_text(text)
    found = requests.next_request(tmp_path, 8)
    assert found is not None
    assert found.problem is not None
    assert found.problem.startswith("the file is no request: ")


def test_the_mixture_now(tmp_path: Path) -> None:
    assert requests.now(tmp_path) is None
    requests.set_now(tmp_path, 64, 8, {"a": 0.25, "b": 0.75})
    assert requests.now(tmp_path) == {"row": 64, "block": 8, "shares": {"a": 0.25, "b": 0.75}}
    (tmp_path / "mixture" / "now.json").write_text("{")
    with pytest.raises(InputError, match=r"now\.json cannot be read"):
        requests.now(tmp_path)
