"""Embeddings of prompts from the cache: no encoder runs a second time, and the images are the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from promptvision.plugin import Placement, Tool
from promptvision.testing import CallContext, rectangles, run_tool
from promptvision_sdxl_inpaint import text
from promptvision_sdxl_inpaint.denoise import embed_prompts
from promptvision_sdxl_inpaint.plugin import GENERATE, INPAINT, TEXT_ENCODER, TEXT_ENCODER_2
from promptvision_sdxl_inpaint.staged import StagedRunner
from promptvision_sdxl_inpaint.text import read_prompts

Make = Callable[..., CallContext]
LONG = "an orange cat " * 20


def paint_with(context: CallContext, noise: Image.Image, tool: Tool, **args: Any) -> Any:
    """The result of one call of either tool."""
    given = {"prompt": "an orange cat", "seed": 3, "steps": 2, **args}
    if tool is GENERATE:
        return run_tool(GENERATE, context=context, **given)
    mask = Image.fromarray(rectangles(noise.size, (20, 15, 60, 50))).convert("L")
    return run_tool(INPAINT, noise, context=context, mask_url=context.save_mask(mask), **given)


@pytest.fixture
def encodings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The prompts that the encoders have read."""
    read: list[str] = []

    def embed(*args: Any, **words: Any) -> Any:
        read.append(words["prompt"])
        return embed_prompts(*args, **words)

    monkeypatch.setattr(text, "embed_prompts", embed)
    return read


@pytest.mark.parametrize("tool", [INPAINT, GENERATE], ids=["inpaint", "generate"])
def test_second_call_with_the_same_prompt_runs_no_text_encoder(
    context: Make, noise_image: Callable[..., Image.Image], tool: Tool, encodings: list[str], tmp_path: Path
) -> None:
    noise = noise_image((90, 70))
    held = context(home=tmp_path)
    first = paint_with(held, noise, tool)
    assert len(encodings) == 2
    assert paint_with(held, noise, tool) == first
    assert paint_with(held, noise, tool, seed=4) != first
    assert len(encodings) == 2
    held._stages.close()  # type: ignore[union-attr]
    restarted = context(home=tmp_path)
    assert paint_with(restarted, noise, tool) == first
    assert len(encodings) == 2
    assert not {TEXT_ENCODER, TEXT_ENCODER_2} & restarted.models.keys()


def read(context: CallContext, **words: Any) -> Any:
    """The embeddings and notes of a request."""
    given = {"prompt": "an orange cat", "negative": "red", "guided": True, **words}
    return read_prompts(context, StagedRunner(context, Placement.CPU), following=(), **given)


def values(embeddings: Any) -> list[Any]:
    """The tensors of a request, as lists."""
    parts = [part for one in embeddings[:2] for part in vars(one).values()]
    return [part if part is None else part.tolist() for part in parts]


def test_embeddings_are_the_same_without_the_cache(context: Make, encodings: list[str]) -> None:
    held, plain = context(), context()
    plain._stages = None
    made = [values(read(each)) for each in (held, held, plain, plain)]
    assert [each == made[0] for each in made] == [True] * 4
    assert len(encodings) == 2 + 4


def test_another_prompt_negative_prompt_or_guidance_is_encoded(context: Make, encodings: list[str]) -> None:
    held = context()
    read(held)
    read(held, prompt="a dog")
    read(held, negative=None)
    read(held, guided=False)
    assert len(encodings) == 8
    assert values(read(held, guided=False))[2:4] == [None, None]


def test_note_about_a_long_prompt_is_kept(context: Make) -> None:
    held = context()
    (note,) = read(held, prompt=LONG)[2]
    assert "SDXL reads only the start of a long prompt" in note
    assert read(held, prompt=LONG)[2] == [note]
