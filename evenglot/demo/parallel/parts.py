"""Parts of sentences, chosen by hash: who, what, where, when, and clauses made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from corpus.hashing import stable_hash
from evenglot.demo.parallel.grammar import BE, Clause, Subject, Tense
from evenglot.demo.parallel.lexicon import Adjective, Noun, Pair, Phrase, Verb, adjectives, nouns, phrases, verbs

T = TypeVar("T")
_PRONOUNS: Final = (
    Subject(Pair("I", "ek"), "I"), Subject(Pair("you", "jy"), "many"), Subject(Pair("he", "hy")),
    Subject(Pair("she", "sy")), Subject(Pair("we", "ons"), "many"), Subject(Pair("they", "hulle"), "many"),
)  # fmt: skip
_OBJECTS: Final = (
    Pair("me", "my"), Pair("him", "hom"), Pair("her", "haar"), Pair("us", "ons"), Pair("them", "hulle"),
)  # fmt: skip
_IT: Final = (Pair("it", "dit"), Pair("them", "hulle"))
_OWNERS: Final = (
    Pair("my", "my"), Pair("your", "jou"), Pair("his", "sy"), Pair("her", "haar"), Pair("our", "ons"),
    Pair("their", "hul"),
)  # fmt: skip
_ONE: Final = (Pair("the", "die"), Pair("the", "die"), Pair("the", "die"), Pair("the", "die"), Pair("a", "'n"),
               Pair("a", "'n"), Pair("this", "hierdie"), Pair("that", "daardie"), Pair("every", "elke"))  # fmt: skip
_MASS: Final = (Pair("the", "die"), Pair("the", "die"), Pair("", ""), Pair("this", "hierdie"))
_MANY: Final = (
    Pair("the", "die"), Pair("the", "die"), Pair("the", "die"), Pair("two", "twee"), Pair("three", "drie"),
    Pair("four", "vier"), Pair("five", "vyf"), Pair("six", "ses"), Pair("seven", "sewe"), Pair("ten", "tien"),
    Pair("many", "baie"), Pair("a few", "'n paar"), Pair("these", "hierdie"), Pair("all the", "al die"), Pair("", ""),
)  # fmt: skip
_VESSELS: Final = (
    ("cup", "drink"), ("pot", "soup"), ("bag", "goods"), ("basket", "countfood"), ("box", "countfood"),
    ("bag", "countfood"),
)  # fmt: skip
_WHEN: Final[dict[Tense, str]] = {
    "now": "now", "past": "past", "future": "future", "can": "future", "could": "past", "must": "future",
    "had to": "past", "want": "future", "wanted": "past",
}  # fmt: skip
TENSES: Final[tuple[Tense, ...]] = (
    "now", "now", "now", "past", "past", "past", "future", "can", "must", "want", "could", "had to", "wanted",
)  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """One sentence's choices: the same key always makes the same."""

    key: str

    def of(self, slot: str, options: Sequence[T]) -> T:
        """One of the options.

        Raises:
            ValueError: there are none.
        """
        if not options:
            raise ValueError(f"nothing to choose from for '{slot}'")
        return options[stable_hash(self.key, slot) % len(options)]

    def chance(self, slot: str, one_in: int) -> bool:
        """True once in so many."""
        return stable_hash(self.key, slot, "chance") % one_in == 0

    def under(self, slot: str) -> Choice:
        """Choices of a part, apart from those of the whole."""
        return Choice(f"{self.key}/{slot}")


def matching(classes: frozenset[str], *, without: Noun | None = None) -> list[Noun]:
    """The nouns of any of these classes."""
    return [noun for noun in nouns() if noun.classes & classes and noun is not without]


def fitting(noun: Noun) -> list[Adjective]:
    """The adjectives that are said of a noun."""
    return [one for one in adjectives() if one.classes & noun.classes]


