"""All errors that promptvision raises, grouped by who can act on them.

::

    PromptvisionError
    ├── PluginError              the plugin's author fixes it
    ├── CallError                one tool call failed; the planner gets one line
    │   ├── ArgumentsError       the planner can correct its arguments and call again
    │   ├── ToolFailed           the tool ran and could not do it; another tool may
    │   │   ├── NotSupported     the request is beyond what the tool can do
    │   │   ├── Refused          a middleware, or the user, does not let the step run
    │   │   └── WorkerLost       the process that ran the tool ended
    │   │       └── DeviceLost   the process that ran the tool can no longer use its GPU
    │   └── StopTurn             nothing more should be tried in this turn
    ├── UserError                the user fixes it
    │   ├── InputError           an image, a prompt or a field that cannot be used
    │   │   ├── TooLarge         over a size limit
    │   │   └── Conflict         the same prompt_id with another body
    │   ├── NotFound             it does not exist, or belongs to another user
    │   ├── Forbidden            the key does not allow it
    │   └── SetupError           something must be installed or configured
    ├── Busy                     try again after ``retry_after_s``
    ├── ProviderError            an LLM provider failed
    ├── StoreError               a store failed
    │   └── LeaseLost            another process has taken the turn over
    └── Cancelled                the work was cancelled

Messages read who, where, what, how to fix. ``hint`` holds the how-to-fix part when it is a command.
"""

from __future__ import annotations

from typing import Literal

from promptvision.needs import NeedsSetup

__all__ = [
    "ArgumentsError",
    "Busy",
    "CallError",
    "Cancelled",
    "Conflict",
    "DeviceLost",
    "Forbidden",
    "InputError",
    "LeaseLost",
    "NotFound",
    "NotSupported",
    "PluginError",
    "PromptvisionError",
    "ProviderError",
    "Refused",
    "SetupError",
    "StopTurn",
    "StoreError",
    "TooLarge",
    "ToolFailed",
    "UserError",
    "WorkerLost",
]


class PromptvisionError(Exception):
    """Base class of all errors of promptvision.

    Args:
        message: who, where and what went wrong, in one line.
        hint: how to fix it: a command or a setting. Shown after the message.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class PluginError(PromptvisionError):
    """A plugin breaks its contract: bad name, bad schema, clash, wrong return value."""

    def __init__(self, plugin: str, message: str, *, hint: str | None = None) -> None:
        super().__init__(f"{plugin}: {message}", hint=hint)
        self.plugin = plugin


class CallError(PromptvisionError):
    """One tool call failed."""


class ArgumentsError(CallError):
    """The arguments are invalid; ``problems`` has one line per field, with the allowed values."""

    def __init__(self, problems: list[str] | str) -> None:
        self.problems = [problems] if isinstance(problems, str) else problems
        super().__init__("; ".join(self.problems))


class ToolFailed(CallError):
    """Raise in a tool that cannot do what was asked; the next tool for the operation is tried."""


class NotSupported(ToolFailed):
    """Raise in a tool for a request that is beyond what it can do.

    The next tool is tried. If none is left, and a better tool is installed but not set up, the user is told
    how to set that one up.
    """


class WorkerLost(ToolFailed):
    """The process that ran the tool crashed or was killed; the same call may succeed in another one.

    Args:
        message: what happened.
        hint: how to fix it.
        is_machine_lost: whether its machine failed, so that the tool is certainly not the cause.
    """

    def __init__(self, message: str, *, hint: str | None = None, is_machine_lost: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.is_machine_lost = is_machine_lost


class DeviceLost(WorkerLost):
    """An error such as an illegal memory access has made the GPU unusable for the process that ran the tool.

    Args:
        message: what happened.
        hint: how to fix it.
        is_replaced: whether another process has taken the place of that one, so that the call may run again.
    """

    def __init__(self, message: str, *, hint: str | None = None, is_replaced: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.is_replaced = is_replaced

    def replaced(self, worker: str) -> DeviceLost:
        """This error, once another process takes the place of the ``worker``, as messages call it."""
        return DeviceLost(f"{self.message}; its {worker} was replaced", is_replaced=True)


class Refused(ToolFailed):
    """Raise in the ``before_step`` of a middleware: the step must not run; the next tool is tried."""


class StopTurn(CallError):
    """Raise in a tool when nothing further should be tried in this turn."""


class UserError(PromptvisionError):
    """The user must change something."""


class InputError(UserError):
    """An image, prompt or field that cannot be used."""


class TooLarge(InputError):
    """Input over a size limit; the message names the limit."""


class Conflict(InputError):
    """The same ``prompt_id`` was sent before with another body."""


class NotFound(UserError):
    """The object does not exist or belongs to another user; the message does not say which, on purpose."""


class Forbidden(UserError):
    """The caller's key is missing, wrong, or not for this user."""


class SetupError(UserError):
    """Something must be downloaded, installed or configured first; ``hint`` is the command.

    Args:
        message: who, where and what is missing, in one line.
        hint: how to fix it.
        needs: the same as data, where it is known.
    """

    def __init__(self, message: str, *, hint: str | None = None, needs: NeedsSetup | None = None) -> None:
        super().__init__(message, hint=hint)
        self.needs = needs


class Busy(PromptvisionError):
    """Too many requests are running, or the same turn is running elsewhere; try again later."""

    def __init__(self, message: str, *, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


ProviderErrorKind = Literal[
    "connection",
    "timeout",
    "rate_limit",
    "auth",
    "model_gone",
    "bad_request",
    "invalid_call",
    "malformed",
    "cut",
    "server",
]
"""How an LLM provider failed. ``invalid_call``: the host rejected the model's tool call; ``malformed``: the
response does not have the documented shape; ``cut``: the reply has no finish reason."""


class ProviderError(PromptvisionError):
    """An LLM provider failed.

    Args:
        kind: how it failed, see :data:`ProviderErrorKind`.
        retryable: whether the same request may succeed later.
        retry_after_s: the wait that the host asked for, in seconds.
        body: the host's error object.
        rejected: the model's output that the host rejected as an invalid tool call.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: ProviderErrorKind,
        retryable: bool = False,
        retry_after_s: float | None = None,
        body: object = None,
        rejected: str = "",
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.kind = kind
        self.retryable = retryable
        self.retry_after_s = retry_after_s
        self.body = body
        self.rejected = rejected


class StoreError(PromptvisionError):
    """A store failed. ``retryable`` is true when the same call may succeed later."""

    def __init__(self, message: str, *, retryable: bool = False, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retryable = retryable


class LeaseLost(StoreError):
    """Another process owns the turn now; the receiver must stop writing to it."""


class Cancelled(PromptvisionError):
    """The work was cancelled; finished steps are kept."""
