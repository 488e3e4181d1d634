"""How natural single documents look."""

from __future__ import annotations

import re

import numpy as np

from pipeline.naturalness.config import NaturalnessConfig
from pipeline.naturalness.judge import learn
from tests.pipeline.naturalness.conftest import backwards, document

CONFIG = NaturalnessConfig(passages=120, passage_characters=150)
IDS = [f"n{row}" for row in range(80)]
PARENTS = [f"p{row}" for row in range(40)]


def test_unnatural_documents_come_last_and_new_topics_do_not(natural: list[str], reversed_text: list[str]) -> None:
    half = [backwards(text) if row % 2 else text for row, text in enumerate(document(row, "made") for row in range(40))]
    judge = learn(natural, half, "eng_Latn", CONFIG, natural_ids=IDS, parents=PARENTS)
    assert judge is not None
    good = [document(number, "new") for number in range(20)]
    # Another topic in the same style: words that the judge has never seen.
    topics = [re.sub(r"\b(\w{4})n\b", r"\1rth", text) for text in good]
    bad = [backwards(text) for text in good]
    parents = [f"q{row}" for row in range(20)]
    natural_, topical, unnatural = (judge.naturalness(texts, parents) for texts in (good, topics, bad))
    assert unnatural.max() == 0
    assert natural_.mean() > 0.35
    assert topical.mean() > 0.35
    assert ((natural_ >= 0) & (natural_ <= 1)).all()


def test_a_document_is_judged_by_a_classifier_that_has_not_seen_its_parent(natural: list[str]) -> None:
    made = [document(row, "made") for row in range(40)]
    judge = learn(natural, made, "eng_Latn", CONFIG, natural_ids=IDS, parents=PARENTS)
    assert judge is not None
    # Text of the same kind: those it learnt from look no less natural than new text.
    own = judge.naturalness(made, PARENTS)
    new = judge.naturalness([document(row, "other") for row in range(40)], PARENTS)
    assert abs(own.mean() - new.mean()) < 0.15


def test_too_little_text(natural: list[str]) -> None:
    assert learn(natural, natural[:1], "eng_Latn", CONFIG, natural_ids=IDS, parents=["p"]) is None
    judge = learn(natural, natural[:40], "eng_Latn", CONFIG, natural_ids=IDS, parents=IDS[:40])
    assert judge is not None
    assert np.isnan(judge.naturalness([""], ["p"])).all()
    assert judge.naturalness([], []).shape == (0,)


def test_nobody_judges_where_one_group_is_all(natural: list[str], alike: list[str]) -> None:
    judge = learn(natural, alike, "eng_Latn", CONFIG, natural_ids=IDS, parents=["p"] * 40)
    assert judge is not None
    assert np.isnan(judge.naturalness(alike[:3], ["p"] * 3)).all()
