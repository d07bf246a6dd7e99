"""Drawn screens and documents of the kinds that OCR reads wrongly, and images without text.

Every kind is drawn twice: ``tuning``, on which thresholds were chosen, and ``held-out``, with other texts,
faces, colours and sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import skimage
from PIL import Image, ImageDraw, ImageFont

__all__ = ["Case", "cases", "find_face", "load_font"]

FONT_FOLDERS = ("/usr/share/fonts/truetype/dejavu", "/usr/share/fonts/truetype/liberation")
Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont
Colour: TypeAlias = tuple[int, int, int]
WHITE, BLACK, GREY = (255, 255, 255), (20, 20, 20), (225, 225, 225)


@dataclass(frozen=True)
class Case:
    """One image and what is written in it; an empty text means that nothing may be read."""

    kind: str
    image: Image.Image
    text: str


@dataclass(frozen=True)
class Variant:
    """Texts and faces of one of the two sets."""

    name: str
    face: str
    bold: str
    px: int
    lines: tuple[str, ...]
    shorts: tuple[str, ...]
    words: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    dark: Colour
    pairs: tuple[tuple[Colour, Colour], ...]
    accents: tuple[str, ...]
    photographs: tuple[str, ...]


TUNING = Variant(
    name="tuning",
    face="DejaVuSans.ttf",
    bold="DejaVuSans-Bold.ttf",
    px=22,
    lines=(
        "The ferry to the island leaves at noon",
        "Please keep this door closed at night",
        "Rain had washed the drawings off the wall",
        "Turn left at the bakery near the canal",
        "The museum opens on Sundays in summer",
        "Store in a dry place away from heat",
    ),
    shorts=("7", "B", "-1", "42", "OK", "3.5"),
    words=("EXIT", "PUSH", "Room 12"),
    rows=(
        ("Item", "Qty", "Price"),
        ("Apples", "12", "3.40"),
        ("Pears", "7", "2.10"),
        ("Plums", "30", "8.95"),
    ),
    dark=(30, 40, 70),
    pairs=(((200, 60, 60), (60, 130, 70)), ((70, 90, 230), (150, 90, 20)), ((170, 60, 190), (60, 120, 130))),
    accents=(
        "Cr\u00e8me br\u00fbl\u00e9e et caf\u00e9 cr\u00e8me",
        "El ni\u00f1o ma\u00f1ana comi\u00f3 jam\u00f3n",
    ),
    photographs=("astronaut.png", "chelsea.png", "grass.png"),
)

HELD_OUT = Variant(
    name="held-out",
    face="LiberationSans-Regular.ttf",
    bold="LiberationSerif-Bold.ttf",
    px=26,
    lines=(
        "Platform nine is closed until October",
        "My neighbour grows tomatoes and beans",
        "Keep the receipt for any later refund",
        "The train was late so we shared lunch",
        "An extra blanket is in the bottom drawer",
        "Parking is free for hotel customers",
    ),
    shorts=("9", "K", "-8", "65", "No", "0.7"),
    words=("OPEN", "SALE", "Gate 4"),
    rows=(("Name", "Age", "City"), ("Anna", "34", "Bonn"), ("Marco", "8", "Turin"), ("Julia", "61", "Lyon")),
    dark=(90, 20, 30),
    pairs=(((60, 140, 60), (190, 75, 75)), ((150, 100, 20), (80, 95, 220)), ((40, 130, 140), (175, 70, 190))),
    accents=(
        "Gar\u00e7on, une th\u00e9i\u00e8re s'il vous pla\u00eet",
        "M\u00fcller k\u00e4mpft f\u00fcr sch\u00f6ne \u00c4pfel",
    ),
    photographs=("coffee.png", "rocket.jpg", "brick.png"),
)


def find_face(face: str) -> Path | None:
    """Where a typeface is installed."""
    return next((path for folder in FONT_FOLDERS if (path := Path(folder) / face).exists()), None)


def load_font(face: str, size_px: int) -> Font:
    """The face where it is installed, else Pillow's built-in one."""
    path = find_face(face)
    return ImageFont.truetype(str(path), size_px) if path else ImageFont.load_default(size_px)


def cases() -> Iterator[tuple[str, Case]]:
    """Every case with the name of its set."""
    for variant in (TUNING, HELD_OUT):
        for kind in KINDS:
            for case in kind(variant):
                yield variant.name, case


