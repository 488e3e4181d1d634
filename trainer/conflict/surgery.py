"""PCGrad and GradVac, in the coordinates of the groups' gradients.

PCGrad (Yu et al. 2020, arXiv 2001.06782) takes from a group's gradient what opposes another's; GradVac (Wang et al.
2021, arXiv 2010.05874) turns it until their cosine is at least the running mean of what it was. Each result is a sum of
the original gradients, so both need the gradients' inner products alone and give one weight for each group: the
gradient of the step is ``sum_g weight_g g_g``.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from corpus.hashing import stable_hash

Array = npt.NDArray[np.float64]


class Vaccinated(NamedTuple):
    """What GradVac gives."""

    weights: Array
    targets: Array
    """For the next operation, [G, G]."""


def order(step: int, groups: int) -> list[list[int]]:
    """For each group, the others in the order in which its gradient meets theirs; a hash of the step decides."""
    return [
        sorted(
            (other for other in range(groups) if other != group), key=lambda o: stable_hash("surgery", step, group, o)
        )
        for group in range(groups)
    ]


def pcgrad(gram: Array, orders: list[list[int]]) -> Array:
    """The weight of each group's gradient in the step's.

    Args:
        gram: inner products of the groups' gradients, [G, G].
        orders: as :func:`order` gives them.
    """
    weights = np.zeros(len(gram))
    for group, others in enumerate(orders):
        found = np.eye(len(gram))[group]
        for other in others:
            product = float(found @ gram[:, other])
            if product < 0 and gram[other, other] > 0:
                found[other] -= product / gram[other, other]
        weights += found
    return weights


def gradvac(gram: Array, orders: list[list[int]], targets: Array, rate: float) -> Vaccinated:
    """The weight of each group's gradient in the step's, and the cosines to aim at next time.

    Args:
        gram: inner products of the groups' gradients, [G, G].
        orders: as :func:`order` gives them.
        targets: cosines that are aimed at, [G, G].
        rate: weight of the cosines found in the next targets.
    """
    weights, targets = np.zeros(len(gram)), targets.copy()
    for group, others in enumerate(orders):
        found = np.eye(len(gram))[group]
        for other in others:
            own, size = math.sqrt(max(0.0, float(found @ gram @ found))), math.sqrt(gram[other, other])
            if not (own and size):
                continue
            cosine = min(1.0, max(-1.0, float(found @ gram[:, other]) / (own * size)))
            target = min(float(targets[group, other]), 1 - 1e-6)
            if cosine < target:
                rest = math.sqrt(1 - target**2)
                found[other] += own * (target * math.sqrt(1 - cosine**2) - cosine * rest) / (size * rest)
            targets[group, other] = (1 - rate) * target + rate * cosine
        weights += found
    return Vaccinated(weights, targets)
