"""What a snapshot says of its synthetic text."""

import pytest
from pydantic import ValidationError

from corpus.augmentation import Augmentation, LanguageAugmentation, Naturalness, route_name


def test_it_comes_back_from_json_as_it_was() -> None:
    said = Augmentation(
        fingerprint="f",
        languages={
            "swh_Latn": LanguageAugmentation(
                natural_bytes=100, budget=40, why="40 % of 100 bytes", candidates=3, kept=1, kept_bytes=38,
                rejected={"gates/copy": 2}, naturalness=Naturalness(measures={"auc": 0.9}, share=0.5, why="auc"),
            )
        },
        thresholds={route_name("eng_Latn", "swh_Latn"): {"round_trip_chrf": 31.5}},
    )  # fmt: skip
    assert Augmentation.model_validate_json(said.model_dump_json()) == said
    assert list(said.thresholds) == ["eng_Latn>swh_Latn"]


def test_the_part_of_a_budget_that_stays_is_a_share() -> None:
    with pytest.raises(ValidationError, match="less than or equal to 1"):
        Naturalness(share=1.2)