def _page(size: tuple[int, int], paper: Colour = WHITE) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    page = Image.new("RGB", size, paper)
    return page, ImageDraw.Draw(page)


def _write(
    pen: ImageDraw.ImageDraw, lines: tuple[str, ...], at: tuple[int, int], font: Font, ink: Colour = BLACK
) -> None:
    for number, line in enumerate(lines):
        step = int(font.getbbox("Ag")[3] * 1.4)
        pen.text((at[0], at[1] + number * step), line, font=font, fill=ink)


def _mixed_polarity(v: Variant) -> Iterator[Case]:
    font = load_font(v.face, v.px)
    page, pen = _page((700, 300))
    pen.rectangle((0, 0, 700, 60), fill=v.dark)
    _write(pen, v.lines[:1], (30, 15), font, WHITE)
    _write(pen, v.lines[1:5], (30, 90), font)
    yield Case("mixed polarity", page, " ".join(v.lines[:5]))

    page, pen = _page((600, 260))
    for number, line in enumerate(v.lines[:5]):
        is_selected = number == 2
        if is_selected:
            pen.rectangle((0, 8 + number * 48, 600, 54 + number * 48), fill=(20, 90, 200))
        _write(pen, (line,), (24, 16 + number * 48), font, WHITE if is_selected else BLACK)
    yield Case("mixed polarity", page, " ".join(v.lines[:5]))

    page, pen = _page((1200, 220))
    pen.rectangle((600, 0, 1200, 220), fill=(25, 25, 25))
    _write(pen, v.lines[:3], (30, 40), font)
    _write(pen, v.lines[3:6], (640, 40), font, (235, 235, 235))
    yield Case("mixed polarity", page, " ".join(v.lines))

    page, pen = _page((620, 220), (240, 242, 245))
    _write(pen, v.lines[:2], (30, 30), font)
    for left, word in zip((40, 240, 440), v.words, strict=True):
        pen.rounded_rectangle((left, 130, left + 150, 185), 10, fill=v.dark)
        pen.text((left + 75, 158), word, font=font, fill=WHITE, anchor="mm")
    yield Case("mixed polarity", page, " ".join([*v.lines[:2], *v.words]))


def _short(v: Variant) -> Iterator[Case]:
    for number, text in enumerate(v.shorts):
        page, pen = _page((160 + 40 * number, 110))
        pen.text(
            (80, 55), text, font=load_font(v.bold if number % 2 else v.face, 40), fill=BLACK, anchor="mm"
        )
        yield Case("short token", page, text)


def _tables(v: Variant) -> Iterator[Case]:
    font = load_font(v.face, v.px)
    for name, rule, header in (
        ("ruled table", 2, WHITE),
        ("ruled table", 1, v.dark),
        ("ruled table", 3, GREY),
    ):
        page, pen = _page((620, 260))
        for y, row in enumerate(v.rows):
            for x, cell in enumerate(row):
                box = (20 + x * 190, 20 + y * 52, 210 + x * 190, 72 + y * 52)
                pen.rectangle(box, fill=header if y == 0 else WHITE, outline=(60, 60, 60), width=rule)
                ink = WHITE if y == 0 and header == v.dark else BLACK
                pen.text((box[0] + 12, (box[1] + box[3]) / 2), cell, font=font, fill=ink, anchor="lm")
        yield Case(name, page, " ".join(cell for row in v.rows for cell in row))

    page, pen = _page((640, 240))
    for number, line in enumerate(v.lines[:4]):
        pen.text((20, 14 + number * 54), line, font=font, fill=BLACK)
        pen.line((10, 50 + number * 54, 630, 50 + number * 54), fill=BLACK, width=2)
    yield Case("ruled table", page, " ".join(v.lines[:4]))


def _columns(v: Variant) -> Iterator[Case]:
    font = load_font(v.face, v.px - 4)
    width = int(max(font.getlength(line) for line in v.lines))
    for gap, rule in ((28, False), (44, True)):
        page, pen = _page((2 * width + gap + 60, 180))
        _write(pen, v.lines[:3], (30, 30), font)
        _write(pen, v.lines[3:], (30 + width + gap, 30), font)
        if rule:
            x = 30 + width + gap // 2
            pen.line((x, 20, x, 160), fill=BLACK, width=2)
        yield Case("two columns", page, " ".join(v.lines))


def _rotated(v: Variant) -> Iterator[Case]:
    font = load_font(v.face, v.px)
    for degrees in (30, -30, 45, -45):
        page, pen = _page((620, 250))
        _write(pen, v.lines[:5], (30, 25), font)
        turned = page.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=WHITE)
        yield Case("rotated 30, 45", turned, " ".join(v.lines[:5]))


