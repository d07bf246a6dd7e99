"""Smaller variants of stored images."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from starlette.testclient import TestClient

from promptvision.agent.agent import Agent
from promptvision.images.codec import encode_png
from promptvision.server.variants import AT_ONCE, MAX_WIDTH, Variants, variant_width
from promptvision.settings import Settings
from promptvision.testing.agents import make_agent

Serve = Callable[[Agent], TestClient]


def photo(mode: str = "RGB", width: int = 600, height: int = 300) -> bytes:
    return encode_png(Image.linear_gradient("L").resize((width, height)).convert(mode))


@pytest.fixture
def client(serve: Serve) -> TestClient:
    return serve(make_agent([]))


def upload(client: TestClient, data: bytes) -> str:
    return str(client.post("/images", files={"file": data}).json()["image_url"])


def opened(response: Any) -> Image.Image:
    image = Image.open(io.BytesIO(response.content))
    image.load()
    return image


@pytest.mark.parametrize(("wanted", "made"), [(1, 64), (64, 64), (65, 128), (200, 256), (2048, 2048)])
def test_widths_are_rounded_up_to_few(wanted: int, made: int) -> None:
    assert variant_width(wanted) == made


def test_variant_keeps_the_shape_and_is_cached_by_browsers(client: TestClient) -> None:
    url = upload(client, photo())
    response = client.get(url, params={"width": 100})
    assert response.headers["content-type"] == "image/webp"
    assert opened(response).size == (128, 64)
    assert "immutable" in response.headers["cache-control"]
    assert response.headers["content-security-policy"] == "default-src 'none'; sandbox"
    etag = response.headers["etag"]
    assert etag != client.get(url).headers["etag"]
    assert client.get(url, params={"width": 100}, headers={"If-None-Match": etag}).status_code == 304
    assert client.get(url, params={"width": 300}, headers={"If-None-Match": etag}).status_code == 200


def test_small_image_is_not_enlarged(client: TestClient) -> None:
    assert opened(client.get(upload(client, photo(width=40, height=30)), params={"width": 512})).size == (
        40,
        30,
    )


@pytest.mark.parametrize(("mode", "kind"), [("L", "PNG"), ("RGBA", "WEBP"), ("1", "PNG"), ("LA", "PNG")])
def test_masks_and_transparency_are_kept(client: TestClient, mode: str, kind: str) -> None:
    small = opened(client.get(upload(client, photo(mode)), params={"width": 64}))
    assert small.format == kind
    assert ("A" in small.getbands()) == ("A" in mode) or mode == "RGBA"


@pytest.mark.parametrize("width", ["0", "-1", "x", str(MAX_WIDTH + 1), "1e2", "9" * 30, ""])
def test_wrong_width_is_refused(client: TestClient, width: str) -> None:
    response = client.get(upload(client, photo()), params={"width": width})
    assert response.status_code == 422
    assert response.json()["error"].startswith("width: ")


def test_unknown_image_and_image_of_another_user_are_not_found(serve: Serve) -> None:
    keys = Settings.from_mapping({"PROMPTVISION_API_KEYS": "a:k,b:l"})
    client = serve(make_agent([], settings=keys))
    alice, bob = {"Authorization": "Bearer k"}, {"Authorization": "Bearer l"}
    url = client.post("/images", files={"file": photo()}, headers=alice).json()["image_url"]
    assert client.get(url, params={"width": 64}, headers=alice).status_code == 200
    assert client.get(url, params={"width": 64}, headers=bob).status_code == 404
    assert client.get(f"/images/{'0' * 64}", params={"width": 64}, headers=alice).status_code == 404


def test_cache_is_bounded_and_equal_requests_make_a_variant_once() -> None:
    async def run() -> None:
        agent = make_agent([])
        opened: list[str] = []
        real = agent.open

        def counting(image_id: str) -> Image.Image:
            opened.append(image_id)
            return real(image_id)

        agent.open = counting  # type: ignore[method-assign]
        noise = Image.effect_noise((300, 300), 80).convert("RGB")
        ids = [(await agent.add_image(encode_png(noise.rotate(angle)))).id for angle in range(5)]
        variants = Variants(agent, cache_bytes=30_000)
        await asyncio.gather(*(variants.get(ids[0], 128) for _ in range(20)))
        assert 1 <= len(opened) <= AT_ONCE
        opened.clear()
        for image_id in ids:
            await variants.get(image_id, 128)
        assert variants._used <= 30_000 or len(variants._cache) == 1
        await variants.get(ids[0], 128)
        assert opened.count(ids[0]) == 1, "the oldest one was dropped"
        await agent.close()

    asyncio.run(run())
