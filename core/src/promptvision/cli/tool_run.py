"""``promptvision tools run``: run one operation without a planner."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from promptvision.cli.output import echo_json, echo_text
from promptvision.cli.pulling import offer_pull
from promptvision.cli.run import check_output, read_image_argument, write_image
from promptvision.cli.session import StepPrinter, with_agent
from promptvision.errors import ArgumentsError, SetupError
from promptvision.tools.artifacts import image_fields, plain_type
from promptvision.types import ImageRef, MaskRef

if TYPE_CHECKING:
    from promptvision.agent.agent import Agent
    from promptvision.needs import NeedsSetup
    from promptvision.plugins.registry import Registry

__all__ = ["run_tool"]


@click.command("run")
@click.argument("operation")
@click.option("-i", "--image", help="Image for 'image_url': a file, a URL, or '-' for stdin.")
@click.option(
    "-a", "--arg", "pairs", multiple=True, metavar="NAME=VALUE", help="An argument; JSON or plain text."
)
@click.option("-o", "--output", help="Write the resulting image here; '-' is stdout.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole result as JSON.")
@click.option("--pull", is_flag=True, help="Download models that it needs without asking.")
def run_tool(
    operation: str,
    image: str | None,
    pairs: tuple[str, ...],
    output: str | None,
    as_json: bool,
    pull: bool,
) -> int:
    """Run OPERATION without a planner; missing arguments such as masks are produced first.

    PLUGIN:TOOL in place of OPERATION runs one tool, also one whose name another plugin has taken.

    Example: promptvision tools run detect_objects -i photo.jpg -a prompt="red ball"
    """
    check_output(output, as_json)
    given = dict(_pair(pair) for pair in pairs)
    source = read_image_argument(image) if image is not None else None
    registries: list[Registry] = []

    async def work(agent: Agent) -> int:
        registries.append(agent.registry)
        values = dict(given)
        _check_names(agent, operation, values)
        name, is_needed = _image_field(agent, operation)
        if source is not None:
            values[name] = source
        elif is_needed and name not in values:
            raise click.UsageError(f"{operation} needs an image; give one with -i")
        try:
            reply = await agent.call_tool(operation, values)
        except ArgumentsError as exc:
            raise click.UsageError(f"{operation}: {exc}") from exc
        printer = StepPrinter()
        for step in reply.steps:
            printer.step(step)
        if as_json:
            echo_json(reply.document(agent.images.url))
        elif output != "-":
            echo_text(reply.text_response)
        if output is not None:
            write_image(agent, reply, output)
        return 0

    needed: list[NeedsSetup | None] = []
    while True:
        try:
            return with_agent(work)
        except SetupError as exc:
            if exc.needs in needed or not offer_pull(registries[-1], exc.needs, pull=pull):
                raise
            needed.append(exc.needs)


def _check_names(agent: Agent, operation: str, values: dict[str, Any]) -> None:
    """Reject unknown operations and arguments, and image values that are not text."""
    if not agent.registry.candidates(operation):
        names = ", ".join(sorted(agent.registry.operations)) or "none; install a plugin with tools"
        raise click.UsageError(f"no operation {operation!r}; the operations are: {names}")
    fields: set[str] = set()
    for tool in agent.registry.candidates(operation):
        fields.update(tool.args.model_fields)
        for name, field in tool.args.model_fields.items():
            is_image = plain_type(field.annotation) in (ImageRef, MaskRef)
            if is_image and not isinstance(values.get(name, ""), str):
                raise click.UsageError(f"-a {name}: give the path or the URL of an image")
    if unknown := sorted(values.keys() - fields):
        raise click.UsageError(
            f"{operation} has no argument {unknown[0]!r}; its arguments are: {', '.join(sorted(fields))}"
        )


def _image_field(agent: Agent, operation: str) -> tuple[str, bool]:
    """Name of the argument that the image goes to, and whether it is needed."""
    for tool in agent.registry.candidates(operation)[:1]:
        for name in image_fields(tool.args):
            return name, tool.args.model_fields[name].is_required()
    return "image_url", False


def _pair(pair: str) -> tuple[str, Any]:
    name, equals, text = pair.partition("=")
    if not equals or not name:
        raise click.UsageError(f"-a {pair}: use NAME=VALUE")
    try:
        return name, json.loads(text)
    except (ValueError, RecursionError):
        return name, text
