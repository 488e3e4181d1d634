"""``evenglot models``: every command on tiny models, with a hub on this machine and without one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.translation import tiny_models
from tests.pipeline.translation.fake_hub import COMMIT, Hub, serving

pytest.importorskip("ctranslate2")
pytest.importorskip("transformers")
Run = Callable[..., subprocess.CompletedProcess[str]]
COMMANDS = ("list", "fetch", "convert", "verify", "pairs", "remove")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders as others publish them: two directions of Marian, an NLLB of four languages, an encoder."""
    root = tmp_path_factory.mktemp("sources")
    tiny_models.marian(root / "opus-mt-de-en", source="de", target="en")
    tiny_models.marian(root / "opus-mt-en-sw", target="sw")
    tiny_models.nllb(root / "nllb", ["eng_Latn", "ewe_Latn", "fra_Latn", "qzz_Latn"])
    (root / "nllb" / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n", encoding="utf-8")
    tiny_models.encoder(root / "labse", "bert")
    return root


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "models"
    monkeypatch.setenv("EVENGLOT_MODELS", str(folder))
    return folder


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    import huggingface_hub.constants

    with serving() as found:
        # The library reads HF_ENDPOINT when it is imported, which may have been long ago.
        files = found.address + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", found.address)
        monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", files)
        yield found


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(cli: Run, command: str) -> None:
    page = cli("models", command, "--help").stdout
    assert f"evenglot models {command}" in page
    assert "--json" in page


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from evenglot.cli import main\n"
        f"codes = [main(['models', command, '--help']) for command in {COMMANDS}]\n"
        "heavy = {'torch', 'ctranslate2', 'huggingface_hub', 'numpy', 'pipeline', 'yaml'} & set(sys.modules)\n"
        "sys.exit(f'loaded {sorted(heavy)}' if heavy else sum(codes))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")


def test_an_empty_folder_lists_the_models_that_identify_languages(cli: Run, models: Path) -> None:
    result = json.loads(cli("models", "list", "--json").stdout)
    assert (result["folder"], result["models"]) == (str(models), [])
    ships, *others = result["language_identification"]
    assert (ships["name"], ships["licence"], ships["languages"]) == ("evenglot", "CC BY-SA 4.0", 464)
    assert {"name": "cis-lmu/glotlid", "languages": None, "size": None, "licence": "Apache-2.0"} in others
    assert f"no models in {models}" in cli("models", "list").stdout


def test_convert_list_verify_pairs_remove(cli: Run, sources: Path, models: Path) -> None:
    for name in ("opus-mt-de-en", "opus-mt-en-sw"):
        found = cli("models", "convert", sources / name, "--json")
        assert found.returncode == 0
        result = json.loads(found.stdout)
        assert (result["name"], result["folder"], result["kind"]) == (name, str(models / name), "translation")
        assert (result["quantisation"], result["licence"], result["non_commercial"]) == ("int8", "apache-2.0", False)
    assert result["pairs"] == [["eng_Latn", "swh_Latn"]]
    assert result["size"] == sum(path.stat().st_size for path in (models / "opus-mt-en-sw").iterdir())

    page = cli("models", "list").stdout
    assert "opus-mt-de-en  marian  deu_Latn to eng_Latn" in page
    checked = json.loads(cli("models", "verify", "--load", "--json").stdout)["models"]
    assert [(Path(one["folder"]).name, one["files"], one["problems"]) for one in checked] == [
        ("opus-mt-de-en", 6, []),
        ("opus-mt-en-sw", 6, []),
    ]
    assert [(one["tried"]["source"], one["tried"]["target"]) for one in checked] == [
        ("deu_Latn", "eng_Latn"),
        ("eng_Latn", "swh_Latn"),
    ]
    assert all(one["tried"]["score"] < 0 for one in checked)
    assert cli("models", "verify", "opus-mt-en-sw").stdout == "opus-mt-en-sw: 6 files, 0 problems\n"

    route = json.loads(cli("models", "pairs", "German", "sw", "--json").stdout)
    assert (route["source"], route["target"], route["pivots"]) == ("deu_Latn", "swh_Latn", ["eng_Latn"])
    assert [step["model"].partition("@")[0] for step in route["steps"]] == ["opus-mt-de-en", "opus-mt-en-sw"]
    assert cli("models", "pairs", "de", "sw").stdout.startswith("German to Swahili through English\n  deu_Latn to eng")
    missing = cli("models", "pairs", "sw", "de")
    assert missing.returncode == 2
    assert "no model translates from swh_Latn" in missing.stderr
    assert "evenglot models fetch" in missing.stderr
    assert "nor do any" not in cli("models", "pairs", "de", "sw", "--max-hops", "1").stderr

    assert cli("models", "remove", "opus-mt-de-en").stdout == f"removed {models / 'opus-mt-de-en'}\n"
    assert [path.name for path in models.iterdir()] == ["opus-mt-en-sw"]
    assert "It holds opus-mt-en-sw" in cli("models", "remove", "opus-mt-de-en").stderr


def test_licences_that_forbid_use_and_languages_left_out_are_said(cli: Run, sources: Path) -> None:
    found = cli("models", "convert", sources / "nllb")
    assert "warning: nllb is licensed cc-by-nc-4.0: no commercial use" in found.stderr
    assert "4 languages, all directions" in found.stdout
    assert "left out" not in found.stdout
    listed = cli("models", "list").stdout
    assert "cc-by-nc-4.0 (no commercial use)" in listed
    found = cli("models", "convert", sources / "nllb", "--pair", "en-ewe", "--licence", "MIT", "--name", "small")
    assert "warning" not in found.stderr
    assert found.stdout.startswith("small (nllb): eng_Latn to ewe_Latn\n")


