"""``promptvision chat``: a conversation in the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from promptvision.cli.output import is_fancy, say
from promptvision.cli.session import StepPrinter, with_agent
from promptvision.errors import PromptvisionError

if TYPE_CHECKING:
    from promptvision.agent.agent import Agent
    from promptvision.agent.request import Source

__all__ = ["chat"]

HELP = "Type what you want done. /image PATH  /save PATH  /new  /quit"


@click.command()
@click.argument("image", required=False)
@click.option("-c", "--conversation", help="Continue the conversation of this id.")
def chat(image: str | None, conversation: str | None) -> int:
    """Talk about a picture; start with IMAGE, or give one later with /image PATH."""
    say(HELP)
    return with_agent(lambda agent: Talk(agent, image, conversation).run())


class Talk:
    """One conversation at the prompt.

    Args:
        agent: does the work.
        image: picture for the next turn.
        conversation: id to go on with; None starts a new one.
    """

    def __init__(self, agent: Agent, image: Source | None, conversation: str | None) -> None:
        self._agent = agent
        self._image = image
        self._conversation = conversation
        self._picture: str | None = None

    async def run(self) -> int:
        """Read lines until the end of input or /quit."""
        import asyncio

        while True:
            try:
                line = (await asyncio.to_thread(input, "> " if is_fancy() else "")).strip()
            except EOFError:
                return 0
            if line in ("/quit", "/exit", "/q"):
                return 0
            if line:
                await self._take(line)

    async def _take(self, line: str) -> None:
        """One line; what is wrong with it is said and the conversation goes on."""
        try:
            command, _, rest = line.partition(" ")
            if command == "/image":
                self._image = rest.strip().strip("'\"")
            elif command == "/save":
                self._save(rest.strip())
            elif command == "/new":
                self._conversation, self._picture = None, None
            elif command.startswith("/"):
                say(HELP)
            else:
                await self._ask(line)
        except PromptvisionError as exc:
            say(f"promptvision: {exc}", fg="red")

    async def _ask(self, words: str) -> None:
        running = self._agent.start(words, image=self._image, conversation_id=self._conversation)
        StepPrinter().watch(running)
        reply = await running.reply()
        self._image, self._conversation = None, reply.conversation_id
        click.echo(reply.text_response)
        if reply.picture is not None:
            self._picture = reply.picture
            show_picture(self._agent, reply.picture)

    def _save(self, name: str) -> None:
        if self._picture is None:
            say("there is no picture to save yet")
            return
        try:
            self._agent.open(self._picture).save(Path(name).expanduser())
        except (OSError, ValueError) as exc:
            say(f"promptvision: {name}: {exc}", fg="red")
        else:
            say(f"wrote {name}")


def show_picture(agent: Agent, image_id: str) -> None:
    """Show a picture in the terminal where it can, else say where it is."""
    say(f"  picture: {agent.images.url(image_id)}")
