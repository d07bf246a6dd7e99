"""Files as cameras, scanners and programs write them, with the pixels that the formats' standards mean."""

from __future__ import annotations

import builtins
import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, features

from promptvision.errors import InputError, SetupError, TooLarge
from promptvision.images.codec import decode_stored, normalise
from promptvision.images.formats import recognise

CASES = Path(__file__).parent / "cases"

RIGHT: dict[str, tuple[str, list[int]]] = {
    "bmp32_bitfields_a0.bmp": ("RGB", [3, 2, 1, 6, 5, 4]),
    "png2gray_trns.png": ("LA", [0, 255, 85, 0, 170, 255, 255, 255]),
    "png16gray_trns.png": ("LA", [0, 255, 64, 0, 128, 255, 255, 255]),
    "png16rgb_trns.png": ("RGBA", [18, 86, 154, 0, 18, 86, 154, 255, 255, 0, 0, 255, 0, 0, 255, 255]),
    "tif16_minwhite.tif": ("L", [255, 191, 127, 0]),
    "tif8la_minwhite.tif": ("LA", [191, 255, 55, 128]),
    "tif32f_255_partial.tif": ("L", [20, 64, 128, 200]),
}


def pixels(data: bytes) -> tuple[str, list[int]]:
    image = decode_stored(normalise(data).data)
    return image.mode, list(image.tobytes())


@pytest.mark.parametrize("name", RIGHT)
def test_case_has_the_pixels_of_its_standard(name: str) -> None:
    assert pixels((CASES / name).read_bytes()) == RIGHT[name]


# PNG


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(depth: int, colour: int, row: bytes, width: int, *chunks: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, 1, depth, colour, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(b"\0" + row)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunks) + body


@pytest.mark.parametrize(
    ("depth", "row", "colour", "right"),
    [
        (1, b"\x50", 1, [0, 255, 255, 0, 0, 255, 255, 0]),
        (1, b"\x50", 0, [0, 0, 255, 255, 0, 0, 255, 255]),
        (2, b"\x1b", 3, [0, 255, 85, 255, 170, 255, 255, 0]),
        (4, b"\x07\xf0", 7, [0, 255, 119, 0, 255, 255, 0, 255]),
        (8, b"\x00\x07\x08\xff", 8, [0, 255, 7, 255, 8, 0, 255, 255]),
        (16, b"\x40\x00\x40\x01\x00\x40\xff\xff", 0x4001, [64, 255, 64, 0, 0, 255, 255, 255]),
    ],
)
def test_transparent_grey_is_compared_at_full_depth(
    depth: int, row: bytes, colour: int, right: list[int]
) -> None:
    data = png(depth, 0, row, 4, chunk(b"tRNS", struct.pack(">H", colour)))
    assert pixels(data) == ("LA", right)


def test_transparent_colour_of_16_bits_is_compared_at_full_depth() -> None:
    row = struct.pack(">6H", 0x1234, 0x5678, 0x9ABC, 0x1234, 0x5678, 0x9ABD)
    data = png(16, 2, row, 2, chunk(b"tRNS", struct.pack(">3H", 0x1234, 0x5678, 0x9ABD)))
    assert pixels(data) == ("RGBA", [0x12, 0x56, 0x9A, 255, 0x12, 0x56, 0x9A, 0])


def gamma(value: float) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", round(value * 100_000)))


@pytest.mark.parametrize(("value", "right"), [(1.0, 188), (0.45455, 128), (1 / 1.8, 147), (0.5, 137)])
def test_gamma_of_a_png_is_applied(value: float, right: int) -> None:
    mode, levels = pixels(png(8, 0, bytes([128]), 1, gamma(value)))
    assert mode == "L"
    assert levels == [pytest.approx(right, abs=2)]
    mode, levels = pixels(png(8, 2, bytes([128] * 3), 1, gamma(value)))
    assert mode == "RGB"
    assert levels == [pytest.approx(right, abs=2)] * 3


def test_srgb_chunk_goes_before_gamma() -> None:
    data = png(8, 0, bytes([128]), 1, chunk(b"sRGB", b"\0"), gamma(1.0))
    assert pixels(data) == ("L", [128])


def test_gamma_keeps_alpha_and_its_extremes() -> None:
    data = png(8, 4, bytes([0, 7, 128, 77, 255, 200]), 3, gamma(1.0))
    mode, levels = pixels(data)
    assert mode == "LA"
    assert levels == [0, 7, pytest.approx(188, abs=2), 77, 255, 200]


