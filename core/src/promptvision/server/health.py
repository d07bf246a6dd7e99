"""Liveness (``/health``) and readiness (``/ready``)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from promptvision.agent.agent import Agent
from promptvision.errors import StoreError
from promptvision.server.bodies import Json

__all__ = ["get_health", "get_ready"]


async def get_health(request: Request) -> Response:
    """Always 200: the process answers."""
    return Json({"status": "ok"})


async def get_ready(request: Request) -> Response:
    """200 when the conversation store answers and at least one operation can run here, else 503."""
    agent: Agent = request.app.state.agent
    checks = {"operations": "ok" if agent.registry.functions() else "no tool can run here"}
    try:
        await agent.services.conversations.conversations("ready", limit=1)
        checks["conversations"] = "ok"
    except StoreError as exc:
        checks["conversations"] = str(exc)
    is_ready = all(state == "ok" for state in checks.values())
    return Json({"status": "ok" if is_ready else "unavailable", "checks": checks}, 200 if is_ready else 503)
