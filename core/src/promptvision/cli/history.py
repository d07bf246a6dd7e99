"""``promptvision history``: conversations on this machine."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from promptvision.cli.output import echo_json, echo_table, echo_text, say
from promptvision.cli.session import with_agent
from promptvision.errors import InputError, NotFound

if TYPE_CHECKING:
    from promptvision.agent.agent import Agent

__all__ = ["export_document", "history", "print_turns"]

LISTED = 200


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.pass_context
def history(ctx: click.Context, as_json: bool) -> int:
    """List, show, rename, export and delete conversations; without a command: list.

    Continue one with `promptvision chat -c ID`.
    """
    return 0 if ctx.invoked_subcommand is not None else _list(as_json)


@history.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_(as_json: bool) -> int:
    """List the 200 most recent conversations, newest first."""
    return _list(as_json)


def _list(as_json: bool) -> int:
    from dataclasses import asdict

    from promptvision.agent.agent import LOCAL_USER

    async def work(agent: Agent) -> int:
        found = agent.conversations.conversations(LOCAL_USER, limit=LISTED)
        if as_json:
            echo_json({"conversations": [asdict(one) for one in found]})
            return 0
        rows = [(one.id, str(one.turns), _when(one.updated_at), one.title) for one in found]
        if rows:
            echo_table(("CONVERSATION", "TURNS", "LAST USED", "TITLE"), rows)
        else:
            say('no conversation yet; start one with: promptvision run photo.jpg "describe it"')
        return 0

    return with_agent(work)


def _when(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


@history.command()
@click.argument("conversation")
@click.option("--json", "as_json", is_flag=True, help="Print the export document.")
def show(conversation: str, as_json: bool) -> int:
    """Show the messages and images of one conversation."""

    async def work(agent: Agent) -> int:
        document = await export_document(agent, conversation)
        if as_json:
            echo_json(document)
            return 0
        print_turns(document)
        for image in document["images"]:
            echo_text(f"{image['handle']}: {image['maker'] or 'given'}, {image['url']}")
        return 0

    return with_agent(work)


def print_turns(document: dict[str, Any]) -> None:
    """Print the questions and answers of an exported conversation."""
    for turn in document["turns"]:
        echo_text(f"> {turn['prompt']}")
        echo_text(turn["reply"]["text_response"] if turn["reply"] else f"({turn['status']})")


@history.command()
@click.argument("conversation")
@click.option("-o", "--output", default="-", help="Output file; '-', the default, is stdout.")
def export(conversation: str, output: str) -> int:
    """Write a conversation as JSON: turns with their steps and results, and the table of its images."""

    async def work(agent: Agent) -> int:
        document = await export_document(agent, conversation)
        if output == "-":
            echo_json(document)
            return 0
        _write(output, document)
        return 0

    return with_agent(work)


def _write(output: str, document: dict[str, Any]) -> None:
    try:
        Path(output).write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", "utf-8")
    except OSError as exc:
        raise InputError(f"{output}: {exc.strerror}", hint="choose another name") from exc
    say(f"wrote {output}")


async def export_document(agent: Agent, conversation: str) -> dict[str, Any]:
    """A conversation of the local user as plain JSON.

    Raises:
        NotFound: there is no conversation with this id.
    """
    from promptvision.agent.agent import LOCAL_USER
    from promptvision.agent.export import export_conversation

    def show(image_id: str) -> str:
        try:
            return agent.images.url(image_id)
        except NotFound:
            return image_id  # the file was removed; the rest of the document is still useful

    document = await export_conversation(agent.services, LOCAL_USER, conversation, show)
    if document is None:
        raise _no_such(conversation)
    return document


@history.command()
@click.argument("conversation")
@click.argument("title")
def rename(conversation: str, title: str) -> int:
    """Change the title of a conversation."""
    from promptvision.agent.agent import LOCAL_USER
    from promptvision.conversations.store import clean_text, title_of

    wanted = title_of(clean_text(title))
    if not wanted:
        raise click.UsageError("TITLE: is empty")

    async def work(agent: Agent) -> int:
        if not agent.conversations.rename(LOCAL_USER, conversation, wanted):
            raise _no_such(conversation)
        say(f"{conversation} is now called {wanted!r}")
        return 0

    return with_agent(work)


@history.command()
@click.argument("conversation")
def delete(conversation: str) -> int:
    """Delete a conversation and its images that are not used elsewhere."""
    from promptvision.agent.agent import LOCAL_USER
    from promptvision.agent.export import delete_conversation

    async def work(agent: Agent) -> int:
        if not await delete_conversation(agent.services, LOCAL_USER, conversation):
            raise _no_such(conversation)
        say(f"{conversation} deleted")
        return 0

    return with_agent(work)


def _no_such(conversation: str) -> NotFound:
    return NotFound(f"no conversation {conversation!r}", hint="`promptvision history` lists them")
