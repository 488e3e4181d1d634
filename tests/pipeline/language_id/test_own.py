from __future__ import annotations

import json
from pathlib import Path

import pytest

from corpus.errors import ConfigurationError, InputError
from pipeline.language_id.examples import Balance
from pipeline.language_id.fit import Settings
from pipeline.language_id.model import load_model
from pipeline.language_id.own import divide, train_own, units_of
from pipeline.language_id.rows import Rows
from pipeline.language_id.sources import Unit

WORDS = {
    "eng_Latn": "the house stands by river and children play in garden every day while bread is baked",
    "swh_Latn": "nyumba iko karibu na mto watoto wanacheza kwenye bustani yao kila siku mkate unaokwa",
    "rus_Cyrl": "дом стоит у реки дети играют в саду каждый день пока печётся хлеб и вода",
}
SMALL = Settings(dim=16, epoch=20, bucket=2000, min_count=1)
LITTLE = Balance(cap=2000, floor=500)


def sentence(tag: str, number: int) -> str:
    words = WORDS[tag].split()
    return " ".join(words[(number * 7 + place * 3) % len(words)] for place in range(10))


def units() -> list[Unit]:
    return [Unit(tag, sentence(tag, n), "made", f"{tag}-{n}") for tag in WORDS for n in range(16)]


def test_the_model_loads_with_its_cleaning_and_is_the_same_twice(tmp_path: Path) -> None:
    said: list[str] = []
    found = train_own(
        units(), tmp_path / "a", name="mine", licence="CC0 1.0", settings=SMALL, balance=LITTLE, held_out=0.25,
        say=said.append,
    )  # fmt: skip
    train_own(units(), tmp_path / "b", name="mine", licence="CC0 1.0", settings=SMALL, balance=LITTLE, held_out=0.25)
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["model.ftz", "model.json"]
    for name in ("model.ftz", "model.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    card = json.loads((tmp_path / "a" / "model.json").read_text(encoding="utf-8"))
    assert card == found.card
    assert (card["name"], card["licence"], card["cleaned"], card["file"]) == ("mine", "CC0 1.0", True, "model.ftz")
    assert card["labels"] == ["eng_Latn", "rus_Cyrl", "swh_Latn", "zxx"]
    assert card["training"]["sources"]["made"]["licence"] == "CC0 1.0"
    kept, held = divide(units(), 0.25)
    assert card["scores"]["held_out"]["count"] == len(held) > 3
    assert sum(entry["training_rows"] for entry in card["per_language"].values()) == len(kept)
    assert found.held_out.accuracy == 1.0
    assert said[-1] == "scoring on the rows held out"
    model = load_model(str(found.path))
    assert model.licence == "CC0 1.0"
    shouted = [sentence("swh_Latn", 3).upper() + "!!! 12:30", "ДОМ, СТОИТ; У РЕКИ: ДЕТИ?"]
    assert model.predict(shouted).tags == ["swh_Latn", "rus_Cyrl"]


def test_a_model_is_replaced_only_when_allowed(tmp_path: Path) -> None:
    (tmp_path / "model.ftz").write_bytes(b"another")
    with pytest.raises(ConfigurationError, match=r"model\.ftz exists\. .*--replace"):
        train_own(units(), tmp_path, name="mine", licence="CC0 1.0")
    assert (tmp_path / "model.ftz").read_bytes() == b"another"
    train_own(units(), tmp_path, name="mine", licence="CC0", settings=SMALL, balance=LITTLE, replace=True)
    assert load_model(str(tmp_path / "model.ftz")).licence == "CC0"


def test_one_language_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"1 language \(eng_Latn\).*--base"):
        train_own(units()[:16], tmp_path, name="mine", licence="CC0")
    mute = [*units(), Unit("ewe_Latn", "12:30 www.example.org", "made", "g")]
    with pytest.raises(InputError, match="text of ewe_Latn holds nothing to learn from"):
        train_own(mute, tmp_path, name="mine", licence="CC0")
    with pytest.raises(ConfigurationError, match=r"share held out is 1\.0"):
        train_own(units(), tmp_path, name="mine", licence="CC0", held_out=1.0)


def test_groups_are_never_divided_and_no_language_is_lost() -> None:
    many = [Unit("eng_Latn", f"text {n}", "made", f"doc {n // 5}") for n in range(500)]
    alone = [Unit("ewe_Latn", f"nya {n}", "made", "one book") for n in range(3)]
    for seed in range(8):
        kept, held = divide([*many, *alone], 0.3, seed)
        assert len(kept) + len(held) == 503
        assert not {unit.group for unit in kept} & {unit.group for unit in held}
        assert 75 < len(held) < 225
        assert not any(unit.tag == "ewe_Latn" for unit in held)
    assert divide(many, 0.3) == divide(many, 0.3)
    assert divide(many, 0.0)[1] == []


def test_rows_become_units() -> None:
    rows = Rows(["same", "same", "x"], ["eng_Latn"] * 3, [None, None, "d"], ["web", None, None], "set/a.jsonl")
    one, two, three = units_of(rows)
    assert (one.source, two.source, three.source) == ("web", "set/a.jsonl", "set/a.jsonl")
    assert one.group == two.group
    assert three.group == "d"
