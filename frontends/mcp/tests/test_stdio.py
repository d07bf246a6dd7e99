"""``promptvision mcp`` as a program that a client starts."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp_agents import MODES, scene, text_of

from promptvision.testing import write_plugin

MAIN = "from promptvision.cli.main import main; main()"
NOISY = '''
import os
import subprocess
import sys
from promptvision.plugin import Image, tool

@tool
def shout(image: Image) -> Image:
    """Write to stdout in every way."""
    print("print")
    sys.stdout.write("write\\n")
    sys.stdout.flush()
    os.write(1, b"descriptor\\n")
    subprocess.run([sys.executable, "-c", "print('child')"], check=True)
    return image.rotate(180)
'''


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    """A folder with an installed plugin whose tool writes to stdout."""
    return write_plugin(tmp_path / "site", "noisy", NOISY)


def program(home: Path, plugins: Path, *options: str) -> StdioServerParameters:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PROMPTVISION_HOME": str(home / "data"),
        "PYTHONPATH": str(plugins),
        "OMP_NUM_THREADS": "1",
    }
    return StdioServerParameters(
        command=sys.executable, args=["-c", MAIN, "mcp", *options], env=environment, cwd=home
    )


@pytest.mark.parametrize("mode", MODES)
def test_client_reads_a_file_of_an_allowed_folder_and_no_other(
    mode: str, tmp_path: Path, plugins: Path
) -> None:
    photos, secret = tmp_path / "photos", tmp_path / "secret.png"
    photos.mkdir()
    scene().save(photos / "in.png")
    scene().save(secret)
    (photos / "link.png").symlink_to(secret)

    async def check() -> None:
        async with Client(program(tmp_path, plugins, "--root", str(photos)), mode=mode) as client:
            for path in (photos / "in.png", "in.png", (photos / "in.png").as_uri()):
                result = await client.call_tool("shout", {"image": str(path)})
                assert not result.is_error, text_of(result)
            for path in (secret, photos / "link.png", "../secret.png", "link.png", photos, "/etc/passwd"):
                result = await client.call_tool("shout", {"image": str(path)})
                assert result.is_error
                assert "no such file in the allowed folders" in text_of(result)

    asyncio.run(check())


def test_conversation_continues_after_the_program_has_ended(tmp_path: Path, plugins: Path) -> None:
    scene().save(tmp_path / "in.png")
    server = program(tmp_path, plugins, "--root", str(tmp_path), "--conversation", "holiday")

    async def handles(*calls: tuple[str, dict[str, Any]]) -> list[str]:
        async with Client(server) as client:
            for name, arguments in calls:
                assert not (await client.call_tool(name, arguments)).is_error
            listed = (await client.call_tool("list_images", {})).structured_content
            return [image["handle"] for image in listed["images"]]

    assert asyncio.run(handles(("shout", {"image": "in.png"}))) == ["img_1", "img_2"]
    assert asyncio.run(handles()) == ["img_1", "img_2"]


def test_stdout_carries_the_protocol_alone(tmp_path: Path, plugins: Path) -> None:
    scene().save(tmp_path / "in.png")
    server = program(tmp_path, plugins, "--root", str(tmp_path), "--images", "none")
    information = {"protocolVersion": "2025-11-25", "capabilities": {}}
    sent: list[dict[str, Any]] = [
        {
            "id": 1,
            "method": "initialize",
            "params": {**information, "clientInfo": {"name": "t", "version": "1"}},
        },
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/call", "params": {"name": "shout", "arguments": {"image": "in.png"}}},
    ]
    lines = [json.dumps({"jsonrpc": "2.0", **message}) for message in sent]
    process = subprocess.Popen(
        [server.command, *server.args],
        env=server.env,
        cwd=server.cwd,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write("not json\n" + "\n".join(lines) + "\n")
        process.stdin.flush()
        replies: dict[int, dict[str, Any]] = {}
        while 2 not in replies:
            message = json.loads(process.stdout.readline())
            assert message["jsonrpc"] == "2.0"
            replies[message.get("id")] = message
        process.stdin.close()
        assert process.stdout.read() == ""
        log = process.stderr.read()
    assert process.returncode == 0, log
    assert replies[1]["result"]["serverInfo"]["name"] == "promptvision"
    result = replies[2]["result"]
    assert not result["isError"]
    assert [block["type"] for block in result["content"]] == ["text"]
    for word in ("print", "write", "descriptor", "child"):
        assert word in log


def test_options_of_stdio_do_not_go_with_http(tmp_path: Path, plugins: Path) -> None:
    server = program(tmp_path, plugins, "--http", "--root", str(tmp_path))
    done = subprocess.run(
        [server.command, *server.args], env=server.env, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "do not go with --http" in done.stderr
    assert done.stdout == ""
