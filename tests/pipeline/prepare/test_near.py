"""Near duplicates through the whole of ``prepare``: what goes, what it points to, where clusters lie."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import pipeline.prepare.near
from corpus.manifest import Snapshot, read_snapshot
from corpus.shards import read_table
from corpus.storage import Storage
from pipeline.config import PrepareConfig
from pipeline.deduplicate.config import DeduplicateConfig, NearDuplicateConfig
from pipeline.prepare import prepare
from pipeline.sources import InputConfig
from pipeline.split.config import SplitConfig

PLACES = ("meadow", "harbour", "market", "library", "station", "orchard", "bakery", "chapel", "school", "bridge")
PEOPLE = ("the miller", "an old sailor", "my sister", "the new teacher", "a tired doctor", "two children", "the baker")
DEEDS = ("mended the fence", "sang an old song", "counted the boats", "waited for rain", "told a long story", "slept")
TIMES = ("before sunrise", "in the late summer", "after the storm", "on a quiet Sunday", "when the snow had gone")


def page(number: int, sentences: int = 14) -> str:
    """A text of its own for every number, of short everyday sentences."""
    found = []
    for step in range(sentences):
        seed = number * 7919 + step * 104_729 + (number * step) % 97
        place, who = PLACES[seed % 10], PEOPLE[seed // 10 % 7]
        deed, when = DEEDS[seed // 70 % 6], TIMES[seed // 420 % 5]
        village = f"{chr(97 + seed // 2100 % 26)}{chr(97 + seed % 26)}"
        found.append(f"Near the {place} of village {village}, {who} {deed} {when}.")
    return " ".join(found)


def edited(text: str, every: int) -> str:
    """One word in so many of the second half replaced."""
    words = text.split()
    half = len(words) // 2
    return " ".join("instead" if n >= half and n % every == 0 else word for n, word in enumerate(words))


ORIGINAL = page(1)
RECORDS = {
    "original": ORIGINAL,
    "exact": ORIGINAL.replace(" ", "  "),
    "surface": ORIGINAL.upper().replace(".", " !"),
    "edited": edited(ORIGINAL, 25),
    "edited-again": edited(ORIGINAL, 25) + "\n",
    "part": ORIGINAL[: len(ORIGINAL) * 3 // 10],
    "framed": f"{page(2, 5)} {ORIGINAL} {page(3, 4)}",
    "other": page(4),
    "another": page(5),
}


def write(folder: Path, records: dict[str, str], files: int) -> list[InputConfig]:
    """Records dealt to files in turn: duplicates lie in different pieces."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"id": key, "lang": "eng_Latn", "text": text}) for key, text in records.items()]
    for number in range(files):
        (folder / f"{number}.jsonl").write_text("\n".join(lines[number::files]) + "\n", encoding="utf-8")
    return [InputConfig(path=f"{folder}/*.jsonl", name="in")]


def rows(root: str, snapshot: Snapshot, kind: str) -> dict[str, dict[str, Any]]:
    """Every kept or rejected record by key."""
    return {
        row["key"]: row
        for file in snapshot.select(kind)
        for row in read_table(Storage(root).path(file.path)).to_pylist()
    }


def account(root: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Storage(root).read_bytes("runs/000001.json"))["near_duplicates"]
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Snapshot]:
    folder = tmp_path_factory.mktemp("near")
    root = str(folder / "corpus")
    return root, prepare(write(folder / "in", RECORDS, 3), root, workers=1)


def test_one_of_a_cluster_stays_and_stands_for_all(made: tuple[str, Snapshot]) -> None:
    root, snapshot = made
    kept, rejected = rows(root, snapshot, "text"), rows(root, snapshot, "rejected")
    assert len(kept) == 3
    assert {"other", "another"} < set(kept)
    stays = kept[next(iter(set(kept) - {"other", "another"}))]
    assert stays["copies"] == 7
    assert kept["other"]["copies"] == kept["another"]["copies"] == 1
    assert Counter(f"{row['stage']}/{row['reason']}" for row in rejected.values()) == {
        "deduplicate/exact_duplicate": 2,
        "deduplicate/near_duplicate": 4,
    }
    assert {row["duplicate_of"] for row in rejected.values()} == {stays["id"]}, "exact copies of what went follow it"
    assert {row["cluster"] for row in rejected.values()} == {stays["cluster"]}
    assert len({kept["other"]["cluster"], kept["another"]["cluster"], stays["cluster"]}) == 3


