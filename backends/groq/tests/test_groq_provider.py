from __future__ import annotations

import pytest

from promptvision.plugin import ProviderError, Settings
from promptvision.testing import Fault, LLMServer, ProviderContract
from promptvision_groq.provider import create


class TestGroq(ProviderContract):
    name = "groq"
    plugin_module = "promptvision_groq.plugin"
    sdk_modules = ("groq", "httpx", "httpx2")
    key_variable = "GROQ_API_KEY"
    url_variable = "GROQ_BASE_URL"
    model_variable = "PROMPTVISION_GROQ_MODEL"
    model_setting = "LLM_NAME"
    default_model = "openai/gpt-oss-20b"
    base_path = "/openai/v1"

    @pytest.mark.parametrize("path", ["", "/openai/v1/"])
    def test_base_url_may_have_the_path_of_the_api(self, server: LLMServer, path: str) -> None:
        server.reset(["Done."])
        assert self.ask(self.make(server, GROQ_BASE_URL=server.url + path)).text == "Done."

    def test_schema_accepts_text_and_calls_come_one_by_one(self, server: LLMServer) -> None:
        server.reset(["Done."])
        self.ask(self.make(server))
        assert server.bodies[0]["parallel_tool_calls"] is False
        parameters = server.bodies[0]["tools"][0]["function"]["parameters"]
        assert parameters["properties"]["box_threshold"]["anyOf"] == [
            {"type": "number"},
            {"type": "string"},
            {"type": "null"},
        ]

    def test_established_name_sets_the_model(self, server: LLMServer) -> None:
        server.reset(["Done."])
        self.ask(self.make(server, PROMPTVISION_GROQ_MODEL="", LLM_NAME="known-by-this-name"))
        assert server.bodies[0]["model"] == "known-by-this-name"

    def test_capacity_exceeded_is_a_rate_limit(self, server: LLMServer) -> None:
        server.reset([Fault.status(498, retry_after="2")])
        with pytest.raises(ProviderError) as caught:
            self.ask(self.make(server))
        error = caught.value
        assert (error.kind, error.retryable, error.retry_after_s) == ("rate_limit", True, 2)


def test_host_of_the_sdk_is_the_default() -> None:
    assert create(Settings.from_mapping({"GROQ_API_KEY": "x"}))._host.base_url == "https://api.groq.com"
