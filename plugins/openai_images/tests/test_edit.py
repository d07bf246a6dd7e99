"""Edits through the real SDK: the request, and that nothing outside a mask changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from promptvision.plugin import ArgumentsError
from promptvision.testing import CallContext, MaskedEditContract, rectangles, run_tool
from promptvision_openai_images.plugin import EDIT

Make = Callable[..., CallContext]
Mask = NDArray[np.bool_]
FILLING = (40, 90, 200)


def edit_in(
    context: CallContext, image: Image.Image, mask: Mask | None = None, **args: Any
) -> tuple[Any, Image.Image]:
    if mask is not None:
        args["mask_url"] = context.save_mask(Image.fromarray(mask).convert("L"))
    result = run_tool(EDIT, image, context=context, **{"prompt": "make it blue", **args})
    return result, context.open(result.edited_image_url)


class TestEdits(MaskedEditContract):
    tool = EDIT
    field = "edited_image_url"
    values = {"prompt": "make it blue"}

    @pytest.fixture(autouse=True)
    def _keep(self, context: Make) -> None:
        self.make = context

    def edit_context(self, image: Image.Image) -> CallContext:
        return self.make()


def test_without_a_mask_the_whole_image_is_redrawn_in_its_size(
    context: Make, noise_image: Callable[..., Image.Image], host: Any
) -> None:
    result, made = edit_in(context(), noise_image((300, 200)))
    (call,) = host.calls
    assert (call.path, call.token) == ("/v1/images/edits", "sk-secret")
    assert call.fields == {"prompt": "make it blue", "size": "1536x1024", "model": "gpt-image-1.5", "n": "1"}
    assert call.files["image"].size == (1536, 1024)
    assert "mask" not in call.files
    assert made.size == (300, 200)
    assert made.getcolors() == [(300 * 200, FILLING)]
    assert "was sent to 127.0.0.1:" in result.message


def test_mask_is_sent_with_its_surroundings(
    context: Make, noise_image: Callable[..., Image.Image], host: Any
) -> None:
    image = noise_image((1400, 600))
    mask = rectangles((1400, 600), (20, 20, 60, 60))
    _, made = edit_in(context(), image, mask)
    (call,) = host.calls
    assert call.files["image"].size == call.files["mask"].size == (1024, 1024)
    alpha = np.asarray(call.files["mask"].getchannel("A"))
    assert alpha[60, 60] == 0, "512 x 512 pixels around the thing, at twice their size"
    assert alpha[200, 200] == 255
    assert (np.asarray(made)[25:55, 25:55] == FILLING).all()
    assert np.array_equal(np.asarray(made)[~mask], np.asarray(image)[~mask])


def test_compatible_host_is_asked_for_base64(
    context: Make, noise_image: Callable[..., Image.Image], host: Any
) -> None:
    edit_in(context(PROMPTVISION_OPENAI_IMAGES_MODEL="flux"), noise_image((30, 20)))
    assert host.calls[0].fields["model"] == "flux"
    assert host.calls[0].fields["response_format"] == "b64_json"


def test_empty_mask_is_an_error_and_nothing_is_sent(
    context: Make, noise_image: Callable[..., Image.Image], host: Any
) -> None:
    with pytest.raises(ArgumentsError, match="the mask is empty"):
        edit_in(context(), noise_image((40, 30)), np.zeros((30, 40), bool))
    assert host.calls == []
