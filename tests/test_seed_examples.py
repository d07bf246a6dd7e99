"""The four example workflows of the project, through the real SDKs of groq and openai over loopback.

The host is scripted; tools, stores, loop, SDKs and sockets are real. What the host was sent is asserted:
handles, never URLs, ids or bytes.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageDraw

import promptvision_groq.provider
import promptvision_openai.provider
from promptvision.agent.agent import Agent
from promptvision.agent.reply import Reply
from promptvision.builtin.offline import OfflinePlanner
from promptvision.conversations.turn import TurnStatus
from promptvision.images.codec import encode_png
from promptvision.images.store import image_id_of
from promptvision.llm.fallback import FallbackProvider
from promptvision.llm.messages import ChatReply
from promptvision.settings import Settings
from promptvision.testing.agents import make_agent
from promptvision.testing.llm_faults import Scripted
from promptvision.testing.llm_server import LLMServer, call
from promptvision.testing.tools import make_tools

PROVIDERS = {"groq": promptvision_groq.provider.create, "openai": promptvision_openai.provider.create}
THINGS = {
    "lion": "goldenrod",
    "orange cat": "darkorange",
    "horse": "sienna",
    "goat": "silver",
    "tree": "forestgreen",
}
LION_BOX = (20, 30, 60, 70)
SIGN = "NO PARKING\nVIOLATORS WILL BE TOWED"

Body = dict[str, Any]


def savanna() -> Image.Image:
    image = Image.new("RGB", (120, 80), "khaki")
    draw = ImageDraw.Draw(image)
    draw.rectangle((20, 30, 59, 69), fill=THINGS["lion"])
    draw.rectangle((90, 10, 99, 59), fill=THINGS["tree"])
    return image


def sign() -> Image.Image:
    image = Image.new("RGB", (120, 80), "white")
    ImageDraw.Draw(image).multiline_text((5, 20), SIGN, fill="black")
    return image


@pytest.fixture(scope="module")
def host() -> Iterator[LLMServer]:
    with LLMServer() as server:
        yield server


class Harness:
    """A conversation with an agent whose planner is a scripted host."""

    def __init__(self, server: LLMServer, provider: str) -> None:
        self.server = server
        self.replies: list[Reply] = []
        source = {
            "GROQ_API_KEY": "test-key",
            "GROQ_BASE_URL": server.groq_url,
            "OPENAI_API_KEY": "test-key",
            "OPENAI_BASE_URL": server.openai_url,
            "PROMPTVISION_GROQ_MODEL": "stub",
            "PROMPTVISION_OPENAI_MODEL": "stub",
            "PROMPTVISION_LLM_TIMEOUT_S": "20",
        }
        planner = PROVIDERS[provider](Settings.from_mapping(source))
        texts = {image_id_of(encode_png(sign())): SIGN}
        self.agent: Agent = make_agent(
            make_tools(THINGS, texts), planner=FallbackProvider([planner, OfflinePlanner()])
        )

    def say(self, prompt: str, script: list[Scripted], image: Image.Image | None = None) -> Reply:
        self.server.reset(script)
        encoded = encode_png(image) if image else None
        self.replies.append(self.agent.run_sync(prompt, image=encoded, conversation_id="seed"))
        self.server.assert_used_up()
        self.check_what_was_sent()
        return self.replies[-1]

    def check_what_was_sent(self) -> None:
        """Check that the host got handles, and no URL, id or bytes of an image."""
        ids = {str(image["id"]) for reply in self.replies for image in reply.images}
        for body in self.server.bodies:
            sent = json.dumps(body["messages"])
            assert "img_1" in sent
            assert not re.search(r"https?:|file:|memory:|data:|base64", sent)
            assert not re.search(r"[0-9a-f]{64}", sent)
            assert not any(image_id in sent for image_id in ids)
            assert all(isinstance(message["content"], str | None) for message in body["messages"])


@pytest.fixture(params=sorted(PROVIDERS))
def harness(request: pytest.FixtureRequest, host: LLMServer) -> Harness:
    return Harness(host, request.param)


def make(name: str, **arguments: Any) -> ChatReply:
    return ChatReply(tool_calls=(call(name, arguments),))


def result_of(body: Body) -> dict[str, Any]:
    """The last result that was sent to the host."""
    last = body["messages"][-1]
    assert last["role"] == "tool"
    result: dict[str, Any] = json.loads(last["content"])
    return result


def segment(image: str) -> Scripted:
    return lambda body: make(
        "segment_objects", image_url=image, bounding_boxes=result_of(body)["bounding_boxes"]
    )


def inpaint(image: str, prompt: str) -> Scripted:
    return lambda body: make(
        "inpaint_image", image_url=image, mask_url=result_of(body)["merged_mask_url"], prompt=prompt
    )


def steps_of(reply: Reply) -> list[tuple[str, str]]:
    return [(step.operation, step.status) for step in reply.steps]


EDIT = [("detect_objects", "done"), ("segment_objects", "done"), ("inpaint_image", "done")]


def changed_box(before: Image.Image, after: Image.Image) -> tuple[int, int, int, int] | None:
    return ImageChops.difference(before.convert("RGB"), after.convert("RGB")).getbbox()


def test_object_editing_detects_segments_and_inpaints(harness: Harness) -> None:
    reply = harness.say(
        "Change this lion to orange cat",
        [
            make("detect_objects", image_url="img_1", prompt="lion"),
            segment("img_1"),
            inpaint("img_1", "orange cat"),
            lambda body: f"I changed the lion to an orange cat: {result_of(body)['inpainted_image_url']}.",
        ],
        savanna(),
    )
    assert steps_of(reply) == EDIT
    assert (reply.status, reply.notes) == (TurnStatus.DONE, ())
    assert reply.text_response.startswith("I changed the lion to an orange cat: img_")
    assert reply.fields["bounding_boxes"] == [list(LION_BOX)]
    after = harness.agent.open(reply.fields["inpainted_image_url"])
    assert after.getpixel((40, 50)) == (255, 140, 0)
    assert changed_box(savanna(), after) == LION_BOX, "only the lion may change"


def test_object_editing_in_one_call_runs_the_same_steps(harness: Harness) -> None:
    reply = harness.say(
        "Change this lion to orange cat",
        [make("inpaint_image", image_url="img_1", target="lion", prompt="orange cat"), "Done."],
        savanna(),
    )
    assert steps_of(reply) == EDIT
    assert len(harness.server.bodies) == 2, "prerequisites cost no round trip"
    assert reply.steps[0].arguments["prompt"] == "lion", "the detector is not asked for the cat"


def test_second_edit_works_on_the_result_of_the_first(harness: Harness) -> None:
    first = harness.say(
        "Change the lion to a horse",
        [make("inpaint_image", target="lion", prompt="horse"), "The lion is a horse now."],
        savanna(),
    )

    def find_horse(body: Body) -> ChatReply:
        table = body["messages"][-1]["content"]
        current = re.search(r"(img_\d+)[^\n]*\(current\)", table)
        assert current, table
        return make("detect_objects", image_url=current[1], prompt="horse")

    edited = next(image["handle"] for image in first.images if image["id"] == first.image_id)
    second = harness.say(
        "Change this horse to a goat",
        [find_horse, segment(edited), inpaint(edited, "goat"), "The horse is a goat now."],
    )
    assert steps_of(second) == EDIT
    assert second.image_url == first.image_id
    assert second.steps[0].arguments["image_url"] == first.image_id, "the horse is only in the edited image"
    after = harness.agent.open(str(second.image_id))
    assert after.getpixel((40, 50)) == (192, 192, 192)
    assert changed_box(savanna(), after) == LION_BOX
    roles = [message["role"] for message in harness.server.bodies[0]["messages"]]
    assert roles == ["system", "user", "assistant", "tool", "assistant", "user"], "the first turn is known"


def test_sign_is_captioned_then_read(harness: Harness) -> None:
    reply = harness.say(
        "What does this sign say?",
        [
            make("caption_image", image_url="img_1"),
            make("extract_text", image_url="img_1"),
            lambda body: f"The sign says: {result_of(body)['extracted_text']['untrusted_text']}",
        ],
        sign(),
    )
    assert steps_of(reply) == [("caption_image", "done"), ("extract_text", "done")]
    assert reply.text_response == f"The sign says: {SIGN}"
    assert reply.fields["extracted_text"] == SIGN


def test_description_runs_caption_then_detection(harness: Harness) -> None:
    def answer(body: Body) -> str:
        found = result_of(body)
        return f"A lion, {len(found['bounding_boxes'])} of them, at {found['centroids'][0]}, and a tree."

    reply = harness.say(
        "Tell me what's in this image",
        [
            make("caption_image", image_url="img_1"),
            lambda body: make(
                "detect_objects",
                image_url="img_1",
                prompt=result_of(body)["caption"]["untrusted_text"].split()[3].strip("."),
            ),
            answer,
        ],
        savanna(),
    )
    assert steps_of(reply) == [("caption_image", "done"), ("detect_objects", "done")]
    assert reply.fields["caption"] == "A picture of lion and tree."
    assert reply.text_response == "A lion, 1 of them, at [40.0, 50.0], and a tree."
    assert reply.fields["labels"] == ["lion"]


def test_calls_in_one_reply_are_made_in_order(harness: Harness) -> None:
    both = ChatReply(
        tool_calls=(
            call("detect_objects", {"image_url": "img_1", "prompt": "lion"}),
            call("convert_to_bw", {"image_url": "img_1"}),
            call("caption_image", {}),
        )
    )
    reply = harness.say("Find the lion, and make it grey", [both, "Done."], savanna())
    assert [step.operation for step in reply.steps] == ["detect_objects", "convert_to_bw", "caption_image"]
    assert reply.steps[2].arguments["image_url"] == reply.fields["bw_image_url"], (
        "a call without an image means what the calls before it made"
    )
    answers = [message for message in harness.server.bodies[-1]["messages"] if message["role"] == "tool"]
    asked = harness.server.bodies[-1]["messages"][2]["tool_calls"]
    assert [message["tool_call_id"] for message in answers] == [made["id"] for made in asked]


def test_requests_of_one_turn_share_their_beginning(harness: Harness) -> None:
    """Prompt caches match by prefix: each request begins with the entire previous one."""
    harness.say(
        "Change this lion to orange cat",
        [
            make("detect_objects", image_url="img_1", prompt="lion"),
            segment("img_1"),
            inpaint("img_1", "orange cat"),
            "Done.",
        ],
        savanna(),
    )
    bodies = harness.server.bodies
    for before, after in pairwise(bodies):
        assert after["messages"][: len(before["messages"])] == before["messages"]
        assert after["tools"] == before["tools"]


def test_same_conversation_makes_the_same_requests(host: LLMServer) -> None:
    def sent() -> str:
        harness = Harness(host, "openai")
        harness.say("Find the lion", [make("detect_objects", prompt="lion"), "There."], savanna())
        harness.say("And the tree?", [make("detect_objects", prompt="tree"), "There."])
        return json.dumps(host.bodies)

    assert sent() == sent()


def test_agent_can_be_used_from_one_event_loop_after_another(harness: Harness) -> None:
    for _ in range(3):
        harness.server.reset(["Hello."])
        assert asyncio.run(harness.agent.run("Hello")).text_response == "Hello."
