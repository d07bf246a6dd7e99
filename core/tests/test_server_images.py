"""Uploading and serving images."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from starlette.testclient import TestClient

from promptvision.agent.agent import Agent
from promptvision.builtin.memory_images import MemoryImageStore
from promptvision.settings import Settings
from promptvision.testing.agents import make_agent
from promptvision.tools.tool import Tool

Serve = Callable[[Agent], TestClient]
Body = Callable[..., dict[str, Any]]


def upload(client: TestClient, data: bytes, name: str = "file") -> Any:
    return client.post("/images", files={name: ("evil.html", data, "text/html")})


def test_upload_is_stored_and_can_be_used(
    serve: Serve, tools: list[Tool], chat_body: Body, scene: Image.Image, scene_png: bytes
) -> None:
    client = serve(make_agent(tools))
    response = upload(client, scene_png)
    assert response.status_code == 201
    made = response.json()
    assert (made["width"], made["height"], made["media_type"]) == (60, 40, "image/png")
    assert made["image_url"] == f"http://127.0.0.1:5000/images/{made['image_id']}"
    assert response.headers["location"] == made["image_url"]
    reply = client.post("/chat", json=chat_body(input_image_url=made["image_url"])).json()
    assert reply["image_url"] == made["image_url"]
    assert upload(client, scene_png).json() == made


def test_images_are_served_so_that_no_browser_runs_them(
    serve: Serve, tools: list[Tool], scene_png: bytes
) -> None:
    client = serve(make_agent(tools))
    response = client.get(upload(client, scene_png).json()["image_url"])
    assert response.headers["content-type"] == "image/png"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert "private" in response.headers["cache-control"]
    Image.open(io.BytesIO(response.content)).load()


@pytest.mark.parametrize(
    "base",
    [
        "http://127.0.0.1:5000",
        "http://localhost:5000",
        "https://localhost",
        "http://[::1]:81",
        "https://box.lan",
        "",
    ],
)
def test_own_image_is_known_under_every_name_of_the_server(
    serve: Serve, tools: list[Tool], chat_body: Body, scene_png: bytes, base: str
) -> None:
    client = serve(make_agent(tools, settings=Settings(server_hosts=("box.lan",))))
    made = upload(client, scene_png).json()
    body = chat_body(input_image_url=f"{base}/images/{made['image_id']}")
    assert client.post("/chat", json=body).json()["image_url"] == made["image_url"]


class ServingStore(MemoryImageStore):
    """A store that serves its images itself, by signed URLs."""

    def url(self, image_id: str) -> str:
        return f"https://images.example/{image_id}?signature=once"


def test_request_is_redirected_to_a_store_that_serves_images(
    serve: Serve, tools: list[Tool], scene_png: bytes
) -> None:
    client = serve(make_agent(tools, images=ServingStore()))
    made = upload(client, scene_png).json()
    assert made["image_url"] == f"http://127.0.0.1:5000/images/{made['image_id']}"
    response = client.get(made["image_url"], follow_redirects=False)
    assert response.status_code == 307
    assert response.headers["location"] == f"https://images.example/{made['image_id']}?signature=once"
    assert response.headers["cache-control"] == "no-store"


def test_upload_is_stored_without_what_was_hidden_in_it(
    serve: Serve, tools: list[Tool], scene: Image.Image
) -> None:
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "GPS 52.5 13.4"
    scene.convert("RGB").save(file, "JPEG", exif=exif, comment=b"<script>alert(1)</script>")
    client = serve(make_agent(tools))
    served = client.get(upload(client, file.getvalue() + b"<script>").json()["image_url"]).content
    assert b"script" not in served
    assert b"GPS" not in served


def test_unchanged_image_is_not_sent_twice(serve: Serve, tools: list[Tool], scene_png: bytes) -> None:
    client = serve(make_agent(tools))
    url = upload(client, scene_png).json()["image_url"]
    etag = client.get(url).headers["etag"]
    again = client.get(url, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    for header in ("*", f"W/{etag}", f'"other", {etag}', f'W/"other",W/{etag}'):
        assert client.get(url, headers={"If-None-Match": header}).status_code == 304
    for header in ('"other"', "", etag.strip('"')):
        assert client.get(url, headers={"If-None-Match": header}).status_code == 200
    assert client.head(url).status_code == 200


@pytest.mark.parametrize(
    "image_id",
    ["0" * 64, "x", "A" * 64, "..", "%2e%2e%2fetc%2fpasswd", "%00", "0" * 63 + "\\", "0" * 65, "\u0660" * 64],
)
def test_unknown_image_is_not_found(serve: Serve, tools: list[Tool], image_id: str) -> None:
    response = serve(make_agent(tools)).get(f"/images/{image_id}")
    assert response.status_code == 404
    assert response.json()["error"]


@pytest.mark.parametrize("data", [b"", b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.4"])
def test_upload_that_is_not_an_image(serve: Serve, tools: list[Tool], data: bytes) -> None:
    response = upload(serve(make_agent(tools)), data)
    assert response.status_code == 422
    assert "image" in response.json()["error"]


def test_upload_without_a_file_says_what_is_needed(serve: Serve, tools: list[Tool], scene_png: bytes) -> None:
    client = serve(make_agent(tools))
    assert upload(client, scene_png, name="image").status_code == 422
    as_text = client.post("/images", data={"file": "text"}, files={"other": b"x"})
    assert as_text.status_code == 422
    assert "multipart field 'file'" in as_text.json()["error"]


def test_upload_reports_what_was_changed(serve: Serve, tools: list[Tool], scene: Image.Image) -> None:
    out = io.BytesIO()
    scene.resize((600, 400)).save(out, "JPEG")
    client = serve(make_agent(tools))
    whole = upload(client, out.getvalue()).json()
    cut = upload(client, out.getvalue()[:-200]).json()
    assert whole["notes"] == []
    assert len(cut["notes"]) == 1
    assert cut["notes"][0].startswith("The JPEG breaks off before its end")


@pytest.mark.parametrize("kind", ["application/json", "image/png", "", "multipart/mixed"])
def test_upload_of_another_media_type(serve: Serve, tools: list[Tool], scene_png: bytes, kind: str) -> None:
    response = serve(make_agent(tools)).post("/images", content=scene_png, headers={"Content-Type": kind})
    assert response.status_code == 415


@pytest.mark.parametrize(
    "body",
    [b"", b"garbage", b"--x\r\nContent-Disposition: form-data; name=file\r\n\r\n", b"--x--", b"--x\r\n" * 50],
)
def test_broken_multipart_is_a_clear_error(serve: Serve, tools: list[Tool], body: bytes) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    response = serve(make_agent(tools)).post("/images", content=body, headers=headers)
    assert response.status_code in (400, 422)
    assert response.json()["error"]
    bare = serve(make_agent(tools)).post(
        "/images", content=body, headers={"Content-Type": "multipart/form-data"}
    )
    assert bare.status_code == 400


def test_file_of_thirty_megabytes(serve: Serve, tools: list[Tool]) -> None:
    response = upload(serve(make_agent(tools)), b"x" * 30_000_000)
    assert response.status_code == 413
    assert response.json()["error"] == "the body is over 25 MiB"


def test_file_over_the_limit_of_images(serve: Serve, tools: list[Tool]) -> None:
    response = upload(serve(make_agent(tools)), b"x" * 21_000_000)
    assert response.status_code == 413
    assert "larger than 20 MB" in response.json()["error"]


def test_part_of_thirty_megabytes_without_a_file_name(serve: Serve, tools: list[Tool]) -> None:
    response = serve(make_agent(tools)).post("/images", files={"file": (None, b"x" * 30_000_000)})
    assert response.status_code == 413


def test_part_without_a_file_name_is_read_like_a_file(
    serve: Serve, tools: list[Tool], scene_png: bytes
) -> None:
    client = serve(make_agent(tools))
    bare = client.post("/images", files={"file": (None, scene_png)})
    assert bare.status_code == 201
    assert bare.json() == upload(client, scene_png).json()
    assert client.post("/images", files={"file": (None, b"x" * 3_000_000)}).status_code == 422


@pytest.mark.parametrize("name", ["file", None])
def test_thousand_and_one_parts(serve: Serve, tools: list[Tool], name: str | None) -> None:
    parts = [("file", (name, b"x")) for _ in range(1001)]
    response = serve(make_agent(tools)).post("/images", files=parts)
    assert response.status_code == 400
    assert "Too many" in response.json()["error"]


def test_part_with_a_giant_header(serve: Serve, tools: list[Tool]) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="' + b"a" * 2_000_000 + b'"\r\n\r\nx\r\n--x--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    response = serve(make_agent(tools)).post("/images", content=part, headers=headers)
    assert response.status_code in (400, 422)
