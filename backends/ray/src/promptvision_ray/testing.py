"""A small Ray cluster of processes on this machine, for tests and benchmarks; not part of the wheel."""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

__all__ = ["LocalCluster", "local_cluster"]

ATTEMPTS = 3
OBJECT_STORE_BYTES = 80 * 2**20
VARIABLES = {
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_AUTH_MODE": "disabled",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_agent_register_timeout_ms": "300000",  # a busy machine starts processes slowly
    "RAY_health_check_period_ms": "500",  # a killed node is noticed soon
}


class LocalCluster:
    """Nodes as processes of this machine, without a dashboard.

    Args:
        num_cpus: CPUs that the head says it has.
    """

    def __init__(self, num_cpus: int) -> None:
        from ray.cluster_utils import Cluster

        self._cluster: Any = Cluster(shutdown_at_exit=True)
        self._start_node(include_dashboard=False, no_monitor=True, **_node_options(num_cpus))
        self.address: str = self._cluster.address

    def add_node(self, num_cpus: int, num_gpus: int = 0) -> Any:
        """Start another node; it has the GPUs that it says it has."""
        return self._start_node(num_gpus=num_gpus, **_node_options(num_cpus))

    def kill_node(self, node: Any) -> None:
        """Kill all processes of a node, as a failure of its machine would."""
        (raylet,) = node.all_processes["raylet"]
        for process in _children(raylet.process.pid):
            os.kill(process, signal.SIGKILL)
        self._cluster.remove_node(node, allow_graceful=False)

    def close(self) -> None:
        """End all nodes."""
        self._cluster.shutdown()

    def _start_node(self, **options: Any) -> Any:
        """Start a node; on a machine that is too busy for the 15 s that Ray gives its agent, try again."""
        for attempt in range(ATTEMPTS):
            try:
                return self._cluster.add_node(**options)
            except Exception:  # Ray raises Exception itself
                if attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")


@contextmanager
def local_cluster(num_cpus: int) -> Iterator[LocalCluster]:
    """A cluster that this process is connected to."""
    before = {name: os.environ.get(name) for name in VARIABLES}
    on_term = signal.getsignal(signal.SIGTERM)  # Ray sets its own
    os.environ.update(VARIABLES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of Ray
        import ray

        cluster = LocalCluster(num_cpus)
        try:
            ray.init(
                address=cluster.address,
                namespace="promptvision",
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
            yield cluster
        finally:
            ray.shutdown()
            cluster.close()
            del cluster
            signal.signal(signal.SIGTERM, on_term)
            gc.collect()  # Ray's handles of processes warn when they are collected
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def _node_options(num_cpus: int) -> dict[str, Any]:
    """Options of a node; with ports chosen here its start does not wait for its agents."""
    names = (
        "metrics_agent_port",
        "metrics_export_port",
        "dashboard_agent_listen_port",
        "runtime_env_agent_port",
    )
    ports = dict(zip(names, _free_ports(len(names)), strict=True))
    return {
        "num_cpus": num_cpus,
        "object_store_memory": OBJECT_STORE_BYTES,
        "include_log_monitor": False,
        **ports,
    }


def _children(process: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended just now
            if int(stat.read_text().rpartition(")")[2].split()[1]) == process:
                found.append(int(stat.parent.name))
    return found


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports
