"""One settings object, read from the environment, ``.env`` and ``promptvision.toml``, in that order of rank.

Every name is upper case and the same in all three places: ``PROMPTVISION_HOME`` in the environment and in
``.env`` is ``PROMPTVISION_HOME = "..."`` in the TOML file. Plugins read names of their own through
:meth:`Settings.value`, so the core need not know them.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
)

from promptvision.errors import SetupError

__all__ = ["Settings", "load_settings"]

PREFIX = "PROMPTVISION_"


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _key_pairs(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    pairs: dict[str, str] = {}
    for part in _split(value):
        user, colon, key = part.partition(":")
        if not (user and colon and key):
            raise ValueError("write it as alice:key1,bob:key2")
        pairs[user] = key
    return pairs


Names = Annotated[tuple[str, ...], BeforeValidator(_split)]


def _check_origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    for origin in origins:
        if not re.fullmatch(r"https?://[^/?#@*\s]+", origin):
            raise ValueError(f"{origin!r} is not an exact origin; write http://localhost:3000")
    return origins


def _check_root_path(path: str) -> str:
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*", path.rstrip("/")):
        raise ValueError("write a path such as /vision")
    return path.rstrip("/")


Origins = Annotated[tuple[str, ...], BeforeValidator(_split), AfterValidator(_check_origins)]
RootPath = Annotated[str, AfterValidator(_check_root_path)]


def _default_home() -> Path:
    import platformdirs

    return Path(platformdirs.user_data_dir("promptvision", appauthor=False))


class Settings(BaseModel):
    """What an operator can set. Field ``home`` is the variable ``PROMPTVISION_HOME``, and so on."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)  # input may be a key

    home: Annotated[Path, AfterValidator(Path.expanduser)] = Field(default_factory=_default_home)
    """Folder of all local data: database, images, weights, cache."""
    conversations: str | None = None
    """URL of the conversation store; default: SQLite in ``home``."""
    images: str | None = None
    """URL of the image store; default: files in ``home``."""
    planner: str | None = None
    """Name of the planner to use; default: the best that is configured."""
    executor: str = "threads"
    """Name of the executor."""
    disabled_plugins: Names = ()
    """Entry-point names that are never imported."""
    strict_plugins: bool = False
    """Raise the first plugin failure instead of going on without that plugin."""
    prefer: Names = ()
    """Tools, as ``plugin:tool``, that win a name clash or go first for their operation."""
    allowed_hosts: Names = ()
    """Host names that image URLs may point to although their address is private."""
    server_hosts: Names = ()
    """Host headers that the server answers to; without API keys loopback names too."""
    cors_origins: Origins = ()
    """Exact origins of other sites whose pages may use the server, such as ``http://localhost:3000``."""
    root_path: RootPath = ""
    """Path prefix that a reverse proxy removes, such as ``/vision``."""
    trusted_proxies: Names = ()
    """Addresses of reverse proxies whose ``X-Forwarded-For`` and ``X-Forwarded-Proto`` are believed."""
    api_keys: Annotated[dict[str, SecretStr], BeforeValidator(_key_pairs)] = {}
    """User name to API key."""
    model_memory: int | None = Field(None, ge=0)
    """Bytes that loaded models may take together; default: measured."""
    max_steps: int = Field(10, ge=1, le=100)
    """Planner replies in one turn."""
    max_tool_calls: int = Field(16, ge=1, le=200)
    """Tool calls in one turn, prerequisites included."""
    max_tokens: int = Field(250_000, ge=1000)
    """Tokens in one turn, read and written, as the planner counts them or else estimated."""
    turn_timeout_s: float = Field(600, gt=0)
    """Wall-clock limit of one turn, in seconds."""
    lease_s: float = Field(15, gt=0)
    """After this many seconds without a heartbeat a running turn counts as dead."""
    retention_days: float | None = Field(None, gt=0)
    """`promptvision store gc` deletes conversations unused for longer; default: none."""

    _source: Mapping[str, Any] = PrivateAttr(default_factory=dict)

    def value(self, name: str) -> str | None:
        """The raw value of any variable, such as ``GROQ_API_KEY``; None when unset or empty."""
        found = self._source.get(name)
        return str(found) if found not in (None, "") else None

    @property
    def secrets(self) -> list[str]:
        """Values of all variables named like a secret, and the API keys; to be masked where shown."""
        named = [
            str(value)
            for name, value in self._source.items()
            if name.endswith(("_KEY", "_SECRET", "_TOKEN", "_PASSWORD")) and value
        ]
        return named + [key.get_secret_value() for key in self.api_keys.values()]

    @classmethod
    def from_mapping(cls, source: Mapping[str, Any]) -> Self:
        """Build settings from variable names and values.

        Raises:
            SetupError: a ``PROMPTVISION_*`` variable has a value of the wrong type.
        """
        known = {PREFIX + name.upper(): name for name in cls.model_fields}
        values = {
            known[name]: value for name, value in source.items() if name in known and value not in (None, "")
        }
        try:
            settings = cls.model_validate(values)
        except ValidationError as exc:
            error = exc.errors()[0]
            name = PREFIX + str(error["loc"][0]).upper()
            raise SetupError(f"settings: {name}: {error['msg']}", hint=f"correct {name}") from exc
        settings._source = dict(source)  # noqa: SLF001  # its own class
        return settings

    @property
    def weights_home(self) -> Path:
        """Where model weights lie."""
        return self.home / "weights"


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
        folder: where the two files are looked for; default: the working folder.
        overrides: field names of :class:`Settings` that win over all three.

    Raises:
        SetupError: a file cannot be read or a value has the wrong type.
        TypeError: an override is no field of :class:`Settings`.
    """
    if unknown := overrides.keys() - Settings.model_fields.keys():
        raise TypeError(f"load_settings: no setting {', '.join(sorted(unknown))}")
    folder = folder or Path.cwd()
    merged = {**_read_toml(folder / "promptvision.toml"), **_read_dotenv(folder / ".env"), **os.environ}
    merged.update({PREFIX + name.upper(): value for name, value in overrides.items()})
    return Settings.from_mapping(merged)
