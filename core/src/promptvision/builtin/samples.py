"""Sample images drawn with Pillow: they need no file or download and are identical on every machine."""

from __future__ import annotations

import math
import random

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

__all__ = ["still_life", "street_sign"]

_SCALE = 2
"""Samples are drawn larger by this factor and scaled down, for smooth edges."""

_Colour = tuple[int, int, int]
_Point = tuple[float, float]


def still_life() -> Image.Image:
    """A shaded red ball, a blue box and a green cone on a wooden table; 960 x 640, RGB."""
    canvas = Image.new("RGB", (960 * _SCALE, 640 * _SCALE))
    _wall(canvas, 0, 330)
    _wood(canvas, 330, 640)
    for middle, radii, strength in (
        ((330, 505), (150, 30), 0.50),
        ((615, 432), (190, 34), 0.42),
        ((823, 520), (125, 26), 0.45),
    ):
        _shadow(canvas, middle, radii, strength)
    _box(canvas)
    _cone(canvas, apex=(800, 285), base=(800, 505), radii=(92, 24), colour=(38, 150, 72))
    _ball(canvas, middle=(290, 400), radius=112, colour=(214, 30, 32))
    return _reduced(canvas)


def street_sign() -> Image.Image:
    """A no-parking sign at a kerb in front of houses; 960 x 640, RGB."""
    canvas = Image.new("RGB", (960 * _SCALE, 640 * _SCALE))
    _gradient(canvas, (0, 0, 960, 470), (140, 190, 232), (226, 238, 246))
    _houses(canvas)
    _gradient(canvas, (0, 470, 960, 540), (186, 182, 174), (168, 164, 157))
    _gradient(canvas, (0, 540, 960, 556), (214, 210, 202), (140, 137, 131))
    _gradient(canvas, (0, 556, 960, 640), (92, 94, 99), (70, 72, 77))
    _tree(canvas, foot=(112, 500))
    _sign(canvas)
    return _reduced(canvas)


