"""Mount promptvision in FastAPI and use the same agent in a route: ``uvicorn examples.embed_fastapi:app``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import FastAPI, Form, Response, UploadFile

from promptvision import Agent
from promptvision.server import create_app

agent = Agent()
vision = create_app(agent=agent)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Start and stop the mounted application together with the host."""
    async with vision.router.lifespan_context(vision):
        yield


app = FastAPI(lifespan=lifespan)
app.mount("/vision", vision)


@app.post("/grey")
async def grey(image: UploadFile, user: Annotated[str, Form()] = "guest") -> Response:
    """Return an upload in black and white as PNG."""
    reply = await agent.run("make it black and white", image=await image.read(), user_id=user)
    if reply.image_id is None:
        return Response(reply.text_response, status_code=422)
    return Response(agent.images.get(reply.image_id), media_type="image/png")