def noun_phrase(choice: Choice, noun: Noun, *, plain: bool = False) -> Subject:
    """A noun with an article, number or owner, and at times an adjective or as a diminutive.

    Args:
        choice: what to choose by.
        noun: the noun.
        plain: definite and singular, without anything else.
    """
    if plain:
        return Subject(Pair(f"the {noun.one.english}", f"die {noun.one.afrikaans}"))
    many = noun.many is not None and choice.chance("number", 4)
    if many and noun.many is not None:
        article, words = choice.of("article", _MANY), noun.many
    elif noun.many is None:
        sky = "sky" in noun.classes
        article, words = (Pair("the", "die") if sky else choice.of("article", _MASS)), noun.one
    else:
        article, words = choice.of("article", _ONE), noun.one
    if article.english not in ("", "a", "every") and choice.chance("owner", 5) and not noun.classes & {"sky", "nature"}:
        article = choice.of("whose", _OWNERS)
        if choice.chance("named", 3) and "person" not in noun.classes:
            owner = choice.of("owner", matching(frozenset({"person"})))
            article = Pair(f"the {owner.one.english}'s", f"die {owner.one.afrikaans} se")
    if (
        noun.classes & {"part", "openable"}
        and not many
        and noun.one.english not in ("box", "shop")
        and choice.chance("of", 4)
    ):
        whole = choice.of("whole", [one for one in nouns() if one.classes & {"building", "room"} and one is not noun])
        return Subject(Pair(f"the {noun.one.english} of the {whole.one.english}",
                            f"die {noun.one.afrikaans} van die {whole.one.afrikaans}"))  # fmt: skip
    if "kin" in noun.classes and not many and choice.chance("kin", 2):
        article = choice.of("whose", _OWNERS)
    small = noun.diminutive and not many and choice.chance("small", 8)
    adjectives_here = fitting(noun)
    if small:
        words = Pair(f"little {words.english}", noun.diminutive)
    elif adjectives_here and choice.chance("adjective", 3):
        adjective = choice.of("adjective", adjectives_here)
        words = Pair(f"{adjective.english} {words.english}", f"{adjective.before} {words.afrikaans}")
    said = Pair(f"{article.english} {words.english}".strip(), f"{article.afrikaans} {words.afrikaans}".strip())
    if noun.classes & {"person", "building"} and choice.chance("with", 14):
        kinds = frozenset({"worn", "tool"} if "person" in noun.classes else {"part", "openable"}) - {"building"}
        more = noun_phrase(choice.under("with"), choice.of("with", matching(kinds, without=noun))).words
        said = Pair(f"{said.english} with {more.english}", f"{said.afrikaans} met {more.afrikaans}")
    return Subject(Pair(_an(said.english), said.afrikaans), "many" if many else "one")


def _measured(choice: Choice) -> Subject:
    """So much of something: a cup of tea, two bags of flour, a basket of eggs."""
    vessel, content = choice.of("measure", _VESSELS)
    holder = next(noun for noun in nouns() if noun.one.english == vessel)
    inside = choice.of("content", [one for one in nouns() if content in one.classes or one.one.english == content])
    stuff = inside.many or inside.one
    if holder.many is not None and choice.chance("number", 4):
        number = choice.of("how many", [one for one in _MANY if one.english in ("two", "three", "four", "five")])
        words = Pair(f"{number.english} {holder.many.english} of {stuff.english}",
                     f"{number.afrikaans} {holder.many.afrikaans} {stuff.afrikaans}")  # fmt: skip
        return Subject(words, "many")
    article = choice.of("article", (Pair("a", "'n"), Pair("a", "'n"), Pair("the", "die")))
    return Subject(Pair(f"{article.english} {holder.one.english} of {stuff.english}",
                        f"{article.afrikaans} {holder.one.afrikaans} {stuff.afrikaans}"))  # fmt: skip


def _an(words: str) -> str:
    return (
        f"an {words[2:]}" if words.startswith("a ") and words[2] in "aeiou" and not words.startswith("a few") else words
    )


def who(choice: Choice, classes: frozenset[str], *, plain: bool = False) -> tuple[Subject, Noun | None]:
    """A subject: a pronoun where people are meant, at times, else a noun, which is given too."""
    if "person" in classes and not plain and choice.chance("pronoun", 3):
        return choice.of("pronoun", _PRONOUNS), None
    noun = choice.of("noun", matching(classes))
    return noun_phrase(choice.under("who"), noun, plain=plain), noun


def time_of(choice: Choice, tense: Tense) -> Pair:
    """When something is that is said in this tense."""
    return choice.of("time", [one.words for one in phrases("time") if _WHEN[tense] in one.tenses])


def action(choice: Choice, *, tenses: Sequence[Tense] = TENSES, bare: bool = False, frame: str = "") -> Clause:
    """Somebody does something.

    Args:
        choice: what to choose by.
        tenses: that it may be said in.
        bare: without time, adverb and place, unless the verb asks for one.
        frame: of the verb; empty is any, as often as there are verbs.
    """
    verb = choice.of("verb", [one for one in verbs() if not frame or one.frame == frame])
    tense = choice.of("tense", tenses)
    if verb.base in ("like", "know", "have", "live") and tense in ("must", "want", "had to", "wanted", "can", "could"):
        tense = "past" if _WHEN[tense] == "past" else "now"
    animate = {"person", "animal"} | {
        name for one in nouns() for name in one.classes if one.classes & {"person", "animal"}
    }
    if tense in ("want", "wanted", "had to", "must") and not verb.subjects & animate:
        tense = "past" if _WHEN[tense] == "past" else "now"
    subject, noun = who(choice.under("subject"), verb.subjects)
    clause = Clause(subject, verb, tense)
    if verb.objects or verb.frame in ("object", "to", "put"):
        clause = _with_object(choice.under("object"), clause, noun)
    if verb.frame == "to":
        person = choice.of("receiver", matching(frozenset({"person"}), without=noun))
        clause = replace(clause, receiver=noun_phrase(choice.under("receiver"), person, plain=True).words)
    if verb.frame in ("goal", "put"):
        kind = "goal" if verb.frame == "goal" else "spot"
        clause = replace(clause, place=choice.of("where", [one.words for one in phrases(kind)]))
    elif not bare and choice.chance("place", 3) and verb.base != "have":
        clause = replace(clause, place=_place(choice, verb))
    if verb.base in ("live", "stay") and clause.place is None:
        clause = replace(clause, place=_place(choice, verb))
    if not bare and choice.chance("time", 2):
        clause = replace(clause, time=time_of(choice, tense))
    elif not bare and choice.chance("adverb", 5):
        fit = [one.words for one in phrases("adverb") if _WHEN[tense] in one.tenses]
        clause = replace(clause, adverb=choice.of("adverb", fit)) if fit else clause
    return clause


