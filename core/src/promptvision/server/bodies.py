"""JSON bodies: request models, reading within limits, and JSON responses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Annotated, Any, NoReturn, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

from promptvision.agent.request import ID_PATTERN, MAX_ID_CHARS, MAX_PROMPT_CHARS, check_id
from promptvision.conversations.store import clean_text
from promptvision.errors import ArgumentsError, InputError, NotFound
from promptvision.types import Box

__all__ = [
    "HAS_TEXT",
    "IMAGE_BODY",
    "SAFE_HEADERS",
    "SMALL_BODY",
    "ChatBody",
    "Id",
    "Json",
    "TitleBody",
    "id_in_path",
    "is_json",
    "read_json",
    "read_model",
]

M = TypeVar("M", bound=BaseModel)

SMALL_BODY = 64 * 2**10
"""Maximum size of a JSON body without an image, in bytes."""
IMAGE_BODY = 28 * 10**6
"""Maximum size of a JSON body with a data URL, in bytes; the server's limit on all bodies is lower."""
MAX_ERRORS = 20
"""Maximum number of problems in one error response."""


def _int_to_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Id = Annotated[
    str,
    StringConstraints(min_length=1),
    BeforeValidator(_int_to_text),
    WithJsonSchema(
        {"type": ["string", "integer"], "minLength": 1, "maxLength": MAX_ID_CHARS, "pattern": ID_PATTERN}
    ),
]
"""Convert an integer id to text. :class:`ChatInput` checks the characters."""
SAFE_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
"""Headers of responses that browsers must neither sniff nor cache."""
HAS_TEXT = {"pattern": r"[^\s\x00\x1c-\x1f\x85]"}
"""Schema of a text that is not empty once cleaned; Python has more space characters than ECMA 262."""


class ChatBody(BaseModel):
    """Body of ``POST /chat``. Unknown members are rejected: a caller cannot change provider settings."""

    model_config = ConfigDict(extra="forbid")

    user_id: Id | None = None
    prompt_id: Id
    prompt: Annotated[
        str,
        StringConstraints(strict=True),
        Field(json_schema_extra={"maxLength": MAX_PROMPT_CHARS, **HAS_TEXT}),
    ]
    conversation_id: Id
    input_image_url: Annotated[str, StringConstraints(strict=True)] | None = None
    input_mask_url: Annotated[str, StringConstraints(strict=True)] | None = Field(
        None, description="The part of the image that the prompt is about: 0 keep, 255 edit."
    )
    input_boxes: Annotated[list[Box], Field(max_length=100)] | None = Field(
        None, description="Boxes that the prompt is about, [x1, y1, x2, y2] in pixels of the image."
    )


class TitleBody(BaseModel):
    """Body of ``PATCH /conversations/{id}``."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[
        str,
        StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=200),
        BeforeValidator(lambda title: clean_text(title) if isinstance(title, str) else title),
        Field(json_schema_extra=HAS_TEXT),
    ]


class Json(JSONResponse):
    """A JSON response with ``nosniff`` and ``no-store``.

    Lone surrogates, as in undecodable file names, are written as question marks.
    """

    def __init__(
        self,
        content: Any,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
    ) -> None:
        super().__init__(content, status_code, {**SAFE_HEADERS, **(headers or {})}, media_type)

    def render(self, content: Any) -> bytes:
        """Encode a document."""
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode("utf-8", "replace")


async def read_json(request: Request, limit: int = SMALL_BODY) -> dict[str, Any]:
    """Read the JSON object in a request's body. Authenticate the request first.

    Args:
        request: its body has not been read.
        limit: maximum size in bytes; :class:`~promptvision.server.body_limit.BodyLimit` limits the parts.

    Raises:
        HTTPException: 415, it is not declared as JSON; 413, it is over the limit; 400, it is not JSON;
            422, it is not an object.
    """
    if not is_json(request.headers.get("content-type", "")):
        raise HTTPException(415, "send JSON with 'Content-Type: application/json'")
    data = await _read_body(request, limit)
    if len(data) <= SMALL_BODY:
        body = _parse(data)
    else:
        body = await asyncio.get_running_loop().run_in_executor(_parser(), _parse, data)
    if not isinstance(body, dict):
        raise HTTPException(422, "the body must be a JSON object")
    return body


@cache
def _parser() -> ThreadPoolExecutor:
    """The thread that parses large bodies, one at a time, since a body is copied twice meanwhile."""
    return ThreadPoolExecutor(1, thread_name_prefix="json")


def is_json(content_type: str) -> bool:
    """Whether a ``Content-Type`` declares JSON."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type in ("application/json", "text/json"):
        return True
    return media_type.startswith("application/") and media_type.endswith("+json")


def _parse(data: bytearray) -> Any:
    try:
        return json.loads(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as exc:
        raise HTTPException(400, f"the body is not JSON: {str(exc)[:200]}") from exc


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


async def _read_body(request: Request, limit: int) -> bytearray:
    """Read the bytes of a request's body.

    Raises:
        HTTPException: 413, there are more than the limit; 400, the client left before all of it was sent.
    """
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise HTTPException(
                    413, f"the JSON body is over {limit // 2**10} KiB", {"Connection": "close"}
                )
    except ClientDisconnect as exc:
        raise HTTPException(400, "the client closed the connection before the end of the body") from exc
    return body


def id_in_path(request: Request, name: str) -> str:
    """The id in a path.

    Raises:
        NotFound: it is not a valid id.
    """
    try:
        return check_id(name, request.path_params[name])
    except InputError as exc:
        raise NotFound(f"no such {name.removesuffix('_id')}") from exc


async def read_model(request: Request, model: type[M], limit: int = SMALL_BODY) -> M:
    """Read a body and validate it.

    Raises:
        HTTPException: see :func:`read_json`.
        ArgumentsError: one line per invalid member, at most 20.
    """
    body = await read_json(request, limit)
    unknown = [name for name in body if name not in model.model_fields]
    if len(unknown) > MAX_ERRORS:  # validation would create an error object for each
        lines = [f"{name[:64]}: Extra inputs are not permitted" for name in unknown[:MAX_ERRORS]]
        raise ArgumentsError([*lines, f"and {len(unknown) - MAX_ERRORS} more"])
    try:
        return model.model_validate(body)
    except ValidationError as exc:
        errors = exc.errors(include_url=False, include_input=False)
        raise ArgumentsError([_problem(error) for error in errors[:MAX_ERRORS]]) from exc


def _problem(error: Any) -> str:
    where = ".".join(str(part)[:64] for part in error["loc"]) or "body"
    return f"{where}: is needed" if error["type"] == "missing" else f"{where}: {error['msg']}"
