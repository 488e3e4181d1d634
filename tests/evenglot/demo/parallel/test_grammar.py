"""The demo's grammar says the same in both languages, in the order that each asks for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evenglot.demo.parallel.grammar import BE, Clause, Subject, Tense, afrikaans, command, english, sentence
from evenglot.demo.parallel.lexicon import Pair, Verb, verbs

WOMAN = Subject(Pair("the woman", "die vrou"))
I_AM = Subject(Pair("I", "ek"), "I")
THEY = Subject(Pair("they", "hulle"), "many")
BREAD = Pair("the bread", "die brood")
DOOR = Pair("the door", "die deur")
MARKET = Pair("at the market", "by die mark")
YESTERDAY = Pair("yesterday", "gister")


def verb(base: str) -> Verb:
    return next(one for one in verbs() if one.base == base)


@pytest.mark.parametrize(
    ("clause", "said", "gesê"),
    [
        (Clause(WOMAN, verb("buy"), object=BREAD), "the woman buys the bread", "die vrou koop die brood"),
        (
            Clause(WOMAN, verb("buy"), "past", object=BREAD, place=MARKET, time=YESTERDAY),
            "the woman bought the bread at the market yesterday",
            "die vrou het gister die brood by die mark gekoop",
        ),
        (
            Clause(THEY, verb("buy"), "past", True, BREAD, time=YESTERDAY),
            "they did not buy the bread yesterday",
            "hulle het gister nie die brood gekoop nie",
        ),
        (Clause(I_AM, verb("sleep"), denied=True), "I do not sleep", "ek slaap nie"),
        (
            Clause(THEY, verb("see"), denied=True, object=Pair("him", "hom"), weak=True),
            "they do not see him",
            "hulle sien hom nie",
        ),
        (Clause(WOMAN, verb("open"), object=DOOR), "the woman opens the door", "die vrou maak die deur oop"),
        (
            Clause(WOMAN, verb("open"), "want", object=DOOR),
            "the woman wants to open the door",
            "die vrou wil die deur oopmaak",
        ),
        (
            Clause(THEY, verb("like"), "past", object=BREAD),
            "they liked the bread",
            "hulle het van die brood gehou",
        ),
        (
            Clause(WOMAN, verb("give"), object=BREAD, receiver=Pair("the child", "die kind")),
            "the woman gives the bread to the child",
            "die vrou gee die brood vir die kind",
        ),
        (
            Clause(I_AM, BE, predicate=Pair("tired", "moeg"), adverb=Pair("always", "altyd")),
            "I am always tired",
            "ek is altyd moeg",
        ),
        (
            Clause(THEY, BE, "future", predicate=Pair("tired", "moeg")),
            "they will be tired",
            "hulle sal moeg wees",
        ),
        (Clause(WOMAN, verb("have"), "can", object=BREAD), "the woman can have the bread", "die vrou kan die brood hê"),
    ],
)
def test_main_clauses(clause: Clause, said: str, gesê: str) -> None:
    assert (english(clause), afrikaans(clause)) == (said, gesê)


@pytest.mark.parametrize(
    ("tense", "denied", "last"),
    [
        ("now", False, "die vrou die deur oopmaak"),
        ("past", False, "die vrou die deur oopgemaak het"),
        ("future", False, "die vrou die deur sal oopmaak"),
        ("past", True, "die vrou nie die deur oopgemaak het nie"),
    ],
)
def test_the_verb_stands_last_behind_a_conjunction(tense: Tense, denied: bool, last: str) -> None:
    assert afrikaans(Clause(WOMAN, verb("open"), tense, denied, DOOR), "last") == last


def test_the_verb_comes_before_the_subject_behind_what_is_said_first() -> None:
    clause = Clause(WOMAN, verb("bake"), "past", object=BREAD, time=YESTERDAY)
    assert afrikaans(clause, front=YESTERDAY) == "gister het die vrou die brood gebak"
    assert english(clause, front=YESTERDAY) == "yesterday the woman baked the bread"
    assert afrikaans(replace(clause, time=None), "first") == "het die vrou die brood gebak"
    assert english(replace(clause, time=None), asked=True) == "did the woman bake the bread"
    assert english(Clause(I_AM, BE, predicate=Pair("late", "laat")), asked=True) == "am I late"


def test_commands() -> None:
    clause = Clause(WOMAN, verb("open"), object=DOOR)
    assert command(clause) == Pair("open the door", "maak die deur oop")
    assert command(replace(clause, denied=True)) == Pair("do not open the door", "moenie die deur oopmaak nie")


def test_a_sentence_begins_with_a_capital_behind_the_article() -> None:
    assert sentence("'n ou man slaap") == "'n Ou man slaap."
    assert sentence("waar is die kat", "?") == "Waar is die kat?"
