from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from corpus.errors import LedgerError
from corpus.ledger import Ledger

LEDGER = Ledger(
    read=20,
    kept={"eng_Latn": 7, "swh_Latn": 2},
    rejected={
        "quality/short": {"eng_Latn": 3, "swh_Latn": 1},
        "deduplicate/exact": {"eng_Latn": 4},
        "read/empty_text": {"und": 1},
    },
    unreadable={"invalid_utf8": 2},
)

counts = st.dictionaries(st.sampled_from(["eng_Latn", "swh_Latn", "und"]), st.integers(0, 1000), max_size=3)


@st.composite
def ledgers(draw: st.DrawFn) -> Ledger:
    """Ledgers that close."""
    kept = draw(counts)
    rejected = draw(st.dictionaries(st.sampled_from(["a/b", "a/c", "d/e"]), counts, max_size=3))
    unreadable = draw(st.dictionaries(st.sampled_from(["blank_line", "invalid_json"]), st.integers(0, 9)))
    read = sum(kept.values()) + sum(sum(part.values()) for part in rejected.values()) + sum(unreadable.values())
    return Ledger(read=read, kept=kept, rejected=rejected, unreadable=unreadable)


def test_totals() -> None:
    assert (LEDGER.kept_total, LEDGER.rejected_total, LEDGER.unreadable_total) == (9, 9, 2)
    LEDGER.check()
    assert LEDGER.by_reason() == {"deduplicate/exact": 4, "quality/short": 4, "read/empty_text": 1}
    assert list(LEDGER.by_reason()) == ["deduplicate/exact", "quality/short", "read/empty_text"]
    assert LEDGER.language_totals() == {"eng_Latn": (7, 7), "swh_Latn": (2, 1), "und": (0, 1)}


@pytest.mark.parametrize(("read", "words"), [(21, "1 lost"), (1_020, "1,000 lost"), (18, "2 counted twice")])
def test_a_ledger_that_does_not_close_says_both_sides(read: int, words: str) -> None:
    with pytest.raises(LedgerError) as caught:
        LEDGER.model_copy(update={"read": read}).check()
    assert caught.value.message == (
        f"the ledger does not close: {read:,} records read, but 9 kept + 9 rejected + 2 unreadable = 20; {words}"
    )
    assert caught.value.fix is not None
    assert "the last snapshot is untouched" in caught.value.fix


def test_records_made_by_splitting_are_on_a_line_of_their_own() -> None:
    LEDGER.model_copy(update={"read": 17, "made": 3}).check()
    with pytest.raises(LedgerError, match=r"17 records read \+ 2 made by splitting, but .* = 20; 1 counted twice"):
        LEDGER.model_copy(update={"read": 17, "made": 2}).check()
    assert Ledger.sum([LEDGER.model_copy(update={"made": 2}), LEDGER.model_copy(update={"made": 3})]).made == 5


def test_an_empty_ledger_closes() -> None:
    empty = Ledger(read=0, kept={}, rejected={}, unreadable={})
    empty.check()
    assert Ledger.sum([]) == empty


def test_negative_counts_are_refused() -> None:
    with pytest.raises(ValidationError):
        Ledger(read=-1, kept={}, rejected={}, unreadable={})


@given(st.lists(ledgers(), max_size=5), st.randoms())
def test_the_sum_closes_and_knows_no_order(parts: list[Ledger], random: object) -> None:
    whole = Ledger.sum(parts)
    whole.check()
    assert whole.read == sum(part.read for part in parts)
    assert whole.kept_total == sum(part.kept_total for part in parts)
    assert whole.unreadable_total == sum(part.unreadable_total for part in parts)
    shuffled = list(parts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert Ledger.sum(shuffled).model_dump_json() == whole.model_dump_json()


@given(ledgers(), st.integers(-5, 5).filter(bool))
def test_any_other_number_read_is_found_out(ledger: Ledger, by: int) -> None:
    with pytest.raises(LedgerError):
        ledger.model_copy(update={"read": ledger.read + by}).check()


@given(ledgers())
def test_languages_account_for_all_but_the_unreadable(ledger: Ledger) -> None:
    totals = ledger.language_totals()
    assert sum(kept + rejected for kept, rejected in totals.values()) == ledger.read - ledger.unreadable_total


@given(ledgers())
def test_a_ledger_survives_json(ledger: Ledger) -> None:
    assert Ledger.model_validate_json(ledger.model_dump_json()) == ledger
