from __future__ import annotations

from pathlib import Path

import pytest
import torch

from corpus.errors import InputError
from trainer.run import checkpoint


def save(run: Path, step: int, value: float) -> Path:
    tensors = {"w": torch.full((3,), value)}
    return checkpoint.save(
        run, step, tensors, {"w:step": torch.tensor(value)}, {"m": tensors["w"]}, {"note": f"at {step}"}
    )


def test_round_trip(tmp_path: Path) -> None:
    path = save(tmp_path, 12, 0.1)
    assert path == tmp_path / "checkpoints" / "00000012"
    names = ["methods.safetensors", "model.safetensors", "optimizer.safetensors", "state.json"]
    assert sorted(file.name for file in path.iterdir()) == names
    saved = checkpoint.newest(tmp_path)
    assert saved is not None
    assert torch.equal(saved.model["w"], torch.full((3,), 0.1))
    assert saved.optimiser["w:step"].shape == ()
    assert torch.equal(saved.methods["m"], torch.full((3,), 0.1))
    assert saved.state["note"] == "at 12"
    assert saved.state["step"] == 12


def test_nothing_there(tmp_path: Path) -> None:
    assert checkpoint.newest(tmp_path) is None
    with pytest.raises(InputError, match="cannot be read"):
        checkpoint.read(tmp_path)


def test_a_damaged_one_is_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    save(tmp_path, 1, 1.0)
    damaged = save(tmp_path, 2, 2.0) / "model.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    saved = checkpoint.newest(tmp_path)
    assert saved is not None
    assert saved.state["step"] == 1
    assert [record.getMessage() for record in caplog.records] == [
        f"checkpoint {damaged.parent} is damaged: model.safetensors has changed",
        f"going back to checkpoint {tmp_path / 'checkpoints' / '00000001'}",
    ]


def test_a_run_whose_checkpoints_are_all_damaged_does_not_begin_anew_unasked(tmp_path: Path) -> None:
    for step in (1, 2):
        (save(tmp_path, step, 1.0) / "model.safetensors").write_bytes(b"x")
    with pytest.raises(InputError, match=r"no checkpoint of .* is whole: .*00000001 is damaged") as caught:
        checkpoint.newest(tmp_path)
    assert "--fresh" in caught.value.fix


@pytest.mark.parametrize("lost", ["state.json", "model.safetensors", "optimizer.safetensors", "methods.safetensors"])
def test_an_incomplete_one_is_passed_over(tmp_path: Path, lost: str) -> None:
    save(tmp_path, 1, 1.0)
    (save(tmp_path, 2, 2.0) / lost).unlink()
    saved = checkpoint.newest(tmp_path)
    assert saved is not None
    assert saved.state["step"] == 1


def test_prune_keeps_the_newest_and_clears_what_died(tmp_path: Path) -> None:
    for step in (5, 10, 15):
        save(tmp_path, step, 1.0)
    dead = tmp_path / "checkpoints" / ".00000020.1.part"
    dead.mkdir()
    (dead / "model.safetensors").write_bytes(b"half")
    assert [path.name for path in checkpoint.steps(tmp_path)] == ["00000005", "00000010", "00000015"]
    checkpoint.prune(tmp_path, keep=2)
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["00000010", "00000015"]


def test_saving_again_replaces(tmp_path: Path) -> None:
    save(tmp_path, 1, 1.0)
    save(tmp_path, 1, 2.0)
    saved = checkpoint.newest(tmp_path)
    assert saved is not None
    assert saved.model["w"].tolist() == [2.0] * 3
