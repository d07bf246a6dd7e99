"""``promptvision tools``: what can be done here, and doing one thing without a planner."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from promptvision.cli.output import echo_json, echo_table
from promptvision.cli.run import check_output, read_image_argument, write_picture
from promptvision.cli.session import with_agent

if TYPE_CHECKING:
    from promptvision.agent.agent import Agent

__all__ = ["tools"]


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.pass_context
def tools(ctx: click.Context, as_json: bool) -> int:
    """List operations and the tools that fulfil them, best first."""
    if ctx.invoked_subcommand is not None:
        return 0
    from promptvision.plugins.describe import describe_operations
    from promptvision.plugins.registry import Registry
    from promptvision.settings import load_settings

    described = describe_operations(Registry.load(load_settings()))
    if as_json:
        echo_json({"operations": described})
        return 0
    rows = [
        (one["operation"], tool["tool"], tool["plugin"], "yes" if tool["available"] else "no", _remark(tool))
        for one in described
        for tool in one["tools"]
    ]
    echo_table(("OPERATION", "TOOL", "PLUGIN", "READY", "LIMITS, OR WHAT IS MISSING"), rows)
    return 0


def _remark(tool: dict[str, Any]) -> str:
    missing = "; ".join(f"{lacking['what']}: {lacking['fix']}" for lacking in tool["missing"])
    return missing or tool["limits"]


@tools.command("run")
@click.argument("operation")
@click.option("-i", "--image", help="Picture for 'image_url': a file, a URL, or '-' for stdin.")
@click.option(
    "-a", "--arg", "pairs", multiple=True, metavar="NAME=VALUE", help="An argument; JSON or plain text."
)
@click.option("-o", "--output", help="Write the resulting picture here; '-' is stdout.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole result as JSON.")
def run_tool(
    operation: str, image: str | None, pairs: tuple[str, ...], output: str | None, as_json: bool
) -> int:
    """Run OPERATION without a planner; what it lacks is made first.

    Example: promptvision tools run detect_objects -i photo.jpg -a prompt="red ball"
    """
    check_output(output, as_json)
    values = dict(_pair(pair) for pair in pairs)
    source = read_image_argument(image) if image is not None else None

    async def work(agent: Agent) -> int:
        if source is not None:
            values[_image_field(agent, operation)] = source
        reply = await agent.call_tool(operation, values)
        if as_json:
            echo_json(reply.document(agent.images.url))
        elif output != "-":
            click.echo(reply.text_response)
        if output is not None:
            write_picture(agent, reply, output)
        return 0

    return with_agent(work)


def _image_field(agent: Agent, operation: str) -> str:
    from promptvision.tools.artifacts import image_fields

    for tool in agent.registry.candidates(operation)[:1]:
        return next(iter(image_fields(tool.args)), "image_url")
    return "image_url"


def _pair(pair: str) -> tuple[str, Any]:
    name, equals, text = pair.partition("=")
    if not equals or not name:
        raise click.UsageError(f"-a {pair}: write it as NAME=VALUE")
    try:
        return name, json.loads(text)
    except ValueError:
        return name, text
