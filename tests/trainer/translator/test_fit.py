from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from corpus.errors import ConfigurationError, InputError
from corpus.hashing import file_hash
from tests.trainer.translator.conftest import reversed_words
from trainer.run import checkpoint as checkpoints
from trainer.run.session import TrainingError
from trainer.translator.config import TranslatorConfig
from trainer.translator.fit import fit

WEIGHTS = "model.safetensors"


def test_learns_and_leaves_a_marian_model(tmp_path: Path, config: TranslatorConfig) -> None:
    import transformers

    longer = config.model_copy(update={"steps": 160, "evaluate_every": 40, "checkpoint_every": 80})
    calls: list[tuple[str, int, int]] = []
    pairs = reversed_words(400)
    done = fit(pairs[20:], longer, tmp_path, dev=pairs[:20], progress=lambda *call: calls.append(call))
    assert done.finished
    assert calls[-1] == ("fit", 160, 160)
    assert done.summary["pairs"] == {"eng_Latn-afr_Latn": 380}
    assert done.summary["dev_pairs"] == {"eng_Latn-afr_Latn": 20}
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    losses = [line["loss"]["eng_Latn-afr_Latn"] for line in lines if line["kind"] == "dev"]
    assert len(losses) == 4
    assert losses[-1] < losses[0] / 2
    model = transformers.MarianMTModel.from_pretrained(done.folder)
    tokenizer = transformers.MarianTokenizer.from_pretrained(done.folder)
    made = model.generate(**tokenizer([pairs[0].text], return_tensors="pt"), max_new_tokens=20, num_beams=1)
    first = tokenizer.batch_decode(made, skip_special_tokens=True)[0].split()[0]
    assert first == pairs[0].translation.split()[0]


def test_the_same_again_wherever_it_was_stopped(tmp_path: Path, config: TranslatorConfig) -> None:
    pairs = [*reversed_words(80), *reversed_words(40, "nld_Latn", "en")]
    whole = fit(pairs, config, tmp_path / "whole")
    for stop in (4, 17):
        part = fit(pairs, config, tmp_path / "parts", stop_after=stop)
        assert not part.finished
        assert not part.folder.exists()
    parts = fit(pairs, config, tmp_path / "parts")
    assert file_hash(parts.folder / WEIGHTS) == file_hash(whole.folder / WEIGHTS)
    again = fit(pairs, config, tmp_path / "whole")
    assert (again.finished, again.summary["step"]) == (True, 30)


def test_the_same_again_with_all_that_regularises(tmp_path: Path, config: TranslatorConfig) -> None:
    pairs = [*reversed_words(80), *reversed_words(40, "nld_Latn", "en")]
    settings: dict[str, Any] = {
        "subword_sampling": 0.2,
        "source_dropout": 0.1,
        "target_dropout": 0.2,
        "word_pairs": 0.5,
        "glosses": 0.5,
    }
    settings |= {"guided_alignment": 0.5, "embeddings": "aligned", "phrase_pairs": 0.5}
    settings |= {"copies": 0.5, "glossed_source": True, "copying_start": True}
    more = config.model_copy(update=settings)
    texts = {"afr_Latn": [f"{pair.translation} taco" for pair in reversed_words(50)]}
    whole = fit(pairs, more, tmp_path / "whole", texts=texts)
    assert not fit(pairs, more, tmp_path / "parts", texts=texts, stop_after=13).finished
    parts = fit(pairs, more, tmp_path / "parts", texts=texts)
    assert file_hash(parts.folder / WEIGHTS) == file_hash(whole.folder / WEIGHTS)
    plain = fit(pairs, config, tmp_path / "plain")
    assert file_hash(plain.folder / WEIGHTS) != file_hash(whole.folder / WEIGHTS)
    assert not fit(pairs, more, tmp_path / "others", texts=texts, stop_after=13).finished
    with pytest.raises(ConfigurationError, match="beside"):
        fit(pairs, more, tmp_path / "others", texts={})


