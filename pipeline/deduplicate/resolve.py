"""What stays of a cluster of near duplicates.

The documents of a cluster are taken in the order of the keep rule: those of earlier snapshots, then higher quality,
then more bytes, then the smaller id; a document that holds another one comes before it. Each stays unless it is
verified as a near duplicate of one that stays already, and has little text of its own beside it: never because of a
chain of others, so nothing is lost that is not there in a kept document. Of a part and its whole only the part can go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.deduplicate.shingles import Int64s, UInt64s

LINK: Final = np.dtype(
    [
        ("first", "<u8"),
        ("second", "<u8"),
        ("jaccard", "<f4"),
        ("first_in", "<f4"),
        ("second_in", "<f4"),
        ("first_own", "<f4"),
        ("second_own", "<f4"),
    ]
)
"""A verified pair: documents by number, their similarity, the containment of each in the other, and the share of each
that is its own; 36 bytes."""

MEMBER: Final = np.dtype(
    [
        ("document", "<u8"),
        ("id", "S16"),
        ("key", "S16"),  # of the text
        ("earlier", "u1"),  # 1 for a document of an earlier snapshot, which cannot be removed
        ("heldout", "u1"),  # 1 for one of those that is held out
        ("lang", "<u4"),  # hash of its tag; 0 for one of an earlier snapshot
        ("quality", "<f4"),
        ("bytes", "<u4"),
        ("copies", "<u4"),  # documents it stands for after exact duplicates were removed
    ]
)
"""What the keep rule needs to know of a document."""

FATE: Final = np.dtype(
    [
        ("document", "<u8"),
        ("kept", "u1"),
        ("copies", "<u4"),  # of a kept one, those of the removed ones added
        ("id", "S16"),
        ("other", "S16"),  # id of the kept document: its own when kept
        ("cluster", "S16"),
        ("jaccard", "<f4"),  # with the kept document; 0 when kept
        ("containment", "<f4"),  # in the kept document
        ("split", "u1"),  # FREE, or where it must lie for the sake of others in its cluster
    ]
)
"""What became of a document of a cluster."""

FREE: Final = 0
TO_TRAIN: Final = 1
TO_HELDOUT: Final = 2

PART: Final = 0.8
"""A document with less than this share of the shingles of another that holds it is a part of it, not a version."""

LARGER: Final = 0.99
"""Below this ratio of containments the other document surely has the larger set of shingles, for all rounding."""

CHECKS: Final = 4
"""Kept documents of its cluster, the best, that a kept one is compared with if it never was."""

Links = npt.NDArray[np.void]
Members = npt.NDArray[np.void]


@dataclass(frozen=True)
class Cluster:
    """Some whole clusters in one place."""

    members: Members
    """In ascending order of documents, each once."""
    links: Links
    """Between members, each once."""
    component: Int64s
    """Number of the cluster of each member."""


@dataclass(frozen=True)
class _Order:
    """Members in the order in which they are decided on."""

    position: Int64s
    """Of each member."""
    sequence: Int64s
    """Members by position."""


def resolve(cluster: Cluster, containment: float, own: float) -> tuple[npt.NDArray[np.bool_], Int64s, Int64s]:
    """Which members stay, which kept member each of the others goes with, and the link that says so.

    Args:
        cluster: whole clusters.
        containment: from which share on a document counts as held by another.
        own: the largest share of text of its own with which a document goes.

    Returns:
        ``kept``, shape (n,); ``into``, the kept member's row, its own for a kept one; ``link``, the row in
        ``links``, -1 for a kept one.
    """
    members, links = cluster.members, cluster.links
    first, second = (
        np.searchsorted(members["document"], links["first"]),
        np.searchsorted(members["document"], links["second"]),
    )
    loser_first, loser_second = removable(links, containment, own)
    # A whole of which one part is held out and another trained on can be in neither split.
    torn = near_splits(members, first, second) == TO_TRAIN | TO_HELDOUT
    first_stays, second_stays = members["earlier"][first] == 1, members["earlier"][second] == 1
    loser_first = (loser_first | torn[first] & second_stays) & ~first_stays
    loser_second = (loser_second | torn[second] & first_stays) & ~second_stays
    # The order needs chains that end: each goes to a larger set of shingles, or to a document that stays anyhow.
    larger = links["second_in"] < LARGER * links["first_in"], links["first_in"] < LARGER * links["second_in"]
    order = decide_order(
        members,
        first,
        second,
        loser_first & ~loser_second & (larger[0] | second_stays),
        loser_second & ~loser_first & (larger[1] | first_stays),
    )
    # For every document those that it may go with, decided before it.
    gone = np.concatenate([first[loser_first], second[loser_second]])
    stays = np.concatenate([second[loser_first], first[loser_second]])
    which = np.concatenate([np.flatnonzero(loser_first), np.flatnonzero(loser_second)])
    before = order.position[stays] < order.position[gone]
    gone, stays, which = gone[before], stays[before], which[before]
    sorting = np.lexsort((order.position[stays], order.position[gone]))
    gone, stays, which = gone[sorting], stays[sorting], which[sorting]
    kept = [True] * len(members)
    into, link = list(range(len(members))), [-1] * len(members)
    for one, other, through in zip(gone.tolist(), stays.tolist(), which.tolist(), strict=True):
        # In the order of documents, so whatever `other` could go with was seen before.
        if kept[one] and kept[other]:
            kept[one], into[one], link[one] = False, other, through
    return np.array(kept, dtype=bool), np.array(into, dtype=np.int64), np.array(link, dtype=np.int64)


def near_splits(members: Members, first: Int64s, second: Int64s) -> npt.NDArray[np.uint8]:
    """For each member, whether an earlier document linked with it is trained on (1), held out (2), or both are (3).

    Args:
        members: n documents.
        first, second: rows of the members of each link.
    """
    lies = np.where(members["heldout"] == 1, TO_HELDOUT, TO_TRAIN).astype(np.uint8) * members["earlier"]
    found = np.zeros(len(members), np.uint8)
    np.bitwise_or.at(found, first, lies[second])
    np.bitwise_or.at(found, second, lies[first])
    return found


def splits(cluster: Cluster) -> npt.NDArray[np.uint8]:
    """Where each member must go so that it lies in one split with the earlier documents like it.

    That is the split of those it is linked with; of one linked with none the split of the earlier document that the
    cluster is named after. A cluster of several languages without earlier documents is trained on: each language has
    a bound of its own for what is held out, and the cluster must not lie on both sides.
    """
    members = cluster.members
    rows = (np.searchsorted(members["document"], cluster.links[name]) for name in ("first", "second"))
    found = near_splits(members, *rows)
    names, name_of = labels(cluster), np.ascontiguousarray(members["key"])
    named = np.flatnonzero((members["earlier"] == 1) & (name_of == names))
    of_cluster = np.zeros(int(cluster.component.max(initial=-1)) + 1, np.uint8)
    of_cluster[several_languages(cluster)] = TO_TRAIN
    of_cluster[cluster.component[named]] = np.where(members["heldout"][named] == 1, TO_HELDOUT, TO_TRAIN)
    return np.where(found == FREE, of_cluster[cluster.component], found).astype(np.uint8)


def several_languages(cluster: Cluster) -> Int64s:
    """The components whose new documents are not all of one language."""
    new = cluster.members["earlier"] == 0
    pairs = np.unique(np.stack([cluster.component[new], cluster.members["lang"][new].astype(np.int64)]), axis=1)
    return np.unique(pairs[0, 1:][pairs[0, 1:] == pairs[0, :-1]])


def removable(links: Links, containment: float, own: float) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Whether the first, and whether the second document of a link may go with the other one.

    Of two versions either may unless it has too much text of its own; of a part and its whole only the part. The
    ratio of the two containments is the ratio of the sizes.

    Args:
        links: n verified pairs.
        containment: from which share on a document counts as held by another.
        own: the largest share of text of its own with which a document goes.
    """
    one_in, two_in = links["first_in"], links["second_in"]
    first_part = (one_in >= containment) & (two_in < PART * one_in)
    second_part = (two_in >= containment) & (one_in < PART * two_in)
    return ~second_part & (links["first_own"] <= own), ~first_part & (links["second_own"] <= own)


