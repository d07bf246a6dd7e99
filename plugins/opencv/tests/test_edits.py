"""Whole requests on a drawn scene and on a photograph, with changes measured by named region."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from promptvision import Agent, Reply
from promptvision.plugin import ArgumentsError
from promptvision.testing import (
    BOXES,
    EDITS,
    NO_BOXES,
    EditCase,
    changed_shares,
    edit_regions,
    edit_scene,
    make_agent,
)
from promptvision_opencv.plugin import promptvision_tools


def run(image: Image.Image, *requests: str) -> tuple[Reply, Image.Image | None]:
    """The last reply of a conversation about an image, and its edited image."""
    agent = make_agent(list(promptvision_tools()))
    data = io.BytesIO()
    image.save(data, "PNG")
    given: bytes | None = data.getvalue()
    for request in requests:
        reply = agent.run_sync(request, image=given, conversation_id="c")
        given = None
    edits = [made["id"] for made in reply.images if made["kind"] == "edit"]
    return reply, agent.open(edits[-1]) if edits else None


@pytest.mark.parametrize("case", EDITS, ids=lambda case: case.request)
def test_only_the_requested_regions_change(case: EditCase) -> None:
    scene = edit_scene()
    reply, edited = run(scene, case.request)
    if not case.changes:
        assert edited is None
        assert reply.text_response
        assert reply.status == ("done" if case.request.startswith("don't") else "failed")
        return
    assert reply.status == "done", reply.text_response
    assert edited is not None
    shares = changed_shares(scene, edited, edit_regions())
    assert {name for name, share in shares.items() if share} == set(case.changes)
    assert all(shares[name] > 0.75 for name in case.changes), shares


@pytest.mark.parametrize(
    "request_",
    [
        *["remove the woman's hat", "change the woman's hair to green", "change the man's shirt to blue"],
        *[
            "remove the face mask",
            "remove the child seat",
            "remove the person's shadow",
            "find the boy's hat",
        ],
        *["remove the people in the background", "remove the human error", "make the girl's eyes blue"],
        *["remove the woman", "make the astronaut green", "change her hair to red", "remove the face paint"],
        *["remove the hat of the woman", "make the man in a red shirt blue", "blur the kid's toy"],
        *["remove red eye", "make the flower a rose", "remove the rose", "remove the orange"],
        *["make the orange suit blue", "remove the person", "make the background blue"],
    ],
)
def test_portrait_is_not_repainted(portrait: np.ndarray, request_: str) -> None:
    reply, edited = run(Image.fromarray(portrait), request_)
    assert edited is None
    assert reply.status == "failed"
    assert reply.text_response


def test_refusal_names_the_words_that_cannot_be_checked(portrait: np.ndarray) -> None:
    reply, _ = run(Image.fromarray(portrait), "change the orange suit to blue")
    assert "cannot check 'suit'" in reply.text_response
    assert "say 'the orange area'" in reply.text_response


PORTRAIT_REGIONS = {
    "face": (195, 100, 245, 160),
    "suit": (60, 320, 110, 420),
    "flag": (0, 20, 50, 200),
    "shuttle": (375, 60, 400, 220),
}


@pytest.mark.parametrize(
    ("request_", "changes"),
    [
        ("make the orange area blue", {"suit"}),
        ("make the face black and white", {"face"}),
        ("make the person's face black and white", {"face"}),
        ("make everything but the face black and white", {"suit", "flag", "shuttle"}),
        ("make everything except the orange area black and white", {"face", "flag", "shuttle"}),
    ],
)
def test_photograph_changes_where_asked(portrait: np.ndarray, request_: str, changes: set[str]) -> None:
    reply, edited = run(Image.fromarray(portrait), request_)
    assert reply.status == "done", reply.text_response
    assert edited is not None
    differs = (np.array(edited) != portrait).any(axis=2)
    shares = {
        name: float(differs[y1:y2, x1:x2].mean()) for name, (x1, y1, x2, y2) in PORTRAIT_REGIONS.items()
    }
    assert {name for name, share in shares.items() if share > 0.5} == changes
    assert all(share == 0 for name, share in shares.items() if name not in changes), shares


@pytest.mark.parametrize(
    "request_", ["make the red thing blue", "make the red saucer blue", "remove the brown thing"]
)
def test_colour_of_the_whole_image_is_not_an_object(request_: str) -> None:
    from skimage import data

    coffee = Image.fromarray(data.coffee())  # type: ignore[no-untyped-call]  # not annotated there
    reply, edited = run(coffee, request_)
    assert edited is None
    assert reply.status == "failed"


# Follow-ups


def test_it_refers_to_the_last_edit() -> None:
    scene = edit_scene()
    for requests in (["now make it yellow"], ["now make it blue", "and now purple"]):
        reply, edited = run(scene, "change the green cone to red", *requests)
        assert reply.status == "done", reply.text_response
        assert edited is not None
        shares = changed_shares(scene, edited, edit_regions())
        assert {name for name, share in shares.items() if share} == {"cone"}


def test_it_refers_to_the_last_detection() -> None:
    scene = edit_scene()
    reply, edited = run(scene, "find the green cone", "remove it")
    assert reply.status == "done", reply.text_response
    assert edited is not None
    shares = changed_shares(scene, edited, edit_regions())
    assert {name for name, share in shares.items() if share} == {"cone"}


def test_it_after_a_refusal_is_the_thing_that_was_refused(portrait: np.ndarray) -> None:
    image = Image.fromarray(portrait)
    for requests in (
        ["change the orange flower to blue", "now make it green"],
        ["change the orange flower to blue", "now make it green", "and now purple"],
    ):
        reply, edited = run(image, *requests)
        assert edited is None
        assert "'orange flower': cannot check 'flower'" in reply.text_response


def test_what_was_found_by_its_colour_can_be_edited_after_that() -> None:
    scene = edit_scene()
    reply, edited = run(scene, "find the green tree", "make it orange", "and now purple")
    assert reply.status == "done", reply.text_response
    assert edited is not None
    shares = changed_shares(scene, edited, edit_regions())
    assert {name for name, share in shares.items() if share} == {"cone"}


@pytest.mark.parametrize(
    ("requests", "changes"),
    [
        (["find the red balls", "remove the left one"], {"big ball"}),
        (["find the blue boxes", "make the darker one yellow"], {"dark box"}),
        (["find the red balls", "make both blue"], {"big ball", "small ball"}),
    ],
)
def test_one_is_a_thing_of_the_kind_that_was_named(requests: list[str], changes: set[str]) -> None:
    scene = edit_scene()
    reply, edited = run(scene, *requests)
    assert reply.status == "done", reply.text_response
    assert edited is not None
    shares = changed_shares(scene, edited, edit_regions())
    assert {name for name, share in shares.items() if share} == changes


def test_it_without_reference_is_answered_with_a_question() -> None:
    for requests in (
        ["make it red"],
        ["remove the green cone", "make it red"],
        ["find the yellow ball", "remove it"],
    ):
        reply, edited = run(edit_scene(), *requests)
        assert reply.status == "failed"
        assert edited is None


def test_uncertain_detection_is_not_reused_by_name(portrait: np.ndarray) -> None:
    reply, edited = run(Image.fromarray(portrait), "find the woman", "make the woman black and white")
    assert reply.status == "failed"
    assert edited is None


# Messages of prerequisites


def test_choice_made_for_the_user_is_in_the_answer() -> None:
    reply, _ = run(edit_scene(), "make the red ball yellow")
    assert "2 red balls found; took the largest" in reply.text_response


def test_summary_starts_with_unchecked_words(portrait: np.ndarray) -> None:
    reply, _ = run(Image.fromarray(portrait), "find the woman")
    assert reply.text_response.startswith("Looked for person only and could not check 'woman'")
    assert reply.status == "done"


# Boxes


@pytest.fixture(scope="module")
def boxed() -> tuple[Agent, np.ndarray, bytes]:
    """An agent, and an image with a blue rectangle in the box that all spellings mean."""
    pixels = np.full((360, 640, 3), (206, 200, 189), np.uint8)
    pixels[140:240, 240:340] = (40, 80, 200)
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "PNG")
    return make_agent(list(promptvision_tools())), pixels, data.getvalue()


@pytest.mark.parametrize("spelling", BOXES)
def test_box_in_every_spelling_selects_and_edits_the_thing_in_it(
    boxed: tuple[Agent, np.ndarray, bytes], spelling: str
) -> None:
    agent, before, image = boxed
    case = BOXES[spelling]

    async def edit() -> tuple[Reply, Image.Image, Reply]:
        boxes = {"image_url": image, "bounding_boxes": case.written}
        cut = await agent.call_tool("segment_objects", boxes)
        mask = agent.open(cut.fields["merged_mask_url"])
        values = {"image_url": image, "mask_url": mask, "prompt": "red"}
        return cut, mask, await agent.call_tool("inpaint_image", values)

    cut, mask, painted = asyncio.run(edit())
    assert case.note in cut.text_response
    assert mask.getbbox() == pytest.approx((240, 140, 340, 240), abs=2)
    after = np.asarray(agent.open(painted.fields["inpainted_image_url"]))
    changed = (after != before).any(axis=2)
    assert changed[142:238, 242:338].all()
    changed[138:242, 238:342] = False
    assert not changed.any()


@pytest.mark.parametrize("value", NO_BOXES.values(), ids=NO_BOXES.keys())
def test_invalid_box_selects_nothing(boxed: tuple[Agent, np.ndarray, bytes], value: Any) -> None:
    agent, _, image = boxed
    if value in ([], ""):  # left out: the box is found, and nothing names its content
        with pytest.raises(ArgumentsError, match="say what to look for"):
            asyncio.run(agent.call_tool("segment_objects", {"image_url": image, "bounding_boxes": value}))
        return
    with pytest.raises(ArgumentsError, match=r"\[x1, y1, x2, y2\] in pixels.*640 x 360"):
        asyncio.run(agent.call_tool("segment_objects", {"image_url": image, "bounding_boxes": value}))
