"""``promptvision history``: conversations on this machine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from promptvision.cli.output import echo_json, echo_table, say
from promptvision.cli.session import with_agent
from promptvision.errors import NotFound

if TYPE_CHECKING:
    from promptvision.agent.agent import Agent

__all__ = ["history"]


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.pass_context
def history(ctx: click.Context, as_json: bool) -> int:
    """List conversations, newest first."""
    if ctx.invoked_subcommand is not None:
        return 0
    from dataclasses import asdict

    from promptvision.agent.agent import LOCAL_USER

    async def work(agent: Agent) -> int:
        found = agent.conversations.conversations(LOCAL_USER, limit=200)
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
    """Show one conversation; with --json, everything about it."""
    from promptvision.agent.agent import LOCAL_USER
    from promptvision.agent.history import export_conversation

    async def work(agent: Agent) -> int:
        document = await export_conversation(agent, LOCAL_USER, conversation, agent.images.url)
        if document is None:
            raise _no_such(conversation)
        if as_json:
            echo_json(document)
            return 0
        for turn in document["turns"]:
            click.echo(f"> {turn['prompt']}")
            reply = turn["reply"]
            click.echo(reply["text_response"] if reply else f"({turn['status']})")
        return 0

    return with_agent(work)


@history.command()
@click.argument("conversation")
@click.argument("title")
def rename(conversation: str, title: str) -> int:
    """Give a conversation another title."""
    from promptvision.agent.agent import LOCAL_USER

    async def work(agent: Agent) -> int:
        if not agent.conversations.rename(LOCAL_USER, conversation, title):
            raise _no_such(conversation)
        return 0

    return with_agent(work)


@history.command()
@click.argument("conversation")
def delete(conversation: str) -> int:
    """Delete a conversation and those of its pictures that nothing else uses."""
    from promptvision.agent.agent import LOCAL_USER
    from promptvision.agent.history import delete_conversation

    async def work(agent: Agent) -> int:
        if not await delete_conversation(agent, LOCAL_USER, conversation):
            raise _no_such(conversation)
        return 0

    return with_agent(work)


def _no_such(conversation: str) -> NotFound:
    return NotFound(f"no conversation {conversation!r}", hint="`promptvision history` lists them")
