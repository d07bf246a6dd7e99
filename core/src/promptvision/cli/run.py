"""``promptvision run``: one instruction on one picture."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from promptvision.cli.output import echo_json, say
from promptvision.cli.session import StepPrinter, with_agent
from promptvision.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

    from promptvision.agent.agent import Agent
    from promptvision.agent.reply import Reply
    from promptvision.agent.running import RunningTurn

__all__ = ["check_output", "read_image_argument", "run", "write_picture"]

STDIN_LIMIT = 20 * 2**20


@click.command()
@click.argument("image")
@click.argument("text")
@click.option("-o", "--output", help="Write the resulting picture here; '-' is stdout.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole reply as JSON.")
@click.option("--jsonl", "as_events", is_flag=True, help="Print AG-UI events as they happen, one a line.")
@click.option("-c", "--conversation", help="Continue or start the conversation of this id.")
def run(
    image: str, text: str, output: str | None, as_json: bool, as_events: bool, conversation: str | None
) -> int:
    """Do what TEXT says to IMAGE: a file, a URL, or '-' for stdin.

    Example: promptvision run photo.jpg "change the red ball to blue" -o out.png
    """
    if as_json and as_events:
        raise click.UsageError("--json and --jsonl exclude each other")
    check_output(output, as_json or as_events)
    source = read_image_argument(image)

    async def work(agent: Agent) -> int:
        running = agent.start(text, image=source, conversation_id=conversation)
        if as_events:
            await _print_events(agent, running)
        else:
            StepPrinter().watch(running)
        reply = await running.reply()
        _report(agent, reply, output, as_json, is_quiet=as_events)
        return 0 if reply.status == "done" else 1

    return with_agent(work)


def check_output(output: str | None, as_json: bool) -> None:
    """Refuse an output that cannot be written before any work is done."""
    if output is None:
        return
    if output == "-":
        if as_json:
            raise click.UsageError("-o - and --json both want stdout; give the picture a file name")
        return
    from PIL import Image as codecs  # noqa: N813

    path = Path(output)
    codecs.init()
    if codecs.EXTENSION.get(path.suffix.lower()) not in codecs.SAVE:
        raise click.UsageError(f"-o {output}: the name must end in a picture format such as .png or .jpg")
    if not path.parent.is_dir():
        raise click.UsageError(f"-o {output}: there is no folder {str(path.parent)!r}")


def read_image_argument(image: str) -> str | bytes:
    """The picture that an argument names; '-' is read from stdin."""
    if image != "-":
        return image
    data = sys.stdin.buffer.read(STDIN_LIMIT + 1)
    if len(data) > STDIN_LIMIT:
        raise InputError(f"stdin: over {STDIN_LIMIT // 2**20} MB")
    return data


async def _print_events(agent: Agent, running: RunningTurn) -> None:
    from promptvision.agent.follow import follow

    await running.is_claimed.wait()
    if running.turn is None:
        return
    async for frame in follow(agent, running.key.user_id, running.turn.id, agent.images.url):
        click.echo(json.dumps(frame.event, ensure_ascii=False))


def _report(agent: Agent, reply: Reply, output: str | None, as_json: bool, *, is_quiet: bool) -> None:
    if as_json:
        echo_json(reply.document(agent.images.url))
    elif output != "-" and not is_quiet:
        click.echo(reply.text_response)
    if reply.status != "done":
        return
    if output is not None:
        write_picture(agent, reply, output)
    elif reply.picture is not None and not as_json and not is_quiet:
        say(f"picture: {agent.images.url(reply.picture)}")


def write_picture(agent: Agent, reply: Reply, output: str) -> None:
    """Write the picture of a reply where the user wants it.

    Raises:
        InputError: there is no picture, or it cannot be written there.
    """
    if reply.picture is None:
        say(f"{output} was not written: the answer has no picture")
        return
    picture = agent.open(reply.picture)
    try:
        if output == "-":
            picture.save(sys.stdout.buffer, "PNG")
        else:
            _fit_format(picture, output).save(output)
            say(f"wrote {output}")
    except (OSError, ValueError) as exc:
        raise InputError(f"{output}: {exc}", hint="choose another name or format") from exc


def _fit_format(picture: Image, output: str) -> Image:
    """The picture in a mode that the format of the file name can hold."""
    is_jpeg = Path(output).suffix.lower() in (".jpg", ".jpeg")
    return picture.convert("RGB") if is_jpeg and picture.mode in ("RGBA", "LA") else picture
