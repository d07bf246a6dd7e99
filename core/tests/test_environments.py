"""Plugins in environments of their own: two that need two versions of one package, in one conversation."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from promptvision import Agent
from promptvision.errors import SetupError
from promptvision.llm.messages import ChatReply, ToolCall
from promptvision.plugins.environments import environment_folder, make_environment, write_manifest
from promptvision.plugins.registry import Registry
from promptvision.settings import Settings
from promptvision.testing import Program, ScriptedPlanner

PLUGIN = '''
from typing import Literal

import triallib
from promptvision.plugin import Image, tool


@tool(priority=70)
def {name}_version(image: Image, style: Literal["short", "long"] = "short") -> str:
    """Say which version of the library {name} uses.

    Args:
        image: any image.
        style: how to say it.
    """
    return triallib.VERSION if style == "short" else "version " + triallib.VERSION


@tool
def {name}_frame(image: Image, width: int = 2) -> Image:
    """Put a frame around an image with {name}.

    Args:
        image: the image.
        width: of the frame, in pixels.
    """
    from PIL import ImageOps

    return ImageOps.expand(image, width, triallib.COLOUR)
'''


def write_wheel(folder: Path, name: str, version: str, files: dict[str, str], *metadata: str) -> None:
    """A wheel of pure Python."""
    folder.mkdir(exist_ok=True)
    info = f"{name}-{version}.dist-info"
    head = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}", *metadata]
    files = {
        **files,
        f"{info}/METADATA": "\n".join(head) + "\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)


def write_wheels(folder: Path) -> None:
    """Two versions of a library, and two plugins of which each needs another one."""
    for version, colour in (("1.0", "red"), ("2.0", "blue")):
        write_wheel(
            folder, "triallib", version, {"triallib.py": f"VERSION = {version!r}\nCOLOUR = {colour!r}\n"}
        )
    for name, version in (("alpha", "1.0"), ("beta", "2.0")):
        write_wheel(
            folder,
            f"promptvision_{name}",
            "3.1",
            {
                f"promptvision_{name}.py": PLUGIN.replace("{name}", name),
                f"promptvision_{name}-3.1.dist-info/entry_points.txt": (
                    f"[promptvision]\n{name} = promptvision_{name}\n"
                ),
            },
            f"Requires-Dist: triallib=={version}",
        )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the environments of both plugins, made by the command."""
    if shutil.which("uv") is None:
        pytest.skip("uv is not installed")
    folder = tmp_path_factory.mktemp("environments")
    write_wheels(folder / "wheels")
    variables = {
        "UV_OFFLINE": "1",
        "UV_NO_INDEX": "1",
        "UV_FIND_LINKS": str(folder / "wheels"),
        "UV_CACHE_DIR": str(folder / "cache"),
        "HOME": os.environ.get("HOME", str(folder)),
    }
    program = Program(folder / "home", variables)
    for name in ("alpha", "beta"):
        done = program.run("plugins", "isolate", name, "--share", timeout_s=300)
        assert done.code == 0, done.err
        assert done.out.strip() == f"PROMPTVISION_ENV_{name.upper()}=auto"
    return folder / "home"


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings.from_mapping(
        {
            "PROMPTVISION_HOME": str(home),
            "PROMPTVISION_CONVERSATIONS": "memory:",
            "PROMPTVISION_ENV_ALPHA": "auto",
            "PROMPTVISION_ENV_BETA": str(home / "environments" / "beta"),
            "PROMPTVISION_WORKERS": 1,
            "PROMPTVISION_STRICT_PLUGINS": "1",
        }
    )


def call(number: int, name: str, **arguments: object) -> ChatReply:
    made = ToolCall(id=f"c{number}", name=name, arguments=json.dumps(arguments))
    return ChatReply(tool_calls=(made,), finish_reason="tool_calls")