@pytest.mark.parametrize("value", [0, 1, 2**31 - 1])
def test_absurd_gamma_is_ignored(value: int) -> None:
    assert pixels(png(8, 0, bytes([99]), 1, chunk(b"gAMA", struct.pack(">I", value)))) == ("L", [99])


@pytest.mark.parametrize(
    ("code", "sample", "right"),
    [
        ((1, 13, 0, 1), (200, 100, 50), (200, 100, 50)),  # sRGB
        ((1, 8, 0, 1), (128, 128, 128), (188, 188, 188)),  # linear
        ((12, 13, 0, 1), (0, 255, 0), (0, 255, 0)),  # Display P3: more than sRGB can show
        ((12, 13, 0, 1), (128, 128, 128), (128, 128, 128)),
        ((9, 16, 0, 1), (148, 148, 148), (255, 255, 255)),  # PQ at 203 nits
        ((9, 16, 0, 1), (0, 0, 0), (0, 0, 0)),
        ((9, 18, 0, 1), (191, 191, 191), (255, 255, 255)),  # HLG at 75 %
        ((99, 99, 0, 1), (10, 20, 30), (10, 20, 30)),  # not known: ignored
    ],
)
def test_cicp_is_applied(code: tuple[int, ...], sample: tuple[int, ...], right: tuple[int, ...]) -> None:
    _, levels = pixels(png(8, 2, bytes(sample), 1, chunk(b"cICP", bytes(code))))
    assert levels == [pytest.approx(value, abs=3) for value in right]


# TIFF


def tiff(order: str, tags: dict[int, tuple[int, list[int]]], body: bytes) -> bytes:
    """One strip; values that do not fit in an entry follow the pixels."""
    tags = {273: (4, [8]), 279: (4, [len(body)]), **tags}
    extra, entries = b"", b""
    after = 8 + len(body) + 2 + 12 * len(tags) + 4
    for tag, (kind, values) in sorted(tags.items()):
        packed = b"".join(struct.pack(order + {3: "H", 4: "I"}[kind], value) for value in values)
        if len(packed) > 4:
            entries += struct.pack(order + "HHII", tag, kind, len(values), after + len(extra))
            extra += packed
        else:
            entries += struct.pack(order + "HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
    mark = b"II" if order == "<" else b"MM"
    head = mark + struct.pack(order + "HI", 42, 8 + len(body))
    return head + body + struct.pack(order + "H", len(tags)) + entries + bytes(4) + extra


def grey(
    order: str, bits: list[int], photometric: int, body: bytes, *, width: int, **more: list[int]
) -> bytes:
    tags = {
        256: (4, [width]),
        257: (4, [1]),
        258: (3, bits),
        259: (3, [1]),
        262: (3, [photometric]),
        277: (3, [len(bits)]),
    }
    names = {"compression": 259, "extra": 338, "sample_format": 339}
    return tiff(order, {**tags, **{names[name]: (3, values) for name, values in more.items()}}, body)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("photometric", "right"), [(1, [0, 64, 128, 255]), (0, [255, 191, 127, 0])])
def test_tiff_of_16_bits(order: str, photometric: int, right: list[int]) -> None:
    body = struct.pack(order + "4H", 0, 0x4000, 0x8000, 0xFFFF)
    assert pixels(grey(order, [16], photometric, body, width=4)) == ("L", right)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("photometric", "right"), [(1, [0, 64, 128, 255]), (0, [255, 191, 127, 0])])
def test_tiff_of_12_bits(order: str, photometric: int, right: list[int]) -> None:
    body = bytes([0x00, 0x04, 0x00, 0x80, 0x0F, 0xFF])
    mode, levels = pixels(grey(order, [12], photometric, body, width=4))
    assert mode == "L"
    assert levels == [pytest.approx(value, abs=1) for value in right]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("photometric", "right"), [(1, [0, 127, 255]), (0, [255, 128, 0])])
def test_tiff_of_floats(order: str, photometric: int, right: list[int]) -> None:
    body = struct.pack(order + "3f", 0.0, 0.5, 1.0)
    mode, levels = pixels(grey(order, [32], photometric, body, width=3, sample_format=[3]))
    assert mode == "L"
    assert levels == [pytest.approx(value, abs=1) for value in right]


