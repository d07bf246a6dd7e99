"""The tool, called as by the agent, on a grid of sizes, modes and masks."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from promptvision.plugin import ArgumentsError, ToolFailed
from promptvision.testing import CallContext, MaskedEditContract, rectangles, run_tool
from promptvision_erase.plugin import ERASE

Make = Callable[..., CallContext]
Mask = NDArray[np.bool_]


def erase_in(context: CallContext, image: Image.Image, mask: Mask, **args: Any) -> tuple[Any, Image.Image]:
    ref = context.save_mask(Image.fromarray(mask).convert("L"))
    result = run_tool(ERASE, image, context=context, mask_url=ref, **args)
    return result, context.open(result.inpainted_image_url)


class _Edits(MaskedEditContract):
    __test__ = False
    tool = ERASE
    kind: str

    @pytest.fixture(autouse=True)
    def _keep(self, context: Make) -> None:
        self.make = context

    def edit_context(self, image: Image.Image) -> CallContext:
        return self.make(self.kind)


class TestMigan(_Edits):
    __test__ = True
    kind = "migan"


class TestLama(_Edits):
    __test__ = True
    kind = "lama"


class TestLamaWithOneInput(_Edits):
    __test__ = True
    kind = "lama_joined"


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_transparency_is_kept(context: Make, noise_image: Callable[..., Image.Image], mode: str) -> None:
    image = noise_image((57, 133), mode)
    _, made = erase_in(context(), image, rectangles((57, 133), (2, 3, 8, 9)))
    assert made.getchannel("A").tobytes() == image.getchannel("A").tobytes()


def test_hole_contains_the_output_of_the_model(
    context: Make, noise_image: Callable[..., Image.Image], tiny_inpainting: ModuleType
) -> None:
    mask = rectangles((200, 150), (60, 40, 120, 100))
    _, made = erase_in(context(), noise_image((200, 150)), mask)
    assert (np.asarray(made)[45:95, 65:115] == tiny_inpainting.FILLING).all()


def test_distant_objects_are_filled_in_separate_windows(
    context: Make, noise_image: Callable[..., Image.Image], tiny_inpainting: ModuleType
) -> None:
    image = noise_image((1400, 600))
    mask = rectangles((1400, 600), (20, 20, 60, 60), (1300, 500, 1340, 540))
    seen: list[str] = []
    _, made = erase_in(context(on_progress=lambda *step: seen.append(step[2])), image, mask)
    assert seen.count("removing") == 2
    after = np.asarray(made)
    assert np.array_equal(after[~mask], np.asarray(image)[~mask])
    assert (after[25:55, 25:55] == tiny_inpainting.FILLING).all()
    assert (after[505:535, 1305:1335] == tiny_inpainting.FILLING).all()


def test_prompt_is_refused(context: Make, noise_image: Callable[..., Image.Image]) -> None:
    with pytest.raises(ToolFailed, match="cannot paint 'a cat'"):
        erase_in(context(), noise_image((40, 30)), np.ones((30, 40), bool), prompt="a cat")


def test_empty_mask_and_mask_of_another_size_are_errors(
    context: Make, noise_image: Callable[..., Image.Image]
) -> None:
    image = noise_image((90, 70))
    with pytest.raises(ArgumentsError, match="the mask is empty"):
        erase_in(context(), image, np.zeros((70, 90), bool))
    with pytest.raises(ArgumentsError, match="90 x 30 pixels and the image 90 x 70"):
        erase_in(context(), image, np.ones((30, 90), bool))
