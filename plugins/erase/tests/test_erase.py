"""The tool, as the agent would run it, on the grid of sizes, modes and masks of the diffusion painter."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from promptvision.plugin import ArgumentsError, MaskRef, ToolFailed
from promptvision.testing import MASKS as MASK_CASES
from promptvision.testing import CallContext, run_tool
from promptvision_erase.plugin import ERASE

Make = Callable[..., CallContext]
Mask = NDArray[np.bool_]
KINDS = ("migan", "lama", "lama_joined")


def rectangle(size: tuple[int, int], *boxes: tuple[int, int, int, int]) -> Mask:
    mask = np.zeros(size[::-1], bool)
    for left, top, right, bottom in boxes:
        mask[top:bottom, left:right] = True
    return mask


def erase_in(context: CallContext, image: Image.Image, mask: Mask, **args: Any) -> tuple[Any, Image.Image]:
    ref = context.save_mask(Image.fromarray(mask).convert("L"))
    result = run_tool(ERASE, image, context=context, mask_url=ref, **args)
    return result, context.open(result.inpainted_image_url)


MASKS = {
    "1 percent": rectangle((101, 77), (40, 30, 49, 39)),
    "90 percent": rectangle((101, 77), (3, 2, 98, 76)),
    "all": rectangle((101, 77), (0, 0, 101, 77)),
    "at the border": rectangle((101, 77), (0, 50, 30, 77)),
    "several regions": rectangle((101, 77), (5, 5, 20, 20), (60, 40, 90, 70), (95, 0, 101, 9)),
    "one pixel": rectangle((101, 77), (50, 40, 51, 41)),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS.keys())
def test_pixels_outside_the_mask_are_bit_identical(
    context: Make, noise_image: Callable[..., Image.Image], mask: Mask, kind: str
) -> None:
    image = noise_image((101, 77))
    _, made = erase_in(context(kind), image, mask)
    assert made.size == image.size
    before, after = np.asarray(image), np.asarray(made)
    assert np.array_equal(after[~mask], before[~mask])
    assert (after[mask] != before[mask]).any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["L", "LA", "RGBA"])
@pytest.mark.parametrize("size", [(57, 133), (133, 57), (9, 9)])
def test_size_mode_and_transparency_are_kept(
    context: Make, noise_image: Callable[..., Image.Image], size: tuple[int, int], mode: str, kind: str
) -> None:
    image = noise_image(size, mode)
    mask = rectangle(size, (2, 3, 8, 9))
    _, made = erase_in(context(kind), image, mask)
    assert (made.size, made.mode) == (image.size, image.mode)
    assert np.array_equal(np.asarray(made)[~mask], np.asarray(image)[~mask])
    if "A" in mode:
        assert made.getchannel("A").tobytes() == image.getchannel("A").tobytes()


@pytest.mark.parametrize("kind", MASK_CASES)
def test_kind_of_mask_changes_what_it_means(
    context: Make, noise_image: Callable[..., Image.Image], kind: str
) -> None:
    case = MASK_CASES[kind]
    selected = np.asarray(case.selects()) > 0
    held, image = context(), noise_image((selected.shape[1], selected.shape[0]))
    mask = MaskRef(held.save(case.make(), kind="mask").id)
    result = run_tool(ERASE, image, context=held, mask_url=mask)
    changed = (np.asarray(held.open(result.inpainted_image_url)) != np.asarray(image)).any(axis=2)
    assert (changed & ~selected).mean() <= case.tolerance
    assert changed[selected].mean() > 0.9
    for part in case.notes:
        assert part in result.message


def test_hole_holds_what_the_model_filled_in(
    context: Make, noise_image: Callable[..., Image.Image], tiny_inpainting: ModuleType
) -> None:
    mask = rectangle((200, 150), (60, 40, 120, 100))
    _, made = erase_in(context(), noise_image((200, 150)), mask)
    assert (np.asarray(made)[45:95, 65:115] == tiny_inpainting.FILLING).all()


def test_distant_things_are_filled_in_windows_of_their_own(
    context: Make, noise_image: Callable[..., Image.Image], tiny_inpainting: ModuleType
) -> None:
    image = noise_image((1400, 600))
    mask = rectangle((1400, 600), (20, 20, 60, 60), (1300, 500, 1340, 540))
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