def test_an_encoder_is_a_kind_of_its_own(cli: Run, sources: Path, models: Path) -> None:
    flags = ("--pooling", "cls", "--prompt", "query: ", "--licence", "MIT")
    result = json.loads(cli("models", "convert", sources / "labse", *flags, "--json").stdout)
    assert (result["kind"], result["pooling"], result["prompt"], result["dimension"]) == (
        "encoder",
        "cls",
        "query: ",
        16,
    )
    assert "vectors of 16 numbers, cls" in cli("models", "list").stdout
    (one,) = json.loads(cli("models", "verify", "--load", "--json").stdout)["models"]
    assert (one["problems"], one["tried"]["score"]) == ([], None)
    assert "no model translates" in cli("models", "pairs", "en", "sw").stderr


def test_damage_is_found(cli: Run, sources: Path, models: Path) -> None:
    cli("models", "convert", sources / "opus-mt-de-en")
    cli("models", "convert", sources / "opus-mt-en-sw")
    with (models / "opus-mt-de-en" / "model.bin").open("r+b") as weights:
        weights.seek(100)
        weights.write(b"\xff\xff")
    (models / "opus-mt-de-en" / "source.spm").unlink()
    found = cli("models", "verify", "--load", "--json")
    assert found.returncode == 3
    problems = [one["problems"] for one in json.loads(found.stdout)["models"]]
    folder = models / "opus-mt-de-en"
    expected = [
        f"{folder / 'model.bin'} is not the file that the card was written for",
        f"{folder / 'source.spm'} is missing",
    ]
    assert problems == [expected, []]
    assert "(and 1 more). Fetch or convert the model again" in found.stderr
    (models / "opus-mt-en-sw" / "evenglot-model.json").write_text("{")
    listed = cli("models", "list")
    assert listed.returncode == 0
    assert "Mend the card or convert the model again" in " ".join(listed.stdout.split())


def test_fetch_pins_converts_and_cleans_up(cli: Run, hub: Hub, sources: Path, models: Path) -> None:
    hub.add("me/opus-mt-en-sw", sources / "opus-mt-en-sw")
    found = cli("models", "fetch", "me/opus-mt-en-sw", "--json")
    assert found.returncode == 0, found.stderr
    result = json.loads(found.stdout)
    assert (result["source"], result["revision"], result["name"]) == ("me/opus-mt-en-sw", COMMIT, "opus-mt-en-sw")
    assert list((models / ".downloads").iterdir()) == []
    asked = len(hub.asked)
    again = cli("models", "fetch", "me/opus-mt-en-sw", "--revision", COMMIT, "--json")
    assert json.loads(again.stdout) == result
    assert "is here already" in again.stderr
    assert "--replace" in cli("models", "fetch", "you/opus-mt-en-sw").stderr
    assert len(hub.asked) == asked
    assert cli("models", "fetch", "me/opus-mt-en-sw", "--replace", "--keep-download").returncode == 0
    assert len(list((models / ".downloads").iterdir())) == 1

    hub.add("me/converted", models / "opus-mt-en-sw")
    found = cli("models", "fetch", "me/converted", "--name", "mine", "--json")
    assert json.loads(found.stdout)["folder"] == str(models / "mine")
    assert (models / "mine" / "model.bin").read_bytes() == (models / "opus-mt-en-sw" / "model.bin").read_bytes()


def test_offline_the_way_out_is_named(evenglot: Run, models: Path) -> None:
    found = evenglot("models", "fetch", "me/it", env={"HF_HUB_OFFLINE": "1", "EVENGLOT_MODELS": str(models)})  # type: ignore[call-arg]
    assert found.returncode == 3
    assert found.stdout == ""
    assert "me/it cannot be fetched" in found.stderr
    assert "'evenglot models convert FOLDER'" in found.stderr


def test_mistakes_are_one_line(cli: Run, sources: Path, tmp_path: Path) -> None:
    def refused(code: int, *arguments: object) -> str:
        found = cli("models", *arguments)
        assert (found.returncode, found.stdout) == (code, "")
        line: str = found.stderr.splitlines()[-1]
        return line

    assert "does not name two languages" in refused(2, "convert", sources / "nllb", "--pair", "en")
    assert "names no language" in refused(2, "convert", sources / "nllb", "--pair", "en-qqqq")
    assert "does not know swh_Latn" in refused(2, "convert", sources / "nllb", "--pair", "en:sw")
    assert "there is no folder" in refused(3, "convert", tmp_path / "none")
    assert "is no folder and no hub id" in refused(3, "fetch", "nothing")
    assert "there is no model 'none'" in refused(3, "verify", "none")
    assert "names no language" in refused(2, "pairs", "qqqq", "en")


def test_what_was_converted_is_copied_and_checked(cli: Run, sources: Path, models: Path, tmp_path: Path) -> None:
    first = json.loads(
        cli("models", "convert", sources / "opus-mt-en-sw", "--output", tmp_path / "usb", "--json").stdout
    )
    second: dict[str, Any] = json.loads(cli("models", "convert", tmp_path / "usb", "--json").stdout)
    assert second["folder"] == str(models / "opus-mt-en-sw")
    assert second["files"] == first["files"]
    (tmp_path / "usb" / "model.bin").write_bytes(b"damaged")
    found = cli("models", "convert", tmp_path / "usb", "--name", "other")
    assert found.returncode == 3
    assert "is not the file that the card was written for" in found.stderr
