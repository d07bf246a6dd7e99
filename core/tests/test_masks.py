from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from promptvision.errors import ArgumentsError
from promptvision.images.codec import decode_stored, normalise
from promptvision.plugin import read_mask
from promptvision.testing.masks import MASKS, SIZE, area, photograph


@pytest.mark.parametrize("kind", MASKS)
def test_kind_of_mask_selects_what_is_meant(kind: str) -> None:
    case = MASKS[kind]
    read = read_mask(case.make(), SIZE)
    assert read.image.mode == "L"
    assert read.image.size == SIZE
    assert set(read.image.tobytes()) <= {0, 255}
    assert _difference(read.image, case.selects()) <= case.tolerance
    for part in case.notes:
        assert part in " ".join(read.notes)
    assert bool(read.notes) == bool(case.notes)


@pytest.mark.parametrize(
    "kind", [kind for kind, case in MASKS.items() if case.make().mode in ("L", "LA", "RGB", "RGBA", "P", "1")]
)
def test_kind_of_mask_survives_the_image_store(kind: str) -> None:
    case, file = MASKS[kind], BytesIO()
    case.make().save(file, "PNG")
    stored = decode_stored(normalise(file.getvalue()).data)
    assert _difference(read_mask(stored, SIZE).image, case.selects()) <= case.tolerance


def test_jpeg_noise_around_a_stroke_is_not_selected() -> None:
    drawn = area()
    for quality in (30, 60, 75, 95, 100):
        for paint in ("white", "red", "#00a0ff"):
            canvas, file = Image.new("RGB", SIZE), BytesIO()
            canvas.paste(paint, mask=drawn)
            canvas.save(file, "JPEG", quality=quality)
            assert _difference(read_mask(Image.open(file), SIZE).image, drawn) < 0.01, (quality, paint)


def test_empty_mask_is_refused_with_the_form_that_is_wanted() -> None:
    for mode in ("L", "RGB", "RGBA", "1", "P", "LA"):
        with pytest.raises(ArgumentsError, match=r"mask_url: the mask is empty.*white where"):
            read_mask(Image.new(mode, SIZE), SIZE)


@pytest.mark.parametrize(
    ("size", "is_read"),
    [
        ((320, 180), True),
        ((1280, 720), True),
        ((641, 360), True),
        ((80, 45), True),
        ((512, 512), False),
        ((360, 640), False),
    ],
)
def test_mask_of_another_size_needs_the_same_aspect_ratio(size: tuple[int, int], is_read: bool) -> None:
    mask = area().resize(size, Image.Resampling.NEAREST)
    if not is_read:
        with pytest.raises(ArgumentsError, match=rf"{size[0]} x {size[1]} pixels and the image 640 x 360"):
            read_mask(mask, SIZE)
        return
    read = read_mask(mask, SIZE)
    assert f"resized from {size[0]} x {size[1]} to 640 x 360" in " ".join(read.notes)
    assert _difference(read.image, area()) < 0.02


def test_swapped_sides_are_named() -> None:
    with pytest.raises(ArgumentsError, match="may be swapped"):
        read_mask(Image.new("L", (360, 640), 255), SIZE)


@pytest.mark.parametrize("make", [lambda: Image.new("L", SIZE, 255), lambda: ImageChops.invert(area())])
def test_mask_of_nearly_everything_is_used_with_a_note(make: Callable[[], Image.Image]) -> None:
    read = read_mask(make(), SIZE)
    assert read.image.tobytes() == make().tobytes()
    assert "invert it" in read.notes[-1]


def test_photograph_with_a_small_or_a_large_hole_edits_the_hole() -> None:
    for hole in (area(), ImageChops.invert(area())):
        mask = photograph()
        mask.putalpha(ImageChops.invert(hole))
        assert read_mask(mask, SIZE).image.tobytes() == hole.tobytes()


@given(st.integers(1, 255), st.integers(1, 255), st.integers(1, 255))
@settings(max_examples=30, deadline=None)
def test_any_opaque_colour_on_black_selects_its_area(red: int, green: int, blue: int) -> None:
    canvas = Image.new("RGB", SIZE)
    canvas.paste((red, green, blue), mask=area())
    assert read_mask(canvas, SIZE).image.tobytes() == area().tobytes()


def test_soft_edge_counts_from_half_of_its_strength() -> None:
    soft = area().filter(ImageFilter.GaussianBlur(6))
    assert _difference(read_mask(soft, SIZE).image, area()) < 0.01


def test_the_mask_is_not_changed() -> None:
    mask = Image.new("RGBA", SIZE)
    ImageDraw.Draw(mask).rectangle((10, 10, 90, 90), fill=(255, 0, 0, 255))
    before = mask.tobytes()
    read_mask(mask, SIZE)
    assert mask.tobytes() == before


def _difference(first: Image.Image, second: Image.Image) -> float:
    """The share of pixels that differ."""
    return ImageChops.difference(first, second.convert("L")).histogram()[255] / (first.width * first.height)
