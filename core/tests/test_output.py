"""Images written to files."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from promptvision.errors import InputError
from promptvision.images.output import save_image


def test_transparent_image_is_flattened_onto_white_in_a_jpeg(tmp_path: Path) -> None:
    image = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    save_image(image, tmp_path / "out.JPG")
    with Image.open(tmp_path / "out.JPG") as written:
        assert written.getpixel((0, 0)) == (255, 255, 255)
    assert image.mode == "RGBA"


@pytest.mark.parametrize("name", ["out.png", "out.webp", "out.tiff"])
def test_extension_decides_the_format_and_keeps_transparency(name: str, tmp_path: Path) -> None:
    save_image(Image.new("RGBA", (8, 8), (255, 0, 0, 0)), str(tmp_path / name))
    with Image.open(tmp_path / name) as written:
        assert written.mode == "RGBA"


@pytest.mark.parametrize("name", ["out.xyz", "out", "missing/out.png"])
def test_file_that_cannot_be_written_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=name):
        save_image(Image.new("RGB", (8, 8)), tmp_path / name)
