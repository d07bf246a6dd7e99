"""Costs for an MCP client: start, tool list, calls and results, compared with ImageSorcery MCP.

Both servers are started as programs and driven over stdio by the same client, the official one. Each call is
made on the same 1600 x 1200 photograph-like image with arguments of its own, so that nothing is cached.

ImageSorcery is not part of the workspace; install it in an environment of its own and name its program::

    uv venv /tmp/rival && uv pip install --python /tmp/rival imagesorcery-mcp
    scripts/bench mcp_servers --rival /tmp/rival/bin/imagesorcery-mcp
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import io
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mcp import Client, StdioServerParameters
from mcp_types import CallToolResult, ImageContent
from PIL import Image, ImageFilter

SIZE = (1600, 1200)
ROUNDS = 15
BYTES_PER_TOKEN = 4
"""A rule of thumb for English and JSON; good for comparisons only."""
PIXELS_PER_TOKEN = 750
"""What a vision model takes for an image, by Anthropic's documentation."""

Arguments = Callable[[int, str], dict[str, Any]]


@dataclass(frozen=True)
class Server:
    """One server: how it is started and how its tools are called for the same work."""

    name: str
    command: list[str]
    calls: dict[str, tuple[str, Arguments]]
    variables: dict[str, str] = field(default_factory=dict)


OURS: dict[str, tuple[str, Arguments]] = {
    "resize": ("resize_image", lambda n, image: {"image_url": "img_1", "width": 800 + n}),
    "rotate": ("rotate_image", lambda n, image: {"image_url": "img_1", "degrees": -(n + 1)}),
    "crop": ("crop_image", lambda n, image: {"image_url": "img_1", "box": [n, n, 800 + n, 600 + n]}),
    "information": ("image_info", lambda n, image: {"image_url": "img_1"}),
}
THEIRS: dict[str, tuple[str, Arguments]] = {
    "resize": ("resize", lambda n, image: {"input_path": image, "width": 800 + n}),
    "rotate": ("rotate", lambda n, image: {"input_path": image, "angle": n + 1}),
    "crop": ("crop", lambda n, image: {"input_path": image, "x1": n, "y1": n, "x2": 800 + n, "y2": 600 + n}),
    "information": ("get_metainfo", lambda n, image: {"input_path": image}),
}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rival", help="the program imagesorcery-mcp")
    options = parser.parse_args()
    program = [str(Path(sys.executable).with_name("promptvision")), "mcp"]
    servers = [
        Server("promptvision, preview", program, OURS),
        Server("promptvision, link", program, OURS, {"PROMPTVISION_MCP_IMAGES": "link"}),
    ]
    if options.rival:
        servers.append(Server("ImageSorcery", [options.rival], THEIRS))
    print("| server | ready ms | tools | tool list bytes | ~tokens | memory MB |\n|---|---|---|---|---|---|")
    rows = []
    for server in servers:
        with _folder() as folder:
            rows += asyncio.run(_measure(server, folder))
    print("\n| server | call | median ms | slowest ms | text and data bytes | ~tokens with preview |")
    print("|---|---|---|---|---|---|")
    print("\n".join(rows))


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        noise = Image.effect_noise(SIZE, 60).filter(ImageFilter.GaussianBlur(3)).convert("RGB")
        noise.save(folder / "photo.jpg", quality=92)
        yield folder


async def _measure(server: Server, folder: Path) -> list[str]:
    image = str(folder / "photo.jpg")
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PROMPTVISION_HOME": str(folder / "data"),
        "PROMPTVISION_MCP_ROOTS": str(folder),
        "OMP_NUM_THREADS": "1",
        **server.variables,
    }
    parameters = StdioServerParameters(
        command=server.command[0], args=server.command[1:], env=variables, cwd=folder
    )
    began = time.perf_counter()
    async with Client(parameters) as client:
        tools = (await client.list_tools()).tools
        ready = time.perf_counter() - began
        listed = json.dumps([tool.model_dump(by_alias=True, exclude_none=True) for tool in tools])
        if server.calls is OURS:
            await client.call_tool("image_info", {"image_url": image})
        rows = [await _time(client, server, call, image) for call in server.calls]
        memory = sum(map(_resident_bytes, _descendants(os.getpid())))
        print(
            f"| {server.name} | {ready * 1000:.0f} | {len(tools)} | {len(listed):,} | "
            f"{len(listed) // BYTES_PER_TOKEN:,} | {memory / 2**20:.0f} |"
        )
    return rows


def _descendants(pid: int) -> list[int]:
    """Processes that a process has started, and theirs. Linux only."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [one for child in map(int, listed) for one in (child, *_descendants(child))]


def _resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def _time(client: Client, server: Server, call: str, image: str) -> str:
    name, arguments = server.calls[call]
    times = []
    for index in range(ROUNDS):
        began = time.perf_counter()
        result = await client.call_tool(name, arguments(index, image))
        times.append((time.perf_counter() - began) * 1000)
        assert not result.is_error, result
    text, tokens = _size(result)
    median = statistics.median(times)
    return f"| {server.name} | {call} | {median:.1f} | {max(times):.1f} | {text:,} | {tokens:,} |"


def _size(result: CallToolResult) -> tuple[int, int]:
    """Bytes of everything but images, and an estimate of all tokens.

    The text and the structured content are both counted, as some clients show a model both.
    """
    images = [block for block in result.content if isinstance(block, ImageContent)]
    rest = [
        block.model_dump(by_alias=True, exclude_none=True) for block in result.content if block not in images
    ]
    text = len(json.dumps(rest)) + len(json.dumps(result.structured_content or {}))
    sizes = [Image.open(io.BytesIO(base64.b64decode(block.data))).size for block in images]
    return text, text // BYTES_PER_TOKEN + sum(width * height // PIXELS_PER_TOKEN for width, height in sizes)


if __name__ == "__main__":
    main()
