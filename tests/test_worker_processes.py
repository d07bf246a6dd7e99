"""A server whose tools run in worker processes keeps running when tools crash."""

from __future__ import annotations

from pathlib import Path

import httpx

from promptvision.testing.executor_tools import install_trial_plugin
from promptvision.testing.server import ServerProcess


def test_http_server_survives_a_tool_that_crashes(tmp_path: Path) -> None:
    site = install_trial_plugin(tmp_path / "site")
    variables = {"PROMPTVISION_EXECUTOR": "processes", "PROMPTVISION_WORKERS": "1"}
    with ServerProcess(tmp_path / "home", variables, path=[site]) as server:
        process = server.pid
        answers = [
            httpx.post(f"{server.url}/tools/{name}", json={"text": name}, timeout=60)
            for name in ("trial_segfault", "trial_exit", "trial", "trial_echo")
        ]
        assert [answer.is_success for answer in answers] == [False, False, True, True]
        assert "was killed by SIGSEGV" in answers[0].text
        assert answers[3].json()["text"] == "trial_echo"
        assert server.pid == process
        assert httpx.get(f"{server.url}/health", timeout=60).is_success
