from __future__ import annotations

import numpy as np

from pipeline.language_id.scripts import ScriptCounter


def test_letters_are_counted_for_every_script_that_could_write_them() -> None:
    counter = ScriptCounter.of(["Cyrl", "Hans", "Jpan", "Latn", "Zzzz"])
    letters, by_script = counter.count(["abc Дж", "漢字かな", "12 !?", "", "ᚠᚢa"])
    assert letters.tolist() == [5, 4, 0, 0, 3]
    assert by_script.tolist() == [
        [2, 0, 0, 3, 0],
        [0, 2, 4, 0, 0],
        [0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0],
        [0, 0, 0, 1, 0],
    ]


def test_code_points_beyond_the_letters_count_nothing() -> None:
    letters, by_script = ScriptCounter.of(["Latn"]).count(["a\U000e0100\U0010fffe"])
    assert letters.tolist() == [1]
    assert np.array_equal(by_script, [[1]])
