"""The command line as people meet it: help, version, speed, and what happens to bad input."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import evenglot as package

Run = Callable[..., subprocess.CompletedProcess[str]]
COMMANDS = ("demo", "prepare", "tokenize", "train", "add-language", "evaluate", "report", "inspect", "verify")


def assert_one_line(found: subprocess.CompletedProcess[str], code: int, *parts: str) -> None:
    """The run failed with this code, said so in one line with these parts, and printed nothing else."""
    assert found.returncode == code, found.stderr
    assert found.stdout == ""
    lines = found.stderr.splitlines()
    assert len(lines) == 1, found.stderr
    assert lines[0].startswith("error: ")
    for part in parts:
        assert part in lines[0]


def indented(code: str) -> str:
    """Code as the body of a function."""
    return textwrap.indent(code.lstrip("\n"), "    ")


def flat(text: str) -> str:
    """The text without the line breaks of the terminal."""
    return " ".join(text.split())


def test_version(evenglot: Run) -> None:
    found = evenglot("--version")
    assert (found.returncode, found.stdout) == (0, f"evenglot {package.__version__}\n")


def test_help_lists_every_command(cli: Run) -> None:
    found = cli("--help")
    assert found.returncode == 0
    for command in COMMANDS:
        assert f" {command} " in found.stdout
    assert "evenglot demo" in found.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_examples(cli: Run, command: str) -> None:
    found = cli(command, "--help")
    assert found.returncode == 0
    page = found.stdout
    assert "Examples" in page
    assert f"evenglot {command}" in page
    assert "--json" in page


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from evenglot.cli import main\n"
        "code = main(['--help'])\n"
        "heavy = {'torch', 'apache_beam', 'pyarrow', 'numpy', 'pydantic', 'datasets', 'yaml'} & set(sys.modules)\n"
        "sys.exit(f'loaded {sorted(heavy)}' if heavy else code)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")


def test_an_unknown_command_or_flag(cli: Run) -> None:
    assert_one_line(cli("prepair"), 2, "prepair", "`evenglot --help`")
    assert_one_line(cli("train", "--step", "x"), 2, "--step")
    assert_one_line(cli("train", "--steps", "many"), 2, "--steps", "`evenglot train --help`")


def test_prepare_without_input(cli: Run, tmp_path: Path) -> None:
    assert_one_line(cli("prepare", "--output", tmp_path / "out"), 2, "no input is given", "--input")


def test_prepare_with_a_missing_file(evenglot: Run, tmp_path: Path) -> None:
    missing = tmp_path / "missing.jsonl"
    assert_one_line(evenglot("prepare", "-i", missing, "-o", tmp_path / "out"), 3, str(missing))
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_prepare_with_a_glob_that_matches_nothing(evenglot: Run, tmp_path: Path) -> None:
    glob = tmp_path / "*.jsonl"
    assert_one_line(evenglot("prepare", "-i", glob, "-o", tmp_path / "out", "--json"), 3, str(glob))


def test_prepare_with_a_bad_recipe(evenglot: Run, cli: Run, tmp_path: Path) -> None:
    recipe = tmp_path / "r.yaml"
    recipe.write_text("inputs: [{path: a}\n")
    assert_one_line(evenglot("prepare", "-r", recipe), 2, f"{recipe}:2: this is not YAML")
    recipe.write_text("prepare:\n  balanse: {}\n")
    assert_one_line(evenglot("prepare", "-r", recipe), 2, f"{recipe}:2: prepare.balanse", "Did you mean 'balance'?")
    assert_one_line(cli("prepare", "-r", tmp_path / "no.yaml"), 2, "no.yaml does not exist")
    assert_one_line(cli("prepare", "--set", "train.steps=x"), 2, "--set train.steps: train.steps: expected")


def test_prepare_again_says_that_there_is_nothing_to_do(cli: Run, tmp_path: Path) -> None:
    text = "The river rises in the hills and flows slowly past the old mill towards the sea."
    (tmp_path / "in.jsonl").write_text(json.dumps({"text": text}) + "\n")
    command = ("prepare", "-i", tmp_path / "in.jsonl", "-o", tmp_path / "out")
    assert "nothing to prepare" not in cli(*command).stdout
    assert f"snapshot 1 of {tmp_path / 'out'} is of these inputs and settings: nothing to prepare" in " ".join(
        cli(*command).stdout.split()
    )
    again = json.loads(cli(*command, "--json").stdout)
    assert (again["snapshot"], again["unchanged"]) == (1, True)
    other = json.loads(cli(*command, "--seed", "1", "--json").stdout)
    assert (other["snapshot"], other["unchanged"]) == (2, False)


def test_prepare_that_keeps_nothing_says_where_to_look(cli: Run, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_bytes(b"caf\xe9 au lait\n")
    broken = cli(
        "prepare", "-i", tmp_path / "in.txt", "-o", tmp_path / "out", "--set", "prepare.fail_unreadable_share=1"
    )
    assert f"no record was kept: look at the reasons with `evenglot inspect {tmp_path / 'out'} --unreadable`" in flat(
        broken.stdout
    )
    (tmp_path / "in.txt").write_text("hm\n")
    short = cli("prepare", "-i", tmp_path / "in.txt", "-o", tmp_path / "out")
    assert f"no record was kept: look at the reasons with `evenglot inspect {tmp_path / 'out'} --rejected`" in flat(
        short.stdout
    )


def test_prepare_into_a_place_that_is_a_file(evenglot: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "Some text that is long enough to be looked at.", "lang": "en"}\n')
    (tmp_path / "out").write_text("a file where a folder should be")
    found = evenglot("prepare", "-i", tmp_path / "in.jsonl", "-o", tmp_path / "out", "--workers", 1)
    assert found.returncode == 2
    assert found.stdout == ""
    errors = [line for line in found.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, found.stderr
    assert f"cannot write {tmp_path / 'out'}" in errors[0]
    assert (tmp_path / "out").read_text() == "a file where a folder should be"


@pytest.mark.parametrize(
    "arguments",
    [
        ("tokenize", "--corpus", "none"),
        ("train", "--corpus", "none", "--run", "run"),
        ("evaluate", "--corpus", "none", "--run", "run"),
        ("report", "--corpus", "none"),
        ("inspect", "none"),
        ("verify", "none"),
    ],
)
def test_no_corpus(cli: Run, tmp_path: Path, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert_one_line(cli(*arguments), 4, "none holds no corpus", "evenglot prepare")
    assert list(tmp_path.iterdir()) == []


def test_no_corpus_in_a_process_of_its_own(evenglot: Run, tmp_path: Path) -> None:
    assert_one_line(evenglot("tokenize", "--corpus", "none", cwd=tmp_path), 4, "none holds no corpus")


def test_no_run(evenglot: Run, cli: Run, corpus: Path, tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"
    for run, command in ((evenglot, "evaluate"), (cli, "report")):
        assert_one_line(run(command, "--corpus", corpus, "--run", missing), 3, str(missing), "evenglot train")
    assert not missing.exists()


def test_one_of_several_processes_speaks(
    cli: Run, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "metrics.jsonl").touch()
    figures = {"bits_per_byte": 2.0, "loss": 1.0, "bytes": 5, "tokens": 4}
    result = {"languages": {"eng_Latn": figures}, "macro_bits_per_byte": 2.0, "micro_bits_per_byte": 2.0}
    monkeypatch.setattr("evenglot.steps.evaluate", lambda *arguments: result)
    for rank, spoken in (("0", True), ("1", False)):
        monkeypatch.setenv("RANK", rank)
        found = cli("evaluate", "--corpus", corpus, "--run", tmp_path)
        assert found.returncode == 0, found.stderr
        assert ("2.000" in found.stdout) == spoken
        assert (found.stdout == "") != spoken


def test_train_before_tokenize(cli: Run, corpus: Path, tmp_path: Path) -> None:
    assert_one_line(cli("train", "--corpus", corpus, "--run", tmp_path / "run"), 4, "evenglot tokenize")


def test_inspect_shows_languages(cli: Run, corpus: Path) -> None:
    found = cli("inspect", corpus)
    assert found.returncode == 0
    assert "18 records read = 15 kept + 2 rejected + 1 unreadable" in found.stdout
    result = json.loads(cli("inspect", corpus, "--json").stdout)
    assert [row["lang"] for row in result["languages"]] == ["eng_Latn", "swh_Latn", "heb_Hebr", "und"]
    assert result["rejected_by_reason"] == {"deduplicate/exact": 1, "filter/too_short": 1}


def test_inspect_shows_samples_rejects_and_documents(cli: Run, corpus: Path) -> None:
    assert "Watoto wanacheza" in cli("inspect", corpus, "--lang", "Swahili").stdout
    rejected = cli("inspect", corpus, "--rejected", "filter").stdout
    assert "filter/too_short (2 characters < 5)" in rejected
    copies = json.loads(cli("inspect", corpus, "--reason", "exact", "--json").stdout)["documents"]
    assert [row["key"] for row in copies] == ["copy"]
    found = json.loads(cli("inspect", corpus, "--document", copies[0]["id"][:16], "--json").stdout)
    assert found["document"]["duplicate_of_document"]["key"] == "eng_Latn0"
    broken = json.loads(cli("inspect", corpus, "--unreadable", "--json").stdout)
    assert broken["records"][0]["raw"] == '{"text": "\\xff'


def test_inspect_lets_no_text_steer_the_terminal(cli: Run, corpus: Path) -> None:
    broken = corpus / "unreadable/000001-00000.jsonl"
    record = {**json.loads(broken.read_text()), "raw_base64": base64.b64encode(b"\x1b]0;title\x07red").decode()}
    broken.write_text(json.dumps(record) + "\n")
    shown = cli("inspect", corpus, "--unreadable").stdout
    assert "\x1b" not in shown
    assert r"\x1b]0;title\x07red" in shown


def test_inspect_with_an_unknown_language(evenglot: Run, corpus: Path) -> None:
    assert_one_line(evenglot("inspect", corpus, "--lang", "qqxzzy"), 2, "'qqxzzy' names no language")
    assert_one_line(evenglot("inspect", corpus, "--lang", "Welsh"), 2, "no document of cym_Latn ('Welsh')", "eng_Latn")


def test_verify_a_whole_and_a_damaged_corpus(evenglot: Run, corpus: Path) -> None:
    whole = evenglot("verify", corpus, "--json")
    assert whole.returncode == 0, whole.stderr
    assert json.loads(whole.stdout)["ok"] is True
    shard = corpus / "text/heb_Hebr/000001-train-00000.arrow"
    shard.unlink()
    damaged = evenglot("verify", corpus, "--json")
    assert damaged.returncode == 4
    assert json.loads(damaged.stdout)["ok"] is False
    assert damaged.stderr.startswith(f"error: {corpus} is damaged: text/heb_Hebr/000001-train-00000.arrow is missing")


def test_a_damaged_manifest(cli: Run, corpus: Path) -> None:
    (corpus / "manifest.json").write_text("{")
    assert_one_line(cli("inspect", corpus), 4, "manifest.json is damaged")


def test_output_that_nobody_reads_is_no_error(corpus: Path) -> None:
    command = f'"{sys.executable}" -m evenglot inspect "{corpus}" --rejected | head -c 1'
    found = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False)
    assert found.stderr == ""


def begun_with(folder: Path, code: str) -> dict[str, str]:
    """Environment of a process that runs some code before its own."""
    (folder / "sitecustomize.py").write_text(code)
    return {"PYTHONPATH": f"{folder}:{Path(package.__file__).parents[1]}"}


def test_a_defect_is_one_line_too_unless_debugging(
    evenglot: Run, corpus: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = begun_with(
        tmp_path,
        "import corpus.manifest\n\n"
        "def broken(*_):\n    raise RuntimeError('boom')\n\n"
        "corpus.manifest.read_snapshot = broken\n",
    )
    assert_one_line(evenglot("inspect", corpus, env=path), 1, "unexpected RuntimeError: boom", "EVENGLOT_DEBUG=1")
    assert "Traceback" in evenglot("inspect", corpus, env={**path, "EVENGLOT_DEBUG": "1"}).stderr


@pytest.fixture
def heeded() -> Iterator[None]:
    """Ctrl-C is heeded, as at a terminal: a shell that starts the tests in the background has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded")
