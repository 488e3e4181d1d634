from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from rich.console import Console

from corpus.manifest import Snapshot, commit, read_snapshot
from corpus.storage import Storage
from evenglot.cli.prepared import prepared_result, prepared_text, run_record


def shown(snapshot: Snapshot, record: dict[str, Any], *, unchanged: bool = False) -> list[str]:
    console = Console(width=160, file=io.StringIO(), record=True)
    console.print(prepared_text(snapshot, "out dir", 2.0, "evenglot tokenize", unchanged, record))
    return [line.rstrip() for line in console.export_text().splitlines()]


def test_one_table_of_where_the_records_went(corpus: Path) -> None:
    record = {"counters": {"repaired/control": 3, "repaired/markup": 5, "boilerplate/lines": 40, "no_language": 9}}
    snapshot = read_snapshot(str(corpus))
    snapshot = snapshot.model_copy(update={"warnings": ["look with `evenglot inspect CORPUS --rejected`"]})
    assert shown(snapshot, record) == [
        "18 records read = 15 kept + 2 rejected + 1 unreadable",
        "stage        records   share  why",
        "unreadable         1   5.56%  invalid_json 1",
        "filter             1   5.56%  too_short 1",
        "deduplicate        1   5.56%  exact 1",
        "kept              15  83.33%  3 languages, 721 B of training text, 0 documents held out; balanced by unimax",
        "repaired: markup 5, control 3, 40 boilerplate lines",
        "snapshot 1 of out dir, in 2.0 s (9 records/s)",
        "warning: look with `evenglot inspect 'out dir' --rejected`",
        "look: evenglot inspect 'out dir' --rejected, evenglot report --corpus 'out dir'",
        "next: evenglot tokenize",
    ]
    again = shown(snapshot, {}, unchanged=True)
    assert "snapshot 1 of out dir is of these inputs and settings: nothing to prepare" in again
    assert not any(line.startswith("repaired") for line in again)


def test_languages_that_lost_most_are_named(corpus: Path) -> None:
    snapshot = read_snapshot(str(corpus))
    ledger = snapshot.ledger.model_copy(
        update={
            "kept": {"eng_Latn": 90, "swh_Latn": 15, "heb_Hebr": 1},
            "rejected": {"filter/lines": {"eng_Latn": 10, "swh_Latn": 5, "heb_Hebr": 1, "und": 50}},
        }
    )
    assert "lost most: swh_Latn 25.0%, eng_Latn 10.0%" in shown(snapshot.model_copy(update={"ledger": ledger}), {})


def test_records_made_by_splitting_are_a_term_of_the_ledger(corpus: Path) -> None:
    snapshot = read_snapshot(str(corpus))
    ledger = snapshot.ledger.model_copy(update={"read": 16, "made": 2})
    split = snapshot.model_copy(update={"ledger": ledger})
    lines = shown(split, {})
    assert lines[0] == "16 records read + 2 made by splitting = 15 kept + 2 rejected + 1 unreadable"
    assert lines[5].startswith("kept              15  83.33%")
    assert prepared_result(split, "out", 1.0, False, {})["made_by_splitting"] == 2


def test_the_same_for_machines(corpus: Path) -> None:
    record = {"counters": {"repaired/nfc": 1}, "stages": [{"name": "read"}], "cpu_seconds": 1.5}
    result = prepared_result(read_snapshot(str(corpus)), "out", 2.0, False, record)
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert result["set_aside_by_stage"] == {"unreadable": 1, "filter": 1, "deduplicate": 1}
    assert (result["duplicates"], result["read"], result["kept"]) == (1, 18, 15)
    assert (result["counters"], result["stages"], result["cpu_seconds"]) == (
        {"repaired/nfc": 1},
        [{"name": "read"}],
        1.5,
    )
    assert [row["lang"] for row in result["language_rows"]] == ["eng_Latn", "swh_Latn", "heb_Hebr", "und"]


def test_the_record_is_that_of_the_run_that_prepared(corpus: Path) -> None:
    storage = Storage(corpus)
    prepared = read_snapshot(storage)
    assert run_record(storage, prepared) == {"wall_seconds": 1.0}
    later = prepared.model_copy(update={"number": 2, "parent": 1, "made_by": "tokenize"})
    commit(storage, later, {"wall_seconds": 9.0})
    assert run_record(storage, later) == {"wall_seconds": 1.0}
    (corpus / "runs/000001.json").unlink()
    assert run_record(storage, later) == {}
