from __future__ import annotations

import pytest
import torch

from corpus.manifest import read_snapshot
from corpus.storage import Storage
from trainer.config import ModelConfig
from trainer.distributed import World
from trainer.model.transformer import Transformer
from trainer.parallel.batches import Special
from trainer.parallel.retrieval import Retrieval, candidates, found_share, layer_of, margins, scores
from trainer.parallel.text import ParallelText

LANGUAGES = ("ell_Grek", "eng_Latn", "swh_Latn")


@pytest.fixture(scope="module")
def heldout(parallel_corpus: str) -> ParallelText:
    storage = Storage(parallel_corpus)
    return ParallelText(storage, read_snapshot(storage), "bytes", "heldout", LANGUAGES)


def test_translations_that_lie_nearest_are_found() -> None:
    first = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    assert scores(first, 3 * first) == {
        "pairs": 3,
        "chance": 1 / 3,
        "forward": 1.0,
        "backward": 1.0,
        "cosine": 1.0,
        "margin": 1.0,
        "centred": 1.0,
    }
    swapped = scores(first, first[[1, 0, 2]])
    assert (swapped["forward"], swapped["backward"]) == (pytest.approx(1 / 3), pytest.approx(1 / 3))


def test_the_mean_of_a_language_hides_what_sentences_mean() -> None:
    first = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
    second = 0.1 * first + torch.tensor([0.9, 1.0, 5.0])
    found = scores(first, second)
    assert found["cosine"] < 1
    assert found["centred"] == 1.0


def test_the_margin_holds_back_what_lies_near_to_everything() -> None:
    cosines = torch.tensor([[0.8, 0.9, 0.1, 0.1], [0.1, 0.95, 0.0, 0.0], [0.1, 0.9, 0.8, 0.1], [0.1, 0.9, 0.1, 0.8]])
    assert found_share(cosines) == 0.25
    assert found_share(margins(cosines)) == 1.0


def test_candidates_are_chosen_by_hash_and_sentences_that_come_twice_once(heldout: ParallelText) -> None:
    chosen = candidates(heldout, "ell_Grek-eng_Latn", 10)
    assert len(set(chosen.first.tolist())) == len(chosen.second) == 10
    owners = [int(heldout.groups.bounds.searchsorted(n, "right")) for n in chosen.first.tolist()]
    assert owners == [int(heldout.groups.bounds.searchsorted(n, "right")) for n in chosen.second.tolist()]
    assert len(candidates(heldout, "eng_Latn-swh_Latn", 1000).first) == 20


def test_sentences_are_read_whole_and_alone_whatever_shares_their_rows(heldout: ParallelText) -> None:
    torch.manual_seed(0)
    model = Transformer(ModelConfig(width=16, layers=2, heads=2), 261, 3)

    def search(row_tokens: int, pass_rows: int) -> Retrieval:
        return Retrieval(
            heldout,
            3,
            layer=1,
            pairs=12,
            both_sides=True,
            row_tokens=row_tokens,
            pass_rows=pass_rows,
            precision=torch.float32,
            special=Special(begin=2, pad=0, mask=4),
            world=World(0, 1, torch.device("cpu")),
        )

    wide, narrow = search(256, 1), search(64, 7)
    words = model.embedding.weight.detach()
    for one, other in zip(wide._vectors(model, words), narrow._vectors(model, words), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)
    found = wide(model)
    assert found["layer"] == 1
    assert set(found["pairs"]) == {"ell_Grek-eng_Latn", "ell_Grek-swh_Latn", "eng_Latn-swh_Latn"}
    names = {"chance", "forward", "backward", "cosine", "margin", "centred", "embeddings"}
    assert set(found["mean"]) == names
    assert found["mean"]["chance"] == pytest.approx(1 / 12)
    assert model.training


def test_the_block_that_is_searched() -> None:
    assert layer_of(2, [1], 3) == 2
    assert layer_of(None, [1], 3) == 1
    assert layer_of(None, [], 3) == 3
