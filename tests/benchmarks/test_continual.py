from __future__ import annotations

from typing import Any

import pytest

from benchmarks.continual import ARMS, main, markdown, table
from evenglot.continual.config import AddLanguageConfig


@pytest.mark.parametrize("name", ARMS)
def test_every_way_is_one_that_add_language_takes(name: str) -> None:
    relatives = {"relatives": ["xho_Latn"]} if ARMS[name].get("start") == "relatives" else {}
    AddLanguageConfig.model_validate({"languages": ["swh_Latn"], **ARMS[name], **relatives})


def test_an_unknown_way_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--corpus", "c", "--json", "f", "--arms", "opened"])
    assert "there is no arm 'opened'" in capsys.readouterr().err


def test_the_table_keeps_seeds_and_the_worst_change() -> None:
    def one(arm: str, lang: str, seed: int, new: float, **more: Any) -> dict[str, Any]:
        return {"arm": arm, "lang": lang, "seed": seed, "new": new, "cpu_seconds": 1.0, **more}

    moved = {"old_change_mean": 0.1, "old_change_largest": 0.3, "old_losses_equal": False}
    held = {"old_change_mean": 0.0, "old_change_largest": 0.0, "old_losses_equal": True}
    runs = [
        one("scratch", "swh_Latn", 0, 3.0),
        one("frozen", "swh_Latn", 0, 3.2, **held),
        one("open", "swh_Latn", 0, 2.9, **moved),
        one("open", "fin_Latn", 0, 2.8, **{**moved, "old_change_mean": 0.2, "old_change_largest": 0.5}),
        one("open", "swh_Latn", 1, 2.95, **{**moved, "old_change_mean": 0.3}),
    ]
    assert markdown(table(runs)).splitlines()[2:] == [
        "| scratch | 3.000 |  |  |  |",
        "| frozen | 3.200 |  | 0, equal to the bit | 0 |",
        "| open | 2.900, 2.950 | 2.800 | +0.200 | +0.500 |",
    ]
