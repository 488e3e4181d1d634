"""What other settings would change, from scores alone."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from corpus.shards import conform
from pipeline.quality.config import FilterConfig
from pipeline.quality.preview import preview
from pipeline.quality.scores import SCORES_SCHEMA, scores_of
from pipeline.quality.stage import QualityStage

PROSE = (
    "The river rose in the night, and by morning the lower fields were under water. We carried what we could up the "
    "hill: two chairs, a table, my grandmother's clock. Nobody spoke much when the sun came out at last."
)
LINKS = "https://example.org/a/b/c?x=1 " * 6 + PROSE[:60]


def batch(rows: list[tuple[str, str, str | None, str | None]]) -> pa.RecordBatch:
    """Rows of (text, language, stage, reason)."""
    columns = {
        "id": pa.array([f"{number:032x}" for number in range(len(rows))]),
        "text": pa.array([text for text, *_ in rows]),
        "lang": pa.array([lang for _, lang, _, _ in rows]),
        "lang_score": pa.array([0.9] * len(rows), pa.float32()),
        "stage": pa.array([stage for *_, stage, _ in rows], pa.string()),
        "reason": pa.array([reason for *_, reason in rows], pa.string()),
        "detail": pa.array(["the numbers" if reason else None for *_, reason in rows], pa.string()),
    }
    return QualityStage()(pa.record_batch(columns)).kept


ROWS = batch(
    [
        (PROSE, "eng_Latn", None, None),
        (LINKS, "eng_Latn", "filter", "urls"),
        ("Loading ...", "eng_Latn", "filter", "too_short"),
        (PROSE, "eng_Latn", "deduplicate", "exact_duplicate"),
        (LINKS, "eng_Latn", "deduplicate", "near_duplicate"),
        (PROSE, "swh_Latn", None, None),
        ("Habari za leo?", "swh_Latn", "filter", "too_short"),
    ]
)
UNSCORED = {"id": ["f" * 32], "lang": pa.array([None], pa.string()), "lang_score": pa.array([None], pa.float32())}
BROKEN = pa.record_batch({**UNSCORED, "stage": ["read"], "reason": ["missing_text"], "detail": ["no text"]})


ANYTHING = {
    "max_duplicate_ngrams": 1.0,
    "max_top_bigram": 1.0,
    "min_diversity": 0.0,
    "max_code": 1.0,
    "max_symbols": 1.0,
}


def rows() -> Iterator[pa.RecordBatch]:
    yield ROWS
    columns = {name: BROKEN.column(name) for name in BROKEN.schema.names}
    empty = conform(BROKEN, SCORES_SCHEMA)
    yield pa.record_batch(columns | {name: empty.column(name) for name in SCORES_SCHEMA.names})


def test_the_settings_that_decided_change_nothing() -> None:
    found = preview(rows, FilterConfig(languages={"eng_Latn": {"max_urls": 0.6}}))
    assert (found.scored, found.unscored) == (7, 1)
    assert found.kept == {"eng_Latn": 1, "swh_Latn": 1}
    changes = {("deduplicate/near_duplicate", "filter/urls", "eng_Latn"): 1}
    assert found.changes == changes, "the copy would be rejected for its links, were it not rejected already"


def test_what_comes_back_and_what_goes() -> None:
    config = FilterConfig.model_validate(
        {"max_urls": 1, "languages": {"swh_Latn": {"min_words": 60}, "eng_Latn": ANYTHING}}
    )
    found = preview(rows, config, examples=1)
    assert found.changes == {("filter/urls", "kept", "eng_Latn"): 1, ("kept", "filter/too_short", "swh_Latn"): 1}
    assert (found.back(), found.gone()) == ({"eng_Latn": 1}, {"swh_Latn": 1})
    assert [(one.lang, one.before, one.after, one.detail) for one in found.examples] == [
        ("eng_Latn", "filter/urls", "kept", "the numbers"),
        ("swh_Latn", "kept", "filter/too_short", "n_words 41 < min_words 60"),
    ]
    assert found.facts["swh_Latn"].origins["min_words"] == "by_hand"
    assert preview(rows, config).examples == []


def test_a_duplicate_never_comes_back() -> None:
    found = preview(rows, FilterConfig(enabled=False))
    assert found.back() == {"eng_Latn": 2, "swh_Latn": 1}
    assert not any(before.startswith("deduplicate") for before, _, _ in found.changes)


def test_examples_are_drawn_by_hash_whatever_the_order() -> None:
    many = batch([("Loading ...", "eng_Latn", "filter", "too_short")] * 40)
    forwards = preview(lambda: [many], FilterConfig(enabled=False), examples=3).examples
    backwards = preview(
        lambda: [many.take(pa.array(range(39, 19, -1))), many.slice(0, 20)], FilterConfig(enabled=False), examples=3
    ).examples
    assert len(forwards) == 3
    assert forwards == backwards


def test_place_of_scores() -> None:
    assert scores_of("text/swh_Latn/000001-train-00000.arrow") == "scores/text/swh_Latn/000001-train-00000.arrow"
