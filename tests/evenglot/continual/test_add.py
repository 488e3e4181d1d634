from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from corpus.errors import ConfigurationError, CorpusError, InputError
from corpus.manifest import read_snapshot
from evenglot.continual.add import add_languages
from evenglot.continual.config import AddLanguageConfig
from evenglot.recipe.load import load_recipe
from tests.evenglot.continual.conftest import Small
from trainer.continual.trained import read_trained
from trainer.evaluate import evaluate

ROOT = Path(__file__).resolve().parents[3]


def add(small: Small, output: Path, *languages: str, **given: Any) -> dict[str, Any]:
    keywords = {name: given.pop(name) for name in ("run", "corpus", "old_corpus", "fresh") if name in given}
    overrides = given.pop("set_", ())
    settings = AddLanguageConfig.model_validate({"languages": languages, **given})
    return add_languages(
        str(keywords.pop("run", small.run)),
        keywords.pop("corpus", None),
        str(output),
        settings,
        lambda had: load_recipe(None, overrides, base=("old run", had)),
        **keywords,
    )


def test_a_frozen_run_knows_more_and_the_old_as_before(small: Small, tmp_path: Path) -> None:
    found = add(small, tmp_path, "est_Latn")
    assert found["old_parameters_equal"]
    assert found["old_losses_equal"]
    assert {lang: found["after"][lang] for lang in found["before"]} == found["before"]
    tried = found["losses_by_adapter"]["est_Latn"]
    assert list(tried.values()) == sorted(tried.values())
    assert set(tried) == {"core", "fin_Latn", "swh_Latn"}
    assert tried["fin_Latn"] < tried["swh_Latn"]  # Estonian is nearer to Finnish
    assert found["start"] == {"est_Latn": ["core"]}  # but neither adapter of so small a model fits better than none
    assert found["after"]["est_Latn"] < found["before_new"]["est_Latn"]["core"]
    assert json.loads((tmp_path / "continual.json").read_text()) == found
    assert not (tmp_path / "corpus").exists()  # the run's own corpus has all that is needed
    assert read_trained(tmp_path).languages == ["est_Latn", "fin_Latn", "swh_Latn"]
    # An ordinary run: evaluated as any other, with the same figures.
    figures = evaluate(str(tmp_path), small.corpus)["languages"]
    assert figures["est_Latn"]["bits_per_byte"] == pytest.approx(found["after"]["est_Latn"], abs=1e-6)


def test_started_again_a_finished_run_stays_and_other_settings_are_refused(small: Small, tmp_path: Path) -> None:
    first = add(small, tmp_path, "est_Latn", steps=3)
    weights = (tmp_path / "checkpoints" / "00000003" / "model.safetensors").read_bytes()
    assert add(small, tmp_path, "est_Latn", steps=3) == first
    assert (tmp_path / "checkpoints" / "00000003" / "model.safetensors").read_bytes() == weights
    with pytest.raises(ConfigurationError, match="was begun with another steps"):
        add(small, tmp_path, "est_Latn", steps=4)
    assert add(small, tmp_path, "est_Latn", steps=4, fresh=True)["steps"] == 4


def test_new_pieces_leave_old_losses_to_the_bit(small: Small, tmp_path: Path) -> None:
    found = add(small, tmp_path / "one", "hye_Armn", corpus=small.other, new_pieces=20, start="core")
    assert found["old_losses_equal"]
    assert found["vocabulary"]["after"] == found["vocabulary"]["before"] + 20
    own = read_snapshot(str(tmp_path / "one" / "corpus"))
    described = own.tokenizers["spm.hye_Armn"]
    assert described["token_rows"] == dict.fromkeys(("fin_Latn", "swh_Latn"), found["vocabulary"]["before"])
    shards = {(file.tokenizer, file.split): file.hash for file in own.select("tokens", lang="fin_Latn")}
    assert shards["spm", "train"] == shards["spm.hye_Armn", "train"]  # old text keeps its old encoding
    fertility = found["fertility"]["hye_Armn"]
    assert fertility["spm.hye_Armn"] < 0.6 * fertility["spm"]
    start = load_file(tmp_path / "one" / "start.safetensors")["embedding.weight"]
    assert len(start) == found["vocabulary"]["after"]
    # And once more on top of that, with the core open, replay and both penalties.
    more = add(
        small, tmp_path / "two", "est_Latn", run=tmp_path / "one", corpus=small.corpus, new_pieces=10,
        mode="open", ewc=1.0, l2_sp=0.1, fisher_rows=4, steps=6,
    )  # fmt: skip
    assert read_trained(tmp_path / "two").token_rows == {
        "fin_Latn": found["vocabulary"]["before"],
        "swh_Latn": found["vocabulary"]["before"],
        "hye_Armn": found["vocabulary"]["after"],
    }
    assert not more["old_parameters_equal"]
    assert more["before"] == pytest.approx(
        {lang: found["after"][lang] for lang in ("fin_Latn", "hye_Armn", "swh_Latn")}, abs=1e-6
    )
    lines = [json.loads(line) for line in (tmp_path / "two" / "metrics.jsonl").read_text().splitlines()]
    last = next(line for line in reversed(lines) if line["kind"] == "train")
    assert last["penalties"]["ewc"]["value"] > 0
    assert last["penalties"]["l2_sp"]["distance"] == pytest.approx(last["penalties"]["ewc"]["distance"])
    shares = next(line for line in reversed(lines) if line["kind"] == "sampler")["languages"]
    assert shares["est_Latn"]["asked"] == pytest.approx(0.7)
    assert {lang for lang, got in shares.items() if got["asked"]} == {"est_Latn", "fin_Latn", "hye_Armn", "swh_Latn"}


