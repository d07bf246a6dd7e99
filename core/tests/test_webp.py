"""WebP decoded into one buffer: the same pixels as Pillow's decoder of animations."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageChops

from promptvision.errors import InputError
from promptvision.images import webp
from promptvision.images.codec import normalise


def frame(size: tuple[int, int], colour: str = "#c08040") -> Image.Image:
    image = Image.linear_gradient("L").resize(size)
    made = Image.merge("RGBA", (image, image.rotate(90, expand=False), image, image))
    made.paste(colour, (size[0] // 4, size[1] // 4, size[0] // 2, size[1] // 2))
    return made


def encoded(image: Image.Image, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, "WEBP", **options)
    return file.getvalue()


def animation(mode: str, *, lossless: bool) -> bytes:
    rest = [frame((60, 40), colour).convert(mode) for colour in ("red", "blue")]
    return encoded(frame((60, 40)).convert(mode), save_all=True, append_images=rest, lossless=lossless)


def animation_with_an_offset() -> bytes:
    """The first frame is smaller than the canvas, at (10, 6)."""
    still = encoded(frame((20, 12)), lossless=True)
    head = b"".join(number.to_bytes(3, "little") for number in (10 // 2, 6 // 2, 19, 11, 100)) + b"\0"
    payload = head + still[12:]
    canvas = bytes((0x12, 0, 0, 0)) + (59).to_bytes(3, "little") + (39).to_bytes(3, "little")
    body = b"WEBP"
    for kind, data in ((b"VP8X", canvas), (b"ANIM", bytes(6)), (b"ANMF", payload)):
        body += kind + len(data).to_bytes(4, "little") + data + b"\0" * (len(data) % 2)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


FILES = {
    "lossy": encoded(frame((61, 41)).convert("RGB"), quality=80),
    "lossy with alpha": encoded(frame((61, 41)), quality=80),
    "lossless": encoded(frame((61, 41)).convert("RGB"), lossless=True),
    "lossless with alpha": encoded(frame((61, 41)), lossless=True),
    "extended": encoded(frame((61, 41)).convert("RGB"), xmp=b"<x/>"),
    "animation": animation("RGB", lossless=False),
    "animation with alpha": animation("RGBA", lossless=False),
    "lossless animation": animation("RGBA", lossless=True),
    "small first frame": animation_with_an_offset(),
}


@pytest.mark.parametrize("name", FILES)
def test_pixels_are_those_of_pillow(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = normalise(FILES[name]).image
    with Image.open(BytesIO(FILES[name])) as opened:
        opened.load()
        assert made.mode == opened.mode
        assert not ImageChops.difference(made, opened).getbbox(alpha_only=False)
    monkeypatch.setattr(webp, "_functions", lambda: None)
    assert normalise(FILES[name]).data == normalise(FILES[name]).data
    assert not ImageChops.difference(made, normalise(FILES[name]).image).getbbox(alpha_only=False)


@pytest.mark.parametrize("name", FILES)
def test_truncated_file_is_refused(name: str) -> None:
    data = FILES[name]
    for length in (len(data) - 9, len(data) // 2, 40):
        with pytest.raises(InputError):
            normalise(data[:length])
