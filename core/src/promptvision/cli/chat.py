"""``promptvision chat``: a conversation in the terminal."""

from __future__ import annotations

import asyncio
import shlex
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import click

from promptvision.cli import line_editing, terminal
from promptvision.cli.history import export_document, print_turns
from promptvision.cli.output import complain, echo_text, say
from promptvision.cli.pulling import offer_pull, print_needs
from promptvision.cli.run import existing_file, unwritable
from promptvision.cli.session import StepPrinter, settle
from promptvision.errors import InputError, NotFound, PromptvisionError

if TYPE_CHECKING:
    from promptvision.agent.agent import Agent
    from promptvision.agent.reply import Reply
    from promptvision.agent.request import Source
    from promptvision.agent.turns.handle import TurnHandle
    from promptvision.cli.stream_printer import StreamPrinter
    from promptvision.conversations.turn import ImageRecord
    from promptvision.needs import NeedsSetup

__all__ = ["chat"]

COMMANDS = {
    "/image PATH": "send this image with the next message",
    "/images": "list the images of this conversation",
    "/use img_1": "continue with an earlier image",
    "/undo": "continue with the image that the newest one was made from",
    "/show [img_1]": "show an image; the newest one when none is named",
    "/save PATH": "write the newest image to a file",
    "/history": "show what was said so far",
    "/new": "start another conversation",
    "/help": "show this list",
    "/quit": "quit; Ctrl-D does the same",
}
LEAVE = ("/quit", "/exit", "/q")


@click.command()
@click.argument("image", required=False)
@click.option("-c", "--conversation", help="Continue the conversation of this id.")
@click.option("--pull", is_flag=True, help="Download models that are needed without asking.")
def chat(image: str | None, conversation: str | None, pull: bool) -> int:
    """Start a conversation about IMAGE, or send an image later with /image PATH.

    Ctrl-C stops what is running and keeps the conversation. /help lists the commands.
    """
    from promptvision.agent.agent import Agent

    with asyncio.Runner() as runner:

        async def make() -> Agent:
            return Agent()

        agent = runner.run(make())
        try:
            return ChatSession(agent, runner, conversation, pull=pull).run(image)
        finally:
            runner.run(agent.close())