def test_an_interrupt_is_said_and_not_swallowed(cli: Run, corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corpus.manifest.read_snapshot", lambda *_: signal.raise_signal(signal.SIGINT))
    assert_one_line(cli("inspect", corpus), 130, "interrupted")


@pytest.mark.usefixtures("heeded")
def test_interrupted_while_code_made_from_a_string_runs(evenglot: Run, corpus: Path, tmp_path: Path) -> None:
    path = begun_with(
        tmp_path,
        "import corpus.manifest\n\n\n"
        "def interrupt(*_):\n    exec('import signal; signal.raise_signal(signal.SIGINT)')\n\n"
        "corpus.manifest.read_snapshot = interrupt\n",
    )
    assert_one_line(evenglot("inspect", corpus, env=path), 130, "interrupted")


DROPPED = {
    "by what catches everything": """
try:
    signal.raise_signal(signal.SIGINT)
except BaseException:
    pass
""",
    "by a callback of the garbage collector": """
dying = {"some"}
gone = weakref.ref(dying, lambda _: signal.raise_signal(signal.SIGINT))
del dying
""",
}
"""Ways to press Ctrl-C such that the exception never comes to those who wait for it."""


@pytest.mark.usefixtures("heeded")
@pytest.mark.parametrize("way", DROPPED)
def test_an_interrupt_that_was_dropped_ends_the_command_all_the_same(
    evenglot: Run, corpus: Path, tmp_path: Path, way: str
) -> None:
    path = begun_with(
        tmp_path,
        f"import signal, time, weakref\n\nimport corpus.manifest\n\n\ndef press(*_):\n{indented(DROPPED[way])}"
        "    time.sleep(100)\n    print('the command went on')\n\n\ncorpus.manifest.read_snapshot = press\n",
    )
    assert_one_line(evenglot("inspect", corpus, env=path, timeout=60), 130, "interrupted")


@pytest.mark.usefixtures("heeded")
def test_nothing_is_committed_once_ctrl_c_was_pressed(evenglot: Run, tmp_path: Path) -> None:
    text = "The river rises in the hills and flows slowly past the old mill towards the sea."
    (tmp_path / "in.jsonl").write_text(json.dumps({"text": text}) + "\n")
    path = begun_with(
        tmp_path,
        "import signal, weakref\n\nimport pipeline.prepare.run as run\n\naccount = run.PrepareRun.account\n\n\n"
        f"def press(*arguments):\n{indented(DROPPED['by what catches everything'])}    return account(*arguments)\n\n\n"
        "run.PrepareRun.account = press  # made just before the commit\n",
    )
    command = ("prepare", "-i", tmp_path / "in.jsonl", "-o", tmp_path / "out", "--workers", "1")
    found = evenglot(*command, env=path)
    assert (found.returncode, found.stdout) == (130, ""), found.stderr
    progress, last = found.stderr.splitlines()[:-1], found.stderr.splitlines()[-1]
    assert last == "error: interrupted; what was committed before is untouched"
    assert [line for line in progress if "/s, " not in line] == []
    assert (tmp_path / "out").exists()
    assert not (tmp_path / "out" / "manifest.json").exists()
    assert evenglot(*command).returncode == 0
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["current"] == 1


@pytest.mark.usefixtures("heeded")
def test_an_interrupted_command_waits_for_no_thread(evenglot: Run, corpus: Path, tmp_path: Path) -> None:
    path = begun_with(
        tmp_path,
        "import atexit, signal, threading, time\n\nimport corpus.manifest\n\n\ndef press(*_):\n"
        "    threading.Thread(target=time.sleep, args=(100,)).start()\n    atexit.register(print, 'put in order')\n"
        "    signal.raise_signal(signal.SIGINT)\n\n\ncorpus.manifest.read_snapshot = press\n",
    )
    found = evenglot("inspect", corpus, env=path, timeout=60)
    assert (found.returncode, found.stdout) == (130, "put in order\n")
    assert found.stderr.splitlines() == ["error: interrupted; what was committed before is untouched"]


@pytest.mark.usefixtures("heeded")
def test_interrupted_by_the_keyboard(tmp_path: Path) -> None:
    text = json.dumps({"text": "A sentence that is long enough to be looked at and kept, number {}."}) + "\n"
    (tmp_path / "in.jsonl").write_text("".join(text.replace("{}", str(number)) for number in range(200_000)))
    command = [sys.executable, "-m", "evenglot", "prepare", "-i", "in.jsonl", "-o", "out", "--workers", "1"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "out").exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    shown, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert shown == ""
    assert said.splitlines()[-1] == "error: interrupted; what was committed before is untouched"
    assert "Traceback" not in said
    assert not (tmp_path / "out" / "manifest.json").exists()
