"""The choice of a language model in setup."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from promptvision.cli import setup_llm
from promptvision.cli.setup_llm import LocalHost, choose_llm, find_hosts
from promptvision.models.spec import ModelSpec, WeightFile
from promptvision.plugins.registry import Registry
from promptvision.plugins.specs import ProviderFactory
from promptvision.settings import Settings
from promptvision.testing.agents import make_registry


def serve(answer: bytes) -> HTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/v1/models" else 404)
            self.end_headers()
            self.wfile.write(answer)

    return HTTPServer(("127.0.0.1", 0), Handler)


@pytest.fixture
def ports() -> Iterator[dict[int, str]]:
    """Three servers: one with models, one that is something else, one without a model; and a free port."""
    answers = [json.dumps({"data": [{"id": "small"}, {"id": "large"}]}).encode(), b"<html>", b'{"data": []}']
    servers = [serve(answer) for answer in answers]
    threads = [
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}) for server in servers
    ]
    for thread in threads:
        thread.start()
    names = dict(zip((server.server_port for server in servers), ("Ollama", "Other", "Empty"), strict=True))
    yield {**names, 9: "Nothing"}
    for server, thread in zip(servers, threads, strict=True):
        server.shutdown()
        thread.join()
        server.server_close()


def test_only_a_server_that_lists_models_is_found(ports: dict[int, str]) -> None:
    (found,) = find_hosts(ports)
    port = next(iter(ports))
    assert found == LocalHost("Ollama", f"http://localhost:{port}/v1", ("small", "large"))
    assert find_hosts({}) == []


def unavailable(settings: Settings) -> str | None:
    return "no key"


def available(settings: Settings) -> str | None:
    return None


def nothing(settings: Settings) -> Any:
    raise NotImplementedError


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A plugin whose planner has no downloaded model, and Groq and OpenAI without keys."""
    monkeypatch.chdir(tmp_path)
    spec = ModelSpec(
        id="local-llm", source="a/b", revision="0", files=(WeightFile("x"),), license="MIT", plugin="test"
    )
    made = make_registry(models=[spec], settings=Settings(home=tmp_path, strict_plugins=True))
    test = next(plugin for plugin in made.plugins if plugin.name == "test")
    test.offers["promptvision_llm_providers"] = [
        ProviderFactory(name=name, priority=priority, unavailable=unavailable, create=nothing)
        for name, priority in (("local", 20), ("groq", 50), ("openai", 50))
    ]
    return made


def choose(registry: Registry, words: str, *, ask: bool = True) -> tuple[Result, str]:
    chosen: list[str] = []

    @click.command()
    def command() -> None:
        chosen.append(choose_llm(registry, ask=ask))

    done = CliRunner().invoke(command, input=words)
    assert done.exception is None, done.output
    return done, chosen[0]


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [LocalHost("Ollama", "http://localhost:11434/v1", ("qwen3:8b", "other"))]
    monkeypatch.setattr(setup_llm, "find_hosts", lambda: found)


def test_all_options_are_offered_and_none_is_the_default(
    registry: Registry, hosts: None, tmp_path: Path
) -> None:
    done, planner = choose(registry, "\n")
    assert planner == "offline"
    assert "1. Ollama on this machine, qwen3:8b" in done.stderr
    assert "2. the key of groq that you enter" in done.stderr
    assert "3. the key of openai that you enter" in done.stderr
    assert "4. local-llm in this process, no key" in done.stderr
    assert not (tmp_path / ".env").exists()


def test_a_host_on_this_machine_is_written_to_the_settings(
    registry: Registry, hosts: None, tmp_path: Path
) -> None:
    _, planner = choose(registry, "1\n")
    assert planner == "openai"
    text = (tmp_path / ".env").read_text()
    assert text == "OPENAI_BASE_URL='http://localhost:11434/v1'\nPROMPTVISION_OPENAI_MODEL='qwen3:8b'\n"


def test_a_key_is_asked_for_and_stored(registry: Registry, hosts: None, tmp_path: Path) -> None:
    _, planner = choose(registry, "2\ngsk_1\n")
    assert planner == "groq"
    assert (tmp_path / ".env").read_text() == "GROQ_API_KEY='gsk_1'\n"


def test_the_local_model_is_downloaded(
    registry: Registry, hosts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulled: list[str] = []

    def pull(specs: list[ModelSpec], settings: Settings) -> bool:
        pulled.extend(spec.id for spec in specs)
        return False

    monkeypatch.setattr("promptvision.cli.pulling.pull_models", pull)
    assert choose(registry, "4\n")[1] == "local"
    assert pulled == ["local-llm"]


def test_without_a_terminal_the_options_are_only_listed(
    registry: Registry, hosts: None, tmp_path: Path
) -> None:
    done, planner = choose(registry, "", ask=False)
    assert planner == "offline"
    assert "`promptvision setup` on a terminal offers: Ollama on this machine" in done.stderr
    assert not (tmp_path / ".env").exists()


def test_a_configured_model_is_kept(registry: Registry) -> None:
    test = next(plugin for plugin in registry.plugins if plugin.name == "test")
    factory = ProviderFactory(name="mine", priority=60, unavailable=available, create=nothing)
    test.offers["promptvision_llm_providers"].append(factory)
    done, planner = choose(registry, "")
    assert planner == "mine"
    assert "Language model: mine is configured." in done.stderr
