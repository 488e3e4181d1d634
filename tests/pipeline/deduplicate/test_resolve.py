from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.deduplicate.resolve import (
    FATE,
    FREE,
    LINK,
    MEMBER,
    TO_HELDOUT,
    TO_TRAIN,
    Cluster,
    fates,
    labels,
    removable,
    resolve,
    splits,
    unchecked,
)

CONTAINMENT = 0.9
OWN = 0.25


def members(*values: tuple[float, int], earlier: tuple[int, ...] = (), heldout: tuple[int, ...] = ()) -> np.ndarray:
    """(quality, bytes); document n has the id ``i<n>``, the key ``k<n>`` and ``n + 1`` copies."""
    rows = np.zeros(len(values), dtype=MEMBER)
    for number, (quality, size) in enumerate(values):
        id_, key = (f"{letter}{number:03d}".encode().rjust(16, b".") for letter in "ik")
        rows[number] = (number, id_, key, number in earlier, number in heldout, 7, quality, size, number + 1)
    return rows


def links(*values: tuple[int, int, float, float, float]) -> np.ndarray:
    """(first, second, Jaccard, containment of the first, of the second), without text of their own."""
    return own_links(*((*value, 0.0, 0.0) for value in values))


def own_links(*values: tuple[int, int, float, float, float, float, float]) -> np.ndarray:
    """The same with the share of the first, and of the second, that is its own."""
    return np.array(list(values), dtype=LINK)


def versions(*pairs: tuple[int, int]) -> np.ndarray:
    return links(*((one, two, 0.8, 0.88, 0.89) for one, two in pairs))


def decide(rows: np.ndarray, found: np.ndarray) -> list[int]:
    """Which member each goes with: itself where it stays."""
    cluster = Cluster(rows, found, np.zeros(len(rows), np.int64))
    kept, into, link = resolve(cluster, CONTAINMENT, OWN)
    assert ((link == -1) == kept).all()
    assert (into[kept] == np.flatnonzero(kept)).all()
    return into.tolist()


def test_best_quality_then_length_then_id_stays() -> None:
    assert decide(members((0.1, 9), (0.9, 5), (0.5, 9)), versions((0, 1), (0, 2), (1, 2))) == [1, 1, 1]
    assert decide(members((0.5, 8), (0.5, 9)), versions((0, 1))) == [1, 1]
    assert decide(members((0.5, 9), (0.5, 9)), versions((0, 1))) == [0, 0]


def test_pages_with_much_text_of_their_own_both_stay_and_share_a_cluster() -> None:
    rows, template = members((0.9, 9), (0.5, 9)), own_links((0, 1, 0.5, 0.66, 0.66, 0.3, 0.3))
    assert decide(rows, template) == [0, 1]
    cluster = Cluster(rows, template, np.zeros(2, np.int64))
    assert len(set(labels(cluster).tolist())) == 1
    assert decide(rows, own_links((0, 1, 0.5, 0.66, 0.66, 0.25, 0.25))) == [0, 0]


def test_the_one_without_own_text_goes_whatever_its_quality() -> None:
    longer = own_links((0, 1, 0.5, 0.8, 0.55, 0.1, 0.4))
    assert decide(members((0.9, 100), (0.2, 150)), longer) == [1, 1]
    assert decide(members((0.2, 100), (0.9, 150)), longer) == [1, 1]


def test_own_text_that_contradicts_the_sizes_does_not_send_decisions_in_a_circle() -> None:
    # Each has little of its own beside the next, as texts that repeat themselves may; none is larger.
    ring = own_links(*((a, b, 0.5, 0.7, 0.7, 0.1, 0.4) for a, b in ((0, 1), (1, 2))), (0, 2, 0.5, 0.7, 0.7, 0.4, 0.1))
    assert decide(members((0.9, 9), (0.8, 9), (0.7, 9)), ring) == [0, 1, 0]


def test_end_of_a_chain_stays_because_it_is_like_nothing_that_stays() -> None:
    chain = versions((0, 1), (1, 2), (2, 3))
    assert decide(members((0.9, 9), (0.8, 9), (0.7, 9), (0.6, 9)), chain) == [0, 0, 2, 2]
    assert decide(members((0.6, 9), (0.9, 9), (0.7, 9), (0.8, 9)), chain) == [1, 1, 1, 3]


