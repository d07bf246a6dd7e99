"""The user is asked for missing arguments of a call, in both versions of the protocol."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from mcp_agents import MODES, client_of, data_uri, scene, text_of
from mcp_types import ElicitRequestFormParams, ElicitRequestParams, ElicitResult

modes = pytest.mark.parametrize("mode", MODES)


class User:
    """Answers forms."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.forms: list[dict[str, Any]] = []

    async def __call__(self, context: Any, params: ElicitRequestParams) -> ElicitResult:
        assert isinstance(params, ElicitRequestFormParams)
        self.forms.append(params.requested_schema)
        if not self.answers:
            return ElicitResult(action="decline")
        return ElicitResult(action="accept", content=self.answers)


@modes
def test_missing_arguments_are_asked_for_at_once(mode: str) -> None:
    user = User(text="hello", size=3)

    async def check() -> None:
        async with client_of(mode, elicitation_callback=user) as client:
            result = await client.call_tool("label", {"image": data_uri(scene())})
            assert not result.is_error, text_of(result)

    asyncio.run(check())
    (form,) = user.forms
    assert form["required"] == ["text", "size"]
    assert form["properties"]["size"] == {"type": "integer", "description": "height of the letters."}


@modes
def test_image_is_asked_for_when_there_is_none(mode: str) -> None:
    user = User(image_url=data_uri(scene()))

    async def check() -> None:
        async with client_of(mode, elicitation_callback=user) as client:
            assert not (await client.call_tool("convert_to_bw", {})).is_error
            assert not (await client.call_tool("convert_to_bw", {})).is_error

    asyncio.run(check())
    assert len(user.forms) == 1


@modes
def test_user_who_declines_leaves_an_error_that_names_the_arguments(mode: str) -> None:
    user = User()

    async def check() -> None:
        async with client_of(mode, elicitation_callback=user) as client:
            result = await client.call_tool("do", {})
            assert result.is_error
            assert "prompt: is needed" in text_of(result)

    asyncio.run(check())
    assert len(user.forms) == 1


@modes
def test_answers_that_were_not_asked_for_are_dropped(mode: str) -> None:
    user = User(text="hello", size=3, colour="red")

    async def check() -> None:
        async with client_of(mode, elicitation_callback=user) as client:
            assert not (await client.call_tool("label", {"image": data_uri(scene())})).is_error

    asyncio.run(check())
