"""Pairs that a lexicon of the training pairs adds to them: words, phrases, and text glossed word by word.

Words that a translator meets in one sentence it does not learn; alone, and again in each epoch, it does. Text of the
target language that nobody has translated still teaches how that language is written, if something stands on the
source's side: its own words, replaced one by one (Lample et al. 2018, https://aclanthology.org/D18-1549/; Xia et al.
2019, *Generalized Data Augmentation for Low-Resource Translation*, https://aclanthology.org/P19-1579/). The made side
is always the source: what the model learns to write is what people wrote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from corpus.hashing import stable_hash
from corpus.lexicon import Lexicon, Lexicons, words
from corpus.translations import SentencePair
from trainer.translator.alignment import Aligner, Ints
from trainer.translator.lexicon import learn

MOST: Final = 20_000
"""Glossed sentences, or phrases, of a direction; more than a small model is shown in its training."""
_LONGEST_PHRASE: Final = 6
_KNOWN: Final = 0.5
"""Share of a sentence's words that the lexicon has to know; the others are copied."""


def lexicons(pairs: Sequence[SentencePair]) -> dict[tuple[str, str], Lexicon]:
    """The lexicon of each direction and of the way back."""
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for pair in pairs:
        found.setdefault(pair.direction, []).append((pair.text, pair.translation))
    made = {direction: learn(texts) for direction, texts in found.items()}
    for (source, target), texts in found.items():
        if (target, source) not in made:
            made[target, source] = learn((translation, text) for text, translation in texts)
    return made


def word_pairs(pairs: Sequence[SentencePair], known: Lexicons) -> list[SentencePair]:
    """Words that are each other's likeliest translation, one pair for each and direction.

    Asking both ways keeps what is a translation and drops what merely stands in the same sentences.

    Args:
        pairs: to train on.
        known: their :func:`lexicons`.
    """
    found: list[SentencePair] = []
    for source, target in sorted({pair.direction for pair in pairs}):
        back = known[target, source].table
        table = known[source, target].table
        found += [SentencePair(source, target, a, b) for a, b in sorted(table.items()) if back.get(b) == a]
    return found


def phrase_pairs(pairs: Sequence[SentencePair], seed: int = 0, most: int = MOST) -> list[SentencePair]:
    """Stretches of two to six words of training pairs, and what they are translated to.

    A stretch is taken where its words' translations stand together with nothing else among them (Koehn, Och and Marcu
    2003, https://aclanthology.org/N03-1017/) and its ends have one.

    Args:
        pairs: to train on; alignments are learnt from them.
        seed: of the choice among them.
        most: phrases of a direction.
    """
    found: list[SentencePair] = []
    for source, target in sorted({pair.direction for pair in pairs}):
        known = [(pair.text, pair.translation) for pair in pairs if pair.direction == (source, target)]
        aligner = Aligner(known)
        phrases: dict[tuple[str, str], None] = {}
        for text, translation in known:
            given, made = text.split(), translation.split()
            for first, last, begin, end in _phrases(aligner.align(text, translation), len(given)):
                phrases[" ".join(given[first : last + 1]), " ".join(made[begin : end + 1])] = None
        ranked = sorted(phrases, key=lambda phrase: (stable_hash("phrase", *phrase, seed=seed), phrase))
        found += [SentencePair(source, target, *phrase) for phrase in ranked[:most]]
    return found


def _phrases(alignment: Ints, size: int) -> list[tuple[int, int, int, int]]:
    """First and last word of each phrase in the source, and in the target.

    Args:
        alignment: the source word of each target word, -1 for none.
        size: words of the source.
    """
    places: list[list[int]] = [[] for _ in range(size)]
    for place, word in enumerate(alignment.tolist()):
        if word >= 0:
            places[word].append(place)
    found = []
    for first in range(size):
        for last in range(first + 1, min(first + _LONGEST_PHRASE, size)):
            if not places[first] or not places[last]:
                continue
            inside = [place for word in range(first, last + 1) for place in places[word]]
            begin, end = min(inside), max(inside)
            between = alignment[begin : end + 1]
            if end - begin < 2 * _LONGEST_PHRASE and ((between < 0) | ((between >= first) & (between <= last))).all():
                found.append((first, last, begin, end))
    return found


def glossed(
    pairs: Sequence[SentencePair],
    known: Lexicons,
    texts: Mapping[str, Sequence[str]],
    seed: int = 0,
    most: int = MOST,
) -> list[SentencePair]:
    """Sentences of the target languages with their glosses as sources.

    Args:
        pairs: to train on.
        known: their :func:`lexicons`.
        texts: language -> sentences that nobody has translated.
        seed: of the choice among them.
        most: sentences of a direction.
    """
    translated: dict[str, set[str]] = {}
    for pair in pairs:
        translated.setdefault(pair.target, set()).add(pair.translation)
    found: list[SentencePair] = []
    for source, target in sorted({pair.direction for pair in pairs}):
        lexicon = known[target, source]
        ranked = sorted(
            {text for text in texts.get(target, ()) if text not in translated[target]},
            key=lambda text: (stable_hash("gloss", source, text, seed=seed), text),
        )
        taken = 0
        for text in ranked:
            if taken >= most:
                break
            if _known(lexicon, text) >= _KNOWN:
                found.append(SentencePair(source, target, lexicon.translate(text), text))
                taken += 1
    return found


def _known(lexicon: Lexicon, text: str) -> float:
    """Share of the words of a text that a lexicon has; 0 of a text without words."""
    cores = [word.core.casefold() for word in words(text) if word.core]
    return sum(core in lexicon.table for core in cores) / len(cores) if cores else 0.0
