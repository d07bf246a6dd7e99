"""``promptvision run`` when the configured LLM provider fails: said on stderr, and in the exit code."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from promptvision.builtin.samples import still_life
from promptvision.testing.llm_faults import Fault
from promptvision.testing.llm_server import LLMServer
from promptvision.testing.program import Program


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    file = tmp_path / "photo.png"
    still_life().save(file)
    return file


@pytest.mark.parametrize(("backend", "variable"), [("groq", "GROQ"), ("openai", "OPENAI")])
def test_wrong_key_is_named_and_is_exit_code_3(
    tmp_path: Path, photo: Path, backend: str, variable: str
) -> None:
    with LLMServer() as server:
        server.reset(otherwise=Fault.status(401, message="Invalid API Key"))
        url = server.groq_url if backend == "groq" else server.openai_url
        variables = {f"{variable}_API_KEY": "wrong", f"{variable}_BASE_URL": url, "LLM_NAME": "some-model"}
        program = Program(tmp_path / "home", variables)
        fulfilled = program.run("run", photo, "make it black and white")
        other = program.run("run", photo, "sing me a song")
    for ended in (fulfilled, other):
        assert ended.code == 3
        assert f"{backend}: HTTP 401: Invalid API Key; asking offline instead" in ended.err
    assert "black and white" in fulfilled.out


def test_host_that_never_answers_costs_the_first_byte_limit(tmp_path: Path, photo: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        variables = {
            "GROQ_API_KEY": "key",
            "GROQ_BASE_URL": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "LLM_NAME": "some-model",
            "PROMPTVISION_LLM_FIRST_BYTE_S": "0.5",
        }
        ended = Program(tmp_path / "home", variables).run(
            "run", photo, "make it black and white", timeout_s=40
        )
    assert ended.code == 3
    assert "groq: no answer from http://127.0.0.1" in ended.err
    assert "within 0.5 s; asking offline instead" in ended.err