def test_long_chain_alternates() -> None:
    size = 5000
    rows = members(*((1 - number / size, 9) for number in range(size)))
    into = decide(rows, versions(*((number, number + 1) for number in range(size - 1))))
    assert into == [number - number % 2 for number in range(size)]


def test_part_goes_with_its_whole_whatever_their_quality() -> None:
    part_of = links((0, 1, 0.2, 1.0, 0.2))
    assert decide(members((0.9, 20), (0.1, 100)), part_of) == [1, 1]
    assert decide(members((0.1, 20), (0.9, 100)), part_of) == [1, 1]
    # At Jaccard above the threshold too: the whole has something that the part has not.
    assert decide(members((0.9, 50), (0.1, 100)), links((0, 1, 0.5, 1.0, 0.5))) == [1, 1]
    # With a line more it is a version, and quality decides.
    assert decide(members((0.9, 90), (0.1, 100)), links((0, 1, 0.9, 1.0, 0.9))) == [0, 0]


def test_part_of_something_that_goes_stays_unless_it_is_in_what_stays() -> None:
    rows = members((0.9, 100), (0.5, 100), (0.7, 20))
    # 2 is a part of 1, 1 is a version of 0: the part comes with its whole, and 1 is decided on before it.
    assert decide(rows, links((0, 1, 0.6, 0.8, 0.7), (1, 2, 0.2, 0.2, 1.0))) == [0, 0, 2]
    assert decide(rows, links((0, 1, 0.6, 0.8, 0.7), (1, 2, 0.2, 0.2, 1.0), (0, 2, 0.2, 0.2, 0.95))) == [0, 0, 0]


def test_parts_of_parts_go_with_a_whole_that_holds_them() -> None:
    rows = members((0.5, 100), (0.6, 50), (0.7, 20))
    nested = links((0, 1, 0.5, 0.5, 1.0), (1, 2, 0.4, 0.4, 1.0), (0, 2, 0.2, 0.2, 1.0))
    assert decide(rows, nested) == [0, 0, 0]
    assert decide(rows, nested[:2]) == [0, 0, 2]


def test_document_of_an_earlier_snapshot_stays_and_wins() -> None:
    rows = members((0.9, 9), (0.1, 5), (0.2, 5), earlier=(1, 2))
    assert decide(rows, versions((0, 1), (1, 2))) == [1, 1, 2]
    # Though it is a part of the new one, which has more and stays too.
    assert decide(members((0.9, 100), (0.1, 20), earlier=(1,)), links((0, 1, 0.2, 0.2, 1.0))) == [0, 1]


def test_which_side_may_go() -> None:
    found = links((0, 1, 0.5, 1.0, 0.5), (0, 1, 0.5, 0.5, 1.0), (0, 1, 0.8, 0.9, 0.9), (0, 1, 0.5, 0.6, 0.7))
    first, second = removable(found, CONTAINMENT, OWN)
    assert first.tolist() == [True, False, True, True]
    assert second.tolist() == [False, True, True, True]


def test_fates() -> None:
    rows = members((0.9, 9), (0.8, 9), (0.7, 9))
    cluster = Cluster(rows, links((0, 1, 0.75, 0.9, 0.8), (1, 2, 0.5, 0.6, 0.7)), np.zeros(3, np.int64))
    found = fates(cluster, *resolve(cluster, CONTAINMENT, OWN))
    assert found.dtype == FATE
    assert found["kept"].tolist() == [1, 0, 1]
    assert found["copies"].tolist() == [3, 0, 3]  # 1 + 2 go together; the third stands for its own three
    assert [other.decode().strip(".") for other in found["other"]] == ["i000", "i000", "i002"]
    assert [key.decode().strip(".") for key in found["cluster"]] == ["k000"] * 3
    assert found["jaccard"].tolist() == pytest.approx([0, 0.75, 0])
    assert found["containment"].tolist() == pytest.approx([0, 0.8, 0])


