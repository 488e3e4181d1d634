"""What models run on: CPU or CUDA devices, the type of their arithmetic, their memory."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from corpus.errors import ConfigurationError
from pipeline.translation.config import TranslationConfig

CUDA_LIBRARIES: Final = {
    "libcuda.so.1": "Install NVIDIA's driver, or start the container with its devices (docker run --gpus all)",
    "libcublas.so.12": "Install cuBLAS of CUDA 12 (pip install nvidia-cublas-cu12), its folder in LD_LIBRARY_PATH",
}
"""Libraries that CTranslate2 opens when a model goes to a CUDA device, and what to do where one is missing."""
_INT8_STORED: Final = ("int8", "int8_float32", "int8_float16", "int8_bfloat16")
_MISSING: Final = "{name} cannot be loaded, which CTranslate2 needs on CUDA"


@dataclass(frozen=True)
class Device:
    """Where models run, and how they count there."""

    name: str
    """``cpu`` or ``cuda``."""
    indices: tuple[int, ...] = (0,)
    """CUDA devices; one copy of a model lies on each."""
    threads: int = 1
    """CPU threads of one translation."""
    translators: int = 1
    """Translations at a time on the CPU."""


def choose_device(config: TranslationConfig) -> Device:
    """The device that the configuration asks for, or the best there is.

    Raises:
        ConfigurationError: CUDA is asked for, and a device or a library it needs is missing.
    """
    cpu = Device("cpu", (0,), config.threads, config.translators)
    if config.device == "cpu":
        return cpu
    found = cuda_devices()
    missing = missing_library() if found or config.device == "cuda" else None
    if config.device == "auto" and (not found or missing):
        return cpu
    if missing is not None:
        raise ConfigurationError(_MISSING.format(name=missing), CUDA_LIBRARIES[missing])
    if not found:
        raise ConfigurationError(
            "no CUDA device is found", "Set `device: auto` or `cpu`, or show this process a device"
        )
    wanted = config.device_indices or tuple(range(found))
    if beyond := [index for index in wanted if index >= found]:
        raise ConfigurationError(f"there is no CUDA device {beyond[0]}", f"Name devices from 0 to {found - 1}")
    return Device("cuda", wanted, config.threads, 1)


def cuda_devices() -> int:
    """How many CUDA devices CTranslate2 sees; 0 where it was built without CUDA or there is no driver."""
    import ctranslate2

    try:
        return int(ctranslate2.get_cuda_device_count())
    except (RuntimeError, ValueError):
        return 0


def missing_library() -> str | None:
    """The first library of :data:`CUDA_LIBRARIES` that cannot be loaded; None where all can."""
    for name in CUDA_LIBRARIES:
        try:
            ctypes.CDLL(name)
        except OSError:
            return name
    return None


def choose_compute_type(wanted: str, stored: str, device: Device) -> str:
    """The type of arithmetic on a device.

    Args:
        wanted: ``auto``, or a type of CTranslate2.
        stored: type in which the model's weights are stored, by its card.
        device: where it runs.

    Raises:
        ConfigurationError: the device does not support the type that is asked for.
    """
    supported = supported_types(device)
    if wanted != "auto":
        if wanted not in supported:
            raise ConfigurationError(
                f"compute type '{wanted}' is not supported on {device.name}",
                f"Use one of {', '.join(sorted(supported))}",
            )
        return wanted
    if device.name == "cpu":
        order = ["int8", "float32"]
    elif stored in _INT8_STORED:
        order = ["int8_float16", "float16", "int8", "float32"]
    else:
        order = ["float16", "float32"]
    return next((name for name in order if name in supported), "default")


def supported_types(device: Device) -> set[str]:
    """Types that CTranslate2 supports on all chosen devices."""
    import ctranslate2

    each = [set(ctranslate2.get_supported_compute_types(device.name, index)) for index in device.indices]
    return set.intersection(*each)


def device_memory(device: Device) -> int:
    """Bytes of memory that a device has in all: of the container on the CPU, of the smallest one on CUDA.

    What is free changes from moment to moment, and the size of a batch may change a last bit: all machines of a kind
    are to cut the same batches. A batch that does not fit on CUDA is halved.
    """
    if device.name == "cpu":
        return whole_memory()
    return min(_cuda_memory(index) for index in device.indices)


def whole_memory(root: Path = Path("/")) -> int:
    """Bytes of the machine's memory, or of the control group (container) that this process is in, if it has less.

    Args:
        root: folder under which ``proc`` and ``sys`` lie.
    """
    found = []
    with suppress(OSError, ValueError, StopIteration):
        lines = (root / "proc/meminfo").read_text(encoding="ascii").splitlines()
        found.append(1024 * int(next(line for line in lines if line.startswith("MemTotal:")).split()[1]))
    with suppress(OSError, ValueError):  # "max" is no number: no limit
        found.append(int((root / "sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    return min(found) if found else os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _cuda_memory(index: int) -> int:
    """Total bytes of a CUDA device, asked of the driver itself: CTranslate2 has no call for it."""
    driver = ctypes.CDLL("libcuda.so.1")
    handle, total = ctypes.c_int(), ctypes.c_size_t()
    codes = (
        driver.cuInit(0),
        driver.cuDeviceGet(ctypes.byref(handle), index),
        driver.cuDeviceTotalMem_v2(ctypes.byref(total), handle),
    )
    if any(codes):
        raise ConfigurationError(f"CUDA device {index} does not tell its memory", "Set `batch_tokens` to a number")
    return total.value
