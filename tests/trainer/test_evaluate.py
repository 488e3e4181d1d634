from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from corpus.errors import CorpusError, InputError
from corpus.manifest import commit, read_snapshot
from corpus.storage import Storage
from sampler.config import SamplerConfig
from sampler.heldout import HeldoutRows
from trainer import evaluate as module
from trainer.config import HeldoutConfig, LogConfig, ModelConfig, ObjectiveConfig, TrainConfig
from trainer.distributed import World
from trainer.evaluate import Evaluator, evaluate, trained_snapshot
from trainer.heldout import rows as containers
from trainer.heldout.rows import HeldoutLanguage, in_memory, load_heldout, streamed
from trainer.loop import train
from trainer.model.transformer import Transformer

ALONE = World(0, 1, torch.device("cpu"))
SMALL = ModelConfig(width=16, layers=1, heads=2)


def evaluator(
    heldout: Mapping[str, HeldoutLanguage], known: list[str], kind: str = "causal", rows: int = 4
) -> Evaluator:
    config = ObjectiveConfig.model_validate({"kind": kind})
    return Evaluator(in_memory(heldout), known, config, mask_id=4, pass_rows=rows, precision=torch.float32, world=ALONE)


def uniform_model(languages: int) -> Transformer:
    """Gives every token the same probability."""
    torch.manual_seed(0)
    model = Transformer(SMALL, vocabulary=261, languages=languages)
    torch.nn.init.zeros_(model.embedding.weight)
    return model


def test_a_uniform_model_needs_the_logarithm_of_the_vocabulary(tiny_corpus: str) -> None:
    heldout = load_heldout(tiny_corpus, "bytes", 32, rows=None)
    evidence = read_snapshot(tiny_corpus).languages
    for kind in ("causal", "masked"):
        line = evaluator(heldout, list(heldout), kind)(uniform_model(3))
        assert line["objective"] == kind
        assert set(line["languages"]) == {"eng_Latn", "swh_Latn", "ell_Grek"}
        for lang, figures in line["languages"].items():
            assert figures["bytes"] == figures["tokens"] == evidence[lang].heldout_bytes  # a token is a byte here
            assert figures["loss"] == pytest.approx(math.log(261))
            assert figures["bits_per_byte"] == pytest.approx(math.log2(261))
        assert line["macro_bits_per_byte"] == pytest.approx(math.log2(261))
        assert line["micro_bits_per_byte"] == pytest.approx(math.log2(261))


def test_macro_weighs_languages_and_micro_bytes() -> None:
    tokens = np.array([[2, 5, 6, 7]])
    layout = (np.zeros((1, 4), np.int32), np.arange(4, dtype=np.int32)[None])
    heldout = {"a": HeldoutLanguage(tokens, *layout, 3), "b": HeldoutLanguage(tokens, *layout, 6)}
    line = evaluator(heldout, ["a", "b"])(uniform_model(2))
    bits = 3 * math.log2(261)
    assert line["languages"]["b"]["bits_per_byte"] == pytest.approx(bits / 6)
    assert line["macro_bits_per_byte"] == pytest.approx((bits / 3 + bits / 6) / 2)
    assert line["micro_bits_per_byte"] == pytest.approx(2 * bits / 9)


@pytest.mark.parametrize("kind", ["causal", "masked"])
def test_batching_does_not_change_the_figures(tiny_corpus: str, kind: str) -> None:
    torch.manual_seed(0)
    model = Transformer(SMALL, vocabulary=261, languages=3)
    heldout = load_heldout(tiny_corpus, "bytes", 32, rows=None)
    one, other = (evaluator(heldout, list(heldout), kind, rows)(model) for rows in (1, 7))
    assert one["micro_bits_per_byte"] == pytest.approx(other["micro_bits_per_byte"], rel=1e-6)
    assert model.training


