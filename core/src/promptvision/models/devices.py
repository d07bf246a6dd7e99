"""Devices that models can run on, with dtypes and memory limits.

torch is imported only to inspect a GPU, and only if a driver is present and a GPU is requested.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

__all__ = [
    "BFLOAT16_CAPABILITY",
    "best_device",
    "choose_dtype",
    "gpu_memory_bytes",
    "has_cuda",
    "has_gpu",
    "host_limit",
    "release_cached",
    "total_bytes",
    "usable_bytes",
]

BFLOAT16_CAPABILITY = (8, 0)
"""The first CUDA compute capability (Ampere) with bfloat16 arithmetic; older cards emulate it slowly."""

HEADROOM_BYTES = 512 * 2**20
HEADROOM_SHARE = 0.03
"""Reserve on every device, the larger of the two: for the driver, fragmentation and other programs."""

CACHED_SHARE = 0.9
"""Share of the free blocks that torch caches which can be used again; the rest are too small or split."""

PROC = Path("/proc")
CGROUP = Path("/sys/fs/cgroup")


def best_device(devices: Sequence[str]) -> str:
    """The fastest of the given device types that is available here; ``cpu`` if none is.

    Args:
        devices: device types a model can run on, such as ``("cuda", "cpu")``.
    """
    return "cuda" if "cuda" in devices and has_cuda() else "cpu"


def has_gpu() -> bool:
    """Whether an NVIDIA driver is loaded, on Linux or under WSL 2. Does not import torch."""
    nodes = (PROC / "driver/nvidia/version", Path("/dev/nvidiactl"), Path("/dev/dxg"))
    return any(node.exists() for node in nodes)  # a sandbox such as gVisor has only the second


@cache
def gpu_memory_bytes() -> int | None:
    """All memory of the first GPU: 0 without a GPU, None if the driver does not say. Does not import torch.

    Source: ``nvmlDeviceGetMemoryInfo`` of the NVIDIA Management Library.
    """
    if not has_gpu():
        return 0
    import ctypes

    try:
        nvml = ctypes.CDLL("libnvidia-ml.so.1")
        if nvml.nvmlInit_v2():
            return None
    except (OSError, AttributeError):  # the library or the function is missing
        return None
    try:
        device, memory = ctypes.c_void_p(), (ctypes.c_ulonglong * 3)()  # total, free and used bytes
        failed = nvml.nvmlDeviceGetHandleByIndex_v2(0, ctypes.byref(device))
        failed = failed or nvml.nvmlDeviceGetMemoryInfo(device, ctypes.byref(memory))
        return None if failed else memory[0]
    finally:
        nvml.nvmlShutdown()


def has_cuda() -> bool:
    """Whether torch can use a CUDA device. Imports torch only when an NVIDIA driver is loaded."""
    if not has_gpu():
        return False
    try:
        import torch
    except ImportError:
        return False
    return torch.cuda.is_available()


def choose_dtype(dtypes: Mapping[str, Sequence[str]], device: str) -> str:
    """The best dtype of a model on a device.

    Args:
        dtypes: device type to dtype names, best first, as in :class:`~promptvision.models.spec.ModelSpec`.
        device: a key of ``dtypes``.
    """
    for dtype in dtypes[device]:
        if dtype != "bfloat16" or device != "cuda" or _has_bfloat16():
            return dtype
    return dtypes[device][-1]


def _has_bfloat16() -> bool:
    import torch

    return torch.cuda.get_device_capability() >= BFLOAT16_CAPABILITY


def usable_bytes(device: str, held_bytes: int = 0, *, headroom_bytes: int | None = None) -> int:
    """The memory that models may use on a device, including what they use now.

    The figure changes little while this process loads or computes; other processes change it.

    Args:
        device: ``cpu`` or ``cuda``.
        held_bytes: memory that models use on it now, loads in progress included. Used for ``cpu`` only, where
            it bounds how much of the process's memory is counted as models.
        headroom_bytes: memory to keep free; default: 512 MiB or 3 % of the device, the larger of the two.
    """
    usable, total = _cuda_bytes() if device == "cuda" else _host_bytes(held_bytes)
    if headroom_bytes is None:
        headroom_bytes = max(HEADROOM_BYTES, int(total * HEADROOM_SHARE))
    return max(0, usable - headroom_bytes)


def _cuda_bytes() -> tuple[int, int]:
    """What this process may use, with its live tensors and most of the blocks that torch caches; and all."""
    import torch

    free, total = torch.cuda.mem_get_info()
    stats = torch.cuda.memory_stats_as_nested_dict()  # the other functions sort it first, for each figure
    allocated, reserved = (stats[name]["all"]["current"] for name in ("allocated_bytes", "reserved_bytes"))
    return int(free + allocated + CACHED_SHARE * (reserved - allocated)), total


def host_limit(setting: int | None) -> int:
    """Bytes that copies of models in main memory may use: the setting, at most half of the memory.

    Args:
        setting: of the operator; None for half of the memory.
    """
    half = total_bytes("cpu") // 2
    return half if setting is None else min(setting, half)


def _host_bytes(held_bytes: int) -> tuple[int, int]:
    meminfo = _content(f"{PROC}/meminfo")
    total = _amount(meminfo, b"MemTotal:", sys.maxsize)
    available = _amount(meminfo, b"MemAvailable:", total)
    if (limit := _cgroup_limit()) is not None and limit < total:
        total = limit
        available = min(available, limit - _cgroup_used())
    own = _amount(_content(f"{PROC}/self/status"), b"RssAnon:", 0)
    return available + min(held_bytes, own), total


def _amount(table: bytes, name: bytes, default: int) -> int:
    """The bytes in one of the lines ``Name:  123 kB``."""
    start = table.find(name)
    return default if start < 0 else int(table[start + len(name) : table.index(b"kB", start)]) * 1024


def _content(path: str) -> bytes:
    """A file, or nothing if it does not exist."""
    try:
        return _read(path)
    except OSError:
        return b""


def _number(*names: str) -> int | None:
    for name in names:
        try:
            return int(_read(f"{CGROUP}/{name}"))
        except (OSError, ValueError):  # not this cgroup version, or "max"
            continue
    return None


def _read(path: str) -> bytes:
    """Read a file of the kernel, at every lease, so without the cost of ``pathlib`` and of buffers."""
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123  # Path.open takes longer than the read
        return file.read()


def _cgroup_limit() -> int | None:
    """Memory limit of the container: cgroup v2 names, then v1."""
    return _number("memory.max", "memory/memory.limit_in_bytes")


def _cgroup_used() -> int:
    """Memory of the container that cannot be reclaimed: what is used, without inactive page cache."""
    used = _number("memory.current", "memory/memory.usage_in_bytes") or 0
    for name in ("memory.stat", "memory/memory.stat"):
        try:
            rows = dict(line.split() for line in (CGROUP / name).read_text("ascii").splitlines())
        except (OSError, ValueError):
            continue
        return max(0, used - int(rows.get("inactive_file", rows.get("total_inactive_file", 0))))
    return used


def release_cached() -> None:
    """Collect dropped models and return torch's cached GPU blocks to the driver; live tensors stay.

    Without torch there is nothing to do: other models are freed with their last reference.
    """
    torch = sys.modules.get("torch")
    if torch is None:
        return
    gc.collect()  # modules with hooks are cycles
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()
        torch.cuda.empty_cache()


def total_bytes(device: str) -> int:
    """The memory of a device, whatever is in use; for ``cpu`` that of the machine or its container."""
    return (_cuda_bytes() if device == "cuda" else _host_bytes(0))[1]
