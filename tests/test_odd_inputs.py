"""Unusual labels, thresholds, boxes, masks and aspects: neural tools answer or refuse with a message."""

from __future__ import annotations

import asyncio
import io
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from promptvision.agent.agent import Agent
from promptvision.errors import PromptvisionError
from promptvision.settings import Settings

Case = tuple[str, tuple[int, int], dict[str, Any]]

SIZE = (90, 70)
BARE = re.compile(r"\b\w+(Error|Exception)\b")
"""Names of exceptions of Python and its libraries; in a message they mean an unhandled case."""

LABELS = [
    "",
    ".",
    "?!",
    "\x00",
    "lion\x00tree",
    "\N{LION FACE}",
    "\u72ee\u5b50",
    "\u72ee\u5b50" * 60,
    "a" * 500,
    "lion " * 100,
    "lion. " * 200,
    ". ".join(f"thing {number}" for number in range(90)),
    "[SEP]",
    "[MASK]. [CLS]",
    "<image>",
    "<image>lion",
    "<loc_5><loc_6>",
    "</s>",
    "<poly>",
    "\u200b",
    "\u202elion",
    "e\u0301le\u0301phant",
    "lion\r\n\ttree",
]
THRESHOLDS: list[dict[str, Any]] = [
    {"box_threshold": 0},
    {"box_threshold": 1},
    {"box_threshold": 1e-9, "text_threshold": 1},
    {"box_threshold": -1},
    {"box_threshold": 2},
    {"box_threshold": math.nan},
    {"box_threshold": "0.3"},
    {"box_threshold": "high"},
    {"text_threshold": None},
]
ASPECTS = [(1, 1), (2700, 1), (1, 2700), (2000, 3), (16384, 1)]
BOXES: list[Any] = [
    [],
    [[0, 0, 0, 0]],
    [[-5, -5, 5, 5]],
    [[-9, -9, -1, -1]],
    [[0, 0, 1e12, 1e12]],
    [[math.nan, 0, 5, 5]],
    [[math.inf, 0, 5, 5]],
    [[89, 69, 90, 70]],
    [[0.37, 0.38, 0.53, 0.66]],
    [[0, 0, 5, 5]] * 101,
    "[[1, 2, 30, 40]]",
]
POINTS: list[Any] = [[[0, 0]], [[89, 69]], [[90, 70]], [[-1, 0]], [[math.nan, 1]], [[0.1, 0.1]] * 20]
PAINTS: list[dict[str, Any]] = [
    {"steps": 1},
    {"steps": 0},
    {"strength": 0},
    {"strength": 1},
    {"guidance": 31},
    {"refiner_steps": 1},
    {"prompt": "\x00"},
    {"prompt": "cat " * 500},
    {"prompt": "\u72ee" * 200},
    {"negative_prompt": "<|endoftext|>"},
    {"seed": -1},
    {"seed": 2**70},
]


def cases() -> Iterator[Case]:
    for label in LABELS:
        yield "detect_objects", SIZE, {"prompt": label}
    for thresholds in THRESHOLDS:
        yield "detect_objects", SIZE, {"prompt": "lion", **thresholds}
    for size in ASPECTS:
        yield "detect_objects", size, {"prompt": "lion", "box_threshold": 0.1}


def others() -> Iterator[Case]:
    for boxes in BOXES:
        yield "segment_objects", SIZE, {"bounding_boxes": boxes}
    for points in POINTS:
        yield "segment_objects", SIZE, {"points": points}
    for arguments in PAINTS:
        yield "inpaint_image", SIZE, {"prompt": "a cat", "steps": 2, "mask_url": SIZE, **arguments}
    yield "inpaint_image", SIZE, {"prompt": "a cat", "mask_url": (30, 70)}
    for size in ASPECTS:
        yield "caption_image", size, {"detail": "brief"}
        yield "extract_text", size, {}
        yield "segment_objects", size, {"bounding_boxes": [[0, 0, *size]]}
        yield "inpaint_image", size, {"prompt": "a cat", "steps": 2, "mask_url": size}


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("odd")


@pytest.fixture(scope="module")
def make_settings(tiny_models: dict[str, dict[str, str]], home: Path) -> Any:
    def make(disabled: str) -> Settings:
        values = {"PROMPTVISION_HOME": str(home), "PROMPTVISION_DISABLED_PLUGINS": disabled}
        for models in tiny_models.values():
            values.update(models)
        return Settings.from_mapping({**values, "PROMPTVISION_SDXL_PIXELS": "4096"})

    return make


async def ask(agent: Agent, case: Case) -> None:
    operation, size, arguments = case
    values = {"image_url": png(Image.effect_noise(size, 90).convert("RGB")), **arguments}
    if "mask_url" in values:
        values["mask_url"] = png(Image.new("L", values["mask_url"], 255))
    try:
        reply = await agent.call_tool(operation, values)
    except PromptvisionError as exc:
        said = [str(exc)]
        assert exc.message  # noqa: PT017  # both outcomes are right
    else:
        said = [step.message or "" for step in reply.steps]
        assert reply.steps
        assert all(step.message for step in reply.steps if step.status != "done")
    assert not [text for text in said if BARE.search(text)]


async def ask_all(settings: Settings, batch: list[Case]) -> list[str]:
    """Run the cases with one agent; return the failures."""
    problems = []
    async with Agent(settings) as agent:
        for case in batch:
            try:
                await ask(agent, case)
            except Exception as exc:  # noqa: BLE001  # the test lists every case that raised
                problems.append(f"{str(case)[:200]}: {type(exc).__name__}: {str(exc)[:400]}")
    return problems


def test_there_are_many_unusual_inputs() -> None:
    assert len(list(cases())) * 2 + len(list(others())) >= 100


@pytest.mark.parametrize(
    ("disabled", "batch"),
    [
        ("tesseract,opencv", list(cases())),
        ("tesseract,opencv,grounding_dino", list(cases())),
        ("tesseract,opencv", list(others())),
    ],
    ids=["grounding_dino", "florence_detect", "other tools"],
)
def test_unusual_inputs_are_answered_or_refused_with_a_message(
    make_settings: Any, disabled: str, batch: list[Case]
) -> None:
    assert asyncio.run(ask_all(make_settings(disabled), batch)) == []
