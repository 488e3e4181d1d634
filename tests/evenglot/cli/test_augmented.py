"""What ``evenglot augment`` prints."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from corpus.augmentation import Augmentation, LanguageAugmentation, Naturalness
from corpus.ledger import Ledger
from corpus.manifest import Snapshot, read_snapshot
from corpus.storage import Storage
from evenglot.cli.app import main
from evenglot.cli.augmented import augmented_result, augmented_text, planned_result, planned_text
from evenglot.cli.prepared import natural_state
from pipeline.augment.plan import Plan
from pipeline.augment.ways import Way, Ways
from pipeline.parents.budget import Budget
from pipeline.translation.card import ModelCard, write_card
from pipeline.translation.routes import Step


def shown(renderable: RenderableType) -> list[str]:
    console = Console(width=200, file=io.StringIO(), record=True)
    console.print(renderable)
    return [line.rstrip() for line in console.export_text().splitlines()]


@pytest.fixture
def made(corpus: Path) -> Snapshot:
    """A snapshot with synthetic text in one language and none in another."""
    rejected = {"gates/round_trip": 3, "gates/over_budget": 1, "deduplicate/near_duplicate": 2, "filter/too_short": 1}
    swahili = LanguageAugmentation(
        natural_bytes=2_000_000, budget=900_000, why="share 0.5", candidates=10, kept=3, kept_bytes=400_000,
        rejected=rejected, naturalness=Naturalness(share=0.5, why="auc"),
    )  # fmt: skip
    yoruba = LanguageAugmentation(natural_bytes=9_000, why="but no method can make any")
    by_language = {reason: {"swh_Latn": count} for reason, count in rejected.items()}
    return read_snapshot(str(corpus)).model_copy(
        update={
            "number": 2,
            "made_by": "augment",
            "goes_on_with": 1,
            "added": Ledger(read=10, kept={"swh_Latn": 3}, rejected=by_language, unreadable={}),
            "augmentation": Augmentation(fingerprint="f", languages={"swh_Latn": swahili, "yor_Latn": yoruba}),
            "warnings": ["yor_Latn: no model"],
        }
    )


def test_one_table_of_languages_and_what_became_of_candidates(made: Snapshot) -> None:
    assert shown(augmented_text(made, "out dir", 2.0, False, "evenglot tokenize")) == [
        "10 candidates = 3 kept + 7 rejected",
        "language  natural    budget  candidates  kept     bytes  rejected for",
        "swh_Latn   2.0 MB  450.0 kB          10     3  400.0 kB  gates/round_trip 3, deduplicate/near_duplicate 2, "
        "filter/too_short 1 and 1 more",
        "yor_Latn   9.0 kB       0 B           0     0       0 B  but no method can make any",
        "warning: yor_Latn: no model",
        "snapshot 2 of out dir, over the natural text of snapshot 1, in 2.0 s",
        "look: evenglot inspect 'out dir' --rejected, evenglot report --corpus 'out dir'",
        "next: evenglot tokenize",
    ]
    again = shown(augmented_text(made, "out", 2.0, True, "evenglot tokenize"))
    assert "snapshot 2 of out has the text of these settings: nothing new to augment" in again


def test_the_result_for_machines_holds_all_of_it(made: Snapshot) -> None:
    result = json.loads(json.dumps(augmented_result(made, "out", 1.23456, False)))
    assert (result["snapshot"], result["goes_on_with"], result["seconds"]) == (2, 1, 1.235)
    assert result["augmentation"]["languages"]["swh_Latn"]["kept_bytes"] == 400_000
    assert result["added"]["read"] == 10


def test_the_natural_state_is_the_one_below_the_layer(made: Snapshot, corpus: Path) -> None:
    below = read_snapshot(str(corpus))
    assert natural_state(Storage(str(corpus)), made) == below
    assert natural_state(Storage(str(corpus)), below) == below


def test_a_plan_names_routes_and_what_is_missing() -> None:
    way = Way("eng_Latn", (Step("a@1", "eng_Latn", "fra_Latn"), Step("b@1", "fra_Latn", "swh_Latn")), ())
    plan = Plan(
        {
            "eng_Latn": Budget(0, "enough", {}),
            "swh_Latn": Budget(5_000, "share 0.5", {"back_translation": 5_000}),
            "yor_Latn": Budget(0, "no method", {}),
        },
        {"swh_Latn": Ways((way,)), "yor_Latn": Ways(missing=("no model",))},
        ("yor_Latn: no model",),
    )
    lines = shown(planned_text(plan, "out"))
    assert lines[0] == "5.0 kB of synthetic text for 1 of 3 languages of out"
    assert [line.split("  ")[0] for line in lines[1:4]] == ["language", "swh_Latn", "yor_Latn"]
    assert "eng_Latn > fra_Latn > swh_Latn by a@1, b@1  share 0.5" in lines[2]
    assert lines[4] == "warning: yor_Latn: no model"
    assert planned_result(plan, "out")["languages"]["swh_Latn"]["routes"] == [
        "eng_Latn > fra_Latn > swh_Latn by a@1, b@1"
    ]


def test_dry_run_loads_no_model_and_writes_nothing(
    corpus: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    write_card(folder, ModelCard(name="m", family="marian", revision="1", pairs=(("eng_Latn", "swh_Latn"),)))
    before = sorted(path for path in corpus.rglob("*"))
    arguments = ["augment", "--corpus", str(corpus), "--model", str(folder), "--dry-run", "--json"]
    options = ["augment.budget.least_bytes=1", "augment.budget.below_share=null", "augment.budget.total_share=null"]
    assert main([*arguments, *(word for option in options for word in ("--set", option))]) == 0
    result = json.loads(capfd.readouterr().out)
    assert result["languages"]["swh_Latn"]["budget"] > 0
    assert sorted(path for path in corpus.rglob("*")) == before


def test_without_a_model_one_line_says_what_to_do(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["augment", "--corpus", str(corpus)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: augment.translation.models names no translation model. Fetch one with")


def test_no_corpus(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["augment", "--corpus", str(tmp_path / "none")]) == 4
    assert "holds no corpus" in capsys.readouterr().err
