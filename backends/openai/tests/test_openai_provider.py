from __future__ import annotations

from dataclasses import replace

import pytest

from promptvision.plugin import Settings, strict
from promptvision.testing import LLMServer, ProviderContract
from promptvision_openai.provider import OpenAIProvider, create


class TestOpenAI(ProviderContract):
    name = "openai"
    plugin_module = "promptvision_openai.plugin"
    sdk_modules = ("openai", "httpx", "httpx2")
    key_variable = "OPENAI_API_KEY"
    url_variable = "OPENAI_BASE_URL"
    model_variable = "PROMPTVISION_OPENAI_MODEL"
    model_setting = "PROMPTVISION_OPENAI_MODEL"
    default_model = "gpt-4.1-mini"

    @pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/"])
    def test_base_url_without_a_path_means_v1(self, server: LLMServer, path: str) -> None:
        server.reset(["Done."])
        assert self.ask(self.make(server, OPENAI_BASE_URL=server.url + path)).text == "Done."

    def test_own_host_needs_no_key_and_no_model_name(self, server: LLMServer) -> None:
        server.reset(["Done."])
        server.models = ["the-only-one"]
        assert self.ask(create(Settings.from_mapping({"OPENAI_BASE_URL": server.url}))).text == "Done."
        assert server.bodies[0]["model"] == "the-only-one"

    def test_strict_schema_reaches_the_host(self, server: LLMServer) -> None:
        server.reset(["Done."])
        provider = self.make(server)
        self.ask(OpenAIProvider(replace(provider._host, dialect=strict)))
        function = server.bodies[0]["tools"][0]["function"]
        assert function["strict"] is True
        assert function["parameters"]["required"] == ["image_url", "box_threshold"]


@pytest.mark.parametrize(
    ("url", "is_strict"),
    [
        ("", True),
        ("https://example.openai.azure.com/openai/v1/", True),
        ("http://localhost:11434", False),
        ("https://openai.com.example.org/v1", False),
    ],
)
def test_strict_mode_is_used_only_for_hosts_that_support_it(url: str, is_strict: bool) -> None:
    provider = create(Settings.from_mapping({"OPENAI_API_KEY": "x", "OPENAI_BASE_URL": url}))
    wire = provider._host.dialect(ProviderContract.request.functions[0].parameters)
    assert wire.get("strict", False) is is_strict


@pytest.mark.parametrize(
    ("values", "model"),
    [
        ({"LLM_NAME": "shared"}, "shared"),
        ({"LLM_NAME": "shared", "GROQ_API_KEY": "x"}, None),
        ({"LLM_NAME": "shared", "PROMPTVISION_OPENAI_MODEL": "own"}, "own"),
    ],
)
def test_established_name_sets_the_model_unless_it_is_groqs(
    values: dict[str, str], model: str | None
) -> None:
    assert create(Settings.from_mapping({"OPENAI_API_KEY": "x", **values}))._host.model == model
