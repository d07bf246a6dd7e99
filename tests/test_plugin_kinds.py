"""Every kind of plugin that ``promptvision plugin new`` writes: installed alone, checked, typed, and used.

One environment holds the core, its test kit and what the seven kinds need; each project is installed from its
wheel.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from promptvision.testing import Program
from promptvision.testing.environments import Environments
from promptvision.testing.llm_server import LLMServer

ROOT = Path(__file__).parents[1]
KINDS = ("function", "tool", "model", "provider", "image-store", "conversation-store", "executor")
NEEDS = (
    "promptvision[testing]",
    *("hatchling", "openai", "safetensors", "torchvision", "transformers"),
)
"""What the generated projects ask for, and the build backend, so that nothing is downloaded."""

TINY_VIT = """
import sys, torch
from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor
labels = {0: "cat", 1: "dog", 2: "lion"}
sizes = dict(hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2)
ids = {name: number for number, name in labels.items()}
config = ViTConfig(image_size=32, patch_size=8, id2label=labels, label2id=ids, **sizes)
ViTForImageClassification(config).save_pretrained(sys.argv[1])
ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(sys.argv[1])
"""


def name_of(kind: str) -> str:
    return f"my_{kind.replace('-', '_')}"


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Kind to its generated project."""
    folder = tmp_path_factory.mktemp("projects")
    program = Program(folder / "home")
    for kind in KINDS:
        made = program.run("plugin", "new", name_of(kind), "--kind", kind, "--into", folder)
        assert made.code == 0, made.err
    return {kind: folder / f"promptvision-my-{kind}" for kind in KINDS}


@pytest.fixture(scope="module")
def python(environments: Environments, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment without any plugin."""
    folder = tmp_path_factory.mktemp("kinds")
    python = environments.make(folder / "venv", environments.build(folder, ROOT / "core"), *NEEDS)
    environments.seed_bytecode(python, folder / "bytecode")
    return python


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(python: Path, tmp_path: Path) -> Run:
    """Runs a program of the environment in a separate home."""

    def start(*command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": f"{python.parent}:{Path(shutil.which('uv') or '').parent}:/usr/bin:/bin",
            "HOME": str(tmp_path),
            "PROMPTVISION_HOME": str(tmp_path / "home"),
            "PROMPTVISION_STRICT_PLUGINS": "1",
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
            "PYTHONPYCACHEPREFIX": str(python.parents[2] / "bytecode"),
            **variables,
        }
        words = [str(python.parent / command[0]), *map(str, command[1:])]
        return subprocess.run(
            words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600, check=False
        )

    return start


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    Image.linear_gradient("L").convert("RGB").save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_projects_are_formatted_and_without_lint(projects: Mapping[str, Path]) -> None:
    for project in projects.values():
        for command in (("check",), ("format", "--check")):
            done = subprocess.run(
                [sys.executable, "-m", "ruff", *command, "--no-cache", "."],
                cwd=project,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout


def test_longest_name_gives_formatted_files_too(tmp_path: Path) -> None:
    for kind in KINDS:
        name = f"{kind.replace('-', '_')}_{'x' * 40}"[:31]
        Program(tmp_path / "home").run("plugin", "new", name, "--kind", kind, "--into", tmp_path)
    command = [sys.executable, "-m", "ruff", "format", "--check", "--no-cache", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert len([*tmp_path.glob("promptvision-*")]) == len(KINDS)


def test_projects_are_typed(projects: Mapping[str, Path], tmp_path: Path) -> None:
    folders = [str(project / part) for project in projects.values() for part in ("src", "tests")]
    settings = "[mypy]\nstrict = true\n[mypy-torch.*,transformers.*]\nfollow_imports = skip\n"  # minutes
    (tmp_path / "mypy.ini").write_text(settings)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path / "cache"), *folders],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "MYPYPATH": ":".join(folders[::2])},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_wheel_passes_the_check(projects: Mapping[str, Path], run: Run, kind: str) -> None:
    done = run("promptvision", "plugin", "check", projects[kind], "--json")
    findings: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
    assert done.returncode == 0, [one for one in findings if one["state"] == "fail"]
    assert [one for one in findings if one["state"] != "ok" and "model" not in one["seen"]] == []
    own = next(one for one in findings if one["check"] == "own tests")
    assert "tests passed" in own["seen"]


@pytest.fixture
def installed(
    projects: Mapping[str, Path], environments: Environments, python: Path, tmp_path: Path
) -> Callable[[str], None]:
    """Installs the wheel of a kind's project into the environment."""

    def install(kind: str) -> None:
        (wheel,) = environments.build(tmp_path / f"wheel-{kind}", projects[kind]).values()
        environments.uv("pip", "install", "--no-deps", "--reinstall", "--python", python, wheel)

    return install


def test_agent_uses_the_tools(
    run: Run, installed: Callable[[str], None], photo: Path, tmp_path: Path
) -> None:
    for kind in ("function", "tool", "model"):
        installed(kind)
    made = run("python", "-c", TINY_VIT, tmp_path / "vit")
    assert made.returncode == 0, made.stderr
    variables = {"PROMPTVISION_MODEL_MY_MODEL_VIT": str(tmp_path / "vit")}
    words = "apply my_function to it, then make it black and white, then classify it"
    done = run("promptvision", "run", photo, words, "--json", **variables)
    assert done.returncode == 0, done.stderr
    steps = json.loads(done.stdout)["steps"]
    assert [(step["tool"], step["status"]) for step in steps] == [
        ("my_function", "done"),
        ("my_tool", "done"),
        ("my_model", "done"),
    ]


def test_agent_asks_the_provider(run: Run, installed: Callable[[str], None], photo: Path) -> None:
    installed("provider")
    with LLMServer() as server:
        server.reset(["It is a gradient."])
        done = run(
            *("promptvision", "run", photo, "what is this?", "--json"),
            MY_PROVIDER_BASE_URL=server.url + "/v1",
            MY_PROVIDER_API_KEY="secret",
            PROMPTVISION_MY_PROVIDER_MODEL="some-model",
        )
    assert done.returncode == 0, done.stderr
    reply = json.loads(done.stdout)
    assert (reply["planner"], reply["text_response"]) == ("my_provider", "It is a gradient.")


def test_agent_uses_the_stores_and_the_executor(
    run: Run, installed: Callable[[str], None], photo: Path, tmp_path: Path
) -> None:
    for kind in ("tool", "image-store", "conversation-store", "executor"):
        installed(kind)
    variables = {
        "PROMPTVISION_IMAGES": f"my-image-store:{tmp_path / 'images.db'}",
        "PROMPTVISION_CONVERSATIONS": f"my-conversation-store:{tmp_path / 'conversations.json'}",
        "PROMPTVISION_EXECUTOR": "my_executor",
    }
    words = ("promptvision", "run", photo, "make it black and white", "-c", "one", "--json")
    assert run(*words, **variables).returncode == 0
    done = run("promptvision", "history", "show", "one", "--json", **variables)
    assert done.returncode == 0, done.stderr
    assert "make it black and white" in done.stdout
    assert (tmp_path / "images.db").stat().st_size > 0
    kept = json.loads((tmp_path / "conversations.json").read_text())
    assert [one["id"] for one in kept["conversations"]] == ["one"]
