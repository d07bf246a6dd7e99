"""Read the Cloudinary account, folder and delivery type from a URL and the settings."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from promptvision.plugin import SetupError

__all__ = ["Account", "read_account"]

_HINT = (
    "set CLOUDINARY_NAME, CLOUDINARY_API_KEY and CLOUDINARY_API_SECRET, or write "
    "cloudinary://key:secret@name; see docs/stores.md"
)
_FOLDER = re.compile(r"[A-Za-z0-9_-]{1,64}(/[A-Za-z0-9_-]{1,64}){0,7}")
_OPTIONS = {"upload_prefix", "cname", "secure", "secure_distribution", "private_cdn"}
"""Options of the SDK that the URL may contain, as in Cloudinary's own ``CLOUDINARY_URL``."""
_SWITCHES = {"secure", "private_cdn"}
_DELIVERIES = {"public": "upload", "signed": "authenticated"}


@dataclass(frozen=True, kw_only=True)
class Account:
    """The account and folder that images are stored in.

    Args:
        cloud_name: the account's name.
        api_key: not secret.
        api_secret: signs uploads and, when ``is_signed``, delivery URLs.
        folder: prefix of public ids.
        is_signed: whether only signed URLs can be read.
        options: options of the SDK for hosts other than Cloudinary's usual ones.
    """

    cloud_name: str
    api_key: str
    api_secret: str = field(repr=False)
    folder: str
    is_signed: bool
    options: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """Cloudinary's delivery type: ``upload`` or ``authenticated``."""
        return _DELIVERIES["signed" if self.is_signed else "public"]

    @property
    def credentials(self) -> dict[str, Any]:
        """Options for each call of the SDK, whose global configuration is not changed."""
        names = {"cloud_name": self.cloud_name, "api_key": self.api_key, "api_secret": self.api_secret}
        return {**names, **self.options}


def read_account(url: str, setting: Callable[[str], str | None]) -> Account:
    """Read ``cloudinary:`` with variables, or ``cloudinary://key:secret@name?options``.

    Args:
        url: the URL; missing parts are read from the variables.
        setting: looks up a variable, such as ``CLOUDINARY_NAME``.

    Raises:
        SetupError: a value is missing or invalid. Secrets are not shown.
    """
    parts = urlsplit(url)
    given, _, name = parts.netloc.rpartition("@")
    key, _, secret = given.partition(":")
    words = {
        "CLOUDINARY_NAME": unquote(name),
        "CLOUDINARY_API_KEY": unquote(key),
        "CLOUDINARY_API_SECRET": unquote(secret),
    }
    known = {word: value or setting(word) or "" for word, value in words.items()}
    if missing := [word for word, value in known.items() if not value]:
        raise SetupError(f"images: cloudinary: {', '.join(missing)} not set", hint=_HINT)
    delivery = setting("PROMPTVISION_CLOUDINARY_DELIVERY") or "public"
    if delivery not in _DELIVERIES:
        raise SetupError(
            f"images: cloudinary: PROMPTVISION_CLOUDINARY_DELIVERY is {delivery!r}",
            hint="set public or signed",
        )
    return Account(
        cloud_name=known["CLOUDINARY_NAME"],
        api_key=known["CLOUDINARY_API_KEY"],
        api_secret=known["CLOUDINARY_API_SECRET"],
        folder=_folder(setting("PROMPTVISION_CLOUDINARY_FOLDER") or "promptvision"),
        is_signed=delivery == "signed",
        options=_options(parts.query),
    )


def _folder(text: str) -> str:
    if not _FOLDER.fullmatch(text):
        raise SetupError(
            f"images: cloudinary: PROMPTVISION_CLOUDINARY_FOLDER is {text[:80]!r}",
            hint="use letters, digits, - and _, in at most eight parts separated by /",
        )
    return text


def _options(query: str) -> dict[str, Any]:
    options: dict[str, Any] = {"secure": True}
    for name, value in parse_qsl(query):
        if name not in _OPTIONS:
            known = ", ".join(sorted(_OPTIONS))
            raise SetupError(
                f"images: cloudinary: unknown option {name!r} in the URL", hint=f"known: {known}"
            )
        options[name] = value.lower() in ("1", "true") if name in _SWITCHES else value
    return options
