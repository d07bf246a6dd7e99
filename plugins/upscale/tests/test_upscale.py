"""The tool, called as by the agent."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from promptvision.plugin import ArgumentsError, Cancelled
from promptvision.testing import CallContext, CancelToken, run_tool
from promptvision_upscale.plugin import SWIN2SR, UPSCALE, promptvision_models, promptvision_tools

Make = Callable[..., CallContext]


def test_hooks_offer_the_tool_and_its_pinned_model() -> None:
    assert promptvision_tools() == [UPSCALE]
    assert promptvision_models() == [SWIN2SR]
    (file,) = SWIN2SR.files
    assert re.fullmatch(r"[0-9a-f]{40}", SWIN2SR.revision)
    assert re.fullmatch(r"[0-9a-f]{64}", file.sha256 or "")
    assert file.size == SWIN2SR.weight_bytes["float32"]


@pytest.mark.parametrize("factor", [2, 4])
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_image_is_enlarged_and_keeps_its_mode(
    context: Make, noise_image: Callable[..., Image.Image], factor: int, mode: str
) -> None:
    held, image = context(), noise_image((30, 20), mode)
    result = run_tool(UPSCALE, image, context=held, factor=factor)
    made = held.open(result.upscaled_image_url)
    assert (result.width, result.height) == made.size == (30 * factor, 20 * factor)
    assert made.mode == mode
    if mode in ("L", "RGB"):
        expected = np.asarray(image).repeat(factor, axis=0).repeat(factor, axis=1)
        assert np.abs(np.asarray(made).astype(int) - expected).max() <= 1


def test_result_over_the_limit_is_refused_before_a_model_is_loaded(context: Make) -> None:
    held = context()
    with pytest.raises(ArgumentsError, match="8000 x 8000 pixels"):
        run_tool(UPSCALE, Image.new("L", (2000, 2000)), context=held, factor=4)
    assert held._pool.loaded() == []


def test_progress_counts_the_tiles_of_both_runs_and_a_call_stops_between_them(
    context: Make, noise_image: Callable[..., Image.Image]
) -> None:
    seen: list[tuple[float, float]] = []
    report = lambda done, total, message: seen.append((done, total))  # noqa: E731
    run_tool(UPSCALE, noise_image((130, 20)), context=context(on_progress=report), factor=4)
    assert seen[-1] == (5, 5)
    token = CancelToken()
    stop = lambda done, total, message: token.cancel() if done == 2 else None  # noqa: E731
    with pytest.raises(Cancelled):
        run_tool(UPSCALE, noise_image((130, 20)), context=context(on_progress=stop, cancel=token), factor=4)