def decide_order(
    members: Members,
    first: Int64s,
    second: Int64s,
    first_is_part: npt.NDArray[np.bool_],
    second_is_part: npt.NDArray[np.bool_],
) -> _Order:
    """The order of decisions: the keep rule, but a whole stands where the best of its parts would, just before it.

    So does any larger document with which another one can go, and not the reverse.

    Args:
        members: of some clusters.
        first, second: rows of the members of each link.
        first_is_part, second_is_part: which of them can only go, not stay, by the link.
    """
    shortness = np.iinfo(np.uint32).max - members["bytes"]
    ranked = np.lexsort((members["document"], members["id"], shortness, -members["quality"], 1 - members["earlier"]))
    rank = np.empty(len(members), np.int64)
    rank[ranked] = np.arange(len(members))
    part = np.concatenate([first[first_is_part], second[second_is_part]])
    whole = np.concatenate([second[first_is_part], first[second_is_part]])
    best = rank.copy()
    depth = np.zeros(len(members), np.int64)
    while True:
        # A whole is larger than its part by a factor, so the chains end.
        earlier, deeper = best.copy(), depth.copy()
        np.minimum.at(earlier, whole, best[part])
        np.maximum.at(deeper, whole, depth[part] + 1)
        if (earlier == best).all() and (deeper == depth).all():
            break
        best, depth = earlier, deeper
    sequence = np.lexsort((rank, -depth, best))
    position = np.empty(len(members), np.int64)
    position[sequence] = np.arange(len(members))
    return _Order(position, sequence)


