"""Made documents: what is in them, what they are never, and what is said of them."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import ConfigurationError
from pipeline.augment.candidates import CANDIDATE_SCHEMA
from pipeline.deduplicate.config import NearDuplicateConfig
from pipeline.deduplicate.shingles import Lengths, shingles
from pipeline.deduplicate.similarity import shingle_sets, similarity
from pipeline.phenomena.config import PhenomenaConfig
from pipeline.phenomena.make import after, make
from pipeline.phenomena.sentences import read_sentences

CONFIG = PhenomenaConfig(ngrams=False, max_share=0.3, document_words=60)


def test_carrying_sentences_come_together_with_their_neighbours(batch: Any, texts: list[str]) -> None:
    made = make([batch(texts)], "eng_Latn", CONFIG)
    assert made.candidates.schema == CANDIDATE_SCHEMA
    first = made.candidates.to_pylist()[0]
    assert first["text"] == (
        "Broken quarry repairs modern quarry beside meadow with yellow candle. The façade crosses nothing at all. "
        "Silver ribbon carries quiet winter beside letter with gentle mountain.\n"
        "Broken quarry repairs quiet tunnel beside village with silver bridge. No façade repairs itself. "
        "Silver ribbon carries gentle window beside candle with golden uncle.\n"
        "Quiet quarry repairs ancient ribbon beside pocket with wooden orchard. Our façade remembers the old paint. "
        "Narrow ribbon carries distant kitchen beside mountain with hollow candle."
    )
    assert (first["lang"], first["origin"], first["generator"]) == ("eng_Latn", "insertion", "evenglot-phenomena@1")
    assert (first["parent"], first["source"], first["offset"]) == (f"{9:032x}", "web", 9)
    assert first["reason"] is None
    assert json.loads(first["provenance"]) == {
        "method": "insertion",
        "mode": "oversample",
        "passages": [
            {"document": f"{4:032x}", "first": 0, "role": "carrier", "sentences": 3},
            {"document": f"{19:032x}", "first": 0, "role": "carrier", "sentences": 3},
            {"document": f"{9:032x}", "first": 0, "role": "carrier", "sentences": 3},
        ],
        "phenomena": {"characters": {"ç": 3}},
        "seed": 0,
    }
    account = made.account
    assert (account.made, account.made_sentences, account.most_uses, account.left_over) == (5, 51, 3, 0)
    (cedilla,) = account.phenomena
    assert (cedilla.name, cedilla.natural, cedilla.target, cedilla.added, cedilla.why) == ("ç", 3, 10, 7, "reached")
    assert {kind: one.model_dump() for kind, one in account.counts().items()} == {
        "characters": {"before": 3, "target": 10, "after": 10}
    }


@pytest.mark.parametrize(
    ("change", "added", "why"),
    [
        ({"few_sentences": 6}, 3, "reached"),
        ({"max_share": 0.1}, 4, "share"),
        ({"uses": 1}, 3, "uses"),
        ({"shortest": 40}, 0, "no_carrier"),
    ],
)
def test_why_a_target_is_reached_or_not(
    batch: Any, texts: list[str], change: dict[str, Any], added: int, why: str
) -> None:
    made = make([batch(texts)], "eng_Latn", CONFIG.model_copy(update=change))
    (cedilla,) = made.account.phenomena
    assert (cedilla.added, cedilla.why) == (added, why)


def test_what_is_said_to_be_in_them_is_in_them(batch: Any, texts: list[str]) -> None:
    made = make([batch(texts)], "eng_Latn", CONFIG)
    written = read_sentences(made.candidates.column("text").to_pylist(), "eng_Latn").texts.to_pylist()
    counted = after(made.candidates.column("provenance").to_pylist())
    assert counted["characters"]["ç"] == sum("ç" in one for one in written) == 7
    assert after(['{"method": "back_translation"}']) == {}


def test_sentences_are_inserted_between_sentences_of_other_documents(batch: Any, texts: list[str]) -> None:
    made = make([batch(texts)], "eng_Latn", CONFIG.model_copy(update={"mode": "insert", "max_share": 0.5}))
    assert made.account.made >= 2
    for row in made.candidates.to_pylist():
        facts = json.loads(row["provenance"])
        hosts = [part for part in facts["passages"] if part["role"] == "host"]
        carriers = [part for part in facts["passages"] if part["role"] == "carrier"]
        assert len(hosts) == len(carriers)
        assert row["parent"] in {part["document"] for part in hosts}
        for line in row["text"].split("\n"):
            inside = read_sentences([line], "eng_Latn").texts.to_pylist()
            carrying = ["ç" in one for one in inside]
            if any(carrying):
                assert carrying == [False, False, True, False, False]
                own = " ".join([*inside[:2], *inside[3:]])
                assert any(own in texts[int(part["document"], 16)] for part in hosts)


@pytest.mark.parametrize("mode", ["oversample", "insert"])
def test_no_made_document_is_a_near_copy(batch: Any, texts: list[str], mode: str) -> None:
    made = make([batch(texts)], "eng_Latn", CONFIG.model_copy(update={"mode": mode, "max_share": 0.5}))
    new = made.candidates.column("text").to_pylist()
    sets = shingle_sets(shingles(pa.array([*new, *texts]), Lengths()))
    pairs = [(one, two) for one in range(len(new)) for two in range(len(new) + len(texts)) if two > one]
    first, second = np.array(pairs).T
    jaccard, first_in, _ = similarity(sets, first, second)
    assert jaccard.max() < 0.4
    assert first_in.max() < 0.9
    assert made.account.most_from_one <= 0.35


@pytest.mark.parametrize(
    ("share", "near", "fits"),
    [
        (0.35, {}, True),
        (0.5, {}, True),  # half of it is its own, more than `own_text`
        (0.35, {"own_text": 1.0}, True),
        (0.5, {"own_text": 1.0}, False),
        (0.35, {"own_text": 1.0, "jaccard": 0.3}, False),
        (0.35, {"own_text": 1.0, "jaccard": 0.3, "enabled": False}, True),
    ],
)
def test_settings_by_which_all_would_be_rejected_are_an_error(share: float, near: dict[str, Any], fits: bool) -> None:
    config = PhenomenaConfig(max_document_share=share)
    if fits:
        config.check(NearDuplicateConfig(**near))
    else:
        with pytest.raises(ConfigurationError, match=r"max_document_share.*lower `max_document_share`"):
            config.check(NearDuplicateConfig(**near))


def test_heldout_and_made_text_is_in_none_of_them(batch: Any, texts: list[str]) -> None:
    splits = ["heldout" if number in (4, 11) else "train" for number in range(30)]
    origins = ["paraphrase" if number in (9, 12) else "natural" for number in range(30)]
    whole = batch(texts, splits=splits, origins=origins)
    made = make([whole], "eng_Latn", CONFIG.model_copy(update={"min_documents": 2, "min_sources": 1, "ngrams": True}))
    assert made.account.documents == 26
    for row in made.candidates.to_pylist():
        used = {int(part["document"], 16) for part in json.loads(row["provenance"])["passages"]}
        assert used.isdisjoint({4, 9, 11, 12})
    alone = make([batch(texts, splits=["heldout"] * 30)], "eng_Latn", CONFIG)
    assert alone.candidates.num_rows == 0
    assert alone.account.sentences == 0


def test_without_anything_rare_nothing_is_made(batch: Any) -> None:
    made = make([batch(["All is usual here, as ever."] * 40)], "eng_Latn", CONFIG)
    assert made.candidates.num_rows == 0
    assert made.account.kinds["characters"].rare == 0


def test_passages_of_few_documents_find_no_company(batch: Any, texts: list[str]) -> None:
    some = [texts[place] for place in (4, 9, 19)]
    made = make([batch(some)], "eng_Latn", CONFIG.model_copy(update={"max_share": 0.5, "max_document_share": 0.3}))
    assert made.candidates.num_rows == 0
    (cedilla,) = made.account.phenomena
    assert (cedilla.added, cedilla.why) == (0, "company")
    assert made.account.left_over == 3


def test_forms_of_a_lexicon_come_in_only_where_asked(batch: Any, texts: list[str], lexicon: Path) -> None:
    base = CONFIG.model_copy(
        update={
            "lexicons": {"eng_Latn": str(lexicon)},
            "characters": False,
            "few_sentences": 60,
            "max_share": 0.5,
            "context": 0,
        }
    )
    plain = make([batch(texts)], "eng_Latn", base)
    assert [(one.name, one.natural) for one in plain.account.phenomena] == [("N;SG", 22), ("V;PRS;3;SG", 56)]
    assert plain.account.replaced == 0
    assert plain.account.lexicon is not None
    assert plain.account.lexicon.absent_cells == 3
    assert "mends" not in " ".join(plain.candidates.column("text").to_pylist())
    asked = make([batch(texts)], "eng_Latn", base.model_copy(update={"lexicon_forms": True}))
    assert asked.account.replaced > 0
    parts = [
        part["replaced"]
        for row in asked.candidates.to_pylist()
        for part in json.loads(row["provenance"])["passages"]
        if "replaced" in part
    ]
    assert len(parts) == asked.account.replaced
    natural = " ".join(texts).replace(".", "").split()
    for part in parts:
        assert part["cell"] == "V;PRS;3;SG"
        assert part["word"] in ("crosses", "visits", "repairs")
        assert natural.count(part["form"]) <= 30
        assert part["form"] != part["word"]
    assert json.loads(asked.candidates.column("provenance")[0].as_py())["lexicon"] == asked.account.lexicon.digest


@settings(max_examples=8, deadline=None)
@given(
    st.integers(0, 5),
    st.integers(1, 3),
    st.sampled_from([0.05, 0.2, 0.5]),
    st.sampled_from([1.5, 2.0, 4.0]),
    st.sampled_from(["oversample", "insert"]),
    st.lists(st.integers(1, 29), max_size=3, unique=True),
)
def test_no_cap_is_passed_and_batches_make_no_difference(
    batch: Any,
    texts: list[str],
    seed: int,
    uses: int,
    share: float,
    multiple: float,
    mode: str,
    cuts: list[int],
) -> None:
    config = PhenomenaConfig(
        seed=seed, uses=uses, max_share=share, multiple=multiple, mode=mode, document_words=60, min_documents=2
    )
    whole = batch(texts)
    made = make([whole], "eng_Latn", config)
    account = made.account
    natural = sum(len(text.encode()) for text in texts)
    assert sum(len(text.encode()) for text in made.candidates.column("text").to_pylist()) <= share * natural
    assert account.made_sentences <= share * account.sentences
    assert account.most_uses <= uses
    assert account.most_document_uses <= 4
    for one in account.phenomena:
        assert one.natural + one.added <= multiple * one.natural
        assert (one.why == "reached") == (one.added >= one.target - one.natural)
    bounds = [0, *sorted(cuts), 30]
    parts = [whole.slice(start, stop - start) for start, stop in pairwise(bounds)]
    again = make(parts, "eng_Latn", config)
    assert again.candidates.equals(made.candidates)
    assert again.account == account
