from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from corpus.errors import ConfigurationError
from pipeline.language_id import relatives
from pipeline.language_id.relatives import GROUPS, LEAST_CHARACTERS, Group, Relatives, learn, read, write

EAST = "tko je lijepo vrijeme mlijeko htio vidjeti tjedan kazalište "
WEST = "ko je lepo vreme mleko hteo videti nedelja pozorište "
PAIR = (("hrv_Latn", "srp_Latn"),)


def _lines(amount: int = LEAST_CHARACTERS) -> list[str]:
    spans = []
    for tag, text in (("hrv_Latn", EAST), ("srp_Latn", WEST)):
        words = text.split()
        one = [" ".join(words[start:] + words[:start]) for start in range(len(words))]
        spans += [f"__label__{tag} {span}" for span in one * (1 + amount // sum(map(len, one)))]
    return spans


@pytest.fixture(scope="module")
def learnt() -> list[Group]:
    return learn(_lines(), PAIR)


def test_no_language_stands_in_two_groups() -> None:
    members = [tag for group in GROUPS for tag in group]
    assert len(members) == len(set(members))


def test_odds_point_to_the_language_that_says_so(learnt: list[Group]) -> None:
    assert [group.tags for group in learnt] == [("hrv_Latn", "srp_Latn")]
    (group,) = learnt
    assert np.array_equal(group.features, np.unique(group.features))
    assert group.odds.shape == (len(group.features), 2)
    odds = relatives._log_odds(["mlijeko", "mleko", "je"], group.table())
    assert odds[0, 0] > 1 > -1 > odds[0, 1]
    assert odds[1, 1] > 1 > -1 > odds[1, 0]
    assert abs(odds[2, 0]) < 0.2


def test_members_with_little_text_have_no_table() -> None:
    assert learn(_lines(LEAST_CHARACTERS // 10), PAIR) == []
    trio = (("hrv_Latn", "srp_Latn", "bos_Latn"),)
    assert learn([*_lines(), "__label__bos_Latn ko je"], trio)[0].tags == ("hrv_Latn", "srp_Latn")


def test_a_file_holds_what_was_written_and_twice_the_same_bytes(learnt: list[Group], tmp_path: Path) -> None:
    write(learnt, tmp_path / "a.npz")
    write(learnt, tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    (found,) = read(tmp_path / "a.npz")
    assert found.tags == learnt[0].tags
    assert np.array_equal(found.features, learnt[0].features)
    assert np.array_equal(found.odds, learnt[0].odds)


def test_damaged_and_missing_files_say_so(learnt: list[Group], tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read(path)
    write(learnt, path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read(path)


def test_the_probability_of_a_group_is_divided_again_and_kept(learnt: list[Group]) -> None:
    tags = ["deu_Latn", "hrv_Latn", "slv_Latn", "srp_Latn"]
    rows, numbers, probabilities = Relatives(learnt, tags).refine(
        ["lepo vreme mleko hteo videti", "lijepo vrijeme", "schönes Wetter", ""],
        np.array([0, 0, 1, 1, 2, 2]),
        np.array([1, 2, 3, 1, 0, 1]),
        np.array([0.8, 0.1, 0.6, 0.3, 0.7, 0.2]),
    )
    assert rows.tolist() == sorted(rows.tolist())
    assert tags[numbers[0]] == "srp_Latn"  # the likeliest of the first text now stands first
    found = {(row, tags[tag]): p for row, tag, p in zip(rows.tolist(), numbers.tolist(), probabilities, strict=True)}
    assert set(found) == {
        (0, "hrv_Latn"), (0, "slv_Latn"), (0, "srp_Latn"), (1, "hrv_Latn"), (1, "srp_Latn"), (2, "deu_Latn"),
        (2, "hrv_Latn"),
    }  # fmt: skip
    assert found[0, "hrv_Latn"] + found[0, "srp_Latn"] == pytest.approx(0.8)
    assert found[0, "srp_Latn"] > found[0, "hrv_Latn"]  # not named by the model at all
    assert found[1, "hrv_Latn"] + found[1, "srp_Latn"] == pytest.approx(0.9)
    assert found[1, "hrv_Latn"] > 0.7
    # The likeliest language of the third is in no group, so its other candidates stay as they are.
    assert (found[2, "deu_Latn"], found[2, "hrv_Latn"], found[0, "slv_Latn"]) == (0.7, 0.2, 0.1)


def test_a_model_without_the_languages_is_left_alone(learnt: list[Group]) -> None:
    rows, numbers, probabilities = np.array([0]), np.array([1]), np.array([0.9])
    found = Relatives(learnt, ["deu_Latn", "srp_Latn"]).refine(["lepo"], rows, numbers, probabilities)
    assert found[0] is rows
    assert found[2] is probabilities
