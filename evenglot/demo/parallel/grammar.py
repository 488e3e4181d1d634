"""Clauses in English and Afrikaans: one description, spoken in both languages.

What Afrikaans asks for beyond words: the finite verb stands second, whatever stands first; it stands last behind a
conjunction that subordinates; infinitives, participles and particles stand last (time, object and place before them);
``nie`` stands before what is denied and once more at the end; the past is ``het`` and a participle; verbs do not agree
with their subject. All of that is in ``afrikaans``; the English side needs agreement and ``do``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from evenglot.demo.parallel.lexicon import Pair, Verb

Tense = Literal["now", "past", "future", "can", "could", "must", "had to", "want", "wanted"]
Order = Literal["second", "first", "last"]

BE: Final = Verb("be", "be", "is", "was", "is", "", "", "", frozenset(), frozenset())
_MODALS: Final = {"future": "sal", "can": "kan", "could": "kon", "must": "moet", "had to": "moes", "want": "wil",
                  "wanted": "wou"}  # fmt: skip
_ENGLISH_MODALS: Final = {"future": "will", "can": "can", "could": "could", "must": "must"}
_INFINITIVES: Final = {"is": "wees", "het": "hê"}


@dataclass(frozen=True)
class Subject:
    """Who or what; ``person`` is that of English agreement."""

    words: Pair
    person: Literal["I", "many", "one"] = "one"


@dataclass(frozen=True)
class Clause:
    """One verb and what belongs to it."""

    subject: Subject
    verb: Verb
    tense: Tense = "now"
    denied: bool = False
    object: Pair | None = None
    weak: bool = False
    """Whether the object is a pronoun, which Afrikaans puts before ``nie``."""
    receiver: Pair | None = None
    predicate: Pair | None = None
    place: Pair | None = None
    time: Pair | None = None
    adverb: Pair | None = None


def english(clause: Clause, *, asked: bool = False, subject: str | None = None, front: Pair | None = None) -> str:
    """The clause in English, without capital and full stop.

    Args:
        clause: what to say.
        asked: whether the finite verb comes before the subject.
        subject: said instead of the clause's own: ``who``, ``that``.
        front: of time or place, said first instead of in its place.
    """
    finite, adverb, rest = _english_verb(clause, asked)
    name = clause.subject.words.english if subject is None else subject
    head = [finite, name] if asked else [name, finite]
    receiver = "" if clause.receiver is None else f"to {clause.receiver.english}"
    tail = [clause.object, clause.predicate]
    ends = [one for one in (clause.place, clause.time) if one is not None and one is not front]
    words = [*head, adverb, rest, *_said(tail), receiver, *(one.english for one in ends)]
    said = " ".join(word for word in words if word)
    return said if front is None else f"{front.english} {said}"


def _said(parts: list[Pair | None]) -> list[str]:
    return [part.english for part in parts if part is not None]


def _english_verb(clause: Clause, asked: bool) -> tuple[str, str, str]:
    """Finite word, adverb, and what follows; the finite word is empty where the verb stands alone after the adverb."""
    verb, tense, person = clause.verb, clause.tense, clause.subject.person
    adverb = "" if clause.adverb is None else clause.adverb.english
    no = "not" if clause.denied else ""
    if tense in _ENGLISH_MODALS:
        word = _ENGLISH_MODALS[tense]
        if word == "can" and no and not asked:
            return "cannot", adverb, verb.base
        return word, _join(no, adverb), verb.base
    if verb is BE and tense in ("now", "past"):
        forms = {"I": ("am", "was"), "many": ("are", "were"), "one": ("is", "was")}[person]
        return forms[tense == "past"], _join(no, adverb), ""
    base = {"had to": "have to", "want": "want to", "wanted": "want to"}.get(tense, "")
    base = f"{base} {verb.base}".strip()
    past = tense in ("past", "had to", "wanted")
    do = "did" if past else "does" if person == "one" else "do"
    if asked or clause.denied:
        return do, _join(no, adverb), base
    if tense == "had to":
        return "", adverb, f"had to {verb.base}"
    if tense in ("want", "wanted"):
        return "", adverb, f"{'wanted' if past else 'wants' if person == 'one' else 'want'} to {verb.base}"
    return "", adverb, verb.past if past else verb.third if person == "one" else verb.base


def _join(*words: str) -> str:
    return " ".join(word for word in words if word)


def afrikaans(clause: Clause, order: Order = "second", *, subject: str | None = None, front: Pair | None = None) -> str:
    """The clause in Afrikaans, without capital and full stop.

    Args:
        clause: what to say.
        order: where the finite verb stands: second; first, as in a question or behind what is said in ``front`` or
            before the clause; last, as behind a conjunction that subordinates.
        subject: said instead of the clause's own: ``wie``, ``wat``.
        front: of time or place, said first instead of in its place; the verb follows it.
    """
    finite, final = _afrikaans_verb(clause, order)
    name = clause.subject.words.afrikaans if subject is None else subject
    if front is not None:
        head = [front.afrikaans, finite, name]
    else:
        head = {"second": [name, finite], "first": [finite, name], "last": [name]}[order]
    times = [one.afrikaans for one in (clause.time, clause.adverb) if one is not None and one is not front]
    said = "" if clause.object is None else _join(clause.verb.preposition, clause.object.afrikaans)
    strong = [] if clause.weak else [said]
    after = [
        *strong,
        "" if clause.predicate is None else clause.predicate.afrikaans,
        "" if clause.receiver is None else f"vir {clause.receiver.afrikaans}",
        "" if clause.place is None or clause.place is front else clause.place.afrikaans,
        final,
    ]
    middle = [*([said] if clause.weak else []), *times]
    if clause.denied:
        rest = [word for word in after if word]
        after = ["nie", *rest, "nie"] if rest else ["nie"]
    return _join(*head, *middle, *after)


def _afrikaans_verb(clause: Clause, order: Order) -> tuple[str, str]:
    """The finite verb where it does not stand last, and what stands last."""
    verb, tense = clause.verb, clause.tense
    if tense in _MODALS:
        infinitive = verb.particle + _INFINITIVES.get(verb.stem, verb.stem)
        modal = _MODALS[tense]
        return (modal, infinitive) if order != "last" else ("", f"{modal} {infinitive}")
    if tense == "past" and verb is not BE:
        return ("het", verb.participle) if order != "last" else ("", f"{verb.participle} het")
    stem = "was" if verb is BE and tense == "past" else verb.stem
    return (stem, verb.particle) if order != "last" else ("", verb.particle + stem)


def command(clause: Clause) -> Pair:
    """The clause as an order to somebody, without capital and full stop; its subject is not said."""
    tail = [clause.object, clause.place]
    english_words = [clause.verb.base, *_said(tail)]
    said = "" if clause.object is None else _join(clause.verb.preposition, clause.object.afrikaans)
    place = "" if clause.place is None else clause.place.afrikaans
    if clause.denied:
        infinitive = clause.verb.particle + clause.verb.stem
        return Pair(_join("do not", *english_words), _join("moenie", said, place, infinitive, "nie"))
    return Pair(_join(*english_words), _join(clause.verb.stem, said, place, clause.verb.particle))


def sentence(text: str, end: str = ".") -> str:
    """With a capital, after ``'n`` that of the next word, and a full stop."""
    if text.startswith("'n "):
        return f"'n {text[3].upper()}{text[4:]}{end}"
    return f"{text[0].upper()}{text[1:]}{end}"
