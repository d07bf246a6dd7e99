"""Choose a language model in ``promptvision setup``: a key, a host on this machine, or a local model."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from promptvision.cli.output import say

if TYPE_CHECKING:
    from promptvision.models.spec import ModelSpec
    from promptvision.plugins.registry import Registry

__all__ = ["PORTS", "LocalHost", "choose_llm", "find_hosts"]

PORTS: Mapping[int, str] = {11434: "Ollama", 1234: "LM Studio", 8080: "llama.cpp", 8000: "vLLM"}
"""Default port of each server of language models to its name."""
TIMEOUT_S = 1.0
MAX_BYTES = 2**20


@dataclass(frozen=True)
class LocalHost:
    """A server of language models on this machine: its name, base URL, and the models that it lists."""

    name: str
    url: str
    models: tuple[str, ...]


def find_hosts(ports: Mapping[int, str] = PORTS) -> list[LocalHost]:
    """Ask the usual ports of this machine for their models, in parallel.

    Args:
        ports: port to the name of the server that uses it by default.
    """
    with ThreadPoolExecutor(len(ports) or 1) as pool:
        return [found for found in pool.map(lambda port: _ask_host(port, ports[port]), ports) if found]


def _ask_host(port: int, name: str) -> LocalHost | None:
    """The server at a port; None if there is none that lists models."""
    url = f"http://localhost:{port}/v1"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}/models", timeout=TIMEOUT_S) as answer:
            listed = json.loads(answer.read(MAX_BYTES))
        models = tuple(str(model["id"]) for model in listed["data"])
    except (OSError, ValueError, KeyError, TypeError):  # nothing listens, or something else does
        return None
    return LocalHost(name, url, models) if models else None


@dataclass(frozen=True)
class _Option:
    """One way to get a language model: what it is, and what to do when it is chosen."""

    text: str
    choose: Callable[[], str]


def choose_llm(registry: Registry, *, ask: bool) -> str:
    """Offer language models if none is configured; return the name of the planner that is used then.

    Args:
        registry: what is installed.
        ask: whether the user can be asked; else the ways to get one are printed.
    """
    usable = [one.name for one in registry.providers if one.unavailable(registry.settings) is None]
    if usable and usable[0] != "offline":
        say(f"Language model: {usable[0]} is configured.")
        return usable[0]
    options = _options(registry)
    if not options:
        return "offline"
    if not ask:
        ways = "; ".join(option.text for option in options)
        say(f"No language model is configured; `promptvision setup` on a terminal offers: {ways}.")
        return "offline"
    say("A language model understands free wording. Choose one:")
    for number, option in enumerate(options, start=1):
        say(f"  {number}. {option.text}")
    say("  0. none: the built-in planner understands simple instructions, offline")
    chosen = click.prompt("Number", type=click.IntRange(0, len(options)), default=0, err=True)
    return options[chosen - 1].choose() if chosen else "offline"


def _options(registry: Registry) -> list[_Option]:
    providers = {factory.name for factory in registry.providers}
    options: list[_Option] = []
    if "openai" in providers:
        options += [
            _Option(f"{host.name} on this machine, {host.models[0]}", _use_host(host))
            for host in find_hosts()
        ]
    options += [
        _Option(f"the key of {name} that you enter", _enter_key(name, variable))
        for name, variable in (("groq", "GROQ_API_KEY"), ("openai", "OPENAI_API_KEY"))
        if name in providers
    ]
    for planner, spec in _local_models(registry):
        options.append(_Option(f"{spec.id} in this process, no key", _pull_model(registry, planner, spec)))
    return options


def _local_models(registry: Registry) -> Sequence[tuple[str, ModelSpec]]:
    """Models of plugins that offer a planner, each with the name of the planner."""
    planners = {
        plugin.name: plugin.offers["promptvision_llm_providers"][0].name
        for plugin in registry.plugins
        if plugin.offers.get("promptvision_llm_providers")
    }
    return [(planners[spec.plugin], spec) for spec in registry.models.values() if spec.plugin in planners]


def _use_host(host: LocalHost) -> Callable[[], str]:
    def choose() -> str:
        from promptvision.cli.env_file import store_variable

        store_variable("OPENAI_BASE_URL", host.url)
        path = store_variable("PROMPTVISION_OPENAI_MODEL", host.models[0])
        say(f"wrote OPENAI_BASE_URL and PROMPTVISION_OPENAI_MODEL to {path}", fg="green")
        return "openai"

    return choose


def _enter_key(name: str, variable: str) -> Callable[[], str]:
    def choose() -> str:
        from promptvision.cli.env_file import store_variable
        from promptvision.cli.keys import read_key

        path = store_variable(variable, read_key(name))
        say(f"wrote {variable} to {path}", fg="green")
        return name

    return choose


def _pull_model(registry: Registry, planner: str, spec: ModelSpec) -> Callable[[], str]:
    def choose() -> str:
        from promptvision.cli.pulling import pull_models

        has_failed = pull_models([spec], registry.settings)
        return "offline" if has_failed else planner

    return choose
