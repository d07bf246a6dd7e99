"""Mistakes of authors: ``promptvision plugin check`` names each, and none affects other plugins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from promptvision.testing import Program, write_plugin

TOOL = """
from promptvision.plugin import Args, Image, ImageRef, Operation, Result, Tool, hookimpl, tool
from pydantic import Field

class FaultyArgs(Args):
    image_url: ImageRef = Field(description="The image.")

class FaultyResult(Result):
    value: float = 0.0

def offer(name, run, args=FaultyArgs):
    operation = Operation(name=name, description="Measure the image.", args=args, result=FaultyResult)
    return Tool(name=name, operation=operation, run=run)
"""

FAULTS = {
    "raises": ("raise RuntimeError('no camera')", "RuntimeError: no camera"),
    "exits": ("raise SystemExit(3)", "SystemExit: 3"),
    "interrupts": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "needs_module": ("import no_such_module_here", "No module named 'no_such_module_here'"),
    "misspells": (
        "from promptvision.plugin import hookimpl\n@hookimpl\ndef promptvision_toolz():\n    return []",
        "unknown hook 'promptvision_toolz'",
    ),
    "prints": (
        f"{TOOL}\nprint('hello')\n@tool\ndef prints(image: Image) -> Image:\n    '''Copy it.'''\n"
        "    return image",
        "prints on stdout: 'hello'",
    ),
    "heavy": (
        f"{TOOL}\nimport numpy\n@tool\ndef heavy(image: Image) -> Image:\n    '''Copy it.'''\n"
        "    return image",
        "imports numpy",
    ),
    "clash": (
        f"{TOOL}\n@tool(name='bw')\ndef clash(image: Image) -> Image:\n    '''Copy it.'''\n    return image",
        "tool 'bw' exists in both promptvision-bw and promptvision-clash",
    ),
    "wrong_return": (
        f"{TOOL}\ndef run(args, context):\n    return 5\n\n@hookimpl\ndef promptvision_tools():\n"
        "    return [offer('wrong_return', run)]",
        "tool 'wrong_return' returned int, not FaultyResult",
    ),
    "undescribed": (
        f"{TOOL}\nclass Bare(FaultyArgs):\n    level: int = 3\n\ndef run(args, context):\n"
        "    context.open(args.image_url)\n    return FaultyResult()\n\n"
        "@hookimpl\ndef promptvision_tools():\n    return [offer('undescribed', run, Bare)]",
        "argument 'level' has no description",
    ),
    "open_schema": (
        f"{TOOL}\nclass Open(FaultyArgs):\n"
        "    options: dict[str, int] = Field(default={}, description='Any options.')\n\n"
        "def run(args, context):\n    context.open(args.image_url)\n    return FaultyResult()\n\n"
        "@hookimpl\ndef promptvision_tools():\n    return [offer('open_schema', run, Open)]",
        "an object accepts any member",
    ),
    "ignores_cancel": (
        f"{TOOL}\ndef run(args, context):\n    try:\n        context.open(args.image_url)\n"
        "    except BaseException:\n        pass\n    return FaultyResult()\n\n"
        "@hookimpl\ndef promptvision_tools():\n    return [offer('ignores_cancel', run)]",
        "a cancelled call ends as if nothing had happened",
    ),
    "writes": (
        f"{TOOL}\ndef run(args, context):\n    context.open(args.image_url)\n"
        "    open('/var/tmp/promptvision-fault', 'w').close()\n    return FaultyResult()\n\n"
        "@hookimpl\ndef promptvision_tools():\n    return [offer('writes', run)]",
        "the call writes /var/tmp/promptvision-fault",
    ),
    "unseeded": (
        f"{TOOL}\nimport os\n\ndef run(args, context):\n    context.open(args.image_url)\n"
        "    return FaultyResult(value=int.from_bytes(os.urandom(4)))\n\n"
        "@hookimpl\ndef promptvision_tools():\n    return [offer('unseeded', run)]",
        "equal calls differ",
    ),
    "logging_changed": (
        f"{TOOL}\nimport logging\n\ndef run(args, context):\n    context.open(args.image_url)\n"
        "    logging.disable(logging.INFO)\n    return FaultyResult()\n\n"
        "@hookimpl\ndef promptvision_tools():\n    return [offer('logging_changed', run)]",
        "the call changes logging.disable",
    ),
    "no_module": (
        f"{TOOL}\n@hookimpl\ndef promptvision_tools():\n    return offer('no_module', 'a.b:c')",
        "it returned Tool",
    ),
}
"""Name to the plugin's module and what the check must say."""


