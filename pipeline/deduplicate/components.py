"""Connected components of a graph of which no machine holds all edges.

A graph is given as pairs of nodes. Each partition first replaces the edges it holds by stars (every node to the
least one it is connected with), which forgets nothing of what is connected. Then large-star and small-star steps
alternate (Kiveris, Lattanzi, Mirrokni, Rastogi and Vassilvitskii, SoCC 2014, "Connected components in MapReduce
and beyond"): in each, a node tells the neighbours it knows of the least of them. Once nothing changes every node
points to the least of its component. A step moves no more edges than it was given, also where one node has
most of them.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.deduplicate.candidates import partition_of
from pipeline.deduplicate.shingles import UInt64s
from pipeline.vectors import mix, unique_rows

EDGE: Final = np.dtype([("node", "<u8"), ("other", "<u8")])
"""An edge, seen from one of its nodes: 16 bytes."""

Edges = npt.NDArray[np.void]


def node_partition(nodes: UInt64s, partitions: int) -> npt.NDArray[np.int64]:
    """The partition in which all edges of a node meet."""
    return partition_of(mix(nodes.astype(np.uint64)), partitions)


def edges_between(first: UInt64s, second: UInt64s) -> Edges:
    """Edges from pairs of nodes, each seen from its larger node; loops left out."""
    edges = np.empty(len(first), dtype=EDGE)
    edges["node"], edges["other"] = np.maximum(first, second), np.minimum(first, second)
    between: Edges = edges[edges["node"] != edges["other"]]
    return between


def least_reachable(edges: Edges) -> tuple[UInt64s, UInt64s]:
    """Nodes, ascending, and for each the least node of its component, among edges held in one place.

    Labels pass along edges and then along themselves (pointer jumping), so a path of n nodes takes about log n
    turns, not n.
    """
    nodes, ends = np.unique(np.concatenate([edges["node"], edges["other"]]), return_inverse=True)
    one, two = ends[: len(edges)], ends[len(edges) :]
    parent = np.arange(len(nodes))
    while True:
        # Hook the root of the larger label under the smaller label, then let every node point to its root.
        low = np.minimum(parent[one], parent[two])
        high = np.maximum(parent[one], parent[two])
        open_ = low != high
        if not open_.any():
            return nodes, nodes[parent]
        one, two, low, high = one[open_], two[open_], low[open_], high[open_]
        np.minimum.at(parent, high, low)
        while True:
            above = parent[parent]
            if (above == parent).all():
                break
            parent = above


def contract(edges: Edges) -> Edges:
    """Edges with the same components: each node's to the least one that it reaches by those given."""
    nodes, least = least_reachable(edges)
    return edges_between(nodes, least)


def both_ways(edges: Edges) -> Edges:
    """Each edge seen from both of its nodes, for large-star."""
    turned = np.empty(len(edges), dtype=EDGE)
    turned["node"], turned["other"] = edges["other"], edges["node"]
    return np.concatenate([edges, turned])


def large_star(edges: Edges) -> Edges:
    """Connect the larger neighbours of every node to the least of its neighbours and itself.

    Args:
        edges: all of some nodes, seen from them, both ways.

    Returns:
        edges seen from their larger node.
    """
    edges = unique_edges(edges)
    if not len(edges):
        return edges
    starts, owner = _runs(edges["node"])
    least = np.minimum(np.minimum.reduceat(edges["other"], starts), edges["node"][starts])[owner]
    larger = edges["other"] > edges["node"]
    return unique_edges(edges_between(edges["other"][larger], least[larger]))


def small_star(edges: Edges) -> Edges:
    """Connect every node and its smaller neighbours to the least of them.

    Args:
        edges: all of some nodes to smaller ones, seen from the larger.

    Returns:
        edges seen from their larger node.
    """
    edges = unique_edges(edges)
    if not len(edges):
        return edges
    starts, owner = _runs(edges["node"])
    least = np.minimum.reduceat(edges["other"], starts)
    own = edges_between(edges["node"][starts], least)
    return unique_edges(np.concatenate([own, edges_between(edges["other"], least[owner])]))


def unsettled(edges: Edges) -> int:
    """How many of some nodes are neither the least of their component nor point to it alone.

    Args:
        edges: all of these nodes, seen from them, both ways. Zero everywhere means that all components are found.
    """
    edges = unique_edges(edges)
    if not len(edges):
        return 0
    starts, owner = _runs(edges["node"])
    smaller = edges["other"] < edges["node"]
    below = np.bincount(owner[smaller], minlength=len(starts))
    above = np.bincount(owner[~smaller], minlength=len(starts))
    return int(np.count_nonzero((below > 1) | ((below > 0) & (above > 0))))


def unique_edges(edges: Edges) -> Edges:
    """The different edges, in ascending order."""
    return unique_rows(edges, "node", "other")


def _runs(nodes: UInt64s) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where each of some ordered nodes begins, and which run every entry belongs to."""
    first = np.concatenate([[True], nodes[1:] != nodes[:-1]])
    return np.flatnonzero(first), np.cumsum(first) - 1
