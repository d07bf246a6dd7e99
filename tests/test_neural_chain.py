"""Detection, segmentation, inpainting and refiner on untrained checkpoints, by every interface."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image, ImageDraw
from starlette.testclient import TestClient

from promptvision.agent.agent import Agent
from promptvision.agent.reply import Reply
from promptvision.cli.main import cli
from promptvision.conversations.turn import ImageRecord
from promptvision.server.app import create_app
from promptvision.settings import Settings

CHAIN = [
    ("detect_objects", "grounding_dino", "done"),
    ("segment_objects", "sam", "done"),
    ("inpaint_image", "sdxl_inpaint", "done"),
]
SENTENCE = "change this lion to an orange cat"


@pytest.fixture
def variables(tiny_models: dict[str, dict[str, str]], tmp_path: Path) -> dict[str, str]:
    """All plugins, with tiny models, in a home of their own."""
    settings = {
        "PROMPTVISION_HOME": str(tmp_path / "home"),
        "PROMPTVISION_STRICT_PLUGINS": "1",
        "PROMPTVISION_PREFER": "sdxl_inpaint:sdxl_inpaint",  # as if the GPU were large enough
    }
    for models in tiny_models.values():
        settings.update(models)
    return settings


def draw(size: tuple[int, int], mode: str = "RGB") -> Image.Image:
    """A red disc and a green bar on blue, parts of which the untrained segmenter selects."""
    image = Image.new("RGB", (300, 200), (30, 60, 160))
    pen = ImageDraw.Draw(image)
    pen.ellipse((40, 50, 120, 130), fill=(220, 40, 30))
    pen.rectangle((200, 20, 260, 180), fill=(40, 190, 60))
    image = image.resize(size)
    if mode == "RGBA":
        image.putalpha(Image.linear_gradient("L").resize(size))
    return image.convert(mode)


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def assert_same_outside(before: Image.Image, after: Image.Image, mask: Image.Image) -> None:
    """Check that only pixels inside the mask have changed."""
    assert before.size == after.size == mask.size
    assert (before.mode, mask.mode) == (after.mode, "L")
    changed = (np.asarray(before) != np.asarray(after)).reshape(*before.size[::-1], -1).any(axis=-1)
    inside = np.asarray(mask) > 0
    assert 0.02 < inside.mean() < 0.9
    assert not changed[~inside].any()
    assert changed[inside].any()


# The whole chain


def converse(
    settings: Settings, image: Image.Image
) -> tuple[Reply, list[ImageRecord], dict[str, Image.Image]]:
    """Send the sentence, then ask for black and white; return the last reply's images and their pixels."""

    async def talk() -> tuple[Reply, list[ImageRecord], dict[str, Image.Image]]:
        agent = Agent(settings)
        try:
            reply = await agent.run(SENTENCE, image=png(image), conversation_id="chain")
            await agent.run("now make it black and white", conversation_id="chain")
            table = agent.conversations.images("local", "chain")
            return reply, table, {record.image_id: agent.open(record.image_id) for record in table}
        finally:
            await agent.close()

    return asyncio.run(talk())


@pytest.mark.parametrize(("size", "mode"), [((211, 157), "RGB"), ((120, 203), "RGBA")])
def test_one_sentence_runs_the_chain_and_keeps_every_image(
    variables: dict[str, str], size: tuple[int, int], mode: str
) -> None:
    image = draw(size, mode)
    reply, table, images = converse(Settings.from_mapping(variables), image)
    assert [(step.operation, step.tool, step.status) for step in reply.steps] == CHAIN
    assert reply.planner == "offline"
    assert reply.steps[0].arguments["prompt"] == "lion"
    boxes = reply.fields["bounding_boxes"]
    assert boxes
    kinds = [record.kind for record in table]
    assert kinds == ["input", "annotated", *["mask"] * (kinds.count("mask")), "edit", "edit"]
    assert kinds.count("mask") >= len(boxes)
    _check_lineage(table)
    by_maker = {record.maker: images[record.image_id] for record in table}
    merged = images[reply.fields["merged_mask_url"]]
    assert {images[url].size for url in reply.fields["mask_urls"]} == {merged.size}
    before, after = images[table[0].image_id], images[reply.fields["inpainted_image_url"]]
    assert np.array_equal(np.asarray(before), np.asarray(image))
    assert_same_outside(before, after, merged)
    grey = by_maker["convert_to_bw"]
    assert np.array_equal(np.asarray(grey.convert("L")), np.asarray(after.convert("L")))
    for record in table:
        shown = images[record.image_id]
        assert (record.width, record.height) == shown.size


