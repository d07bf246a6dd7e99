"""Decoder processes: the same result as in this process, and limits on time and memory."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image

from promptvision.errors import Busy, InputError, SetupError, TooLarge
from promptvision.images import isolated
from promptvision.images.codec import normalise
from promptvision.images.isolated import Decoded, DecoderPool
from promptvision.testing.hostile_images import HOSTILE


@pytest.fixture
def pool() -> Iterator[DecoderPool]:
    made = DecoderPool()
    yield made
    made.close()


def photo(kind: str, size: tuple[int, int] = (640, 480), mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 60).convert(mode).save(out, kind)
    return out.getvalue()


def decode(pool: DecoderPool, data: bytes, *, with_pixels: bool = False) -> Decoded:
    return asyncio.run(pool.normalise(data, with_pixels=with_pixels))


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG"])
def test_result_is_that_of_this_process(pool: DecoderPool, kind: str, mode: str) -> None:
    data = photo(
        kind, mode=mode[0] if kind == "JPEG" and mode == "LA" else mode[:3] if kind == "JPEG" else mode
    )
    here, there = normalise(data), decode(pool, data, with_pixels=True)
    assert (there.data, there.media_type, there.notes) == (here.data, here.media_type, here.notes)
    assert (there.width, there.height) == here.image.size
    if sys.platform == "linux":
        assert there.image is not None
        assert (there.image.mode, there.image.tobytes()) == (here.image.mode, here.image.tobytes())


def test_pixels_are_returned_only_on_request(pool: DecoderPool) -> None:
    assert decode(pool, photo("PNG")).image is None


def test_process_is_kept_for_the_next_image(pool: DecoderPool) -> None:
    decode(pool, photo("PNG"))
    first = process_id(pool)
    for data in (photo("JPEG"), b"not an image", photo("PNG")[:200]):
        with suppress(InputError):
            decode(pool, data)
    assert process_id(pool) == first


@pytest.mark.parametrize("data", [b"", b"words", b"<svg/>", photo("PNG")[:100], photo("JPEG")[:300]])
def test_errors_are_those_of_this_process(pool: DecoderPool, data: bytes) -> None:
    with pytest.raises((InputError, SetupError)) as here:
        normalise(data)
    with pytest.raises(type(here.value)) as there:
        decode(pool, data)
    assert str(there.value) == str(here.value)


def test_killed_process_is_an_input_error_and_is_replaced(pool: DecoderPool) -> None:
    decode(pool, photo("PNG"))
    os.kill(process_id(pool), 9)
    with pytest.raises(InputError):
        decode(pool, photo("PNG"))
    assert decode(pool, photo("PNG")).width == 640


@pytest.mark.skipif(sys.platform != "linux", reason="the CPU time of a process is read from /proc")
def test_process_that_gets_no_cpu_time_is_stopped_at_the_deadline(pool: DecoderPool) -> None:
    decode(pool, photo("PNG"))
    os.kill(process_id(pool), signal.SIGSTOP)
    with pytest.raises(Busy, match="too busy"):
        asyncio.run(pool.normalise(photo("PNG"), total_s=isolated.RUN_S + 0.1))
    assert decode(pool, photo("PNG")).width == 640


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is set from outside on Linux only")
def test_limit_of_cpu_time_ends_the_process(pool: DecoderPool) -> None:
    import resource

    decode(pool, photo("PNG"))
    resource.prlimit(process_id(pool), resource.RLIMIT_CPU, (1, 1))

    async def decode_many() -> None:
        for _ in range(50):  # a fast machine decodes several within the second
            await pool.normalise(HOSTILE["JPEG of 90 progressive scans"](), total_s=60)

    with pytest.raises(TooLarge, match="decoding"):
        asyncio.run(decode_many())
    assert decode(pool, photo("PNG")).width == 640


def test_environment_of_the_process_holds_no_secrets(
    pool: DecoderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sys.platform != "linux":
        pytest.skip("the environment of a process is read from /proc")
    monkeypatch.setenv("GROQ_API_KEY", "canary")
    decode(pool, photo("PNG"))
    assert b"canary" not in Path(f"/proc/{process_id(pool)}/environ").read_bytes()


def test_too_many_images_are_refused_at_once(pool: DecoderPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolated, "MAX_JOBS", 3)

    async def many() -> list[object]:
        data = photo("PNG", (1500, 1500))
        return await asyncio.gather(*(pool.normalise(data) for _ in range(12)), return_exceptions=True)

    ended = asyncio.run(many())
    refused = [one for one in ended if isinstance(one, Busy)]
    assert len(refused) >= 9
    assert all(isinstance(one, Busy | Decoded) for one in ended)
    assert refused[0].retry_after_s > 0
    assert decode(pool, photo("PNG")).width == 640


def test_file_that_would_be_refused_need_not_be_read(
    pool: DecoderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolated, "MAX_JOB_BYTES", 1000)
    pool.check_room(2000)  # a single file may be larger
    with pool._admitted(600):
        pool.check_room(400)
        with pytest.raises(Busy, match="too many images"):
            pool.check_room(401)
    pool.check_room(401)


def test_process_that_died_is_replaced_after_the_answer(
    pool: DecoderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Starting a process takes a while, and the answer does not wait for it."""
    decode(pool, photo("PNG"))
    os.kill(process_id(pool), 9)
    may_start, worker = threading.Event(), isolated._Worker

    def start_late() -> object:
        may_start.wait(20)
        return worker()

    monkeypatch.setattr(isolated, "_Worker", start_late)
    with pytest.raises(InputError):
        decode(pool, photo("PNG"))
    assert not pool._idle
    may_start.set()
    assert decode(pool, photo("PNG")).width == 640


def test_closed_pool_leaves_no_process() -> None:
    pool = DecoderPool()
    decode(pool, photo("PNG"))
    worker = pool._idle[0]
    pool.close()
    assert not worker.is_alive


def test_large_images_wait_for_memory_and_small_ones_need_not(pool: DecoderPool) -> None:
    large = photo("PNG", (4000, 4000), "L")

    async def both() -> list[object]:
        return await asyncio.gather(
            *(pool.normalise(data) for data in (large, photo("PNG"), photo("JPEG"))), return_exceptions=True
        )

    ended = asyncio.run(both())
    assert all(isinstance(one, Decoded | Busy | TooLarge) for one in ended), ended


def process_id(pool: DecoderPool) -> int:
    return pool._idle[-1]._process.pid


def test_deadline_counts_from_the_arrival(pool: DecoderPool) -> None:
    began = time.monotonic()
    for make in (HOSTILE["JPEG of empty segments"], HOSTILE["TIFF of 1 x 1 tiles"]):
        with pytest.raises(InputError):
            decode(pool, make())
    assert time.monotonic() - began < 30
