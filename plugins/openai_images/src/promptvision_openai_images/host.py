"""The host: a client of the official SDK, with its errors and results converted to promptvision's."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx2
import openai

from promptvision.plugin import (
    IDENTITY,
    InputError,
    SetupError,
    ToolContext,
    ToolFailed,
    limit_response,
    normalise,
)
from promptvision_openai_images.plugin import COSTS, KEY, OpenAIImagesSection

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Host", "connect"]

_MAX_RESPONSE_BYTES = 64 * 2**20
"""Maximum size of a response in bytes; an image as base64 takes a few megabytes."""
_CONNECT_TIMEOUT_S = 10.0
_RETRIES = 2
_ALWAYS_BASE64 = ("gpt-image", "chatgpt-image")
"""Models that always return base64 and reject the parameter for it."""


@dataclass(frozen=True, kw_only=True)
class Host:
    """A connection for one call.

    Args:
        client: the SDK's client.
        name: name of the host, for messages.
        image_model: edits and generates.
        chat_model: answers questions.
    """

    client: openai.OpenAI
    name: str
    image_model: str
    chat_model: str

    @property
    def image_options(self) -> dict[str, Any]:
        """Arguments of every call that returns an image."""
        is_fixed = self.image_model.startswith(_ALWAYS_BASE64)
        return {"model": self.image_model, "n": 1, **({} if is_fixed else {"response_format": "b64_json"})}

    def read_image(self, response: Any) -> Image:
        """The first image of a response, decoded as untrusted data.

        Raises:
            ToolFailed: there is no image, or it cannot be decoded.
        """
        data = getattr(response, "data", None) or [None]
        encoded = getattr(data[0], "b64_json", None)
        if not isinstance(encoded, str):
            raise ToolFailed(
                f"openai_images: {self.name} returned no image data; URLs are not followed, so the host must "
                "return b64_json"
            )
        try:
            return normalise(base64.b64decode(encoded, validate=True)).image
        except (binascii.Error, InputError) as exc:
            raise ToolFailed(
                f"openai_images: {self.name} returned an image that cannot be read: {exc}"
            ) from exc


@contextmanager
def connect(context: ToolContext) -> Iterator[Host]:
    """Connect to the configured host; errors of the SDK are converted to those of promptvision.

    Raises:
        SetupError: the host rejects the key or does not know the model.
        ToolFailed: the host cannot be reached, does not answer in time, or fails.
    """
    section = context.settings.section(OpenAIImagesSection)
    key = context.settings.value(KEY) or ""
    name = urlsplit(section.openai_images_url).netloc.rpartition("@")[2]
    if not name:
        raise SetupError(
            f"openai_images: PROMPTVISION_OPENAI_IMAGES_URL is {section.openai_images_url!r}",
            hint="give a URL such as http://localhost:8000/v1",
        )
    context.progress(0, 1, f"sending to {name}. {COSTS}")
    hook = limit_response(httpx2.SyncByteStream, _MAX_RESPONSE_BYTES, _too_long(name))
    with (
        _converted(name, key, section.openai_images_timeout_s),
        openai.OpenAI(
            api_key=key,
            base_url=section.openai_images_url,
            timeout=openai.Timeout(section.openai_images_timeout_s, connect=_CONNECT_TIMEOUT_S),
            max_retries=_RETRIES,
            http_client=openai.DefaultHttpxClient(headers=IDENTITY, event_hooks={"response": [hook]}),
        ) as client,
    ):
        yield Host(
            client=client,
            name=name,
            image_model=section.openai_images_model,
            chat_model=section.openai_images_chat_model,
        )
    context.check_cancelled()


def _too_long(name: str) -> Any:
    return lambda reason: ToolFailed(f"openai_images: {name}: {reason}")


@contextmanager
def _converted(name: str, key: str, timeout_s: float) -> Iterator[None]:
    try:
        yield
    except (openai.AuthenticationError, openai.PermissionDeniedError) as exc:
        raise SetupError(
            f"openai_images: {name} rejects the key: {_error_message(exc, key)}", hint=f"set {KEY}"
        ) from exc
    except openai.NotFoundError as exc:
        raise SetupError(
            f"openai_images: {name} does not know this model or route: {_error_message(exc, key)}",
            hint="set PROMPTVISION_OPENAI_IMAGES_MODEL, PROMPTVISION_OPENAI_IMAGES_CHAT_MODEL or "
            "PROMPTVISION_OPENAI_IMAGES_URL",
        ) from exc
    except openai.APITimeoutError as exc:
        raise ToolFailed(f"openai_images: {name} did not answer within {timeout_s:g} s") from exc
    except openai.APIConnectionError as exc:
        if isinstance(exc.__cause__, ToolFailed):
            raise exc.__cause__ from None
        cause = exc.__cause__ or exc
        raise ToolFailed(f"openai_images: cannot connect to {name}: {cause}") from exc
    except openai.OpenAIError as exc:
        raise ToolFailed(f"openai_images: {name} failed: {_error_message(exc, key)}") from exc


def _error_message(exc: Exception, key: str) -> str:
    """The host's message in one line, without the key."""
    text = " ".join(str(exc).split())[:500]
    return text.replace(key, "***") if key else text