@pytest.mark.parametrize("order", ["<", ">"])
def test_tiff_of_doubles(order: str) -> None:
    body = struct.pack(order + "3d", 0.0, 0.5, 1.0)
    mode, levels = pixels(grey(order, [64], 1, body, width=3, sample_format=[3]))
    assert (mode, levels) == ("L", [0, pytest.approx(127, abs=1), 255])


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("photometric", [0, 1])
@pytest.mark.parametrize("bits", [8, 16])
def test_tiff_of_grey_and_alpha(order: str, photometric: int, bits: int) -> None:
    scale, code = (1, "B") if bits == 8 else (257, "H")
    body = struct.pack(f"{order}4{code}", *(value * scale for value in (200, 255, 64, 128)))
    levels = [200, 255, 64, 128] if photometric else [55, 255, 191, 128]
    assert pixels(grey(order, [bits, bits], photometric, body, width=2, extra=[2])) == ("LA", levels)


@pytest.mark.parametrize("order", ["<", ">"])
def test_tiff_of_premultiplied_grey(order: str) -> None:
    body = struct.pack(f"{order}4H", *(value * 257 for value in (100, 255, 64, 128)))
    mode, levels = pixels(grey(order, [16, 16], 1, body, width=2, extra=[1]))
    assert (mode, levels) == ("LA", [100, 255, pytest.approx(127, abs=2), 128])


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("code", "bits", "kind", "values"),
    [
        ("f", 32, 3, [0.0, 0.5, 1.0]),
        ("f", 32, 3, [0.0, 127.0, 255.0]),
        ("d", 64, 3, [0.0, 0.5, 1.0]),
        ("I", 32, 1, [0, 2**31 - 2**24, 2**32 - 1]),
        ("I", 32, 1, [0, 0x7F00, 0xFFFF]),
        ("i", 32, 2, [0, 0x7F00, 0xFFFF]),
        ("H", 16, 1, [0, 0x7F00, 0xFFFF]),
    ],
)
def test_tiff_of_wide_samples_is_the_same_with_and_without_compression(
    order: str, code: str, bits: int, kind: int, values: list[float]
) -> None:
    body = struct.pack(f"{order}3{code}", *values)
    for compression, data in ((1, body), (8, zlib.compress(body))):
        made = grey(order, [bits], 1, data, width=3, sample_format=[kind], compression=[compression])
        assert pixels(made) == ("L", [0, pytest.approx(127, abs=1), 255])


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compression", [1, 8])
def test_tiff_with_a_plane_of_16_bits_for_each_colour(order: str, compression: int) -> None:
    pack = zlib.compress if compression == 8 else bytes
    planes = [pack(struct.pack(f"{order}2H", first, second)) for first, second in PLANES]
    sizes = [len(plane) for plane in planes]
    tags = {
        256: (4, [2]),
        257: (4, [1]),
        258: (3, [16] * 3),
        259: (3, [compression]),
        262: (3, [2]),
        273: (4, [8 + sum(sizes[:place]) for place in range(3)]),
        277: (3, [3]),
        278: (3, [1]),
        279: (4, sizes),
        284: (3, [2]),
    }
    assert pixels(tiff(order, tags, b"".join(planes))) == ("RGB", [0, 64, 255, 128, 255, 32])


PLANES = ((0, 0x8000), (0x4000, 0xFFFF), (0xFFFF, 0x2000))


def test_tiff_of_a_layout_that_is_not_known_is_refused_with_its_layout() -> None:
    data = grey("<", [32, 32, 32], 2, bytes(12), width=1, sample_format=[3, 3, 3])
    with pytest.raises(InputError, match="3 x 32 bits a pixel, photometric 2; save it as PNG"):
        normalise(data)


def test_tiff_of_signed_bytes_keeps_their_order() -> None:
    body = struct.pack("4b", -128, -1, 0, 127)
    assert pixels(grey("<", [8], 1, body, width=4, sample_format=[2])) == ("L", [0, 127, 128, 255])


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_compressed_tiff_of_16_bits(compression: str) -> None:
    wide = Image.frombytes("I;16", (4, 1), struct.pack("<4H", 0, 0x4000, 0x8000, 0xFFFF))
    out = io.BytesIO()
    wide.save(out, "TIFF", compression=compression)
    assert pixels(out.getvalue()) == ("L", [0, 64, 128, 255])


# JPEG that breaks off


