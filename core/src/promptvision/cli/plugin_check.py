"""``promptvision plugin check``: whether a plugin is ready to be published."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PathDistribution, entry_points
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import click

from promptvision.cli.findings import show_findings
from promptvision.cli.output import say
from promptvision.errors import InputError, SetupError
from promptvision.plugins.discovery import GROUP
from promptvision.plugins.heavy_modules import HEAVY_MODULES
from promptvision.plugins.inspection import Inspection
from promptvision.plugins.specs import Finding

__all__ = ["check"]

WIDTHS = (5, 22)
LOAD_TIMEOUT_S = 60
TESTS_TIMEOUT_S = 900
MAX_IMPORT_CPU_S = 0.5
MAX_WHEEL_BYTES = 2**28

TRIAL = """
import json, sys, time
from importlib.metadata import entry_points
import promptvision.plugin
from promptvision.plugins.registry import Registry
from promptvision.settings import Settings
name, heavy, report = sys.argv[1], sys.argv[2].split(","), sys.argv[3]
(point,) = [point for point in entry_points(group="promptvision") if point.name == name][:1]
known, began = set(sys.modules), time.process_time()
raised = ""
try:
    point.load()
except BaseException as exc:
    raised = f"{type(exc).__name__}: {exc}"
used = time.process_time() - began
found = {"cpu_s": used, "heavy": [one for one in heavy if one in sys.modules and one not in known]}
if not raised:
    registry = Registry.load(Settings.from_mapping({}))
    plugin = next(plugin for plugin in registry.plugins if plugin.name == name)
    offers = {hook: len(made) for hook, made in plugin.offers.items() if made}
    found |= {"state": str(plugin.state), "cause": plugin.cause, "offers": offers}
    found["shadowed"] = [one.reason for one in registry.shadowed.values() if one.tool.plugin == name]
with open(report, "w") as file:
    json.dump(found | {"raised": raised}, file)
"""
"""Loads a plugin in a process of its own, and writes down what happened."""


@click.command()
@click.argument("target", default=".")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def check(target: str, as_json: bool) -> int:
    """Check the plugin TARGET: a project folder, a wheel, or the name of an installed plugin.

    It reads the wheel, imports the plugin in a process of its own, runs the contract tests of everything that
    it offers, and a project's own tests. Exit 1 if a check fails.
    """
    if find_spec("pytest") is None or find_spec("hypothesis") is None:
        raise SetupError("plugin check needs pytest", hint='pip install "promptvision[testing]"')
    with tempfile.TemporaryDirectory(prefix="promptvision-check-") as work:
        findings = _find(_subject(target, Path(work)), Path(work))
        found = show_findings(findings, WIDTHS, as_json=as_json)
    failed = sum(finding.state == "fail" for finding in found)
    say(f"{failed} of {len(found)} checks failed" if failed else "ready to be published")
    return 1 if failed else 0


@dataclass(frozen=True)
class _Subject:
    """What is checked.

    Args:
        inspection: of its distribution.
        site: folder to import it from; None if it is installed.
        project: its project folder, if there is one.
    """

    inspection: Inspection
    site: Path | None = None
    project: Path | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The environment of processes that import it."""
        paths = [str(self.site)] if self.site else []
        if known := os.environ.get("PYTHONPATH"):
            paths.append(known)
        return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PROMPTVISION_STRICT_PLUGINS": "0"}


def _subject(target: str, work: Path) -> _Subject:
    path = Path(target)
    if (path / "pyproject.toml").is_file():
        return _unpacked(_build(path, work), work, project=path)
    if path.suffix == ".whl" and path.is_file():
        return _unpacked(path, work)
    for point in entry_points(group=GROUP, name=target):
        if point.dist is not None:
            return _Subject(Inspection(point.dist, _packages(point.module)))
    raise InputError(
        f"{target!r} is neither a project folder, nor a wheel, nor an installed plugin",
        hint="name a folder with a pyproject.toml, or a plugin that `promptvision plugins` lists",
    )


