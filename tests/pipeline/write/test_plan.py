from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.work import PieceAccount
from pipeline.write.plan import RestPart, TextPart, plan_rest, plan_text


def piece(name: str, **languages: int) -> PieceAccount:
    ranges = {lang: (0, 1, size) for lang, size in languages.items()}
    return PieceAccount(name, len(ranges), 0, 0, ranges, {}, {}, {})


def test_parts_are_cut_where_a_language_fills_a_shard() -> None:
    pieces = [piece("p0", a=60, b=5), piece("p1", a=60), piece("p2", a=30, b=5), piece("p3", a=200)]
    assert plan_text(pieces, 100) == [
        TextPart("a", 0, (0,)),
        TextPart("a", 1, (1, 2)),
        TextPart("a", 2, (3,)),
        TextPart("b", 0, (0, 2)),
    ]


def test_what_was_set_aside_is_written_in_groups_of_pieces() -> None:
    pieces = [piece(f"p{n}") for n in range(5)]
    assert plan_rest(pieces, 2) == [RestPart(0, (0, 1)), RestPart(1, (2, 3)), RestPart(2, (4,))]


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(1, 50)), max_size=12), st.integers(1, 100))
def test_every_piece_of_a_language_is_in_exactly_one_part(layout: list[dict[str, int]], limit: int) -> None:
    pieces = [piece(f"p{n}", **languages) for n, languages in enumerate(layout)]
    parts = plan_text(pieces, limit)
    for lang in "abc":
        listed = [number for part in parts if part.lang == lang for number in part.pieces]
        assert listed == [number for number, languages in enumerate(layout) if lang in languages]
