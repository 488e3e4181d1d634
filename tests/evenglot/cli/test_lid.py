"""``evenglot lid``: the three commands on files written by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

WORDS = {
    "ewe": "ame siwo le xɔa me la yi tɔsisia gbɔ eye ɖeviawo le fefem le abɔa me gbesiagbe",
    "en": "the house stands by river and children play in garden every day while bread is baked",
    "tw": "ofie no gyina asubɔnten no nkyɛn na mmofra no di agorɔ wɔ turo no mu da biara",
}
SMALL = ("--dim", "16", "--epochs", "20", "--buckets", "2000", "--cap", "2000", "--licence", "CC0 1.0")


def sentence(label: str, number: int) -> str:
    words = WORDS[label].split()
    return " ".join(words[(number * 7 + place * 3) % len(words)] for place in range(10))


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Ewe as plain text."""
    path = tmp_path / "ewe.txt"
    path.write_text("".join(sentence("ewe", number) + "\n" for number in range(30)), encoding="utf-8")
    return path


@pytest.fixture
def neighbours(tmp_path: Path) -> Path:
    rows = [{"text": sentence(label, n), "lang": label, "doc": n // 2} for n in range(30) for label in ("en", "tw")]
    return write(tmp_path / "neighbours.jsonl", rows)


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Six good rows, one label that says nothing, one without a label, one broken line."""
    rows: list[dict[str, Any]] = [
        {"text": "My neighbour keeps bees behind the house and brings us honey.", "lang": "en", "source": "web"},
        {"text": "Our teacher asked the children to draw the river.", "lang": "eng_Latn", "source": "web"},
        {"text": "Unsere Nachbarin hält hinter dem Haus Bienen.", "lang": "German", "source": "book"},
        {"text": "Watoto wanacheza kwenye bustani karibu na mto.", "lang": "__label__swh_Latn", "source": "book"},
        {"text": "Наша соседка держит пчёл за домом и каждую осень приносит нам банку мёда.", "lang": "en"},
        {"text": "Ewo ni o fẹ́ràn jù?", "lang": "tlh"},
        {"text": "Nothing is known of this row.", "lang": "unknown"},
        {"text": "Nor of this one."},
    ]
    path = write(tmp_path / "labelled.jsonl", rows)
    with path.open("a", encoding="utf-8") as handle:
        handle.write('{"text": "cut off\n')
    return path


@pytest.mark.parametrize("command", ["score", "compare", "train"])
def test_every_command_explains_itself_and_loads_nothing_heavy(cli: Run, command: str) -> None:
    page = cli("lid", command, "--help").stdout
    assert "Examples" in page
    assert f"evenglot lid {command}" in page
    assert "--json" in page
    code = (
        "import sys\n"
        "from evenglot.cli import main\n"
        f"code = main(['lid', '{command}', '--help'])\n"
        "heavy = {'torch', 'apache_beam', 'pyarrow', 'numpy', 'pipeline', 'fasttext', 'yaml'} & set(sys.modules)\n"
        "sys.exit(f'loaded {sorted(heavy)}' if heavy else code)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")


def test_help_lists_the_group_and_its_commands(cli: Run) -> None:
    assert " lid " in cli("--help").stdout
    page = cli("lid", "--help").stdout
    assert all(f" {command} " in page for command in ("score", "compare", "train"))


def test_score_the_model_that_ships(cli: Run, labelled: Path) -> None:
    result = json.loads(cli("lid", "score", "--input", labelled, "--by", "source", "--json").stdout)
    assert result["model"]["name"] == "evenglot"
    assert result["rows"]["read"] == 9
    assert result["rows"]["unlabelled_labels"] == {"": 1, "unknown": 1}
    assert [(bad["file"], bad["line"], bad["reason"]) for bad in result["rows"]["broken_lines"]] == [
        (str(labelled), 9, "truncated_json")
    ]
    assert result["scored"] == 6
    assert result["accuracy"] == pytest.approx(4 / 6)
    assert result["languages"]["eng_Latn"] == {
        "precision": 1.0,
        "recall": pytest.approx(2 / 3),
        "f1": pytest.approx(0.8),
        "support": 3,
    }
    assert result["macro_f1"] == pytest.approx((0.8 + 1 + 1 + 0) / 4)
    assert result["unknown_to_model"] == {"tlh_Latn": 1}
    assert {"true": "eng_Latn", "predicted": "rus_Cyrl", "count": 1} in result["confusions"]
    values = result["by"]["values"]
    assert {value: (entry["rows"], entry["accuracy"]) for value, entry in values.items()} == {
        "": (2, 0.0),
        "book": (2, 1.0),
        "web": (2, 1.0),
    }


def test_score_for_people(cli: Run, labelled: Path) -> None:
    page = cli("lid", "score", "--input", labelled, "--by", "source").stdout
    lines = page.splitlines()
    rows = [line.split()[0] for line in lines if "_Latn " in line and "taken for" not in line and "know" not in line]
    assert rows == ["deu_Latn", "swh_Latn", "eng_Latn", "tlh_Latn"]
    assert "  eng_Latn taken for rus_Cyrl: 1" in lines
    assert "the model does not know tlh_Latn: 1 rows, all counted as errors" in lines
    assert "2 rows left out, no language in their label: none 1, 'unknown' 1" in lines
    assert f"  {labelled}:9: truncated_json" in lines
    assert "accuracy 0.6667, macro F1 0.7000 over 4 languages, 6 rows" in page


def test_train_then_score_then_compare(cli: Run, tmp_path: Path, own: Path, neighbours: Path) -> None:
    folder = tmp_path / "models" / "ewe"
    arguments = ("lid", "train", "--input", own, "--lang", "ewe", "--base", neighbours, "--output", folder, *SMALL)
    result = json.loads(cli(*arguments, "--json").stdout)
    assert result["model"] == str(folder / "model.ftz")
    assert result["labels"] == ["eng_Latn", "ewe_Latn", "twi_Latn", "zxx"]
    assert result["rows"]["read"] == 90
    card = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    assert (card["name"], card["licence"], card["cleaned"]) == ("ewe", "CC0 1.0", True)
    refused = cli(*arguments)
    assert refused.returncode == 2
    assert "--replace" in refused.stderr.splitlines()[-1]
    page = cli(*arguments, "--replace").stdout
    assert "It knows eng_Latn, ewe_Latn, twi_Latn, zxx and nothing else" in page

    test = write(tmp_path / "test.jsonl", [{"text": sentence(label, 40), "lang": label} for label in WORDS])
    model = folder / "model.ftz"
    scored = json.loads(cli("lid", "score", "-i", test, "-m", model, "--json").stdout)
    assert (scored["accuracy"], scored["scored"]) == (1.0, 3)
    assert scored["model"]["licence"] == "CC0 1.0"

    with (test).open("a", encoding="utf-8") as handle:
        handle.write(
            '{"text": "Наша соседка держит пчёл за домом и каждую осень приносит нам банку мёда.", "lang": "ru"}\n'
        )
    flags = ("-m", "evenglot", "-m", model)
    found = json.loads(cli("lid", "compare", "-i", test, *flags, "--json").stdout)
    assert [entry["licence"] for entry in found["models"]] == ["CC BY-SA 4.0", "CC0 1.0"]
    assert found["models"][1]["unknown_to_model"] == {"rus_Cyrl": 1}
    assert (found["all"]["rows"], found["all"]["languages"]) == (4, 4)
    assert (found["shared"]["rows"], found["shared"]["languages"]) == (3, 3)
    assert found["all"]["models"][1]["accuracy"] == 0.75
    assert found["shared"]["models"][1]["accuracy"] == 1.0
    assert found["all"]["only_one_right"][0] == 1
    assert all(entry["documents_per_cpu_second"] > 0 for entry in found["models"])
    shown = cli("lid", "compare", "-i", test, *flags).stdout
    assert "languages both know: accuracy" in shown
    assert "McNemar, exact" in shown

    both = json.loads(cli("lid", "score", "-i", test, "-m", f"evenglot,{model}", "--json").stdout)
    assert both["model"]["name"] == f"evenglot + {model}"
    assert both["languages"]["rus_Cyrl"]["recall"] == 1.0


def test_mistakes_are_one_line_with_the_way_out(cli: Run, tmp_path: Path, labelled: Path) -> None:
    def refused(code: int, *arguments: object) -> str:
        found = cli("lid", *arguments)
        assert (found.returncode, found.stdout) == (code, "")
        (line,) = found.stderr.splitlines()
        return line

    assert cli("lid").stderr == "error: no command is given. `evenglot lid --help` shows what it takes\n"
    assert "Give --model exactly twice" in refused(2, "compare", "-i", labelled, "-m", "evenglot")
    assert "missing.jsonl" in refused(3, "score", "-i", tmp_path / "missing.jsonl")
    assert "is no file and no hub id" in refused(2, "score", "-i", labelled, "-m", "./none.ftz")
    other = write(tmp_path / "other.jsonl", [{"content": "Moien", "language": "lb"}])
    assert "`--text-field content`" in refused(3, "score", "-i", other)
    assert "with 'content' and 'lang'" in refused(3, "score", "-i", other, "--text-field", "content")
    one = write(tmp_path / "one.jsonl", [{"text": "Moien alleguer", "lang": "lb"}])
    assert "with --base" in refused(3, "train", "-i", one, "-o", tmp_path / "m", "--licence", "CC0")
    assert not (tmp_path / "m").exists()