def test_two_plugins_that_pin_incompatible_versions_work_in_one_conversation(settings: Settings) -> None:
    planner = ScriptedPlanner(
        [
            call(1, "alpha_version"),
            call(2, "beta_version", style="long"),
            call(3, "alpha_frame", image="img_1", width=3),
            call(4, "beta_frame", image="img_2"),
            ChatReply(text="framed twice"),
            call(5, "beta_version"),
            ChatReply(text="as before"),
        ]
    )

    async def talk() -> None:
        async with Agent(settings, planner=planner) as agent:
            first = await agent.run("frame it twice", image=Image.new("RGB", (8, 8)), conversation_id="c")
            assert [(step.tool, step.status, step.plugin) for step in first.steps] == [
                ("alpha_version", "done", "alpha"),
                ("beta_version", "done", "beta"),
                ("alpha_frame", "done", "alpha"),
                ("beta_frame", "done", "beta"),
            ]
            results = [str(step.result) for step in first.steps[:2]]
            assert "'1.0'" in results[0]
            assert "'version 2.0'" in results[1]
            assert first.image is not None
            assert first.image.size == (18, 18)
            assert first.image.convert("RGB").getpixel((0, 0)) == (0, 0, 255)
            assert first.image.convert("RGB").getpixel((3, 3)) == (255, 0, 0)
            second = await agent.run("and now?", conversation_id="c")
            assert "'2.0'" in str(second.steps[0].result)

    asyncio.run(talk())


def test_plugin_is_listed_from_its_manifest_without_an_import(settings: Settings) -> None:
    registry = Registry.load(settings)
    plugin = next(one for one in registry.plugins if one.name == "alpha")
    assert (plugin.state, plugin.distribution, plugin.version) == ("loaded", "promptvision_alpha", "3.1")
    assert plugin.module is None
    tool = registry.tools["alpha_version"]
    assert (tool.priority, tool.version) == (70, "3.1")
    (function,) = [one for one in registry.functions() if one.name == "alpha_version"]
    assert function.parameters["properties"]["style"]["enum"] == ["short", "long"]
    assert function.description.startswith("Say which version")
    assert function.image == "image"


def test_arguments_are_validated_in_the_plugins_environment(settings: Settings) -> None:
    planner = ScriptedPlanner([call(1, "alpha_version", style="loud"), ChatReply(text="no")])

    async def talk() -> str:
        async with Agent(settings, planner=planner) as agent:
            await agent.run("say it", image=Image.new("RGB", (8, 8)))
            return planner.requests[-1].messages[-1].content

    assert "style: Input should be 'short' or 'long'" in asyncio.run(talk())


def test_plugin_without_a_manifest_is_listed_as_failed_with_the_command(tmp_path: Path) -> None:
    settings = Settings.from_mapping({"PROMPTVISION_HOME": str(tmp_path), "PROMPTVISION_ENV_GAMMA": "auto"})
    plugin = next(one for one in Registry.load(settings).plugins if one.name == "gamma")
    assert plugin.state == "failed"
    assert plugin.cause == "it has no manifest; run `promptvision plugins isolate gamma`"
    manifest = tmp_path / "environments" / "gamma.json"
    manifest.parent.mkdir()
    manifest.write_text("{}")
    plugin = next(one for one in Registry.load(settings).plugins if one.name == "gamma")
    assert plugin.cause.startswith("its manifest: ")


def test_package_that_cannot_be_installed_is_an_error_of_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("uv") is None:
        pytest.skip("uv is not installed")
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_NO_INDEX", "1")
    settings = Settings.from_mapping({"PROMPTVISION_HOME": str(tmp_path)})
    folder = environment_folder("gamma", settings)
    assert folder == tmp_path / "environments" / "gamma"
    with pytest.raises(SetupError, match="uv pip install"):
        make_environment(folder, ["promptvision-gamma"], is_shared=True)
    with pytest.raises(SetupError, match="plugin 'gamma': it is not installed there"):
        write_manifest("gamma", folder, settings)
