"""Passages of a batch."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.phenomena.config import PhenomenaConfig
from pipeline.phenomena.counts import count
from pipeline.phenomena.find import carriers
from pipeline.phenomena.passages import PASSAGE_SCHEMA, keep
from pipeline.phenomena.plan import Plan, plan

CONFIG = PhenomenaConfig(ngrams=False, max_share=0.3, hosts=3)


def planned(batch: pa.RecordBatch, config: PhenomenaConfig, lang: str = "eng_Latn") -> Plan:
    return plan(count(batch, lang, config), config)


def rows(found: pa.RecordBatch, role: str) -> list[dict[str, Any]]:
    return [row for row in found.to_pylist() if row["role"] == role]


def test_a_carrier_comes_with_its_neighbours_and_says_where_it_stood(batch: Any, texts: list[str]) -> None:
    whole = batch(texts)
    found = carriers(whole, planned(whole, CONFIG), CONFIG, file="text/a.arrow", first_row=100)
    assert found.schema == PASSAGE_SCHEMA
    some = {row["document"]: row for row in rows(found, "carrier")}
    assert sorted(int(name, 16) for name in some) == [4, 9, 19]
    one = some[f"{4:032x}"]
    assert one["text"] == (
        "Broken quarry repairs modern quarry beside meadow with yellow candle. The façade crosses nothing at all. "
        "Silver ribbon carries quiet winter beside letter with gentle mountain."
    )
    assert (one["file"], one["offset"], one["source"], one["first"]) == ("text/a.arrow", 104, "web", 0)
    assert (one["words"], len(one["sentences"]), one["core"]) == ([10, 6, 10], 3, [0])
    assert (one["phenomena"], one["counts"], one["replaced"]) == ([0], [1], [])
    assert found.column("order").to_pylist() == sorted(found.column("order").to_pylist())


def test_without_context_the_sentence_comes_alone(batch: Any, texts: list[str]) -> None:
    config = CONFIG.model_copy(update={"context": 0})
    whole = batch(texts)
    found = rows(carriers(whole, planned(whole, config), config), "carrier")
    assert sorted(row["text"] for row in found) == [
        "No façade repairs itself.",
        "Our façade remembers the old paint.",
        "The façade crosses nothing at all.",
    ]


def test_hosts_are_ordinary_and_can_be_cut(batch: Any, texts: list[str]) -> None:
    config = CONFIG.model_copy(update={"mode": "insert", "hosts": 100})
    whole = batch(texts)
    found = rows(carriers(whole, planned(whole, config), config), "host")
    assert len(found) == 27  # not of the three documents whose first four sentences have the letter
    for row in found:
        assert "ç" not in row["text"]
        assert row["gap"] == " "
        assert row["text"][: row["cut"]].count(".") == 2
        assert row["text"] in texts[row["offset"]]


def test_what_is_no_sentence_of_the_language_is_never_used(batch: Any, texts: list[str]) -> None:
    bad = ["ç ç.", f"{'Long ç ' * 100}.", "ç 12 34 56 78 90 12 34 56 78."]
    whole = batch([*texts, *(f"{texts[0]} {one}" for one in bad)])
    config = CONFIG.model_copy(update={"context": 0, "longest": 100})
    found = rows(carriers(whole, planned(whole, config), config), "carrier")
    assert {row["offset"] for row in found} == {4, 9, 19}
    assert planned(whole, config).wanted["characters"].natural.tolist() == [7]  # the long one is cut in two


def test_a_switch_comes_with_both_its_sides(batch: Any, texts: list[str]) -> None:
    text = "Habari ya asubuhi rafiki yangu. Karibu sana nyumbani kwetu. Good morning to everyone here. Come in, all."
    parts = [{"lang": "swh_Latn", "start": 0, "end": 59}, {"lang": "eng_Latn", "start": 60, "end": len(text)}]
    whole = batch([text] * 3, "swh_Latn", segments=[parts] * 3)
    config = CONFIG.model_copy(update={"characters": False, "context": 0})
    found = rows(carriers(whole, planned(whole, config, "swh_Latn"), config), "carrier")
    assert {row["text"] for row in found} == {"Karibu sana nyumbani kwetu. Good morning to everyone here."}
    assert [row["counts"] for row in found] == [[1], [1], [1]]


def test_a_variant_is_counted_with_its_new_word(batch: Any, texts: list[str], lexicon: Path) -> None:
    config = PhenomenaConfig(
        characters=False, ngrams=False, few_sentences=57, max_share=0.5, context=0, lexicon_forms=True,
        lexicons={"eng_Latn": str(lexicon)},
    )  # fmt: skip
    whole = batch(texts)
    plan_ = planned(whole, config)
    found = rows(carriers(whole, plan_, config), "carrier")
    changed = [row for row in found if row["replaced"]]
    assert changed
    for row in changed:
        word, form, cell = row["replaced"]
        assert form in row["text"]
        assert row["text"].replace(form, word, 1) in texts[row["offset"]]
        assert cell == "V;PRS;3;SG"
        assert row["counts"][row["phenomena"].index(row["core"][0])] == 1


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 29), max_size=4, unique=True), st.integers(1, 3), st.booleans())
def test_what_is_kept_does_not_depend_on_batches(
    batch: Any, texts: list[str], cuts: list[int], options: int, turned: bool
) -> None:
    config = PhenomenaConfig(options=options, hosts=4, max_share=0.5, min_documents=2)
    whole = batch(texts)
    plan_ = planned(whole, config)
    expected = carriers(whole, plan_, config, "f")
    bounds = [0, *sorted(cuts), 30]
    parts = [carriers(whole.slice(a, b - a), plan_, config, "f", a) for a, b in pairwise(bounds)]
    if turned:
        parts.reverse()
    assert keep(parts, config).equals(expected)
    merged = keep([], config)
    for part in parts:
        merged = keep([part, merged], config)
    assert merged.equals(expected)
    assert len(rows(expected, "host")) == 4


def test_nothing_wanted_nothing_found(batch: Any) -> None:
    whole = batch(["All is usual here, as ever."] * 40)
    assert carriers(whole, planned(whole, CONFIG), CONFIG).num_rows == 0
    heldout = batch(["All is usual here, as ever."], splits=["heldout"])
    assert carriers(heldout, planned(whole, CONFIG), CONFIG).num_rows == 0


def test_settings_that_mean_nothing_are_errors() -> None:
    with pytest.raises(ValueError, match="shortest"):
        PhenomenaConfig(shortest=50, longest=40)
    with pytest.raises(ValueError, match="klingonese"):
        PhenomenaConfig(lexicons={"klingonese": "x.tsv"})
    assert PhenomenaConfig(lexicons={"sw": "x.tsv"}).lexicons == {"swh_Latn": "x.tsv"}