def test_detail_says_what_decided(made: tuple[str, Snapshot]) -> None:
    root, snapshot = made
    rejected = rows(root, snapshot, "rejected")
    details = {key: row["detail"] for key, row in rejected.items() if row["reason"] == "near_duplicate"}
    assert all(detail.endswith((">= 0.4", ">= 0.9")) for detail in details.values())
    assert details["part"] == "containment 1.00 >= 0.9"
    assert all(row["detail"] is None for row in rejected.values() if row["reason"] == "exact_duplicate")


def test_account_has_the_curve_and_what_was_found(made: tuple[str, Snapshot]) -> None:
    found = account(made[0])
    assert {name: found[name] for name in ("jaccard", "containment", "bands", "rows")} == {
        "jaccard": 0.4, "containment": 0.9, "bands": 46, "rows": 3
    }  # fmt: skip
    assert found["curve"][8] == [0.4, 0.952281]
    assert (found["clusters"], found["documents"], found["removed"], found["largest_cluster"]) == (1, 5, 4, 5)
    assert found["candidates"] >= found["links"] >= 4
    assert found["unsettled_by_round"] == []


def test_switched_off_only_equal_texts_go(tmp_path: Path) -> None:
    config = PrepareConfig(deduplicate=DeduplicateConfig(near=NearDuplicateConfig(enabled=False)))
    root = str(tmp_path / "corpus")
    snapshot = prepare(write(tmp_path / "in", RECORDS, 2), root, config, workers=1)
    assert snapshot.ledger.by_reason() == {"deduplicate/exact_duplicate": 2}
    assert account(root) is None
    kept = rows(root, snapshot, "text")
    assert len({row["cluster"] for row in kept.values()}) == len(kept) == 7


def test_threshold_is_the_users(tmp_path: Path) -> None:
    near = NearDuplicateConfig(jaccard=0.95, containment=1.0)
    root = str(tmp_path / "corpus")
    config = PrepareConfig(deduplicate=DeduplicateConfig(near=near))
    snapshot = prepare(write(tmp_path / "in", RECORDS, 2), root, config, workers=1)
    rejected = rows(root, snapshot, "rejected")
    assert "edited" not in {key for key, row in rejected.items() if row["reason"] == "near_duplicate"}
    assert rejected["part"]["detail"] == "containment 1.00 >= 1"
    assert account(root)["bands"] == 8


def chained(links: int, group: int = 0) -> dict[str, str]:
    """Pages each like the one before: of six sentences five are those of the last."""
    sentences = [page(900 + 100 * group + number, 1) for number in range(links + 6)]
    return {f"c{group}-{number}": " ".join(sentences[number : number + 6]) for number in range(links)}


def test_components_in_rounds_give_the_same_corpus_as_in_one_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = {**chained(10), **RECORDS}
    source = write(tmp_path / "in", records, 4)
    prepare(source, str(tmp_path / "one"), workers=1)
    assert account(str(tmp_path / "one"))["largest_cluster"] >= 8
    monkeypatch.setattr(pipeline.prepare.near, "LINKS_AT_ONCE", 5)
    monkeypatch.setattr(pipeline.prepare.near, "ROUNDS_AT_ONCE", 1)
    prepare(source, str(tmp_path / "rounds"), workers=1)
    found = account(str(tmp_path / "rounds"))["unsettled_by_round"]
    assert len(found) > 1
    assert found[0] > 0
    assert found[-1] == 0
    assert tree(tmp_path / "one") == tree(tmp_path / "rounds")


