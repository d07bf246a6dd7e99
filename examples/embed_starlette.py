"""Mount promptvision in Starlette: ``uvicorn examples.embed_starlette:app``, then ``POST /vision/chat``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from promptvision.server import create_app

vision = create_app()


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    """Start and stop the mounted application together with the host; Starlette does not do that by itself."""
    async with vision.router.lifespan_context(vision):
        yield


async def home(request: Request) -> PlainTextResponse:
    """A page of the host application."""
    return PlainTextResponse("The image assistant is mounted at /vision.")


app = Starlette(routes=[Route("/", home), Mount("/vision", vision)], lifespan=lifespan)
