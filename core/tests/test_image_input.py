"""The forms in which Python callers give an image."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops

from promptvision.agent.image_input import to_source
from promptvision.errors import InputError
from promptvision.testing.agents import make_agent
from promptvision.tools.tool import Tool
from promptvision.types import ImageRef


class Array:
    """Samples with the array interface of numpy."""

    def __init__(self, shape: tuple[int, ...], typestr: str, data: bytes) -> None:
        self.__array_interface__: dict[str, Any] = {
            "shape": shape,
            "typestr": typestr,
            "strides": (),
            "version": 3,
            "data": data,
        }

    def tobytes(self) -> bytes:
        data: bytes = self.__array_interface__["data"]
        return data


def decoded(image: Any) -> Image.Image:
    data = asyncio.run(to_source(image))
    assert isinstance(data, bytes)
    return Image.open(io.BytesIO(data))


def test_agent_takes_every_form(tools: list[Tool], scene: Image.Image, photo: Path) -> None:
    agent = make_agent(tools)
    with photo.open("rb") as file:
        forms: list[Any] = [scene, Array((40, 60, 3), "|u1", scene.tobytes()), file, photo, str(photo)]
        replies = [agent.run_sync("make it black and white", image=form) for form in forms]
    assert [reply.image_url for reply in replies] == [replies[0].image_url] * len(forms)
    assert replies[0].image is not None
    assert ImageChops.difference(replies[0].image, scene.convert("L")).getbbox() is None


@pytest.mark.parametrize("source", [None, b"x", "x.png", Path("x.png"), ImageRef("0" * 64)])
def test_what_requests_carry_stays_as_it_is(source: Any) -> None:
    assert asyncio.run(to_source(source)) is source


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F"])
def test_any_pil_mode_is_encoded(mode: str) -> None:
    image = Image.new("L", (3, 2), 255).convert("L" if mode in ("I;16", "F") else mode)
    image = image.convert("I").convert(mode) if mode == "I;16" else image.convert(mode)
    assert decoded(image).size == (3, 2)


def test_arrays_become_images() -> None:
    assert decoded(Array((2, 3), "|u1", bytes(range(6)))).tobytes() == bytes(range(6))
    assert decoded(Array((1, 1, 4), "|u1", b"\x01\x02\x03\x04")).getpixel((0, 0)) == (1, 2, 3, 4)


@pytest.mark.parametrize(
    ("shape", "typestr"), [((2, 3), "<f8"), ((2, 3, 5), "|u1"), ((4,), "|u1"), ((0, 3), "|u1")]
)
def test_arrays_of_other_shapes_are_refused(shape: tuple[int, ...], typestr: str) -> None:
    with pytest.raises(InputError, match="is not an image"):
        decoded(Array(shape, typestr, bytes(240)))


def test_text_file_and_other_objects_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="text mode"):
        decoded(io.StringIO("x"))
    with pytest.raises(InputError, match="int is not an image"):
        decoded(7)
