from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

from promptvision.testing.program import Ended, Program

Command = Callable[..., Ended]


def findings(command: Command, *words: str) -> dict[str, dict[str, Any]]:
    ended = command("doctor", "--json", *words)
    found = json.loads(ended.out)["findings"]
    assert ended.code == any(one["state"] == "fail" for one in found)
    return {one["check"]: one for one in found}


def test_everything_is_looked_at(command: Command) -> None:
    found = findings(command, "--offline")
    for check in (
        "machine",
        "devices",
        "home",
        "settings",
        "plugin promptvision",
        "plugin clitools",
        "operation mirror",
        "planner offline",
        "conversations",
        "images",
        "port",
    ):
        assert found[check]["state"] in ("ok", "warn"), found[check]
    assert found["moon"] == {"check": "moon", "state": "warn", "seen": "it is far away", "fix": "wait"}
    assert found["operation fetch_moon"]["state"] == "warn"
    assert "apt-get install moon" in found["operation fetch_moon"]["fix"]
    assert "schema" in found["conversations"]["seen"]


def test_check_that_raises_is_a_finding_and_exit_code_1(command: Command) -> None:
    ended = command("doctor", "--offline")
    assert ended.code == 1
    assert "this check is broken" in ended.out
    assert "checks failed" in ended.err


def test_broken_settings_are_a_finding(program: Program, command: Command) -> None:
    program.environment["PROMPTVISION_MAX_STEPS"] = "many"
    found = findings(command)
    assert list(found) == ["settings"]
    assert "PROMPTVISION_MAX_STEPS" in found["settings"]["seen"]


def test_no_secret_is_shown(program: Program, command: Command) -> None:
    secrets = {"GROQ_API_KEY": "gsk_0123456789abcdefghij", "PROMPTVISION_API_KEYS": "alice:open-sesame"}
    program.environment.update(secrets, PROMPTVISION_IMAGES="s3://user:hunter2@host/bucket")
    shown = command("doctor", "--offline")
    text = shown.out + shown.err + command("doctor", "--offline", "--json").out
    assert not any(secret in text for secret in ("gsk_0123456789abcdefghij", "open-sesame", "hunter2"))
    assert "alice:****" in text


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:pw@127.0.0.1:9/none",
        "postgresql://u:a@b:pw@127.0.0.1:9/none",
        "postgresql://u:a/pw@127.0.0.1:9/none",
        "postgresql://u:a pw@127.0.0.1:9/none",
        "postgresql://u@127.0.0.1:9/none?passwd=pw",
        "postgresql:u:pw@127.0.0.1:9/none",
        "host=127.0.0.1 password=pw",
        "none://u:pw@127.0.0.1",
    ],
)
def test_password_of_a_store_is_never_shown(program: Program, command: Command, url: str) -> None:
    program.environment["PROMPTVISION_CONVERSATIONS"] = url.replace("pw", "hunter2")
    shown = [command("doctor"), command("history", "list")]
    assert "conversations" in shown[0].out
    assert not any("hunter2" in each.out + each.err for each in shown)


def test_taken_port_is_a_warning(command: Command) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 5000))
        except OSError:
            pytest.skip("port 5000 is in use here")
        taken.listen()
        assert findings(command, "--offline")["port"]["state"] == "warn"


def test_remote_store_is_not_checked_offline(program: Program, command: Command) -> None:
    program.environment["PROMPTVISION_CONVERSATIONS"] = "postgresql://u:pw@127.0.0.1:9/none"
    assert "not checked" in findings(command, "--offline")["conversations"]["seen"]
    asked = findings(command)["conversations"]
    assert asked["state"] == "fail"
    assert ":pw@" not in asked["seen"]


def test_unknown_planner_is_a_failure(program: Program, command: Command) -> None:
    program.environment["PROMPTVISION_PLANNER"] = "oracle"
    assert "offline" in findings(command, "--offline")["planner oracle"]["fix"]
