"""Conversion of every failure of an LLM host to a :class:`~promptvision.errors.ProviderError`.

The chat-completions SDKs, httpx and httpx2 share the names of their errors but no base class. Errors are
recognised by the class names in their MRO, so that none of these libraries is imported here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

from promptvision.errors import ProviderError, ProviderErrorKind

__all__ = ["HostErrors", "error_object", "one_line", "provider_error"]

_GONE = {"model_not_found", "model_decommissioned", "model_not_available"}
_NO_CREDIT = {"insufficient_quota", "billing_hard_limit_reached"}
_RETRYABLE: frozenset[ProviderErrorKind] = frozenset(("timeout", "rate_limit", "server"))


@dataclass(frozen=True, kw_only=True)
class HostErrors:
    """Errors that only one host knows.

    Args:
        kinds: kind by HTTP status or by the ``code`` of the error object; comes before the common rules.
        rejected_field: member of the error object that holds a reply which the host rejected as an invalid
            tool call.
    """

    kinds: Mapping[int | str, ProviderErrorKind] = field(default_factory=dict)
    rejected_field: str | None = None


_COMMON = HostErrors()


def provider_error(
    exc: Exception, planner: str, secret: str = "", host: HostErrors = _COMMON
) -> ProviderError:
    """Convert an exception of an SDK, of its HTTP library, or of the JSON parser.

    Args:
        exc: the exception.
        planner: name of the provider, for the message.
        secret: the API key, which is removed from the result in case the host repeats it.
        host: errors that only this host knows.
    """
    if isinstance(exc, ProviderError):
        return exc
    error = _convert(exc, planner, host)
    if not secret or secret not in f"{error.message} {error.body}":
        return error
    return ProviderError(
        error.message.replace(secret, "***"),
        kind=error.kind,
        retryable=error.retryable,
        retry_after_s=error.retry_after_s,
        body=json.loads(json.dumps(error.body, default=str).replace(secret, "***")),
        rejected=error.rejected.replace(secret, "***"),
    )


def _convert(exc: Exception, planner: str, host: HostErrors) -> ProviderError:
    if isinstance(exc.__cause__, ProviderError):  # raised by a hook of the client, wrapped by the SDK
        return exc.__cause__
    names = {cls.__name__ for cls in type(exc).__mro__}
    status = getattr(exc, "status_code", None)
    body = error_object(getattr(exc, "body", None))
    if isinstance(status, int):
        return _status_error(exc, planner, status, body, host)
    if names & {"TimeoutError", "APITimeoutError", "TimeoutException"}:
        return ProviderError(f"{planner}: no answer in time", kind="timeout", retryable=True)
    if names & {"APIConnectionError", "TransportError", "OSError"}:
        cause = exc.__cause__ or exc
        message = f"{planner}: cannot connect to the host: {one_line(cause) or type(cause).__name__}"
        return ProviderError(message, kind="connection", retryable=True)
    if "APIError" in names and body:
        return _stream_error(exc, planner, body, host)
    message = f"{planner}: unreadable response: {type(exc).__name__}: {one_line(exc)}"
    return ProviderError(message, kind="malformed", retryable=True)


def error_object(body: object) -> dict[str, Any]:
    """Return the error object of a response body, however the host and its SDK wrap it."""
    for _ in range(3):
        if isinstance(body, str):
            return {"message": body}
        if not isinstance(body, Mapping):
            return {}
        inner = body.get("error", body.get("detail"))
        if inner is None:
            return {str(key): value for key, value in body.items()}
        body = inner
    return {}


def one_line(text: object, limit: int = 300) -> str:
    """Return untrusted text as one printable line of at most ``limit`` characters, for a message."""
    words = " ".join(str(text)[: limit * 4].split())
    clean = "".join(char if char.isprintable() else "?" for char in words)
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def _error_message(exc: Exception, body: Mapping[str, Any]) -> str:
    return one_line(body.get("message") or exc)


def _status_error(
    exc: Exception, planner: str, status: int, body: dict[str, Any], host: HostErrors
) -> ProviderError:
    headers = getattr(getattr(exc, "response", None), "headers", {})
    kind = _kind_of(status, body, host)
    retryable = kind in _RETRYABLE
    should_retry = headers.get("x-should-retry")
    if should_retry in ("true", "false"):
        retryable = should_retry == "true" and kind != "invalid_call"
    return ProviderError(
        f"{planner}: HTTP {status}: {_error_message(exc, body)}",
        kind=kind,
        retryable=retryable,
        retry_after_s=_retry_after(headers) if retryable else None,
        body=body,
        rejected=_rejected(body, host),
    )


def _kind_of(status: int, body: Mapping[str, Any], host: HostErrors) -> ProviderErrorKind:
    code, message = str(body.get("code")), str(body.get("message", "")).lower()
    own = host.kinds.get(code) or host.kinds.get(status)
    if own is not None:
        return own
    if code in _GONE or (status == 404 and "model" in message):
        return "model_gone"
    if status in (401, 403) or code in _NO_CREDIT:
        return "auth"
    if status == 408:
        return "timeout"
    if status == 429:
        return "rate_limit"
    return "server" if status == 409 or status >= 500 else "bad_request"


def _rejected(body: Mapping[str, Any], host: HostErrors) -> str:
    text = body.get(host.rejected_field) if host.rejected_field else None
    return text if isinstance(text, str) else ""


def _stream_error(exc: Exception, planner: str, body: dict[str, Any], host: HostErrors) -> ProviderError:
    """An error object in the middle of a stream has no status; its code, if any, determines the kind."""
    code = str(body.get("code") or body.get("type"))
    status = 429 if code == "rate_limit_exceeded" else 400 if "invalid_request" in code else 500
    kind = _kind_of(status, body, host)
    return ProviderError(
        f"{planner}: the host ended the stream: {_error_message(exc, body)}",
        kind=kind,
        retryable=kind in _RETRYABLE,
        body=body,
        rejected=_rejected(body, host),
    )


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Parse seconds, milliseconds or a date. Source: RFC 9110, section 10.2.3."""
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name, "").strip()
        try:
            return min(max(float(value) * unit_s, 0.0), 86400.0)
        except ValueError:
            pass
        try:
            return max(parsedate_to_datetime(value).timestamp() - time.time(), 0.0)
        except (ValueError, OverflowError):
            pass
    return None
