"""Modules that imports load, checked in new interpreters."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import promptvision

HEAVY = (
    *("torch", "torchvision", "transformers", "diffusers", "ultralytics", "cv2", "skimage", "scipy", "numpy"),
    *(
        "openai",
        "groq",
        "sqlalchemy",
        "alembic",
        "starlette",
        "uvicorn",
        "httpx",
        "cloudinary",
        "obstore",
        "ray",
    ),
)
PLUGINS = sorted(
    str(path.relative_to(root).with_suffix("")).replace("/", ".")
    for root in [Path(promptvision.__file__).parents[1]]
    for path in root.rglob("plugin.py")
    if path.parent.name not in ("cli", "promptvision")
)


def run(code: str) -> Any:
    script = f"import json, sys\n{code}\nprint(json.dumps(answer))"
    made = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    return json.loads(made.stdout)


def heavy_after(code: str) -> list[str]:
    return list(run(f"{code}\nanswer = [name for name in {HEAVY} if name in sys.modules]"))


def test_package_imports_next_to_nothing() -> None:
    loaded = run(
        "before = set(sys.modules)\nimport promptvision\n"
        "answer = sorted(name for name in set(sys.modules) - before if name.startswith('promptvision.'))"
    )
    assert loaded == []


@pytest.mark.parametrize("module", PLUGINS)
def test_plugin_module_imports_nothing_heavy(module: str) -> None:
    assert heavy_after(f"import {module}") == []


def test_there_is_a_plugin_module_to_judge() -> None:
    assert PLUGINS == ["promptvision.builtin.plugin"]


@pytest.mark.parametrize(
    "module", ["promptvision.agent.agent", "promptvision.cli.main", "promptvision.testing.agents"]
)
def test_what_is_made_of_it_imports_nothing_heavy_either(module: str) -> None:
    assert heavy_after(f"import {module}") == []


def test_every_public_name_costs_nothing_heavy() -> None:
    assert (
        heavy_after("import promptvision\nfor name in promptvision.__all__: getattr(promptvision, name)")
        == []
    )


def test_public_names_are_sorted_and_each_can_be_imported() -> None:
    names = promptvision.__all__
    assert names == sorted(names) == dir(promptvision)
    assert all(getattr(promptvision, name) is not None for name in names)
    source = Path(promptvision.__file__).read_text("utf-8")
    unseen = [name for name in names if f"import {name} as {name}\n" not in source]
    assert unseen == ["__version__"], "type checkers must see every lazy name"


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'promptvision' has no attribute 'agnet'"):
        promptvision.agnet  # noqa: B018


@pytest.mark.parametrize("module", ["promptvision", "promptvision.plugin"])
def test_old_name_still_works_with_a_warning_at_its_use(module: str) -> None:
    namespace: dict[str, object] = {}
    with pytest.warns(DeprecationWarning, match=f"{module}.PictureText is now {module}.ImageText") as caught:
        exec(f"from {module} import PictureText", namespace)
    assert namespace["PictureText"] is promptvision.ImageText
    assert {warning.filename for warning in caught} == {"<string>"}
    assert "PictureText" not in import_module(module).__all__


def test_public_names_come_from_where_their_home_says() -> None:
    from promptvision.agent.agent import Agent

    assert promptvision.Agent is Agent
