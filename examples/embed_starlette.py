"""Mount promptvision in a Starlette application: ``uvicorn examples.embed_starlette:app``, then ``POST /vision/chat``."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from promptvision.server import create_app


async def home(request: Request) -> PlainTextResponse:
    """A page of the host application."""
    return PlainTextResponse("The image assistant is mounted at /vision.")


vision = create_app()
app = Starlette(
    routes=[Route("/", home), Mount("/vision", vision)],
    lifespan=lambda _: vision.router.lifespan_context(vision),
)
