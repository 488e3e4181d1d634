"""The examples that read rows run, and go on with the same rows after a stop."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pytest

from corpus.ledger import Ledger
from corpus.manifest import LanguageEvidence, ShardFile, Snapshot, commit
from corpus.schema import token_schema
from corpus.shards import ShardWriter
from corpus.storage import Storage

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
VOCABULARY = 512


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A corpus of 70 documents in two languages."""
    storage = Storage(tmp_path_factory.mktemp("corpus"))
    schema = token_schema(VOCABULARY)
    files, evidence = [], {}
    for lang, first, lengths in (("heb_Hebr", 5, [90, 30, 150] * 20), ("swh_Latn", 250, [200] * 10)):
        path = f"tokens/spm/{lang}/000001-train-00000.arrow"
        texts = [[first + (31 * i + j) % 240 for j in range(n - 1)] + [3] for i, n in enumerate(lengths)]
        columns: dict[str, Any] = {
            "id": [f"{first:08x}{i:024x}" for i in range(len(texts))],
            "tokens": texts,
            "bytes": [3 * n for n in lengths],
        }
        with storage.create(path) as local, ShardWriter(local, schema) as writer:
            writer.write(pa.RecordBatch.from_pydict(columns, schema=schema))
        files.append(
            ShardFile(path=path, kind="tokens", lang=lang, split="train", tokenizer="spm", rows=len(texts), hash=lang)
        )
        evidence[lang] = LanguageEvidence(documents=len(texts), tokens={"spm": sum(lengths)})
    snapshot = Snapshot(
        number=1,
        made_by="tokenize",
        languages=evidence,
        mixtures={},
        mixture="proportional",
        ledger=Ledger(read=70, kept={"heb_Hebr": 60, "swh_Latn": 10}, rejected={}, unreadable={}),
        tokenizers={
            "spm": {"vocabulary": VOCABULARY, "special": {"pad": 0, "unk": 1, "bos": 2, "eos": 3, "mask": 4}},
        },
        files=files,
    )
    commit(storage, snapshot, {})
    return storage.url


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_rows_are_read_without_torch(root: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        f"sys.argv = ['iterate_rows.py', {root!r}, '--rows', '96']\n"
        f"import runpy; runpy.run_path({str(EXAMPLES / 'iterate_rows.py')!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "The first rows, and how many tokens each document has in them:"
    assert "From row 128 on there is no more heb_Hebr." in lines
    shares = {line.split()[0]: line.split()[1:] for line in lines[-2:]}
    # 128 rows in proportion to 5,460 and 2,010 tokens to the power of 0.3, then 64 of one language alone.
    assert {lang: asked for lang, (asked, *_) in shares.items()} == {"heb_Hebr": "38.29%", "swh_Latn": "61.71%"}
    assert all(abs(float(asked[:-1]) - float(got[:-1])) < 100 / 192 for asked, got, _ in shares.values())


def test_the_pytorch_loop_goes_on_as_if_it_had_not_stopped(root: str, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    module = example("train_with_pytorch")
    small = [root, "--rows", "4", "--workers", "0"]
    whole = module.main([*small, "--steps", "6", "--checkpoint", str(tmp_path / "whole.pt")])
    parts = [module.main([*small, "--steps", steps, "--checkpoint", str(tmp_path / "two.pt")]) for steps in ("4", "6")]
    assert [len(part) for part in parts] == [4, 2]
    assert parts[0] + parts[1] == whole
    assert len(set(whole)) == 6


def test_the_pytorch_models_documents_do_not_see_each_other() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    model = example("train_with_pytorch").Model(vocabulary=20, positions=6)
    positions = torch.tensor([[0, 1, 2, 0, 1, 2]])
    segments = torch.tensor([[0, 0, 0, 1, 1, 1]])
    one, other = torch.tensor([[1, 2, 3, 4, 5, 6]]), torch.tensor([[7, 8, 9, 4, 5, 6]])
    scores = [model(tokens, positions, segments) for tokens in (one, other)]
    assert torch.equal(scores[0][:, 3:], scores[1][:, 3:])
    assert not torch.equal(scores[0][:, :3], scores[1][:, :3])


@pytest.mark.slow
def test_the_pytorch_loop_goes_on_with_two_processes(root: str, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    arguments = [root, "--rows", "4", "--workers", "0", "--checkpoint", str(tmp_path / "saved.pt"), "--steps"]
    losses = example("train_with_pytorch").main([*arguments, "10"])
    assert len(losses) == 10
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "--",
         str(EXAMPLES / "train_with_pytorch.py"), *arguments, "20"],
        capture_output=True, text=True, check=False, timeout=240,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    step, loss = done.stdout.splitlines()[-1].split("  loss ")
    assert step == "step 20"
    assert float(loss) < losses[0]


def test_transformers_trainer_goes_on_as_if_it_had_not_stopped(root: str, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    pytest.importorskip("transformers", reason="transformers is not installed")
    module = example("train_with_transformers")
    common = [root, "--steps", "4", "--save-every", "2", "--workers", "0", "--output"]
    whole = module.main([*common, str(tmp_path / "whole")])
    shutil.copytree(tmp_path / "whole" / "checkpoint-2", tmp_path / "again" / "checkpoint-2")
    assert json.loads((tmp_path / "again" / "checkpoint-2" / module.STATE).read_text())["start"] == 16
    again = module.main([*common, str(tmp_path / "again"), "--resume"])
    assert json.loads((tmp_path / "again" / "checkpoint-4" / module.STATE).read_text())["start"] == 32
    assert again.state.global_step == 4
    for name, weight in whole.model.state_dict().items():
        assert torch.equal(weight, again.model.state_dict()[name]), name


def test_transformers_models_see_the_documents_borders() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    pytest.importorskip("transformers", reason="transformers is not installed")
    module = example("train_with_transformers")
    batch = module.TensorBatch(
        torch.tensor([[2, 11, 12, 2, 21, 22]], dtype=torch.int32),
        torch.tensor([3, 3], dtype=torch.int32),
        torch.tensor([0, 0], dtype=torch.int32),
        torch.tensor([0], dtype=torch.int32),
        next_row=1,
    )
    inputs = module.model_inputs(batch)
    assert inputs["labels"].tolist() == [[-100, 11, 12, -100, 21, 22]]
    assert inputs["position_ids"].tolist() == [[0, 1, 2, 0, 1, 2]]
    model = module.tiny_model(32).eval()
    before = model(**inputs).logits
    inputs["input_ids"][0, 1] = 30
    after = model(**inputs).logits
    assert torch.allclose(before[:, 3:], after[:, 3:], atol=1e-6)
    assert not torch.allclose(before[:, 1:3], after[:, 1:3], atol=1e-6)
