"""The Grafana dashboard asks for metrics and labels that ``/metrics`` has."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from promptvision.agent.agent import Agent
from promptvision.testing.agents import make_agent
from promptvision.tools.tool import Tool

DASHBOARD = Path(__file__).parent.parent / "docs/grafana/promptvision.json"


def expressions() -> list[str]:
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


def test_every_metric_of_the_dashboard_exists_with_its_labels(
    serve: Callable[[Agent], TestClient],
    tools: list[Tool],
    chat_body: Callable[..., dict[str, Any]],
    scene_url: str,
) -> None:
    client = serve(make_agent(tools))
    for number in range(2):  # the second one is answered from the result cache
        body = chat_body(input_image_url=scene_url, conversation_id=f"c{number}")
        assert client.post("/chat", json=body).json()["status"] == "done"
    text = client.get("/metrics").text
    offered = {
        name: set(re.findall(r"(\w+)=", labels))
        for name, labels in re.findall(r"^(promptvision_\w+)(?:\{(.*)\})? ", text, re.MULTILINE)
    }
    assert len(expressions()) == 13
    for expression in expressions():
        names = re.findall(r"promptvision_\w+", expression)
        assert names
        wanted = {label for group in re.findall(r"by \(([^)]*)\)", expression) for label in group.split(", ")}
        wanted |= set(re.findall(r"(\w+)=~?\"", expression)) - {"instance"}
        for name in names:
            assert name in offered, f"{name} is not in /metrics"
            assert wanted <= offered[name], f"{name} has no label {wanted - offered[name]}"


def test_panels_do_not_overlap() -> None:
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    cells = [
        (x, y)
        for panel in panels
        for place in [panel["gridPos"]]
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in panels}) == len(panels)
