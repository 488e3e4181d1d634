"""Sentences of the demo's two languages: each pattern makes a pair from its choices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from evenglot.demo.parallel.grammar import BE, Clause, Order, Subject, Tense, afrikaans, command, english, sentence
from evenglot.demo.parallel.lexicon import Pair, Verb, adjectives, nouns, phrases, verbs
from evenglot.demo.parallel.parts import (
    Choice,
    action,
    fitting,
    matching,
    noun_phrase,
    quality,
    state,
    time_of,
    weather,
    who,
)

_NOW: Final[tuple[Tense, ...]] = ("now",)
_PAST: Final[tuple[Tense, ...]] = ("past", "past", "could", "had to")
_DENIABLE: Final[tuple[Tense, ...]] = ("now", "now", "past", "past", "future", "can", "could", "want")
_LOCATED: Final[tuple[Tense, ...]] = ("now", "now", "past", "future")
_BOTH: Final = {"now": _NOW, "past": _PAST}
_BEHIND: Final = (
    # conjunction, times of the two clauses
    (Pair("because", "omdat"), "now"), (Pair("because", "omdat"), "past"), (Pair("when", "wanneer"), "now"),
    (Pair("when", "toe"), "past"), (Pair("if", "as"), "now"), (Pair("while", "terwyl"), "now"),
    (Pair("while", "terwyl"), "past"), (Pair("before", "voordat"), "past"), (Pair("after", "nadat"), "past"),
    (Pair("although", "hoewel"), "now"), (Pair("although", "hoewel"), "past"), (Pair("until", "totdat"), "past"),
)  # fmt: skip
_SAYING: Final = (
    (Pair("says", "sê"), "now"), (Pair("knows", "weet"), "now"), (Pair("thinks", "dink"), "now"),
    (Pair("hopes", "hoop"), "now"), (Pair("said", "het gesê"), "past"), (Pair("knew", "het geweet"), "past"),
)  # fmt: skip
_THE: Final = ("the ", "my ", "our ", "her ", "his ", "their ")


def _pair(said: Pair, end: str = ".") -> Pair:
    return Pair(sentence(said.english, end), sentence(said.afrikaans, end))


def _plain(clause: Clause) -> Pair:
    return Pair(english(clause), afrikaans(clause))


def _behind(clause: Clause) -> Pair:
    return Pair(english(clause), afrikaans(clause, "last"))


def simple(choice: Choice) -> Pair:
    """Somebody does something."""
    return _pair(_plain(action(choice)))


def fronted(choice: Choice) -> Pair:
    """Time or place first, then the verb."""
    clause = action(choice)
    if clause.place is not None and clause.verb.frame in ("plain", "object") and choice.chance("place", 2):
        return _pair(Pair(english(clause, front=clause.place), afrikaans(clause, front=clause.place)))
    time = time_of(choice.under("front"), clause.tense)
    clause = replace(clause, time=time)
    return _pair(Pair(english(clause, front=time), afrikaans(clause, front=time)))


def denied(choice: Choice) -> Pair:
    """Somebody does not do something."""
    clause = replace(action(choice, tenses=_DENIABLE), denied=True, adverb=None)
    return _pair(_plain(_single(_definite(choice, clause))))


def _single(clause: Clause) -> Clause:
    """Itself, unless it denies something of everybody, which could mean two things.

    Raises:
        ValueError: it does.
    """
    if clause.denied and clause.subject.words.english.startswith(("every", "all")):
        raise ValueError("denied of all")
    return clause


def _definite(choice: Choice, clause: Clause) -> Clause:
    """With a definite object: what is denied of "a house" would be said with ``geen``."""
    if clause.object is None or clause.weak or clause.object.english.startswith(_THE) or not clause.verb.objects:
        return clause
    noun = choice.of("definite", matching(clause.verb.objects))
    return replace(clause, object=noun_phrase(choice, noun, plain=True).words)


def being(choice: Choice) -> Pair:
    """Something is such, or is not."""
    clause = state(choice)
    if choice.chance("denied", 4):
        clause = _single(replace(clause, denied=True, adverb=None))
    return _pair(_plain(clause))


def compared(choice: Choice) -> Pair:
    """Something is more so than something else."""
    adjective = choice.of("adjective", [one for one in adjectives() if one.english_more])
    some = [one for one in nouns() if adjective in fitting(one) and one.many is not None]
    first = choice.of("first", some)
    second = choice.of("second", [one for one in some if one is not first and one.classes & first.classes] or some)
    plain = choice.chance("plain", 2)
    one = noun_phrase(choice.under("one"), first, plain=plain)
    other = noun_phrase(choice.under("other"), second, plain=plain)
    if adjective.english in f"{one.words.english} {other.words.english}".split():
        raise ValueError("the same adjective twice")
    clause = Clause(one, BE, choice.of("tense", ("now", "past")), predicate=Pair(
        f"{adjective.english_more} than {other.words.english}", f"{adjective.more} as {other.words.afrikaans}"
    ))  # fmt: skip
    return _pair(_plain(clause))


def asked(choice: Choice) -> Pair:
    """A question for yes or no."""
    clause = state(choice) if choice.chance("state", 4) else action(choice, bare=choice.chance("bare", 2))
    return _pair(Pair(english(clause, asked=True), afrikaans(clause, "first")), "?")


def asked_for(choice: Choice) -> Pair:
    """A question for who, what, where, when or why."""
    clause = replace(action(choice, frame=choice.of("frame", ("object", "plain", "object")), bare=True), adverb=None)
    kind = choice.of("kind", ("where", "when", "why", "who", "what"))
    if kind == "who" and "person" in clause.verb.subjects:
        clause = replace(clause, subject=Subject(Pair("who", "wie")))
        return _pair(_plain(clause), "?")
    if kind == "what" and clause.object is not None and not clause.weak and not clause.verb.preposition:
        clause = replace(clause, object=None)
        return _pair(_questioned(Pair("what", "wat"), clause), "?")
    clause = replace(clause, place=None) if kind == "where" else clause
    word = {"where": "waar", "when": "wanneer"}.get(kind, "hoekom")
    return _pair(_questioned(Pair(kind if word != "hoekom" else "why", word), clause), "?")


def _questioned(word: Pair, clause: Clause) -> Pair:
    return Pair(f"{word.english} {english(clause, asked=True)}", f"{word.afrikaans} {afrikaans(clause, 'first')}")


def ordered(choice: Choice) -> Pair:
    """An order or a request."""
    frame = choice.of("frame", ("object", "object", "put"))
    clause = action(choice, tenses=_NOW, frame=frame, bare=True)
    if clause.verb.base in ("have", "like", "know", "see", "hear", "find", "lose") or clause.weak:
        raise ValueError("nobody is told to do that")
    clause = _definite(choice, replace(clause, denied=choice.chance("denied", 3)))
    said = command(clause)
    if not clause.denied and choice.chance("please", 3):
        return Pair(sentence(f"please {said.english}"), sentence(f"{said.afrikaans}, asseblief"))
    return _pair(said)


def _clauses(choice: Choice, when: str) -> tuple[Clause, Clause]:
    first = action(choice.under("first"), tenses=_BOTH[when], bare=not choice.chance("more", 4))
    tenses: tuple[Tense, ...] = ("now",) if when == "now" else ("past",)
    second = choice.under("second")
    if choice.chance("state", 3):
        return first, state(second, tenses=tenses, bare=True)
    return first, action(second, tenses=_BOTH[when], bare=True)


def joined_last(choice: Choice) -> Pair:
    """A main clause, then one that a conjunction subordinates."""
    word, when = choice.of("word", _BEHIND)
    first, second = _clauses(choice, when)
    if choice.chance("denied", 4):
        first = _definite(choice, replace(first, denied=first.tense in _DENIABLE, adverb=None))
    if choice.chance("denied too", 5) and second.tense in _DENIABLE:
        second = _definite(choice, replace(second, denied=True, adverb=None))
    main, other = _plain(_single(first)), _behind(_single(second))
    comma = "," if first.denied else ""
    if when == "now" and choice.chance("weather", 4):
        remark = choice.of("weather", weather())
        other = Pair(remark.words.english, _last(remark.words.afrikaans))
    return _pair(Pair(
        f"{main.english} {word.english} {other.english}", f"{main.afrikaans}{comma} {word.afrikaans} {other.afrikaans}"
    ))  # fmt: skip


def joined_first(choice: Choice) -> Pair:
    """A subordinate clause, then the main one, which begins with its verb."""
    word, when = choice.of("word", [one for one in _BEHIND if one[0].english != "until"])
    first, second = _clauses(choice, when)
    main = Pair(english(first), afrikaans(first, "first"))
    other = _behind(second)
    if when == "now" and choice.chance("weather", 3):
        remark = choice.of("weather", weather())
        other = Pair(remark.words.english, _last(remark.words.afrikaans))
    return _pair(Pair(
        f"{word.english} {other.english}, {main.english}", f"{word.afrikaans} {other.afrikaans}, {main.afrikaans}"
    ))  # fmt: skip


def _last(words: str) -> str:
    """A remark on the weather with its verb last: ``dit is koud`` becomes ``dit koud is``."""
    *name, verb = words.split()
    if "is" in name:
        return words.replace(" is ", " ") + " is"
    return " ".join([*name, verb])


def told(choice: Choice) -> Pair:
    """Somebody says that."""
    word, when = choice.of("word", _SAYING)
    name = noun_phrase(choice.under("who"), choice.of("who", matching(frozenset({"adult"}))), plain=True).words
    clause = state(choice, tenses=_NOW, bare=True) if choice.chance("state", 3) else action(choice, bare=True)
    if when == "past":
        clause = replace(clause, tense="past")
    if choice.chance("denied", 4) and clause.tense in _DENIABLE:
        clause = _definite(choice, replace(clause, denied=True))
    said = _behind(clause)
    return _pair(
        Pair(
            f"{name.english} {word.english} that {said.english}",
            f"{name.afrikaans} {word.afrikaans} dat {said.afrikaans}",
        )
    )


def relative(choice: Choice) -> Pair:
    """The one who does something is such, or does something else."""
    clause = action(choice, frame=choice.of("frame", ("object", "plain", "goal")), tenses=("now", "past"), bare=True)
    noun = choice.of("noun", matching(clause.verb.subjects))
    name = noun_phrase(choice, noun, plain=True)
    clause = replace(clause, subject=name)
    if clause.object is not None and noun.one.english in clause.object.english.split():
        raise ValueError("the same noun twice")
    people = "person" in noun.classes
    inner = Pair(english(clause, subject="who" if people else "that"), afrikaans(clause, "last", subject="wat"))
    whole = Subject(
        Pair(f"{name.words.english} {inner.english}", f"{name.words.afrikaans} wat {_cut(inner.afrikaans)},")
    )
    fits = fitting(noun)
    if people and choice.chance("greeting", 3):
        outer = Clause(whole, choice.of("outer", [one for one in _plain_verbs() if "person" in one.subjects]))
    else:
        adjective = choice.of("adjective", fits)
        outer = Clause(whole, BE, predicate=quality(choice, adjective, noun))
    return _pair(_plain(outer))


def _cut(words: str) -> str:
    return words.removeprefix("wat ")


def _plain_verbs() -> list[Verb]:
    return [one for one in verbs() if one.frame == "plain" and one.base not in ("live", "stay")]


def linked(choice: Choice) -> Pair:
    """Two main clauses."""
    word = choice.of("word", (Pair("and", "en"), Pair("but", "maar"), Pair("and then", "en dan"), Pair("so", "daarom")))
    when = choice.of("when", ("now", "past"))
    first, second = _clauses(choice, when)
    one = _plain(first)
    order: Order = "first" if word.english in ("and then", "so") else "second"
    if word.english == "and then" and when == "past":
        word = Pair("and then", "en toe")
    other = Pair(english(second), afrikaans(second, order))
    comma = "" if word.english == "and" and choice.chance("comma", 3) else ","
    return _pair(Pair(f"{one.english}{comma} {word.english} {other.english}",
                      f"{one.afrikaans}{comma} {word.afrikaans} {other.afrikaans}"))  # fmt: skip


def shared(choice: Choice) -> Pair:
    """Somebody does one thing and another: the second clause goes without its subject."""
    when = choice.of("when", ("now", "past"))
    tenses: tuple[Tense, ...] = ("now",) if when == "now" else ("past",)
    first = action(choice.under("first"), tenses=tenses, bare=not choice.chance("more", 3))
    second = replace(action(choice.under("second"), tenses=tenses, bare=True), subject=first.subject)
    if (
        not (first.verb.subjects & second.verb.subjects & {"person", "adult", "young", "seller"})
        or first.verb is second.verb
    ):
        raise ValueError("nobody does both")
    subject = who(choice.under("subject"), first.verb.subjects & second.verb.subjects)[0]
    first, second = replace(first, subject=subject), replace(second, subject=subject)
    if first.time is not None and choice.chance("front", 2):
        one = Pair(english(first, front=first.time), afrikaans(first, front=first.time))
    else:
        one = _plain(first)
    # the auxiliary of the past is not said again
    said = afrikaans(second, subject="")
    other = Pair(english(second, subject=""), said.removeprefix("het ") if when == "past" else said)
    return _pair(Pair(f"{one.english} and {other.english}", f"{one.afrikaans} en {other.afrikaans}"))


def there(choice: Choice) -> Pair:
    """There is something somewhere."""
    kind = choice.of("kind", ("place", "spot"))
    classes = (
        frozenset({"thing", "countfood"}) if kind == "spot" else frozenset({"person", "animal", "plant", "building"})
    )
    noun = choice.of("noun", matching(classes))
    phrase = noun_phrase(choice, noun)
    if not phrase.words.english.startswith(
        ("a ", "an ", "two ", "three ", "four ", "five ", "six ", "seven ", "ten ", "many ")
    ):
        raise ValueError("there are only indefinite things")
    where = choice.of("where", phrases(kind)).words
    past = choice.chance("past", 3)
    verb = {(False, "one"): "is", (False, "many"): "are", (True, "one"): "was", (True, "many"): "were"}[
        past, phrase.person
    ]
    return _pair(Pair(f"there {verb} {phrase.words.english} {where.english}",
                      f"daar {'was' if past else 'is'} {phrase.words.afrikaans} {where.afrikaans}"))  # fmt: skip


def located(choice: Choice) -> Pair:
    """Somebody or something is somewhere."""
    kind = choice.of("kind", ("place", "spot"))
    classes = frozenset({"thing", "food"}) if kind == "spot" else frozenset({"person", "animal"})
    subject, _ = who(choice, classes)
    tense: Tense = choice.of("tense", _LOCATED)
    clause = Clause(
        subject, BE, tense, place=choice.of("where", phrases(kind)).words, denied=choice.chance("denied", 5)
    )
    if choice.chance("question", 5):
        clause = replace(clause, denied=False)
        if choice.chance("where", 2):
            return _pair(_questioned(Pair("where", "waar"), replace(clause, place=None)), "?")
        return _pair(Pair(english(clause, asked=True), afrikaans(clause, "first")), "?")
    return _pair(_plain(clause))


def never(choice: Choice) -> Pair:
    """Somebody never does something, ``nooit ... nie``."""
    clause = _definite(
        choice, replace(action(choice, tenses=("now", "past"), bare=True), adverb=Pair("never", "nooit"))
    )
    _single(replace(clause, denied=True))
    return _pair(Pair(english(clause), f"{afrikaans(clause)} nie"))


def meant(choice: Choice) -> Pair:
    """Somebody goes somewhere to do something, ``om ... te``."""
    clause = replace(action(choice, frame="goal", bare=True), adverb=None)
    if not clause.verb.subjects & {"person"}:
        raise ValueError("only people mean something")
    clause = replace(clause, subject=who(choice.under("person"), frozenset({"person"}))[0])
    aim = action(choice.under("aim"), frame=choice.of("frame", ("object", "object", "plain")), tenses=_NOW, bare=True)
    if not aim.verb.subjects & {"person", "adult", "young"} or aim.verb.base in ("have", "like", "know", "lose"):
        raise ValueError("nobody goes anywhere for that")
    tail = "" if aim.object is None else f" {aim.object.english}"
    what = "" if aim.object is None else f"{aim.verb.preposition} {aim.object.afrikaans}".strip() + " "
    particle = f"{aim.verb.particle} " if aim.verb.particle else ""
    return _pair(Pair(f"{english(clause)} to {aim.verb.base}{tail}",
                      f"{afrikaans(clause)} om {what}{particle}te {aim.verb.stem}"))  # fmt: skip


def remarked(choice: Choice) -> Pair:
    """The weather, now or at another time."""
    remark = choice.of("weather", weather()).words
    time = choice.of("time", [one.words for one in phrases("time") if "now" in one.tenses])
    *name, verb = remark.afrikaans.split()
    turned = remark.afrikaans.replace("dit is", "is dit") if "is" in name else " ".join([verb, *name])
    if choice.chance("front", 2):
        return _pair(Pair(f"{time.english} {remark.english}", f"{time.afrikaans} {turned}"))
    return _pair(Pair(f"{remark.english} {time.english}", _with_time(remark.afrikaans, time.afrikaans)))


def _with_time(words: str, time: str) -> str:
    return words.replace(" is ", f" is {time} ") if " is " in words else f"{words} {time}"


PATTERNS: Final[dict[str, tuple[Callable[[Choice], Pair], int]]] = {
    "simple": (simple, 26), "fronted": (fronted, 12), "denied": (denied, 11), "being": (being, 14),
    "compared": (compared, 5), "asked": (asked, 5), "asked_for": (asked_for, 6), "ordered": (ordered, 5),
    "joined_last": (joined_last, 14), "joined_first": (joined_first, 10), "told": (told, 7), "relative": (relative, 7),
    "linked": (linked, 9), "shared": (shared, 26), "there": (there, 16), "located": (located, 7), "never": (never, 3),
    "meant": (meant, 6), "remarked": (remarked, 2),
}  # fmt: skip
"""Each with its share of the attempts."""


def generate(scale: int) -> Iterator[tuple[str, Pair]]:
    """Name of the pattern and a pair, no English sentence twice.

    Args:
        scale: attempts for each unit of a pattern's share; some make nothing or what was there before.
    """
    seen: set[str] = set()
    for name, (make, share) in PATTERNS.items():
        for number in range(share * scale):
            try:
                pair = make(Choice(f"{name}/{number}"))
            except ValueError:
                continue  # these choices do not go together
            if pair.english not in seen:
                seen.add(pair.english)
                yield name, pair
