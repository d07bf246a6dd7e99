"""Fixtures of the core's tests: small tools that really look at pixels, and images to try them on."""

from __future__ import annotations

import base64
import io
import os
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.metadata import EntryPoint, distributions, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image, ImageChops, ImageDraw

from promptvision.cli.main import main
from promptvision.images.codec import encode_png
from promptvision.testing.program import Ended, Program, write_plugin
from promptvision.tools import operations
from promptvision.tools.context import ANNOTATED, ToolContext
from promptvision.tools.tool import Tool
from promptvision.types import Box, MaskRef

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from promptvision.agent.agent import Agent


def detect(args: operations.DetectArgs, context: ToolContext) -> operations.DetectResult:
    """Finds one thing: all pixels of the colour that the prompt begins with."""
    picture = context.open(args.image_url).convert("RGB")
    flat = Image.new("RGB", picture.size, args.prompt.split()[0])
    found = (
        ImageChops.difference(picture, flat).convert("L").point(lambda value: 255 * (value == 0)).getbbox()
    )
    boxes = [Box(*map(float, found))] if found else []
    return operations.DetectResult(
        prompt=args.prompt,
        original_image_url=args.image_url,
        bounding_boxes=boxes,
        centroids=[box.centroid for box in boxes],
        labels=[str(args.prompt)] * len(boxes),
        scores=[1.0] * len(boxes),
        annotated_image_url=context.save(picture, kind=ANNOTATED),
        message=None if boxes else f"there is no {args.prompt}",
    )


def segment(args: operations.SegmentArgs, context: ToolContext) -> operations.SegmentResult:
    """Takes each box as its mask."""
    size = context.open(args.image_url).size
    masks: list[MaskRef] = []
    merged = Image.new("L", size, 0)
    for box in args.bounding_boxes:
        mask = Image.new("L", size, 0)
        ImageDraw.Draw(mask).rectangle((box.x1, box.y1, box.x2 - 1, box.y2 - 1), fill=255)
        masks.append(context.save_mask(mask))
        merged.paste(255, mask=mask)
    return operations.SegmentResult(
        original_image_url=args.image_url, merged_mask_url=context.save_mask(merged), mask_urls=masks
    )


def inpaint(args: operations.InpaintArgs, context: ToolContext) -> operations.InpaintResult:
    """Fills the mask with the colour that the prompt begins with."""
    picture = context.open(args.image_url).convert("RGB")
    picture.paste(args.prompt.split()[0] if args.prompt else "grey", mask=context.open(args.mask_url))
    return operations.InpaintResult(
        original_image_url=args.image_url, inpainted_image_url=context.save(picture)
    )


def to_bw(args: operations.ImageArgs, context: ToolContext) -> operations.BwResult:
    """Greyscale."""
    grey = context.open(args.image_url).convert("L")
    return operations.BwResult(original_image_url=args.image_url, bw_image_url=context.save(grey))


@pytest.fixture(scope="session")
def tools() -> list[Tool]:
    """Detect, segment, inpaint and convert, in plain PIL."""
    return [
        Tool(name="find_colour", operation=operations.DETECT, run=detect),
        Tool(name="box_mask", operation=operations.SEGMENT, run=segment),
        Tool(name="fill", operation=operations.INPAINT, run=inpaint),
        Tool(name="grey", operation=operations.CONVERT_TO_BW, run=to_bw),
    ]


@pytest.fixture(scope="session")
def scene() -> Image.Image:
    """A white image, 60 x 40, with a red square at (10, 10, 30, 30) and a blue one at (40, 5, 50, 15)."""
    picture = Image.new("RGB", (60, 40), "white")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((10, 10, 29, 29), fill="red")
    draw.rectangle((40, 5, 49, 14), fill="blue")
    return picture


@pytest.fixture(scope="session")
def scene_png(scene: Image.Image) -> bytes:
    return encode_png(scene)


_VARIABLES = ("GROQ_API_KEY", "OPENAI_API_KEY", "LLM_NAME")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine reaches a test."""
    for name in list(os.environ):
        if name.startswith(("PROMPTVISION_", "HF_")) or name in _VARIABLES:
            monkeypatch.delenv(name)


@pytest.fixture
def serve() -> Iterator[Callable[[Agent], TestClient]]:
    """Start the HTTP interface of an agent and get a client for it; all are stopped after the test."""
    from starlette.testclient import TestClient

    from promptvision.server import create_app

    with ExitStack() as stack:

        def start(agent: Agent) -> TestClient:
            app = create_app(agent=agent)
            client = TestClient(app, base_url="http://127.0.0.1:5000", raise_server_exceptions=False)
            return stack.enter_context(client)

        yield start


@pytest.fixture(scope="session")
def scene_url(scene_png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(scene_png).decode()


@pytest.fixture(scope="session")
def chat_body() -> Callable[..., dict[str, Any]]:
    """A body for ``POST /chat`` with a fresh prompt_id; members may be given, replaced or added."""

    def make(prompt: Any = "make it black and white", **members: Any) -> dict[str, Any]:
        return {"prompt": prompt, "prompt_id": uuid.uuid4().hex, "conversation_id": "c", **members}

    return make


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., list[EntryPoint]]]:
    """Writes a real distribution with one plugin module; returns the entry points of all written so far."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)

    def write(
        distribution: str, source: str, name: str | None = None, version: str = "1.0"
    ) -> list[EntryPoint]:
        package = distribution.replace("-", "_")
        info = folder / f"{package}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        entry = name or package.removeprefix("promptvision_")
        (info / "entry_points.txt").write_text(f"[promptvision]\n{entry} = {package}\n")
        (folder / f"{package}.py").write_text(source)
        return [point for dist in distributions(path=[str(folder)]) for point in dist.entry_points]

    yield write
    for module, loaded in list(sys.modules.items()):
        if (getattr(loaded, "__file__", None) or "").startswith(str(folder)):
            del sys.modules[module]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """The command line in processes of their own, with the tools of ``cli_tools.py`` and no other plugin."""
    source = Path(__file__).with_name("cli_tools.py").read_text("utf-8")
    site = write_plugin(tmp_path / "site", "clitools", source)
    others = {point.name for point in entry_points(group="promptvision")} - {"promptvision", "clitools"}
    variables = {"PROMPTVISION_DISABLED_PLUGINS": ",".join(sorted(others)), "MARK": str(tmp_path / "mark")}
    return Program(tmp_path / "home", variables, path=[site])


@pytest.fixture
def command(
    program: Program, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Iterator[Callable[..., Ended]]:
    """Runs a command of the same program in this process, which is quicker."""
    monkeypatch.chdir(program.home)
    monkeypatch.syspath_prepend(program.environment["PYTHONPATH"])
    for name in ("COLUMNS", "FORCE_COLOR", "PYTHONPATH"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: str | Path, given: bytes = b"") -> Ended:
        for name, value in program.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        with pytest.raises(SystemExit) as left:
            main([str(word) for word in words])
        written = capfdbinary.readouterr()
        return Ended(int(str(left.value.code)), written.out, written.err.decode("utf-8"))

    yield run
    sys.modules.pop("promptvision_clitools", None)


@pytest.fixture
def photo(scene: Image.Image, tmp_path: Path) -> Path:
    """The scene as a PNG file."""
    file = tmp_path / "photo.png"
    scene.save(file)
    return file