def test_copies_go_where_the_earlier_documents_lie_that_they_are_like() -> None:
    # 3 and 4 are earlier, 4 is held out; 0 is a longer version of 3 and 1 of 4, 2 is like 0 alone.
    rows = members((0.9, 90), (0.9, 90), (0.5, 85), (0.8, 30), (0.8, 30), earlier=(3, 4), heldout=(4,))
    part = (0.3, 0.3, 1.0)
    found = links((0, 2, 0.39, 0.5, 0.6), (0, 3, *part), (1, 4, *part))
    cluster = Cluster(rows, found, np.array([0, 1, 0, 0, 1]))
    assert splits(cluster).tolist() == [TO_TRAIN, TO_HELDOUT, TO_TRAIN, TO_TRAIN, TO_HELDOUT]
    assert decide(rows, links((0, 3, *part), (1, 4, *part))) == [0, 1, 2, 3, 4]
    alone = Cluster(rows[:3], links((0, 2, 0.5, 0.6, 0.7)), np.zeros(3, np.int64))
    assert splits(alone).tolist() == [FREE, FREE, FREE]


def test_clusters_of_several_languages_are_trained_on() -> None:
    rows = members((0.9, 90), (0.8, 90), (0.7, 90), (0.6, 90), (0.5, 90))
    rows["lang"] = [1, 2, 5, 5, 2]
    cluster = Cluster(rows, versions((0, 1), (2, 3)), np.array([0, 0, 1, 1, 2]))
    assert splits(cluster).tolist() == [TO_TRAIN, TO_TRAIN, FREE, FREE, FREE]


def test_whole_of_parts_in_both_splits_can_be_in_neither() -> None:
    rows = members((0.9, 90), (0.8, 30), (0.8, 30), earlier=(1, 2), heldout=(2,))
    part = (0.3, 0.3, 1.0)
    assert decide(rows, links((0, 1, *part), (0, 2, *part))) == [1, 1, 2]
    assert decide(rows, links((0, 1, *part))) == [0, 1, 2]


def test_label_is_of_the_earlier_documents_where_there_are_any() -> None:
    rows = members((0.9, 9), (0.8, 9), (0.7, 9), (0.6, 9), earlier=(2,))
    found = labels(Cluster(rows, versions(), np.array([0, 1, 0, 1])))
    assert [key.decode().strip(".") for key in found] == ["k002", "k001", "k002", "k001"]


def test_kept_documents_of_a_cluster_are_compared_with_its_best() -> None:
    rows = members(*((0.1 * number, 9) for number in range(7)))
    component = np.array([0, 0, 0, 0, 1, 1, 0])
    cluster = Cluster(rows, versions((0, 3), (4, 5)), component)
    first, second = unchecked(cluster, np.array([True, True, True, True, True, True, False]))
    assert sorted(zip(first.tolist(), second.tolist(), strict=True)) == [(0, 1), (0, 2), (1, 2), (1, 3), (2, 3)]
    none = unchecked(cluster, np.zeros(7, bool))
    assert [len(side) for side in none] == [0, 0]


@given(st.data())
def test_whoever_goes_is_linked_to_one_that_stays_and_nobody_who_stays_could_go(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 12))
    quality = data.draw(st.lists(st.sampled_from([0.2, 0.5, 0.9]), min_size=count, max_size=count))
    sizes = data.draw(st.lists(st.sampled_from([10, 30, 100]), min_size=count, max_size=count))
    earlier = data.draw(st.sets(st.integers(0, count - 1), max_size=3))
    pairs = data.draw(st.sets(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=30))
    values = []
    for one, two in sorted(pair for pair in pairs if pair[0] < pair[1]):
        small = min(sizes[one], sizes[two])
        own = data.draw(st.sampled_from([0.0, 0.25, 0.3]))
        first_own, second_own = (max(own, 1 - small / size) if own else 0.0 for size in (sizes[one], sizes[two]))
        values.append((one, two, 0.5, small / sizes[one], small / sizes[two], first_own, second_own))
    rows, found = members(*zip(quality, sizes, strict=True), earlier=tuple(earlier)), own_links(*values)
    into = decide(rows, found)
    first, second = removable(found, CONTAINMENT, OWN)
    may_go = {(int(a), int(b)) for a, b in zip(found["first"][first], found["second"][first], strict=True)}
    may_go |= {(int(b), int(a)) for a, b in zip(found["first"][second], found["second"][second], strict=True)}
    may_go = {(gone, stays) for gone, stays in may_go if gone not in earlier}
    for one, other in enumerate(into):
        if one != other:
            assert into[other] == other
            assert (one, other) in may_go
    # Of two versions that stay one could go, unless both are of earlier snapshots.
    for one, other in may_go:
        assert not (into[one] == one and into[other] == other), (one, other)
    shuffled = found[::-1].copy()
    assert decide(rows, shuffled) == into
