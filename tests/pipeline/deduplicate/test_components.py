from __future__ import annotations

from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.deduplicate.components import (
    EDGE,
    both_ways,
    contract,
    edges_between,
    large_star,
    least_reachable,
    node_partition,
    small_star,
    unsettled,
)

Pairs = list[tuple[int, int]]


def edges(pairs: Pairs) -> np.ndarray:
    first, second = (np.array([pair[side] for pair in pairs], np.uint64) for side in (0, 1))
    return edges_between(first, second)


def union_find(pairs: Pairs) -> dict[int, int]:
    """The least node of each node's component, one edge at a time."""
    parent: dict[int, int] = {}

    def find(node: int) -> int:
        parent.setdefault(node, node)
        while parent[node] != node:
            node = parent[node]
        return node

    for one, two in pairs:
        low, high = sorted((find(one), find(two)))
        parent[high] = low
    return {node: find(node) for pair in pairs for node in pair}


def rounds(pairs: Pairs, partitions: int, parts: int, most: int = 40) -> tuple[dict[int, int], list[int]]:
    """Labels by rounds over partitions, each of which sees its own edges only, and the unsettled nodes by round."""

    def deal(lists: list[np.ndarray]) -> list[np.ndarray]:
        every = np.concatenate([np.zeros(0, EDGE), *lists])
        numbers = node_partition(every["node"], partitions)
        return [every[numbers == number] for number in range(partitions)]

    given_edges = edges(pairs)
    held = deal([both_ways(contract(part)) for part in np.array_split(given_edges, parts)])
    open_by_round = [sum(map(unsettled, held))]
    while open_by_round[-1] and len(open_by_round) < most:
        held = deal([large_star(part) for part in held])
        held = deal([both_ways(small_star(part)) for part in held])
        open_by_round.append(sum(map(unsettled, held)))
    every = np.concatenate(held)
    labels = {int(node): int(node) for node in np.unique(every["node"])} if len(every) else {}
    labels.update(every[every["other"] < every["node"]].tolist())
    return labels, open_by_round


def without_loops(pairs: Pairs) -> Pairs:
    return [pair for pair in pairs if pair[0] != pair[1]]


graphs = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=60)


@given(graphs)
def test_least_reachable_agrees_with_union_find(pairs: Pairs) -> None:
    nodes, least = least_reachable(edges(pairs))
    assert dict(zip(nodes.tolist(), least.tolist(), strict=True)) == union_find(without_loops(pairs))


@given(graphs, st.integers(1, 5), st.integers(1, 5))
@settings(deadline=None)
def test_rounds_agree_with_union_find_however_edges_lie(pairs: Pairs, partitions: int, parts: int) -> None:
    labels, open_by_round = rounds(pairs, partitions, parts)
    assert labels == union_find(without_loops(pairs))
    assert open_by_round[-1] == 0


@pytest.mark.parametrize("order", ["ascending", "shuffled"])
def test_long_chain_takes_few_rounds(order: str) -> None:
    nodes = list(range(20_000))
    if order == "shuffled":
        Random(1).shuffle(nodes)
    pairs = list(pairwise(nodes))
    Random(2).shuffle(pairs)
    labels, open_by_round = rounds(pairs, partitions=8, parts=16)
    assert set(labels.values()) == {0}
    assert len(labels) == 20_000
    assert len(open_by_round) <= 16
    nodes_found, least = least_reachable(edges(pairs))
    assert (least == 0).all()
    assert len(nodes_found) == 20_000


def test_huge_star_and_full_graph() -> None:
    star = [(7, node) for node in range(50_000) if node != 7]
    labels, open_by_round = rounds(star, partitions=4, parts=4)
    assert set(labels.values()) == {0}
    assert len(open_by_round) <= 4
    full = [(one, two) for one in range(60) for two in range(one)]
    assert set(rounds(full, 3, 2)[0].values()) == {0}


def test_steps_on_one_node() -> None:
    seen = np.array([(5, 2), (5, 3), (5, 9), (5, 8)], dtype=EDGE)
    assert sorted(large_star(seen).tolist()) == [(8, 2), (9, 2)]
    down = np.array([(5, 2), (5, 3), (5, 4)], dtype=EDGE)
    assert sorted(small_star(down).tolist()) == [(3, 2), (4, 2), (5, 2)]
    assert unsettled(seen) == 1
    assert unsettled(np.array([(5, 2), (7, 2), (1, 3), (1, 4)], dtype=EDGE)) == 0
    assert unsettled(down) == 1


def test_no_edges() -> None:
    nothing = np.zeros(0, EDGE)
    assert len(contract(nothing)) == len(large_star(nothing)) == len(small_star(nothing)) == unsettled(nothing) == 0
