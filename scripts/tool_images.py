"""Draw the images in docs/images: for each operation the input and the output of the tools that need no
weights, run on the sample scenes. Names of images draw only those; --check only reports whether each exists
and is small enough.
"""

from __future__ import annotations

import asyncio
import io
import sys
import textwrap
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from promptvision.agent.agent import Agent
from promptvision.agent.reply import Reply
from promptvision.builtin.samples import still_life, street_sign
from promptvision.settings import Settings
from promptvision.tools.drawing import draw_boxes, draw_mask_overlay
from promptvision.types import Box

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "images"
PANEL = (480, 320)
TITLE_PX = 30
GAP_PX = 8
MAX_WIDTH = 1760
"""Of a strip in pixels."""
MAX_BYTES = 150_000
NEURAL = "cutout,erase,florence,grounding_dino,sam,sd_inpaint,sdxl_inpaint,upscale,vqa"
SETTINGS = {
    "PROMPTVISION_IMAGES": "memory:",
    "PROMPTVISION_CONVERSATIONS": "memory:",
    "PROMPTVISION_DISABLED_PLUGINS": NEURAL,
}

Panel = tuple[str, Image.Image]


def main() -> int:
    """Write all images; return 1 when one is too large or, with --check, missing."""
    if "--check" not in sys.argv[1:]:
        for name, panels in asyncio.run(_draw_all()).items():
            strip = _strip(panels)
            palette = strip.quantize(256, kmeans=4)  # the default drops rare colours
            strip.quantize(palette=palette).save(FOLDER / f"{name}.png", optimize=True)
    found = {file.stem: file.stat().st_size for file in FOLDER.glob("*.png")}
    wrong = [f"{name}: not there" for name in SCENES.keys() - found.keys()]
    wrong += [f"{name}: {size} bytes" for name, size in found.items() if size > MAX_BYTES]
    print("\n".join(wrong or [f"{len(found)} images, the largest {max(found.values()) // 1000} kB"]))
    return 1 if wrong else 0


async def _draw_all() -> dict[str, list[Panel]]:
    agent = Agent(Settings.from_mapping(SETTINGS))
    try:
        wanted = [name for name in sys.argv[1:] if name in SCENES] or SCENES
        return {name: await SCENES[name](agent) for name in wanted}
    finally:
        await agent.close()


async def _call(agent: Agent, operation: str, image: Image.Image, **values: Any) -> Reply:
    return await agent.call_tool(operation, {"image_url": _png(image), **values})


async def _detect(agent: Agent) -> list[Panel]:
    image = still_life()
    reply = await _call(agent, "detect_objects", image, prompt="red ball. blue box. green cone")
    return [
        ("in: “red ball. blue box. green cone”", image),
        ("out: annotated_image_url", agent.open(reply.fields["annotated_image_url"])),
    ]


async def _segment(agent: Agent) -> list[Panel]:
    image = still_life()
    reply = await _call(agent, "segment_objects", image, target="red ball. green cone")
    fields = reply.fields
    boxes = [Box(*box) for box in fields["bounding_boxes"]]
    mask = agent.open(reply.fields["merged_mask_url"])
    return [
        ("in: bounding_boxes", draw_boxes(image, boxes, fields["labels"], fields["scores"])),
        ("out: merged_mask_url", mask),
        ("the mask over the image", draw_mask_overlay(image, mask)),
    ]


async def _inpaint(agent: Agent) -> list[Panel]:
    image = still_life()
    panels = [("in", image)]
    for target, prompt, title in (
        ("red ball", "blue", "out: “change the red ball to blue”"),
        ("green cone", "", "out: “remove the green cone”"),
    ):
        reply = await _call(agent, "inpaint_image", image, target=target, prompt=prompt)
        panels.append((title, agent.open(reply.fields["inpainted_image_url"])))
    return panels


async def _caption(agent: Agent) -> list[Panel]:
    image = still_life()
    reply = await _call(agent, "caption_image", image)
    return [("in", image), ("out: caption", _page(reply.fields["caption"]))]


async def _read(agent: Agent) -> list[Panel]:
    image = street_sign()
    reply = await _call(agent, "extract_text", image)
    words = reply.fields["words"]
    boxes = [Box(*word["box"]) for word in words]
    labels, scores = [word["text"] for word in words], [word["confidence"] / 100 for word in words]
    return [
        ("in", image),
        ("out: words, with confidence", draw_boxes(image, boxes, labels, scores)),
        ("out: extracted_text", _page(reply.fields["extracted_text"])),
    ]


