"""Open a bucket, or a folder in it, from a URL and the settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import obstore.store
from obstore.exceptions import BaseError

from promptvision.plugin import SetupError

__all__ = ["Bucket", "open_bucket"]

CONNECT_TIMEOUT_S = 3
REQUEST_TIMEOUT_S = 30
RETRIES = 2
RETRY_LIMIT_S = 10

_VARIABLES = {
    "s3": {
        "AWS_ACCESS_KEY_ID": "access_key_id",
        "AWS_SECRET_ACCESS_KEY": "secret_access_key",
        "AWS_SESSION_TOKEN": "session_token",
        "AWS_DEFAULT_REGION": "region",
        "AWS_REGION": "region",
        "AWS_ENDPOINT_URL": "endpoint",
        "AWS_ENDPOINT_URL_S3": "endpoint",
    },
    "gs": {
        "GOOGLE_APPLICATION_CREDENTIALS": "application_credentials",
        "GOOGLE_SERVICE_ACCOUNT_KEY": "service_account_key",
    },
    "az": {
        "AZURE_STORAGE_ACCOUNT_NAME": "account_name",
        "AZURE_STORAGE_ACCOUNT_KEY": "account_key",
        "AZURE_STORAGE_SAS_KEY": "sas_key",
        "AZURE_CLIENT_ID": "client_id",
        "AZURE_CLIENT_SECRET": "client_secret",
        "AZURE_TENANT_ID": "tenant_id",
    },
}
"""The vendors' variables and obstore's names for them; the later of two equivalent variables wins."""

_OPTIONS = {"s3": {"endpoint", "region"}, "gs": {"base_url"}, "az": {"endpoint"}}
"""Options that the URL's query may contain, without secrets, since URLs are shown in messages."""

_HINT = "write s3://bucket/prefix, gs://bucket/prefix or az://container/prefix; see docs/stores.md"


@dataclass(frozen=True)
class Bucket:
    """A bucket, or a folder in it.

    Args:
        store: obstore's client.
        where: the URL without its query, for messages.
    """

    store: Any
    where: str


def open_bucket(url: str, setting: Callable[[str], str | None]) -> Bucket:
    """Create a client for a bucket, without sending a request.

    Args:
        url: such as ``s3://bucket/prefix?endpoint=http://127.0.0.1:9000``, with ``endpoint`` for MinIO and
            other S3-compatible servers.
        setting: looks up a variable, such as ``AWS_REGION``.

    Raises:
        SetupError: the URL or a setting is invalid.
    """
    parts = urlsplit(url)
    if parts.scheme not in _VARIABLES or not parts.hostname or parts.username or parts.fragment:
        raise SetupError(f"images: {parts.scheme}: the URL does not name a bucket", hint=_HINT)
    config = {key: value for name, key in _VARIABLES[parts.scheme].items() if (value := setting(name))}
    options = dict(parse_qsl(parts.query))
    if unknown := sorted(set(options) - _OPTIONS[parts.scheme]):
        known = ", ".join(sorted(_OPTIONS[parts.scheme]))
        raise SetupError(
            f"images: {parts.scheme}: unknown option {unknown[0]!r} in the URL", hint=f"known: {known}"
        )
    where = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
    return Bucket(_client(where, {**config, **options}), where)


def _client(where: str, config: dict[str, str]) -> Any:
    is_plain = any(config.get(key, "").startswith("http:") for key in ("endpoint", "base_url"))
    options: Any = {
        "connect_timeout": timedelta(seconds=CONNECT_TIMEOUT_S),
        "timeout": timedelta(seconds=REQUEST_TIMEOUT_S),
        "allow_http": is_plain,
    }
    retries: Any = {"max_retries": RETRIES, "retry_timeout": timedelta(seconds=RETRY_LIMIT_S)}
    anything: Any = config
    try:
        return obstore.store.from_url(where, config=anything, client_options=options, retry_config=retries)
    except (BaseError, ValueError) as exc:
        message = str(exc).partition("\n")[0]
        raise SetupError(
            f"images: {where}: {message}", hint="set the vendor's variables; see docs/stores.md"
        ) from exc
