"""Untrusted bytes become safe images: every format and mode, and input that is not an image."""

from __future__ import annotations

import io
import random
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageCms, ImageDraw, PngImagePlugin, features

from promptvision.errors import InputError, StoreError, TooLarge
from promptvision.images.codec import decode_stored, encode_png, normalise
from promptvision.images.jpeg import read_jpeg
from promptvision.testing import Stopwatch

FORMATS = ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"]


def painting(mode: str = "RGB", size: tuple[int, int] = (61, 47)) -> Image.Image:
    """An image without symmetry, so that a rotated or shifted copy differs."""
    image = Image.new("RGB", size, (250, 240, 200))
    draw = ImageDraw.Draw(image)
    draw.ellipse((5, 8, 30, 33), fill=(200, 30, 40))
    draw.rectangle((35, 3, 58, 12), fill=(20, 90, 200))
    draw.line((0, 46, 60, 20), fill=(10, 10, 10), width=2)
    if mode.endswith("A"):
        image.putalpha(Image.linear_gradient("L").resize(size))
    return image.convert(mode)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def exif(orientation: int, **more: str) -> bytes:
    notes = Image.Exif()
    notes[0x0112] = orientation
    notes[0x010E] = more.get("description", "")
    notes.get_ifd(0x8825)[1] = "N"
    return notes.tobytes()


def same(one: Image.Image, other: Image.Image) -> bool:
    return one.mode == other.mode and one.size == other.size and one.tobytes() == other.tobytes()


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_of_claimed_size(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


# what comes out


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_keeps_the_pixels_that_a_decoder_shows(kind: str) -> None:
    data = encoded(painting(), kind)
    shown = Image.open(io.BytesIO(data)).convert("RGB")
    normal = normalise(data)
    assert same(decode_stored(normal.data), shown)
    assert normal.image.size == shown.size
    assert normal.media_type == ("image/jpeg" if kind == "JPEG" else "image/png")


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_png_round_trip_is_lossless(mode: str) -> None:
    assert same(decode_stored(encode_png(painting(mode))), painting(mode))


@given(st.data())
def test_any_pixels_survive_storing(data: st.DataObject) -> None:
    mode = data.draw(st.sampled_from(["L", "LA", "RGB", "RGBA"]))
    width, height = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9))
    size = width * height * len(mode)
    image = Image.frombytes(mode, (width, height), data.draw(st.binary(min_size=size, max_size=size)))
    assert same(decode_stored(normalise(encode_png(image)).data), image)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(kind: str, orientation: int) -> None:
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(painting(), kind, exif=exif(orientation), **options)
    expected = Image.open(io.BytesIO(encoded(painting(), kind, **options))).convert("RGB")
    if orientation in turns:
        expected = expected.transpose(Image.Transpose(turns[orientation]))
    assert same(decode_stored(normalise(data).data), expected)


