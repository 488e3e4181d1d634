"""From links and labels to fates: clusters put together, decided on, and looked at once more."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.deduplicate.config import NearDuplicateConfig
from pipeline.deduplicate.documents import Documents
from pipeline.deduplicate.resolve import Cluster, Links, Members, fates, resolve, unchecked
from pipeline.deduplicate.shingles import UInt64s
from pipeline.deduplicate.verify import verify
from pipeline.vectors import unique_rows


def settle_clusters(
    members: Members, links: Links, roots: UInt64s, documents: Documents, config: NearDuplicateConfig
) -> tuple[npt.NDArray[np.void], dict[str, int]]:
    """What becomes of the documents of some whole clusters.

    Two kept documents of a cluster are alike to a third that went with one of them, and keys may have failed to
    bring them together: each kept one is compared with the best few of its cluster before the last word.

    Args:
        members: the documents, in any order, perhaps repeated.
        links: among them, perhaps repeated.
        roots: the label of each member's cluster.
        documents: where their texts are.
        config: thresholds.

    Returns:
        FATE rows in ascending order of documents, and the account: clusters, documents, removed, the largest cluster
        and how many pairs were compared at the end.
    """
    _, first = np.unique(members["document"], return_index=True)
    members, roots = members[first], roots[first]
    component = np.unique(roots, return_inverse=True)[1]
    cluster = Cluster(members, unique_links(links), component)
    kept, into, link = resolve(cluster, config.containment, config.own_text)
    one, two = unchecked(cluster, kept)
    if len(one):
        order = np.lexsort((two, one))
        more = verify(one[order], two[order], documents, config)
        if len(more):
            cluster = Cluster(members, unique_links(np.concatenate([cluster.links, more])), component)
            kept, into, link = resolve(cluster, config.containment, config.own_text)
    sizes = np.bincount(component)
    account = {
        "clusters": len(sizes),
        "documents": len(members),
        "removed": int(np.count_nonzero(~kept)),
        "largest": int(sizes.max(initial=0)),
        "checked_again": len(one),
    }
    return fates(cluster, kept, into, link), account


def unique_links(links: Links) -> Links:
    """The different links, in ascending order."""
    return unique_rows(links, "first", "second")
