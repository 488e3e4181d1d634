from __future__ import annotations

import numpy as np
import torch

from tests.trainer.translator.conftest import reversed_words
from trainer.translator.alignment import Aligner, links, word_of
from trainer.translator.model import build, loss
from trainer.translator.segmentation import Segmentations
from trainer.translator.size import Shape
from trainer.translator.vocabulary import Vocabulary, train_vocabulary

PAIRS = reversed_words(80)
ALIGNER = Aligner([(pair.text, pair.translation) for pair in PAIRS])


def test_words_are_aligned_by_lexicon_and_of_equal_ones_by_place() -> None:
    assert ALIGNER.align("the big dog", "godo gibo ehto").tolist() == [2, 1, 0]
    assert ALIGNER.align("the dog the dog", "ehto godo ehto godo").tolist() == [0, 1, 2, 3]


def test_names_are_aligned_with_themselves_and_unknown_words_with_nothing() -> None:
    assert ALIGNER.align("the dog, Nozibele!", "Nozibele – zzz godo").tolist() == [2, -1, -1, 1]
    assert ALIGNER.align("", "godo").tolist() == [-1]
    assert Aligner([]).align("Nozibele", "Nozibele").tolist() == [0]


def test_links_hold_for_any_cut_of_the_words() -> None:
    vocabulary = train_vocabulary([*PAIRS, *reversed_words(20, "nld_Latn", "en")], 60)
    text, translation = "the big dog", "godo gibo ehto"
    source = vocabulary.encode([text], "afr_Latn")[0]
    alignment = ALIGNER.align(text, translation)
    for seed in range(5):
        target = Segmentations(vocabulary, [translation], 0.0).sample([0], seed)[0]
        table = links(vocabulary, alignment, source, target)
        assert table.shape == (len(target), len(source))
        pieces = [vocabulary.tokens[n] for n in source]
        words = word_of(vocabulary, target)
        for token in range(len(target) - 1):
            looked = "".join(piece for piece, on in zip(pieces, table[token], strict=True) if on)
            assert looked.strip("\u2581") == ["dog", "big", "the"][words[token]]
        # The end and what asks for the target are of no word.
        assert not table[-1].any()
        assert not table[:, 0].any()
        assert not table[:, -1].any()


def test_a_sentence_that_the_vocabulary_cuts_into_other_words_is_not_guided() -> None:
    vocabulary = train_vocabulary(PAIRS, 60)
    source, target = vocabulary.encode(["the dog", "ehto godo"])
    assert not links(vocabulary, np.array([0, 1, 1]), source, target).any()


def _small(vocabulary: Vocabulary) -> torch.nn.Module:
    return build(
        Shape(16, 32, 1, 2, 2), len(vocabulary), positions=32, dropout=0.0, attention_dropout=0.0, seed=1, guided=True
    ).eval()  # type: ignore[no-any-return]


@torch.no_grad()
def test_guidance_is_the_attention_that_misses_the_links() -> None:
    vocabulary = train_vocabulary(PAIRS, 60)
    model = _small(vocabulary)
    source, target = (
        torch.from_numpy(ids.astype(np.int64))[None] for ids in vocabulary.encode(["the dog", "ehto godo"])
    )
    settings = {"pad": vocabulary.pad, "smoothing": 0.0}
    plain, count = loss(model, source, target, **settings)
    everywhere = torch.ones(1, target.shape[1], source.shape[1], dtype=torch.bool)
    # All attention is on what it should look at: nothing is added but what keeps the logarithm finite.
    assert abs(float(loss(model, source, target, **settings, links=everywhere, guidance=1.0)[0] - plain)) < 1e-3
    nowhere = torch.zeros_like(everywhere)
    assert float(loss(model, source, target, **settings, links=nowhere, guidance=1.0)[0]) == float(plain)
    one = everywhere.clone()
    one[:, :, 1:] = False
    guided, tokens = loss(model, source, target, **settings, links=one, guidance=1.0)
    assert tokens == count
    made = model(input_ids=source, decoder_input_ids=torch.cat([torch.full((1, 1), vocabulary.pad), target[:, :-1]], 1),
                 output_attentions=True)  # fmt: skip
    # The first layer is asked for the token before, which the first one has not.
    asked = made.cross_attentions[0][:, 0, 1:, 0], made.cross_attentions[1][:, 0, :, 0]
    expected = sum(-torch.log(attention + 1e-6).sum() for attention in asked) / 2
    assert abs(float(guided - plain) - float(expected)) < 1e-3
