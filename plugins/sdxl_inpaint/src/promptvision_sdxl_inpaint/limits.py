"""What the operator's settings allow: how many pixels are painted at a time, and which results."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from promptvision.plugin import SetupError, StopTurn

if TYPE_CHECKING:
    from PIL import Image

    from promptvision.plugin import Settings

__all__ = ["WORK_PIXELS", "check_content", "work_pixels"]

WORK_PIXELS = 1024 * 1024
"""SDXL was trained at about this many pixels (Podell et al. 2023, section 2.2)."""

_FEWEST_PIXELS = 64 * 64


def work_pixels(settings: Settings) -> int:
    """How many pixels the model works on.

    Raises:
        SetupError: ``PROMPTVISION_SDXL_PIXELS`` is not a number, or too small.
    """
    value = settings.value("PROMPTVISION_SDXL_PIXELS")
    if value is None:
        return WORK_PIXELS
    if not value.isdecimal() or int(value) < _FEWEST_PIXELS:
        raise SetupError(
            f"promptvision-sdxl-inpaint: PROMPTVISION_SDXL_PIXELS is {value!r}",
            hint=f"give a whole number from {_FEWEST_PIXELS}, such as {WORK_PIXELS}",
        )
    return int(value)


def check_content(image: Image.Image, prompt: str, settings: Settings) -> None:
    """Call the operator's content check on the result before it is stored.

    Raises:
        SetupError: ``PROMPTVISION_SDXL_CONTENT_CHECK`` does not name a function.
        StopTurn: the check refused the image.
    """
    name = settings.value("PROMPTVISION_SDXL_CONTENT_CHECK")
    if name is None:
        return
    module, _, attribute = name.partition(":")
    try:
        check = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as exc:
        raise SetupError(
            f"promptvision-sdxl-inpaint: PROMPTVISION_SDXL_CONTENT_CHECK is {name!r}: {exc}",
            hint="name a function as 'module:function'",
        ) from exc
    if reason := check(image, prompt):
        raise StopTurn(f"promptvision-sdxl-inpaint: the content check refused the image: {reason}")
