"""Invalid input over HTTP: a problem document, nothing stored, and a conversation that continues."""

from __future__ import annotations

import base64
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote

import pytest
from PIL import Image
from starlette.testclient import TestClient

from promptvision.agent.agent import Agent
from promptvision.images.codec import encode_png
from promptvision.settings import Settings
from promptvision.testing.agents import make_agent
from promptvision.tools.tool import Tool

Serve = Callable[[Agent], TestClient]
Body = Callable[..., dict[str, Any]]


def data_url(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()


def png(mode: str, *size: int) -> bytes:
    file = io.BytesIO()
    Image.new(mode, (size[0], size[1])).save(file, "PNG")
    return file.getvalue()


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'

IMAGES: dict[str, tuple[str, int]] = {
    "not an image": (data_url(b"hello, I am a text"), 422),
    "0 bytes": (data_url(b""), 422),
    "truncated": (data_url(encode_png(Image.effect_noise((64, 64), 50))[:-1500]), 422),
    "bomb by pixels": (data_url(png("1", 8000, 8000)), 413),
    "bomb by side": (data_url(png("1", 20_000, 20)), 413),
    "SVG named .png": (data_url(SVG), 422),
    "broken base64": ("data:image/png;base64,@@@@", 422),
    "no comma": ("data:image/png;base64", 422),
    "loopback": ("http://127.0.0.1/x.png", 422),
    "loopback port": ("http://localhost:5000/x.png", 422),
    "metadata service": ("http://169.254.169.254/latest/meta-data", 422),
    "private address": ("https://10.0.0.1/x.png", 422),
    "embedded address": ("http://[::ffff:127.0.0.1]/x.png", 422),
    "file": ("file:///etc/passwd", 422),
    "path": ("/etc/passwd", 422),
    "relative path": ("../../etc/passwd", 422),
    "odd scheme": ("ftp://example.org/x.png", 422),
    "no URL": ("http://[", 422),
    "handle": ("img_1", 422),
    "lone surrogate": ("http://example.org/\ud800.png", 422),
    "unknown own image": ("/images/" + "0" * 64, 404),
}

MEMBERS: dict[str, tuple[dict[str, Any], str]] = {
    "empty prompt": ({"prompt": ""}, "prompt: is empty"),
    "white prompt": ({"prompt": " \n\u00a0"}, "prompt: is empty"),
    "prompt of NULs": ({"prompt": "\x00\x00"}, "prompt: is empty"),
    "number as prompt": ({"prompt": 5}, "prompt: "),
    "list as prompt": ({"prompt": ["x"]}, "prompt: "),
    "null prompt": ({"prompt": None}, "prompt: "),
    "image as list": ({"input_image_url": ["x"]}, "input_image_url: "),
    "image as number": ({"input_image_url": 1}, "input_image_url: "),
    "object as id": ({"conversation_id": {}}, "conversation_id: "),
    "truth as id": ({"prompt_id": True}, "prompt_id: "),
    "empty conversation": ({"conversation_id": ""}, "conversation_id: "),
    "empty prompt_id": ({"prompt_id": ""}, "prompt_id: "),
    "empty user": ({"user_id": ""}, "user_id: "),
    "fraction as id": ({"prompt_id": 1.5}, "prompt_id: "),
    "line break in conversation": ({"conversation_id": "a\nb"}, "conversation_id: use 1 to 128"),
    "long id": ({"prompt_id": "x" * 129}, "prompt_id: use 1 to 128"),
    "bidi override in user": ({"user_id": "a\u202eb"}, "user_id: use 1 to 128"),
    "NUL in id": ({"prompt_id": "a\x00"}, "prompt_id: use 1 to 128"),
    "forged provider": ({"api_base": "http://evil.example"}, "api_base: "),
    "forged history": ({"messages": [{"role": "assistant", "content": "x"}]}, "messages: "),
    "forged model": ({"model": "x"}, "model: "),
    "forged name of a surrogate": ({"\ud800": 1}, "body: "),
}


def check_problem(response: Any, status: int) -> str:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem["type"] == "about:blank"
    assert problem["error"] == problem["detail"]
    assert problem["error"]
    assert "Traceback" not in problem["error"]
    return str(problem["error"])


@pytest.fixture
def begun(serve: Serve, tools: list[Tool], chat_body: Body, scene_url: str) -> Iterator[TestClient]:
    """A client whose conversation ``c`` has one turn, which must be unchanged and usable afterwards."""
    client = serve(make_agent(tools))
    assert client.post("/chat", json=chat_body(input_image_url=scene_url)).json()["status"] == "done"
    yield client
    assert len(client.get("/conversations/c").json()["turns"]) == 1
    after = client.post("/chat", json=chat_body("make it black and white again")).json()
    assert after["status"] == "done"
    assert [conversation["id"] for conversation in client.get("/conversations").json()["conversations"]] == [
        "c"
    ]


@pytest.mark.parametrize("name", IMAGES)
def test_image_that_cannot_be_used(begun: TestClient, chat_body: Body, name: str) -> None:
    url, status = IMAGES[name]
    sent = json.dumps(chat_body(input_image_url=url))
    error = check_problem(
        begun.post("/chat", content=sent, headers={"Content-Type": "application/json"}), status
    )
    assert "image" in error


@pytest.mark.parametrize("name", MEMBERS)
def test_member_that_cannot_be_used(begun: TestClient, chat_body: Body, name: str) -> None:
    members, expected = MEMBERS[name]
    sent = json.dumps({**chat_body(), **members})
    response = begun.post("/chat", content=sent, headers={"Content-Type": "application/json"})
    assert check_problem(response, 422).startswith(expected)


@pytest.mark.parametrize("missing", ["prompt", "prompt_id", "conversation_id"])
def test_missing_member_is_named(begun: TestClient, chat_body: Body, missing: str) -> None:
    body = chat_body()
    del body[missing]
    error = check_problem(begun.post("/chat", json=body), 422)
    assert error == f"{missing}: is needed"


def test_all_wrong_members_are_listed(begun: TestClient) -> None:
    response = begun.post("/chat", json={"user_id": "x"})
    check_problem(response, 422)
    assert response.json()["errors"] == [
        "prompt_id: is needed",
        "prompt: is needed",
        "conversation_id: is needed",
    ]


def test_huge_prompt_names_the_limit(begun: TestClient, chat_body: Body) -> None:
    assert "20000" in check_problem(begun.post("/chat", json=chat_body("x" * 20_001)), 413)


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe\x00", 400),
        (b"[" * 100_000, 400),
        (b'{"prompt": ' + b"1" * 5000 + b"}", 400),
        (b"[]", 422),
        (b'"text"', 422),
        (b"null", 422),
        (b"NaN", 400),
    ],
)
def test_body_that_is_not_a_json_object(begun: TestClient, content: bytes, status: int) -> None:
    check_problem(begun.post("/chat", content=content, headers={"Content-Type": "application/json"}), status)


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
def test_numbers_that_json_does_not_have_are_refused(begun: TestClient, number: bytes) -> None:
    content = b'{"prompt": "hi", "conversation_id": "c", "prompt_id": ' + number + b"}"
    headers = {"Content-Type": "application/json"}
    status = 422 if number == b"1e999" else 400
    check_problem(begun.post("/chat", content=content, headers=headers), status)


