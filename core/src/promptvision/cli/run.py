"""``promptvision run``: one instruction on one image."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from promptvision.cli.output import echo_json, echo_text, say
from promptvision.cli.pulling import is_terminal, offer_pull, print_needs
from promptvision.cli.session import StepPrinter, settle, with_agent
from promptvision.errors import InputError

if TYPE_CHECKING:
    from promptvision.agent.agent import Agent
    from promptvision.agent.reply import Reply
    from promptvision.agent.turns.handle import TurnHandle

__all__ = ["check_output", "existing_file", "read_image_argument", "run", "unwritable", "write_image"]

STDIN_LIMIT = 20 * 2**20
LAST_EVENTS_S = 2.0


@click.command()
@click.argument("image")
@click.argument("text")
@click.option("-o", "--output", help="Write the resulting image here; '-' is stdout.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole reply as JSON.")
@click.option("--jsonl", "as_events", is_flag=True, help="Print AG-UI events as they happen, one a line.")
@click.option("-c", "--conversation", help="Continue or start the conversation of this id.")
@click.option("--pull", is_flag=True, help="Download models that the instruction needs without asking.")
def run(
    image: str,
    text: str,
    output: str | None,
    as_json: bool,
    as_events: bool,
    conversation: str | None,
    pull: bool,
) -> int:
    """Apply TEXT to IMAGE: a file, a URL, or '-' for stdin.

    The exit code is 3 if a configured language model failed and another planner answered instead.

    Example: promptvision run photo.jpg "change the red ball to blue" -o out.png
    """
    if as_json and as_events:
        raise click.UsageError("--json and --jsonl cannot be combined")
    check_output(output, as_json or as_events)
    source = read_image_argument(image)

    can_pull = (pull or is_terminal()) and not as_events

    async def work(agent: Agent) -> int | _Unready:
        running = agent.start(text, image=source, conversation_id=conversation)
        telling = asyncio.create_task(_print_events(agent, running)) if as_events else None
        running.live_reply.has_subscribers = as_events
        printer = StepPrinter(agent.services.planner.name)
        if telling is None:
            printer.watch(running)
        try:
            reply = await settle(running)
        finally:
            printer.clear()
            if telling is not None:
                await asyncio.wait({telling}, timeout=LAST_EVENTS_S)
        for note in reply.notes:
            printer.note(note)
        if can_pull and reply.setup is not None and reply.setup["models"]:
            return _Unready(agent, reply)
        return _report(agent, reply, output, as_json, is_quiet=as_events)

    seen: list[Reply] = []
    while isinstance(outcome := with_agent(work), _Unready):
        agent, reply = outcome
        is_new = reply.setup not in [earlier.setup for earlier in seen]
        if not is_new or not offer_pull(agent.registry, reply.setup, pull=pull):
            return _report(agent, reply, output, as_json, is_quiet=False)
        seen.append(reply)
    return outcome


class _Unready(NamedTuple):
    """A reply that asks for models to be downloaded, and the agent that gave it."""

    agent: Agent
    reply: Reply


def check_output(output: str | None, as_json: bool) -> None:
    """Reject an output that cannot be written, before any work is done."""
    if output is None:
        return
    if output == "-":
        if as_json:
            raise click.UsageError("-o - and --json or --jsonl both write to stdout; give -o a file name")
        return
    if problem := unwritable(output):
        raise click.UsageError(f"-o {output}: {problem}")


def unwritable(name: str) -> str | None:
    """The reason why an image cannot be written under this name; None when it can."""
    from promptvision.images.output import output_format

    path = Path(name)
    try:
        output_format(path)
    except InputError as exc:
        return f"the name must end in an image format ({exc.hint})"
    if not path.parent.is_dir():
        return f"there is no folder {str(path.parent)!r}"
    return None


def read_image_argument(image: str) -> str | bytes | Path:
    """Read an image argument: '-' is stdin; an existing file takes precedence over a URL of the same name."""
    if image != "-":
        return existing_file(image) or image
    data = sys.stdin.buffer.read(STDIN_LIMIT + 1)
    if len(data) > STDIN_LIMIT:
        raise InputError(f"stdin: over {STDIN_LIMIT // 2**20} MB")
    return data


def existing_file(name: str) -> Path | None:
    """The absolute path of an existing file, even if its name looks like ``~x.png`` or ``data:x.png``."""
    try:
        return Path(name).absolute() if Path(name).is_file() else None
    except (OSError, ValueError):  # a data URL is too long for a path
        return None


async def _print_events(agent: Agent, running: TurnHandle) -> None:
    await running.is_claimed.wait()
    if running.turn is None:
        return
    async for frame in agent.follow(running.key.user_id, running.turn.id, agent.images.url):
        click.echo(json.dumps(frame.event, ensure_ascii=False))


def _report(agent: Agent, reply: Reply, output: str | None, as_json: bool, *, is_quiet: bool) -> int:
    if as_json:
        echo_json(reply.document(agent.images.url))
    elif output != "-" and not is_quiet:
        echo_text(reply.text_response)
    if reply.status != "done":
        if output == "-" or is_quiet:
            say(reply.text_response)
        if output not in (None, "-"):
            say(f"{output} was not written: the request was not fulfilled", fg="yellow")
        if reply.image_id is not None and not as_json and not is_quiet:
            say(f"last image: {agent.images.url(reply.image_id)}")
        print_needs(reply.setup)
        return 3 if reply.needs_setup or reply.fallbacks else 1
    if output is not None:
        write_image(agent, reply, output)
    elif reply.image_id is not None and not as_json and not is_quiet:
        say(f"image: {agent.images.url(reply.image_id)}")
    return 3 if reply.fallbacks else 0


def write_image(agent: Agent, reply: Reply, output: str) -> None:
    """Write the image of a reply to a file or stdout, or say that the reply has none.

    Raises:
        InputError: it cannot be written there.
    """
    from promptvision.images.codec import encode_png

    if reply.image_id is None:
        say(f"{output} was not written: the answer has no image", fg="yellow")
        return
    if output == "-":
        sys.stdout.buffer.write(encode_png(agent.open(reply.image_id)))
        return
    agent.save(reply.image_id, output)
    say(f"wrote {output}")
