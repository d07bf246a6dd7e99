"""What a caller sends, checked before anything is written."""

from __future__ import annotations

import hashlib
import re
import uuid
from dataclasses import dataclass
from pathlib import Path

from promptvision.conversations.store import clean_text
from promptvision.conversations.turn import TurnKey
from promptvision.errors import InputError, TooLarge
from promptvision.types import ImageRef

__all__ = ["ChatInput", "Source", "check_id", "check_user"]

Source = bytes | str | Path | ImageRef
"""An image as callers give it: bytes, a URL, a ``data:`` URI, a stored one, or (CLI and Python) a path."""

MAX_PROMPT_CHARS = 20_000

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_USER = re.compile(r"[A-Za-z0-9_.@+-]{1,128}", re.ASCII)


@dataclass(frozen=True)
class ChatInput:
    """One request, checked.

    Args:
        key: the idempotency key; ids that the caller left out are fresh.
        prompt: the user's words, cleaned.
        image: the image sent with them.
        allow_paths: whether a path may be read.
        fingerprint: digest of the prompt and of the image as it was named.
    """

    key: TurnKey
    prompt: str
    image: Source | None
    allow_paths: bool
    fingerprint: str

    @classmethod
    def make(
        cls,
        prompt: str,
        *,
        image: Source | None,
        user_id: str,
        conversation_id: str | None,
        prompt_id: str | None,
        allow_paths: bool,
    ) -> ChatInput:
        """Check a request.

        Raises:
            InputError: empty or too long a prompt, or an id with characters that ids cannot have.
        """
        prompt = check_prompt(prompt)
        key = TurnKey(
            check_user(user_id),
            check_id("conversation_id", conversation_id or uuid.uuid4().hex),
            check_id("prompt_id", prompt_id or uuid.uuid4().hex),
        )
        return cls(key, prompt, image, allow_paths, _fingerprint(prompt, image))


def check_prompt(prompt: str) -> str:
    """The prompt without NUL, lone surrogates and outer white space."""
    if not isinstance(prompt, str):
        raise InputError("prompt: a text is needed", hint="say what you want done to the picture")
    if len(prompt) > MAX_PROMPT_CHARS:
        raise TooLarge(f"prompt: {len(prompt)} characters; at most {MAX_PROMPT_CHARS} are accepted")
    cleaned = clean_text(prompt).strip()
    if not cleaned:
        raise InputError("prompt: it is empty", hint="say what you want done to the picture")
    return cleaned


def check_id(name: str, value: str) -> str:
    """An id of 1 to 64 letters, digits, ``_`` and ``-``."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise InputError(f"{name}: use 1 to 64 letters, digits, '_' and '-'")
    return value


def check_user(value: str) -> str:
    """A user id of 1 to 128 letters, digits and ``_ . @ + -``."""
    if not isinstance(value, str) or not _USER.fullmatch(value):
        raise InputError("user_id: use 1 to 128 letters, digits and '_', '.', '@', '+', '-'")
    return value


def _fingerprint(prompt: str, image: Source | None) -> str:
    """An image counts as it was named: what a URL serves may change between two tries of one request."""
    digest = hashlib.sha256(prompt.encode())
    if isinstance(image, bytes):
        digest.update(b"\0bytes" + hashlib.sha256(image).digest())
    elif image is not None:
        digest.update(b"\0named" + str(image).encode("utf-8", "replace"))
    return digest.hexdigest()
