from __future__ import annotations

import asyncio
import gzip
import io
import socket
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from promptvision.plugin import Cancelled, CaptionResult, ToolFailed
from promptvision.testing import CancelToken, make_context, run_tool
from promptvision_florence.plugin import API_URL, CAPTION_REMOTE
from promptvision_florence.remote import MAX_SIDE

Serve = Callable[[Any], str]

BOMB = gzip.compress(gzip.compress(gzip.compress(bytes(2**26))))
"""A few hundred bytes that decode to 64 MiB."""


def service(answer: Callable[[], Response], seen: list[Image.Image] | None = None) -> Starlette:
    async def caption(request: Request) -> Response:
        async with request.form() as form:
            file = form["file"]
            assert not isinstance(file, str)
            assert file.content_type == "image/png"
            if seen is not None:
                seen.append(Image.open(io.BytesIO(await file.read())))
        return answer()

    return Starlette(routes=[Route("/caption", caption, methods=["POST"])])


def ask(url: str, image: Image.Image, **more: Any) -> CaptionResult:
    result: CaptionResult = run_tool(
        CAPTION_REMOTE, image, context=make_context(variables={API_URL: url}, **more)
    )
    return result


def test_caption_comes_from_the_service(serve: Serve, image: Image.Image) -> None:
    seen: list[Image.Image] = []
    url = serve(service(lambda: JSONResponse({"success": True, "caption": " A lion. "}), seen))
    assert ask(f"{url}/caption", image).caption == "A lion."
    assert seen[0].tobytes() == image.tobytes()


def test_other_levels_of_detail_get_a_message(serve: Serve, image: Image.Image) -> None:
    url = serve(service(lambda: JSONResponse({"success": True, "caption": "A lion."})))
    context = make_context(variables={API_URL: f"{url}/caption"})
    assert run_tool(CAPTION_REMOTE, image, context=context).message is None
    assert "one level" in run_tool(CAPTION_REMOTE, image, context=context, detail="brief").message


def test_large_images_are_made_smaller_and_transparent_ones_white(serve: Serve) -> None:
    seen: list[Image.Image] = []
    url = serve(service(lambda: JSONResponse({"success": True, "caption": "white"}), seen))
    ask(f"{url}/caption", Image.new("RGBA", (3000, 1000)))
    assert (seen[0].size, seen[0].getpixel((0, 0))) == ((MAX_SIDE, MAX_SIDE // 3), (255, 255, 255))


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (lambda: JSONResponse({"detail": "no GPU"}, 500), "HTTP 500: no GPU"),
        (lambda: JSONResponse({"success": False, "caption": "x"}), "the answer has no caption"),
        (lambda: JSONResponse({"success": True, "caption": 7}), "the answer has no caption"),
        (lambda: JSONResponse({"success": True, "caption": " "}), "the answer has no caption"),
        (lambda: JSONResponse(["A lion."]), "HTTP 200 without a JSON object"),
        (lambda: PlainTextResponse("A lion."), "HTTP 200 without a JSON object"),
        (lambda: RedirectResponse("http://169.254.169.254/"), "HTTP 307 without a JSON object"),
        (lambda: PlainTextResponse("[" * 200_000), "HTTP 200 without a JSON object"),
        (
            lambda: Response(BOMB, headers={"Content-Encoding": "gzip, gzip, gzip"}),
            "Content-Encoding 'gzip, gzip, gzip'; send it uncompressed",
        ),
        (lambda: StreamingResponse(b"a" * 2**16 for _ in range(10_000)), "longer than 1048576 bytes"),
    ],
)
def test_other_answers_are_failures_that_name_the_service(
    serve: Serve, image: Image.Image, answer: Callable[[], Response], problem: str
) -> None:
    url = serve(service(answer))
    with pytest.raises(ToolFailed, match=problem) as raised:
        ask(f"{url}/caption", image)
    assert raised.value.message.startswith(f"florence_remote: 127.0.0.1:{url.rpartition(':')[2]}: ")
    assert "check FLORENCE_API_URL" in str(raised.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://name:secret@127.0.0.1:1/caption?key=secret",
        "caption",
        "http://[x/",
        "http://127.0.0.1:99999/caption",
        "http://127.0.0.1:-1/",
        "http://" + "a" * 70 + ".example/caption",
        "http://xn--zz.example\u2028/",
        "http://a..b/",
        "http://\ud800/",
        "ftp://127.0.0.1/",
    ],
)
def test_unreachable_service_is_a_failure_without_secrets(image: Image.Image, url: str) -> None:
    with pytest.raises(ToolFailed, match="florence_remote") as raised:
        ask(url, image)
    assert "secret" not in str(raised.value)


def test_cancel_does_not_wait_for_the_service(image: Image.Image) -> None:
    token = CancelToken()
    with socket.create_server(("127.0.0.1", 0)) as silent:

        def cancel_when_reached() -> None:
            with silent.accept()[0] as connection:
                connection.recv(1)
                token.cancel("enough")
                while connection.recv(2**16):  # until the other side closes the connection
                    pass

        waiter = threading.Thread(target=cancel_when_reached)
        waiter.start()
        with pytest.raises(Cancelled, match="enough"):
            ask(f"http://127.0.0.1:{silent.getsockname()[1]}/caption", image, cancel=token)
        waiter.join(5)
        assert not waiter.is_alive()


def test_slow_answer_ends_at_the_time_limit(
    serve: Serve, image: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("promptvision_florence.remote.TOTAL_S", 0.5)

    async def drip() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.05)

    url = serve(service(lambda: StreamingResponse(drip())))
    with pytest.raises(ToolFailed, match=r"no complete answer in 0\.5 s"):
        ask(f"{url}/caption", image)