def add_package(site: Path, distribution: str, name: str, init: str) -> None:
    """Lay out an installed distribution with a package of its own."""
    package = distribution.replace("-", "_")
    (site / package).mkdir(parents=True)
    (site / package / "__init__.py").write_text(init)
    (site / package / "plugin.py").write_text("PLUGIN_API = 1\n")
    info = site / f"{package}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[promptvision]\n{name} = {package}.plugin\n")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """The program with all of the faulty plugins, and one that loops when it is imported."""
    folder = tmp_path_factory.mktemp("faults")
    for name, (source, _) in FAULTS.items():
        write_plugin(folder / "site", name, source)
    add_package(folder / "site", "promptvision-heavy-init", "heavy_init", "import numpy\n")
    return Program(folder / "home", path=[folder / "site"])


@pytest.mark.parametrize("name", FAULTS)
def test_check_names_the_fault(program: Program, name: str) -> None:
    ended = program.run("plugin", "check", name, "--json", timeout_s=300)
    assert ended.code == 1
    failed = [one["seen"] for one in json.loads(ended.out)["findings"] if one["state"] == "fail"]
    assert any(FAULTS[name][1] in seen for seen in failed), failed


def test_check_names_the_heavy_package(program: Program) -> None:
    ended = program.run("plugin", "check", "heavy_init", "--json", timeout_s=300)
    failed = [one["seen"] for one in json.loads(ended.out)["findings"] if one["state"] == "fail"]
    assert any("promptvision_heavy_init/__init__.py imports numpy" in seen for seen in failed), failed


def test_tool_with_a_taken_name_is_reached_by_its_plugin_or_preferred(
    program: Program, tmp_path: Path
) -> None:
    """The first owner keeps the name, whatever else is installed, until the settings say otherwise."""
    Image.new("RGB", (8, 8), "red").save(photo := tmp_path / "photo.png")
    plugins = {one["name"]: one for one in json.loads(program.run("plugins", "--json").out)["plugins"]}
    assert (plugins["bw"]["state"], plugins["bw"]["tools"]) == ("loaded", ["bw"])
    assert plugins["clash"]["state"] == "loaded"
    (shadowed,) = plugins["clash"]["shadowed"]
    assert "set PROMPTVISION_PREFER to bw:bw or to clash:bw" in shadowed["reason"]
    assert shadowed["reason"] in " ".join(program.run("tools").out.split())
    for name in ("bw:bw", "clash:bw"):
        ended = program.run("tools", "run", name, "-i", photo, "--json", timeout_s=120)
        assert ended.code == 0, ended.err
        assert [f"{step['plugin']}:{step['tool']}" for step in json.loads(ended.out)["steps"]] == [name]
    program.environment["PROMPTVISION_PREFER"] = "clash:bw"
    try:
        listed = json.loads(program.run("plugins", "--json").out)["plugins"]
    finally:
        del program.environment["PROMPTVISION_PREFER"]
    owners = {one["name"]: (one["tools"], len(one["shadowed"])) for one in listed}
    assert (owners["bw"], owners["clash"]) == (([], 1), (["bw"], 0))


def test_second_owner_of_an_entry_point_name_is_named(tmp_path: Path) -> None:
    add_package(tmp_path / "site", "promptvision-other-bw", "bw", "")
    program = Program(tmp_path / "home", path=[tmp_path / "site"])
    plugins = json.loads(program.run("plugins", "--json").out)["plugins"]
    (other,) = [one for one in plugins if one["distribution"] == "promptvision-other-bw"]
    assert other["state"] == "duplicate"
    assert "'bw' is taken by promptvision-bw" in other["cause"]


def test_plugin_that_loops_at_import_is_skipped_after_a_timeout(tmp_path: Path) -> None:
    write_plugin(tmp_path / "site", "loops", "while True:\n    pass")
    program = Program(tmp_path / "home", path=[tmp_path / "site"])
    ended = program.run("plugins", "--json", timeout_s=120)
    (loops,) = [one for one in json.loads(ended.out)["plugins"] if one["name"] == "loops"]
    assert loops["state"] == "failed"
    assert "promptvision-loops" in ended.err


def test_faulty_plugins_do_not_affect_the_others(program: Program, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8), "red").save(tmp_path / "photo.png")
    ended = program.run("run", tmp_path / "photo.png", "make it black and white", "--json", timeout_s=120)
    assert ended.code == 0, ended.err
    assert [step["tool"] for step in json.loads(ended.out)["steps"]] == ["bw"]
