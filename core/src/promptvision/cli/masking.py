"""Mask secrets in values of settings and in messages."""

from __future__ import annotations

import re

__all__ = ["masked", "masked_url"]

_CREDENTIALS = re.compile(r"(://[^/\s:@]*):[^\s]*@")
_ANY_CREDENTIALS = re.compile(r"(://[^/\s:@]*):.*@", re.DOTALL)
_OPEN_OPTIONS = "base_url|database|dbname|endpoint|host|mode|port|region|sslmode|user"
_OPTIONS = re.compile(rf"([?&](?!(?:{_OPEN_OPTIONS})=)[^=&\s,]+=)[^&\s,]+", re.IGNORECASE)
_PLAIN = re.compile(r"[A-Za-z0-9+.-]+:?[\w./-]*")


def masked(text: str, secrets: list[str]) -> str:
    """Mask the secrets in a text; a long secret keeps its last four characters for identification.

    Passwords in URLs, and all options of URLs except those that are known not to be secret, are masked too.
    """
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "****" + (secret[-4:] if len(secret) >= 16 else ""))
    return _OPTIONS.sub(r"\1****", _CREDENTIALS.sub(r"\1:****@", text))


def masked_url(value: str) -> str:
    """The URL of a store without password and secret options, however it is written.

    A value that is not a URL may be a connection string, and is not shown.
    """
    if "://" in value:
        return _OPTIONS.sub(r"\1****", _ANY_CREDENTIALS.sub(r"\1:****@", value))
    return value if _PLAIN.fullmatch(value) else "****"