def _reduced(canvas: Image.Image) -> Image.Image:
    return canvas.resize((canvas.width // _SCALE, canvas.height // _SCALE), Image.Resampling.LANCZOS)


def _px(*numbers: float) -> tuple[int, ...]:
    return tuple(round(number * _SCALE) for number in numbers)


def _gradient(canvas: Image.Image, area: tuple[float, ...], top: _Colour, bottom: _Colour) -> None:
    left, upper, right, lower = _px(*area)
    size = (right - left, lower - upper)
    blend = Image.linear_gradient("L").resize(size, Image.Resampling.BICUBIC)
    fill = Image.composite(Image.new("RGB", size, bottom), Image.new("RGB", size, top), blend)
    canvas.paste(fill, (left, upper))


def _grain(size: tuple[int, int], cells: tuple[int, int], seed: int) -> Image.Image:
    """Smooth grey noise: ``cells`` random values, stretched to ``size``."""
    noise = random.Random(seed).randbytes(cells[0] * cells[1])  # noqa: S311  # a texture, not a secret
    return Image.frombytes("L", cells, noise).resize(size, Image.Resampling.BICUBIC)


def _textured(area: Image.Image, grain: Image.Image, strength: float) -> Image.Image:
    """Multiply by the grain: 1 where it is white, 1 - strength where it is black."""
    factor = grain.point(lambda value: round(255 * (1 - strength * (1 - value / 255))))
    return ImageChops.multiply(area, Image.merge("RGB", [factor] * 3))


def _wall(canvas: Image.Image, top: int, bottom: int) -> None:
    _gradient(canvas, (0, top, 960, bottom), (238, 229, 212), (216, 203, 182))
    area = canvas.crop(_area(0, top, 960, bottom))
    light = ImageChops.invert(Image.radial_gradient("L")).resize(_pair(1500, 900))
    glow = Image.new("L", area.size)
    glow.paste(light, _pair(-560, -420))
    area = ImageChops.screen(area, _tinted(glow, (60, 55, 44)))
    canvas.paste(_textured(area, _grain(area.size, (480, 165), 3), 0.05), _pair(0, top))


def _area(left: float, top: float, right: float, bottom: float) -> tuple[int, int, int, int]:
    return round(left * _SCALE), round(top * _SCALE), round(right * _SCALE), round(bottom * _SCALE)


def _pair(width: float, height: float) -> tuple[int, int]:
    return round(width * _SCALE), round(height * _SCALE)


def _tinted(grey: Image.Image, colour: _Colour) -> Image.Image:
    return ImageChops.multiply(Image.merge("RGB", [grey] * 3), Image.new("RGB", grey.size, colour))


def _wood(canvas: Image.Image, top: int, bottom: int) -> None:
    _gradient(canvas, (0, top, 960, bottom), (158, 117, 74), (196, 150, 99))
    area = canvas.crop(_area(0, top, 960, bottom))
    area = _textured(area, _grain(area.size, (14, 210), 5), 0.20)
    area = _textured(area, _grain(area.size, (60, 620), 7), 0.14)
    draw = ImageDraw.Draw(area)
    for edge in (0, 62, 142, 236):
        draw.line((0, edge * _SCALE, area.width, edge * _SCALE), fill=(96, 66, 38), width=2 * _SCALE)
        draw.line((0, (edge + 2) * _SCALE, area.width, (edge + 2) * _SCALE), fill=(206, 164, 116), width=1)
    canvas.paste(area, _pair(0, top))


def _shadow(canvas: Image.Image, middle: _Point, radii: _Point, strength: float) -> None:
    """Darken an ellipse gradually towards its centre."""
    mask = Image.new("L", canvas.size)
    (x, y), (a, b) = middle, radii
    ImageDraw.Draw(mask).ellipse(_px(x - a, y - b, x + a, y + b), fill=round(255 * strength))
    ImageDraw.Draw(mask).ellipse(
        _px(x - a * 0.6, y - b * 0.6, x + a * 0.6, y + b * 0.6), fill=round(320 * strength)
    )
    mask = mask.filter(ImageFilter.GaussianBlur(11 * _SCALE))
    canvas.paste(Image.new("RGB", canvas.size, (34, 20, 10)), mask=mask)


def _shaded(size: tuple[int, int], grey: Image.Image, dark: _Colour, light: _Colour) -> Image.Image:
    return Image.composite(Image.new("RGB", size, light), Image.new("RGB", size, dark), grey)


def _ball(canvas: Image.Image, *, middle: _Point, radius: float, colour: _Colour) -> None:
    (x, y), side = middle, round(2 * radius * _SCALE)
    reach = round(side * 1.75)
    falloff = ImageChops.invert(Image.radial_gradient("L")).resize((reach, reach), Image.Resampling.BICUBIC)
    offset = round((reach - side) / 2 + side * 0.17), round((reach - side) / 2 + side * 0.20)
    lit = falloff.crop((*offset, offset[0] + side, offset[1] + side))
    dark = (colour[0] // 4, colour[1] // 4, colour[2] // 4)
    bright = (min(255, colour[0] + 34), colour[1] + 30, colour[2] + 30)
    body = _shaded((side, side), lit, dark, bright)
    body = ImageChops.screen(body, _tinted(_glint(side), (235, 235, 235)))
    mask = Image.new("L", (side, side))
    ImageDraw.Draw(mask).ellipse((0, 0, side - 1, side - 1), fill=255)
    canvas.paste(body, _pair(x - radius, y - radius), mask)


def _glint(side: int) -> Image.Image:
    glint = Image.new("L", (side, side))
    ImageDraw.Draw(glint).ellipse([round(side * part) for part in (0.27, 0.19, 0.42, 0.30)], fill=255)
    return glint.filter(ImageFilter.GaussianBlur(side * 0.03))


def _box(canvas: Image.Image) -> None:
    """A box seen from its corner: two sides and the lid."""
    draw = ImageDraw.Draw(canvas)
    for corners, colour in (
        (((480, 268), (612, 292), (612, 448), (480, 414)), (36, 84, 188)),
        (((612, 292), (714, 262), (714, 404), (612, 448)), (24, 58, 140)),
        (((480, 268), (580, 243), (714, 262), (612, 292)), (86, 138, 232)),
    ):
        draw.polygon([_pair(*corner) for corner in corners], fill=colour)
    draw.line([_pair(480, 268), _pair(612, 292), _pair(714, 262)], fill=(122, 166, 244), width=_SCALE)
    draw.line([_pair(612, 292), _pair(612, 448)], fill=(66, 112, 210), width=_SCALE)


def _cone(canvas: Image.Image, *, apex: _Point, base: _Point, radii: _Point, colour: _Colour) -> None:
    (x, y), (a, b) = base, radii
    mask = Image.new("L", canvas.size)
    draw = ImageDraw.Draw(mask)
    draw.ellipse(_px(x - a, y - b, x + a, y + b), fill=255)
    draw.polygon([_pair(*apex), _pair(x + a, y), _pair(x - a, y)], fill=255)
    left, top, right, bottom = _area(x - a, apex[1], x + a, y + b)
    size = (right - left, bottom - top)
    lit = Image.new("L", size)
    for column in range(size[0]):
        position = column / size[0]
        level = max(0.0, 1 - abs(position - 0.34) * 1.75)
        lit.paste(round(255 * level), (column, 0, column + 1, size[1]))
    red, green, blue = colour
    body = _shaded(size, lit, (red // 3, green // 3, blue // 3), (red + 52, min(255, green + 62), blue + 52))
    canvas.paste(body, (left, top), mask.crop((left, top, right, bottom)))


def _houses(canvas: Image.Image) -> None:
    for left, right, roof, wall in (
        (0, 250, 150, (198, 152, 122)),
        (250, 470, 215, (222, 206, 172)),
        (470, 720, 120, (176, 186, 190)),
        (720, 960, 190, (206, 176, 150)),
    ):
        shade = (wall[0] - 26, wall[1] - 26, wall[2] - 26)
        _gradient(canvas, (left, roof, right, 470), wall, shade)
        draw = ImageDraw.Draw(canvas)
        draw.rectangle(_px(left, roof - 10, right, roof), fill=(104, 84, 76))
        for top in range(roof + 28, 430, 74):
            for x in range(left + 24, right - 50, 62):
                draw.rectangle(_px(x - 3, top - 3, x + 33, top + 47), fill=(244, 240, 232))
                draw.rectangle(_px(x, top, x + 30, top + 44), fill=(96, 118, 136))
                draw.polygon([_pair(x, top), _pair(x + 22, top), _pair(x, top + 32)], fill=(140, 164, 182))


def _tree(canvas: Image.Image, *, foot: _Point) -> None:
    x, y = foot
    draw = ImageDraw.Draw(canvas)
    draw.polygon(
        [_pair(*p) for p in ((x - 11, y), (x - 7, y - 190), (x + 7, y - 190), (x + 11, y))], fill=(92, 66, 46)
    )
    leaves = random.Random(11)  # noqa: S311  # places of leaves, not a secret
    for layer, colour in enumerate(((46, 96, 50), (62, 122, 60), (92, 152, 76))):
        for _ in range(46):
            turn, reach = leaves.uniform(0, math.tau), 78 * math.sqrt(leaves.random())
            cx, cy = (
                x - 9 * layer + reach * math.cos(turn),
                y - 238 - 13 * layer + 0.9 * reach * math.sin(turn),
            )
            radius = leaves.uniform(15, 27) - 4 * layer
            draw.ellipse(_px(cx - radius, cy - radius, cx + radius, cy + radius), fill=colour)


def _sign(canvas: Image.Image) -> None:
    _shadow(canvas, (566, 546), (44, 7), 0.5)
    _pole(canvas)
    plate = (300, 96, 800, 372)
    mask = Image.new("L", canvas.size)
    ImageDraw.Draw(mask).rounded_rectangle(_px(308, 106, 808, 382), _SCALE * 22, fill=110)
    canvas.paste(
        Image.new("RGB", canvas.size, (40, 44, 52)), mask=mask.filter(ImageFilter.GaussianBlur(6 * _SCALE))
    )
    draw = ImageDraw.Draw(canvas)
    draw.rounded_rectangle(_px(*plate), _SCALE * 22, fill=(250, 250, 247))
    draw.rounded_rectangle(_px(310, 106, 790, 362), _SCALE * 15, outline=(188, 24, 32), width=_SCALE * 7)
    for text, size, y, ink in (
        ("NO PARKING", 70, 172, (188, 24, 32)),
        ("VIOLATORS WILL", 48, 251, (28, 30, 34)),
        ("BE TOWED", 48, 312, (28, 30, 34)),
    ):
        font = ImageFont.load_default(size=size * _SCALE)
        draw.text(_pair(550, y), text, fill=ink, font=font, anchor="mm", stroke_width=_SCALE)
    for y in (118, 352):
        draw.ellipse(_px(545, y - 5, 555, y + 5), fill=(150, 152, 156), outline=(96, 98, 102), width=_SCALE)


def _pole(canvas: Image.Image) -> None:
    draw = ImageDraw.Draw(canvas)
    for column in range(16 * _SCALE):
        level = 1 - abs(column / (16 * _SCALE) - 0.35) * 1.1
        grey = round(84 + 104 * level)
        x = 542 * _SCALE + column
        draw.line((x, 84 * _SCALE, x, 546 * _SCALE), fill=(grey, grey + 2, grey + 6))
