from __future__ import annotations

import base64
from collections.abc import Callable
from io import BytesIO
from types import ModuleType
from typing import Any

import pytest
from PIL import Image
from starlette.responses import JSONResponse

from promptvision.plugin import ToolFailed
from promptvision.testing import CallContext, run_tool
from promptvision_openai_images.plugin import ASK

Make = Callable[..., CallContext]


def test_question_is_answered_about_the_image(context: Make, host: Any) -> None:
    image = Image.new("RGBA", (3000, 1000), (255, 0, 0, 128))
    result = run_tool(ASK, image, context=context(), question="how many squares?")
    assert result.answer == "Two red squares."
    assert result.summary().startswith("Two red squares.")
    (call,) = host.calls
    text, shown = call.fields["messages"][1]["content"]
    assert text["text"] == "how many squares?"
    sent = Image.open(BytesIO(base64.b64decode(shown["image_url"]["url"].partition(",")[2])))
    assert (sent.format, sent.size) == ("JPEG", (1536, 512))


def test_empty_answer_is_an_error(context: Make, host: Any, stub_host: ModuleType) -> None:
    host.answer = lambda call: JSONResponse(
        {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": []}
    )
    with pytest.raises(ToolFailed, match="returned no answer"):
        run_tool(ASK, Image.new("RGB", (8, 8)), context=context(), question="what?")
