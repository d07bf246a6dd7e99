"""Every way in which an LLM host can fail, as one :class:`~promptvision.errors.ProviderError`.

The SDKs of groq and openai, httpx and httpx2 share the names of their errors but no base class, so an error
is known by the names in its class tree; that way none of them need be imported here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from promptvision.errors import ProviderError

__all__ = ["error_object", "one_line", "provider_error"]

_GONE = {"model_not_found", "model_decommissioned", "model_not_available"}
_NO_CREDIT = {"insufficient_quota", "billing_hard_limit_reached"}


def provider_error(exc: Exception, planner: str, secret: str = "") -> ProviderError:
    """Convert an error of an SDK, of its HTTP library, or of JSON.

    Args:
        exc: what was raised.
        planner: whose failure it is, for the message.
        secret: what must not appear in the result, though a host may repeat it.
    """
    if isinstance(exc, ProviderError):
        return exc
    error = _convert(exc, planner)
    if not secret or secret not in f"{error.message} {error.body}":
        return error
    body = json.loads(json.dumps(error.body, default=str).replace(secret, "***"))
    message = error.message.replace(secret, "***")
    return ProviderError(
        message, kind=error.kind, retryable=error.retryable, retry_after_s=error.retry_after_s, body=body
    )


def _convert(exc: Exception, planner: str) -> ProviderError:
    names = {cls.__name__ for cls in type(exc).__mro__}
    status = getattr(exc, "status_code", None)
    body = error_object(getattr(exc, "body", None))
    if isinstance(status, int):
        return _status_error(exc, planner, status, body)
    if names & {"TimeoutError", "APITimeoutError", "TimeoutException"}:
        return ProviderError(f"{planner}: no answer in time", kind="timeout", retryable=True)
    if names & {"APIConnectionError", "TransportError", "OSError"}:
        cause = exc.__cause__ or exc
        message = f"{planner}: cannot talk to the host: {one_line(cause) or type(cause).__name__}"
        return ProviderError(message, kind="connection", retryable=True)
    if "APIError" in names and body:
        return _stream_error(exc, planner, body)
    message = f"{planner}: the host sent something unreadable: {type(exc).__name__}: {one_line(exc)}"
    return ProviderError(message, kind="malformed", retryable=True)


def error_object(body: object) -> dict[str, Any]:
    """The error object of a response body, whichever way the host and its SDK wrap it."""
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
    """Foreign text for a message: one line, printable, not long."""
    words = " ".join(str(text)[: limit * 4].split())
    clean = "".join(char if char.isprintable() else "?" for char in words)
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def _said(exc: Exception, body: Mapping[str, Any]) -> str:
    return one_line(body.get("message") or exc)


def _status_error(exc: Exception, planner: str, status: int, body: dict[str, Any]) -> ProviderError:
    headers = getattr(getattr(exc, "response", None), "headers", {})
    kind, retryable = _kind_of(status, body)
    wish = headers.get("x-should-retry")
    if wish in ("true", "false"):
        retryable = wish == "true" and kind != "tool_use_failed"
    return ProviderError(
        f"{planner}: HTTP {status}: {_said(exc, body)}",
        kind=kind,
        retryable=retryable,
        retry_after_s=_retry_after(headers) if retryable else None,
        body=body,
    )


def _kind_of(status: int, body: Mapping[str, Any]) -> tuple[str, bool]:
    code, message = str(body.get("code")), str(body.get("message", "")).lower()
    if code == "tool_use_failed":
        return "tool_use_failed", False
    if code in _GONE or (status == 404 and "model" in message):
        return "model_gone", False
    if status in (401, 403) or code in _NO_CREDIT:
        return "auth", False
    if status == 408:
        return "timeout", True
    if status in (429, 498):  # 498: Groq's flex tier has no capacity left
        return "rate_limit", True
    return ("server", True) if status == 409 or status >= 500 else ("bad_request", False)


def _stream_error(exc: Exception, planner: str, body: dict[str, Any]) -> ProviderError:
    """An error object in the middle of a stream: there is no status but, with luck, a code."""
    code = str(body.get("code") or body.get("type"))
    status = 429 if code == "rate_limit_exceeded" else 400 if "invalid_request" in code else 500
    kind, retryable = _kind_of(status, body)
    message = f"{planner}: the host broke off: {_said(exc, body)}"
    return ProviderError(message, kind=kind, retryable=retryable, body=body)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, milliseconds or a date, as RFC 9110 section 10.2.3 and the hosts have it."""
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