async def _to_bw(agent: Agent) -> list[Panel]:
    image = street_sign()
    reply = await _call(agent, "convert_to_bw", image)
    return [("in", image), ("out: bw_image_url", agent.open(reply.fields["bw_image_url"]))]


Edit = tuple[str, str, dict[str, Any]]
"""Title, operation and arguments."""

GEOMETRY: tuple[Edit, ...] = (
    ("crop it to 1:1", "crop_image", {"aspect": "1:1"}),
    ("rotate it 15 degrees", "rotate_image", {"degrees": 15, "fill": "white"}),
    ("flip it", "flip_image", {}),
    ("resize it to 25 %", "resize_image", {"percent": 25}),
)
LOOKS: tuple[Edit, ...] = (
    ("make it brighter", "adjust_image", {"brightness": 1.3}),
    ("pixelate the blue box", "blur_image", {"target": "blue box", "style": "pixelate"}),
    ("write “Still life” on it", "draw_text", {"text": "Still life"}),
    ("save it as jpeg with quality 5", "convert_format", {"format": "jpeg", "quality": 5}),
)


async def _edits(agent: Agent, edits: Sequence[Edit]) -> list[Panel]:
    image = still_life()
    panels = [("in", image)]
    for title, operation, values in edits:
        reply = await _call(agent, operation, image, **values)
        assert reply.image_id is not None
        panels.append((title, _fit(agent.open(reply.image_id))))
    return panels


async def _combine(agent: Agent) -> list[Panel]:
    image, other = still_life(), street_sign()
    reply = await _call(agent, "combine_images", image, others=[_png(other)], gap=12)
    assert reply.image_id is not None
    info = await _call(agent, "image_info", image)
    return [
        ("in", image),
        ("in", other),
        ("out: combine_images", _fit(agent.open(reply.image_id))),
        ("out: image_info", _page(info.text_response)),
    ]


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def _fit(image: Image.Image) -> Image.Image:
    """The image in its own format on a white panel, never enlarged."""
    panel = Image.new("RGB", PANEL, "white")
    shown = image.convert("RGB")
    shown.thumbnail(PANEL, Image.Resampling.LANCZOS)
    panel.paste(shown, ((PANEL[0] - shown.width) // 2, (PANEL[1] - shown.height) // 2))
    return panel


SCENES: dict[str, Callable[[Agent], Awaitable[list[Panel]]]] = {
    "basics_geometry": partial(_edits, edits=GEOMETRY),
    "basics_looks": partial(_edits, edits=LOOKS),
    "basics_combine": _combine,
    "detect_objects": _detect,
    "segment_objects": _segment,
    "inpaint_image": _inpaint,
    "caption_image": _caption,
    "extract_text": _read,
    "convert_to_bw": _to_bw,
}


def _page(text: str) -> Image.Image:
    """Text on a white page of the size of a panel."""
    page = Image.new("RGB", PANEL, "white")
    lines = [part for line in text.splitlines() for part in textwrap.wrap(line, 50) or [""]]
    font = ImageFont.load_default(size=18)
    ImageDraw.Draw(page).multiline_text((20, 16), "\n".join(lines), fill="black", font=font, spacing=8)
    return page


def _strip(panels: Sequence[Panel]) -> Image.Image:
    """Panels in a row, each with its title above."""
    width = len(panels) * (PANEL[0] + GAP_PX) - GAP_PX
    strip = Image.new("RGB", (width, PANEL[1] + TITLE_PX), "white")
    pen, font = ImageDraw.Draw(strip), ImageFont.load_default(size=18)
    for index, (title, image) in enumerate(panels):
        left = index * (PANEL[0] + GAP_PX)
        pen.text((left + 4, TITLE_PX / 2), title, fill="black", font=font, anchor="lm")
        strip.paste(image.convert("RGB").resize(PANEL, Image.Resampling.LANCZOS), (left, TITLE_PX))
    strip.thumbnail((MAX_WIDTH, strip.height), Image.Resampling.LANCZOS)
    return strip


if __name__ == "__main__":
    sys.exit(main())
