from __future__ import annotations

from pathlib import Path

import pytest

from corpus.errors import ConfigurationError
from evenglot.recipe.yaml_source import Mark, parse_yaml, read_yaml


def test_scalars_follow_the_core_schema_of_yaml_1_2() -> None:
    text = """
    languages: [en, no, on, yes]
    no: 0.5
    rate: 1e-3
    big: 20_000
    time: 12:30
    date: 2024-01-02
    octal: 010
    none: ~
    empty:
    truth: [true, False]
    half: .5
    quoted: "1"
    """
    assert parse_yaml(text, "r.yaml").plain() == {
        "languages": ["en", "no", "on", "yes"],
        "no": 0.5,
        "rate": 0.001,
        "big": 20_000,
        "time": "12:30",
        "date": "2024-01-02",
        "octal": 10,
        "none": None,
        "empty": None,
        "truth": [True, False],
        "half": 0.5,
        "quoted": "1",
    }


def test_every_value_knows_its_line() -> None:
    node = parse_yaml("a: 1\nb:\n  - x\n  - c: 2\n    d: 3\n", "r.yaml")
    assert node.find(("a",)) == Mark("r.yaml", 1)
    assert node.find(("b", 0)) == Mark("r.yaml", 3)
    assert node.find(("b", 1, "d")) == Mark("r.yaml", 5)
    assert node.find(("b", 1, "missing")) == Mark("r.yaml", 4)
    assert str(node.find(("b", 1, "d"))) == "r.yaml:5"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "r.yaml:3: 'a' stands here for the second time, first at r.yaml:1"),
        ("a: [1, 2\nb: 3\n", "r.yaml:2: this is not YAML"),
        ("a:\n\tb: 1\n", "Indent with spaces, not tabs"),
        ("path: *.jsonl\n", "r.yaml:1: this is not YAML"),
        ("a: b: c\n", "Quote a text that holds ': '"),
        (
            "a: !!python/object/apply:os.system ['true']\n",
            "r.yaml:1: YAML tag 'tag:yaml.org,2002:python/object/apply:os.system' is not allowed",
        ),
        ("a: !mine 1\n", "r.yaml:1: YAML tag '!mine' is not allowed"),
        ("a: !!map 1\n", "r.yaml:1: "),
        ("a: !!int x\n", "r.yaml:1: 'x' is no int"),
        ("? [1, 2]\n: 3\n", "r.yaml:1: a key must be plain text"),
        ("a: 1\n---\nb: 2\n", "r.yaml:2: this is not YAML"),
        ("a: &x [*x]\n", "r.yaml"),
    ],
)
def test_what_is_not_a_plain_document_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_yaml(text, "r.yaml")
    assert message in str(caught.value)


def test_aliases_that_explode_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(ConfigurationError, match="expands to more than 100,000 values"):
        parse_yaml("\n".join(lines), "r.yaml")


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        read_yaml(tmp_path / "missing.yaml")
    with pytest.raises(ConfigurationError, match="is a folder"):
        read_yaml(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"a: caf\xe9\n")
    with pytest.raises(ConfigurationError, match="not UTF-8 text: byte 6"):
        read_yaml(tmp_path / "latin.yaml")
    (tmp_path / "list.yaml").write_text("- 1\n")
    with pytest.raises(ConfigurationError, match=r"list\.yaml:1: a recipe is a mapping"):
        read_yaml(tmp_path / "list.yaml")
    (tmp_path / "empty.yaml").write_bytes("\ufeff# nothing\n".encode())
    assert read_yaml(tmp_path / "empty.yaml").plain() == {}