@pytest.mark.parametrize("kind", ["causal", "masked"])
def test_rows_read_anew_give_the_same_figures_as_rows_in_memory(
    tiny_corpus: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    model = Transformer(SMALL, vocabulary=261, languages=3)
    monkeypatch.setattr(containers, "_PART", 3)
    monkeypatch.setattr(module, "_CHUNK", 7)
    heldout = load_heldout(tiny_corpus, "bytes", 32, rows=None)
    read = streamed(HeldoutRows(tiny_corpus, tokenizer="bytes", row_tokens=32))
    config = ObjectiveConfig.model_validate({"kind": kind})
    anew = Evaluator(read, list(heldout), config, mask_id=4, pass_rows=4, precision=torch.float32, world=ALONE)
    line = anew(model)
    assert line == evaluator(heldout, list(heldout), kind)(model)
    assert anew(model) == line
    assert read.rows == sum(len(part.tokens) for part in heldout.values())


def test_few_rows_are_in_memory_at_once(tiny_corpus: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "_PART", 2)
    read = streamed(HeldoutRows(tiny_corpus, tokenizer="bytes", row_tokens=32))
    parts = list(read.parts())
    assert max(len(part.tokens) for part in parts) == 2
    assert len(parts) > 3
    assert [part.first for part in parts if part.language == 0] == list(range(0, 2 * len(parts), 2))[
        : sum(part.language == 0 for part in parts)
    ]


def test_a_language_without_adapter_is_scored_by_the_core(tiny_corpus: str) -> None:
    torch.manual_seed(0)
    model = Transformer(SMALL, vocabulary=261, languages=2)
    heldout = load_heldout(tiny_corpus, "bytes", 32, rows=None)
    known = ["eng_Latn", "swh_Latn"]
    before = evaluator(heldout, known)(model)["languages"]
    with torch.no_grad():
        model.adapters()[0].up += 0.3
    after = evaluator(heldout, known)(model)["languages"]
    assert after["ell_Grek"] == before["ell_Grek"]
    assert after["eng_Latn"]["loss"] != before["eng_Latn"]["loss"]


def test_rows_of_each_language_can_be_bounded(tiny_corpus: str) -> None:
    whole = load_heldout(tiny_corpus, "bytes", 32, rows=None)
    some = load_heldout(tiny_corpus, "bytes", 32, rows=6)
    assert len(whole["eng_Latn"].tokens) > 6
    assert len(some["eng_Latn"].tokens) <= 6
    assert some["eng_Latn"].size < whole["eng_Latn"].size


def test_languages_can_be_chosen(tiny_corpus: str) -> None:
    assert set(load_heldout(tiny_corpus, "bytes", 32, rows=None, languages=["ell_Grek", "xho_Latn"])) == {"ell_Grek"}
    nothing = load_heldout(tiny_corpus, "bytes", 32, rows=None, languages=[])
    assert evaluator(nothing, ["a"])(uniform_model(1)) == {
        "objective": "causal",
        "languages": {},
        "macro_bits_per_byte": None,
        "micro_bits_per_byte": None,
    }


@pytest.fixture(scope="module")
def run(tiny_corpus: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = str(tmp_path_factory.mktemp("evaluate") / "run")
    config = TrainConfig(
        steps=4,
        rows=4,
        model=SMALL,
        threads=1,
        heldout=HeldoutConfig(rows=None),
        log=LogConfig(tensorboard=False),
    )
    train(tiny_corpus, folder, config, SamplerConfig(row_tokens=32), tokenizer="bytes", seed=0)
    return folder


def test_evaluates_a_run_as_its_last_heldout_line_did(run: str, tiny_corpus: str) -> None:
    calls: list[tuple[str, int, int]] = []
    result = evaluate(run, tiny_corpus, progress=lambda *call: calls.append(call))
    assert result == json.loads((Path(run) / "evaluation.json").read_text())
    final = json.loads((Path(run) / "summary.json").read_text())["final"]
    assert result["languages"] == final["languages"]
    assert result["checkpoint"].endswith("00000004")
    worst = max(result["languages"], key=lambda lang: result["languages"][lang]["bits_per_byte"])
    assert result["worst"] == {"lang": worst, "bits_per_byte": result["languages"][worst]["bits_per_byte"]}
    assert calls[-1][0] == "evaluate (rows)"
    assert calls[-1][1] == calls[-1][2]


def test_evaluates_an_earlier_checkpoint(run: str, tiny_corpus: str) -> None:
    latest = evaluate(run, tiny_corpus)
    for name in ("3", Path(run) / "checkpoints" / "00000003"):
        earlier = evaluate(run, tiny_corpus, name)
        assert earlier["checkpoint"].endswith("00000003")
        assert earlier["macro_bits_per_byte"] != latest["macro_bits_per_byte"]


def test_another_objective_can_be_asked_for(run: str, tiny_corpus: str) -> None:
    causal = evaluate(run, tiny_corpus)
    masked = evaluate(run, tiny_corpus, objective="masked")
    assert (causal["objective"], masked["objective"]) == ("causal", "masked")
    assert masked["macro_bits_per_byte"] != causal["macro_bits_per_byte"]
    assert evaluate(run, tiny_corpus, objective="causal") == causal


def test_another_runs_checkpoint_is_refused(run: str, tiny_corpus: str, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(run, other)
    theirs = other / "checkpoints" / "00000004"
    with pytest.raises(InputError, match=f"00000004 is one of the run {other.resolve()}, not of {run}.*--run {other}"):
        evaluate(run, tiny_corpus, theirs)
    with pytest.raises(InputError, match=f"{other} is the folder of a run, not a checkpoint"):
        evaluate(run, tiny_corpus, other)
    assert evaluate(str(other), tiny_corpus, theirs)["checkpoint"] == str(theirs)


def test_evaluates_on_the_snapshot_of_the_run(run: str, tiny_corpus: str, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    shutil.copytree(tiny_corpus, corpus)
    before = evaluate(run, str(corpus))
    current = read_snapshot(str(corpus))
    assert before["snapshot"] == current.number
    later = current.model_copy(
        update={
            "number": current.number + 1,
            "parent": current.number,
            "files": [file for file in current.files if not (file.split == "heldout" and file.lang == "ell_Grek")],
        }
    )
    commit(Storage(corpus), later, {})
    assert evaluate(run, str(corpus)) == before
    state = json.loads((Path(run) / "checkpoints" / "00000004" / "state.json").read_text())
    assert trained_snapshot(str(corpus), state) == current.number
    state["sampler"]["stages"][0]["corpus"] = "0" * 32
    assert trained_snapshot(str(corpus), state) is None
    assert trained_snapshot(str(tmp_path / "nowhere"), state) is None


def test_no_checkpoint(tmp_path: Path, tiny_corpus: str) -> None:
    with pytest.raises(InputError, match="has no checkpoint"):
        evaluate(str(tmp_path), tiny_corpus)
    with pytest.raises(InputError, match="cannot be read"):
        evaluate(str(tmp_path), tiny_corpus, 7)


def test_another_tokenizer_is_refused(run: str, tiny_corpus: str, monkeypatch: pytest.MonkeyPatch) -> None:
    state = Path(run) / "checkpoints" / "00000004" / "state.json"
    original = state.read_text()
    changed = json.loads(original)
    changed["identity"]["tokenizer_hash"] = "f" * 32
    state.write_text(json.dumps(changed))
    try:
        with pytest.raises(CorpusError, match="is not the one that"):
            evaluate(run, tiny_corpus)
    finally:
        state.write_text(original)