def _check_lineage(table: list[ImageRecord]) -> None:
    """Check that every image derives from the given one, and the black-and-white one from the edit."""
    assert [record.number for record in table] == list(range(1, len(table) + 1))
    sent, *made, grey = table
    edit = made[-1]
    assert (sent.parent, sent.maker) == (None, "")
    assert {record.parent for record in made} == {sent.number}
    assert (grey.parent, grey.maker, grey.turn_seq) == (edit.number, "convert_to_bw", 2)
    makers = {"annotated": "detect_objects", "mask": "segment_objects", "edit": "inpaint_image"}
    assert [record.maker for record in made] == [makers[record.kind] for record in made]


def test_follow_ups_edit_the_thing_that_the_first_request_named(variables: dict[str, str]) -> None:
    """Detection and segmentation run once; each later edit uses the same mask on the newest image."""

    async def talk() -> list[tuple[Reply, Image.Image]]:
        agent = Agent(Settings.from_mapping(variables))
        answers = []
        given: bytes | None = png(draw((211, 157)))
        try:
            for words in ("change the orange flower to blue", "now make it green", "and now purple"):
                reply = await agent.run(words, image=given, conversation_id="flower")
                given = None
                edit = next(made for made in reply.images if made["kind"] == "edit")
                answers.append((reply, agent.open(edit["id"])))
            merged = answers[0][0].fields["merged_mask_url"]
            return [*answers, (answers[0][0], agent.open(merged))]
        finally:
            await agent.close()

    *answers, (_, mask) = asyncio.run(talk())
    steps = [[(step.operation, step.tool, step.status) for step in reply.steps] for reply, _ in answers]
    assert steps == [CHAIN, CHAIN[-1:], CHAIN[-1:]]
    assert answers[0][0].steps[0].arguments["prompt"] == "orange flower"
    assert [reply.steps[-1].arguments["prompt"] for reply, _ in answers] == ["blue", "green", "purple"]
    images = [draw((211, 157)), *(image for _, image in answers)]
    for before, after in pairwise(images):
        assert_same_outside(before, after, mask)


def test_refiner_paints_the_last_part_of_the_chain(variables: dict[str, str]) -> None:
    """With and without it the same seed gives different images, equal outside of the mask."""
    app = create_app(Settings.from_mapping(variables))
    image = draw((211, 157))
    body = {
        "image_url": data_url(image),
        "target": "lion",
        "prompt": "an orange cat",
        "seed": 5,
        "steps": 6,
    }
    with TestClient(app, base_url="http://127.0.0.1") as client:
        refined, plain = (
            client.post("/tools/inpaint_image", json={**body, "refiner": refiner}).json()
            for refiner in (True, False)
        )
        for document in (refined, plain):
            assert [(one["operation"], one["tool"], one["status"]) for one in document["steps"]] == CHAIN
        mask = fetch(client, refined["merged_mask_url"])
        first, second = (fetch(client, document["inpainted_image_url"]) for document in (refined, plain))
    assert_same_outside(image, first, mask)
    assert_same_outside(image, second, mask)
    assert_same_outside(first, second, mask)


def data_url(image: Image.Image) -> str:
    return "data:image/png;base64," + base64.b64encode(png(image)).decode()


def fetch(client: TestClient, url: str) -> Image.Image:
    response = client.get(url)
    assert response.status_code == 200
    return Image.open(io.BytesIO(response.content))


# Which tool paints

LARGE, SMALL = 24_000_000_000, 4_000_000_000
BROKEN_SD = {"PROMPTVISION_MODEL_SD15_INPAINT": "broken"}
BROKEN_MIGAN = {"PROMPTVISION_MODEL_MIGAN_512": "broken"}


