"""The settings of the core, and raw access to every variable."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

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

from promptvision.settings.section import PREFIX, Section, setup_error

__all__ = ["Settings"]

S = TypeVar("S", bound=Section)


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
        if user in pairs:
            raise ValueError("a user is named twice; give each user one key")
        pairs[user] = key
    return pairs


def _check_unique(keys: dict[str, SecretStr]) -> dict[str, SecretStr]:
    if len({key.get_secret_value() for key in keys.values()}) < len(keys):
        raise ValueError("two users have the same key; give each user their own")
    return keys


def _routes(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    routes: dict[str, str] = {}
    for part in _split(value):
        name, colon, executor = part.partition(":")
        if not (name and colon and executor):
            raise ValueError("write it as sam:processes,*:threads")
        routes[name] = executor
    return routes


def _weights(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    weights: dict[str, str] = {}
    for part in _split(value):
        user, colon, weight = part.rpartition(":")
        if not (user and colon and weight.isdecimal()):
            raise ValueError("write it as alice:4,bob:2")
        weights[user] = weight
    return weights


Weight = Annotated[int, Field(ge=1, le=1000)]
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
    """Settings of the core. Field ``home`` is the variable ``PROMPTVISION_HOME``, and so on."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)  # input may be a key

    home: Annotated[Path, AfterValidator(Path.expanduser)] = Field(default_factory=_default_home)
    """Folder of all local data: database, images, weights, cache."""
    conversations: str | None = None
    """URL of the conversation store; default: SQLite in ``home``."""
    images: str | None = None
    """URL of the image store; default: files in ``home``."""
    planner: str | None = None
    """Name of the planner to use; default: the best configured one."""
    executor: str = "threads"
    """Name of the executor: `threads`, or `processes` to run tools in worker processes."""
    executors: Annotated[dict[str, str], BeforeValidator(_routes)] = {}
    """Executors of single tools or plugins, such as `sam:processes,*:threads`."""
    workers: int = Field(2, ge=1, le=256)
    """Maximum number of worker processes of the executor `processes`, for each Python environment."""
    user_steps: int | None = Field(None, ge=1)
    """Maximum number of tool calls of one user that run at once; more wait. Default: no limit of its own."""
    user_weights: Annotated[dict[str, Weight], BeforeValidator(_weights)] = {}
    """Users whose waiting tool calls are served more often, such as `alice:4`; each other user has 1."""
    worker_memory: int | None = Field(None, ge=256 * 2**20)
    """Bytes of private memory that one worker process may use; default: no limit."""
    disabled_plugins: Names = ()
    """Entry-point names that are never imported."""
    strict_plugins: bool = False
    """Raise the first plugin failure instead of continuing without that plugin."""
    prefer: Names = ()
    """Tools, as ``plugin:tool``, that win a name clash and are preferred for their operation; and models, as
    ``plugin:model``, that win a clash of ids."""
    image_decoding: Literal["auto", "process", "inline"] = "auto"
    """Where image files are decoded: in a child process with limits, in this process, or (auto) in a child
    process unless the program itself passes a path or bytes."""
    allowed_hosts: Names = ()
    """Hosts that image URLs may use even if their address is private."""
    server_hosts: Names = ()
    """Host headers that the server answers to; without API keys loopback names too."""
    cors_origins: Origins = ()
    """Exact origins of other sites whose pages may use the server, such as ``http://localhost:3000``."""
    root_path: RootPath = ""
    """Path prefix that a reverse proxy removes, such as ``/vision``."""
    trusted_proxies: Names = ()
    """Addresses of reverse proxies whose ``X-Forwarded-For`` and ``X-Forwarded-Proto`` are trusted."""
    api_keys: Annotated[dict[str, SecretStr], BeforeValidator(_key_pairs), AfterValidator(_check_unique)] = {}
    """User name to API key."""
    model_memory: int | None = Field(None, ge=0)
    """Bytes that loaded models may use together; default: measured."""
    model_host_memory: int | None = Field(None, ge=0)
    """Bytes of main memory for copies of models from which a GPU is filled, at most half of the memory; 0 for
    none. Default: half."""
    model_headroom: int | None = Field(None, ge=0)
    """Bytes of each device that models leave free; default: 512 MiB or 3 % of the device, the larger."""
    cache_memory: int = Field(256 * 2**20, ge=0)
    """Bytes of results that each process keeps in memory; 0: none. An eighth of them is for results of tools,
    the rest for results of stages, such as image embeddings."""
    cache_disk: int = Field(2 * 2**30, ge=0)
    """Bytes of stage results on disk, which all processes share and which outlast a restart; 0: none."""
    max_steps: int = Field(10, ge=1, le=100)
    """Maximum number of planner replies in one turn."""
    max_tool_calls: int = Field(16, ge=1, le=200)
    """Maximum number of tool calls in one turn, prerequisites included."""
    max_tokens: int = Field(250_000, ge=1000)
    """Maximum number of tokens in one turn, input and output, as reported by the planner, else estimated."""
    turn_timeout_s: float = Field(600, gt=0)
    """Wall-clock limit of one turn, in seconds."""
    call_timeout_s: float | None = Field(None, gt=0)
    """Seconds that one tool call may run; then the next tool for its operation is tried. A thread ends at its
    next check point, a worker process is killed if it does not. Default: the rest of the turn."""
    lease_s: float = Field(15, gt=0)
    """After this many seconds without a heartbeat a running turn counts as dead."""
    log_format: Literal["text", "json"] = "text"
    """Log lines of the server: `text`, or `json` with the id of the turn that each belongs to."""
    retention_days: float | None = Field(None, gt=0)
    """`promptvision store gc` deletes conversations unused for longer; default: none."""

    _source: Mapping[str, Any] = PrivateAttr(default_factory=dict)

    def value(self, name: str) -> str | None:
        """The raw value of any variable, such as ``GROQ_API_KEY``; None when unset or empty."""
        found = self._source.get(name)
        return str(found) if found not in (None, "") else None

    def section(self, kind: type[S]) -> S:
        """The variables of a section that a plugin declares, validated.

        Raises:
            SetupError: a variable is missing or has a wrong value.
        """
        return kind.read(self._source)

    def variables(self) -> dict[str, Any]:
        """All variables that tools may read, as JSON values, for a worker process; without API keys."""
        fields = {PREFIX + name.upper(): name for name in type(self).model_fields if name != "api_keys"}
        known = self.model_dump(mode="json", include=self.model_fields_set - {"api_keys"})
        own = {name: known[field] for name, field in fields.items() if field in known}
        others = {name: str(value) for name, value in self._source.items() if name not in fields and value}
        others.pop(f"{PREFIX}API_KEYS", None)
        return {**others, **own}

    @property
    def names(self) -> list[str]:
        """Names of all variables, those of the environment included."""
        return list(self._source)

    @property
    def secrets(self) -> list[str]:
        """Values of all variables named like a secret, and the API keys. Mask them in all output."""
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
            raise setup_error(exc, {field: name for name, field in known.items()}) from exc
        settings._source = dict(source)  # noqa: SLF001
        return settings

    @property
    def weights_home(self) -> Path:
        """Folder of model weights."""
        return self.home / "weights"

    @property
    def cache_home(self) -> Path:
        """Folder of the cache of stages."""
        return self.home / "cache" / "stages"
