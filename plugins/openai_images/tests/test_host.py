"""Failures of the host, each converted to an error that names the fix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from promptvision.plugin import SetupError, ToolFailed
from promptvision.testing import CallContext, run_tool
from promptvision_openai_images.plugin import GENERATE

Make = Callable[..., CallContext]


def refusal(status: int, message: str) -> Callable[[Any], Response]:
    return lambda call: JSONResponse({"error": {"message": message, "type": "t", "code": "c"}}, status)


def generate(context: CallContext) -> Any:
    return run_tool(GENERATE, context=context, prompt="a cat")


@pytest.mark.parametrize(
    ("status", "error", "hint"),
    [(401, SetupError, "IMAGES_KEY"), (404, SetupError, "IMAGES_MODEL"), (400, ToolFailed, "")],
)
def test_refusals_name_the_fix_and_hide_the_key(
    context: Make, host: Any, status: int, error: type[Exception], hint: str
) -> None:
    host.answer = refusal(status, "not with sk-secret")
    with pytest.raises(error, match=r"not with \*\*\*") as caught:
        generate(context())
    assert hint in (getattr(caught.value, "hint", None) or "")
    assert "sk-secret" not in str(caught.value)
    assert len(host.calls) == 1


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"created": 1, "data": [{"url": "http://127.0.0.1/x.png"}]}, "URLs are not followed"),
        ({"created": 1, "data": []}, "no image data"),
        ({"created": 1, "data": [{"b64_json": "not base64!"}]}, "cannot be read"),
        ({"created": 1, "data": [{"b64_json": "AAAA"}]}, "cannot be read"),
    ],
)
def test_responses_without_a_readable_image_are_errors(
    context: Make, host: Any, body: dict[str, Any], problem: str
) -> None:
    host.answer = lambda call: JSONResponse(body)
    with pytest.raises(ToolFailed, match=problem):
        generate(context())


def test_compressed_response_is_refused(context: Make, host: Any) -> None:
    host.answer = lambda call: Response(b"x", headers={"content-encoding": "gzip"})
    with pytest.raises(ToolFailed, match="gzip"):
        generate(context())


def test_unreachable_host_is_named(context: Make) -> None:
    held = context(PROMPTVISION_OPENAI_IMAGES_URL="http://127.0.0.1:9/v1")
    with pytest.raises(ToolFailed, match=r"cannot connect to 127\.0\.0\.1:9"):
        generate(held)


def test_url_without_a_host_is_refused(context: Make) -> None:
    with pytest.raises(SetupError, match="PROMPTVISION_OPENAI_IMAGES_URL is 'nowhere'"):
        generate(context(PROMPTVISION_OPENAI_IMAGES_URL="nowhere"))


def test_progress_announces_that_the_image_is_sent(context: Make, host: Any) -> None:
    said: list[tuple[str, int]] = []
    generate(context(on_progress=lambda done, total, message: said.append((message, len(host.calls)))))
    message, calls = said[0]
    assert "leaves this machine and each call costs money" in message
    assert calls == 0
