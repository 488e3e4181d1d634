"""The demo's parallel text: always the same, every pattern in it, and nothing of what is held out in what is learnt."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from evenglot.demo.parallel import lexicon
from evenglot.demo.parallel.lexicon import Pair, free
from evenglot.demo.parallel.pairs import COMPANY, parallel_text
from evenglot.demo.parallel.parts import Choice
from evenglot.demo.parallel.patterns import PATTERNS, compared, generate, joined_first, meant, relative, shared


def test_every_pattern_makes_sentences_and_none_twice() -> None:
    made = list(generate(4))
    assert {name for name, _ in made} == set(PATTERNS)
    assert len({pair.english for _, pair in made}) == len(made)
    assert made == list(generate(4))


@pytest.mark.parametrize(
    ("make", "key", "pair"),
    [
        (
            compared,
            "compared/3",
            Pair("The river was deeper than the road.", "Die rivier was dieper as die pad."),
        ),
        (
            joined_first,
            "joined_first/2",
            Pair(
                "After she had to arrive, the friend's dog could bark.",
                "Nadat sy moes aankom, kon die vriend se hond blaf.",
            ),
        ),
        (shared, "shared/4", Pair("We sing and get up.", "Ons sing en staan op.")),
        (
            relative,
            "relative/4",
            Pair("The pupil who ate oranges is good.", "Die leerling wat lemoene geëet het, is goed."),
        ),
        (
            meant,
            "meant/0",
            Pair("She will go to the market to wash the orange.", "Sy sal na die mark gaan om die lemoen te was."),
        ),
    ],
)
def test_literal_sentences(make: Callable[[Choice], Pair], key: str, pair: Pair) -> None:
    assert make(Choice(key)) == pair


def test_sentences_are_well_formed() -> None:
    for _, (english, afrikaans) in generate(10):
        for text in (english, afrikaans):
            assert text[-1] in ".?", text
            assert re.match(r"[A-Z]|'n [A-Z]", text), text
            assert "  " not in text
            assert " ," not in text
        assert ("not" in re.findall(r"\w+", english) or "never" in english) <= (" nie" in afrikaans), english
        # "a" before vowels is "an", and the other way about
        assert not re.search(r"\b[Aa] [aeiou]", english), english
        assert not re.search(r"\b[Aa]n [^aeiou]", english), english


def test_what_is_held_out_is_not_learnt() -> None:
    text = parallel_text(10)
    learnt = {side for pair in text.train for side in pair}
    out = {side for pair in (*text.heldout, *text.heldout_free) for side in pair}
    assert not learnt & out
    assert len(text.heldout) > 20
    assert 30 <= len(text.heldout_free) <= 60
    assert not any(away in side for away in (pair.english for pair in text.heldout_free) for side in learnt)
    assert max(Counter(text.train).values()) == 1
    by_hand = [pair for pair in free() if pair in text.train]
    assert sum(pair.english.startswith(by_hand[0].english) for pair in text.train) == 1 + COMPANY
    assert text == parallel_text(10)


def test_pairs_by_hand_are_different_sentences() -> None:
    assert len(free()) >= 150
    english = Counter(pair.english for pair in free())
    assert [text for text, number in english.items() if number > 1] == []
    assert all(pair.english[-1] == pair.afrikaans[-1] for pair in free())


def test_a_broken_line_of_a_word_list_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "nouns.txt").write_text("# nouns\ncat | cats | kat\n", encoding="utf-8")
    monkeypatch.setattr(lexicon, "HERE", tmp_path)
    with pytest.raises(ValueError, match=r"nouns.txt, line 2: 3 columns, not 6"):
        list(lexicon.rows("nouns.txt", 6))


def test_no_sentence_stands_in_the_demo_s_texts() -> None:
    """Else the translators would carry held-out text into the training text."""
    texts = "\n".join(
        path.read_text(encoding="utf-8") for path in (Path(lexicon.__file__).parents[1] / "texts").glob("*_Latn.txt")
    )
    known = {sentence for line in texts.splitlines() for sentence in re.split(r"(?<=[.?!]) ", line)}
    shared_with = {side for _, pair in generate(40) for side in pair} | {side for pair in free() for side in pair}
    assert {sentence for sentence in shared_with & known if len(sentence) > 12} == set()
