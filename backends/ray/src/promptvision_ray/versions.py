"""The versions of everything that must be equal on all nodes of a cluster."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from importlib.metadata import distributions
from typing import Any

from promptvision.plugin import Finding, PromptvisionError, Settings
from promptvision_ray.connection import all_nodes, connect, disconnect

__all__ = ["check_nodes", "differences", "node_versions", "own_versions"]

ANSWER_S = 60.0
"""How long a node may take to start a process and answer."""


def own_versions() -> dict[str, str]:
    """Versions of Python, Ray and the distributions of promptvision in this environment."""
    found = {"python": platform.python_version()}
    for distribution in distributions():
        name = distribution.metadata["Name"]
        if name == "ray" or name.split("-")[0] == "promptvision":
            found[name] = distribution.version
    return found


def node_versions() -> dict[str, dict[str, str] | None]:
    """The versions on each node of the connected cluster, by host name and node id; None: no answer."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    remote: Any = ray.remote(num_cpus=0)(_versions_text)
    asked = {
        remote.options(
            scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        ).remote(): f"{node['NodeManagerHostname']} ({node['NodeID'][:8]})"
        for node in all_nodes()
        if node["Alive"]
    }
    ready, _ = ray.wait(list(asked), num_returns=len(asked), timeout=ANSWER_S)
    return {name: _answer(ref) if ref in ready else None for ref, name in asked.items()}


def differences(own: Mapping[str, str], others: Mapping[str, Mapping[str, str] | None]) -> list[str]:
    """One line for each node whose versions differ.

    Args:
        own: the versions here.
        others: the versions on each node.
    """
    found = []
    for node, versions in sorted(others.items()):
        if versions is None:
            found.append(f"node {node} does not answer, or has no promptvision-ray")
            continue
        wrong = [
            f"{name} {versions.get(name) or 'missing'} (here {version})"
            for name, version in own.items()
            if versions.get(name) != version
        ]
        if wrong:
            found.append(f"node {node}: {', '.join(wrong)}")
    return found


def check_nodes(settings: Settings) -> Finding:
    """Compare the versions on all nodes with those here, for ``promptvision doctor``.

    Args:
        settings: name the cluster.
    """
    try:
        is_owner = connect(settings)
    except PromptvisionError as exc:
        return Finding("ray", "fail", exc.message, exc.hint or "")
    try:
        others = node_versions()
    finally:
        if is_owner:
            disconnect()
    wrong = differences(own_versions(), others)
    if wrong:
        return Finding("ray", "fail", "; ".join(wrong), "install the same versions on all nodes")
    return Finding("ray", "ok", f"{len(others)} nodes with the same versions as here")


def _versions_text() -> str:
    return json.dumps(own_versions())


def _answer(ref: Any) -> dict[str, str] | None:
    import ray
    from ray.exceptions import RayError

    try:
        found: dict[str, str] = json.loads(ray.get(ref))
    except RayError:
        return None
    return found
