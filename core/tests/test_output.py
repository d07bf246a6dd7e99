"""Every output format, for every kind of image that a tool can make."""

from __future__ import annotations

import math
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

from promptvision.errors import InputError
from promptvision.images.output import FORMATS, encode_image, output_format, save_image

EXTENSIONS = [extension for kind in FORMATS for extension in kind.extensions]
LOSSLESS = [".png", ".bmp", ".tif", ".jp2", ".ico", ".tga", ".qoi", ".ppm", ".pcx", ".sgi"]
READABLE = [extension for extension in EXTENSIONS if extension not in (".pdf", ".eps", ".ps")]


def sample_image(mode: str, size: tuple[int, int] = (64, 48)) -> Image.Image:
    bands = [
        Image.linear_gradient("L").resize(size),
        Image.radial_gradient("L").resize(size),
        Image.linear_gradient("L").rotate(90).resize(size),
    ]
    image = Image.merge("RGB", bands).convert(mode)
    if mode.endswith("A"):
        image.putalpha(Image.radial_gradient("L").resize(size).point(lambda value: 255 if value > 90 else 0))
    return image


def on_white(image: Image.Image) -> Image.Image:
    ground = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(ground, image.convert("RGBA")).convert("RGB")


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize("extension", EXTENSIONS)
def test_every_mode_is_written_in_every_format(tmp_path: Path, extension: str, mode: str) -> None:
    file = tmp_path / f"out{extension}"
    save_image(sample_image(mode), file)
    assert file.stat().st_size > 50
    if extension in READABLE:
        with Image.open(file) as again:
            assert again.size == (64, 48)
            difference = ImageChops.difference(on_white(again), on_white(sample_image(mode)))
            tolerance = 90 if extension in (".gif", ".pgm") else 60  # hard edges in a lossy format
            if not (extension == ".pgm" and mode.startswith("RGB")):
                assert max(high for _, high in extremes(difference)) <= tolerance


@pytest.mark.parametrize("extension", LOSSLESS)
def test_lossless_formats_keep_every_pixel(tmp_path: Path, extension: str) -> None:
    file = tmp_path / f"out{extension}"
    save_image(sample_image("RGB"), file)
    with Image.open(file) as again:
        assert again.convert("RGB").tobytes() == sample_image("RGB").tobytes()


@pytest.mark.parametrize(
    "kind", [kind for kind in FORMATS if not kind.has_alpha], ids=lambda kind: kind.extensions[0]
)
def test_formats_without_alpha_do_not_show_hidden_colours(tmp_path: Path, kind: Any) -> None:
    if kind.extensions[0] not in READABLE:
        pytest.skip("Pillow does not read this format without another program")
    hidden = Image.new("RGBA", (16, 16), (255, 0, 0, 0))
    file = tmp_path / f"out{kind.extensions[0]}"
    save_image(hidden, file)
    with Image.open(file) as again:
        assert again.convert("RGB").getpixel((8, 8)) == (255, 255, 255)


def extremes(image: Image.Image) -> list[tuple[int, int]]:
    found: Any = image.getextrema()
    return list(found)


def psnr(first: Image.Image, second: Image.Image) -> float:
    error = sum(ImageStat.Stat(ImageChops.difference(first, second)).sum2) / (3 * first.width * first.height)
    return 10 * math.log10(255**2 / error)


def test_lossy_formats_are_no_worse_than_jpeg() -> None:
    noise = [Image.effect_noise((256, 256), 25) for _ in range(3)]
    photo = Image.blend(sample_image("RGB", (256, 256)), Image.merge("RGB", noise), 0.2)
    quality = {}
    for extension in (".jpg", ".jfif", ".jpe", ".webp", ".avif"):
        data = encode_image(photo, output_format(f"x{extension}"))
        quality[extension] = psnr(Image.open(BytesIO(data)).convert("RGB"), photo)
    assert all(found > quality[".jpg"] - 0.3 for found in quality.values()), quality


def test_icon_that_is_too_large_is_refused_and_not_shrunk(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.ico holds at most 256 pixels a side and the image has 300"):
        save_image(sample_image("RGB", (300, 200)), tmp_path / "out.ico")
    assert not (tmp_path / "out.ico").exists()
    save_image(sample_image("RGB", (256, 40)), tmp_path / "out.ico")
    with Image.open(tmp_path / "out.ico") as again:
        assert again.size == (256, 40)


def test_webp_side_limit_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="16,383"):
        save_image(Image.new("L", (16_384, 2)), tmp_path / "out.webp")


@pytest.mark.parametrize("name", ["out", "out.", "out.txt", "out.svg", "out.heic", "png"])
def test_unknown_extension_lists_the_known_ones(name: str) -> None:
    with pytest.raises(InputError, match=r"\.png, \.jpg, \.webp"):
        output_format(name)


def test_extension_is_not_case_sensitive() -> None:
    assert output_format("OUT.JPEG").name == "JPEG"
