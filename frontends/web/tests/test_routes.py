"""The requests that the page makes, and the headers that protect it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from promptvision import Agent, Settings
from promptvision_web.page import CSP, STATIC


@pytest.fixture
def client(tmp_path: Path, serve: Callable[[Agent], TestClient]) -> TestClient:
    return serve(Agent(Settings.from_mapping({"PROMPTVISION_HOME": str(tmp_path)})))


def upload(client: TestClient, png: bytes) -> str:
    address: str = client.post("/images", files={"file": ("a.png", png, "image/png")}).json()["image_url"]
    return address


def test_page_is_never_cached_and_its_assets_forever(client: TestClient) -> None:
    page = client.get("/")
    assert page.headers["cache-control"] == "no-cache"
    (script,) = re.findall(r'<script[^>]+src="\./([^"]+)"', page.text)
    assert "immutable" in client.get(f"/{script}").headers["cache-control"]


def test_page_is_not_sent_again_while_it_is_the_same(client: TestClient) -> None:
    tag = client.get("/").headers["etag"]
    assert client.get("/", headers={"If-None-Match": tag}).status_code == 304


def test_every_file_of_the_page_has_the_policy(client: TestClient) -> None:
    for address in ("/", "/icon.svg", "/samples/still-life.webp"):
        assert client.get(address).headers["content-security-policy"] == CSP
    assert "unsafe" not in CSP


def test_bundle_names_no_other_host() -> None:
    known = {
        "http://www.w3.org/1998/Math/MathML",
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xhtml",
    }
    for file in STATIC.rglob("*.*"):
        if file.suffix in (".js", ".css", ".html"):
            found = set(re.findall(r"https?://[^\s\"'`)]+", file.read_text("utf-8")))
            assert found <= known


def test_bundle_is_small() -> None:
    import gzip

    files = [file for file in STATIC.rglob("*.*") if file.suffix in (".js", ".css", ".html")]
    assert sum(len(gzip.compress(file.read_bytes())) for file in files) <= 60 * 1024


@pytest.mark.parametrize("name", ["..%2findex.html", ".hidden", "none.js", "%2e%2e"])
def test_only_files_of_the_build_are_served(client: TestClient, name: str) -> None:
    assert client.get(f"/assets/{name}").status_code == 404


def test_first_image_of_a_conversation_is_shown_small(client: TestClient, png: bytes) -> None:
    body = {"prompt": "mirror it", "prompt_id": "p", "conversation_id": "c", "user_id": "local"}
    address = upload(client, png)
    assert client.post("/chat", json={**body, "input_image_url": address}).status_code == 200
    answer = client.get("/web/conversations/c/image", follow_redirects=False)
    assert answer.headers["location"] == f"../../../images/{address[-64:]}?width=128"
    small = client.get("/web/conversations/c/image")
    assert small.headers["content-type"].startswith("image/")
    assert "immutable" in small.headers["cache-control"]


def test_conversation_without_images_has_no_thumbnail(client: TestClient) -> None:
    assert client.get("/web/conversations/none/image").status_code == 204


def test_other_sites_cannot_use_the_page(client: TestClient) -> None:
    foreign = {"Origin": "https://evil.example"}
    assert client.post("/web/models/x/pull", headers=foreign).status_code == 403
    assert (
        client.post("/web/images", json={"url": "https://a.example/b.png"}, headers=foreign).status_code
        == 403
    )


def test_address_of_a_private_host_is_refused(client: TestClient) -> None:
    answer = client.post("/web/images", json={"url": "http://127.0.0.1/a.png"})
    assert answer.status_code == 422


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'{"url": 1}', b"[" * 4000, b'{"url": "' + b"x" * 5000])
def test_body_that_is_not_an_address_is_refused(client: TestClient, body: bytes) -> None:
    answer = client.post("/web/images", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422


def test_unknown_model_is_not_found(client: TestClient) -> None:
    assert client.post("/web/models/none/pull").status_code == 404
