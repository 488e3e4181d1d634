"""Every ``evenglot`` command in the documentation is one that the command line accepts."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from corpus.errors import EvenglotError
from evenglot.cli.app import app
from evenglot.inspect.borderline import ALL_RULES
from evenglot.recipe.load import load_recipe

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(evenglot [^`\n]+)`")
PLACEHOLDER = re.compile(r"\.\.\.|…|\$|\[|<")


def commands(page: Path) -> list[str]:
    """Commands of a page, in code blocks and in sentences; those with an ellipsis or a variable are left out."""
    text = page.read_text(encoding="utf-8")
    found = []
    for language, block in FENCE.findall(text):
        if language in ("sh", "bash", "console"):
            lines = block.replace("\\\n", " ").splitlines()
            found += [line.strip().removeprefix("$ ") for line in lines]
    found += INLINE.findall(FENCE.sub("", text))
    return [one for one in found if one.startswith("evenglot ") and not PLACEHOLDER.search(one.partition(" #")[0])]


CASES = [(page.relative_to(ROOT).as_posix(), command) for page in PAGES for command in commands(page)]


def test_there_are_commands_to_check() -> None:
    assert len(CASES) > 20
    assert {page for page, _ in CASES} >= {"README.md", "docs/quickstart.md", "docs/inspecting.md"}


@pytest.mark.parametrize(("page", "command"), CASES)
def test_commands_have_the_options_they_are_shown_with(page: str, command: str) -> None:
    words = shlex.split(command, comments=True)[1:]
    words = words[: next((place for place, word in enumerate(words) if word in ("|", ">", "&&", ";")), len(words))]
    parsed = get_command(app)
    while words and words[0] in getattr(parsed, "commands", {}):
        parsed, words = parsed.commands[words[0]], words[1:]
    assert not hasattr(parsed, "commands") or words in ([], ["--help"], ["--version"]), "there is no such command"
    if words and not {"--help", "--version"} & set(words):
        parsed.make_context(command, words)


def test_limits_that_are_named_exist() -> None:
    names = {rule.name for rule in ALL_RULES}
    for page, command in CASES:
        named = re.search(r"--borderline (\w+)", command)
        assert named is None or named[1] in names, f"{page}: {command}"


@pytest.mark.parametrize("page", [page for page in PAGES if "recipe" not in page.name], ids=lambda page: page.name)
def test_recipes_that_are_shown_are_valid(page: Path, tmp_path: Path) -> None:
    for number, (language, block) in enumerate(FENCE.findall(page.read_text(encoding="utf-8"))):
        if language != "yaml" or "…" in block or "..." in block:
            continue
        loaded = yaml.safe_load(block)
        if not isinstance(loaded, dict) or not set(loaded) & {"inputs", "prepare", "train", "sampler", "tokenizer"}:
            continue
        path = tmp_path / f"{number}.yaml"
        path.write_text(block, encoding="utf-8")
        try:
            load_recipe(path, ())
        except EvenglotError as error:  # pragma: no cover - the message is what the reader needs
            pytest.fail(f"{page.name}, code block {number + 1}: {error}")
