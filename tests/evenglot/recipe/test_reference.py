from __future__ import annotations

from pathlib import Path

from evenglot.recipe.models import Recipe
from evenglot.recipe.reference import main, reference

PAGE = Path(__file__).resolve().parents[3] / "docs" / "recipe-reference.md"


def test_the_committed_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), "run `make docs`"


def test_every_key_at_the_top_is_there_with_a_description() -> None:
    page = reference()
    for name, field in Recipe.model_fields.items():
        assert f"| `{name}` |" in page
        assert field.description, f"Recipe.{name} has no docstring"


def test_no_key_is_without_a_meaning() -> None:
    empty = [line for line in reference().splitlines() if line.startswith("| `") and line.endswith("|  |")]
    assert empty == []


def test_a_key_shows_type_bounds_and_default() -> None:
    page = reference()
    assert "## `prepare.balance`" in page
    assert "## `inputs[]`" in page
    assert "| `alpha` | number, at least 0, at most 1 | `0.3` |" in page
    assert "| `path` | text | required |" in page


def test_check_fails_on_another_page_and_passes_on_its_own(tmp_path: Path) -> None:
    page = tmp_path / "deep" / "page.md"
    assert main(["--check", str(page)]) == 1
    assert main([str(page)]) == 0
    assert main(["--check", str(page)]) == 0
    page.write_text(page.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert main(["--check", str(page)]) == 1