def _build(folder: Path, work: Path) -> Path:
    """Build the wheel, with the build backend of this environment if it is here."""
    backend = tomllib.loads((folder / "pyproject.toml").read_text("utf-8")).get("build-system", {})
    module = str(backend.get("build-backend", "setuptools")).partition(".")[0]
    is_here = find_spec(module) is not None
    if uv := shutil.which("uv"):
        command = [uv, "build", "--quiet", "--wheel", "--no-config", "--python", sys.executable, "--out-dir"]
    else:
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir"]
    command += [str(work / "dist"), *["--no-build-isolation"] * is_here, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TESTS_TIMEOUT_S, check=False)
    wheels = sorted((work / "dist").glob("*.whl")) if done.returncode == 0 else []
    if not wheels:
        raise InputError(f"{folder}: the wheel cannot be built: {_last_line(done.stderr + done.stdout)}")
    return wheels[0]


def _unpacked(wheel: Path, work: Path, project: Path | None = None) -> _Subject:
    site = work / "site"
    try:
        with zipfile.ZipFile(wheel) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_WHEEL_BYTES:
                raise InputError(f"{wheel}: it unpacks to more than {MAX_WHEEL_BYTES >> 20} MiB")
            archive.extractall(site)
    except zipfile.BadZipFile as exc:
        raise InputError(f"{wheel} is not a wheel: {exc}") from exc
    folders = list(site.glob("*.dist-info"))
    if len(folders) != 1:
        raise InputError(f"{wheel} is not a wheel: it has no single .dist-info folder")
    packages = tuple(sorted([*(file.parent for file in site.glob("*/__init__.py")), *site.glob("*.py")]))
    return _Subject(Inspection(PathDistribution(folders[0]), packages), site, project)


def _packages(module: str) -> tuple[Path, ...]:
    """The folders of the import package that a module is in, or the file of a module that is in none."""
    spec = find_spec(module.partition(".")[0])
    if spec is None:
        return ()
    places = spec.submodule_search_locations or [spec.origin or ""]
    return tuple(Path(place) for place in places if place)


def _find(subject: _Subject, work: Path) -> Iterator[Finding]:
    yield from subject.inspection.findings()
    for point in subject.inspection.points:
        loaded = list(_load(subject, point.name, work))
        yield from loaded
        if all(finding.state != "fail" for finding in loaded):
            yield from _run_contracts(subject, point.name, work)
    if subject.project is not None:
        yield _run_own_tests(subject, subject.project, work)


def _load(subject: _Subject, name: str, work: Path) -> Iterator[Finding]:
    report = work / "load.json"
    command = [sys.executable, "-c", TRIAL, name, ",".join(HEAVY_MODULES), str(report)]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            env=subject.environment,
            cwd=work,
            timeout=LOAD_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        seen = f"it does not end within {LOAD_TIMEOUT_S} s"
        yield Finding("import", "fail", seen, "do nothing at import but define things")
        return
    if not report.exists():
        yield Finding("import", "fail", f"the process ended: {_last_line(done.stderr)}")
        return
    found = json.loads(report.read_text("utf-8"))
    if found["raised"]:
        yield Finding("import", "fail", found["raised"], "see `promptvision plugins --details`")
        return
    if done.stdout.strip():
        seen = f"it prints on stdout: {done.stdout.strip()[:80]!r}"
        yield Finding("import", "fail", seen, "stdout holds the data of --json; use logging")
    if found["heavy"]:
        seen = f"it imports {', '.join(found['heavy'])}"
        yield Finding("import", "fail", seen, "import them in the module that `run` names")
    elif found["cpu_s"] > MAX_IMPORT_CPU_S:
        seen = f"it takes {found['cpu_s']:.1f} s of CPU time"
        yield Finding("import", "warn", seen, "import at the first call what is not needed before")
    elif not done.stdout.strip():
        yield Finding("import", "ok", f"{found['cpu_s'] * 1e3:.0f} ms of CPU time, nothing heavy")
    if found["state"] != "loaded":
        yield Finding("registration", "fail", f"{found['state']}: {found['cause']}")
    elif found["shadowed"]:
        yield Finding("registration", "fail", "; ".join(found["shadowed"]), "choose another name")
    elif not found["offers"] or found["cause"]:
        yield Finding("registration", "warn", found["cause"] or "it offers no tools, models or factories")
    else:
        offers = ", ".join(
            f"{count} {hook.removeprefix('promptvision_').replace('_', ' ')}"
            for hook, count in found["offers"].items()
        )
        yield Finding("registration", "ok", offers)


