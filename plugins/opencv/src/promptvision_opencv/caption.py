"""The tool ``opencv_caption``: a caption from measurements."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from promptvision.plugin import Box, CaptionArgs, CaptionResult, ToolContext
from promptvision_opencv.arrays import Array, rgb_array, shrink
from promptvision_opencv.colours import COLOURS, hsv, name_pixels
from promptvision_opencv.faces import find_faces
from promptvision_opencv.people import find_people
from promptvision_opencv.regions import Region, find_regions

__all__ = ["Measured", "caption", "describe", "measure"]

_WORK_SIDE = 640
_LEAST_SCORE = 0.45
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Measurements of an image.

    Args:
        width: in pixels.
        height: in pixels.
        is_grey: whether it has no colour.
        shares: colour name and share of the image, largest first.
        brightness: mean lightness, 0 to 1.
        sharpness: steepest steps of brightness between neighbours, 0 to 1.
        faces: boxes of faces.
        people: boxes of people, including those of the faces.
        regions: colour name and box of regions that stand out by their colour, largest first.
    """

    width: int
    height: int
    is_grey: bool
    shares: tuple[tuple[str, float], ...]
    brightness: float
    sharpness: float
    faces: tuple[Box, ...]
    people: tuple[Box, ...]
    regions: tuple[tuple[str, Box], ...]


def caption(args: CaptionArgs, context: ToolContext) -> CaptionResult:
    """Describe an image by its measurements."""
    rgb = rgb_array(context.open(args.image_url))
    context.progress(0, 1, "measuring")
    text = describe(measure(rgb), args.detail)
    context.check_cancelled()
    return CaptionResult(original_image_url=args.image_url, caption=text)


def measure(rgb: Array) -> Measured:
    """Measure an image of H x W x 3 uint8."""
    small, _ = shrink(rgb, _WORK_SIDE)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    counts = np.bincount(name_pixels(hsv(small)).ravel(), minlength=len(COLOURS)) / grey.size
    shares = sorted(((c.name, float(n)) for c, n in zip(COLOURS, counts, strict=True)), key=lambda x: -x[1])
    steps = np.concatenate([np.abs(np.diff(grey, axis=axis)).ravel() for axis in (0, 1)])
    faces = find_faces(rgb)
    return Measured(
        width=rgb.shape[1],
        height=rgb.shape[0],
        is_grey=bool(np.ptp(small.astype(np.int16), axis=2).mean() < 2),
        shares=tuple((name, share) for name, share in shares if share >= 0.04),
        brightness=float(grey.mean()),
        sharpness=float(np.percentile(steps, 99.95)) if steps.size else 0.0,
        faces=tuple(face.box for face in faces if face.score >= _LEAST_SCORE),
        people=tuple(person.box for person in find_people(rgb, faces) if person.score >= _LEAST_SCORE),
        regions=_standing_out(small, rgb.shape[1] / small.shape[1]),
    )


def describe(measured: Measured, detail: str) -> str:
    """Convert measurements to sentences.

    Args:
        measured: the measurements.
        detail: ``brief`` for one sentence, ``detailed`` for the whole image, ``more_detailed`` also for
            positions.
    """
    sentences = [_summary(measured)]
    if detail != "brief":
        sentences += [_size(measured), _colours(measured), _light(measured)]
    if detail == "more_detailed":
        sentences += [_places(measured), _regions(measured)]
    return " ".join(filter(None, sentences))


def _standing_out(rgb: Array, factor: float) -> tuple[tuple[str, Box], ...]:
    """The largest region of each colour that is neither a speck nor the background, at most five."""
    total = rgb.shape[0] * rgb.shape[1]
    found: list[tuple[str, Region]] = []
    for colour in COLOURS:
        if colour.is_chromatic and colour.name not in ("beige", "brown"):
            found += [(colour.name, region) for region in find_regions(rgb, colour) if region.score >= 0.7]
    found = [(name, region) for name, region in found if 0.01 < region.box.area / total < 0.5]
    found.sort(key=lambda each: each[1].box.area)
    greatest = dict(found)  # the last entry of a name is kept
    boxes = {name: Box(*(side * factor for side in region.box)) for name, region in greatest.items()}
    return tuple(sorted(boxes.items(), key=lambda each: -each[1].area)[:5])


def _summary(measured: Measured) -> str:
    ratio = measured.width / measured.height
    form = "square" if 0.95 < ratio < 1.05 else "landscape" if ratio > 1 else "portrait-format"
    kind = "greyscale image" if measured.is_grey else "image"
    names = [name for name, _ in measured.shares[:2]]
    look = f", mostly {' and '.join(names)}" if names else ""
    return f"A {form} {kind}{look}, with {_counted(measured)}."


def _counted(measured: Measured) -> str:
    faces, people = len(measured.faces), len(measured.people)
    if not faces and not people:
        return "no face or person found in it"
    parts = [_number(people, "person", "people")] if people else []
    parts += [_number(faces, "face", "faces") + " turned to the camera"] if faces else []
    return " and ".join(parts)


def _size(measured: Measured) -> str:
    return f"It measures {measured.width} x {measured.height} pixels."


def _colours(measured: Measured) -> str:
    if not measured.shares:
        return ""
    return (
        "Its colours are " + _listed([f"{name} ({share:.0%})" for name, share in measured.shares[:5]]) + "."
    )


def _light(measured: Measured) -> str:
    levels = ((0.22, "very dark"), (0.38, "rather dark"), (0.62, "of medium brightness"), (0.8, "bright"))
    light = next((word for limit, word in levels if measured.brightness < limit), "very bright")
    sharp = (
        "sharp" if measured.sharpness > 0.2 else "soft" if measured.sharpness > 0.08 else "blurred or smooth"
    )
    return f"It is {light}, and its finest detail is {sharp}."


def _places(measured: Measured) -> str:
    faces = [f"a face {_where(box, measured)}" for box in measured.faces[:5]]
    people = [f"a person {_where(box, measured)}" for box in measured.people[:5]]
    return f"There is {_listed(faces + people)}." if faces or people else ""


def _regions(measured: Measured) -> str:
    items = [f"{_article(name)} {name} area {_where(box, measured)}" for name, box in measured.regions]
    return f"Standing out by colour: {_listed(items)}." if items else ""


def _where(box: Box, measured: Measured) -> str:
    x, y = box.centroid
    across = ("left", "", "right")[min(2, int(3 * x / measured.width))]
    down = ("upper", "", "lower")[min(2, int(3 * y / measured.height))]
    if across and down:
        return f"at the {down} {across}"
    if across:
        return f"at the {across}"
    return {"upper": "at the top", "lower": "at the bottom"}.get(down, "in the middle")


def _listed(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def _number(count: int, one: str, many: str) -> str:
    word = _NUMBERS[count] if count < len(_NUMBERS) else str(count)
    return f"{word} {one if count == 1 else many}"


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"
