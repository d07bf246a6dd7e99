"""``server.json``, with which the server is published, agrees with the distribution."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_names_and_versions_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    manifest = json.loads((ROOT / "server.json").read_text("utf-8"))
    (package,) = manifest["packages"]
    assert manifest["version"] == package["version"] == project["version"]
    assert package["identifier"] == project["name"]
    assert project["name"] in project["scripts"]
    assert f"mcp-name: {manifest['name']}" in (ROOT / "README.md").read_text("utf-8")
    assert len(manifest["description"]) <= 100
