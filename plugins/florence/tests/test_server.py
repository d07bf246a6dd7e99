from __future__ import annotations

import io
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from PIL import Image

from promptvision.plugin import Settings, SetupError, ToolFailed
from promptvision.testing import make_context, run_tool
from promptvision_florence.caption import describe
from promptvision_florence.plugin import API_URL, CAPTION_REMOTE
from promptvision_florence.serve import cli, make_service
from promptvision_florence.server import MAX_BODY, MAX_WAITING, create_app

Serve = Callable[[Any], str]


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def send(url: str, data: bytes, media_type: str = "image/png", field: str = "file") -> httpx.Response:
    return httpx.post(f"{url}/caption", files={field: ("p", data, media_type)}, timeout=30)


def size_of(image: Image.Image) -> str:
    return f"{image.width} x {image.height}"


def test_caption_and_health(serve: Serve, image: Image.Image) -> None:
    url = serve(create_app(size_of))
    assert httpx.get(f"{url}/health").json() == {"status": "ok"}
    answer = send(url, png(image))
    assert (answer.status_code, answer.json()) == (200, {"success": True, "caption": "400 x 300"})


def test_image_is_turned_upright_first(serve: Serve, image: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", exif=exif)
    answer = send(serve(create_app(size_of)), buffer.getvalue(), "image/jpeg")
    assert answer.json()["caption"] == "300 x 400"


def test_file_that_is_not_an_image_is_refused(serve: Serve, image: Image.Image) -> None:
    url = serve(create_app(size_of))
    answers = {
        "type": send(url, png(image), "text/plain"),
        "bytes": send(url, b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        "field": send(url, png(image), field="photo"),
        "form": httpx.post(f"{url}/caption", content=png(image)),
        "text": httpx.post(f"{url}/caption", data={"file": "x"}),
    }
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(answers, 400)
    assert all(isinstance(answer.json()["detail"], str) for answer in answers.values())
    assert "must be image/*" in answers["type"].json()["detail"]


def test_too_large_a_body_is_refused(serve: Serve) -> None:
    assert send(serve(create_app(size_of)), b"x" * (MAX_BODY + 1)).status_code == 413


def test_unknown_paths_and_methods_answer_in_the_same_form(serve: Serve) -> None:
    url = serve(create_app(size_of))
    assert httpx.get(f"{url}/nothing").json() == {"detail": "Not Found"}
    assert httpx.get(f"{url}/caption").status_code == 405


@pytest.mark.parametrize("problem", [ToolFailed("no words"), ZeroDivisionError("at /secret/path")])
def test_failure_is_a_500_with_detail(serve: Serve, image: Image.Image, problem: Exception) -> None:
    def fail(_: Image.Image) -> str:
        raise problem

    answer = send(serve(create_app(fail)), png(image))
    assert answer.status_code == 500
    assert answer.json()["detail"] in ("no words", "captioning failed: ZeroDivisionError")


def test_images_are_described_one_by_one_in_a_bounded_queue(serve: Serve, image: Image.Image) -> None:
    started, proceed = threading.Semaphore(0), threading.Event()
    running = 0
    most = 0

    def slow(each: Image.Image) -> str:
        nonlocal running, most
        running += 1
        most = max(most, running)
        started.release()
        assert proceed.wait(30)
        running -= 1
        return "done"

    url = serve(create_app(slow))
    data = png(image.resize((8, 8)))
    with ThreadPoolExecutor(MAX_WAITING + 1) as clients:
        answers = [clients.submit(send, url, data) for _ in range(MAX_WAITING + 1)]
        assert started.acquire(timeout=30)
        refused = next(answer for answer in _finished(answers))
        proceed.set()
        statuses = sorted(answer.result().status_code for answer in answers)
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "5"
    assert statuses == [200] * MAX_WAITING + [503]
    assert most == 1


def _finished(answers: Any) -> Any:
    from concurrent.futures import as_completed

    return (answer.result() for answer in as_completed(answers, timeout=30))


def test_tool_uses_the_service(
    serve: Serve, checkpoint: Path, florence: Any, image: Image.Image, tmp_path: Path
) -> None:
    variables = {
        "PROMPTVISION_HOME": str(tmp_path),
        "PROMPTVISION_FLORENCE_MODEL": "florence-2-base",
        "PROMPTVISION_MODEL_FLORENCE_2_BASE": str(checkpoint),
    }
    url = serve(make_service(Settings.from_mapping(variables)))
    context = make_context(variables={API_URL: f"{url}/caption"})
    expected = describe(florence, image, "more_detailed", lambda: None).strip()
    assert run_tool(CAPTION_REMOTE, image, context=context).caption == expected


def test_service_without_weights_names_the_command(tmp_path: Path) -> None:
    settings = Settings.from_mapping({"PROMPTVISION_HOME": str(tmp_path)})
    with pytest.raises(SetupError, match="promptvision models pull florence-2-large"):
        make_service(settings)


def test_unknown_model_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="'florence-3' is not known here; known: florence-2-large, "):
        make_service(Settings.from_mapping({"PROMPTVISION_FLORENCE_MODEL": "florence-3"}))


def test_command_listens_on_loopback_by_default() -> None:
    shown = CliRunner().invoke(cli, ["serve", "--help"]).output
    assert "[default: 127.0.0.1]" in shown
    assert "[default: 8000" in shown


def test_stalled_uploads_do_not_block_others(
    serve: Serve, image: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("promptvision_florence.server.READ_S", 2.0)
    url = serve(create_app(size_of))
    host, port = url.removeprefix("http://").split(":")
    head = b"POST /caption HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
    head += b"Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n"
    with ExitStack() as stack:
        stalled = [
            stack.enter_context(socket.create_connection((host, int(port)), timeout=30))
            for _ in range(2 * MAX_WAITING)
        ]
        for connection in stalled:
            connection.sendall(head)
        assert send(url, png(image)).json()["caption"] == "400 x 300"
        assert stalled[0].recv(4096).startswith(b"HTTP/1.1 408")
