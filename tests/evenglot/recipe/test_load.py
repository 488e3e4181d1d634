from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from corpus.errors import ConfigurationError
from evenglot.recipe.load import dump_recipe, load_recipe, recipe_fingerprint, resolved
from evenglot.recipe.models import Recipe


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def message(path: Path, *overrides: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_recipe(path, overrides)
    return str(caught.value)


def test_an_empty_recipe_is_the_defaults(tmp_path: Path) -> None:
    assert load_recipe(write(tmp_path / "r.yaml", "")) == Recipe() == load_recipe()


def test_a_small_recipe(tmp_path: Path) -> None:
    recipe = load_recipe(
        write(
            tmp_path / "r.yaml",
            """
            corpus: out/mine
            inputs:
              - path: "data/*.jsonl"
                fields: {text: body, lang: language}
            prepare:
              balance: {mixture: temperature, alpha: 0.5}
            sampler:
              mixture: {no: 0.25, en: 0.75}
            train:
              steps: 20
              optimiser: {learning_rate: 1e-3}
            """,
        )
    )
    assert recipe.corpus == "out/mine"
    assert recipe.inputs[0].fields.text == "body"
    assert recipe.prepare.balance.alpha == 0.5
    assert recipe.sampler.mixture == {"no": 0.25, "en": 0.75}
    assert recipe.train.optimiser.learning_rate == 0.001


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("train:\n  stpes: 10\n", "r.yaml:2: train.stpes: unknown key 'stpes'. Did you mean 'steps'?"),
        ("trian: {}\n", "r.yaml:1: trian: unknown key 'trian'. Did you mean 'train'?"),
        ("prepare:\n  balance:\n    zzz: 1\n", "r.yaml:3: prepare.balance.zzz: unknown key 'zzz'. Known keys in"),
        (
            "inputs:\n  - path: a\n    feilds: {}\n",
            "r.yaml:3: inputs.0.feilds: unknown key 'feilds'. Did you mean 'fields'?",
        ),
        ("\ntrain:\n  steps: soon\n", "r.yaml:3: train.steps: expected a valid integer, got 'soon'"),
        ("train:\n  steps: 0\n", "r.yaml:2: train.steps: expected greater than or equal to 1, got 0"),
        (
            "train:\n  steps: 1.5\n",
            "r.yaml:2: train.steps: expected a valid integer, got a number with a fractional part",
        ),
        ("train: 3\n", "r.yaml:1: train: expected a section of `key: value` lines, got 3"),
        ("train:\n", "r.yaml:1: train: expected a section of `key: value` lines, got nothing"),
        ("inputs: data.jsonl\n", "r.yaml:1: inputs: expected a list, got 'data.jsonl'"),
        ("inputs:\n  - format: jsonl\n", "r.yaml:2: inputs.0.path: 'path' is missing"),
        ("corpus: 3\n", "r.yaml:1: corpus: expected text, got 3"),
        ("seed: -1\n", "r.yaml:1: seed: expected greater than or equal to 0, got -1"),
        (
            "sampler:\n  mixture: fair\n",
            "r.yaml:2: sampler.mixture: expected 'unimax', 'temperature', 'proportional' or 'uniform' or a section",
        ),
        ("train:\n  steps: 5\n  tokens: 5\n", "r.yaml:1: train: both `steps` and `tokens` are given"),
        ("train:\n  regularisers:\n    - name: devation\n", "r.yaml:3: train.regularisers.0: there is no regulariser"),
        ("train: {steps: x, rows: y}\n", "(also wrong: train.rows)"),
        ("report:\n  seed: .nan\n", "r.yaml:2: report.seed: expected"),
    ],
)
def test_errors_name_file_line_field_and_the_way_out(tmp_path: Path, text: str, expected: str) -> None:
    path = write(tmp_path / "r.yaml", text)
    assert f"{tmp_path}/{expected}" in message(path) or expected in message(path)


def test_a_typo_in_a_base_is_reported_there(tmp_path: Path) -> None:
    write(tmp_path / "base.yaml", "\n\ntrain:\n  stepps: 5\n")
    path = write(tmp_path / "r.yaml", "extends: base.yaml\ntrain: {rows: 4}\n")
    assert message(path).startswith(f"{tmp_path}/base.yaml:4: train.stepps: unknown key")


