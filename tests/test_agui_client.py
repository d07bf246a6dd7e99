"""The AG-UI project's client, installed from npm by ``scripts/install``, reads streamed turns."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from promptvision.llm.messages import ChatReply
from promptvision.testing.llm_faults import Fault
from promptvision.testing.llm_server import LLMServer, call
from promptvision.testing.program import write_plugin
from promptvision.testing.server import ServerProcess

ROOT = Path(__file__).parents[1]
UNUSED = "florence,grounding_dino,opencv,sam,sdxl_inpaint,tesseract,groq,cloudinary,s3,supabase"

TOOLS = '''
"""Tools for this test: one that reports progress, and one that fails."""

import time

from PIL.Image import Image

from promptvision import ToolContext, tool
from promptvision.plugins.specs import hookimpl


@tool(phrases=["turn it slowly"])
def turn_slowly(image: Image, context: ToolContext) -> Image:
    """Turn an image upside down in ten parts."""
    for part in range(10):
        context.progress(part, 10, f"part {part}")
        time.sleep(0.06)
    return image.rotate(180)


@tool(phrases=["break it"])
def broken(image: Image) -> Image:
    """Fail."""
    raise ValueError("out of film")


@hookimpl
def promptvision_tools():
    return [turn_slowly, broken]
'''


def client_folder() -> Path:
    """Where ``scripts/install`` has put the client."""
    version = re.search(r"@ag-ui/client@([\d.]+)", (ROOT / "scripts" / "install").read_text())
    assert version is not None
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "promptvision" / f"ag-ui-client-{version[1]}"
    assert (folder / "node_modules" / "@ag-ui" / "client").is_dir(), "run scripts/install"
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("agui")
    return write_plugin(folder, "slow", TOOLS)


@pytest.fixture(scope="module")
def server(site: Path) -> Iterator[ServerProcess]:
    variables = {"PROMPTVISION_DISABLED_PLUGINS": f"{UNUSED},openai", "PROMPTVISION_STRICT_PLUGINS": "1"}
    with ServerProcess(site / "home", variables, path=[site]) as server:
        yield server


@pytest.fixture
def host() -> Iterator[LLMServer]:
    with LLMServer() as host:
        yield host


@pytest.fixture
def llm_server(site: Path, host: LLMServer) -> Iterator[ServerProcess]:
    """A server whose planner is a language model."""
    variables = {
        "PROMPTVISION_DISABLED_PLUGINS": UNUSED,
        "OPENAI_API_KEY": "test-key",
        "OPENAI_BASE_URL": host.openai_url,
        "PROMPTVISION_OPENAI_MODEL": "stub",
    }
    with ServerProcess(site / "speaking", variables, path=[site]) as server:
        yield server


def read_turn(server: ServerProcess, prompt: str, prompt_id: str) -> dict[str, Any]:
    """The client's reading of one turn."""
    file = io.BytesIO()
    Image.linear_gradient("L").save(file, "PNG")
    image = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
    ids = {"user_id": "ann", "conversation_id": "c", "prompt_id": prompt_id}
    body = json.dumps({**ids, "prompt": prompt, "input_image_url": image})
    node = shutil.which("node")
    assert node is not None, "run scripts/install"
    program = Path(__file__).with_name("agui_client.mjs")
    ended = subprocess.run(
        [node, program, client_folder(), f"{server.url}/chat", body],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    received: dict[str, Any] = json.loads(ended.stdout)
    return received


def test_client_reads_a_turn_with_steps_images_and_progress(server: ServerProcess) -> None:
    received = read_turn(server, "turn it slowly, then make it black and white", "p1")
    assert received["error"] is None
    assert received["outcome"] == "success"
    assert received["events"][0] == "RUN_STARTED"
    assert received["events"][-1] == "RUN_FINISHED"
    assert {"ACTIVITY_SNAPSHOT", "ACTIVITY_DELTA", "STATE_DELTA"} <= set(received["events"])
    assert [image["handle"] for image in received["state"]["images"]] == ["img_1", "img_2", "img_3"]
    assert received["state"]["images"][-1]["url"] == received["result"]["bw_image_url"]

    roles = [message["role"] for message in received["messages"]]
    assert [role for role in roles if role != "activity"] == [
        "assistant",
        "tool",
        "assistant",
        "tool",
        "assistant",
    ]
    calls = [call["function"]["name"] for m in received["messages"] for call in m.get("toolCalls", ())]
    assert calls == ["turn_slowly", "convert_to_bw"]
    shown = [part for m in received["messages"] if m["role"] == "tool" for part in m["content"]]
    assert [part["source"]["value"] for part in shown if part["type"] == "image"] == [
        image["url"] for image in received["state"]["images"][1:]
    ]
    assert received["messages"][-1]["content"] == received["result"]["text_response"]
    progress = next(message for message in received["messages"] if message["role"] == "activity")
    assert progress["content"]["total"] == 10
    assert progress["content"]["message"].startswith("part ")


def test_client_reads_a_replay(server: ServerProcess) -> None:
    first = read_turn(server, "make it black and white", "p2")
    again = read_turn(server, "make it black and white", "p2")
    assert again["messages"] == first["messages"]
    assert again["result"] == first["result"]


def test_client_reports_a_turn_that_failed(server: ServerProcess) -> None:
    received = read_turn(server, "break it", "p3")
    assert "out of film" in received["error"]
    assert received["events"][-1] == "RUN_ERROR"
    assert "out of film" in received["messages"][-1]["content"]


def test_client_reads_text_as_it_comes(llm_server: ServerProcess, host: LLMServer) -> None:
    turn = call("turn_slowly", {"image_url": "img_1"})
    answer = "The image was rotated by 180 degrees. " * 40
    host.reset(
        [ChatReply(text="Let me turn it. " * 20, tool_calls=(turn,)), Fault.cut("It fell over"), answer]
    )
    received = read_turn(llm_server, "turn it", "p4")
    host.assert_used_up()
    assert (received["error"], received["outcome"]) == (None, "success")
    said = [m["content"] for m in received["messages"] if m["role"] == "assistant" and m.get("content")]
    assert said[0] == "Let me turn it. " * 20
    assert said[-1] == received["result"]["text_response"] == answer
    assert said[1:-1] in ([], ["It fell over"])
    again = read_turn(llm_server, "turn it", "p4")
    repeated = [m["content"] for m in again["messages"] if m["role"] == "assistant" and m.get("content")]
    assert repeated == [said[0], answer]