def _equal_luminance(v: Variant) -> Iterator[Case]:
    font = load_font(v.bold, v.px + 4)
    for ink, paper in v.pairs:
        luma = np.array([0.299, 0.587, 0.114])
        change = float(luma @ np.array(paper) - luma @ np.array(ink))
        level = tuple(int(np.clip(value + change, 0, 255)) for value in ink)
        page, pen = _page((760, 170), paper)
        _write(pen, v.lines[:3], (30, 25), font, (level[0], level[1], level[2]))
        yield Case("equal luminance", page, " ".join(v.lines[:3]))


def _leader_dots(v: Variant) -> Iterator[Case]:
    for size in (v.px, v.px - 6):
        font = load_font(v.face, size)
        page, pen = _page((760, 240))
        for number, row in enumerate(v.rows):
            y = 25 + number * 48
            title, end = f"{row[0]} {row[2]}", f"{number * 9 + 4}"
            pen.text((30, y), title, font=font, fill=BLACK)
            pen.text((730, y), end, font=font, fill=BLACK, anchor="ra")
            start, stop = 44 + font.getlength(title), 716 - font.getlength(end)
            dots = "." * int((stop - start) / font.getlength("."))
            pen.text((start, y), dots, font=font, fill=BLACK)
        yield Case(
            "leader dots", page, " ".join(f"{row[0]} {row[2]} {n * 9 + 4}" for n, row in enumerate(v.rows))
        )


def _tiny(v: Variant) -> Iterator[Case]:
    for face in (v.face, v.bold):
        page, pen = _page((320, 110))
        _write(pen, v.lines, (12, 10), load_font(face, 9))
        yield Case("9 px", page, " ".join(v.lines))


def _upside_down(v: Variant) -> Iterator[Case]:
    for word in v.words:
        page, pen = _page((320, 110))
        pen.text((160, 55), word, font=load_font(v.bold, 44), fill=BLACK, anchor="mm")
        yield Case("upside-down word", page.rotate(180), word)


def _vertical(v: Variant) -> Iterator[Case]:
    font, large = load_font(v.face, v.px), load_font(v.bold, 30)
    for degrees in (90, 270):
        page, pen = _page((680, 250))
        label, label_pen = _page((220, 50))
        label_pen.text((110, 25), v.words[2], font=large, fill=BLACK, anchor="mm")
        page.paste(label.rotate(degrees, expand=True), (12, 15))
        _write(pen, v.lines[:4], (90, 40), font)
        yield Case("vertical text", page, " ".join([v.words[2], *v.lines[:4]]))
    page, pen = _page((120, 320))
    for number, letter in enumerate(v.words[0]):
        pen.text((60, 50 + number * 70), letter, font=load_font(v.bold, 48), fill=BLACK, anchor="mm")
    yield Case("vertical text", page, v.words[0])


def _accents(v: Variant) -> Iterator[Case]:
    for text in v.accents:
        page, pen = _page((640, 100))
        pen.text((30, 30), text, font=load_font(v.face, v.px + 6), fill=BLACK)
        yield Case("accents", page, text)


def _no_text(v: Variant) -> Iterator[Case]:
    folder = Path(skimage.__file__).parent / "data"
    for name in v.photographs:
        with Image.open(folder / name) as photograph:
            yield Case("no text: photograph", photograph.convert("RGB"), "")
    page, pen = _page((500, 340), GREY)
    pen.ellipse((60, 80, 200, 220), fill=(200, 40, 40))
    pen.rectangle((260, 60, 420, 200), fill=v.dark)
    pen.polygon([(300, 320), (380, 220), (460, 320)], fill=(40, 160, 70))
    yield Case("no text: drawing", page, "")
    yield Case("no text: drawing", Image.new("RGB", (400, 300), v.dark), "")
    ramp = np.linspace(0, 255, 480).astype(np.uint8)
    yield Case("no text: drawing", Image.fromarray(np.tile(ramp, (320, 1))).convert("RGB"), "")


KINDS: tuple[Callable[[Variant], Iterator[Case]], ...] = (
    _mixed_polarity,
    _short,
    _tables,
    _columns,
    _rotated,
    _equal_luminance,
    _leader_dots,
    _tiny,
    _upside_down,
    _vertical,
    _accents,
    _no_text,
)
