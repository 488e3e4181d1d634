"""Budgets from evidence."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from corpus.manifest import LanguageEvidence
from pipeline.parents.budget import METHODS, Budget, amount, budget
from pipeline.parents.config import BudgetConfig, LanguageBudget

MB = 1_000_000


def half(**fields: Any) -> BudgetConfig:
    """Budgets of as much again as there is, where nothing else bounds them."""
    return BudgetConfig(**{"share": 0.5, **fields})


def evidence(**sizes: int) -> dict[str, LanguageEvidence]:
    return {lang: LanguageEvidence(documents=1, bytes=size) for lang, size in sizes.items()}


def sizes(budgets: dict[str, Budget]) -> dict[str, int]:
    return {lang: found.bytes for lang, found in budgets.items()}


def test_a_small_language_gets_as_much_again_and_large_ones_nothing() -> None:
    found = budget(evidence(eng=20 * MB, swh=900_000, yor=4_000), half())
    assert found == {
        "eng": Budget(
            0,
            "20 MB of natural text are enough: the bound is 2.0 MB (0.1 of the largest language)",
            {"back_translation": 0, "paraphrase": 0, "insertion": 0},
        ),
        "swh": Budget(
            900_000,
            "900 kB for 900 kB of natural text: share 0.5",
            {"back_translation": 630_000, "paraphrase": 180_000, "insertion": 90_000},
        ),
        "yor": Budget(
            0,
            "4.0 kB of natural text are too little to compare with",
            {"back_translation": 0, "paraphrase": 0, "insertion": 0},
        ),
    }


def test_no_language_grows_beyond_the_bound() -> None:
    found = budget(evidence(eng=20 * MB, swh=1_500_000, lin=2 * MB), half())
    assert sizes(found) == {"eng": 0, "swh": 500_000, "lin": 0}
    assert found["swh"].why == ("500 kB for 1.5 MB of natural text: none beyond 2.0 MB (0.1 of the largest language)")


def test_the_lowest_of_the_bounds_holds() -> None:
    languages = evidence(a=10 * MB, b=MB, c=600_000, d=200_000)
    off = {"total_share": None}
    assert sizes(budget(languages, half(**off))) == {"a": 0, "b": 0, "c": 400_000, "d": 200_000}
    assert sizes(budget(languages, half(below_bytes=500_000, **off)))["c"] == 0
    median = half(below_share=None, below_median=1.0, **off)  # the median is 800,000
    assert sizes(budget(languages, median)) == {"a": 0, "b": 0, "c": 200_000, "d": 200_000}
    none = half(below_bytes=None, below_share=None, **off)
    assert sizes(budget(languages, none)) == {"a": 10 * MB, "b": MB, "c": 600_000, "d": 200_000}


def test_synthetic_text_that_is_there_counts_and_is_no_evidence() -> None:
    languages = evidence(eng=20 * MB) | {"swh": LanguageEvidence(bytes=600_000, synthetic_bytes=200_000)}
    found = budget(languages, half())["swh"]
    assert found.bytes == 200_000
    assert found.why == "200 kB for 400 kB of natural text: share 0.5, less 200 kB that it has"


def test_the_largest_wishes_are_cut_first() -> None:
    found = budget(evidence(eng=20 * MB, a=100_000, b=400_000, c=500_000), half(total_bytes=700_000))
    assert sizes(found) == {"eng": 0, "a": 100_000, "b": 300_000, "c": 300_000}
    assert found["b"].why == (
        "400 kB for 400 kB of natural text: share 0.5; cut to 300 kB, since all languages together may get 700 kB"
    )
    tenth = budget(evidence(eng=900_000, a=50_000), half(below_share=0.2, total_share=0.04))
    assert tenth["a"].bytes == 39_582  # 950,000 · 0.04 / 0.96


def test_a_language_by_name() -> None:
    languages = evidence(eng=20 * MB, deu=10 * MB, swh=MB, tsn=MB, xho=MB)
    named = {
        "deu": LanguageBudget(share=0.1, bytes=MB),
        "swh": LanguageBudget(share=0),
        "tsn": LanguageBudget(bytes=300_000),
    }
    found = budget(languages, half(languages=named, max_bytes=400_000))
    assert sizes(found) == {"eng": 0, "deu": MB, "swh": 0, "tsn": 300_000, "xho": 400_000}
    assert found["deu"].why == "1.0 MB for 10 MB of natural text: set by name"
    assert found["swh"].why == "switched off by name"


def test_what_a_method_cannot_make_goes_to_back_translation_and_to_no_other() -> None:
    languages = evidence(eng=20 * MB, swh=MB, tsn=MB, xho=MB)
    able = {"swh": ["back_translation"], "tsn": ["paraphrase", "insertion"], "xho": []}
    found = budget(languages, half(), able)
    assert found["swh"].methods == {"back_translation": MB, "paraphrase": 0, "insertion": 0}
    assert found["tsn"].methods == {"back_translation": 0, "paraphrase": 200_000, "insertion": 100_000}
    assert found["tsn"].bytes == 300_000
    assert found["tsn"].why.endswith("share 0.5; 300 kB of it, by paraphrase and insertion alone")
    assert found["xho"].bytes == 0
    assert found["xho"].why.endswith("share 0.5; but no method can make any")


def test_no_language_at_all() -> None:
    assert budget({}, half()) == {}


def test_shares_of_methods_are_checked() -> None:
    with pytest.raises(ValidationError, match="together may be 1 at most"):
        half(paraphrase=0.7, insertion=0.4)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (9_960, "10.0 kB"),
        (12_345, "12 kB"),
        (2_500_000, "2.5 MB"),
        (3 * 10**10, "30 GB"),
    ],
)
def test_bytes_as_people_read_them(size: int, text: str) -> None:
    assert amount(size) == text


LANGUAGES = st.dictionaries(
    st.sampled_from([f"l{number}" for number in range(8)]),
    st.builds(
        lambda natural, present: LanguageEvidence(bytes=natural + present, synthetic_bytes=present),
        st.integers(0, 10**10),
        st.integers(0, 10**6),
    ),
)
BOUND = st.none() | st.integers(0, 10**9)
CONFIGS = st.builds(
    BudgetConfig,
    share=st.floats(0, 0.9),
    below_bytes=BOUND,
    below_share=st.none() | st.floats(0.01, 1),
    max_bytes=BOUND,
    total_share=st.none() | st.floats(0, 0.9),
    total_bytes=BOUND,
    paraphrase=st.floats(0, 0.5),
    insertion=st.floats(0, 0.5),
)
ABLE = st.none() | st.dictionaries(
    st.sampled_from([f"l{number}" for number in range(8)]), st.lists(st.sampled_from(METHODS), unique=True)
)


@given(LANGUAGES, CONFIGS, ABLE)
def test_no_cap_is_ever_exceeded(
    languages: dict[str, LanguageEvidence], config: BudgetConfig, able: dict[str, list[str]] | None
) -> None:
    found = budget(languages, config, able)
    assert found.keys() == languages.keys()
    natural = {lang: known.bytes - known.synthetic_bytes for lang, known in languages.items()}
    present = {lang: known.synthetic_bytes for lang, known in languages.items()}
    for lang, given_ in found.items():
        assert given_.bytes == sum(given_.methods.values()) >= 0
        assert given_.why
        assert "\n" not in given_.why
        for method, size in given_.methods.items():
            assert size == 0 or able is None or method in able.get(lang, [])
        if not given_.bytes:
            continue
        synthetic = given_.bytes + present[lang]
        assert synthetic * (1 - config.share) <= natural[lang] * config.share + 1
        assert config.max_bytes is None or given_.bytes <= config.max_bytes
        assert config.below_bytes is None or natural[lang] + synthetic <= config.below_bytes
    added = sum(given_.bytes for given_ in found.values())
    if added:
        total = added + sum(present.values())
        assert config.total_bytes is None or total <= config.total_bytes
        share = config.total_share
        assert share is None or total * (1 - share) <= sum(natural.values()) * share + 1


@given(LANGUAGES, CONFIGS, st.floats(0, 0.9), BOUND)
def test_looser_caps_never_give_less_in_all(
    languages: dict[str, LanguageEvidence], config: BudgetConfig, share: float, total: int | None
) -> None:
    tight = config.model_copy(update={"share": min(share, config.share)})
    before, after = budget(languages, tight), budget(languages, config)
    assert sum(found.bytes for found in before.values()) <= sum(found.bytes for found in after.values()) + 3 * len(
        after
    )
    free = config.model_copy(update={"total_bytes": None})
    bounded = config.model_copy(update={"total_bytes": total})
    loose, cut = budget(languages, free), budget(languages, bounded)
    assert all(cut[lang].bytes <= loose[lang].bytes for lang in languages)


@given(LANGUAGES, CONFIGS)
def test_the_order_of_languages_makes_no_difference(
    languages: dict[str, LanguageEvidence], config: BudgetConfig
) -> None:
    reverse = dict(reversed(languages.items()))
    assert budget(reverse, config) == budget(languages, config)


def test_what_a_method_may_not_make_is_for_back_translation() -> None:
    found = budget(evidence(eng=20 * MB, swh=900_000), half(), None, {"insertion": 0.05})
    assert found["swh"].methods == {"back_translation": 675_000, "paraphrase": 180_000, "insertion": 45_000}
    alone = budget(evidence(eng=20 * MB, swh=900_000), half(), {"swh": {"insertion"}}, {"insertion": 0.05})
    assert alone["swh"] == Budget(
        45_000,
        "900 kB for 900 kB of natural text: share 0.5; 45 kB of it, by insertion alone",
        {"back_translation": 0, "paraphrase": 0, "insertion": 45_000},
    )


def test_a_quarter_of_the_text_unless_said_otherwise() -> None:
    found = budget(evidence(eng=20 * MB, swh=900_000), BudgetConfig())["swh"]
    assert (found.bytes, found.why) == (300_000, "300 kB for 900 kB of natural text: share 0.25")