def test_extends_merges_sections_and_replaces_lists(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    write(tmp_path / "sub" / "root.yaml", "seed: 1\ntrain: {steps: 5, rows: 2}\ninputs: [{path: a}, {path: b}]\n")
    write(tmp_path / "sub" / "base.yaml", "extends: root.yaml\ntrain: {rows: 3}\n")
    recipe = load_recipe(write(tmp_path / "r.yaml", "extends: sub/base.yaml\ninputs: [{path: c}]\n"))
    assert (recipe.seed, recipe.train.steps, recipe.train.rows) == (1, 5, 3)
    assert [item.path for item in recipe.inputs] == ["c"]


def test_extends_may_be_a_list_and_the_later_wins(tmp_path: Path) -> None:
    write(tmp_path / "one.yaml", "seed: 1\ncorpus: one\n")
    write(tmp_path / "two.yaml", "seed: 2\n")
    recipe = load_recipe(write(tmp_path / "r.yaml", "extends: [one.yaml, two.yaml]\n"))
    assert (recipe.seed, recipe.corpus) == (2, "one")


def test_extends_in_a_circle_or_to_nowhere(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", "extends: b.yaml\n")
    path = write(tmp_path / "b.yaml", "seed: 1\nextends: a.yaml\n")
    assert f"extends itself: {path} -> {tmp_path}/a.yaml -> {path}" in message(path)
    lost = write(tmp_path / "c.yaml", "seed: 1\nextends: nowhere.yaml\n")
    assert message(lost).startswith(f"{lost}:2: extends: {tmp_path}/nowhere.yaml does not exist")
    odd = write(tmp_path / "d.yaml", "extends: 3\n")
    assert message(odd).startswith(f"{odd}:1: extends: expected the path of a recipe, got 3")


def test_later_layers_win(tmp_path: Path) -> None:
    path = write(tmp_path / "r.yaml", "train: {steps: 1, rows: 2}\ninputs: [{path: a}]\n")
    recipe = load_recipe(
        path,
        ["train.steps=3", "train.rows=4", "inputs.0.path=b", "prepare.balance.alpha=0.5", "sampler.languages=[en, no]"],
        {"train.steps": ("--steps", 9), "seed": ("--seed", None)},
    )
    assert (recipe.train.steps, recipe.train.rows, recipe.seed) == (9, 4, 0)
    assert recipe.inputs[0].path == "b"
    assert recipe.prepare.balance.alpha == 0.5
    assert recipe.sampler.languages == ("en", "no")


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("train.steps", "--set train.steps: expected KEY=VALUE"),
        ("=3", "--set =3: expected KEY=VALUE"),
        ("train..steps=3", "--set train..steps=3: expected KEY=VALUE"),
        ("train.stpes=3", "--set train.stpes: train.stpes: unknown key 'stpes'. Did you mean 'steps'?"),
        ("train.steps=many", "--set train.steps: train.steps: expected a valid integer, got 'many'"),
        ("train.steps=[1", "--set train.steps: this is not YAML"),
        ("inputs.7.path=x", "--set inputs.7.path: '7' in inputs.7.path is no position in a list of 1"),
    ],
)
def test_wrong_overrides_name_themselves(tmp_path: Path, override: str, expected: str) -> None:
    path = write(tmp_path / "r.yaml", "inputs: [{path: a}]\n")
    assert message(path, override).startswith(expected)


def test_a_wrong_flag_names_itself() -> None:
    with pytest.raises(ConfigurationError, match=r"^--mixture: sampler\.mixture: expected 'unimax'"):
        load_recipe(flags={"sampler.mixture": ("--mixture", "fair")})


def test_the_resolved_recipe_reads_back_to_itself(tmp_path: Path) -> None:
    recipe = load_recipe(
        write(
            tmp_path / "r.yaml",
            "inputs: [{path: 'd/*.txt', lang: 'no'}]\ntrain: {steps: 7}\nsampler: {mixture: {no: 1}}\n",
        )
    )
    again = load_recipe(write(tmp_path / "resolved.yaml", dump_recipe(recipe)))
    assert again == recipe
    assert recipe_fingerprint(again) == recipe_fingerprint(recipe)
    assert yaml.safe_load(dump_recipe(recipe)) == resolved(recipe)


def test_the_fingerprint_sees_values_not_spelling(tmp_path: Path) -> None:
    one = load_recipe(write(tmp_path / "1.yaml", "seed: 3\ntrain: {steps: 7, rows: 4}\n"))
    two = load_recipe(write(tmp_path / "2.yaml", "# other\ntrain:\n  rows: 4\n  steps: 7\nseed: 3\n"))
    three = load_recipe(write(tmp_path / "3.yaml", "seed: 3\ntrain: {steps: 8, rows: 4}\n"))
    assert recipe_fingerprint(one) == recipe_fingerprint(two) != recipe_fingerprint(three)


def test_the_environment_is_not_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    recipe = load_recipe(write(tmp_path / "r.yaml", "corpus: $SECRET_TOKEN/${SECRET_TOKEN}\n"))
    assert "hunter2" not in dump_recipe(recipe)


def test_reading_a_recipe_needs_neither_beam_nor_torch() -> None:
    code = (
        "import sys; from evenglot.recipe.load import load_recipe; load_recipe()\n"
        "heavy = {'apache_beam', 'torch', 'fasttext', 'datasets', 'sentencepiece'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")
