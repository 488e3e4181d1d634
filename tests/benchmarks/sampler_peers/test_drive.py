"""One measurement, on a small corpus, of evenglot itself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.sampler_peers import corpora, drive, ours, scale


@pytest.fixture(scope="module")
def request_of(tmp_path_factory: pytest.TempPathFactory):
    """A request on a corpus of three languages, prepared."""
    folder = tmp_path_factory.mktemp("corpus")
    corpora.write(folder / "flat", [1500, 40, 7], length=50)
    ours.prepare(corpora.Flat(folder / "flat"), folder / "made", "rows")

    def make(what: str, **more: object) -> list[str]:
        request = {
            "what": what,
            "library": "ours",
            "arm": "rows",
            "corpus": str(folder / "flat"),
            "folder": str(folder / "made"),
            "workers": 0,
            "warm": 0.0,
            "seconds": 0.01,
            **more,
        }
        return [json.dumps(request)]

    return make


def test_documents_of_a_batch_are_joined():
    documents = [np.array([1, 2, 3]), np.array([4])]

    assert drive.take(documents) == 4
    assert drive.take(np.zeros((2, 8))) == 16


def test_equal_documents_have_equal_hashes_whatever_their_type():
    first, second = drive.items([np.array([7, 8], np.int32), np.array([7, 8], np.int64)])
    (other,) = drive.items([np.array([7, 9])])

    assert first == second != other


def test_speed_start_resume_and_state(request_of, capsys):
    drive.main(request_of("speed"))
    figures = json.loads(capsys.readouterr().out)

    assert figures["million_tokens_per_cpu_second"] > 0.1
    assert figures["start_seconds"] > 0
    assert figures["resume_seconds"] > 0
    assert 0 < figures["state_bytes"] < 16_000


def test_a_trace_goes_on_from_the_state_another_left(request_of, capsys, tmp_path):
    drive.main(request_of("trace", batches=4, save_after=2, save=str(tmp_path / "state")))
    whole = json.loads(capsys.readouterr().out)["items"]
    drive.main(request_of("trace", batches=2, load=str(tmp_path / "state")))

    assert json.loads(capsys.readouterr().out)["items"] == whole[2:]
    assert [len(batch) for batch in whole] == [32] * 4


def test_rows_hold_the_tokens_of_the_corpus(request_of):
    request = json.loads(request_of("speed")[0])
    flat = corpora.Flat(Path(request["corpus"]))
    loader = ours.load(flat, Path(request["folder"]), "rows", 0)
    row = next(loader.batches)[0]
    tokens, bounds = flat.language(0)
    documents = {tuple(tokens[start : start + 50].tolist()) for start in bounds[:-1]}
    begins = np.flatnonzero(row == corpora.SPECIAL["bos"])

    whole = [tuple(row[first + 1 : first + 51].tolist()) for first in begins if first + 51 <= len(row)]
    all_documents = documents | {
        tuple(tokens[start : start + 50].tolist())
        for tokens, bounds in (flat.language(number) for number in (1, 2))
        for start in bounds[:-1]
    }
    assert len(whole) > 10
    assert set(whole) <= all_documents


def test_shares_are_within_a_row(request_of):
    request = json.loads(request_of("quotas")[0])
    found = scale.quotas(corpora.Flat(Path(request["corpus"])), Path(request["folder"]), blocks=40, read=2)

    assert found["languages"] == 3
    assert found["rows_off_counted_in_rows_read"] < 1
    assert found["rows_off_before_the_change"] < 1
    assert found["languages_without_a_row_though_owed_one"] == 0


def test_memory_is_told_at_each_step(request_of, monkeypatch):
    monkeypatch.setattr(scale, "NEAR_BATCHES", 3)
    monkeypatch.setattr(scale, "PLACES", 2)
    request = json.loads(request_of("memory")[0])
    found = scale.memory(corpora.Flat(Path(request["corpus"])), Path(request["folder"]))

    assert found["documents"] == 1547
    assert found["tokens"] == 77_350
    assert all(found[when]["anonymous"] > 1 << 20 for when in ("before", "started", "after_far_batches"))
