"""Each plugin and backend alone: its wheel and the core's in an empty environment.

What the two declare is installed from uv's cache, in the versions of this environment. ``uv`` judges whether
that is all; then every module is imported, every import inside of functions is looked up, ``promptvision``
says what is missing, and a tool runs.
"""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from PIL import Image, ImageDraw

from promptvision.testing.environments import Environments

ROOT = Path(__file__).parents[1]
MEMBERS = sorted(str(file.parent.relative_to(ROOT)) for file in ROOT.glob("[pb]*s/*/pyproject.toml"))

IMPORT_ALL_AND_RUN = """
import importlib, json, pkgutil, sys
from importlib.util import find_spec
package, optional, wanted, report, *command = sys.argv[1:]
absent = [name for name in wanted.split(",") if name not in optional.split(",") and find_spec(name) is None]
for found in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
    try:
        importlib.import_module(found.name)
    except ModuleNotFoundError as exc:
        if exc.name not in optional.split(","):
            absent.append(f"{exc.name}, wanted by {found.name}")
with open(report, "w") as file:
    json.dump(absent, file)
if command:
    from promptvision.cli.main import main
    sys.argv = ["promptvision", *command]
    main()
"""
"""In one process, because importing torch from a fresh environment takes seconds."""

EXPECTED = {
    "plugins/basics": [],
    "plugins/bw": [],
    "plugins/cutout": ["promptvision models pull birefnet-lite"],
    "plugins/erase": ["promptvision models pull migan-512"],
    "plugins/openai_images": ["PROMPTVISION_OPENAI_IMAGES_KEY", "costs money"],
    "plugins/opencv": [],
    "plugins/rapidocr": [],
    "plugins/upscale": ["promptvision models pull swin2sr-x2"],
    "plugins/vqa": ["promptvision models pull smolvlm-256m"],
    "plugins/tesseract": ["apt-get install tesseract-ocr"],
    "plugins/grounding_dino": ["promptvision models pull grounding-dino-"],
    "plugins/sam": ["promptvision models pull sam2.1-"],
    "plugins/sd_inpaint": ["promptvision models pull sd15-inpaint"],
    "plugins/sdxl_inpaint": [
        f"promptvision models pull sdxl-{name}"
        for name in ("inpaint", "text-encoder", "text-encoder-2", "vae")
    ],
    "plugins/florence": ["promptvision models pull florence-2-", "set FLORENCE_API_URL"],
    "backends/groq": ["set GROQ_API_KEY"],
    "backends/openai": ["OPENAI_API_KEY is not set; set it"],
    "backends/transformers_llm": ["promptvision models pull qwen3-0.6b"],
    "backends/cloudinary": ["CLOUDINARY_NAME", "CLOUDINARY_API_KEY", "CLOUDINARY_API_SECRET"],
    "backends/supabase": ["SUPABASE_URL", "SUPABASE_KEY"],
    "backends/s3": [],
    "backends/ray": [],
    "backends/telemetry": [],
}
"""What ``promptvision doctor`` must report with only the two wheels."""

EXEMPT = {
    "core": {
        "pydantic_core",  # part of pydantic, which pins it
        "skimage",  # the demo takes a photograph from it if it is installed
        "torch",  # only used if a plugin has loaded it
    }
}
"""Imports that need not be declared."""

CHOSEN = {
    "backends/cloudinary": {"PROMPTVISION_IMAGES": "cloudinary:"},
    "backends/supabase": {"PROMPTVISION_CONVERSATIONS": "supabase:"},
}
"""Settings that choose a backend without its required settings."""

RUNS = {
    "plugins/basics": ("rotate_image", "-a", "degrees=90"),
    "plugins/bw": ("convert_to_bw",),
    "plugins/cutout": ("remove_background",),
    "plugins/erase": ("inpaint_image", "-a", "mask_url=mask.png"),
    "plugins/opencv": ("detect_objects", "-a", "prompt=red"),
    "plugins/rapidocr": ("extract_text",),
    "plugins/tesseract": ("extract_text",),
    "plugins/upscale": ("upscale_image",),
    "plugins/vqa": ("ask_image", "-a", "question=what is it?"),
    "plugins/grounding_dino": ("detect_objects", "-a", "prompt=lion"),
    "plugins/sam": ("segment_objects", "-a", "bounding_boxes=[[20,20,60,60]]"),
    "plugins/sd_inpaint": ("inpaint_image", "-a", "mask_url=mask.png", "-a", "prompt=cat", "-a", "steps=2"),
    "plugins/sdxl_inpaint": ("inpaint_image", "-a", "mask_url=mask.png", "-a", "prompt=cat", "-a", "steps=2"),
    "plugins/florence": ("caption_image", "-a", "detail=brief"),
}
"""A call of each plugin's first tool."""


# What is declared


def _imports(folder: Path) -> set[str]:
    """Top-level names of all imports below a folder, those inside of functions included."""
    names: set[str] = set()
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names.update(alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    return {name for name in names if name not in sys.stdlib_module_names}


def _project(member: str) -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((ROOT / member / "pyproject.toml").read_text("utf-8"))["project"]
    return project


def _names(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(text).name) for text in requirements}


_providers = cache(packages_distributions)  # reads the metadata of all that is installed


