"""The PNG writer, read back by Pillow's decoder and chunk by chunk."""

from __future__ import annotations

import io
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from promptvision.images.png import write_png

MODES = ["L", "LA", "RGB", "RGBA"]


def noise(mode: str, size: tuple[int, int]) -> Image.Image:
    return Image.merge(mode, [Image.effect_noise(size, 90) for _ in mode])


def read(data: bytes) -> Image.Image:
    Image.open(io.BytesIO(data)).verify()  # checksums
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    found, start = [], 8
    while start < len(data):
        end = start + 8 + int.from_bytes(data[start : start + 4], "big")
        body = data[start + 8 : end]
        assert int.from_bytes(data[end : end + 4], "big") == zlib.crc32(data[start + 4 : end])
        found.append((data[start + 4 : start + 8], body))
        start = end + 4
    return found


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("height", [1, 127, 128, 129, 256, 300])
def test_images_of_any_height_come_back_the_same(mode: str, height: int) -> None:
    image = noise(mode, (37, height))
    back = read(write_png(image))
    assert (back.mode, back.size) == (mode, image.size)
    assert back.tobytes() == image.tobytes()


@given(st.sampled_from(MODES), st.integers(1, 40), st.integers(1, 300), st.binary(min_size=1, max_size=64))
def test_any_pixels_come_back_the_same(mode: str, width: int, height: int, seed: bytes) -> None:
    size = width * height * len(mode)
    image = Image.frombytes(mode, (width, height), (seed * (size // len(seed) + 1))[:size])
    assert read(write_png(image)).tobytes() == image.tobytes()


def test_file_has_only_the_required_chunks() -> None:
    image = noise("RGB", (300, 400))
    image.info = {"icc_profile": b"x", "comment": "x", "transparency": (0, 0, 0), "dpi": (72, 72)}
    (header, shape), *data, end = chunks(write_png(image))
    assert (header, shape) == (b"IHDR", b"\0\0\1\x2c\0\0\1\x90\x08\x02\0\0\0")
    assert {name for name, _ in data} == {b"IDAT"}
    assert all(body for _, body in data)
    assert end == (b"IEND", b"")
    rows = zlib.decompress(b"".join(body for _, body in data))
    assert len(rows) == 400 * (1 + 3 * 300)
    assert set(rows[:: 1 + 3 * 300]) == {2}, "every row says that it is filtered by the one above"


def test_repeated_writing_gives_the_same_bytes() -> None:
    image = noise("RGBA", (50, 200))
    assert write_png(image) == write_png(image.copy())


def test_uniform_images_become_small() -> None:
    assert len(write_png(Image.new("RGB", (1000, 1000), "teal"))) < 20_000


def test_image_without_pixels_is_refused() -> None:
    for size in ((0, 0), (0, 5), (5, 0)):
        with pytest.raises(ValueError, match="without pixels"):
            write_png(Image.new("RGB", size))
