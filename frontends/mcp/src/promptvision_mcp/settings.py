"""Settings of the MCP server."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import Field

from promptvision.plugin import Section

__all__ = ["McpSettings", "Show"]

Show = Literal["preview", "link", "none"]
"""How a result shows its image: a small one and a link, the link alone, or its handle alone."""


class McpSettings(Section):
    """Settings of promptvision-mcp."""

    mcp_images: Show = Field(
        "preview", description="How results show their image: 'preview' and link, 'link', or 'none'."
    )
    mcp_roots: str = Field(
        "",
        description="Folders whose images `promptvision mcp` may read by path (stdio), separated like PATH.",
    )

    @property
    def roots(self) -> tuple[Path, ...]:
        """The folders."""
        return tuple(Path(part) for part in self.mcp_roots.split(os.pathsep) if part)
