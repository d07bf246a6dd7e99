"""Hook implementations of promptvision-web."""

from __future__ import annotations

from typing import TYPE_CHECKING

from promptvision.plugin import Section, hookimpl
from promptvision_web.settings import WebSettings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.routing import BaseRoute

PLUGIN_API = 1


@hookimpl
def promptvision_routes() -> Iterable[BaseRoute]:
    """The page at ``/``, its files, and the requests that only the page makes."""
    from promptvision_web.routes import ROUTES

    return ROUTES


@hookimpl
def promptvision_settings() -> list[type[Section]]:
    """Settings of the page."""
    return [WebSettings]
