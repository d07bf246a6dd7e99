"""Removal of a synthetic object from real photographs: PSNR inside the hole against the original photograph.

    python benchmarks/removal.py

A shaded disc is drawn on photographs of scikit-image at several places and in several sizes, and removed with
a mask that is two pixels wider than it. What was there before is known, so the error of the filling can be
measured. Compared are Telea's method of OpenCV by itself, the tool of promptvision-opencv, and those of
promptvision-erase as far as their weights are on disk (``promptvision models pull migan-512 lama``).
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from promptvision.plugin import Settings, load_settings, missing_weights
from promptvision.testing import make_context, run_tool
from promptvision_erase.plugin import ERASE, promptvision_models
from promptvision_opencv.plugin import promptvision_tools as opencv_tools

PHOTOS = ("astronaut", "chelsea", "coffee", "rocket")
DIAMETERS = (16, 48, 96)
PLACES = ((0.2, 0.25), (0.5, 0.5), (0.75, 0.3), (0.3, 0.75))
"""Centres as shares of width and height."""
RIM = 2

Remove = Callable[[Image.Image, Image.Image], Image.Image]


@dataclass(frozen=True)
class Case:
    """A photograph, the same with the object on it, and the mask of the object."""

    photo: Image.Image
    spoiled: Image.Image
    mask: Image.Image
    diameter: int


def cases() -> Iterator[Case]:
    samples: Any = skimage.data
    for name in PHOTOS:
        photo = Image.fromarray(getattr(samples, name)()).convert("RGB")
        for diameter in DIAMETERS:
            for x, y in PLACES:
                yield make_case(photo, diameter, round(x * photo.width), round(y * photo.height))


def make_case(photo: Image.Image, diameter: int, x: int, y: int) -> Case:
    """Draw a ball that is lit from above."""
    box = (x - diameter // 2, y - diameter // 2, x + diameter // 2, y + diameter // 2)
    thing = Image.new("L", photo.size)
    ImageDraw.Draw(thing).ellipse(box, fill=255)
    shade = Image.new("L", photo.size, 255)
    shade.paste(ImageChops.invert(Image.linear_gradient("L").resize((diameter, diameter))), box[:2])
    red = Image.merge("RGB", (shade, *(shade.point(lambda value: value // 5) for _ in range(2))))
    spoiled = photo.copy()
    spoiled.paste(red, mask=thing)
    return Case(photo, spoiled, thing.filter(ImageFilter.MaxFilter(2 * RIM + 1)), diameter)


def psnr(case: Case, made: Image.Image) -> float:
    """Inside the hole, in dB."""
    inside = pixels(case.mask) > 0
    error = (pixels(made.convert("RGB"))[inside] - pixels(case.photo)[inside]) ** 2
    return float(10 * np.log10(255**2 / max(error.mean(), 1e-9)))


def pixels(image: Image.Image) -> NDArray[np.float64]:
    return np.asarray(image, np.float64)


def telea(image: Image.Image, mask: Image.Image) -> Image.Image:
    filled = cv2.inpaint(np.asarray(image), np.asarray(mask), 5, cv2.INPAINT_TELEA)
    return Image.fromarray(filled)


def leave(image: Image.Image, mask: Image.Image) -> Image.Image:
    """The lower bound: nothing is removed."""
    return image


def by_tool(tool: Any, variables: dict[str, str], models: Any = ()) -> Remove:
    def remove(image: Image.Image, mask: Image.Image) -> Image.Image:
        result = run_tool(tool, image, context=context, mask_url=context.save_mask(mask))
        return context.open(result.inpainted_image_url)

    context = make_context(models=models, variables=variables)
    return remove


def methods(settings: Settings) -> Iterator[tuple[str, Remove | str]]:
    """Name to the function that removes the object, or to why it cannot be measured."""
    (opencv,) = [tool for tool in opencv_tools() if tool.operation.name == "inpaint_image"]
    yield "nothing removed", leave
    yield "Telea (OpenCV)", telea
    yield "opencv_inpaint", by_tool(opencv, {})
    for spec in promptvision_models():
        missing = missing_weights(spec, settings)
        variable = "PROMPTVISION_MODEL_" + spec.id.upper().replace("-", "_")
        named = settings.value(variable)
        values = {"PROMPTVISION_ERASE_MODEL": spec.id, **({variable: named} if named else {})}
        if home := settings.value("PROMPTVISION_HOME"):
            values["PROMPTVISION_HOME"] = home
        yield f"erase, {spec.id}", missing.what if missing else by_tool(ERASE, values, promptvision_models())


def main() -> None:
    chosen = list(cases())
    head = " | ".join(f"{diameter} px" for diameter in DIAMETERS)
    print(f"| PSNR in the hole, dB | {head} | all | s |\n|---|{'---:|' * (len(DIAMETERS) + 2)}")
    for name, method in methods(load_settings()):
        if isinstance(method, str):
            print(f"| {name} | {'| ' * (len(DIAMETERS) + 1)}| not measured: {method} |")
            continue
        started = time.perf_counter()
        scores = [(case.diameter, psnr(case, method(case.spoiled, case.mask))) for case in chosen]
        spent = (time.perf_counter() - started) / len(chosen)
        means = [statistics.mean(score for size, score in scores if size == one) for one in DIAMETERS]
        shown = " | ".join(f"{mean:.1f}" for mean in [*means, statistics.mean(score for _, score in scores)])
        print(f"| {name} | {shown} | {spent:.2f} |")


if __name__ == "__main__":
    main()
