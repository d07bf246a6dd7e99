"""The request for a turn, validated before anything is stored."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from promptvision.conversations.store import clean_text
from promptvision.conversations.turn import TurnKey, new_id
from promptvision.errors import InputError, TooLarge
from promptvision.llm.planner import Planner
from promptvision.types import Box, ImageRef

__all__ = [
    "ID_PATTERN",
    "LOCAL_USER",
    "MAX_ID_CHARS",
    "MAX_PROMPT_CHARS",
    "ChatInput",
    "Selection",
    "Source",
    "check_id",
    "check_user",
]

LOCAL_USER = "local"
"""Owner of all data when users are not distinguished."""

Source = bytes | str | Path | ImageRef
"""An image in a request: bytes, a URL, a ``data:`` URI, a stored one, or (CLI and Python) a path."""

MAX_PROMPT_CHARS = 20_000
MAX_BOXES = 100

MAX_ID_CHARS = 128
ID_PATTERN = (
    r"^[^\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff9-\ufffb]+$"
)
"""Characters of ids of callers: no control, format or line separator characters.

The pattern means the same in Python and in ECMA-262, the dialect of JSON Schema.
"""
_ID = re.compile(ID_PATTERN)
_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Selection:
    """The part of the image that a request is about, selected by hand rather than by words.

    Args:
        mask: 0 keep, 255 edit; same size as the image.
        boxes: in pixels of the image.
    """

    mask: Source | None = None
    boxes: tuple[Box, ...] = ()


@dataclass(frozen=True)
class ChatInput:
    """A validated request.

    Args:
        key: the idempotency key; ids that the caller did not pass are generated.
        prompt: the user's message, cleaned.
        image: the image sent with it.
        allow_paths: whether a path may be read.
        fingerprint: digest of the prompt, the image and the selection as sent.
        selection: the part of the image that it is about.
        planner: decides the steps of this turn; None: the agent's planner.
    """

    key: TurnKey
    prompt: str
    image: Source | None
    allow_paths: bool
    fingerprint: str
    selection: Selection = Selection()
    planner: Planner | None = None

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
        mask: Source | None = None,
        boxes: Sequence[Box] = (),
        planner: Planner | None = None,
    ) -> ChatInput:
        """Validate a request.

        Raises:
            InputError: the prompt is empty or too long, or an id has characters that ids cannot have.
        """
        prompt = check_prompt(prompt)
        key = TurnKey(
            check_user(user_id),
            check_id("conversation_id", conversation_id) if conversation_id else new_id(),
            check_id("prompt_id", prompt_id) if prompt_id else new_id(),
        )
        if len(boxes) > MAX_BOXES:
            raise InputError(f"boxes: {len(boxes)} boxes; at most {MAX_BOXES} are accepted")
        selection = Selection(mask, tuple(boxes))
        fingerprint = _fingerprint(prompt, image, selection)
        return cls(key, prompt, image, allow_paths, fingerprint, selection, planner)


def check_prompt(prompt: str) -> str:
    """The prompt without NUL, lone surrogates and surrounding whitespace."""
    if not isinstance(prompt, str):
        raise InputError("prompt: must be text", hint="say what you want done to the image")
    if len(prompt) > MAX_PROMPT_CHARS:
        raise TooLarge(f"prompt: {len(prompt)} characters; at most {MAX_PROMPT_CHARS} are accepted")
    cleaned = clean_text(prompt).strip()
    if not cleaned:
        raise InputError("prompt: is empty", hint="say what you want done to the image")
    return cleaned


def check_id(name: str, value: str) -> str:
    """Check an id of the caller: 1 to 128 printable characters, as identity providers and clients make them.

    Args:
        name: of the field, for the message.
        value: such as ``auth0|123``, ``2024-01-01T10:00:00Z`` or ``user/1``.

    Raises:
        InputError: it is empty, too long, or holds control or format characters.
    """
    is_text = isinstance(value, str) and len(value) <= MAX_ID_CHARS and not _SURROGATES.search(value)
    if not (is_text and _ID.fullmatch(value)):
        raise InputError(f"{name}: use 1 to {MAX_ID_CHARS} printable characters")
    return value


def check_user(value: str) -> str:
    """Check a user id, see :func:`check_id`."""
    return check_id("user_id", value)


def _fingerprint(prompt: str, image: Source | None, selection: Selection) -> str:
    """Digest a URL instead of its content, which may change between two tries of one request."""
    digest = hashlib.sha256(prompt.encode())
    _add_source(digest, image)
    if selection.mask is not None:
        digest.update(b"\0mask")
        _add_source(digest, selection.mask)
    if selection.boxes:
        digest.update(f"\0boxes{selection.boxes}".encode())
    return digest.hexdigest()


def _add_source(digest: hashlib._Hash, source: Source | None) -> None:
    if isinstance(source, bytes):
        digest.update(b"\0bytes" + hashlib.sha256(source).digest())
    elif source is not None:
        digest.update(b"\0source" + str(source).encode("utf-8", "replace"))
