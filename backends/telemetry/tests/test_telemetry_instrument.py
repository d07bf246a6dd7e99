"""Traces and metrics of real turns, exported to a real OTLP receiver on loopback."""

from __future__ import annotations

import json
import logging
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from otlp import Receiver
from starlette.testclient import TestClient

from promptvision import Agent
from promptvision.plugin import ChatReply, Settings, Usage
from promptvision.testing import Program, ScriptedPlanner, make_tools
from promptvision_telemetry import providers
from promptvision_telemetry.plugin import make_instrument

PROMPT = "change the red square to blue"
SERVER, CLIENT = 2, 3


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """An OTLP receiver on loopback."""
    with Receiver() as receiver:
        yield receiver


def settings(receiver_url: str | None, **variables: str) -> Settings:
    """Settings with only the core's plugins and this one."""
    others = {point.name for point in entry_points(group="promptvision")} - {"promptvision", "telemetry"}
    return Settings.from_mapping(
        {
            "PROMPTVISION_DISABLED_PLUGINS": ",".join(sorted(others)),
            "PROMPTVISION_IMAGES": "memory:",
            "PROMPTVISION_CONVERSATIONS": "memory:",
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver_url or "",
            **variables,
        }
    )


def make_agent(configured: Settings) -> Agent:
    """An agent with the tools of the test kit and this plugin."""
    return Agent(configured, tools=make_tools())