def test_broken_exif_is_ignored() -> None:
    data = encoded(painting(), "PNG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    assert same(decode_stored(normalise(data).data), painting())


def test_palette_with_transparency_becomes_rgba() -> None:
    palette = painting().quantize(8)
    stored = decode_stored(normalise(encoded(palette, "PNG", transparency=0)).data)
    assert stored.mode == "RGBA"
    assert stored.getchannel("A").getextrema() == (0, 255)


def test_colour_key_transparency_becomes_rgba() -> None:
    stored = decode_stored(normalise(encoded(painting(), "PNG", transparency=(250, 240, 200))).data)
    assert stored.mode == "RGBA"
    assert stored.getpixel((0, 0)) == (250, 240, 200, 0)


def test_opaque_palette_becomes_rgb() -> None:
    palette = painting().quantize(200)
    assert same(decode_stored(normalise(encoded(palette, "PNG")).data), palette.convert("RGB"))


def test_sixteen_bit_grey_keeps_its_high_byte() -> None:
    values = [0, 255, 256, 32768, 65535, 40000]
    image = Image.frombytes("I;16", (6, 1), struct.pack("<6H", *values))
    for kind in ("PNG", "TIFF"):
        stored = decode_stored(normalise(encoded(image, kind)).data)
        assert list(stored.tobytes()) == [value >> 8 for value in values]


def test_float_samples_between_0_and_1_are_taken_as_such() -> None:
    image = Image.frombytes("F", (3, 1), struct.pack("<3f", 0.0, 0.5, 1.0))
    assert list(decode_stored(normalise(encoded(image, "TIFF")).data).tobytes()) == [0, 127, 255]


def test_float_samples_of_any_range_are_stretched() -> None:
    image = Image.frombytes("F", (3, 1), struct.pack("<3f", -100.0, 0.0, 100.0))
    assert list(decode_stored(normalise(encoded(image, "TIFF")).data).tobytes()) == [0, 127, 255]


def test_float_samples_that_are_not_numbers_are_refused() -> None:
    image = Image.frombytes("F", (2, 1), struct.pack("<2f", 0.0, float("inf")))
    with pytest.raises(InputError, match="not numbers"):
        normalise(encoded(image, "TIFF"))


def test_bilevel_and_cmyk_become_plain() -> None:
    bilevel = painting("1")
    assert same(decode_stored(normalise(encoded(bilevel, "PNG")).data), bilevel.convert("L"))
    for kind in ("TIFF", "JPEG"):
        data = encoded(painting("CMYK"), kind)
        shown = Image.open(io.BytesIO(data)).convert("RGB")
        normal = normalise(data)
        assert normal.media_type == "image/png"
        assert same(decode_stored(normal.data), shown)


def test_first_frame_of_an_animation_counts() -> None:
    frames = [painting(), Image.new("RGB", (61, 47), "black")]
    for kind, options in (("GIF", {}), ("WEBP", {"lossless": True}), ("PNG", {}), ("TIFF", {})):
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        stored = decode_stored(normalise(data).data).convert("RGB")
        assert stored.getpixel((40, 8)) == (20, 90, 200), kind


def test_an_animation_bomb_costs_one_frame() -> None:
    frame = encoded(Image.new("P", (64, 64)), "GIF")
    start = frame.index(b"\x2c")
    bomb = frame[:start] + frame[start:-1] * 5000 + b"\x3b"
    watch = Stopwatch()
    assert normalise(bomb).image.width == 64
    assert watch.seconds < 1


# colour


def wide_gamut() -> bytes:
    """An RGB profile whose red and green primaries are swapped: unmistakable when applied."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    entries = {bytes(profile[at : at + 4]): at for at in range(132, 132 + 12 * profile[131], 12)}
    red, green = entries[b"rXYZ"], entries[b"gXYZ"]
    swapped = bytes(profile[red + 4 : red + 12]), bytes(profile[green + 4 : green + 12])
    profile[green + 4 : green + 12], profile[red + 4 : red + 12] = swapped
    return bytes(profile)


def grey_profile(gamma: float) -> bytes:
    """A minimal ICC v2 greyscale profile with a single gamma."""
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    tags = (
        struct.pack(">I", 2) + b"wtpt" + struct.pack(">II", 156, 20) + b"kTRC" + struct.pack(">II", 176, 16)
    )
    body = tags + white + curve
    head = struct.pack(">I4sI4s4s4s", 128 + len(body), b"\0" * 4, 0x02100000, b"mntr", b"GRAY", b"XYZ ")
    head += b"\0" * 12 + b"acsp" + b"\0" * 28 + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + body


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_wide_gamut_profile_is_applied_and_dropped(kind: str) -> None:
    red = Image.new("RGB", (16, 16), (200, 10, 10))
    normal = normalise(encoded(red, kind, icc_profile=wide_gamut()))
    stored = decode_stored(normal.data)
    pixel: Any = stored.getpixel((8, 8))
    assert pixel[1] > 150 > 60 > pixel[0], pixel
    assert normal.media_type == "image/png"
    assert "icc_profile" not in stored.info


def test_alpha_survives_a_profile() -> None:
    image = painting("RGBA")
    stored = decode_stored(normalise(encoded(image, "PNG", icc_profile=wide_gamut())).data)
    assert stored.mode == "RGBA"
    assert ImageChops.difference(stored.getchannel("A"), image.getchannel("A")).getbbox() is None


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_a_grey_profile_is_applied(mode: str) -> None:
    grey = Image.new(mode, (8, 8), 128 if mode == "L" else (128, 77))
    stored = decode_stored(normalise(encoded(grey, "PNG", icc_profile=grey_profile(1.0))).data)
    level: Any = stored.getpixel((0, 0))
    assert stored.mode == mode
    assert (level if mode == "L" else level[0]) == pytest.approx(188, abs=2)  # sRGB curve of 128/255
    assert mode == "L" or level[1] == 77


def test_an_srgb_profile_leaves_a_jpeg_a_jpeg() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    normal = normalise(encoded(painting(), "JPEG", icc_profile=profile))
    assert normal.media_type == "image/jpeg"
    assert b"ICC_PROFILE" not in normal.data


@pytest.mark.parametrize("profile", [b"garbage", b"\0" * 200, grey_profile(1.0), wide_gamut()[:300]])
def test_a_profile_that_does_not_fit_is_ignored(profile: bytes) -> None:
    data = encoded(painting(), "PNG", icc_profile=profile)
    assert same(decode_stored(normalise(data).data), painting())


# metadata and polyglots

MARKERS = [b"<script", b"SECRET", b"Exif", b"http://ns.adobe.com", b"GPS", b"PK\x03\x04", b"JFXX", b"hdrgm"]


def test_nothing_but_pixels_is_stored() -> None:
    notes = exif(1, description="SECRET <script>")
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "SECRET <script>alert(1)</script>")
    tail = b"PK\x03\x04<html><script>alert(1)</script>"
    hostile = [
        encoded(painting(), "JPEG", exif=notes, comment=b"SECRET <script>") + tail,
        encoded(painting(), "PNG", exif=notes, pnginfo=text) + tail,
        encoded(painting(), "WEBP", exif=notes, xmp=b"<x xmlns='http://ns.adobe.com'>SECRET</x>") + tail,
        encoded(painting(), "GIF", comment=b"SECRET <script>") + tail,
        encoded(painting(), "BMP") + tail,
        encoded(painting(), "TIFF", exif=notes, description="SECRET <script>") + tail,
    ]
    for data in hostile:
        stored = normalise(data).data
        assert [marker for marker in MARKERS if marker in stored] == []
        assert set(decode_stored(stored).info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_image_that_is_handed_on_is_the_one_that_is_stored(mode: str, kind: str, orientation: int) -> None:
    notes = {} if kind in ("BMP", "GIF") else {"exif": exif(orientation, description="SECRET")}
    profile = {} if kind in ("BMP", "GIF") or mode == "L" else {"icc_profile": wide_gamut()}
    image = painting("RGB" if mode == "RGBA" and kind == "JPEG" else mode)
    normal = normalise(encoded(image, kind, **notes, **profile))
    stored = decode_stored(normal.data)
    assert same(normal.image, stored)
    assert normal.image.info == stored.info
    assert dict(normal.image.getexif()) == {}


def test_the_same_image_with_other_metadata_is_the_same_bytes() -> None:
    plain, noted = encoded(painting(), "JPEG"), encoded(painting(), "JPEG", exif=exif(1), comment=b"x")
    assert normalise(plain).data == normalise(noted).data


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"quality": 30, "subsampling": 2},
        {"quality": 97, "subsampling": 0, "optimize": True},
        {"progressive": True},
        {"restart_marker_blocks": 2},
        {"keep_rgb": True},
    ],
)
def test_stripping_a_jpeg_leaves_its_samples(mode: str, options: dict[str, Any]) -> None:
    data = encoded(painting(mode, (200, 133)), "JPEG", exif=exif(1), comment=b"note", **options)
    stripped = read_jpeg(data).stripped
    assert stripped is not None
    assert len(stripped) < len(data)
    assert same(Image.open(io.BytesIO(stripped)), Image.open(io.BytesIO(data)))
    assert normalise(data).data == stripped


def test_fill_bytes_and_strange_segments_send_a_jpeg_to_png() -> None:
    data = encoded(painting(), "JPEG")
    shown = Image.open(io.BytesIO(data))
    filled = data[:2] + b"\xff" + data[2:]
    normal = normalise(filled)
    assert normal.media_type == "image/png"
    assert same(decode_stored(normal.data), shown.convert("RGB"))


@given(st.binary(max_size=80), st.integers(0, 10_000))
def test_stripping_accepts_damaged_files(noise: bytes, place: int) -> None:
    data = encoded(painting(), "JPEG")
    place %= len(data)
    for damaged in (data[:place] + noise + data[place:], b"\xff\xd8" + noise):
        try:
            read_jpeg(damaged)
        except ValueError:
            continue


# bad input

OTHER_FILES = {
    "SVG": b'<?xml version="1.0"?>\n<!-- x -->\n<svg xmlns="http://www.w3.org/2000/svg"></svg>',
    "web page": b"<!DOCTYPE html><html><script>alert(1)</script></html>",
    "PDF": b"%PDF-1.7\n",
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n",
    "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0",
    "AVIF": b"\0\0\0\x18ftypavif\0\0\0\0",
    "big-endian BigTIFF": b"MM\0+\0\x08\0\0\0\0\0\0\0\0\0\x10",
    "not an image": b"just some words in a file named image.png",
    "0 bytes": b"",
}


@pytest.mark.parametrize("name", OTHER_FILES)
def test_other_files_are_named_and_the_accepted_formats_listed(name: str) -> None:
    with pytest.raises(InputError, match=name) as caught:
        normalise(OTHER_FILES[name])
    assert "PNG, JPEG, WebP, AVIF, GIF, BMP or TIFF" in str(caught.value)


@pytest.mark.parametrize("kind", FORMATS)
def test_truncation_is_an_input_error(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(painting(size=(200, 150)), kind, **options)
    for part in (0.02, 0.1, 0.3) if kind == "JPEG" else (0.02, 0.1, 0.3, 0.6, 0.9):
        with pytest.raises(InputError, match=r"damaged|incomplete|not an image"):
            normalise(data[: int(len(data) * part)])


@pytest.mark.parametrize("kind", FORMATS)
def test_random_damage_raises_only_input_errors(kind: str) -> None:
    whole = encoded(painting(), kind)
    dice = random.Random(kind)
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(dice.randint(1, 12)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        try:
            decode_stored(normalise(bytes(data)).data)
        except InputError:
            continue


@pytest.mark.parametrize("kind", FORMATS)
@given(body=st.binary(max_size=300))
def test_valid_header_followed_by_noise_is_an_input_error(kind: str, body: bytes) -> None:
    whole = encoded(painting(size=(2, 2)), kind)
    for start in (4, 12, 30):
        try:
            normalise(whole[:start] + body)
        except InputError:
            continue


@pytest.mark.parametrize(
    ("width", "height", "limit"),
    [
        (5001, 5000, "25 megapixels"),
        (20000, 10, "16,384"),
        (10, 20000, "16,384"),
        (2**31 - 1, 2**31 - 1, "16,384"),
    ],
)
def test_size_is_judged_from_the_header(width: int, height: int, limit: str) -> None:
    with pytest.raises(TooLarge, match=limit):
        normalise(png_of_claimed_size(width, height))


def test_the_largest_accepted_image_is_accepted() -> None:
    assert normalise(encoded(Image.new("1", (16_384, 1_525)), "PNG")).image.width == 16_384


def test_over_twenty_megabytes_is_refused() -> None:
    with pytest.raises(TooLarge, match="20 MB"):
        normalise(b"\x89PNG\r\n\x1a\n" + b"\0" * 20_000_000)


def test_a_text_chunk_bomb_is_refused() -> None:
    bomb = chunk(b"zTXt", b"k\0\0" + zlib.compress(b"\0" * 80_000_000))
    plain = encoded(painting(), "PNG")
    with pytest.raises(InputError):
        normalise(plain[:33] + bomb + plain[33:])


def test_a_progressive_jpeg_of_endless_scans_is_refused() -> None:
    data = encoded(painting(size=(512, 512)), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    with pytest.raises(InputError, match="scans"):
        normalise(data[:-2] + data[last:-2] * 5000 + b"\xff\xd9")


def bombs() -> dict[str, Callable[[], bytes]]:
    side = (8000, 8000)
    return {
        "PNG": lambda: encoded(Image.new("1", side), "PNG"),
        "GIF": lambda: encoded(Image.new("P", (1, 1)), "GIF").replace(
            b"\1\0\1\0", struct.pack("<HH", 60000, 60000)
        ),
        "BMP": lambda: b"BM" + struct.pack("<IIIIiiHHIIiiII", 54, 0, 54, 40, *side, 1, 24, 0, 0, 0, 0, 0, 0),
        "TIFF": lambda: encoded(Image.new("1", side), "TIFF", compression="group4"),
        "WEBP": lambda: encoded(Image.new("RGB", side), "WEBP", lossless=True, quality=0, method=0),
        "JPEG": lambda: encoded(Image.new("L", (17_000, 17_000)), "JPEG", quality=1),
    }


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read from /proc")
def test_pixel_bombs_use_little_time_and_memory(kind: str, tmp_path: Any) -> None:
    """Run in a separate process: the cost of a bomb is the growth of the peak while it is refused."""
    (tmp_path / "bomb").write_bytes(bombs()[kind]())
    probe = (
        "import sys, time\n"
        "from promptvision.errors import InputError, TooLarge\n"
        "from promptvision.images.codec import normalise\n"
        "from PIL import Image\n"
        "import io; small = io.BytesIO(); Image.new('RGB', (9, 9)).save(small, sys.argv[2])\n"
        "normalise(small.getvalue())\n"
        "data = open(sys.argv[1], 'rb').read()\n"
        "peak = lambda: int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])\n"
        "before, began = peak(), time.perf_counter()\n"
        "try: normalise(data)\n"
        "except TooLarge: print(peak() - before, time.perf_counter() - began)\n"
    )
    command = [sys.executable, "-c", probe, str(tmp_path / "bomb"), kind]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.split()
    kilobytes, seconds = int(printed[0]), float(printed[1])
    assert kilobytes < 50_000
    assert seconds < 0.2


def test_globals_of_the_host_program_are_neither_needed_nor_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert normalise(encoded(painting(), "PNG")).image.width == 61
    assert Image.MAX_IMAGE_PIXELS == 10
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    with pytest.raises(TooLarge):
        normalise(png_of_claimed_size(100_000, 100_000))


def test_damaged_stored_bytes_are_a_store_error() -> None:
    for data in (b"", b"words", encode_png(painting())[:200]):
        with pytest.raises(StoreError, match="cannot be decoded"):
            decode_stored(data)


def test_pillow_supports_every_documented_format() -> None:
    assert all(features.check(name) for name in ("jpg", "zlib", "webp", "libtiff", "littlecms2"))
