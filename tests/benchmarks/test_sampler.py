"""What the sampler's benchmark concludes from what it measured."""

from __future__ import annotations

import pytest

from benchmarks import sampler
from benchmarks.sampler import Arm


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """States are taken after two batches."""
    monkeypatch.setattr(sampler, "CHECKPOINT", 2)


WHOLE = [["a", "b"], ["c", "d"], ["e", "f"], ["g", "h"]]


def test_a_resume_that_goes_on_is_exact():
    assert sampler.continued(WHOLE, {"items": [["e", "f"], ["g", "h"]]}) == {"exact": True}


def test_another_order_is_not_exact():
    assert sampler.continued(WHOLE, {"items": [["f", "e"], ["g", "h"]]}) == {
        "exact": False,
        "expected_items_found": 1.0,
        "seen_again": 0,
    }


def test_items_seen_again_and_lost_are_counted():
    assert sampler.continued(WHOLE, {"items": [["a", "d"], ["e", "x"]]}) == {
        "exact": False,
        "expected_items_found": 0.25,
        "seen_again": 2,
    }


def test_a_failed_resume_is_told():
    assert sampler.continued(WHOLE, {"failed": "KeyError: 0"}) == {"failed": "KeyError: 0"}


def test_orders_are_compared_batch_by_batch():
    same = {"items": [["a", "b"], ["c", "d"]]}

    assert sampler.same_order(same, {"items": [["a", "b"], ["c", "d"]]}) == {"same": True}
    assert sampler.same_order(same, {"items": [["a", "b"], ["a", "x"]]}) == {"same": False, "in_common": 0.5}
    assert sampler.same_order(same, {"failed": "no workers"}) == {"failed": "no workers"}


def test_overlap_counts_repeats():
    assert sampler.overlap(["a", "a", "b", "c"], ["a", "b", "b"]) == 0.5


def test_a_summary_has_medians_and_every_repeat():
    measured = [{"speed": 3.0}, {"speed": 1.0}, {"speed": 2.0}]

    assert sampler.summary(measured) == {"speed": {"median": 2.0, "repeats": [3.0, 1.0, 2.0]}}


def test_a_summary_of_a_failure_is_the_failure():
    assert sampler.summary([{"speed": 3.0}, {"failed": "killed"}]) == {"failed": "killed"}


def test_ratios_are_of_medians_and_say_why_there_are_none():
    def figure(median: float) -> dict[str, dict[str, float]]:
        return {"million_tokens_per_cpu_second": {"median": median}}

    eight = {arm.name: figure(10.0) for arm in sampler.EIGHT} | {"evenglot: rows": figure(90.0)}
    eight["grain: rows"] = {"failed": "killed"}
    thousand = {arm.name: figure(3.0) for arm in sampler.THOUSAND} | {"evenglot: rows": figure(60.0)}
    found = sampler.ratios(
        {"8 languages": eight, "1000 languages": thousand, "8 languages, short": {"evenglot: rows": figure(75.0)}}
    )

    assert found["8 languages: evenglot rows over torchdata documents"] == {"ratio": 9.0, "asked": 1.5}
    assert found["8 languages: evenglot rows over grain rows"] == {"failed": "killed", "asked": 10.0}
    assert found["1000 languages: evenglot rows over grain documents"] == {"ratio": 20.0, "asked": None}
    assert found["evenglot rows: 8 languages over 1000 languages"] == {"ratio": 1.5, "asked at most": 2.0}
    assert found["evenglot rows: 8 languages, short over 1000 languages"] == {"ratio": 1.25, "asked at most": 2.0}


def test_every_ratio_is_of_an_arm_that_is_measured():
    measured = {"8 languages": sampler.EIGHT, "1000 languages": sampler.THOUSAND}

    assert all(arm in measured[corpus] for corpus, arm, _ in sampler.RATIOS.values())


def test_peers_are_not_measured_without_their_interpreter(tmp_path):
    bench = sampler.Bench(tmp_path, None)

    assert bench.ask("speed", Arm("with_grain", "rows"), "8 languages") == {"failed": "not measured: pass --peers"}


def test_names_tell_library_arm_and_workers():
    assert Arm("ours", "rows").name == "evenglot: rows"
    assert Arm("with_grain", "documents", 2).name == "grain: documents, 2 workers"


def test_cells_of_the_table():
    assert sampler.cell({"exact": True}) == "exact"
    assert sampler.cell({"same": False, "in_common": 0.25}) == "other (25% in common)"
    assert (
        sampler.cell({"exact": False, "expected_items_found": 0.9, "seen_again": 80})
        == "not exact: 90% of the expected, 80 seen again"
    )


def test_an_unknown_part_is_named(capsys):
    with pytest.raises(SystemExit):
        sampler.main(["--json", "figures.json", "--parts", "speed,start"])

    assert "there is no part start; there are speed, workers" in capsys.readouterr().err


def test_the_table_has_each_resume_in_its_column():
    cells = {
        "same order with 0 and 2 workers": {"same": True},
        "resume 0->0": {"exact": True},
        "resume 0->2": {"failed": "KeyError"},
        "resume 2->0": {"failed": "ValueError"},
        "resume 2->2": {"exact": False, "expected_items_found": 1.0, "seen_again": 0},
    }
    figures = {"million_tokens_per_cpu_second": {"median": 2.5}, "million_tokens_per_second": {"median": 1.0}}
    report = {
        "speed": {"8 languages": {"grain: rows": figures | {"start_seconds": {"median": 0.5}}}},
        "workers": {"through workers": {"grain: rows, 2 workers": {"failed": "killed"}}},
        "behaviour": {"grain: rows": cells},
    }

    lines = sampler.table(report).splitlines()

    assert "grain: rows | 2.50 | 1.00 | 0.500 |  | " in lines
    assert "grain: rows, 2 workers | killed | | | |" in lines
    assert "grain: rows | same | exact | not exact: 100% of the expected, 0 seen again | KeyError | ValueError" in lines