@pytest.mark.parametrize(
    ("prompt", "gpu_bytes", "broken", "steps"),
    [
        ("", LARGE, {}, [("erase", "done")]),
        ("a cat", LARGE, {}, [("sdxl_inpaint", "done")]),
        ("a cat", SMALL, {}, [("sd_inpaint", "done")]),
        ("a cat", 0, BROKEN_SD, [("sd_inpaint", "failed"), ("sdxl_inpaint", "done")]),
        ("", 0, BROKEN_MIGAN, [("erase", "failed"), ("sd_inpaint", "done")]),
    ],
)
def test_removal_goes_to_erase_and_painting_to_what_fits_and_the_next_one_if_it_fails(
    variables: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    prompt: str,
    gpu_bytes: int,
    broken: dict[str, str],
    steps: list[tuple[str, str]],
) -> None:
    monkeypatch.setattr("promptvision.tools.requirements.gpu_memory_bytes", lambda: gpu_bytes)
    (tmp_path / "broken").mkdir()
    wrong = dict.fromkeys(broken, str(tmp_path / "broken"))
    image, mask = draw((96, 64)), Image.new("L", (96, 64), 0)
    mask.paste(255, (20, 20, 60, 50))
    body = {
        "image_url": data_url(image),
        "mask_url": data_url(mask),
        "prompt": prompt,
        "seed": 3,
        "steps": 3,
    }
    settings = Settings.from_mapping({**variables, "PROMPTVISION_PREFER": "", **wrong})
    with TestClient(create_app(settings), base_url="http://127.0.0.1") as client:
        document = client.post("/tools/inpaint_image", json=body).json()
        assert [(one["tool"], one["status"]) for one in document["steps"]] == steps
        assert_same_outside(image, fetch(client, document["inpainted_image_url"]), mask)


# Each tool by itself

BOX = (20, 20, 90, 90)
CALLS: dict[str, tuple[str, dict[str, Any], str]] = {
    "grounding_dino": ("detect_objects", {"prompt": "lion. tree."}, ""),
    "sam": ("segment_objects", {"bounding_boxes": [list(BOX), [100, 10, 150, 120]]}, ""),
    "sdxl_inpaint": ("inpaint_image", {"mask_url": "", "prompt": "a cat", "seed": 3, "steps": 4}, ""),
    "smolvlm": ("ask_image", {"question": "what is it?"}, ""),
    "sd_inpaint": (
        "inpaint_image",
        {"mask_url": "", "prompt": "a cat", "seed": 3, "steps": 2},
        "sdxl_inpaint",
    ),
    "florence": ("caption_image", {"detail": "brief"}, ""),
    "florence_detect": ("detect_objects", {"prompt": "lion"}, "grounding_dino,opencv"),
    "florence_ocr": ("extract_text", {}, "rapidocr,tesseract"),
}
"""Tool to its operation, its other arguments, and the plugins that take precedence over it."""


@pytest.mark.parametrize("tool", CALLS)
def test_tool_answers_the_same_at_the_command_line_and_over_http(
    variables: dict[str, str], tool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation, arguments, disabled = CALLS[tool]
    image, mask = draw((211, 157)), Image.new("L", (211, 157), 0)
    mask.paste(255, BOX)
    monkeypatch.chdir(tmp_path)
    for name, value in {**variables, "PROMPTVISION_DISABLED_PLUGINS": disabled}.items():
        monkeypatch.setenv(name, value)
    image.save("in.png")
    mask.save("mask.png")
    for_shell = {**arguments, "mask_url": "mask.png"} if "mask_url" in arguments else arguments
    pairs = [f"-a{name}={json.dumps(value).strip(chr(34))}" for name, value in for_shell.items()]
    done = CliRunner().invoke(cli, ["tools", "run", operation, "-i", "in.png", "--json", *pairs])
    assert done.exit_code == 0, done.output
    for_http = {**arguments, "mask_url": data_url(mask)} if "mask_url" in arguments else arguments
    with TestClient(create_app(), base_url="http://127.0.0.1") as client:
        response = client.post(f"/tools/{operation}", json={"image_url": data_url(image), **for_http})
    assert response.status_code == 200, response.text
    printed, answered = json.loads(done.stdout), response.json()
    (step,) = answered["steps"]
    assert (step["tool"], step["status"]) == (tool, "done")
    assert without_places(printed["steps"][0]["result"]) == without_places(step["result"])


def without_places(node: Any) -> Any:
    """Plain JSON with only the last part of each URL, which is the hash of the image."""
    if isinstance(node, dict):
        return {name: without_places(value) for name, value in node.items()}
    if isinstance(node, list):
        return [without_places(value) for value in node]
    if isinstance(node, str) and node.startswith(("file:", "http:")):
        return node.rpartition("/")[2].partition(".")[0]
    return node
