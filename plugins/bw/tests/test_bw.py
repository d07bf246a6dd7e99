from __future__ import annotations

import subprocess
import sys

import pytest
from PIL import Image

from promptvision.plugin import ImageRef
from promptvision.testing import make_context, run_tool
from promptvision_bw.plugin import BW, promptvision_tools


def converted(image: Image.Image) -> Image.Image:
    context = make_context()
    return context.open(run_tool(BW, image, context=context).bw_image_url)


def colours(mode: str) -> Image.Image:
    return Image.merge("RGB", [Image.linear_gradient("L").rotate(angle) for angle in (0, 90, 180)]).convert(
        mode
    )


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_grey_values_are_those_of_pillow(mode: str) -> None:
    image = colours(mode)
    made = converted(image)
    assert made.mode == "L"
    assert made.tobytes() == image.convert("L").tobytes()


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_kept(mode: str) -> None:
    image = colours(mode)
    image.putalpha(Image.linear_gradient("L"))
    made = converted(image)
    assert made.mode == "LA"
    assert made.getchannel("A").tobytes() == Image.linear_gradient("L").tobytes()


def test_result_is_an_edit_of_the_original() -> None:
    context = make_context()
    original = context.save(colours("RGB"), kind="input")
    result = run_tool(BW, context=context, image_url=original)
    saved = context.saved[-1]
    assert result.original_image_url == original
    assert (ImageRef(saved.id), saved.kind) == (result.bw_image_url, "edit")
    assert (saved.width, saved.height) == (256, 256)


def test_opened_image_is_not_changed() -> None:
    context = make_context()
    original = context.save(colours("RGB"), kind="input")
    run_tool(BW, context=context, image_url=original)
    assert context.open(original).tobytes() == colours("RGB").tobytes()


def test_plugin_offers_one_tool_and_imports_nothing_heavy() -> None:
    assert [tool.name for tool in promptvision_tools()] == ["bw"]
    code = "import sys, promptvision_bw.plugin; print({'PIL.Image', 'numpy', 'cv2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
