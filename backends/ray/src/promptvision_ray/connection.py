"""Connect this process to a Ray cluster, or start one on this machine."""

from __future__ import annotations

import logging
import os
from typing import Any

from promptvision.plugin import Settings, SetupError
from promptvision_ray.settings import RaySettings

__all__ = ["NAMESPACE", "all_nodes", "connect", "disconnect"]

NAMESPACE = "promptvision"
"""Ray namespace of the worker actors."""

OBJECT_STORE_BYTES = 128 * 2**20
"""Size of the object store of a local cluster: only short texts go through it."""

_DEFAULTS = {
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",  # workers use the environment of their node
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


def connect(settings: Settings) -> bool:
    """Connect to the cluster at ``RAY_ADDRESS``, or start one on this machine. Takes seconds.

    Returns:
        Whether this call made the connection; then end it with :func:`disconnect`.

    Raises:
        SetupError: the cluster cannot be reached, or has another version of Ray or Python.
    """
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    import ray

    if ray.is_initialized():
        return False
    address = settings.section(RaySettings).address
    if address is not None and address.startswith("ray://"):
        raise SetupError(
            "executor 'ray': RAY_ADDRESS is that of Ray Client, which cannot be used here",
            hint="run promptvision on a node of the cluster and set RAY_ADDRESS to HOST:6379",
        )
    options: dict[str, Any] = {"namespace": NAMESPACE, "log_to_driver": False, "logging_level": logging.ERROR}
    if address is None:
        options.update(address="local", include_dashboard=False, object_store_memory=OBJECT_STORE_BYTES)
    else:
        options["address"] = address
    try:
        ray.init(**options)
    except Exception as exc:  # Ray raises many types, and Exception itself
        where = f"the cluster at {address}" if address else "Ray on this machine"
        raise SetupError(
            f"executor 'ray': cannot connect to {where}: {_first_line(exc)}",
            hint="check RAY_ADDRESS, and that all nodes have the same versions of Python and Ray",
        ) from exc
    return True


def all_nodes() -> list[dict[str, Any]]:
    """The nodes of the connected cluster, those that have ended included, as Ray describes them."""
    import ray

    read: Any = ray.nodes  # it has no annotations
    nodes: list[dict[str, Any]] = read()
    return nodes


def disconnect() -> None:
    """End the connection, and the local cluster if there is one."""
    import ray

    ray.shutdown()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
