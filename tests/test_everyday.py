"""Everyday requests on a photograph, from the command line and over HTTP."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import skimage.data
from click.testing import CliRunner
from PIL import Image, ImageStat
from starlette.testclient import TestClient

from promptvision.cli.main import cli
from promptvision.server.app import create_app

REQUEST = "blur the faces, crop to 16:9 and make it brighter"
CHAIN = ["detect_objects", "blur_image", "crop_image", "adjust_image"]
FACE = (170, 60, 280, 200)
"""Where the face of the astronaut is, in the photograph of 512 x 512 pixels."""
NEURAL = "cutout,erase,florence,grounding_dino,sam,sd_inpaint,sdxl_inpaint,upscale,vqa"


@pytest.fixture
def photo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Image.Image:
    """A photograph of an astronaut (NASA, public domain) as photo.jpg in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROMPTVISION_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PROMPTVISION_DISABLED_PLUGINS", NEURAL)
    samples: Any = skimage.data  # untyped
    image = Image.fromarray(samples.astronaut())
    image.save("photo.jpg", quality=95)
    return image


def check(made: Image.Image, photo: Image.Image) -> None:
    """16:9 from the middle, brighter, and detail only where there is no face."""
    assert made.size == (512, 288)
    top = (512 - 288) // 2
    before = photo.crop((0, top, 512, top + 288))
    assert ImageStat.Stat(made.convert("L")).mean[0] > 1.15 * ImageStat.Stat(before.convert("L")).mean[0]
    face = (FACE[0] + 20, 0, FACE[2] - 20, FACE[3] - top - 20)
    beside = (300, 150, 500, 288)
    assert detail(made.crop(face)) < 0.4 * detail(before.crop(face))
    assert detail(made.crop(beside)) > 0.9 * detail(before.crop(beside))


def detail(image: Image.Image) -> float:
    """Mean difference between horizontal neighbours."""
    grey = image.convert("L")
    moved = Image.new("L", grey.size)
    moved.paste(grey, (1, 0))
    from PIL import ImageChops

    difference = ImageChops.difference(grey, moved).crop((1, 0, *grey.size))
    return float(ImageStat.Stat(difference).mean[0])


def test_one_request_of_three_parts_at_the_command_line(photo: Image.Image) -> None:
    done = CliRunner().invoke(cli, ["run", "photo.jpg", REQUEST, "-o", "out.jpg"])
    assert done.exit_code == 0, done.output
    positions = [done.stderr.index(name) for name in CHAIN]
    assert positions == sorted(positions), "the steps are shown in their order"
    with Image.open("out.jpg") as made:
        assert made.format == "JPEG"
        check(made.convert("RGB"), photo)


@pytest.fixture
def client(photo: Image.Image) -> Iterator[TestClient]:
    with TestClient(create_app(), base_url="http://127.0.0.1") as client:
        yield client


def chat(client: TestClient, prompt: str) -> dict[str, Any]:
    sent = client.post("/images", files={"file": ("photo.jpg", Path("photo.jpg").read_bytes())}).json()
    ids = {"user_id": "a", "prompt_id": "b", "conversation_id": "c"}
    body = {**ids, "prompt": prompt, "input_image_url": sent["image_url"]}
    answer = client.post("/chat", json=body)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_one_request_of_three_parts_over_http(client: TestClient, photo: Image.Image) -> None:
    answer = chat(client, REQUEST)
    assert [(step["operation"], step["status"]) for step in answer["steps"]] == [
        (name, "done") for name in CHAIN
    ]
    with Image.open(io.BytesIO(client.get(answer["adjusted_image_url"]).content)) as made:
        check(made.convert("RGB"), photo)


# Output formats

QUALITY = "save it as jpeg with quality 40"


def as_pillow_writes(photo: Image.Image) -> bytes:
    with Image.open("photo.jpg") as image:
        file = io.BytesIO()
        image.convert("RGB").save(file, "JPEG", quality=40)
    return file.getvalue()


def test_output_file_is_the_converted_one(photo: Image.Image) -> None:
    done = CliRunner().invoke(cli, ["run", "photo.jpg", QUALITY, "-o", "out.jpg", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["steps"][0]["tool"] == "pillow_convert"
    assert Path("out.jpg").read_bytes() == as_pillow_writes(photo)


def test_download_is_the_converted_file(client: TestClient, photo: Image.Image) -> None:
    download = client.get(chat(client, QUALITY)["converted_image_url"])
    assert download.headers["content-type"] == "image/jpeg"
    assert download.content == as_pillow_writes(photo)


@pytest.mark.parametrize("format_", ["png", "webp", "avif", "tiff"])
def test_every_format_is_delivered_over_http(client: TestClient, format_: str) -> None:
    download = client.get(chat(client, f"convert it to {format_}")["converted_image_url"])
    assert download.headers["content-type"] == f"image/{format_}"
    with Image.open(io.BytesIO(download.content)) as made:
        assert made.format == format_.upper()
        assert made.size == (512, 512)


# Several images in one call


def test_images_are_combined_at_the_command_line(photo: Image.Image) -> None:
    Image.new("RGB", (100, 512), "red").save("other.png")
    command = [
        "tools",
        "run",
        "combine_images",
        "-i",
        "photo.jpg",
        "-a",
        'others=["other.png"]',
        "-o",
        "out.png",
    ]
    done = CliRunner().invoke(cli, command)
    assert done.exit_code == 0, done.output
    with Image.open("out.png") as made:
        assert made.size == (612, 512)
        assert made.getpixel((600, 10)) == (255, 0, 0)


def test_images_are_combined_over_http(client: TestClient) -> None:
    urls = []
    for size in ((60, 40), (20, 40), (30, 40)):
        file = io.BytesIO()
        Image.new("RGB", size, "red").save(file, "PNG")
        sent = client.post("/images", files={"file": ("a.png", file.getvalue())}).json()
        urls.append(sent["image_url"])
    answer = client.post("/tools/combine_images", json={"image_url": urls[0], "others": urls[1:]})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["width"], answer.json()["height"]) == (110, 40)
    wrong = client.post("/tools/combine_images", json={"image_url": urls[0], "others": ["/etc/passwd"]})
    assert wrong.status_code == 422
