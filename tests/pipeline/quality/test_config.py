from __future__ import annotations

import pytest
from pydantic import ValidationError

from pipeline.quality.config import FilterConfig


def test_languages_may_be_named_as_people_name_them() -> None:
    config = FilterConfig.model_validate(
        {"include": ["sw", "deu_Latn"], "exclude": ["Thai", "zxx"], "languages": {"en": {"min_words": 3}}}
    )
    assert config.include == ["swh_Latn", "deu_Latn"]
    assert config.exclude == ["tha_Thai", "zxx"]
    assert config.languages == {"eng_Latn": {"min_words": 3}}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"include": ["elvish"]}, "'elvish' names no language"),
        ({"exclude": ["en", "elvish"]}, "'elvish' names no language"),
        ({"languages": {"elvish": {"min_words": 3}}}, "'elvish' names no language"),
        ({"languages": {"en": {}, "eng_Latn": {}}}, "'eng_Latn' is eng_Latn, which stands here already"),
        ({"languages": {"en": {"min_wrds": 3}}}, "languages.eng_Latn.min_wrds is no limit; did you mean 'min_words'"),
    ],
)
def test_unknown_languages_and_limits_are_errors(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        FilterConfig.model_validate(wrong)
