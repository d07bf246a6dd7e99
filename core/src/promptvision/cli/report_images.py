"""Write the images of a turn as files for a report, with detections drawn into them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promptvision.cli.report import Figure, Section
from promptvision.images.colour import flat_rgb
from promptvision.tools.drawing import draw_mask_overlay
from promptvision.types import Box

if TYPE_CHECKING:
    from PIL.Image import Image

    from promptvision.agent.reply import Reply, Step

__all__ = ["ReportImages"]

CAPTIONS = {
    "annotated_image_url": "detections",
    "merged_mask_url": "the mask",
    "inpainted_image_url": "the result",
    "bw_image_url": "the result",
}
WORD_COLOUR = (214, 39, 140)
LEFT_OUT = ("original_image_url", "mask_urls", "image_url")


class ReportImages:
    """Writes the images of one turn into a folder.

    Args:
        folder: the folder to write to.
        prefix: prefix of the file names.
        open_image: returns the image of an image id.
    """

    def __init__(self, folder: Path, prefix: str, open_image: Callable[[str], Image]) -> None:
        self._folder = folder
        self._prefix = prefix
        self._open = open_image
        self._written: dict[str, tuple[str, int, int]] = {}

    def section(self, words: str, reply: Reply) -> Section:
        """The turn as a section of the report."""
        compared = []
        made = reply.image_id
        is_edit = any(image["id"] == made and image["kind"] == "edit" for image in reply.images)
        if reply.image_url is not None:
            caption = "before" if is_edit else "the image"
            compared.append(self._stored(reply.image_url, caption))
        if made is not None:
            compared.append(self._stored(made, "after" if is_edit else "detections"))
        files = {shown.file for shown in compared}
        steps = [self._of_step(step) for step in reply.steps]
        fresh = [[shown for shown in figures if shown.file not in files] for figures in steps]
        return Section(words, reply, compared, fresh)

    def _of_step(self, step: Step) -> list[Figure]:
        result = step.result or {}
        shown = [
            self._stored(value, CAPTIONS.get(name, name.replace("_url", "").replace("_", " ")))
            for name, value in result.items()
            if name.endswith("_url") and name not in LEFT_OUT
        ]
        return [*self._overlays(result), *shown]

    def _overlays(self, result: dict[str, Any]) -> list[Figure]:
        """The mask and recognised words, drawn into their image."""
        original = result.get("original_image_url")
        if original is None:
            return []
        found = []
        if mask := result.get("merged_mask_url"):
            drawn = draw_mask_overlay(self._open(original), self._open(mask))
            found.append(self._write(f"overlay of {mask}", drawn, "mask over the image"))
        if words := result.get("words"):
            drawn = _frame(self._open(original), [Box(*word["box"]) for word in words])
            found.append(self._write(f"words of {original}", drawn, "recognised words"))
        return found

    def _stored(self, image_id: str, caption: str) -> Figure:
        return self._write(image_id, self._open(image_id), caption)

    def _write(self, key: str, image: Image, caption: str) -> Figure:
        if key not in self._written:
            name = f"{self._prefix}_{len(self._written)}.png"
            image.save(self._folder / name)
            self._written[key] = (name, image.width, image.height)
        return Figure(*self._written[key], caption)


def _frame(image: Image, boxes: list[Box]) -> Image:
    """A copy with a frame around each box that does not cover its content."""
    from PIL import ImageDraw

    canvas = flat_rgb(image)
    line = max(2, round(max(canvas.size) / 300))
    draw = ImageDraw.Draw(canvas)
    for box in boxes:
        frame = (box.x1 - line, box.y1 - line, box.x2 + line, box.y2 + line)
        draw.rectangle(frame, outline=WORD_COLOUR, width=line)
    return canvas
