"""Scores of language identification: per language and macro-averaged, on sentences and on whole documents."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpus.schema import NO_LANGUAGE, UNDETERMINED
from corpus.tags import to_tag_or_none
from pipeline.language_id.config import IdentifyConfig
from pipeline.language_id.model import LanguageModel
from pipeline.language_id.sources import Document, corpus_documents, in_training, udhr, unify


@dataclass(frozen=True)
class LanguageScore:
    """How well one language is found."""

    count: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Scores:
    """How well all languages are found."""

    count: int
    accuracy: float
    macro_f1: float
    """Mean F1 of the languages that occur."""
    macro_recall: float
    """Mean recall of the languages that occur."""
    languages: dict[str, LanguageScore]
    confusions: list[tuple[str, str, int]]
    """The most frequent errors: true tag, predicted tag, how often."""


@dataclass(frozen=True)
class WrongLabels:
    """How many wrongly declared labels the model finds."""

    count: int
    found: float
    """Share where the model's label is not the declared one."""
    corrected: float
    """Share where the model's label is the true one."""
    false_alarms: float
    """Share of the rightly declared documents where the model's label is another one."""


def score(gold: Sequence[str], predicted: Sequence[str]) -> Scores:
    """Compare n predicted tags with n true ones.

    Precision counts every wrong use of a tag, also on languages of which no other mistake is made; labels that
    never occur in ``gold`` have no score of their own.
    """
    both = Counter(tag for tag, other in zip(gold, predicted, strict=True) if tag == other)
    true, given = Counter(gold), Counter(predicted)
    languages = {
        tag: LanguageScore(
            count=true[tag],
            precision=both[tag] / given[tag] if given[tag] else 0.0,
            recall=both[tag] / true[tag],
            f1=2 * both[tag] / (true[tag] + given[tag]),
        )
        for tag in sorted(true)
    }
    errors = Counter(pair for pair in zip(gold, predicted, strict=True) if pair[0] != pair[1])
    size = max(1, len(languages))
    return Scores(
        count=len(gold),
        accuracy=both.total() / max(1, len(gold)),
        macro_f1=sum(entry.f1 for entry in languages.values()) / size,
        macro_recall=sum(entry.recall for entry in languages.values()) / size,
        languages=languages,
        confusions=[(tag, other, count) for (tag, other), count in errors.most_common(25)],
    )


def score_udhr(model: LanguageModel, data: Path, config: IdentifyConfig | None = None) -> Scores:
    """Test sentences of the Universal Declaration of Human Rights."""
    units = list(udhr(data, "test"))
    return score([unit.tag for unit in units], model.predict([unit.text for unit in units], config).tags)


def score_no_language(
    model: LanguageModel, data: Path, config: IdentifyConfig | None = None
) -> tuple[int, float, float]:
    """Planted documents without a language (code, encoded data, keyword and address lists, placeholders).

    Returns:
        their number, the share labelled ``zxx``, the share labelled ``zxx`` or ``und``.
    """
    texts = [document.text for document in corpus_documents(data) if document.true == NO_LANGUAGE]
    tags = model.predict(texts, config).tags
    size = max(1, len(texts))
    return len(texts), tags.count(NO_LANGUAGE) / size, sum(tag in (NO_LANGUAGE, UNDETERMINED) for tag in tags) / size


def score_corpus(
    model: LanguageModel, data: Path, config: IdentifyConfig | None = None
) -> tuple[Scores, Scores, WrongLabels]:
    """Whole documents of the corpus, boilerplate and all, that the model was not trained on.

    Returns:
        clean documents of the scoring half; all clean documents (half of them seen in training); wrong labels of
        the scoring half.
    """
    documents = [document for document in corpus_documents(data) if document.clean or document.wrong_lang]
    texts = [unicodedata.normalize("NFC", document.text) for document in documents]
    tags = model.predict(texts, config).tags
    unseen = [(document, tag) for document, tag in zip(documents, tags, strict=True) if not in_training(document.group)]
    return (
        _clean(unseen),
        _clean(zip(documents, tags, strict=True)),
        _wrong_labels(unseen),
    )


def _clean(pairs: Iterable[tuple[Document, str]]) -> Scores:
    chosen = [(unify(document.true), tag) for document, tag in pairs if document.clean]
    return score([true for true, _ in chosen], [tag for _, tag in chosen])


def _wrong_labels(pairs: Sequence[tuple[Document, str]]) -> WrongLabels:
    count = found = corrected = right = alarms = 0
    for document, tag in pairs:
        declared = to_tag_or_none(document.declared)
        if declared is None:
            continue
        if document.wrong_lang:
            count += 1
            found += tag != declared
            corrected += tag == document.true
        elif document.clean and declared == document.true:
            right += 1
            alarms += tag != declared
    return WrongLabels(count, found / max(1, count), corrected / max(1, count), alarms / max(1, right))
