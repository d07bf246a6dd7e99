"""Captions of several images at once: the same texts as one by one, and each call with its own end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from promptvision.plugin import Cancelled, CaptionArgs, CaptionResult
from promptvision.testing import CallContext, CancelToken, make_context, run_tool
from promptvision_florence.caption import TASKS, caption_all, describe
from promptvision_florence.generation import write, write_all
from promptvision_florence.plugin import CAPTION, promptvision_models


@pytest.fixture(scope="module")
def images() -> list[Image.Image]:
    """Noise of several sizes and modes, whose captions differ in length."""
    sizes = [(400, 300), (33, 90), (120, 50)]
    noise = [
        np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
        for seed, (width, height) in enumerate(sizes)
    ]
    made = [Image.fromarray(pixels) for pixels in noise]
    return [*made[:-1], made[-1].convert("L")]


def nothing() -> None:
    """A check that never stops."""


def test_answers_equal_those_of_single_runs(florence: Any, images: list[Image.Image]) -> None:
    single = [write(florence, image, TASKS["more_detailed"], nothing) for image in images]
    assert write_all(florence, images, TASKS["more_detailed"], [nothing] * len(images)) == single


def test_check_ends_one_answer_and_not_the_others(florence: Any, images: list[Image.Image]) -> None:
    token, tokens_written = CancelToken(), 0

    def stop_after_three() -> None:
        nonlocal tokens_written
        tokens_written += 1
        if tokens_written == 3:
            token.cancel("the user left")
        token.check()

    found = write_all(florence, images, TASKS["brief"], [nothing, stop_after_three, nothing])
    assert isinstance(found[1], Cancelled)
    assert tokens_written == 3
    for index in (0, 2):
        assert found[index] == write(florence, images[index], TASKS["brief"], nothing)


def calls_on(
    context: CallContext, images: list[Image.Image], detail: str
) -> list[tuple[CaptionArgs, CallContext]]:
    refs = [context.save(image, kind="input") for image in images]
    return [(CaptionArgs(image_url=ref, detail=detail), context) for ref in refs]


def test_tool_captions_together_what_it_captions_alone(
    checkpoint: Path, florence: Any, images: list[Image.Image]
) -> None:
    variables = {"PROMPTVISION_MODEL_FLORENCE_2_LARGE": str(checkpoint)}
    reports: list[str] = []
    with make_context(
        models=promptvision_models(), variables=variables, on_progress=lambda *done: reports.append(done[2])
    ) as context:
        results = caption_all(calls_on(context, images, "detailed"))
    alone = run_tool(CAPTION, images[0], context=context, detail="detailed")
    assert [type(result) for result in results] == [CaptionResult] * 3
    assert results[0] == alone
    captions = [describe(florence, image, "detailed", nothing) for image in images]
    assert [result.caption for result in results if isinstance(result, CaptionResult)] == captions
    assert reports.count("describing 3 images together") == 3


def test_levels_of_detail_are_different_shapes() -> None:
    batch = CAPTION.batch
    assert batch is not None
    keys = {batch.key(CaptionArgs(image_url="a" * 64, detail=detail)) for detail in TASKS}
    assert keys == set(TASKS)
    assert batch.load() is caption_all
