from __future__ import annotations

import torch

from corpus.translations import SentencePair
from tests.trainer.translator.conftest import reversed_words
from trainer.translator.embeddings import aligned_embeddings
from trainer.translator.vocabulary import train_vocabulary

PAIRS = reversed_words(300)
VOCABULARY = train_vocabulary(PAIRS, 120)


def _own(seed: int = 0) -> torch.Tensor:
    return torch.randn(len(VOCABULARY), 32, generator=torch.Generator().manual_seed(seed))


def test_words_that_translate_each_other_are_nearest() -> None:
    vectors = aligned_embeddings(VOCABULARY, PAIRS, _own())
    assert vectors.shape == (len(VOCABULARY), 32)
    assert torch.allclose(vectors.norm(dim=1), torch.ones(len(VOCABULARY)), atol=1e-5)
    words = {"\u2581dog": "\u2581godo", "\u2581river": "\u2581reviro", "\u2581horse": "\u2581esroho"}
    for word, translation in words.items():
        likeness = vectors @ vectors[VOCABULARY.ids[word]]
        likeness[VOCABULARY.ids[word]] = -1
        assert VOCABULARY.tokens[int(likeness.argmax())] == translation


def test_the_same_again_and_pieces_of_no_sentence_keep_their_own() -> None:
    own = _own(3)
    first = aligned_embeddings(VOCABULARY, PAIRS, own, seed=5)
    assert torch.equal(first, aligned_embeddings(VOCABULARY, PAIRS, own, seed=5))
    assert torch.allclose(first[VOCABULARY.pad], torch.nn.functional.normalize(own, dim=1)[VOCABULARY.pad])
    nothing = aligned_embeddings(VOCABULARY, [], own)
    assert torch.equal(nothing, torch.nn.functional.normalize(own, dim=1))


def test_a_text_in_three_languages_is_one_sentence() -> None:
    third = [SentencePair("eng_Latn", "nld_Latn", pair.text, pair.translation[::-1]) for pair in PAIRS]
    both = aligned_embeddings(VOCABULARY, [*PAIRS, *third], _own())
    # A sentence that comes twice is one: nothing changes where the second side is that of the first.
    again = aligned_embeddings(VOCABULARY, [*PAIRS, *PAIRS], _own())
    assert torch.equal(again, aligned_embeddings(VOCABULARY, PAIRS, _own()))
    assert not torch.equal(both, again)
