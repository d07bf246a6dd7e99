"""Hook implementations of promptvision-opencv: fallback tools that need no download."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from promptvision.plugin import Point, PointSegmentArgs, Requirements, Tool, hookimpl, operations

__all__ = ["PLUGIN_API", "CutArgs", "promptvision_tools"]

PLUGIN_API = 1

_PRIORITY = 10
_OPENCV = {"cv2": "pip install 'opencv-python-headless<5'", "numpy": "pip install numpy"}
_SKIMAGE = {"skimage": "pip install scikit-image"}


class CutArgs(PointSegmentArgs):
    """Arguments of ``segment_objects`` when OpenCV fulfils it."""

    background_points: list[Point] = Field(
        default_factory=list,
        max_length=100,
        description="Points [x, y] in pixels that no mask of a point may contain.",
    )


DETECT_TOOL = Tool(
    name="opencv_detect",
    operation=operations.DETECT,
    run="promptvision_opencv.detect:detect",
    priority=_PRIORITY,
    requires=Requirements(modules=_OPENCV | _SKIMAGE),
    limits=(
        "Finds only faces, people, the background, and objects named by a colour ('red ball'); "
        "promptvision-grounding-dino finds anything by its name."
    ),
)

SEGMENT_TOOL = Tool(
    name="opencv_segment",
    operation=operations.SEGMENT,
    run="promptvision_opencv.segment:segment",
    args=CutArgs,
    takes_complements=True,
    priority=_PRIORITY,
    requires=Requirements(modules=_OPENCV),
    limits=(
        "Separates an object from its surroundings by colour alone, so it fails where both look alike; "
        "promptvision-sam does not."
    ),
)

INPAINT_TOOL = Tool(
    name="opencv_inpaint",
    operation=operations.INPAINT,
    run="promptvision_opencv.inpaint:inpaint",
    priority=_PRIORITY,
    requires=Requirements(modules=_OPENCV),
    limits=(
        "Removes an object (prompt empty) but not its shadow, filling the area from its surroundings; gives "
        "it one named colour (prompt 'blue') or makes it black and white; cannot paint anything new, which "
        "promptvision-sdxl-inpaint can."
    ),
)

CAPTION_TOOL = Tool(
    name="opencv_caption",
    operation=operations.CAPTION,
    run="promptvision_opencv.caption:caption",
    priority=_PRIORITY,
    requires=Requirements(modules=_OPENCV | _SKIMAGE),
    limits=(
        "Measures size, colours, light, faces and people and recognises nothing else; "
        "promptvision-florence describes what an image shows."
    ),
)


@hookimpl
def promptvision_tools() -> Iterable[Tool]:
    """The four fallback tools."""
    return DETECT_TOOL, SEGMENT_TOOL, INPAINT_TOOL, CAPTION_TOOL
