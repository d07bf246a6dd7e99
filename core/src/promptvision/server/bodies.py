"""Bodies as JSON: what requests may hold, reading them, and writing replies."""

from __future__ import annotations

import json
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

from promptvision.agent.request import check_id
from promptvision.conversations.store import clean_text
from promptvision.errors import ArgumentsError, InputError, NotFound

__all__ = ["ChatBody", "Json", "TitleBody", "id_in_path", "read_json", "read_model"]

M = TypeVar("M", bound=BaseModel)
Id = Annotated[str, StringConstraints(min_length=1)]


class ChatBody(BaseModel):
    """Body of ``POST /chat``. Unknown members are refused: no provider setting comes from a caller."""

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)

    user_id: Id | None = None
    prompt_id: Id
    prompt: Annotated[str, StringConstraints(strict=True)]
    conversation_id: Id
    input_image_url: Annotated[str, StringConstraints(strict=True)] | None = None


class TitleBody(BaseModel):
    """Body of ``PATCH /conversations/{id}``."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[
        str,
        StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=200),
        BeforeValidator(lambda title: clean_text(title) if isinstance(title, str) else title),
    ]


class Json(JSONResponse):
    """JSON that can always be sent: lone surrogates, as in undecodable file names, become question marks."""

    def render(self, content: Any) -> bytes:
        """The bytes of a document."""
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode("utf-8", "replace")


async def read_json(request: Request) -> dict[str, Any]:
    """The JSON object in a request's body.

    Raises:
        HTTPException: 415, it is not declared as JSON; 400, it is not JSON; 422, it is no object.
    """
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared != "application/json":
        raise HTTPException(415, "send JSON with 'Content-Type: application/json'")
    try:
        body = json.loads(await _read_body(request))
    except (ValueError, RecursionError) as exc:
        raise HTTPException(400, f"the body is not JSON: {str(exc)[:200]}") from exc
    if not isinstance(body, dict):
        raise HTTPException(422, "the body must be a JSON object")
    return body


async def _read_body(request: Request) -> bytes:
    """The bytes of a request's body.

    Raises:
        HTTPException: 400, the caller left before all of it was sent.
    """
    try:
        return await request.body()
    except ClientDisconnect as exc:
        raise HTTPException(400, "the request broke off") from exc


def id_in_path(request: Request, name: str) -> str:
    """An id in the path; one that no id can look like belongs to nothing.

    Raises:
        NotFound: it cannot be an id.
    """
    try:
        return check_id(name, request.path_params[name])
    except InputError as exc:
        raise NotFound(f"no such {name.removesuffix('_id')}") from exc


async def read_model(request: Request, model: type[M]) -> M:
    """The body as a model.

    Raises:
        ArgumentsError: one line per field that does not fit.
    """
    try:
        return model.model_validate(await read_json(request))
    except ValidationError as exc:
        raise ArgumentsError([_problem(error) for error in exc.errors()]) from exc


def _problem(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"]) or "body"
    return f"{where}: is needed" if error["type"] == "missing" else f"{where}: {error['msg']}"