def photo(size: tuple[int, int] = (320, 240), **options: Any) -> bytes:
    out = io.BytesIO()
    noise = Image.effect_noise((size[0] // 8, size[1] // 8), 90).resize(size)
    Image.merge("RGB", (noise, noise.transpose(Image.Transpose.ROTATE_180), noise)).save(
        out, "JPEG", **options
    )
    return out.getvalue()


@pytest.mark.parametrize("name", ["jpeg_base_noeoi.jpg", "jpeg_prog_noeoi.jpg"])
def test_jpeg_without_an_end_is_accepted_with_a_note(name: str) -> None:
    made = normalise((CASES / name).read_bytes())
    assert made.image.size == (320, 240)
    assert "breaks off" in made.notes[0]
    assert decode_stored(made.data).tobytes() == made.image.tobytes()


@pytest.mark.parametrize("share", [0.6, 0.8, 0.95])
@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"restart_marker_rows": 1}, {"subsampling": 0}]
)
def test_upper_part_of_a_cut_off_jpeg_is_that_of_the_whole(options: dict[str, Any], share: float) -> None:
    data = photo(**options)
    made = normalise(data[: int(len(data) * share)])
    whole = normalise(data).image
    assert made.image.size == whole.size
    if not options.get("progressive"):
        rows = int(240 * (share - 0.12))
        top = (0, 0, 320, rows)
        assert ImageChops.difference(made.image.crop(top), whole.crop(top)).getbbox() is None
        assert "of 240 rows" in made.notes[0]


@pytest.mark.parametrize("share", [0.15, 0.3])
def test_jpeg_of_less_than_half_its_rows_is_refused(share: float) -> None:
    data = photo()
    with pytest.raises(InputError, match=r"only \d+ of 240 rows"):
        normalise(data[: int(len(data) * share)])


def test_complete_jpeg_has_no_note() -> None:
    assert normalise(photo()).notes == ()


# sizes


def test_large_jpeg_is_read_at_half_its_size() -> None:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((6000, 8000)).save(out, "JPEG", quality=20)
    made = normalise(out.getvalue())
    assert made.image.size == (3000, 4000)
    assert made.notes == (
        "The image has 6,000 x 8,000 pixels and was read at 1/2 of its size, 3,000 x 4,000.",
    )


def test_long_jpeg_is_read_at_a_quarter() -> None:
    out = io.BytesIO()
    Image.new("L", (40_000, 64)).save(out, "JPEG")
    assert normalise(out.getvalue()).image.size == (10_000, 16)


def test_large_png_stays_refused() -> None:
    out = io.BytesIO()
    Image.new("1", (6000, 8000)).save(out, "PNG")
    with pytest.raises(TooLarge, match="25 megapixels"):
        normalise(out.getvalue())


# AVIF and HEIC


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow was built without AVIF")
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_avif_is_accepted(mode: str) -> None:
    image, out = Image.linear_gradient("L").resize((120, 80)).convert(mode), io.BytesIO()
    if mode == "RGBA":
        image.putalpha(Image.radial_gradient("L").resize((120, 80)))
    image.save(out, "AVIF", quality=95)
    made = normalise(out.getvalue())
    assert (made.media_type, made.image.size, made.image.mode) == ("image/png", (120, 80), mode)
    difference = ImageChops.difference(made.image.convert("RGB"), image.convert("RGB")).convert("L")
    assert difference.getextrema()[1] < 12  # type: ignore[operator]  # one band


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\0\0\0\x1cftypavif\0\0\0\0mif1miaf", "AVIF"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0avifmif1miaf", "AVIF"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0heicmif1", "HEIC"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftyphevc\0\0\0\0", "HEIC"),
    ],
)
def test_brands_distinguish_avif_from_heic(head: bytes, name: str) -> None:
    assert recognise(head).name == name


def test_heic_is_accepted_with_the_extra() -> None:
    heif = pytest.importorskip("pillow_heif")
    image, out = Image.linear_gradient("L").resize((128, 96)).convert("RGB"), io.BytesIO()
    heif.from_pillow(image).save(out, quality=95)
    made = normalise(out.getvalue())
    assert (made.media_type, made.image.size) == ("image/png", (128, 96))
    difference = ImageChops.difference(made.image, image).convert("L")
    assert difference.getextrema()[1] < 16  # type: ignore[operator]  # one band


def test_heic_without_the_extra_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("pillow_heif"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr("promptvision.images.formats.import_module", lambda name: without(name))
    with pytest.raises(SetupError, match=r"promptvision\[heic\]"):
        normalise(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
