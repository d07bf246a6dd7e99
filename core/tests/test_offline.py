"""The offline planner, alone and in the real loop."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from promptvision import tool
from promptvision.builtin.offline import OfflinePlanner
from promptvision.errors import ProviderError
from promptvision.llm.fallback import FallbackProvider
from promptvision.llm.messages import ChatDelta, ChatReply, Message
from promptvision.llm.planner import CallOutcome, PlannerFunction, PlanRequest
from promptvision.testing.agents import make_agent, make_registry
from promptvision.testing.planner import ScriptedPlanner
from promptvision.tools import operations
from promptvision.tools.requirements import Requirements
from promptvision.tools.tool import Operation, Tool
from promptvision.types import Box, Target


@pytest.fixture
def functions(tools: list[Tool]) -> tuple[PlannerFunction, ...]:
    return make_registry(tools).functions()


def ask(
    functions: tuple[PlannerFunction, ...], prompt: str, *outcomes: CallOutcome, **changes: Any
) -> ChatReply:
    messages = changes.pop("messages", (user(prompt),))
    request = PlanRequest(messages=messages, functions=functions, prompt=prompt, outcomes=outcomes, **changes)
    return asyncio.run(OfflinePlanner().complete(request))


def user(words: str) -> Message:
    return Message(role="user", content=f"{words}\n\n[Images: img_1]")


def outcome_of(reply: ChatReply, summary: str, *, failed: bool = False) -> CallOutcome:
    """The outcome of the call in a reply."""
    (call,) = reply.tool_calls
    return CallOutcome(name=call.name, arguments=call.arguments, summary=summary, failed=failed)


def test_calls_come_one_by_one_and_then_the_answer(functions: tuple[PlannerFunction, ...]) -> None:
    asked = "find the red ball, then make it black and white"
    first = ask(functions, asked)
    assert [(call.name, call.arguments) for call in first.tool_calls] == [
        ("detect_objects", {"prompt": "red ball"})
    ]
    assert (first.finish_reason, first.planner, first.text) == ("tool_calls", "offline", "")
    found = outcome_of(first, "I found 1.")
    second = ask(functions, asked, found)
    assert [call.name for call in second.tool_calls] == ["convert_to_bw"]
    assert second.tool_calls[0].id != first.tool_calls[0].id
    last = ask(functions, asked, found, outcome_of(second, "It is grey."))
    assert (last.text, last.tool_calls, last.finish_reason) == ("I found 1. It is grey.", (), "stop")


def test_failure_ends_the_plan_and_is_reported(functions: tuple[PlannerFunction, ...]) -> None:
    asked = "find the red ball, then make it black and white"
    reply = ask(functions, asked, outcome_of(ask(functions, asked), "There is no red ball.", failed=True))
    assert (reply.text, reply.tool_calls) == (
        "There is no red ball.\nNot done after that: convert_to_bw.",
        (),
    )


def test_forced_answer_makes_no_call(functions: tuple[PlannerFunction, ...]) -> None:
    asked = "find the red ball, then make it black and white"
    reply = ask(functions, asked, outcome_of(ask(functions, asked), "I found 1."), tool_choice="none")
    assert (reply.text, reply.tool_calls) == ("I found 1.", ())


def test_only_the_words_of_this_turn_count(functions: tuple[PlannerFunction, ...]) -> None:
    earlier = (user("find the cat"), Message(role="assistant", content="I found 1."))
    words = "make it black and white"
    reply = ask(functions, words, messages=(*earlier, user(words)))
    assert [call.name for call in reply.tool_calls] == ["convert_to_bw"]


@pytest.mark.parametrize("words", ["help", "What can you do?", "hilfe"])
def test_help_lists_what_can_be_done_here(words: str, functions: tuple[PlannerFunction, ...]) -> None:
    reply = ask(functions, words)
    assert reply.tool_calls == ()
    for function in functions:
        assert function.description.partition(" Limits:")[0] in reply.text
    assert "\u201cfind the red ball\u201d" in reply.text
    assert "extract" not in reply.text, "what is not installed is not offered"
    assert "OPENAI_BASE_URL=http://localhost:11434/v1" in reply.text


def test_unknown_request_is_answered_in_three_lines(functions: tuple[PlannerFunction, ...]) -> None:
    reply = ask(functions, "knit the sweater")
    assert (reply.tool_calls, reply.failed) == ((), True)
    assert len(reply.text.splitlines()) <= 3
    assert "knit, sweater" in reply.text
    assert "GROQ_API_KEY" in reply.text
    assert not set("\u2039\u203a{}") & set(reply.text)


def test_advice_is_given_once(functions: tuple[PlannerFunction, ...]) -> None:
    first = ask(functions, "knit the sweater")
    earlier = (user("knit the sweater"), Message(role="assistant", content=first.text))
    again = ask(functions, "sing me a song", messages=(*earlier, user("sing me a song")))
    assert "GROQ_API_KEY" not in again.text


def test_what_comes_before_unknown_words_is_done_and_the_words_are_named(
    functions: tuple[PlannerFunction, ...],
) -> None:
    asked = "find the red ball, then knit a sweater"
    first = ask(functions, asked)
    assert [call.name for call in first.tool_calls] == ["detect_objects"]
    last = ask(functions, asked, outcome_of(first, "I found 1."))
    assert last.text.startswith("I found 1.\nI do not understand \u201cknit a sweater\u201d")
    assert (last.tool_calls, last.failed) == ((), True)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("hello", "Hello!"),
        ("Thanks a lot!", "You are welcome!"),
        ("bonjour", "Hello!"),
        ("who are you?", "I am"),
    ],
)
def test_small_talk_gets_one_line(words: str, answer: str, functions: tuple[PlannerFunction, ...]) -> None:
    reply = ask(functions, words)
    assert reply.text.startswith(answer)
    assert len(reply.text.splitlines()) == 1


@pytest.mark.parametrize("words", ["remove", "replace the cat", "change the ball"])
def test_request_without_its_object_is_asked_back(words: str, functions: tuple[PlannerFunction, ...]) -> None:
    reply = ask(functions, words)
    assert reply.tool_calls == ()
    assert "does not say enough" in reply.text


UNAVAILABLE = Requirements(binaries={"no-such-program": "apt-get install it"})
TOYS = Operation(
    name="describe_toy",
    description="Describe a toy.",
    args=operations.CAPTION.args,
    result=operations.CAPTION.result,
    phrases=("describe the toy",),
)
READER = Tool(name="reader", operation=operations.EXTRACT_TEXT, run="nowhere:run", requires=UNAVAILABLE)


def test_what_cannot_run_here_is_understood_and_ends_the_plan(tools: list[Tool], scene_png: bytes) -> None:
    agent = make_agent([*tools, READER])
    unmet = (
        "extract_text cannot run here: tool 'reader': program 'no-such-program' is not on the PATH; "
        "apt-get install it"
    )
    alone = agent.run_sync("what does this sign say?", image=scene_png)
    assert (alone.text_response, alone.status, alone.planner) == (unmet, "failed", "offline")
    reply = agent.run_sync(
        "find the red square, then read the text and make it black and white", image=scene_png
    )
    assert [(step.operation, step.status) for step in reply.steps] == [
        ("detect_objects", "done"),
        ("extract_text", "failed"),
    ]
    found = reply.steps[0].result
    assert found is not None
    assert reply.text_response == (f"I found 1: red square (1). {unmet}\nNot done after that: convert_to_bw.")


def test_declared_phrase_that_cannot_run_here_wins_over_a_loose_one(tools: list[Tool]) -> None:
    caption = Tool(name="captions", operation=operations.CAPTION, run="nowhere:run")
    toys = Tool(name="toys", operation=TOYS, run="nowhere:run", requires=UNAVAILABLE)
    registry = make_registry([*tools, caption, toys])
    ready, blocked = registry.functions(), registry.unavailable()
    assert [call.name for call in ask(ready, "describe the toy").tool_calls] == ["caption_image"]
    (call,) = ask(ready, "describe the toy", unavailable=blocked).tool_calls
    assert call.name == "describe_toy"
    (call,) = ask(ready, "describe the dog", unavailable=blocked).tool_calls
    assert call.name == "caption_image"


def test_as_a_fallback_it_reports_what_cannot_run_here(scene_png: bytes) -> None:
    down = ScriptedPlanner([ProviderError("groq: HTTP 401: bad key", kind="auth")], name="groq")
    agent = make_agent([READER], planner=FallbackProvider([down, OfflinePlanner()]))
    reply = agent.run_sync("read the text", image=scene_png)
    assert (reply.planner, reply.needs_setup) == ("offline", True)
    assert "apt-get install it" in reply.text_response


def test_what_can_run_here_goes_before_what_cannot(scene_png: bytes) -> None:
    @tool(phrases=["read the sign in it"], requires=UNAVAILABLE)
    def read(image: Image.Image) -> str:
        """Read it."""
        return ""

    @tool(phrases=["read {what} in it"])
    def guess(image: Image.Image, what: str) -> str:
        """Guess it."""
        return f"a {what}"

    reply = make_agent([read, guess]).run_sync("read the sign in the picture", image=scene_png)
    assert [(step.operation, step.status) for step in reply.steps] == [("guess", "done")]


def test_help_lists_what_could_be_installed(tools: list[Tool]) -> None:
    registry = make_registry([*tools, READER])
    said = ask(registry.functions(), "help", unavailable=registry.unavailable()).text
    offers, blocked = said.split("What I could do if something were installed or configured:\n")
    assert "OCR" not in offers
    assert blocked == (
        "- Read the printed text in an image (OCR). Missing: tool 'reader': program 'no-such-program' is "
        "not on the PATH; apt-get install it"
    )
    nothing = ask((), "sing", unavailable=registry.unavailable()).text
    assert nothing.startswith("I can do nothing yet")
    assert nothing.endswith(blocked)


def test_without_any_tool_it_says_so() -> None:
    assert "doctor" in ask((), "find the cat").text
    assert "doctor" in ask((), "").text


def test_stream_ends_in_the_whole_reply(functions: tuple[PlannerFunction, ...]) -> None:
    async def deltas(words: str) -> list[ChatDelta]:
        request = PlanRequest(messages=(user(words),), functions=functions, prompt=words)
        return [delta async for delta in OfflinePlanner().stream(request)]

    streamed = asyncio.run(deltas("sing"))
    assert streamed[-1].reply is not None
    assert "".join(delta.text for delta in streamed) == streamed[-1].reply.text
    (silent,) = asyncio.run(deltas("find the cat"))
    assert silent.reply is not None
    assert silent.reply.tool_calls


def test_several_things_reach_the_detector_separated_by_dots(tools: list[Tool], scene_png: bytes) -> None:
    reply = make_agent(tools).run_sync(
        "could you please find the red ball and the blue box?", image=scene_png
    )
    assert reply.steps[0].arguments["prompt"] == "red ball. blue box"


def test_newest_image_is_meant_and_an_older_one_can_be_named(tools: list[Tool], scene_png: bytes) -> None:
    agent = make_agent(tools)
    first = agent.run_sync("make it black and white", image=scene_png, conversation_id="c")
    newest = agent.run_sync("find the grey square in the result", conversation_id="c")
    assert newest.steps[0].arguments["image_url"] == first.image_id
    named = agent.run_sync("find the red square in img_1", conversation_id="c")
    assert named.steps[0].arguments["image_url"] == first.image_url
    assert named.fields["bounding_boxes"] == [[10, 10, 30, 30]]


def test_handle_of_no_image_is_answered_with_those_that_are(tools: list[Tool], scene_png: bytes) -> None:
    reply = make_agent(tools).run_sync("make img_9 black and white", image=scene_png)
    assert "img_1" in reply.text_response
    assert reply.steps == ()


def test_tool_of_a_third_party_works_with_slots_types_and_prerequisites(
    tools: list[Tool], scene_png: bytes
) -> None:
    @tool(phrases=["blur {what}", "blur {what} by {radius} pixels"])
    def blur(image: Image.Image, bounding_boxes: list[Box], what: Target, radius: int = 3) -> str:
        """Blur a thing."""
        return f"{what} at {len(bounding_boxes)} places by {radius}"

    agent = make_agent([*tools, blur])
    reply = agent.run_sync("Please blur the red square by 5 pixels, then make it b&w", image=scene_png)
    assert [step.operation for step in reply.steps] == ["detect_objects", "blur", "convert_to_bw"]
    assert reply.fields["blur_result"] == "red square at 1 places by 5"


def test_value_that_does_not_fit_is_answered_with_the_field(tools: list[Tool], scene_png: bytes) -> None:
    @tool(phrases=["turn it by {degrees} degrees"])
    def turn(image: Image.Image, degrees: float) -> Image.Image:
        """Turn it."""
        return image.rotate(degrees)

    reply = make_agent([*tools, turn]).run_sync("turn it by many degrees", image=scene_png)
    assert "degrees: " in reply.text_response
    assert make_agent([turn]).run_sync("turn the photo by 90 degrees", image=scene_png).image_id


@pytest.mark.parametrize(
    "words", ["never mind", "Never mind!", "forget it", "no thanks", "don't remove the ball", "stop"]
)
def test_nothing_asked_is_nothing_done(words: str, tools: list[Tool], scene_png: bytes) -> None:
    reply = make_agent(tools).run_sync(words, image=scene_png)
    assert (reply.text_response, reply.status, reply.steps) == ("Nothing was changed.", "done", ())


@pytest.mark.parametrize("words", ["undo", "Undo that, please", "go back", "revert the last change"])
def test_undo_explains_how_to_use_an_earlier_image(words: str, tools: list[Tool], scene_png: bytes) -> None:
    reply = make_agent(tools).run_sync(words, image=scene_png)
    assert "every earlier image is kept" in reply.text_response
    assert reply.status == "failed"


def test_unknown_request_fails(tools: list[Tool], scene_png: bytes) -> None:
    for words in ("hello", "sing", "make the picture red"):
        assert make_agent(tools).run_sync(words, image=scene_png).status == "failed"


@pytest.mark.parametrize("words", ["thanks", "thank you so much!"])
def test_thanks_are_fulfilled_by_their_answer(words: str, tools: list[Tool], scene_png: bytes) -> None:
    reply = make_agent(tools).run_sync(words, image=scene_png)
    assert (reply.status, reply.steps) == ("done", ())


def test_edit_of_what_is_not_found_fails_and_makes_no_edit(tools: list[Tool], scene_png: bytes) -> None:
    reply = make_agent(tools).run_sync("change the green square to blue", image=scene_png)
    assert reply.status == "failed"
    assert "edit" not in {made["kind"] for made in reply.images}


def test_pronoun_without_an_earlier_thing_is_asked_back(tools: list[Tool], scene_png: bytes) -> None:
    agent = make_agent(tools)
    reply = agent.run_sync("make it green", image=scene_png, conversation_id="c")
    assert "Which thing do you mean?" in reply.text_response
    assert reply.status == "failed"
    agent.run_sync("find the red square", conversation_id="c")
    found = agent.run_sync("make it green", conversation_id="c")
    assert [step.operation for step in found.steps] == ["segment_objects", "inpaint_image"]
    assert found.steps[0].arguments["bounding_boxes"] == [[10, 10, 30, 30]]
    again = agent.run_sync("and now blue", conversation_id="c")
    assert [step.operation for step in again.steps] == ["inpaint_image"]
    assert again.steps[0].arguments["mask_url"] == found.steps[1].arguments["mask_url"]


def test_complement_reaches_only_a_tool_that_inverts(tools: list[Tool], scene_png: bytes) -> None:
    words = "change everything except the red square to blue"
    refused = make_agent(tools).run_sync(words, image=scene_png)
    assert refused.status == "failed"
    assert "no tool here selects all but a thing" in refused.text_response
    offers = [replace(one, takes_complements=one.operation.name == "segment_objects") for one in tools]
    reply = make_agent(offers).run_sync(words, image=scene_png)
    assert [step.arguments.get("prompt") for step in reply.steps] == ["red square", None, "blue"]
    assert reply.steps[1].arguments["target"] == "everything except the red square"


def test_detection_for_another_tool_is_strict(tools: list[Tool], scene_png: bytes) -> None:
    agent = make_agent(tools)
    assert agent.run_sync("find the red square", image=scene_png).steps[0].arguments["strict"] is False
    assert agent.run_sync("remove the red square", image=scene_png).steps[0].arguments["strict"] is True