def test_trace_of_a_turn_over_http_is_nested(
    receiver: Receiver,
    scene_url: str,
    serve: Callable[[Agent], TestClient],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    client = serve(make_agent(settings(receiver.url)))
    body = {"prompt": PROMPT, "prompt_id": "p", "conversation_id": "c", "input_image_url": scene_url}
    reply = client.post("/chat", json=body, headers={"traceparent": parent}).json()
    receiver.wait_for("POST /chat")  # the last one to end
    assert reply["status"] == "done"
    request = receiver.one("POST /chat")
    assert (request.trace, request.parent) == ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")
    assert request.kind == SERVER
    assert request.attributes == {
        "http.request.method": "POST",
        "http.route": "/chat",
        "http.response.status_code": 200,
    }
    turn = receiver.one("invoke_agent promptvision")
    assert receiver.path(turn) == ["POST /chat", "invoke_agent promptvision"]
    assert turn.attributes["promptvision.turn.id"] == reply["turn_id"]
    assert turn.attributes["gen_ai.conversation.id"] == "c"
    assert turn.attributes["promptvision.turn.status"] == "done"
    planner = [span for span in receiver.spans if span.name == "chat offline"]
    assert len(planner) == 2
    for span in planner:
        assert receiver.path(span) == [*receiver.path(turn), "chat offline"]
        assert (span.attributes["gen_ai.operation.name"], span.kind) == ("chat", CLIENT)
    for step in reply["steps"]:
        call = receiver.one(f"execute_tool {step['tool']}")
        assert receiver.path(call) == [*receiver.path(turn), call.name]
        assert call.attributes["promptvision.operation"] == step["operation"]
        run = receiver.one(f"run {step['tool']}")
        assert receiver.path(run) == [*receiver.path(call), run.name]
        assert call.begin <= run.begin <= run.end <= call.end
    assert len(reply["steps"]) == 3
    stored = [receiver.path(span) for span in receiver.spans if span.name == "images put"]
    assert [*receiver.path(receiver.one("run fill")), "images put"] in stored
    claim = receiver.one("conversations claim_turn")
    assert receiver.path(claim) == [*receiver.path(turn), claim.name]
    assert {span.trace for span in receiver.spans} == {request.trace}
    assert {span.service for span in receiver.spans} == {"promptvision"}
    ids = [span.id for span in receiver.spans]
    assert len(set(ids)) == len(ids)


def test_trace_continues_in_worker_processes(receiver: Receiver, tmp_path: Path, photo: Path) -> None:
    """The command line, its executor ``processes``, and the tool of another distribution."""
    variables = {
        "PROMPTVISION_EXECUTOR": "processes",
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
        "OTEL_SERVICE_NAME": "vision",
    }
    ended = Program(tmp_path / "home", variables).run("run", photo, "make it black and white", "--json")
    assert ended.code == 0, ended.err
    tool = json.loads(ended.data)["steps"][0]["tool"]
    run = receiver.one(f"run {tool}")
    assert receiver.path(run) == ["invoke_agent promptvision", f"execute_tool {tool}", f"run {tool}"]
    inside = [span for span in receiver.spans if span.parent == run.id]
    assert "images put" in {span.name for span in inside}, "stored by the worker process"
    assert {span.service for span in receiver.spans} == {"vision"}


def test_prompts_and_images_are_not_exported_by_default(receiver: Receiver, scene_png: bytes) -> None:
    with make_agent(settings(receiver.url)) as agent:
        reply = agent.run_sync(PROMPT, image=scene_png)
    assert reply.status == "done"
    assert receiver.spans
    for secret in (PROMPT, "red square", reply.text_response, reply.image_id or ""):
        assert secret.encode() not in receiver.raw
    assert b"\x89PNG" not in receiver.raw
    assert len(receiver.raw) < 40_000


def test_contents_are_exported_if_the_setting_is_on(receiver: Receiver, scene_png: bytes) -> None:
    with make_agent(settings(receiver.url, PROMPTVISION_TELEMETRY_CONTENT="true")) as agent:
        reply = agent.run_sync(PROMPT, image=scene_png)
    turn = receiver.one("invoke_agent promptvision").attributes
    (asked,), (answered,) = (json.loads(turn[f"gen_ai.{way}.messages"]) for way in ("input", "output"))
    assert asked == {"role": "user", "parts": [{"type": "text", "content": PROMPT}]}
    assert answered["parts"][0]["content"] == reply.text_response
    step = receiver.one("execute_tool fill").attributes
    assert json.loads(step["gen_ai.tool.call.arguments"])["prompt"] == "blue"
    assert b"\x89PNG" not in receiver.raw


def test_a_failed_step_is_an_error_in_the_trace(receiver: Receiver, scene_png: bytes) -> None:
    with make_agent(settings(receiver.url)) as agent:
        assert agent.run_sync("change the green square to blue", image=scene_png).status == "failed"
    assert receiver.one("invoke_agent promptvision").attributes["promptvision.turn.status"] == "failed"


def test_metrics_are_exported(receiver: Receiver, scene_png: bytes) -> None:
    with make_agent(settings(receiver.url)) as agent:
        agent.run_sync(PROMPT, image=scene_png)
    ((labels, count, total),) = receiver.metrics["promptvision.turn.duration"]
    assert (labels["promptvision.turn.status"], count) == ("done", 1)
    assert total > 0
    steps = {labels["gen_ai.tool.name"] for labels, _, _ in receiver.metrics["promptvision.step.duration"]}
    assert steps == {"find_colour", "box_mask", "fill"}
    assert receiver.metrics["gen_ai.client.operation.duration"][0][1] == 2
    assert receiver.metrics["promptvision.store.duration"]
    everything = json.dumps(list(receiver.metrics.values()))
    assert "turn.id" not in everything
    assert "conversation" not in everything.replace('"conversations"', "")


def test_tokens_are_counted(receiver: Receiver, scene_png: bytes) -> None:
    planner = ScriptedPlanner([ChatReply(text="Hello.", usage=Usage(120, 7))], name="hosted")
    with Agent(settings(receiver.url), planner=planner) as agent:
        agent.run_sync("hello", image=scene_png)
    span = receiver.one("chat hosted").attributes
    assert (span["gen_ai.usage.input_tokens"], span["gen_ai.usage.output_tokens"]) == (120, 7)
    assert span["gen_ai.response.finish_reasons"] == ["stop"]
    counted = {
        labels["gen_ai.token.type"]: total
        for labels, _, total in receiver.metrics["gen_ai.client.token.usage"]
    }
    assert counted == {"input": 120, "output": 7}


def test_unresponsive_receiver_delays_only_the_shutdown(
    scene_png: bytes, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(providers, "TIMEOUT_S", 0.5)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with caplog.at_level(logging.CRITICAL), make_agent(settings(url)) as agent:
            assert agent.run_sync(PROMPT, image=scene_png).status == "done"
            began = time.monotonic()
        assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    "configured", [settings(None), settings("http://127.0.0.1:1", OTEL_SDK_DISABLED="true")]
)
def test_it_is_off_by_default(configured: Settings) -> None:
    assert make_instrument(configured) is None


def test_off_means_that_nothing_is_imported(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from promptvision import Agent\n"
        "agent = Agent()\n"
        "assert not agent.services.instruments\n"
        "assert not any(name.startswith('opentelemetry') for name in sys.modules), 'imported'\n"
        "agent.close_sync()\n"
    )
    environment = {
        "PATH": "/usr/bin:/bin",
        "PROMPTVISION_HOME": str(tmp_path),
        "PROMPTVISION_DISABLED_PLUGINS": "mcp",
    }
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, cwd=tmp_path)


def test_spans_go_to_the_provider_of_the_application(tmp_path: Path, photo: Path) -> None:
    code = (
        "import sys\n"
        "from opentelemetry import trace\n"
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "from opentelemetry.sdk.trace.export import SimpleSpanProcessor\n"
        "from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter\n"
        "spans, provider = InMemorySpanExporter(), TracerProvider()\n"
        "provider.add_span_processor(SimpleSpanProcessor(spans))\n"
        "trace.set_tracer_provider(provider)\n"
        "from promptvision import Agent\n"
        "with Agent() as agent, trace.get_tracer('app').start_as_current_span('app') as app:\n"
        "    agent.run_sync('make it black and white', image=sys.argv[1])\n"
        "names = [span.name for span in spans.get_finished_spans()]\n"
        "assert 'invoke_agent promptvision' in names, names\n"
    )
    environment = {"PATH": "/usr/bin:/bin", "PROMPTVISION_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code, str(photo)], env=environment, check=True, cwd=tmp_path)
