"""What a view can be told."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from sampler.view import DocumentsConfig


def test_the_default_takes_every_document_once() -> None:
    assert DocumentsConfig().is_default
    assert DocumentsConfig.model_validate({"rehydrate": "none", "difficulty": [0, 1]}).is_default
    assert not DocumentsConfig(repeat_diverse=2).is_default


def test_a_table_survives_json_whose_keys_are_text() -> None:
    view = DocumentsConfig.model_validate({"rehydrate": {2: 3, 10: 4}})
    assert DocumentsConfig.model_validate_json(view.model_dump_json()) == view


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"difficulty": [0.5, 0.5]}, "difficulty keeps nothing: its range goes from 0.5 to 0.5"),
        ({"diversity": [0.9, 0.1]}, "diversity keeps nothing: its range goes from 0.9 to 0.1"),
        ({"difficulty": [0, 1.5]}, "less than or equal to 1"),
        ({"rehydrate": {0: 2}}, "greater than or equal to 1"),
        ({"max_times": 17}, "less than or equal to 16"),
        ({"max_synthetic_share": -0.1}, "greater than or equal to 0"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        DocumentsConfig.model_validate(settings)
    assert message in str(caught.value)
