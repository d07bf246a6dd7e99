"""Read settings from the environment, then ``.env``, then ``promptvision.toml``.

The first source that defines a name wins. Names are upper case and the same in all three sources:
``PROMPTVISION_HOME`` in the environment and in ``.env`` is ``PROMPTVISION_HOME = "..."`` in the TOML file.

All sources are merged once into one mapping, which the core and the section of each plugin validate.
pydantic-settings is not used: each of its classes reads the sources again, and names that belong to no class,
which are reported with the nearest known name, would need this mapping all the same.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from promptvision.errors import SetupError
from promptvision.settings.section import PREFIX
from promptvision.settings.settings import Settings

__all__ = ["load_settings"]


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise SetupError(f"settings: {path}: {exc}", hint="correct or remove the file") from exc


def _read_dotenv(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    from dotenv import dotenv_values

    try:
        return dict(dotenv_values(path))
    except (OSError, UnicodeDecodeError) as exc:
        raise SetupError(f"settings: {path}: {exc}", hint="correct or remove the file") from exc


def load_settings(folder: Path | None = None, **overrides: Any) -> Settings:
    """Read settings from the environment, then ``.env``, then ``promptvision.toml``.

    Args:
        folder: folder of the two files; default: the working directory.
        overrides: field names of :class:`Settings` that take precedence over all sources.

    Raises:
        SetupError: a file cannot be read or a value has the wrong type.
        TypeError: an override is not a field of :class:`Settings`.
    """
    if unknown := overrides.keys() - Settings.model_fields.keys():
        raise TypeError(f"load_settings: no setting {', '.join(sorted(unknown))}")
    folder = folder or Path.cwd()
    merged = {**_read_toml(folder / "promptvision.toml"), **_read_dotenv(folder / ".env"), **os.environ}
    merged.update({PREFIX + name.upper(): value for name, value in overrides.items()})
    return Settings.from_mapping(merged)
