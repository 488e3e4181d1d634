"""The stage that labels records with their language, and finds those in several."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.hashing import record_id
from corpus.schema import NO_LANGUAGE, SEGMENTS, UNDETERMINED
from corpus.tags import to_tag_or_none
from pipeline.language_id.config import IdentifyConfig
from pipeline.language_id.model import load_model
from pipeline.language_id.prediction import Candidates, Prediction
from pipeline.language_id.romanised import Romanised, find_romanised, is_latin
from pipeline.language_id.segments import Segment, Segmentation, segment
from pipeline.language_id.structure import RULES, structure
from pipeline.stage import Outcome, split_batch, with_column

MADE = "made_by_splitting"
"""Counter of the records beyond the one read that a document in several languages was split into."""
_SURE = 0.8
"""A score from which on a document without doubtful parts is in the language it looks like."""
_ALIKE = frozenset({"hns_Latn"})
"""Languages of the Latin script that are written as a relative is when romanised: Caribbean Hindustani and Hindi."""
_ONE = Segmentation((), 0.0)


@dataclass(frozen=True)
class IdentifyStage:
    """Adds ``lang``, ``lang_score``, ``lang_candidates``, ``segments`` and ``code_switching``.

    Documents in several languages are kept, marked, split or rejected as ``config.mixed`` says; nothing else is
    rejected here. What to do with ``und``, ``zxx`` and low scores is decided later, when the scores of the whole
    corpus are known.

    Columns:
        lang: tag; of a document in several languages the one with the most letters; of romanised text ``hin_Latn``
            and the like.
        lang_score: probability of the tag; of a document in several languages over the tag's own sentences.
        lang_candidates: of a document that left a doubt the best labels with their probabilities, as text; of one
            that a rule made ``und`` or ``zxx`` also the rule.
        segments: of a document in several languages its segments in order, else null.
        code_switching: share of the letters in sentences of other languages, 0 where nothing looked like it; null
            where documents in several languages are not looked for.

    Counters: ``undetermined`` and ``no_language``, and those of them that ``structure`` decided by rule
    (``few_letters``, ``repetition``, ``word_list``); ``romanised``; ``doubtful`` (read again), ``mixed_languages``,
    ``declared_unknown`` (a declared label that names no language), ``declared_differs`` (it names another one than
    was found), ``declared_decided`` (it decided between two close ones), ``made_by_splitting``.
    """

    config: IdentifyConfig = field(default_factory=IdentifyConfig)
    name: str = "identify"

    def __call__(self, batch: pa.RecordBatch) -> Outcome:
        """Label one batch.

        Args:
            batch: rows with ``text`` and, where there is one, ``declared_lang``; to be split also with ``id``.
        """
        texts = [text or "" for text in batch.column("text").to_pylist()]
        declared = self._declared(batch)
        tags = [to_tag_or_none(label) for label in declared]
        model = load_model(self.config.model)
        prediction = model.predict(texts, self.config, tags)
        rules = {row: rule for row, text in enumerate(texts) if (rule := structure(text, self.config.few_letters))}
        langs = [RULES[rules[row]] if row in rules else tag for row, tag in enumerate(prediction.tags)]
        scores = prediction.scores.tolist()
        latin = self._romanised(texts, prediction, rules)
        for row, one in latin.items():
            langs[row], scores[row] = one.tag, one.probability
        rows = [row for row in self._suspects(prediction, langs) if row not in latin]
        found = dict(zip(rows, segment(model.reader, [texts[row] for row in rows], self.config.segment), strict=True))
        mixed = {row: result for row, result in found.items() if result.segments}
        for row, result in mixed.items():
            langs[row] = main_language(result.segments)
            scores[row] = dict(result.scores)[langs[row]]
        named: list[str | None] = [None] * len(texts)
        for row, candidates in prediction.doubtful.items():
            named[row] = candidates_text(candidates)
        for row, one in latin.items():
            named[row] = f"{candidates_text(one.candidates)} (romanised)"
        for row, rule in rules.items():
            named[row] = f"{named[row] or candidates_text(((prediction.tags[row], scores[row]),))} ({rule})"
        kept = self._labelled(batch, langs, scores, named, found)
        counters = Counter(rules.values())
        counters["undetermined"] = langs.count(UNDETERMINED)
        counters["no_language"] = langs.count(NO_LANGUAGE)
        counters["romanised"] = len(latin)
        counters["doubtful"] = len(prediction.doubtful)
        counters["mixed_languages"] = len(mixed)
        counters["declared_unknown"] = sum(bool(one) and tag is None for one, tag in zip(declared, tags, strict=True))
        counters["declared_differs"] = sum(
            tag is not None and other not in (tag, UNDETERMINED) for tag, other in zip(tags, langs, strict=True)
        )
        counters["declared_decided"] = len(prediction.declared)
        if self.config.mixed == "split":
            kept, counters[MADE] = split_rows(kept, texts, mixed)
        counters = +counters
        if self.config.mixed == "reject" and mixed:
            reasons = ["mixed_languages" if row in mixed else None for row in range(len(texts))]
            details = [described(mixed[row].segments) if row in mixed else None for row in range(len(texts))]
            return split_batch(kept, reasons, details, counters)
        return Outcome(kept, None, counters)

    def _romanised(
        self, texts: Sequence[str], prediction: Prediction, rules: Mapping[int, str]
    ) -> dict[int, Romanised]:
        """Documents of languages with another script in Latin letters, among those whose label is not sure."""
        if not self.config.romanised:
            return {}
        alike = np.array([tag in _ALIKE for tag in prediction.tags], dtype=bool)
        unsure = np.flatnonzero(((prediction.scores < _SURE) & (prediction.scores > 0)) | alike).tolist()
        rows = [row for row in sorted({*prediction.doubtful, *unsure}) if row not in rules and is_latin(texts[row])]
        found = find_romanised([texts[row] for row in rows], self.config.min_romanised)
        return {row: one for row, one in zip(rows, found, strict=True) if one is not None}

    def _suspects(self, prediction: Prediction, langs: Sequence[str]) -> list[int]:
        """Documents that may be in several languages: one that is in none is not looked at again."""
        if self.config.mixed == "keep":
            return []
        return [row for row in sorted(prediction.suspects) if langs[row] not in (UNDETERMINED, NO_LANGUAGE)]

    def _labelled(
        self,
        batch: pa.RecordBatch,
        langs: Sequence[str],
        scores: Sequence[float],
        named: Sequence[str | None],
        found: Mapping[int, Segmentation],
    ) -> pa.RecordBatch:
        rows = range(batch.num_rows)
        runs = [
            [(part.lang, part.start, part.end) for part in found[row].segments]
            if row in found and found[row].segments
            else None
            for row in rows
        ]
        switched = [found.get(row, _ONE).switched if self.config.mixed != "keep" else None for row in rows]
        kept = with_column(batch, "lang", pa.array(langs, pa.string()))
        kept = with_column(kept, "lang_score", pa.array(scores, pa.float32()))
        kept = with_column(kept, "lang_candidates", pa.array(named, pa.string()))
        kept = with_column(kept, "segments", pa.array(runs, SEGMENTS))
        return with_column(kept, "code_switching", pa.array(switched, pa.float32()))

    @staticmethod
    def _declared(batch: pa.RecordBatch) -> list[str | None]:
        index = batch.schema.get_field_index("declared_lang")
        if index < 0:
            return [None] * batch.num_rows
        labels: list[str | None] = batch.column(index).to_pylist()
        return labels


def split_rows(
    batch: pa.RecordBatch, texts: Sequence[str], mixed: Mapping[int, Segmentation]
) -> tuple[pa.RecordBatch, int]:
    """Put in place of each document in several languages one record for each segment.

    A segment's record has the text and language of the segment, the ``key`` and all else of the document, the
    document's id as ``parent``, and an id of its own, made from that and the segment's place.

    Args:
        batch: n labelled rows.
        texts: their texts.
        mixed: of rows in several languages.

    Returns:
        the rows, and how many more they are.
    """
    parents = pa.nulls(batch.num_rows, pa.string())
    if not mixed:
        return with_column(batch, "parent", parents), 0
    source = [row for row in range(batch.num_rows) for _ in (mixed[row].segments if row in mixed else (None,))]
    taken = with_column(batch, "parent", parents).take(pa.array(source))
    columns = {name: taken.column(name).to_pylist() for name in ("id", "parent", "text", "lang", "lang_score")}
    place = 0
    for row in range(batch.num_rows):
        if row not in mixed:
            place += 1
            continue
        scores = dict(mixed[row].scores)
        for number, part in enumerate(mixed[row].segments):
            columns["parent"][place] = columns["id"][place]
            columns["id"][place] = record_id(columns["id"][place], f"segment {number}")
            columns["text"][place] = texts[row][part.start : part.end]
            columns["lang"][place], columns["lang_score"][place] = part.lang, scores[part.lang]
            place += 1
    for name, values in columns.items():
        taken = with_column(taken, name, pa.array(values, taken.schema.field(name).type))
    split = np.array([row in mixed for row in source])
    one = pa.array(np.where(split, 0.0, 1.0).astype(np.float32))
    taken = with_column(taken, "code_switching", pc.multiply(taken.column("code_switching"), one))
    return with_column(taken, "segments", pa.nulls(len(source), SEGMENTS)), len(source) - batch.num_rows


def main_language(segments: Sequence[Segment]) -> str:
    """The language of most characters; of equals the one that comes first."""
    sizes: dict[str, int] = {}
    for part in segments:
        sizes[part.lang] = sizes.get(part.lang, 0) + part.end - part.start
    return max(sizes, key=lambda lang: sizes[lang])


def described(segments: Sequence[Segment]) -> str:
    """``deu_Latn 61 %, eng_Latn 39 % in 2 segments``: what a rejected document is told by."""
    sizes: dict[str, int] = {}
    for part in segments:
        sizes[part.lang] = sizes.get(part.lang, 0) + part.end - part.start
    total = sum(sizes.values())
    shares = [f"{lang} {sizes[lang] / total:.0%}" for lang in sorted(sizes, key=lambda lang: (-sizes[lang], lang))]
    return f"{', '.join(shares)} in {len(segments)} segments"


def candidates_text(candidates: Candidates) -> str:
    """``min_Latn 0.08, ind_Latn 0.06``, or that there is none."""
    return ", ".join(f"{tag} {score:.2f}" for tag, score in candidates) or "no label in this script"
