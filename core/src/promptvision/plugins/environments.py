"""Plugins in separate Python environments, so that plugins may need different versions of one package.

``PROMPTVISION_ENV_<PLUGIN>`` names the environment: a folder, or ``auto`` for one under
``PROMPTVISION_HOME``. ``promptvision plugins isolate`` creates it and writes the plugin's manifest. The
plugin is then listed from the manifest, and its tools run in worker processes of that environment.
"""

from __future__ import annotations

import json
import shutil
import site
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, version
from pathlib import Path

from promptvision.errors import SetupError
from promptvision.plugins.discovery import GROUP, Plugin, PluginState
from promptvision.settings import PREFIX, Settings

__all__ = [
    "ENVIRONMENT_PREFIX",
    "environment_folder",
    "make_environment",
    "manifest_path",
    "place_isolated",
    "write_manifest",
]

ENVIRONMENT_PREFIX = f"{PREFIX}ENV_"
INSTALL_S = 3600.0
MANIFEST_S = 120.0
_PROGRAM = "promptvision.builtin.manifest_program"


def place_isolated(plugins: list[Plugin], settings: Settings) -> list[Plugin]:
    """The plugins, with those that have a separate environment read from their manifests.

    Args:
        plugins: the plugins of this environment.
        settings: name the separate environments.
    """
    isolated = {
        name: _isolated_plugin(name, folder, settings)
        for name, folder in _environments(settings).items()
        if folder.resolve() != Path(sys.prefix).resolve()  # this process runs in it
    }
    kept = [isolated.pop(plugin.name, plugin) for plugin in plugins]
    return kept + list(isolated.values())


def environment_folder(name: str, settings: Settings) -> Path:
    """The folder of a plugin's environment, which may not exist yet."""
    return _environments(settings).get(name) or _automatic_folder(name, settings)


def make_environment(folder: Path, requirements: Sequence[str], *, is_shared: bool = False) -> None:
    """Create an environment with uv, or update it.

    Args:
        folder: the folder of the environment.
        requirements: packages to install in addition to promptvision.
        is_shared: whether missing packages, promptvision included, are imported from this environment instead
            of being installed.

    Raises:
        SetupError: uv is not installed, or it failed.
    """
    if shutil.which("uv") is None:
        raise SetupError("uv is not installed", hint="pip install uv")
    _run(["uv", "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(folder)], INSTALL_S)
    wanted = list(requirements)
    if is_shared:
        _share_packages(folder)
    else:
        wanted.append(f"promptvision=={version('promptvision')}")
    _run(["uv", "pip", "install", "--quiet", "--python", str(_python(folder)), *wanted], INSTALL_S)


def write_manifest(name: str, folder: Path, settings: Settings) -> Path:
    """Read a plugin's offers in its environment and write them as a manifest; return the file.

    Raises:
        SetupError: the plugin is not installed there or cannot be loaded.
    """
    text = _run([str(_python(folder)), "-I", "-m", _PROGRAM, name], MANIFEST_S)
    path = manifest_path(name, settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".tmp")
    draft.write_text(json.dumps(json.loads(text), indent=1), "utf-8")
    draft.replace(path)
    return path


def _environments(settings: Settings) -> dict[str, Path]:
    """Folder of each environment, by plugin."""
    found: dict[str, Path] = {}
    for variable in settings.names:
        value = settings.value(variable)
        if variable.startswith(ENVIRONMENT_PREFIX) and value is not None:
            name = variable.removeprefix(ENVIRONMENT_PREFIX).lower()
            found[name] = _automatic_folder(name, settings) if value == "auto" else Path(value).expanduser()
    return found


def _automatic_folder(name: str, settings: Settings) -> Path:
    return settings.home / "environments" / name


def manifest_path(name: str, settings: Settings) -> Path:
    """The file of a plugin's manifest."""
    return settings.home / "environments" / f"{name}.json"


def _python(folder: Path) -> Path:
    return folder / "bin" / "python"


def _isolated_plugin(name: str, folder: Path, settings: Settings) -> Plugin:
    from promptvision.plugins.manifest import read_manifest

    python = _python(folder)
    try:
        return read_manifest(manifest_path(name, settings), str(python))
    except (OSError, ValueError) as exc:
        plugin = Plugin(name, f"promptvision-{name.replace('_', '-')}", "0", EntryPoint(name, "", GROUP))
        plugin.python = str(python)
        missing = "it has no manifest" if isinstance(exc, FileNotFoundError) else f"its manifest: {exc}"
        plugin.fail(
            PluginState.FAILED,
            f"{missing}; run `promptvision plugins isolate {name}`".splitlines()[0],
        )
        return plugin


def _share_packages(folder: Path) -> None:
    """Let an environment import missing packages from the environment of this process."""
    (packages,) = (folder / "lib").glob("python*/site-packages")
    lines = [f"import site; site.addsitedir({path!r})" for path in site.getsitepackages()]
    (packages / "promptvision_shared.pth").write_text("\n".join(lines) + "\n", "utf-8")


def _run(command: list[str], timeout_s: float) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise SetupError(f"{command[0]}: {exc}") from exc
    if done.returncode:
        message = (done.stderr.strip().splitlines() or ["it failed without a message"])[-1]
        raise SetupError(f"{' '.join(command)}: {message}")
    return done.stdout
