from __future__ import annotations

import time
from email.utils import formatdate
from types import SimpleNamespace
from typing import Any

import pytest

from promptvision.errors import ProviderError
from promptvision.llm.failures import HostErrors, error_object, one_line, provider_error


class APIStatusError(Exception):
    """Named and shaped as in both SDKs."""

    def __init__(self, status_code: int, body: object = None, **headers: str) -> None:
        super().__init__(f"Error code: {status_code}")
        self.status_code = status_code
        self.body = body
        self.response = SimpleNamespace(
            headers={name.replace("_", "-"): value for name, value in headers.items()}
        )


@pytest.mark.parametrize(
    ("status", "body", "kind", "retryable"),
    [
        (400, {"code": "model_decommissioned"}, "model_gone", False),
        (404, {"error": {"message": 'model "x" not found, try pulling it first'}}, "model_gone", False),
        (404, {"detail": "Not Found"}, "bad_request", False),
        (401, None, "auth", False),
        (403, None, "auth", False),
        (429, {"code": "insufficient_quota"}, "auth", False),
        (408, None, "timeout", True),
        (429, None, "rate_limit", True),
        (413, None, "bad_request", False),
        (422, "no", "bad_request", False),
        (409, None, "server", True),
        (500, None, "server", True),
        (529, None, "server", True),
    ],
)
def test_status_and_code_give_the_kind(status: int, body: Any, kind: str, retryable: bool) -> None:
    error = provider_error(APIStatusError(status, body), "host")
    assert (error.kind, error.retryable) == (kind, retryable)
    assert error.message.startswith(f"host: HTTP {status}: ")


@pytest.mark.parametrize(
    ("status", "body", "kind", "retryable", "rejected"),
    [
        (400, {"error": {"code": "bad_output", "output": "find{}"}}, "invalid_call", False, "find{}"),
        (400, {"code": "bad_output", "output": None}, "invalid_call", False, ""),
        (498, None, "rate_limit", True, ""),
        (400, {"code": "other", "output": 7}, "bad_request", False, ""),
    ],
)
def test_host_has_errors_of_its_own(
    status: int, body: Any, kind: str, retryable: bool, rejected: str
) -> None:
    own = HostErrors(kinds={"bad_output": "invalid_call", 498: "rate_limit"}, rejected_field="output")
    error = provider_error(APIStatusError(status, body), "host", "", own)
    assert (error.kind, error.retryable, error.rejected) == (kind, retryable, rejected)


def test_host_asks_for_a_wait_with_a_status_of_its_own() -> None:
    own = HostErrors(kinds={498: "rate_limit"})
    assert provider_error(APIStatusError(498, retry_after="3"), "host", "", own).retry_after_s == 3


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"retry_after": "3"}, 3),
        ({"retry_after": "0.25"}, 0.25),
        ({"retry_after_ms": "1500", "retry_after": "2"}, 1.5),
        ({"retry_after": "-5"}, 0),
        ({"retry_after": "soon"}, None),
        ({}, None),
        ({"retry_after": formatdate(0, usegmt=True)}, 0),
    ],
)
def test_retry_after_in_all_its_forms(headers: dict[str, str], wait_s: float | None) -> None:
    assert provider_error(APIStatusError(429, **headers), "host").retry_after_s == wait_s


def test_retry_after_as_a_date_to_come() -> None:
    wait_s = provider_error(
        APIStatusError(503, retry_after=formatdate(time.time() + 30, usegmt=True)), "host"
    ).retry_after_s
    assert wait_s == pytest.approx(30, abs=2)


def test_host_may_say_whether_to_try_again() -> None:
    assert not provider_error(APIStatusError(503, x_should_retry="false"), "host").retryable
    assert provider_error(APIStatusError(400, x_should_retry="true"), "host").retryable


@pytest.mark.parametrize(
    ("exc", "kind"),
    [
        (TimeoutError(), "timeout"),
        (ConnectionResetError("reset"), "connection"),
        (ValueError("?"), "malformed"),
    ],
)
def test_other_errors_by_their_class_tree(exc: Exception, kind: str) -> None:
    assert provider_error(exc, "host").kind == kind


def test_provider_error_stays_what_it_is() -> None:
    error = ProviderError("host: cut", kind="cut")
    assert provider_error(error, "host") is error


def test_secret_is_masked_in_message_and_body() -> None:
    error = provider_error(APIStatusError(401, {"message": "bad key sk-1234"}), "host", "sk-1234")
    assert "bad key ***" in error.message
    assert error.body == {"message": "bad key ***"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": {"message": "m"}}, "m"),
        ({"error": "m"}, "m"),
        ({"detail": "m"}, "m"),
        ({"object": "error", "message": "m"}, "m"),
        ("m", "m"),
        (None, None),
        ([1], None),
    ],
)
def test_error_object_however_it_is_wrapped(body: object, message: str | None) -> None:
    assert error_object(body).get("message") == message


def test_foreign_text_is_one_short_printable_line() -> None:
    assert one_line("a\n\tb\x1b[31m c") == "a b?[31m c"
    assert len(one_line("x" * 10_000)) == 300