def _optional(member: str) -> set[str]:
    """Modules that come with an extra."""
    extras = _project(member).get("optional-dependencies", {}).values()
    wanted = {name for requirements in extras for name in _names(requirements)}
    return {
        module
        for module, dists in _providers().items()
        if wanted & {canonicalize_name(dist) for dist in dists}
    }


@pytest.mark.parametrize("member", ["core", *MEMBERS])
def test_every_import_is_of_a_declared_dependency(member: str) -> None:
    project = _project(member)
    extras = project.get("optional-dependencies", {}).values()
    declared = _names(project["dependencies"]).union(*map(_names, extras))
    providers = _providers()
    undeclared = {
        name
        for name in _imports(ROOT / member / "src")
        if not name.startswith("promptvision")
        and not {canonicalize_name(dist) for dist in providers.get(name, [name])} & declared
    }
    assert undeclared - EXEMPT.get(member, set()) == set()


# Behaviour


@pytest.fixture(scope="session")
def wheels(environments: Environments, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Distribution name to its wheel, for the core and every member."""
    folder = tmp_path_factory.mktemp("wheels")
    return environments.build(folder, *(ROOT / member for member in ("core", *MEMBERS)))


@dataclass(frozen=True)
class Alone:
    """An environment with one member in it."""

    member: str
    folder: Path

    @property
    def name(self) -> str:
        """Its entry-point name."""
        return Path(self.member).name

    @property
    def package(self) -> str:
        """Its import package."""
        return next((ROOT / self.member / "src").glob("promptvision_*")).name

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, in a separate folder."""
        programs = self.folder / "venv" / "bin"
        environment = {
            "PATH": str(programs),
            "HOME": str(self.folder / "home"),
            "PROMPTVISION_HOME": str(self.folder / "home"),
            "PYTHONPYCACHEPREFIX": str(self.folder / "bytecode"),  # shared by all installed programs
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
            **variables,
        }
        return subprocess.run(
            [programs / command[0], *command[1:]],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )


@pytest.fixture(scope="module", params=MEMBERS)
def alone(
    request: pytest.FixtureRequest,
    environments: Environments,
    wheels: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Alone]:
    """Each member in turn, in an empty environment at a fixed path."""
    folder = tmp_path_factory.getbasetemp() / "alone"
    is_first = not folder.exists()
    folder.mkdir(exist_ok=True)
    python = environments.make(folder / "venv", wheels, "promptvision", _project(request.param)["name"])
    if is_first:
        environments.seed_bytecode(python, folder / "bytecode")
    yield Alone(request.param, folder)
    shutil.rmtree(folder / "venv")


def test_doctor_names_missing_requirements_with_commands(alone: Alone) -> None:
    chosen = CHOSEN.get(alone.member, {})
    offline = [] if chosen else ["--offline"]  # without an account no host can be asked
    done = alone.run("promptvision", "doctor", "--json", *offline, **chosen)
    assert done.returncode == (1 if chosen else 0), done.stderr
    findings = json.loads(done.stdout)["findings"]
    (plugin,) = [one for one in findings if one["check"] == f"plugin {alone.name}"]
    assert plugin["state"] == "ok", plugin
    said = " ".join(f"{one['seen']}; {one['fix']}" for one in findings)
    assert [expected for expected in EXPECTED[alone.member] if expected not in said] == [], said
    broken = [one["check"] for one in findings if one["state"] == "fail"]
    assert len(broken) == (1 if chosen else 0), findings


def test_tools_says_what_is_missing_for_each(alone: Alone) -> None:
    done = alone.run("promptvision", "tools", "--json")
    assert done.returncode == 0, done.stderr
    operations = json.loads(done.stdout)["operations"]
    tools = [tool for one in operations for tool in one["tools"] if tool["plugin"] == alone.name]
    assert bool(tools) == alone.member.startswith("plugins/")
    for tool in tools:
        assert tool["available"] is not bool(tool["missing"])
        assert all(part["what"] and part["fix"] for part in tool["missing"])


def test_every_import_is_installed_and_its_tool_runs(
    alone: Alone, tiny_models: dict[str, dict[str, str]]
) -> None:
    variables = dict(tiny_models.get(alone.name, {}))
    if alone.name == "tesseract":
        if (program := shutil.which("tesseract")) is None:
            pytest.skip("Tesseract is not installed")
        variables["PATH"] = str(Path(program).parent)
    _draw(alone.folder)
    report = alone.folder / "absent.json"
    imports = [
        ",".join(_optional(alone.member)),
        ",".join(_imports(ROOT / alone.member / "src")),
        str(report),
    ]
    call = RUNS.get(alone.member, ())
    command = ["tools", "run", call[0], "-i", "in.png", "--json", *call[1:]] if call else []
    done = alone.run("python", "-c", IMPORT_ALL_AND_RUN, alone.package, *imports, *command, **variables)
    assert done.returncode == 0, done.stderr
    assert json.loads(report.read_text()) == []
    if call:
        (step,) = json.loads(done.stdout)["steps"]
        assert (step["plugin"], step["status"]) == (alone.name, "done")


def _draw(folder: Path) -> None:
    image = Image.effect_noise((96, 80), 60).convert("RGB")
    ImageDraw.Draw(image).ellipse((25, 25, 55, 55), fill="red")
    image.save(folder / "in.png")
    mask = Image.new("L", image.size, 0)
    ImageDraw.Draw(mask).rectangle((20, 20, 60, 60), fill=255)
    mask.save(folder / "mask.png")
