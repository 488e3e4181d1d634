"""The device that is asked for, or a clear word about what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus.errors import ConfigurationError
from pipeline.translation import devices
from pipeline.translation.config import TranslationConfig
from pipeline.translation.devices import (
    Device,
    choose_compute_type,
    choose_device,
    device_memory,
    whole_memory,
)


def machine(
    monkeypatch: pytest.MonkeyPatch, cuda: int, missing: str | None = None, types: set[str] | None = None
) -> None:
    """Pretend that a machine has so many CUDA devices, and lacks a library."""
    monkeypatch.setattr(devices, "cuda_devices", lambda: cuda)
    monkeypatch.setattr(devices, "missing_library", lambda: missing)
    if types is not None:
        monkeypatch.setattr(devices, "supported_types", lambda device: types)


def test_auto_takes_every_cuda_device_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, 2)
    assert choose_device(TranslationConfig(threads=3)) == Device("cuda", (0, 1), 3, 1)
    assert choose_device(TranslationConfig(device_indices=(1,))) == Device("cuda", (1,), 1, 1)


@pytest.mark.parametrize(("cuda", "missing"), [(0, None), (1, "libcublas.so.12")])
def test_auto_takes_the_cpu_otherwise(monkeypatch: pytest.MonkeyPatch, cuda: int, missing: str | None) -> None:
    machine(monkeypatch, cuda, missing)
    assert choose_device(TranslationConfig(threads=2, translators=4)) == Device("cpu", (0,), 2, 4)


@pytest.mark.parametrize(
    ("cuda", "missing", "indices", "said"),
    [
        (1, "libcublas.so.12", (), "libcublas.so.12 cannot be loaded.*nvidia-cublas-cu12"),
        (0, "libcuda.so.1", (), "libcuda.so.1 cannot be loaded.*--gpus all"),
        (0, None, (), "no CUDA device is found"),
        (2, None, (1, 5), "there is no CUDA device 5. Name devices from 0 to 1"),
    ],
)
def test_cuda_that_cannot_be_used_is_explained(
    monkeypatch: pytest.MonkeyPatch, cuda: int, missing: str | None, indices: tuple[int, ...], said: str
) -> None:
    machine(monkeypatch, cuda, missing)
    with pytest.raises(ConfigurationError, match=said):
        choose_device(TranslationConfig(device="cuda", device_indices=indices))


@pytest.mark.parametrize(
    ("name", "stored", "types", "chosen"),
    [
        ("cpu", "float32", {"int8", "float32"}, "int8"),
        ("cpu", "int8", {"float32"}, "float32"),
        ("cuda", "int8", {"int8_float16", "float16", "float32"}, "int8_float16"),
        ("cuda", "float16", {"int8_float16", "float16", "float32"}, "float16"),
        ("cuda", "int8", {"int8", "float32"}, "int8"),
        ("cuda", "float32", {"float32"}, "float32"),
    ],
)
def test_the_type_goes_by_device_and_weights(
    monkeypatch: pytest.MonkeyPatch, name: str, stored: str, types: set[str], chosen: str
) -> None:
    machine(monkeypatch, 1, types=types)
    assert choose_compute_type("auto", stored, Device(name)) == chosen


def test_a_type_that_the_device_lacks_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match=r"'float16' is not supported on cpu. Use one of "):
        choose_compute_type("float16", "int8", Device("cpu"))


@pytest.mark.parametrize(
    ("total", "group", "expected"),
    [("2048 kB", None, 2 << 20), ("2048 kB", "max", 2 << 20), ("2048 kB", "1000", 1000), (None, "1000", 1000)],
)
def test_memory_of_the_cpu_is_that_of_the_container(
    tmp_path: Path, total: str | None, group: str | None, expected: int
) -> None:
    if total is not None:
        (tmp_path / "proc").mkdir()
        (tmp_path / "proc/meminfo").write_text(f"MemTotal: {total}\nMemFree: 1 kB\n", encoding="ascii")
    if group is not None:
        (tmp_path / "sys/fs/cgroup").mkdir(parents=True)
        (tmp_path / "sys/fs/cgroup/memory.max").write_text(group + "\n", encoding="ascii")
    assert whole_memory(tmp_path) == expected


def test_memory_of_this_machine(tmp_path: Path) -> None:
    assert 1 << 20 < device_memory(Device("cpu")) < 1 << 50
    assert whole_memory(tmp_path) > 1 << 20, "where nothing is told, what the system has"
