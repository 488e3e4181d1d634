from __future__ import annotations

import json
from pathlib import Path

import pytest

from corpus.errors import ConfigurationError
from trainer.config.conflict import GroupsConfig
from trainer.conflict.groups import Groups, make_groups

LANGUAGES = ("deu_Latn", "ell_Grek", "eng_Latn", "rus_Cyrl", "ukr_Cyrl")
TOKENS = (500, 10, 1000, 800, 90)


@pytest.mark.parametrize(
    ("by", "most", "names", "of_language"),
    [
        ("script", 8, ("Latn", "Cyrl", "Grek"), (0, 2, 0, 1, 1)),
        ("script", 2, ("Latn", "others"), (0, 1, 0, 1, 1)),
        ("language", 8, ("eng_Latn", "rus_Cyrl", "deu_Latn", "ukr_Cyrl", "ell_Grek"), (2, 4, 0, 1, 3)),
        ("language", 3, ("eng_Latn", "rus_Cyrl", "others"), (2, 2, 0, 1, 2)),
        ("size", 2, ("size 1 of 2", "size 2 of 2"), (0, 1, 0, 0, 1)),
        ("size", 8, tuple(f"size {place} of 5" for place in range(1, 6)), (2, 4, 0, 1, 3)),
    ],
)
def test_groups_by_a_rule(by: str, most: int, names: tuple[str, ...], of_language: tuple[int, ...]) -> None:
    config = GroupsConfig.model_validate({"by": by, "most": most})
    assert make_groups(config, LANGUAGES, TOKENS) == Groups(names, of_language)


def test_groups_of_a_file_and_the_languages_that_it_does_not_name(tmp_path: Path) -> None:
    file = tmp_path / "families.json"
    file.write_text(json.dumps({"Slavic": ["ukr_Cyrl", "rus_Cyrl"], "Hellenic": ["ell_Grek"]}))
    groups = make_groups(GroupsConfig(by="file", file=str(file)), LANGUAGES, TOKENS)
    assert groups == Groups(("Slavic", "Hellenic", "others"), (2, 1, 2, 0, 0))
    assert groups.members(LANGUAGES) == {
        "Slavic": ["rus_Cyrl", "ukr_Cyrl"],
        "Hellenic": ["ell_Grek"],
        "others": ["deu_Latn", "eng_Latn"],
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: .*No such file"),
        ("{", "cannot be read"),
        ('["eng_Latn"]', "is not an object of lists of tags"),
        ('{"a": ["eng_Latn"], "b": ["eng_Latn"]}', "'eng_Latn' is in 'a' and in 'b'"),
        ('{"a": ["fra_Latn"]}', "group 'a': 'fra_Latn' is not among the run's languages"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(tmp_path: Path, content: str | None, said: str) -> None:
    file = tmp_path / "families.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigurationError, match=said):
        make_groups(GroupsConfig(by="file", file=str(file)), LANGUAGES, TOKENS)


def test_one_group_of_all_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="all 2 languages are in one group, 'Latn'"):
        make_groups(GroupsConfig(), ("deu_Latn", "eng_Latn"), (1, 2))


def test_a_file_is_named_where_it_is_used_and_nowhere_else() -> None:
    with pytest.raises(ValueError, match="`file` is needed"):
        GroupsConfig(by="file")
    with pytest.raises(ValueError, match="`file` is needed"):
        GroupsConfig(by="script", file="families.json")
