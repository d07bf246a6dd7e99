"""An evaluation killed with SIGKILL: the same command continues, and gives the figures of one run."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from eval_data import write_balls
from PIL import Image, ImageDraw

from promptvision.testing import write_plugin
from promptvision_eval.document import Request
from promptvision_eval.session import EvalSession

KILLER = """
import asyncio, os, pickle, signal, sys
import cv2
from promptvision import Agent  # so that each child has imported it
from promptvision_eval import session, targets, planner_target
from promptvision_eval.session import EvalSession

def killed_at(kind, calls):
    original = kind.call
    async def call(self, values):
        calls.append(values)
        if len(calls) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return await original(self, values)
    kind.call = call

for request in pickle.load(sys.stdin.buffer):
    child = os.fork()
    if not child:
        calls = []
        killed_at(targets.ToolTarget, calls)
        killed_at(planner_target.PlannerTarget, calls)
        asyncio.run(EvalSession(request).run())
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
DRAW = """
from PIL import Image
from promptvision.plugin import Tool, hookimpl, operations

def draw(args, context):
    image = Image.new("RGB", (32, 32), args.prompt.split()[0])
    return operations.GENERATE.result(generated_image_url=context.save(image))

@hookimpl
def promptvision_tools():
    return [Tool(name="drawn", operation=operations.GENERATE, run="promptvision_drawn:draw")]
"""


@dataclass(frozen=True)
class Kind:
    """One kind of evaluation."""

    operation: str
    data: str
    tool: str
    evaluator: str = ""
    options: dict[str, str] = field(default_factory=dict)


KINDS = (
    Kind("detect_objects", "balls", "opencv_detect"),
    Kind("segment_objects", "balls", "opencv_segment"),
    Kind("segment_objects", "pairs", "opencv_segment", "mask-pairs"),
    Kind("caption_image", "balls", "opencv_caption"),
    Kind("extract_text", "pages", "tesseract", "text-pairs"),
    Kind("extract_text", "pages", "tesseract", "icdar"),
    Kind("inpaint_image", "edits", "opencv_inpaint"),
    Kind("generate_image", "prompts", "drawn"),
    Kind("planner", "sentences.txt", "offline"),
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three examples of each kind."""
    folder = tmp_path_factory.mktemp("data")
    balls = write_balls(folder / "balls", 3)
    labels = json.loads((balls / "annotations" / "instances_val2017.json").read_text())
    rows = [{"image_id": each["id"], "caption": "a ball"} for each in labels["images"]]
    captions = {"images": labels["images"], "annotations": rows}
    (balls / "annotations" / "captions_val2017.json").write_text(json.dumps(captions))
    for name in ("pairs", "pages", "edits", "prompts"):
        (folder / name).mkdir()
    edits = []
    for at, word in enumerate(("cat", "dog", "bird")):
        image, mask = Image.new("RGB", (64, 48), "white"), Image.new("L", (64, 48), 0)
        for canvas, fill in ((image, "red"), (mask, 255)):
            ImageDraw.Draw(canvas).ellipse((8 + at, 8, 40, 40), fill=fill)
        for place in ("pairs", "edits"):
            image.save(folder / place / f"{word}.jpg", quality=95)
            mask.save(folder / place / f"{word}.png")
        edits.append({"image": f"{word}.jpg", "mask": f"{word}.png", "prompt": ""})
        page = Image.new("L", (120, 40), 255)
        ImageDraw.Draw(page).text((10, 5), word, fill=0, font_size=24)
        page.save(folder / "pages" / f"{word}.png")
        (folder / "pages" / f"{word}.txt").write_text(word)
        (folder / "pages" / f"gt_{word}.txt").write_text(f"10,5,90,5,90,35,10,35,{word}")
    (folder / "edits" / "list.jsonl").write_text("\n".join(map(json.dumps, edits)))
    prompts = [{"prompt": f"{colour} square"} for colour in ("red", "green", "blue")]
    (folder / "prompts" / "list.jsonl").write_text("\n".join(map(json.dumps, prompts)))
    sentences = ("find the cat => detect prompt=cat", "make it black and white => bw", "hello => -")
    (folder / "sentences.txt").write_text("\n".join(sentences))
    return folder


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A tool that draws images, importable here too, and no plugin that these tests do not need."""
    kept = {"promptvision", "opencv", "tesseract", "eval", "drawn"}
    others = {point.name for point in entry_points(group="promptvision")} - kept
    monkeypatch.setenv("PROMPTVISION_DISABLED_PLUGINS", ",".join(sorted(others)))
    folder = write_plugin(tmp_path / "site", "drawn", DRAW)
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    sys.modules.pop("promptvision_drawn", None)


def figures(request: Request) -> tuple[int, list[dict[str, Any]]]:
    document, _ = asyncio.run(EvalSession(request).run())
    (tool,) = document["tools"]
    return tool["from_log"], tool["metrics"]


def test_every_kind_continues_to_the_figures_of_one_run(
    data: Path, site: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = [
        Request(
            operation=kind.operation,
            data=data / kind.data,
            tools=(kind.tool,),
            evaluator=kind.evaluator,
            limit=None,
            seed=0,
            resamples=5,
            arguments={},
            options=kind.options,
        )
        for kind in KINDS
    ]
    killed = subprocess.run(
        [sys.executable, "-c", KILLER],
        input=pickle.dumps(requests),
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(site)},
        timeout=300,
    )
    assert killed.stdout.decode().split() == [str(-signal.SIGKILL)] * len(KINDS), killed.stderr.decode()
    resumed = [figures(request) for request in requests]
    monkeypatch.setenv("PROMPTVISION_HOME", str(tmp_path / "other"))
    for kind, request, (known, metrics) in zip(KINDS, requests, resumed, strict=True):
        assert known == 1, kind
        assert (0, metrics) == figures(request), kind
