"""``promptvision chat`` and ``run`` ask before a step that needs approval."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from promptvision.testing.program import Program, write_plugin

ASKS = """
from promptvision.plugin import Image, Middleware, hookimpl, tool

class Ask(Middleware):
    is_required = True

    async def before_step(self, step):
        if step.tool.leaves_machine:
            await step.approve("Send the image away?")

@tool(phrases=["send it"], leaves_machine=True)
def send(image: Image) -> Image:
    '''Send an image away.'''
    return image

@hookimpl
def promptvision_middleware():
    return [Ask()]
"""


@pytest.fixture
def asking(program: Program) -> Program:
    write_plugin(Path(program.environment["PYTHONPATH"]), "asks", ASKS)
    return program


def test_chat_asks_and_continues(asking: Program, photo: Path) -> None:
    with asking.at_terminal("chat", photo) as terminal:
        terminal.wait_for("> ")
        for answer, status in (("y", "done"), ("n", "failed"), ("", "failed")):
            terminal.type("send it\n")
            terminal.wait_for("Send the image away? [y/N]")
            terminal.type(f"{answer}\n")
            terminal.wait_for(f"send (send): {status}")
            terminal.wait_for("> ")
        terminal.type("send it\n")
        terminal.wait_for("Send the image away? [y/N]")
        terminal.type("\x03")
        terminal.wait_for("stopped; what was finished is kept")
        terminal.wait_for("> ")
        terminal.type("/quit\n")
        assert terminal.end() == 0


def test_without_a_terminal_the_step_is_refused(asking: Program, photo: Path) -> None:
    ended = asking.run("run", photo, "send it", "--json")
    assert ended.code == 1
    (step,) = json.loads(ended.out)["steps"]
    assert "was not approved: there is no one here to ask. Send the image away?" in step["message"]
