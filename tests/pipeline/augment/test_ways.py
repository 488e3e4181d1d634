"""Ways to text of a language by the models there are."""

from __future__ import annotations

import time

import pytest

from corpus.manifest import LanguageEvidence
from pipeline.augment.config import AugmentConfig
from pipeline.augment.plan import make_plan
from pipeline.augment.ways import Way, WayFinder
from pipeline.translation.card import ModelCard
from pipeline.translation.routes import Routes, Step

SIZES = {"eng_Latn": 900, "fra_Latn": 500, "spa_Latn": 400, "swh_Latn": 50, "yor_Latn": 20}
EVIDENCE = {lang: LanguageEvidence(documents=1, bytes=size * 1_000_000) for lang, size in SIZES.items()}


def finder(pairs: list[tuple[str, str]], **changes: object) -> WayFinder:
    cards = [ModelCard(name=f"m{n}", family="marian", revision="1", pairs=(pair,)) for n, pair in enumerate(pairs)]
    return WayFinder(EVIDENCE, Routes(cards, ("eng_Latn",), 2), AugmentConfig.model_validate(changes))


def route(*steps: tuple[str, str, str]) -> tuple[Step, ...]:
    return tuple(Step(f"{model}@1", source, target) for model, source, target in steps)


def test_the_largest_language_with_a_model_of_its_own_is_the_source() -> None:
    pairs = [("spa_Latn", "swh_Latn"), ("fra_Latn", "swh_Latn"), ("eng_Latn", "fra_Latn"), ("yor_Latn", "swh_Latn")]
    ways = finder(pairs).find("swh_Latn")
    assert ways.back_translation == (Way("fra_Latn", route(("m1", "fra_Latn", "swh_Latn")), ()),)
    assert (ways.paraphrase, ways.missing) == ((), ())


def test_where_none_has_the_way_goes_through_others_and_back_if_there_is_one() -> None:
    pairs = [("eng_Latn", "fra_Latn"), ("fra_Latn", "eng_Latn"), ("fra_Latn", "yor_Latn"), ("yor_Latn", "fra_Latn")]
    found = finder(pairs, back_translation={"sources": ["eng_Latn"]}).find("yor_Latn")
    there = route(("m0", "eng_Latn", "fra_Latn"), ("m2", "fra_Latn", "yor_Latn"))
    back = route(("m3", "yor_Latn", "fra_Latn"), ("m1", "fra_Latn", "eng_Latn"))
    assert found.back_translation == (Way("eng_Latn", there, back),)


def test_a_paraphrase_needs_both_directions() -> None:
    pairs = [("swh_Latn", "eng_Latn"), ("swh_Latn", "fra_Latn"), ("fra_Latn", "swh_Latn")]
    ways = finder(pairs, paraphrase={"enabled": True}).find("swh_Latn")
    steps = route(("m1", "swh_Latn", "fra_Latn"), ("m2", "fra_Latn", "swh_Latn"))
    assert ways.paraphrase == (Way("swh_Latn", steps, ()),)
    none = finder(pairs[:2], paraphrase={"enabled": True}).find("swh_Latn")
    assert none.paraphrase == ()
    assert len(none.missing) == 2
    assert "(swh_Latn) from a language with more text: fetch one with" in none.missing[0]
    assert "(swh_Latn) into another language and back: fetch one with" in none.missing[1]


@pytest.mark.parametrize("languages", [3000])
def test_a_plan_for_thousands_of_languages_takes_seconds(languages: int) -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    tags = [f"q{letters[n // 26 % 26]}{letters[n % 26]}_{script}" for script in ("Latn", "Cyrl", "Arab", "Deva", "Grek")
            for n in range(676)][:languages]  # fmt: skip
    evidence = {tag: LanguageEvidence(documents=1, bytes=10_000_000 // (n + 1) + 20_000) for n, tag in enumerate(tags)}
    card = ModelCard(
        name="all", family="nllb", revision="1", languages=tuple(tags[:200]), codes={tag: tag for tag in tags[:200]}
    )
    began = time.process_time()
    plan = make_plan(evidence, Routes([card], (), 2), AugmentConfig())
    assert time.process_time() - began < 10
    assert 0 < len(plan.targets) < 200
    assert len(plan.ways) > 2000
