"""The result cache: what makes two calls equal, and what is evicted first."""

from __future__ import annotations

from dataclasses import replace

from promptvision.runtime.cache import ResultCache, call_digest
from promptvision.runtime.call import CallOutput
from promptvision.tools import operations
from promptvision.tools.tool import Result, Tool
from promptvision.types import ImageRef, Target

TOOL = Tool(name="find", operation=operations.DETECT, run="nowhere:run").owned_by("test", "1.0")
A, B = ImageRef("a" * 64), ImageRef("b" * 64)


def args(image: ImageRef = A, prompt: str = "cat", **more: float) -> operations.DetectArgs:
    return operations.DetectArgs(image_url=image, prompt=Target(prompt), **more)


def test_equal_calls_have_one_digest_defaults_included() -> None:
    assert call_digest(TOOL, args()) == call_digest(TOOL, args(box_threshold=0.45))
    assert len(call_digest(TOOL, args())) == 64


def test_whatever_decides_the_result_changes_the_digest() -> None:
    calls = [
        (TOOL, args()),
        (TOOL, args(image=B)),
        (TOOL, args(prompt="dog")),
        (TOOL, args(text_threshold=0.5)),
        (replace(TOOL, name="find_2"), args()),
        (replace(TOOL, version="1.1"), args()),
        (replace(TOOL, plugin="other"), args()),
    ]
    assert len({call_digest(*call) for call in calls}) == len(calls)


def test_least_recently_used_result_goes_first() -> None:
    cache = ResultCache(limit=2)
    one, two, three = (CallOutput(Result(message=name), ()) for name in "123")
    cache.put("1", one)
    cache.put("2", two)
    assert cache.get("1") is one
    cache.put("3", three)
    assert [cache.get(digest) for digest in "123"] == [one, None, three]


def test_newer_result_replaces_the_older() -> None:
    cache = ResultCache(limit=2)
    old, new = CallOutput(Result(), ()), CallOutput(Result(), ())
    cache.put("1", old)
    cache.put("1", new)
    assert cache.get("1") is new


def test_results_are_bounded_in_bytes() -> None:
    cache = ResultCache(limit=100, limit_bytes=1000)
    for name in "123":
        cache.put(name, CallOutput(Result(message=name * 450), ()))
    assert [cache.get(digest) is None for digest in "123"] == [True, False, False]
    cache.put("large", CallOutput(Result(message="x" * 1000), ()))
    assert cache.get("large") is None
    assert cache.get("3") is not None
    nothing = ResultCache(limit_bytes=0)
    nothing.put("1", CallOutput(Result(), ()))
    assert nothing.get("1") is None