def _place(choice: Choice, verb: Verb) -> Pair:
    swims = verb.base == "swim"
    return choice.of("place", [one.words for one in phrases("place") if ("water" in one.words.english) == swims])


def _with_object(choice: Choice, clause: Clause, subject: Noun | None) -> Clause:
    wanted = clause.verb.objects
    if "person" in wanted and choice.chance("pronoun", 3):
        others = [one for one in _OBJECTS if not (one.english == "me" and clause.subject.person == "I")]
        return replace(clause, object=choice.of("pronoun", others), weak=not clause.verb.preposition)
    if "person" not in wanted and not clause.verb.preposition and choice.chance("it", 9):
        return replace(clause, object=choice.of("it", _IT), weak=True)
    if choice.chance("measured", 7) and wanted & {"food", "drink", "goods"} and clause.verb.base not in ("cut", "bake"):
        measured = _measured(choice)
        if clause.verb.base != "drink" or measured.words.english.startswith(("a cup", "two cups", "three cups")):
            return replace(clause, object=measured.words)
    noun = choice.of("noun", matching(wanted, without=subject))
    said = noun_phrase(choice, noun).words
    if choice.chance("and", 7):
        other = choice.of("other", [one for one in matching(wanted, without=noun) if one is not subject])
        more = noun_phrase(choice.under("other"), other).words
        if choice.chance("three", 3):
            third = choice.of("third", [one for one in matching(wanted, without=noun) if one not in (subject, other)])
            last = noun_phrase(choice.under("third"), third).words
            more = Pair(f"{more.english} and {last.english}", f"{more.afrikaans} en {last.afrikaans}")
            return replace(
                clause, object=Pair(f"{said.english}, {more.english}", f"{said.afrikaans}, {more.afrikaans}")
            )
        said = Pair(f"{said.english} and {more.english}", f"{said.afrikaans} en {more.afrikaans}")
    return replace(clause, object=said)


def state(choice: Choice, *, tenses: Sequence[Tense] = ("now", "now", "past", "future"), bare: bool = False) -> Clause:
    """Something is such: red, tired, full."""
    noun = choice.of("noun", [one for one in nouns() if fitting(one)])
    tense = choice.of("tense", tenses)
    adjective = choice.of("adjective", fitting(noun))
    subject = noun_phrase(choice.under("subject"), noun)
    if adjective.english in subject.words.english.split():
        subject = noun_phrase(choice, noun, plain=True)
    clause = Clause(subject, BE, tense, predicate=quality(choice.under("quality"), adjective, noun))
    if "person" in noun.classes and choice.chance("pronoun", 3):
        clause = replace(clause, subject=choice.of("pronoun", _PRONOUNS))
    if not bare and choice.chance("time", 4):
        clause = replace(clause, time=time_of(choice, tense))
    elif not bare and choice.chance("adverb", 5) and tense == "now":
        clause = replace(
            clause, adverb=choice.of("adverb", [one.words for one in phrases("adverb") if "now" in one.tenses])
        )
    return clause


def quality(choice: Choice, adjective: Adjective, noun: Noun) -> Pair:
    """An adjective after a verb: alone, with ``very`` or ``too``, or with another."""
    if choice.chance("degree", 4):
        degree = choice.of("how", (Pair("very", "baie"), Pair("very", "baie"), Pair("too", "te")))
        return Pair(f"{degree.english} {adjective.english}", f"{degree.afrikaans} {adjective.after}")
    others = [one for one in fitting(noun) if one is not adjective]
    if others and choice.chance("and", 5):
        other = choice.of("other", others)
        return Pair(f"{adjective.english} and {other.english}", f"{adjective.after} en {other.after}")
    return Pair(adjective.english, adjective.after)


def weather() -> list[Phrase]:
    """Remarks on the weather, in the present."""
    return list(phrases("weather"))
