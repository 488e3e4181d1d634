from __future__ import annotations

from corpus.manifest import read_snapshot
from corpus.storage import Storage
from trainer.parallel.text import ParallelText

LANGUAGES = ("ell_Grek", "eng_Latn", "swh_Latn")


def _text(corpus: str, languages: tuple[str, ...] = LANGUAGES, pivot: str | None = None) -> ParallelText:
    storage = Storage(corpus)
    return ParallelText(storage, read_snapshot(storage), "bytes", "train", languages, pivot)


def test_pairs_of_each_two_languages(parallel_corpus: str) -> None:
    text = _text(parallel_corpus)
    assert text.sizes == {"ell_Grek-eng_Latn": 24, "ell_Grek-swh_Latn": 24, "eng_Latn-swh_Latn": 30}
    pair = text.pair("ell_Grek-swh_Latn", 4)
    read = [bytes((text.groups.sentence(number)[:-1] - 5).tolist()).decode() for number in pair[1:]]
    assert (pair.group, read) == (6, ["η βροχή κάθισε 6", "mvua alikaa 6"])


def test_only_the_runs_languages_and_those_with_the_pivot(parallel_corpus: str) -> None:
    assert _text(parallel_corpus, ("eng_Latn", "fra_Latn", "swh_Latn")).sizes == {"eng_Latn-swh_Latn": 30}
    assert _text(parallel_corpus, ("fra_Latn",)).sizes == {}
    pivot = _text(parallel_corpus, pivot="ell_Grek")
    assert pivot.sizes == {"ell_Grek-eng_Latn": 24, "ell_Grek-swh_Latn": 24}