class ChatSession:
    """One conversation in the terminal.

    Args:
        agent: runs the turns.
        runner: runs the agent's event loop during turns; between them the terminal blocks the process.
        conversation: id to continue or to start; None makes one.
        pull: whether to download models that are needed without asking.
    """

    def __init__(
        self, agent: Agent, runner: asyncio.Runner, conversation: str | None, *, pull: bool = False
    ) -> None:
        self._agent = agent
        self._pull = pull
        self._runner = runner
        self._is_new = conversation is None
        self._conversation = conversation or uuid.uuid4().hex
        self._image: Source | None = None
        self._chosen: ImageRecord | None = None
        self._is_interactive = sys.stdin.isatty() and sys.stdout.isatty()
        self._has_failed = False

    def run(self, image: str | None) -> int:
        """Read lines to the end of input or /quit; return 1 if input is a pipe and a line of it failed."""
        if not self._is_new:
            self._greet()
        if image is not None:
            self._take_image(image)
        if self._is_interactive:
            say("Say what you want done. /help lists the commands.", dim=True)
            line_editing.begin(self._agent.settings.home, [name.split()[0] for name in COMMANDS])
        while (line := self._read()) is not None:
            if line in LEAVE:
                break
            if line:
                self._handle(line)
        return 0 if self._is_interactive or not self._has_failed else 1

    def _read(self) -> str | None:
        while True:
            try:
                return input("> " if self._is_interactive else "").strip()
            except EOFError:
                if self._is_interactive:
                    click.echo()
                return None
            except KeyboardInterrupt:
                if not self._is_interactive:
                    raise
                click.echo()
                say("quit with /quit or Ctrl-D", dim=True)

    def _handle(self, line: str) -> None:
        """Handle one line; an error is printed and the conversation continues."""
        try:
            command, _, rest = line.partition(" ")
            if command.startswith("/"):
                self._run_command(command, rest.strip())
            else:
                self._ask(line)
        except PromptvisionError as exc:
            self._has_failed = True
            complain(str(exc))

    def _run_command(self, command: str, rest: str) -> None:
        if command == "/image":
            self._take_image(_unquoted(rest))
        elif command == "/images":
            self._list_images()
        elif command == "/use":
            self._use(self._record(rest))
        elif command == "/undo":
            self._undo()
        elif command == "/show":
            self._show(self._record(rest or None).image_id)
        elif command == "/save":
            self._save(_unquoted(rest))
        elif command == "/history":
            print_turns(self._runner.run(export_document(self._agent, self._conversation)))
        elif command == "/new":
            self._conversation, self._image, self._chosen = uuid.uuid4().hex, None, None
            say("a new conversation; give it an image with /image PATH")
        elif command == "/help":
            for name, meaning in COMMANDS.items():
                say(f"  {name:<14} {meaning}")
        else:
            raise InputError(f"there is no command {command}", hint="/help lists them")

    # Turns

    def _ask(self, words: str, before: NeedsSetup | None = None) -> None:
        """Run one turn; once more after the models that it needs were downloaded.

        Args:
            words: what the user said.
            before: what was downloaded for the same words.
        """
        image, chosen = self._image, self._chosen
        running, printer = self._runner.run(self._start(words))
        reply = self._wait(running)
        if printer is not None:
            printer.end(reply)
        if reply is None:
            say("stopped; what was finished is kept", fg="yellow")
            return
        self._image = self._chosen = None
        if printer is None:
            echo_text(reply.text_response)
        if reply.setup is not None:
            if reply.setup != before and offer_pull(self._agent.registry, reply.setup, pull=self._pull):
                self._image, self._chosen = image, chosen
                self._ask(words, reply.setup)
                return
            print_needs(reply.setup)
        self._has_failed = self._has_failed or reply.status != "done"
        if reply.image_id is not None:
            self._show(reply.image_id)

    def _wait(self, running: TurnHandle) -> Reply | None:
        """Show the steps until the turn ends; None if Ctrl-C stopped it."""
        printer = StepPrinter(self._agent.services.planner.name)

        async def watch() -> Reply:
            printer.watch(running)
            return await settle(running)

        try:
            reply = self._runner.run(watch())
            for note in reply.notes:
                printer.note(note)
            return reply
        except KeyboardInterrupt:
            if running.task is None or not running.task.done():
                raise  # pressed a second time
            return None
        finally:
            printer.clear()

    async def _start(self, words: str) -> tuple[TurnHandle, StreamPrinter | None]:
        """Start a turn; on a terminal, print its text as it streams."""
        from promptvision.cli.stream_printer import StreamPrinter

        running = self._agent.start(words, image=self._image, conversation_id=self._conversation)
        return running, StreamPrinter(running) if self._is_interactive else None

    # Images

    def _take_image(self, name: str) -> None:
        """Read the image now, so that an unusable one is reported before the next message."""
        from promptvision.images.ingest import ingest

        if not name:
            raise InputError("/image: the path is missing", hint="write /image photo.jpg")
        is_url = name.lower().startswith(("http:", "https:", "data:", "file:"))
        path: str | Path = existing_file(name) or (name if is_url else str(Path(name).expanduser()))
        store, settings = self._agent.images, self._agent.settings
        taken = self._runner.run(ingest(path, store, allow_paths=True, settings=settings))
        self._image, self._chosen = path, None
        say(f"{name}: {taken.width} x {taken.height} pixels; what should be done to it?")

    def _records(self) -> list[ImageRecord]:
        from promptvision.agent.agent import LOCAL_USER

        return self._agent.conversations.images(LOCAL_USER, self._conversation)

    def _record(self, handle: str | None) -> ImageRecord:
        """The image of a handle; default: the newest input or edited image."""
        from promptvision.images.handles import ImageTable

        table = ImageTable(self._records())
        if handle is None:
            if table.current is None:
                raise NotFound("there is no image in this conversation yet", hint="give one with /image PATH")
            return table.current
        try:
            wanted = table.resolve(handle)
        except ValueError as exc:
            raise NotFound(str(exc)) from exc
        return next(record for record in reversed(table.records) if record.image_id == wanted)

    def _list_images(self) -> None:
        from promptvision.images.handles import ImageTable

        for line in ImageTable(self._records()).lines() or ["no image yet; give one with /image PATH"]:
            echo_text(line)

    def _use(self, record: ImageRecord) -> None:
        from promptvision.types import ImageRef

        self._image, self._chosen = ImageRef(record.image_id), record
        say(f"the next message is about {record.handle}")
        self._show(record.image_id)

    def _undo(self) -> None:
        from promptvision.images.handles import ImageTable

        table, current = ImageTable(self._records()), self._chosen or self._record(None)
        line = table.lineage(current.number)
        if len(line) == 1:
            raise NotFound(f"{current.handle} was made from no other image", hint="/images lists them all")
        self._use(line[1])

    def _show(self, image_id: str) -> None:
        """Draw an image if the terminal supports it, and print its location."""
        if way := terminal.protocol():
            click.echo(terminal.draw(self._agent.open(image_id), way))
        say(f"  image: {self._agent.images.url(image_id)}")

    def _save(self, name: str) -> None:
        if not name:
            raise InputError("/save: the file name is missing", hint="write /save result.png")
        name = str(Path(name).expanduser())
        if problem := unwritable(name):
            raise InputError(f"{name}: {problem}")
        self._agent.save(self._record(None).image_id, name)
        say(f"wrote {name}")

    def _greet(self) -> None:
        from promptvision.agent.agent import LOCAL_USER

        known = self._agent.conversations.conversation(LOCAL_USER, self._conversation)
        if known is None:
            say(f"{self._conversation}: a new conversation")
            return
        say(f"{known.title}: {known.turns} turns so far; /history shows them")


def _unquoted(text: str) -> str:
    """A path as terminals paste it: quoted, or with backslashes before spaces."""
    try:
        words = shlex.split(text)
    except ValueError:
        return text
    return words[0] if len(words) == 1 else text
