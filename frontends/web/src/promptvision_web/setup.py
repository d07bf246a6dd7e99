"""The setup panel: planner, models and findings of the doctor, and pulling models."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from promptvision import Agent
from promptvision.plugin import (
    Forbidden,
    ModelSpec,
    NotFound,
    PromptvisionError,
    Settings,
    diagnose,
    missing_weights,
    pull,
    pull_bytes,
    user_of,
)
from promptvision_web.settings import WebSettings

__all__ = ["diagnose_server", "is_operator", "pull_model", "setup_info"]

_PROGRESS_S = 0.2


def is_operator(settings: Settings, user: str) -> bool:
    """Whether a user may change the server: anyone on loopback without keys, else the configured users.

    Without keys the server answers on loopback alone.
    """
    if not settings.api_keys:
        return True
    return user in settings.section(WebSettings).admins


async def setup_info(request: Request) -> Response:
    """Describe models and planner for the setup panel."""
    agent: Agent = request.app.state.agent
    user = user_of(request, agent.settings)
    models = await asyncio.to_thread(_models, agent.registry.models.values(), agent.settings)
    operator = is_operator(agent.settings, user)
    planner = agent.services.planner.name
    return JSONResponse({"is_operator": operator, "planner": planner, "models": models})


async def diagnose_server(request: Request) -> Response:
    """Run the checks of ``promptvision doctor`` that need no network.

    Raises:
        Forbidden: the user is not an operator.
    """
    agent = _agent_of_operator(request)
    findings = await asyncio.to_thread(_findings, agent)
    return JSONResponse({"findings": findings})


def _findings(agent: Agent) -> list[dict[str, Any]]:
    return [asdict(finding) for finding in diagnose(agent.registry, agent.settings, offline=True)]


def _agent_of_operator(request: Request) -> Agent:
    agent: Agent = request.app.state.agent
    if not is_operator(agent.settings, user_of(request, agent.settings)):
        raise Forbidden("only an operator may do this; name the user in PROMPTVISION_WEB_ADMINS")
    return agent


def _models(specs: Iterable[ModelSpec], settings: Settings) -> list[dict[str, Any]]:
    return [
        {
            "id": spec.id,
            "license": spec.license,
            "license_url": spec.license_url,
            "bytes": pull_bytes(spec),
            "present": missing_weights(spec, settings) is None,
        }
        for spec in specs
    ]


async def pull_model(request: Request) -> Response:
    """Pull a model's weights and stream the progress as server-sent events.

    Raises:
        Forbidden: the user is not an operator.
        NotFound: no such model.
    """
    agent = _agent_of_operator(request)
    spec = agent.registry.models.get(request.path_params["model_id"])
    if spec is None:
        raise NotFound("no such model")
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return StreamingResponse(_pull(spec, agent), media_type="text/event-stream", headers=headers)


async def _pull(spec: ModelSpec, agent: Agent) -> AsyncIterator[str]:
    """Events of a pull. It continues when the client disconnects; the next one gets its current state."""
    latest: dict[str, Any] = {"done": 0, "total": pull_bytes(spec)}

    def note(done: float, total: float, message: str = "") -> None:
        latest.update(done=done, total=total, message=message)

    task = asyncio.create_task(asyncio.to_thread(pull, spec, agent.settings, note))
    while not task.done():
        yield _event(latest)
        await asyncio.wait({task}, timeout=_PROGRESS_S)
    error = task.exception()
    if error is None:
        agent.registry.availability.invalidate()
        yield _event({"done": latest["total"], "total": latest["total"], "finished": True})
    elif isinstance(error, PromptvisionError):
        yield _event({"error": str(error)})
    else:
        yield _event({"error": f"{type(error).__name__}: {error}"})


def _event(document: dict[str, Any]) -> str:
    return f"data: {json.dumps(document)}\n\n"