def test_stops_when_nothing_gets_better_and_keeps_the_best(tmp_path: Path, config: TranslatorConfig) -> None:
    wild = config.model_copy(
        update={"learning_rate": 3.0, "warmup": 0.5, "steps": 60, "patience": 2, "evaluate_every": 2, "average": 0.0}
    )
    done = fit(reversed_words(60), wild, tmp_path)
    assert done.finished
    assert done.summary["stopped"] == "no_improvement"
    assert done.summary["step"] == done.summary["best_step"] + 4


def test_chrf_decides_if_asked(tmp_path: Path, config: TranslatorConfig) -> None:
    done = fit(reversed_words(60), config.model_copy(update={"stop_on": "chrf", "dev_sentences": 3}), tmp_path)
    assert set(done.summary["dev"]) == {"loss", "chrf"}
    assert 0 <= done.summary["dev"]["chrf"]["eng_Latn-afr_Latn"] <= 100


def test_mistakes_are_said(tmp_path: Path, config: TranslatorConfig) -> None:
    with pytest.raises(InputError, match="1 different sentence pairs are too few"):
        fit(reversed_words(1) * 5, config, tmp_path)
    long = [pair for pair in reversed_words(200) if len(pair.text.split()) > 3]
    with pytest.raises(InputError, match="no sentence pair has at most 4 tokens"):
        fit(long, config.model_copy(update={"max_tokens": 4}), tmp_path)
    fit(reversed_words(60), config, tmp_path, stop_after=1)
    with pytest.raises(ConfigurationError, match=r"translator: learning_rate was 0.01, now 0.5"):
        fit(reversed_words(60), config.model_copy(update={"learning_rate": 0.5}), tmp_path)
    with pytest.raises(ConfigurationError, match="translator: pairs was"):
        fit(reversed_words(61), config, tmp_path)
    fresh = fit(reversed_words(61), config, tmp_path, resume=False, stop_after=2)
    assert fresh.summary["step"] == 2


def test_a_gradient_that_is_not_finite_ends_the_run_and_saves_nothing(tmp_path: Path, config: TranslatorConfig) -> None:
    wild = config.model_copy(
        update={"learning_rate": 1e30, "warmup": 0.0, "evaluate_every": 30, "checkpoint_every": 30}
    )
    with pytest.raises(TrainingError, match="is not finite"):
        fit(reversed_words(60), wild, tmp_path)
    assert not checkpoints.steps(tmp_path)


CHILD = """
import sys
from pathlib import Path
from tests.trainer.translator.conftest import reversed_words
from trainer.translator.config import TranslatorConfig
from trainer.translator.fit import fit
config = TranslatorConfig.model_validate_json(sys.argv[1])
done = fit(reversed_words(120), config, sys.argv[2])
print("finished" if done.finished else "stopped", flush=True)
"""


def _start(config: TranslatorConfig, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CHILD, config.model_dump_json(), str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": "."})


def _wait_for_checkpoint(folder: Path, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 600
    while not checkpoints.steps(folder):
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_run_goes_on_to_the_same_weights(
    tmp_path: Path, config: TranslatorConfig, number: signal.Signals
) -> None:
    long = config.model_copy(update={"steps": 120, "evaluate_every": 30, "checkpoint_every": 5, "patience": 99})
    process = _start(long, tmp_path / "killed")
    try:
        _wait_for_checkpoint(tmp_path / "killed", process)
        process.send_signal(number)
        said, _ = process.communicate(timeout=600)
    finally:
        process.kill()
    if number == signal.SIGTERM:
        assert said == "stopped\n"
    assert not (tmp_path / "killed" / "transformers").exists()
    begun = int(checkpoints.steps(tmp_path / "killed")[-1].name)
    assert 0 < begun < 120
    gone_on = fit(reversed_words(120), long, tmp_path / "killed")
    whole = fit(reversed_words(120), long, tmp_path / "whole")
    assert file_hash(gone_on.folder / WEIGHTS) == file_hash(whole.folder / WEIGHTS)
    assert gone_on.summary["dev"] == whole.summary["dev"]
