from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from pipeline.language_id.config import IdentifyConfig
from pipeline.language_id.documents import Votes, label

WORDS = {"tree": "eng_Latn", "Baum": "deu_Latn", "boom": "nld_Latn", "noise": "zxx"}


@dataclass
class ByWords:
    """A model whose votes are the shares of the words it knows; it keeps account of what it read."""

    tags: tuple[str, ...] = ("deu_Latn", "eng_Latn", "nld_Latn", "zxx")
    read_pieces: int = 0

    def read(self, pieces: Sequence[str], candidates: int, abstain: bool = True) -> Votes:
        self.read_pieces += len(pieces)
        rows: list[tuple[int, int, float]] = []
        for number, piece in enumerate(pieces):
            known = [WORDS[word] for word in piece.split() if word in WORDS]
            shares = sorted(((known.count(tag) / len(known), tag) for tag in set(known)), reverse=True)
            rows += [(number, self.tags.index(tag), share) for share, tag in shares[:candidates]]
        letters = np.array([sum(map(str.isalpha, piece)) for piece in pieces], dtype=np.float32)
        piece, tag, probability = (np.array(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
        return Votes(
            letters,
            np.asarray(piece, np.int64),
            np.asarray(tag, np.int64),
            np.asarray(probability, np.float64),
            np.ones(len(rows)),
        )


def test_a_document_of_one_language_is_read_once() -> None:
    model = ByWords()
    found = label(model, ["tree " * 400], IdentifyConfig())
    assert (found.tags, found.scores.tolist(), found.doubtful) == (["eng_Latn"], [1.0], {})
    assert model.read_pieces == 4


def test_a_window_in_another_language_makes_a_document_doubtful_and_it_is_read_again() -> None:
    model = ByWords()
    found = label(model, ["tree " * 300 + "Baum " * 100], IdentifyConfig())
    assert found.tags == ["eng_Latn"]
    assert found.scores.tolist() == pytest.approx([0.75], abs=0.02)
    assert [tag for tag, _ in found.doubtful[0]] == ["eng_Latn", "deu_Latn"]
    assert found.suspects == {0}
    assert model.read_pieces == 8


def test_a_doubt_that_larger_windows_remove_leaves_no_suspect() -> None:
    class Short(ByWords):
        """Unsure of short pieces, sure of long ones."""

        def read(self, pieces: Sequence[str], candidates: int, abstain: bool = True) -> Votes:
            found = super().read(pieces, candidates, abstain)
            size = np.array([len(pieces[row]) for row in found.piece])
            return dataclasses.replace(found, probability=np.where(size < 170, 0.3, found.probability))

    found = label(Short(), ["tree " * 400], IdentifyConfig())
    assert (found.tags, set(found.doubtful), found.suspects) == (["eng_Latn"], {0}, frozenset())


def test_a_short_document_is_read_as_one_piece_and_never_again() -> None:
    model = ByWords()
    found = label(model, ["tree Baum boom " * 5], IdentifyConfig())
    assert model.read_pieces == 1
    assert [tag for tag, _ in found.doubtful[0]] == ["deu_Latn", "eng_Latn", "nld_Latn"]


def test_text_without_a_language_raises_no_doubt_beside_one() -> None:
    assert label(ByWords(), ["tree " * 15 + "noise " * 5], IdentifyConfig()).doubtful == {}


def test_a_low_score_is_undetermined_and_keeps_its_candidates() -> None:
    found = label(ByWords(), ["tree Baum boom " * 6], IdentifyConfig(min_score=0.5))
    assert found.tags == ["und"]
    assert found.scores.tolist() == pytest.approx([1 / 3], abs=1e-5)
    assert len(found.doubtful[0]) == 3


def test_texts_without_letters() -> None:
    found = label(ByWords(), ["", "12 34 56", "xy"], IdentifyConfig())
    assert found.tags == ["und", "zxx", "zxx"]
    assert found.scores.tolist() == [0.0, 1.0, 1.0]


def test_a_declared_label_decides_only_between_close_ones() -> None:
    close = "tree tree tree boom boom " * 3  # 0.6 and 0.4
    config = IdentifyConfig(declared_margin=0.3, doubt=0.7)
    found = label(ByWords(), [close, close, close], config, ["nld_Latn", "deu_Latn", None])
    assert found.tags == ["nld_Latn", "eng_Latn", "eng_Latn"]
    assert found.declared == frozenset({0})
    for margin in (0.1, 0.0):
        config = IdentifyConfig(declared_margin=margin, doubt=0.7)
        assert label(ByWords(), [close], config, ["nld_Latn"]).tags == ["eng_Latn"]
    assert label(ByWords(), [close], config, ["nld_Latn"]).declared == frozenset()


def test_a_document_does_not_depend_on_its_neighbours() -> None:
    texts = ["tree " * 300 + "Baum " * 100, "", "boom " * 50, "tree Baum " * 30, "noise " * 70]
    together = label(ByWords(), texts, IdentifyConfig())
    for row, text in enumerate(texts):
        alone = label(ByWords(), [text], IdentifyConfig())
        assert (alone.tags[0], alone.scores[0]) == (together.tags[row], together.scores[row])
        assert alone.doubtful.get(0) == together.doubtful.get(row)


def test_no_documents() -> None:
    found = label(ByWords(), [], IdentifyConfig())
    assert (found.tags, found.scores.shape) == ([], (0,))
