"""Hook implementations of promptvision-bw."""

from __future__ import annotations

from promptvision.plugin import Tool, hookimpl, operations

PLUGIN_API = 1

BW = Tool(name="bw", operation=operations.CONVERT_TO_BW, run="promptvision_bw.bw:convert")


@hookimpl
def promptvision_tools() -> list[Tool]:
    """The tool ``bw``."""
    return [BW]
