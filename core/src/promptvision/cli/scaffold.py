"""Write a plugin's distribution from the files in ``promptvision/template``."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import entry_points
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from string import Template

from promptvision.errors import InputError
from promptvision.plugins.first_party import FIRST_PARTY
from promptvision.tools import operations

__all__ = ["KINDS", "Kind", "check_name", "write_project"]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")

COMMON = {
    "LICENSE.in": "LICENSE",
    "README.md.in": "README.md",
    "ci.yml.in": ".github/workflows/ci.yml",
    "gitignore.in": ".gitignore",
    "init.py.in": "src/promptvision_{name}/__init__.py",
    "pyproject.toml.in": "pyproject.toml",
    "release.yml.in": ".github/workflows/release.yml",
}
"""Files in ``template/common`` to their places in the distribution."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of plugin that can be generated.

    Args:
        summary: the distribution's description; ``$name`` is the plugin's name.
        modules: names of the files in the kind's folder of the template, without ``.py.in``.
        usage: a command that uses the plugin.
        dependencies, dev_dependencies: requirements beside those that all kinds have.
    """

    summary: str
    modules: tuple[str, ...]
    usage: str
    dependencies: tuple[str, ...] = ()
    dev_dependencies: tuple[str, ...] = ()


KINDS: Mapping[str, Kind] = {
    "function": Kind(
        summary="The tool '$name' for promptvision",
        modules=("plugin",),
        usage='promptvision run photo.jpg "apply $name to it" -o out.png',
        dependencies=("pillow>=13",),
    ),
    "tool": Kind(
        summary="The tool '$name' of the operation convert_to_bw for promptvision",
        modules=("plugin", "convert"),
        usage='promptvision run photo.jpg "make it black and white" -o out.png',
        dependencies=("pillow>=13", "pydantic>=2.11"),
    ),
    "model": Kind(
        summary="The tool '$name' for promptvision, a neural network that classifies images",
        modules=("plugin", "load", "classify"),
        usage='promptvision models pull $model_id && promptvision run photo.jpg "classify it"',
        dependencies=("pydantic>=2.11", "torch>=2.6", "torchvision", "transformers>=5"),
        dev_dependencies=("safetensors",),
    ),
    "provider": Kind(
        summary="The LLM provider '$name' for promptvision",
        modules=("plugin", "provider"),
        usage="PROMPTVISION_PLANNER=$name ${variable}_API_KEY=... promptvision chat",
        dependencies=("httpx2", "openai>=2", "pydantic>=2.11"),
    ),
    "image-store": Kind(
        summary="The image store '$name' for promptvision",
        modules=("plugin", "store"),
        usage="PROMPTVISION_IMAGES=$scheme:/var/lib/images.db promptvision serve",
    ),
    "conversation-store": Kind(
        summary="The conversation store '$name' for promptvision",
        modules=("plugin", "store"),
        usage="PROMPTVISION_CONVERSATIONS=$scheme:/var/lib/conversations.json promptvision serve",
    ),
    "executor": Kind(
        summary="The executor '$name' for promptvision",
        modules=("plugin", "executor"),
        usage="PROMPTVISION_EXECUTOR=$name promptvision serve",
    ),
}
"""What ``promptvision plugin new --kind`` offers."""


def check_name(name: str) -> None:
    """Raise InputError if a plugin cannot have a name, or another plugin or the public API has it."""
    fix = "choose another name"
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise InputError(
            f"plugin name {name!r} is not valid",
            hint="use lower-case letters, digits and '_', beginning with a letter, and not a Python keyword",
        )
    if f"promptvision-{name.replace('_', '-')}" in FIRST_PARTY or name == "promptvision":
        raise InputError(f"plugin name {name!r} belongs to promptvision itself", hint=fix)
    public = import_module("promptvision.plugin").__all__  # which imports this package
    if name in public or name in {operation.name for operation in operations.ALL}:
        raise InputError(f"{name!r} is a name of promptvision's plugin API", hint=fix)
    for point in entry_points(group="promptvision"):
        if point.name == name:
            owner = point.dist.name if point.dist else "another distribution"
            raise InputError(f"plugin name {name!r} is taken by {owner}", hint=fix)
    if find_spec(f"promptvision_{name}") is not None:
        raise InputError(f"the module promptvision_{name} exists already", hint=fix)


def write_project(folder: Path, name: str, kind: str) -> None:
    """Write a distribution that works without changes.

    Args:
        folder: does not exist yet; its name is that of the distribution.
        name: of the plugin; see :func:`check_name`.
        kind: a key of :data:`KINDS`.

    Raises:
        OSError: a file cannot be written.
    """
    chosen = KINDS[kind]
    values = _values(folder.name, name, chosen)
    for source, target in COMMON.items():
        _write(folder / target.format(name=name), f"common/{source}", values)
    source_folder = kind.replace("-", "_")
    package = folder / "src" / f"promptvision_{name}"
    for module in chosen.modules:
        _write(package / f"{module}.py", f"{source_folder}/{module}.py.in", values)
    _write(folder / "tests" / f"test_{name}.py", f"{source_folder}/test.py.in", values)
    (package / "py.typed").touch()


def _values(dist: str, name: str, kind: Kind) -> dict[str, str]:
    words = {
        "name": name,
        "dist": dist,
        "class_name": "".join(part.capitalize() for part in name.split("_")),
        "variable": name.upper(),
        "scheme": name.replace("_", "-"),
        "model_id": f"{name.replace('_', '-')}-vit",
        "model_variable": f"{name.upper()}_VIT",
        "year": str(datetime.now(UTC).year),
    }
    dependencies = sorted((*kind.dependencies, "promptvision>=0.1,<1"))
    dev = sorted((*kind.dev_dependencies, "mypy", "promptvision[testing]", "ruff"))
    return {
        **words,
        "summary": Template(kind.summary).substitute(words),
        "usage": Template(kind.usage).substitute(words),
        "dependencies": ", ".join(f'"{one}"' for one in dependencies),
        "dev_dependencies": ", ".join(f'"{one}"' for one in dev),
    }


def _write(path: Path, source: str, values: Mapping[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = files("promptvision").joinpath("template", *source.split("/")).read_text("utf-8")
    path.write_text(Template(text).substitute(values), "utf-8")
