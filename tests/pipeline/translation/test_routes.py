"""Ways between languages: direct, through preferred pivots, and the message where there is none."""

from __future__ import annotations

import pytest

from pipeline.translation.card import ModelCard
from pipeline.translation.routes import NoRoute, Routes, Step, generator_of, languages_of


def card(name: str, *pairs: str) -> ModelCard:
    """A card of directions such as ``eng-swh``, all in Latin script."""
    tags = tuple((f"{pair[:3]}_Latn", f"{pair[4:]}_Latn") for pair in pairs)
    return ModelCard(name=name, family="marian", revision="1", pairs=tags)


CARDS = [
    card("a", "swh-eng", "eng-swh"),
    card("b", "eng-hau"),
    card("c", "swh-fra", "fra-hau"),
    card("d", "hau-yor"),
    card("e", "eng-swh", "swh-hau"),
]


def test_the_direct_model_wins_over_a_pivot() -> None:
    routes = Routes(CARDS, ["eng_Latn"])
    assert routes.find("swh_Latn", "hau_Latn") == (Step("e@1", "swh_Latn", "hau_Latn"),)


def test_the_first_of_two_models_serves_a_pair() -> None:
    assert Routes(CARDS).find("eng_Latn", "swh_Latn")[0].model == "a@1"
    assert Routes(CARDS[::-1]).find("eng_Latn", "swh_Latn")[0].model == "e@1"


@pytest.mark.parametrize(
    ("pivots", "through"),
    [(["fra_Latn"], "fra_Latn"), (["eng_Latn", "fra_Latn"], "eng_Latn"), ([], "eng_Latn"), (["swh_Latn"], "eng_Latn")],
)
def test_of_ways_of_equal_length_the_preferred_pivot_wins_then_the_name(pivots: list[str], through: str) -> None:
    route = Routes(CARDS[:4], pivots).find("swh_Latn", "hau_Latn")
    assert languages_of(route) == ("swh_Latn", through, "hau_Latn")


def test_the_order_of_cards_does_not_change_the_way() -> None:
    ways = {
        languages_of(Routes(cards, ["fra_Latn"]).find("swh_Latn", "hau_Latn")) for cards in (CARDS[:4], CARDS[3::-1])
    }
    assert ways == {("swh_Latn", "fra_Latn", "hau_Latn")}


def test_more_steps_than_allowed_are_no_way() -> None:
    with pytest.raises(NoRoute, match="nor do any 2 one after another"):
        Routes(CARDS[:4], ["eng_Latn"], max_hops=2).find("swh_Latn", "yor_Latn")
    route = Routes(CARDS[:4], ["eng_Latn"], max_hops=3).find("swh_Latn", "yor_Latn")
    assert generator_of(route) == "a@1 > b@1 > d@1"


def test_a_way_may_be_led_through_languages() -> None:
    routes = Routes(CARDS[:3], ["eng_Latn"])
    route = routes.find("swh_Latn", "hau_Latn", through=["fra_Latn"])
    assert languages_of(route) == ("swh_Latn", "fra_Latn", "hau_Latn")
    there_and_back = routes.find("swh_Latn", "swh_Latn", through=["eng_Latn"])
    assert languages_of(there_and_back) == ("swh_Latn", "eng_Latn", "swh_Latn")


def test_the_message_names_what_would_serve() -> None:
    routes = Routes([card("a", "eng-swh"), card("b", "hau-yor")], max_hops=1)
    with pytest.raises(NoRoute) as caught:
        routes.find("eng_Latn", "yor_Latn")
    assert str(caught.value) == (
        "no model translates from eng_Latn (English) to yor_Latn (Yoruba). Fetch one with 'evenglot models fetch' or "
        "fit one to parallel text with 'evenglot translator fit': a model into yor_Latn from swh_Latn or a model from "
        "eng_Latn to hau_Latn would serve"
    )
    assert not routes.reaches("eng_Latn", "yor_Latn")
    assert routes.reaches("eng_Latn", "swh_Latn")


def test_no_model_at_all_and_no_language_to_go_through() -> None:
    with pytest.raises(NoRoute, match=r"'evenglot translator fit'$"):
        Routes([]).find("eng_Latn", "yor_Latn")
    with pytest.raises(NoRoute, match="source and target are both eng_Latn"):
        Routes(CARDS).find("eng_Latn", "eng_Latn")
