"""``promptvision ray``: the cluster that runs tools."""

from __future__ import annotations

import json
from typing import Any

import click

from promptvision.plugin import load_settings
from promptvision_ray.actor import CONTROL
from promptvision_ray.connection import NAMESPACE, all_nodes, connect, disconnect
from promptvision_ray.versions import differences, node_versions, own_versions

__all__ = ["list_actors", "ray_group", "read_status", "show_status"]

ANSWER_S = 10.0
"""How long an actor may take to describe itself."""


@click.group("ray")
def ray_group() -> None:
    """Show the Ray cluster that runs tools."""


@ray_group.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def status(as_json: bool) -> int:
    """Show the nodes, their versions, and the worker actors; exit 1 if versions differ."""
    is_owner = connect(load_settings())
    try:
        found = read_status()
    finally:
        if is_owner:
            disconnect()
    if as_json:
        click.echo(json.dumps(found, indent=1))
    else:
        show_status(found)
    return 1 if found["differences"] else 0


def read_status() -> dict[str, Any]:
    """The nodes and worker actors of the connected cluster, and differences of versions."""
    nodes = [
        {
            "node": node["NodeManagerHostname"],
            "id": node["NodeID"][:8],
            "is_alive": node["Alive"],
            "resources": {
                name: amount for name, amount in node["Resources"].items() if not name.startswith("node:")
            },
        }
        for node in all_nodes()
    ]
    return {
        "nodes": nodes,
        "actors": list_actors(),
        "differences": differences(own_versions(), node_versions()),
    }


def list_actors() -> list[dict[str, Any]]:
    """The state that each worker actor reports, those of other drivers included."""
    import ray

    named = ray.util.list_named_actors(all_namespaces=True)
    found: list[dict[str, Any]] = []
    asked: dict[Any, str] = {}
    for each in named:
        if each["namespace"] == NAMESPACE:
            try:
                actor: Any = ray.get_actor(each["name"], each["namespace"])
            except ValueError:  # it has ended just now
                continue
            asked[actor.describe.options(concurrency_group=CONTROL).remote()] = each["name"]
    ready, _ = ray.wait(list(asked), num_returns=len(asked), timeout=ANSWER_S) if asked else ([], [])
    for ref, name in asked.items():
        about: dict[str, Any] = {"name": name}
        try:
            about |= json.loads(ray.get(ref)) if ref in ready else {"state": "starting or busy"}
        except ray.exceptions.RayError:
            about["state"] = "ended"
        found.append(about)
    return found


def show_status(found: dict[str, Any]) -> None:
    """Print what :func:`read_status` returns."""
    click.echo("NODES")
    for node in found["nodes"]:
        amounts = ", ".join(f"{name} {amount:g}" for name, amount in sorted(node["resources"].items()))
        click.echo(f"  {node['node']} {node['id']}  {'alive' if node['is_alive'] else 'dead'}  {amounts}")
    click.echo("ACTORS")
    for actor in found["actors"]:
        about = {name: value for name, value in actor.items() if name != "name" and value not in ("", [])}
        click.echo(f"  {actor['name']}  " + ", ".join(f"{name} {value}" for name, value in about.items()))
    if not found["actors"]:
        click.echo("  none")
    for line in found["differences"]:
        click.echo(f"VERSIONS DIFFER  {line}", err=True)