def test_killed_and_started_again_it_comes_to_the_same_bits(small: Small, tmp_path: Path) -> None:
    add(small, tmp_path / "whole", "est_Latn", steps=20)
    command = [
        sys.executable, "-m", "evenglot", "add-language", "--run", small.run, "-l", "est_Latn",
        "-o", str(tmp_path / "killed"), "--steps", "20",
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    checkpoints = tmp_path / "killed" / "checkpoints"
    deadline = time.monotonic() + 100
    while not (checkpoints / "00000005" / "state.json").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (checkpoints / "00000020").exists()
    add(small, tmp_path / "killed", "est_Latn", steps=20)
    one, other = (
        load_file(tmp_path / name / "checkpoints" / "00000020" / "model.safetensors") for name in ("whole", "killed")
    )
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_what_cannot_be_added_is_said(small: Small, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="knows fin_Latn already"):
        add(small, tmp_path / "out", "fin_Latn")
    with pytest.raises(InputError, match="no training text of zul_Latn"):
        add(small, tmp_path / "out", "zul_Latn")
    with pytest.raises(ConfigurationError, match=r"names hye_Armn, which .* does not know"):
        add(small, tmp_path / "out", "est_Latn", start="relatives", relatives=("hye_Armn",))
    with pytest.raises(ConfigurationError, match="is the old run's folder"):
        add(small, Path(small.run), "est_Latn")
    with pytest.raises(ConfigurationError, match=r"train\.model is not the old run's"):
        add(small, tmp_path / "out", "est_Latn", set_=("train.model.width=32",))
    with pytest.raises(CorpusError, match="is not the one that the run was trained with"):
        add(small, tmp_path / "out", "hye_Armn", corpus=small.other, old_corpus=small.other)
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in Path(small.run).iterdir():
        if path.name != "summary.json":
            (copy / path.name).symlink_to(path)
    with pytest.raises(InputError, match="is not finished: it stands at step 20"):
        add(small, tmp_path / "out", "est_Latn", run=copy)
    with pytest.raises(InputError, match="holds another run"):
        add(small, copy, "est_Latn")
    assert not (tmp_path / "out" / "continual.json").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"languages": ("a", "a")}, "named twice"),
        ({"languages": ("a",), "start": "relatives"}, "relatives are named exactly when"),
        ({"languages": ("a",), "relatives": ("b",)}, "relatives are named exactly when"),
        ({"languages": ("a",), "ewc": 1.0}, "set mode to `open`"),
        ({"languages": ()}, "at least 1"),
    ],
)
def test_settings_that_contradict_each_other(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        AddLanguageConfig.model_validate(given)


def test_pieces_are_added_to_sentencepiece_models_alone(small: Small, tmp_path: Path) -> None:
    snapshot = read_snapshot(small.corpus)
    other = {**snapshot.tokenizers["spm"], "kind": "tokenizers"}
    folder = tmp_path / "corpus"
    shutil.copytree(small.corpus, folder)
    path = folder / "snapshots" / f"{snapshot.number:06d}.json"
    path.write_text(
        json.dumps(snapshot.model_copy(update={"tokenizers": {"spm": other}}).model_dump(mode="json")), encoding="utf-8"
    )
    with pytest.raises(ConfigurationError, match="is no SentencePiece model"):
        add(small, tmp_path / "out", "est_Latn", corpus=str(folder), old_corpus=str(folder), new_pieces=5)
