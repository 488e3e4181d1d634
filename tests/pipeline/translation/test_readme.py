"""Licences as READMEs state them, and what they mean for those who train on the output."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.translation.readme import is_non_commercial, licence_of, licence_warning, metadata


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        ("---\nlicense: apache-2.0\n---\n# Model", "apache-2.0"),
        ("\ufeff---\r\nlicense: cc-by-nc-4.0\r\n---\r\n", "cc-by-nc-4.0"),
        ("---\nlicense: other\nlicense_name: gemma\n---\n", "gemma"),
        ("---\nlicense: other\n---\n", "other"),
        ("---\nlicense:\n- mit\n- apache-2.0\n---\n", "mit or apache-2.0"),
        ("---\nlanguage: en\n---\n", "unknown"),
        ("---\nlicense: [\n---\n", "unknown"),
        ("---\n- a list\n---\n", "unknown"),
        ("# license: mit\n", "unknown"),
    ],
)
def test_the_licence_is_read_from_the_head(tmp_path: Path, text: str, licence: str) -> None:
    (tmp_path / "README.md").write_bytes(text.encode())
    assert licence_of(tmp_path) == licence


def test_no_readme_says_nothing(tmp_path: Path) -> None:
    assert (metadata(tmp_path), licence_of(tmp_path)) == ({}, "unknown")


@pytest.mark.parametrize("licence", ["cc-by-nc-4.0", "CC BY-NC 4.0", "cc-by-nc-sa-4.0", "Non-commercial research"])
def test_licences_that_forbid_commercial_use(licence: str) -> None:
    assert is_non_commercial(licence)
    assert "no commercial use" in str(licence_warning("nllb", licence))


@pytest.mark.parametrize("licence", ["apache-2.0", "cc-by-4.0", "mit", "cc0-1.0", "openrail", "incl. terms"])
def test_licences_that_do_not(licence: str) -> None:
    assert licence_warning("it", licence) is None


def test_an_unknown_licence_is_said() -> None:
    assert "--licence" in str(licence_warning("it", "unknown"))
