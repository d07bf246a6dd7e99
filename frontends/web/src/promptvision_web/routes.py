"""All routes of the page."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from promptvision_web.page import asset, index
from promptvision_web.setup import diagnose_server, pull_model, setup_info
from promptvision_web.thumbnails import first_image
from promptvision_web.uploads import post_url

__all__ = ["ROUTES"]

ROUTES: list[BaseRoute] = [
    Route("/", index, methods=["GET"]),
    Route("/icon.svg", asset, methods=["GET"]),
    Route("/assets/{name}", asset, methods=["GET"]),
    Route("/samples/{name}", asset, methods=["GET"]),
    Route("/web/images", post_url, methods=["POST"]),
    Route("/web/conversations/{conversation_id}/image", first_image, methods=["GET"]),
    Route("/web/setup", setup_info, methods=["GET"]),
    Route("/web/doctor", diagnose_server, methods=["GET"]),
    Route("/web/models/{model_id}/pull", pull_model, methods=["POST"]),
]