def _run_contracts(subject: _Subject, name: str, work: Path) -> Iterator[Finding]:
    contracts = find_spec("promptvision.testing.plugin_contract")
    assert contracts is not None
    assert contracts.origin is not None
    environment = {
        **subject.environment,
        "PROMPTVISION_CHECK": name,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # only the project's own tests may use other plugins of pytest
    }
    results = _pytest([contracts.origin], environment, work, work)
    if isinstance(results, Finding):
        yield results
        return
    classes: dict[str, list[ElementTree.Element]] = {}
    for case in results:
        classes.setdefault(case.get("classname", "").rpartition(".")[2], []).append(case)
    for title, cases in classes.items():
        kind, _, what = title.removeprefix("Test").partition("_")
        label = f"{kind.lower()} {what}"
        failures = [(case, message) for case in cases if (message := _message(case))]
        for case, message in failures:
            yield Finding(label, "fail", f"{_test_name(case)}: {message}")
        if not failures:
            skipped = sum(case.find("skipped") is not None for case in cases)
            seen = f"{len(cases) - skipped} contract tests passed"
            if skipped:
                seen += f", {skipped} skipped: {_skipped(cases)}"
            yield Finding(label, "warn" if skipped > 1 else "ok", seen)


def _run_own_tests(subject: _Subject, project: Path, work: Path) -> Finding:
    if not (project / "tests").is_dir():
        return Finding(
            "own tests", "warn", "there is no folder tests", "subclass ToolContract in a test file"
        )
    results = _pytest(["tests"], subject.environment, project, work, own_settings=True)
    if isinstance(results, Finding):
        return results
    failures = [(case, message) for case in results if (message := _message(case))]
    if failures:
        case, message = failures[0]
        seen = f"{len(failures)} of {len(results)} fail, first {_test_name(case)}: {message}"
        return Finding("own tests", "fail", seen, "run `python -m pytest`")
    return Finding("own tests", "ok", f"{len(results)} tests passed or were skipped")


def _pytest(
    words: list[str], environment: dict[str, str], folder: Path, work: Path, *, own_settings: bool = False
) -> list[ElementTree.Element] | Finding:
    """Run pytest; the results of its tests, or why there are none."""
    report = work / "tests.xml"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
    if not own_settings:
        (work / "pytest.ini").write_text("[pytest]\n")
        command += ["-c", str(work / "pytest.ini"), "--rootdir", str(work), "--import-mode=importlib"]
        command += ["-p", "promptvision.testing.fixtures"]
    try:
        done = subprocess.run(
            [*command, *words],
            capture_output=True,
            text=True,
            env=environment,
            cwd=folder,
            timeout=TESTS_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Finding("tests", "fail", f"they do not end within {TESTS_TIMEOUT_S} s")
    if not report.exists():
        return Finding("tests", "fail", _last_line(done.stdout + done.stderr))
    return list(ElementTree.parse(report).iter("testcase"))  # noqa: S314  # written by pytest just now


def _message(case: ElementTree.Element) -> str:
    """Why a test failed, in one line; an empty string if it did not."""
    for kind in ("failure", "error"):
        element = case.find(kind)
        if element is not None:
            line = (element.get("message") or element.text or "it failed").partition("\n")[0]
            return re.sub(r"^(AssertionError|Failed): ", "", line)[:300]
    return ""


def _test_name(case: ElementTree.Element) -> str:
    return case.get("name", "").removeprefix("test_").partition("[")[0].replace("_", " ")


def _skipped(cases: list[ElementTree.Element]) -> str:
    reasons = (element.get("message", "") for case in cases if (element := case.find("skipped")) is not None)
    return next(reasons, "")


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "no output"
