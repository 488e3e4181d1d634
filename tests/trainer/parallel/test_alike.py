from __future__ import annotations

import numpy as np

from trainer.parallel.alike import alike_pairs

TOKENS = [
    np.array(tokens) for tokens in ([1, 2, 3, 4], [9, 8], [1, 2, 3, 5], [6, 7], [1, 2, 3, 4], [5, 5], [6, 7], [0])
]
LANGUAGES = np.array([0, 1, 0, 1, 1, 2, 2, 0])


def test_pairs_of_a_group_and_of_near_duplicates_are_alike() -> None:
    groups = np.array([5, 6, 7, 5])
    found = alike_pairs(groups, TOKENS, LANGUAGES, 0.6)
    # 0 and 3 are of one group; 0 and 1 share three of five tokens in one language; 0 and 2 all, in two languages.
    assert found.astype(int).tolist() == [[1, 1, 0, 1], [1, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 1]]


def test_a_higher_threshold_tells_them_apart_and_one_above_1_looks_at_groups_alone() -> None:
    groups = np.array([5, 6, 7, 8])
    assert alike_pairs(groups, TOKENS, LANGUAGES, 0.7).tolist() == np.eye(4, dtype=bool).tolist()
    same = [TOKENS[0], TOKENS[1], TOKENS[0], TOKENS[3]]
    assert alike_pairs(groups[:2], same, LANGUAGES[:4], 1.1).tolist() == [[True, False], [False, True]]
    assert alike_pairs(groups[:2], same, LANGUAGES[:4], 1.0).all()
