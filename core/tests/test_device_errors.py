"""Errors after which a process can no longer use its GPU: recognized, and survived by another process."""

from __future__ import annotations

import asyncio
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import torch

from promptvision import Agent, Settings, tool
from promptvision.agent.reply import Reply
from promptvision.errors import DeviceLost, ToolFailed
from promptvision.models.device_errors import is_device_lost
from promptvision.testing.agents import make_agent
from promptvision.testing.program import write_plugin

ILLEGAL_ACCESS = "CUDA error: an illegal memory access was encountered"
"""As torch 2.9 says it, followed by lines of advice."""

_PLUGIN = '''
"""A tool whose kernel fails in the first call."""

from pathlib import Path

from promptvision.plugin import tool

PLUGIN_API = 1


@tool
def sharpen_text(mark: str) -> str:
    """Sharpen.

    Args:
        mark: a file that the first call makes.
    """
    import os

    if not Path(mark).exists():
        import torch

        Path(mark).touch()
        raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered\\nAdvice.")
    return f"sharp, process {os.getpid()}"
'''


@pytest.mark.parametrize(
    "message",
    [
        ILLEGAL_ACCESS,
        "CUDA error: device-side assert triggered\nCUDA kernel errors might be asynchronously reported",
        "HIP error: an illegal memory access was encountered",
        "CUDA error: unspecified launch failure",
        "CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm( handle)`",
        "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR",
    ],
)
@pytest.mark.parametrize("kind", [RuntimeError, torch.AcceleratorError])
def test_fatal_errors_are_recognized(kind: type[RuntimeError], message: str) -> None:
    assert is_device_lost(kind(message))
    outer = ValueError("the stage failed")
    outer.__cause__ = kind(message)
    assert is_device_lost(outer)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("cuBLAS error: CUBLAS_STATUS_ALLOC_FAILED"),
        RuntimeError("CUDA error: no kernel image is available for execution on the device"),
        RuntimeError("Expected all tensors to be on the same device"),
        ValueError(ILLEGAL_ACCESS),
        KeyError("illegal memory access"),
    ],
)
def test_other_errors_are_not(error: Exception) -> None:
    assert not is_device_lost(error)


def test_worker_process_is_replaced_and_the_call_runs_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = ",".join(
        point.name for point in entry_points(group="promptvision") if point.name != "promptvision"
    )
    monkeypatch.syspath_prepend(str(write_plugin(tmp_path / "site", "sharpening", _PLUGIN)))
    settings = Settings.from_mapping(
        {
            "PROMPTVISION_HOME": str(tmp_path / "home"),
            "PROMPTVISION_CONVERSATIONS": "memory:",
            "PROMPTVISION_EXECUTOR": "processes",
            "PROMPTVISION_WORKERS": 1,
            "PROMPTVISION_DISABLED_PLUGINS": others,
        }
    )

    async def call() -> Reply:
        async with Agent(settings) as agent:
            return await agent.call_tool("sharpen_text", {"mark": str(tmp_path / "mark")})

    reply = asyncio.run(call())
    assert [step.status for step in reply.steps] == ["failed", "done"]
    message = str(reply.steps[0].message)
    assert "the GPU cannot be used by this process any more: " + ILLEGAL_ACCESS in message
    assert "its worker process was replaced" in message
    assert "sharp, process" in reply.text_response


@pytest.mark.parametrize(("is_replaced", "runs"), [(True, 2), (False, 1)])
def test_call_is_repeated_once_and_only_in_another_process(is_replaced: bool, runs: int) -> None:
    ran: list[int] = []

    @tool
    def soften_text(text: str = "") -> str:
        """Soften."""
        ran.append(1)
        raise DeviceLost(ILLEGAL_ACCESS, is_replaced=is_replaced)

    with pytest.raises(ToolFailed, match="illegal memory access"):
        asyncio.run(make_agent([soften_text]).call_tool("soften_text", {}))
    assert len(ran) == runs


def test_thread_executor_names_the_setting_and_does_not_repeat() -> None:
    @tool
    def blur_text(text: str = "") -> str:
        """Blur."""
        raise torch.AcceleratorError(ILLEGAL_ACCESS)

    with pytest.raises(
        ToolFailed, match="with PROMPTVISION_EXECUTOR=processes only a worker process is lost"
    ):
        asyncio.run(make_agent([blur_text]).call_tool("blur_text", {}))