def tree(root: Path) -> dict[str, bytes]:
    """Every file but those that belong to one run alone."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.parent.name != "runs"
    }


def test_who_goes_is_like_one_that_stays_and_clusters_are_on_one_side(tmp_path: Path) -> None:
    records = {key: text for group in range(12) for key, text in chained(8, group).items()}
    config = PrepareConfig(split=SplitConfig(heldout_share=0.3, heldout_min_documents=1))
    root = str(tmp_path / "corpus")
    snapshot = prepare(write(tmp_path / "in", records, 2), root, config, workers=1)
    kept, rejected = rows(root, snapshot, "text"), rows(root, snapshot, "rejected")
    assert {row["reason"] for row in rejected.values()} == {"near_duplicate"}
    assert len(rejected) >= 12 * 3
    assert len(kept) > 12 * 2, "the end of a chain is not like its beginning"
    ids = {row["id"] for row in kept.values()}
    assert {row["duplicate_of"] for row in rejected.values()} <= ids
    sides: dict[str, set[str]] = {}
    for row in kept.values():
        sides.setdefault(row["cluster"], set()).add(row["split"])
    assert all(len(found) == 1 for found in sides.values())
    assert len(sides) == 12
    assert {side for found in sides.values() for side in found} == {"train", "heldout"}


def test_interrupted_search_goes_on_where_it_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pipeline.graphs.near
    import pipeline.graphs.settle

    source = write(tmp_path / "in", RECORDS, 3)
    verified: list[int] = []
    verify = pipeline.graphs.near.verify

    def counting(*arguments: Any) -> Any:
        verified.append(1)
        return verify(*arguments)

    def die(*arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline.graphs.near, "verify", counting)
    monkeypatch.setattr(pipeline.graphs.settle, "write_final", die)
    root = str(tmp_path / "corpus")
    with pytest.raises(BaseException):  # noqa: B017 - Beam wraps it as it likes
        prepare(source, root, workers=1)
    assert verified
    monkeypatch.undo()
    monkeypatch.setattr(pipeline.graphs.near, "verify", die)
    prepare(source, root, workers=1)
    assert read_snapshot(root).ledger.by_reason()["deduplicate/near_duplicate"] == 4


LAMP = (
    "This lamp gives a warm light for reading, folds flat for a suitcase and runs for nine hours when its battery is "
    "full; the switch sits under the shade, where it is easily found in the dark. Wipe the arm with a dry cloth, never "
    "with water, and let a dealer replace the cable when the cover is torn or the plug gets hot."
)
KETTLE = (
    "The kettle boils a litre in less than three minutes and turns itself off, with a click you can hear in the next "
    "room. Fill it to the upper line at most. Once a month pour in vinegar, leave it overnight and rinse it twice: "
    "lime makes every kettle slow and loud, and shortens the life of the element by years."
)


def test_pages_of_a_template_stay_when_much_of_them_is_their_own(tmp_path: Path) -> None:
    template = page(50, 9)
    records = {f"page-{number}": f"{template} {own}" for number, own in enumerate((LAMP, KETTLE))} | {
        "copy": edited(page(70), 25),
        "original": page(70),
    }
    source = write(tmp_path / "in", records, 2)

    def prepared(name: str, near: NearDuplicateConfig) -> tuple[dict[str, Any], dict[str, Any]]:
        config = PrepareConfig(deduplicate=DeduplicateConfig(near=near))
        snapshot = prepare(source, str(tmp_path / name), config, workers=1)
        root = str(tmp_path / name)
        return rows(root, snapshot, "text"), rows(root, snapshot, "rejected")

    kept, rejected = prepared("both", NearDuplicateConfig())
    assert {"page-0", "page-1"} <= set(kept)
    assert kept["page-0"]["cluster"] == kept["page-1"]["cluster"], "alike all the same, so on one side of the split"
    assert len(rejected) == 1
    assert set(rejected) < {"copy", "original"}
    _, rejected = prepared("one", NearDuplicateConfig(own_text=1))
    assert len(rejected) == 2
