"""Serve the HTTP API with Ray Serve: many stateless frontends over one conversation store.

    pip install 'ray[serve]'
    serve run promptvision_ray.serve:deployment num_replicas=4

The replicas need a conversation store and an image store that they share, such as PostgreSQL and S3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from promptvision.plugin import SetupError, load_settings

if TYPE_CHECKING:
    from promptvision.plugin import Settings

__all__ = ["check_shared", "deployment"]

MAX_REQUESTS = 256
"""Requests of one replica at once; most of them wait for a planner or a tool."""


def deployment(args: dict[str, str]) -> Any:
    """The application for ``serve run``.

    Args:
        args: ``num_replicas``: number of frontends, default 1.

    Raises:
        SetupError: the stores are not shared between processes on several machines.
    """
    from ray import serve

    check_shared(load_settings())
    frontend = serve.deployment(
        num_replicas=int(args.get("num_replicas", "1")), max_ongoing_requests=MAX_REQUESTS
    )(serve.ingress(_make_app)(_Frontend))
    return frontend.bind()


def check_shared(settings: Settings) -> None:
    """Check that several frontends can use the stores of the settings.

    Raises:
        SetupError: a store exists in one process or on one machine only.
    """
    conversations = settings.conversations or "sqlite:"
    if conversations.startswith(("sqlite:", "memory:")):
        raise SetupError(
            "Ray Serve: the replicas need one conversation store that they share",
            hint="set PROMPTVISION_CONVERSATIONS to postgresql+psycopg://...",
        )
    if (settings.images or "").startswith("memory:"):
        raise SetupError(
            "Ray Serve: the replicas need one image store that they share",
            hint="set PROMPTVISION_IMAGES to s3://bucket",
        )


class _Frontend:
    """A replica: Ray Serve passes its requests to the app."""


def _make_app() -> Any:
    from promptvision.plugin import create_app

    return create_app()
