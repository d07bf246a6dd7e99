from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from promptvision.testing import CallContext, run_tool
from promptvision_openai_images.plugin import GENERATE


@pytest.mark.parametrize(("form", "size"), [("square", (1024, 1024)), ("portrait", (1024, 1536))])
def test_image_is_drawn_from_a_description(
    context: Callable[..., CallContext], host: Any, form: str, size: tuple[int, int]
) -> None:
    held = context()
    result = run_tool(GENERATE, context=held, prompt="a red bicycle", format=form)
    assert held.open(result.generated_image_url).size == size
    (call,) = host.calls
    assert call.path == "/v1/images/generations"
    assert call.fields["prompt"] == "a red bicycle"
    assert call.fields["size"] == f"{size[0]}x{size[1]}"
