"""``promptvision tools``: list operations and tools."""

from __future__ import annotations

from typing import Any

import click

from promptvision.cli.output import echo_json, echo_table, say
from promptvision.plugins.first_party import INSTALL_TOOLS

__all__ = ["tools"]


class _Tools(click.Group):
    """A group with the command ``run``, which is imported only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return ["run"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name != "run":
            return None
        from promptvision.cli.tool_run import run_tool

        return run_tool


@click.group(cls=_Tools, invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.pass_context
def tools(ctx: click.Context, as_json: bool) -> int:
    """List operations and the tools that fulfil them, best first."""
    if ctx.invoked_subcommand is not None:
        return 0
    from promptvision.plugins.describe import describe_operations
    from promptvision.plugins.listing import load_listing
    from promptvision.settings import load_settings

    described = describe_operations(load_listing(load_settings()))
    if as_json:
        echo_json({"operations": described})
        return 0
    rows = [
        (one["operation"], tool["tool"], tool["plugin"], "yes" if tool["available"] else "no", _remark(tool))
        for one in described
        for tool in one["tools"]
    ]
    rows += [
        (tool["operation"], f"{tool['plugin']}:{tool['tool']}", tool["plugin"], "shadowed", tool["reason"])
        for one in described
        for tool in one["shadowed"]
    ]
    if not rows:
        say(f"no tools are installed; install them with `{INSTALL_TOOLS}`", fg="yellow")
        return 0
    echo_table(("OPERATION", "TOOL", "PLUGIN", "READY", "LIMITS, OR WHAT IS MISSING"), rows)
    return 0


def _remark(tool: dict[str, Any]) -> str:
    missing = "; ".join(f"{part['what']}: {part['fix']}" for part in tool["missing"])
    return missing or tool["limits"]
