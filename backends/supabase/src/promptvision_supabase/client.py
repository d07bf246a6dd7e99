"""Call database functions through PostgREST, with time limits, a few quick retries, and clear errors."""

from __future__ import annotations

import threading
from typing import Any
from urllib.parse import urlsplit

import httpx
import supabase
from postgrest.exceptions import APIError
from supabase.lib.client_options import SyncClientOptions

from promptvision.plugin import IDENTITY, SetupError, StoreError, limit_response, retry_store_call

__all__ = ["DatabaseClient"]

CONNECT_TIMEOUT_S = 0.9
"""Time limit for connecting; in total below a second, so that a host that is down is reported quickly."""
READ_TIMEOUT_S = 5.0
PAUSES_S = (0.05, 0.15, 0.3)
"""Waiting times before the second, third and fourth try, in seconds."""
PATIENCE_S = 0.5
"""No new try starts after this many seconds."""
MAX_CONNECTIONS = 16
MAX_RESPONSE_BYTES = 64 * 2**20
"""Maximum size of a response: the journal of a conversation."""

_PASSING = ("08", "40", "53", "55P03", "57", "58", "23505", "PGRST00")
"""Prefixes of codes of transient errors: classes of SQLSTATE (connection, rollback, resources, lock not
available, operator intervention, system), a unique index that settled a race, PostgREST without a database.

Source: PostgreSQL manual, appendix A; PostgREST documentation, "Errors".
"""
_PASSING_STATUS = ("408", "429", "5")
_SET_UP = "run what `promptvision supabase sql` prints in the project's SQL editor"
_HINTS = {
    "42501": "SUPABASE_KEY must be the service_role (secret) key of the project",
    "42P01": _SET_UP,
    "42883": _SET_UP,
    "PGRST202": _SET_UP,
    "PGRST106": "expose the schema public in the project's API settings",
    "PGRST301": "check SUPABASE_KEY",
    "PGRST302": "check SUPABASE_KEY",
    "PGRST303": "check SUPABASE_KEY",
    "401": "check SUPABASE_KEY",
    "404": "check SUPABASE_URL; it looks like https://<project>.supabase.co",
}


class DatabaseClient:
    """Calls ``promptvision_*`` functions with the supabase SDK. Safe across threads.

    Arguments are sent only in the JSON body, never in a URL or a filter.

    Args:
        url: of the project, such as ``https://<project>.supabase.co``.
        key: the service_role (secret) key.

    Raises:
        SetupError: the URL or the key is invalid.
    """

    def __init__(self, url: str, key: str) -> None:
        self.where = f"supabase {_address(url)}".strip()
        limits = httpx.Limits(max_connections=MAX_CONNECTIONS)
        timeout = httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
        self._seen = threading.local()
        limit = limit_response(httpx.SyncByteStream, MAX_RESPONSE_BYTES, self._refused)
        hooks = {"response": [self._note_status, limit]}
        self._http = httpx.Client(timeout=timeout, limits=limits, event_hooks=hooks, headers=IDENTITY)
        options = SyncClientOptions(
            httpx_client=self._http,
            postgrest_client_retry=False,
            auto_refresh_token=False,
            persist_session=False,
        )
        try:
            self._rest = supabase.create_client(url, key, options).postgrest
        except (supabase.SupabaseException, ValueError) as exc:
            raise SetupError(f"{self.where}: {exc}", hint="check SUPABASE_URL and SUPABASE_KEY") from exc

    def call(self, function: str, **arguments: Any) -> Any:
        """The result of a function. Every function may be called again with the same arguments.

        Raises:
            StoreError: it failed; ``retryable`` when the same call may work later.
        """
        given = {f"p_{name}": value for name, value in arguments.items()}
        return retry_store_call(
            lambda: self._once(f"promptvision_{function}", given), pauses_s=PAUSES_S, patience_s=PATIENCE_S
        )

    def _once(self, function: str, arguments: dict[str, Any]) -> Any:
        try:
            answer: Any = self._rest.rpc(function, arguments).retry(False).execute()
        except APIError as exc:
            raise self._refusal(exc) from exc
        except httpx.TransportError as exc:
            raise StoreError(f"{self.where}: {type(exc).__name__}: {exc}", retryable=True) from exc
        except UnicodeEncodeError as exc:
            raise StoreError(f"{self.where}: an id contains a lone surrogate") from exc
        return answer.data

    def _refused(self, reason: str) -> StoreError:
        return StoreError(f"{self.where}: {reason}", retryable=False)

    def _note_status(self, response: httpx.Response) -> None:
        self._seen.status = response.status_code

    def _refusal(self, exc: APIError) -> StoreError:
        code = exc.code or str(self._seen.status)  # a gateway's errors have no code of their own
        message = f"{self.where}: {code}: {' '.join(str(exc.message or 'no message').split())[:300]}"
        is_status = len(code) == len("503")  # an SQLSTATE has five characters
        passing = _PASSING_STATUS if is_status else _PASSING
        return StoreError(message, retryable=code.startswith(passing), hint=_HINTS.get(code))

    def close(self) -> None:
        """Release connections."""
        self._http.close()


def _address(url: str) -> str:
    """Scheme, host and port of a URL, without what may be secret."""
    try:
        parts = urlsplit(url)
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}" if parts.hostname else ""
