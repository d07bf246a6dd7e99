"""Errors as data: each arrives as its own class, or as ToolFailed with its text."""

from __future__ import annotations

import pytest

from promptvision import errors
from promptvision.errors import (
    ArgumentsError,
    Busy,
    Cancelled,
    InputError,
    PluginError,
    PromptvisionError,
    ProviderError,
    SetupError,
    StoreError,
    ToolFailed,
)
from promptvision.models.placement import is_out_of_memory
from promptvision.runtime.failure import Failure


def cross(error: BaseException) -> Exception:
    data = Failure.model_validate_json(Failure.of(error).model_dump_json())
    return data.to_error("test: tool 'saw'")


EVERY = [
    *(
        getattr(errors, name)("out of film", hint="buy some")
        for name in errors.__all__
        if name not in ("ArgumentsError", "Busy", "LeaseLost", "PluginError", "ProviderError", "StoreError")
        and isinstance(getattr(errors, name), type)
    ),
    ArgumentsError(["prompt: is needed", "box: too small"]),
    Busy("later", retry_after_s=7),
    PluginError("saw", "blunt"),
    StoreError("down", retryable=True, hint="start it"),
    ProviderError("slow", kind="rate_limit", retryable=True, retry_after_s=3, body={"code": 1}),
]


@pytest.mark.parametrize("error", EVERY, ids=lambda error: type(error).__name__)
def test_error_of_the_core_arrives_with_all_its_fields(error: PromptvisionError) -> None:
    arrived = cross(error)
    assert type(arrived) is type(error)
    assert vars(arrived) == vars(error)
    assert str(arrived) == str(error)


@pytest.mark.parametrize(
    "error", [ValueError("odd"), KeyError("x"), TimeoutError("the camera"), ZeroDivisionError("by zero")]
)
def test_python_error_arrives_as_itself(error: Exception) -> None:
    arrived = cross(error)
    assert (type(arrived), str(arrived)) == (type(error), str(error))


class OutOfFilm(InputError):
    pass


class Jam(Exception):
    pass


def test_error_class_of_a_plugin_arrives_as_its_nearest_base_in_the_core() -> None:
    arrived = cross(OutOfFilm("no film"))
    assert (type(arrived), str(arrived)) == (InputError, "no film")


@pytest.mark.parametrize("error", [Jam("paper"), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad byte")])
def test_unknown_error_keeps_its_name_and_text(error: Exception) -> None:
    arrived = cross(error)
    assert type(arrived) is ToolFailed
    assert str(arrived) == f"test: tool 'saw': {type(error).__name__}: {error}"


def test_out_of_memory_is_recognised_on_the_other_side() -> None:
    class OutOfMemoryError(RuntimeError):
        pass

    assert is_out_of_memory(cross(MemoryError("8 GB")))
    assert is_out_of_memory(cross(OutOfMemoryError("CUDA out of memory")))
    assert not is_out_of_memory(cross(ValueError("odd")))


def test_what_no_json_can_hold_is_left_out() -> None:
    error = SetupError("no key")
    vars(error)["client"] = object()
    assert vars(cross(error)) == {"message": "no key", "hint": None, "needs": None}


def test_traceback_is_for_the_log() -> None:
    with pytest.raises(Cancelled) as info:
        raise Cancelled("enough")
    assert "test_failure.py" in Failure.of(info.value).traceback


def test_long_text_is_cut() -> None:
    assert len(Failure.of(ValueError("x" * 100_000)).message) == 4_000