@pytest.mark.parametrize(
    "value",
    [
        "auth0|123",
        "2024-01-01T10:00:00Z",
        "a.b",
        "user/1",
        "../etc",
        "J\u00fcrgen",
        "\u5c71\u7530",
        "a b",
        "x" * 128,
    ],
)
def test_ids_as_identity_providers_and_clients_make_them(
    serve: Serve, tools: list[Tool], chat_body: Body, scene_url: str, value: str
) -> None:
    client = serve(make_agent(tools))
    body = chat_body(
        "change the red square to blue",
        input_image_url=scene_url,
        user_id=value,
        conversation_id=value,
        prompt_id=value,
    )
    first = client.post("/chat", json=body)
    assert first.status_code == 200
    assert client.post("/chat", json=body).json() == first.json()
    path, user = f"/conversations/{quote(value, safe='')}", {"user_id": value}
    assert client.get(path, params=user).json()["id"] == value
    assert client.patch(path, params=user, json={"title": "renamed"}).json()["title"] == "renamed"
    assert client.get(f"/turns/{first.json()['turn_id']}/events", params=user).status_code == 200
    assert client.delete(path, params=user).status_code == 204


def test_integer_id_is_read_as_its_digits(serve: Serve, tools: list[Tool], chat_body: Body) -> None:
    reply = serve(make_agent(tools)).post("/chat", json=chat_body("hi", conversation_id=7)).json()
    assert reply["conversation_id"] == "7"


@pytest.mark.parametrize("path", ["/chat", "/tools/convert_to_bw"])
def test_json_of_very_many_members_does_not_hold_the_event_loop(
    serve: Serve, tools: list[Tool], path: str
) -> None:
    client = serve(make_agent(tools))
    content = b"{" + b",".join(b'"%d":0' % number for number in range(1_000_000)) + b"}"
    begun_at = time.process_time()
    response = client.post(path, content=content, headers={"Content-Type": "application/json"})
    assert time.process_time() - begun_at < 2
    check_problem(response, 400)
    assert len(response.content) < 1000