def unchecked(cluster: Cluster, kept: npt.NDArray[np.bool_]) -> tuple[UInt64s, UInt64s]:
    """Pairs of kept documents of one cluster that were never compared: each with the best few of its cluster.

    They are alike to a third one; whether to each other only their texts can say.
    """
    members = cluster.members
    shortness = np.iinfo(np.uint32).max - members["bytes"]
    rows = np.flatnonzero(kept)
    keys = members[rows]
    sorting = np.lexsort((keys["id"], shortness[rows], -keys["quality"], 1 - keys["earlier"], cluster.component[rows]))
    rows = rows[sorting]
    component = cluster.component[rows]
    starts = np.flatnonzero(np.concatenate([[True], component[1:] != component[:-1]])) if len(rows) else rows
    sizes = np.diff(np.append(starts, len(rows)))
    begin = np.repeat(starts, sizes)
    pairs = []
    for step in range(CHECKS):
        other = begin + step
        later = np.flatnonzero(np.arange(len(rows)) > other)
        one, two = members["document"][rows[other[later]]], members["document"][rows[later]]
        pairs.append(np.stack([np.minimum(one, two), np.maximum(one, two)]))
    first, second = np.concatenate(pairs, axis=1)
    known = np.isin(
        _pair_codes(first, second, members), _pair_codes(cluster.links["first"], cluster.links["second"], members)
    )
    return first[~known], second[~known]


def _pair_codes(first: UInt64s, second: UInt64s, members: Members) -> Int64s:
    """One number for each pair of members."""
    documents = members["document"]
    codes: Int64s = np.searchsorted(documents, first) * len(documents) + np.searchsorted(documents, second)
    return codes


def fates(cluster: Cluster, kept: npt.NDArray[np.bool_], into: Int64s, link: Int64s) -> npt.NDArray[np.void]:
    """What to write down for every member; see FATE."""
    members = cluster.members
    result = np.zeros(len(members), dtype=FATE)
    result["document"], result["id"], result["kept"] = members["document"], members["id"], kept
    result["other"] = members["id"][into]
    copies = np.zeros(len(members), np.int64)
    np.add.at(copies, into, members["copies"].astype(np.int64))
    result["copies"] = np.where(kept, np.minimum(copies, np.iinfo(np.uint32).max), 0)
    result["cluster"], result["split"] = labels(cluster), splits(cluster)
    gone = np.flatnonzero(~kept)
    through = cluster.links[link[gone]]
    result["jaccard"][gone] = through["jaccard"]
    first = through["first"] == members["document"][gone]
    result["containment"][gone] = np.where(first, through["first_in"], through["second_in"])
    return result


def labels(cluster: Cluster) -> npt.NDArray[np.bytes_]:
    """The label of each member's cluster: the least text key in it, of earlier documents where it has any."""
    members = cluster.members
    words = np.ascontiguousarray(members["key"]).view(np.dtype(">u8")).reshape(-1, 2)
    sorting = np.lexsort((words[:, 1], words[:, 0], 1 - members["earlier"], cluster.component))
    component = cluster.component[sorting]
    first = np.flatnonzero(np.concatenate([[True], component[1:] != component[:-1]])) if len(sorting) else sorting
    label = np.zeros(len(members), dtype="S16")
    sizes = np.diff(np.append(first, len(sorting)))
    label[sorting] = np.repeat(members["key"][sorting[first]], sizes)
    return label