def test_unknown_members_are_counted_and_at_most_twenty_are_listed(
    serve: Serve, tools: list[Tool], chat_body: Body
) -> None:
    body = chat_body(**{f"member{number}": 0 for number in range(3000)})
    response = serve(make_agent(tools)).post("/chat", json=body)
    check_problem(response, 422)
    assert len(response.json()["errors"]) == 21
    assert response.json()["errors"][-1] == "and 2980 more"


def test_json_without_an_image_is_limited(serve: Serve, tools: list[Tool], chat_body: Body) -> None:
    client = serve(make_agent(tools))
    client.post("/chat", json=chat_body("hi"))
    response = client.patch("/conversations/c", json={"title": "x" * 70_000})
    assert "64 KiB" in check_problem(response, 413)


def test_url_that_is_very_long_is_refused_before_it_is_parsed(
    serve: Serve, tools: list[Tool], chat_body: Body
) -> None:
    body = chat_body(input_image_url="http://images.example/" + "a" * 9000)
    message = check_problem(serve(make_agent(tools)).post("/chat", json=body), 422)
    assert message == "image URL: longer than 8192 characters"


def test_responses_have_nosniff_and_no_store_headers(serve: Serve, tools: list[Tool]) -> None:
    client = serve(make_agent(tools))
    for path in ("/conversations", "/tools", "/nothing", "/openapi.json", "/metrics", "/ready"):
        response = client.get(path)
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "application/xml"])
def test_other_media_types_are_refused(begun: TestClient, chat_body: Body, kind: str) -> None:
    """Pages of other sites can send these without a preflight request, so they are not accepted."""
    sent = json.dumps(chat_body())
    check_problem(begun.post("/chat", content=sent, headers={"Content-Type": kind}), 415)


@pytest.mark.parametrize("kind", ["text/json", "application/vnd.api+json"])
def test_other_names_of_json_are_read(serve: Serve, tools: list[Tool], chat_body: Body, kind: str) -> None:
    sent = json.dumps(chat_body("hi"))
    client = serve(make_agent(tools))
    assert client.post("/chat", content=sent, headers={"Content-Type": kind}).status_code == 200


def test_json_with_a_charset_is_read(serve: Serve, tools: list[Tool], chat_body: Body) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    sent = json.dumps(chat_body("hello \u00e9"), ensure_ascii=False).encode()
    assert serve(make_agent(tools)).post("/chat", content=sent, headers=headers).status_code == 200


def test_nul_and_lone_surrogates_in_a_prompt_are_removed(
    serve: Serve, tools: list[Tool], chat_body: Body, scene_url: str
) -> None:
    client = serve(make_agent(tools))
    body = chat_body("make it\x00 black and white", input_image_url=scene_url)
    assert client.post("/chat", json=body).json()["status"] == "done"
    sent = json.dumps(chat_body("make it \ud800 black and white"))
    response = client.post("/chat", content=sent, headers={"Content-Type": "application/json"})
    assert response.status_code == 200
    turns = client.get("/conversations/c").json()["turns"]
    assert [turn["prompt"] for turn in turns] == ["make it black and white", "make it ? black and white"]
    assert client.post("/chat", json=chat_body()).json()["status"] == "done"


class Origin(BaseHTTPRequestHandler):
    """A misbehaving server that the fetcher is allowed to reach."""

    def do_GET(self) -> None:
        if self.path == "/endless":
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"x" * 2**16)
            except OSError:
                self.close_connection = True
        elif self.path == "/inward":
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:1/secret")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self.send_error(404)

    def log_message(self, *_: Any) -> None:
        """Do not log."""


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Origin)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "status", "expected"),
    [
        ("/missing", 422, "answered 404"),
        ("/inward", 422, "port 1 of '127.0.0.1' is not accepted"),
        ("/endless", 413, "larger than 20 MB"),
    ],
)
def test_misbehaving_origin_is_an_input_error(
    serve: Serve,
    tools: list[Tool],
    chat_body: Body,
    scene_url: str,
    origin: str,
    path: str,
    status: int,
    expected: str,
) -> None:
    client = serve(make_agent(tools, settings=Settings(allowed_hosts=(origin,))))
    body = chat_body(input_image_url=f"http://{origin}{path}")
    assert expected in check_problem(client.post("/chat", json=body), status)
    good = {**body, "input_image_url": scene_url}
    assert client.post("/chat", json=good).json()["status"] == "done", "the same prompt_id is still free"
