"""Character accuracy of OCR on rendered text: plain Tesseract, the prepared image, and the whole tools.

Own texts are drawn on a 1000 x 600 page and damaged in one of many ways. Accuracy is 1 - Levenshtein / length
with white space normalised, never below 0. Two sets are reported apart: thresholds of the preprocessing were
chosen on ``tuning``; ``held-out`` has other texts, other faces and other strengths of every damage.

    python benchmarks/ocr.py                    4 images per kind and set, a few minutes
    python benchmarks/ocr.py --count 20 --write also writes benchmarks/results/ocr.md
    python benchmarks/ocr.py --tools cases      the tools tesseract and rapidocr on screens and documents
    python benchmarks/ocr.py --tools scenes     the same on rendered scenes
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import mean
from typing import TypeAlias

import cv2
import Levenshtein
import numpy as np
from numpy.typing import NDArray
from ocr_cases import Case, cases, find_face, load_font
from ocr_scenes import scenes
from PIL import Image, ImageDraw, ImageFont

from promptvision.plugin import Tool
from promptvision.testing import run_tool
from promptvision_rapidocr.plugin import RAPIDOCR
from promptvision_tesseract.engine import Engine
from promptvision_tesseract.plugin import TESSERACT
from promptvision_tesseract.read import prepare
from promptvision_tesseract.text import join_lines

Grey: TypeAlias = NDArray[np.uint8]
Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont
RESULTS = Path(__file__).parent / "results" / "ocr.md"
SIZE = (1000, 600)


@dataclass(frozen=True)
class Style:
    """How a page is drawn."""

    font_px: int = 28
    ink: int = 20
    paper: int = 250


@dataclass(frozen=True)
class Kind:
    """One kind of damage; ``damage`` gets the page, a random generator and is applied after drawing."""

    name: str
    damage: Callable[[Grey, np.random.Generator], Grey]
    style: Style = Style()


@dataclass(frozen=True)
class Collection:
    """A set of images: sentences, faces and kinds of damage."""

    name: str
    sentences: tuple[str, ...]
    faces: tuple[str, ...]
    kinds: tuple[Kind, ...]
    seed: int


def keep(page: Grey, _: np.random.Generator) -> Grey:
    return page


def turned(degrees: float) -> Callable[[Grey, np.random.Generator], Grey]:
    def damage(page: Grey, rng: np.random.Generator) -> Grey:
        image = Image.fromarray(page)
        angle = degrees if degrees % 90 == 0 else degrees * float(rng.choice((-1, 1)))
        paper = int(page[0, 0])
        return np.asarray(image.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=paper))

    return damage


def noisy(sigma: float) -> Callable[[Grey, np.random.Generator], Grey]:
    def damage(page: Grey, rng: np.random.Generator) -> Grey:
        return np.clip(page + rng.normal(0, sigma, page.shape), 0, 255).astype(np.uint8)

    return damage


def peppered(share: float) -> Callable[[Grey, np.random.Generator], Grey]:
    def damage(page: Grey, rng: np.random.Generator) -> Grey:
        chance = rng.random(page.shape)
        return np.where(chance < share / 2, 0, np.where(chance < share, 255, page)).astype(np.uint8)

    return damage


def tilted(depth: float) -> Callable[[Grey, np.random.Generator], Grey]:
    def damage(page: Grey, rng: np.random.Generator) -> Grey:
        height, width = page.shape
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
        inward = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * depth * np.array([width, height])
        moved = (corners + rng.uniform(0, 1, (4, 2)) * inward).astype(np.float32)
        matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), moved)
        return cv2.warpPerspective(page, matrix, (width, height), borderValue=90).astype(np.uint8)

    return damage


def shaded(darkest: float) -> Callable[[Grey, np.random.Generator], Grey]:
    def damage(page: Grey, rng: np.random.Generator) -> Grey:
        angle = rng.uniform(0, 2 * np.pi)
        y, x = np.mgrid[-1 : 1 : page.shape[0] * 1j, -1 : 1 : page.shape[1] * 1j]
        ramp = (x * np.cos(angle) + y * np.sin(angle)) / 2.83 + 0.5
        return np.asarray(page * (darkest + (1 - darkest) * ramp), np.uint8)

    return damage


def jpeg(quality: int) -> Callable[[Grey, np.random.Generator], Grey]:
    def damage(page: Grey, _: np.random.Generator) -> Grey:
        data = cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)

    return damage


def blurred(sigma: float) -> Callable[[Grey, np.random.Generator], Grey]:
    def damage(page: Grey, _: np.random.Generator) -> Grey:
        return np.asarray(cv2.GaussianBlur(page, (0, 0), sigma), np.uint8)

    return damage


TUNING = Collection(
    name="tuning",
    sentences=(
        "The ferry to the island leaves at 7:45 and returns before dusk.",
        "Please keep this door closed; the cat likes to explore the stairs.",
        "Invoice 20418 covers three crates of apples and one of pears.",
        "Nobody remembered who had painted the old water tower green.",
        "Turn left at the bakery, then walk 300 metres along the canal.",
        "Her notebook listed every bird that visited the garden in May.",
        "Total due: 1,284.50 payable within 30 days of delivery.",
        "A gentle wind moved the curtains while the kettle began to sing.",
        "Visitors must sign the register and wear a yellow badge.",
        "The quiet engineer measured the bridge twice and slept soundly.",
        "Store in a dry place, away from heat, and use by 12 August.",
        "Five boxes of jazz records were quickly moved to the attic.",
        "The museum opens on Sundays, but the cafe stays shut.",
        "Mix two cups of flour with a pinch of salt and some warm milk.",
    ),
    faces=(
        "DejaVuSans.ttf",
        "DejaVuSerif.ttf",
        "LiberationSans-Regular.ttf",
        "LiberationSerif-Regular.ttf",
        "DejaVuSans-Bold.ttf",
    ),
    kinds=(
        Kind("clean", keep),
        Kind("small letters, 12 px", keep, Style(font_px=12)),
        Kind("large letters, 90 px", keep, Style(font_px=90)),
        Kind("rotated 5 degrees", turned(5)),
        Kind("rotated 15 degrees", turned(15)),
        Kind("rotated 90", turned(90)),
        Kind("rotated 180", turned(180)),
        Kind("gaussian noise 50", noisy(50)),
        Kind("salt and pepper 5 %", peppered(0.05)),
        Kind("low contrast", keep, Style(ink=110, paper=140)),
        Kind("low contrast, noise 8", noisy(8), Style(ink=110, paper=140)),
        Kind("perspective", tilted(0.08)),
        Kind("inverted", keep, Style(ink=240, paper=15)),
        Kind("light ink on mid grey", keep, Style(ink=250, paper=150)),
        Kind("dark ink on dark paper", keep, Style(ink=20, paper=70)),
        Kind("shadow", shaded(0.15)),
        Kind("JPEG quality 10", jpeg(10)),
        Kind("blur 2", blurred(2)),
        Kind("12 px, JPEG quality 30", jpeg(30), Style(font_px=12)),
    ),
    seed=1,
)

HELD_OUT = Collection(
    name="held-out",
    sentences=(
        "Platform 9 is closed for repairs until the end of October.",
        "My neighbour grows tomatoes, beans and a single stubborn fig tree.",
        "Batch 7731 was inspected on 3 March and passed without remarks.",
        "Rain had washed the chalk drawings off the school yard.",
        "Keep the receipt: refunds take between 5 and 10 working days.",
        "The lighthouse keeper wrote long letters to a brother in Quebec.",
        "Caution, hot surface. Let the oven cool for 45 minutes.",
        "Seventeen wooden ducks stood in a row along the window sill.",
        "Take one tablet twice a day, preferably with a glass of water.",
        "The train was late, so we shared a sandwich and an umbrella.",
        "Room 214 has a view of the harbour and costs 96.00 per night.",
        "An extra blanket is kept in the bottom drawer of the wardrobe.",
        "He whistled an unknown waltz while fixing the bicycle.",
        "Parking is free for customers from 18:00 to 23:30.",
    ),
    faces=(
        "DejaVuSansCondensed.ttf",
        "DejaVuSerif-Bold.ttf",
        "LiberationSans-Bold.ttf",
        "LiberationSerif-Bold.ttf",
        "LiberationMono-Regular.ttf",
        "LiberationSansNarrow-Regular.ttf",
    ),
    kinds=(
        Kind("clean", keep, Style(font_px=24)),
        Kind("small letters, 13 px", keep, Style(font_px=13)),
        Kind("large letters, 75 px", keep, Style(font_px=75)),
        Kind("rotated 3 degrees", turned(3)),
        Kind("rotated 11 degrees", turned(11)),
        Kind("rotated 270", turned(270)),
        Kind("rotated 180, 22 px", turned(180), Style(font_px=22)),
        Kind("gaussian noise 40", noisy(40)),
        Kind("salt and pepper 3 %", peppered(0.03)),
        Kind("low contrast", keep, Style(ink=160, paper=195)),
        Kind("low contrast, noise 6", noisy(6), Style(ink=150, paper=180)),
        Kind("perspective", tilted(0.06)),
        Kind("inverted", keep, Style(ink=220, paper=40)),
        Kind("light ink on mid grey", keep, Style(ink=240, paper=165)),
        Kind("dark ink on dark paper", keep, Style(ink=30, paper=95)),
        Kind("shadow", shaded(0.22)),
        Kind("JPEG quality 14", jpeg(14)),
        Kind("blur 1.6", blurred(1.6)),
        Kind("13 px, JPEG quality 40", jpeg(40), Style(font_px=13)),
    ),
    seed=2,
)


def draw_page(
    sentences: tuple[str, ...], font: Font, style: Style, rng: np.random.Generator
) -> tuple[Grey, str]:
    """A page filled with sentences in random order (at most 8 lines), and its text."""
    page = Image.new("L", SIZE, style.paper)
    draw = ImageDraw.Draw(page)
    margin, step = 40, round(style.font_px * 1.5)
    room = min(8, (SIZE[1] - 2 * margin) // step)
    words = " ".join(sentences[index] for index in rng.permutation(len(sentences))).split()
    lines = [""]
    for word in words:
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= SIZE[0] - 2 * margin:
            lines[-1] = longer
        elif len(lines) == room:
            break
        else:
            lines.append(word)
    for number, line in enumerate(lines):
        draw.text((margin, margin + number * step), line, font=font, fill=style.ink)
    return np.asarray(page), " ".join(lines)


def images(collection: Collection, kind: Kind, count: int) -> Iterator[tuple[Grey, str]]:
    """Images of one kind with their texts; the same for every run."""
    for number in range(count):
        rng = np.random.default_rng((collection.seed, number))
        font = load_font(collection.faces[number % len(collection.faces)], kind.style.font_px)
        page, text = draw_page(collection.sentences, font, kind.style, rng)
        yield kind.damage(page, rng), text


def accuracy(read: str, written: str) -> float:
    """1 - Levenshtein / length, white space normalised."""
    read, written = " ".join(read.split()), " ".join(written.split())
    return max(0.0, 1 - float(Levenshtein.distance(read, written)) / len(written))


@dataclass(frozen=True)
class Scores:
    """Figures of one image: accuracies from 0 to 1, seconds of wall-clock time."""

    plain: float
    prepared: float
    tool: float
    plain_s: float
    tool_s: float


def measure(page: Grey, text: str) -> Scores:
    """Read one image plainly, after preprocessing, and with the tool ``tesseract``."""
    engine = Engine(["eng"])
    started = time.perf_counter()
    plain = engine.read(page)
    plain_s = time.perf_counter() - started
    prepared = engine.read(prepare(page, engine.find_turn).grey)
    started = time.perf_counter()
    result = run_tool(TESSERACT, Image.fromarray(page))
    return Scores(
        plain=accuracy(join_lines(plain.tokens), text),
        prepared=accuracy(join_lines(prepared.tokens), text),
        tool=accuracy(result.extracted_text, text),
        plain_s=plain_s,
        tool_s=time.perf_counter() - started,
    )


def row(name: str, scores: list[Scores]) -> str:
    def average(field: str) -> float:
        return float(mean(getattr(score, field) for score in scores))

    shares = [f"{100 * average(field):.1f}" for field in ("plain", "prepared", "tool")]
    times = [f"{average(field):.2f}" for field in ("plain_s", "tool_s")]
    return f"| {' | '.join([name, *shares, *times])} |"


def table(collection: Collection, count: int, only: str) -> Iterator[str]:
    """Lines of the table of one collection, each as soon as it is measured."""
    yield f"## {collection.name.capitalize()} set: {count} images per row"
    yield ""
    yield "| damage | plain | preprocessed | tool | plain s | tool s |"
    yield "|---|---|---|---|---|---|"
    everything: list[Scores] = []
    for kind in collection.kinds:
        if only in kind.name:
            scores = [measure(page, text) for page, text in images(collection, kind, count)]
            everything += scores
            yield row(kind.name, scores)
    yield row("**mean**", everything)
    yield ""


def read_with(tool: Tool, case: Case) -> tuple[float, float]:
    """Accuracy of a tool on one case, from 0 to 1, and its seconds; rows of dots do not count."""
    started = time.perf_counter()
    result = run_tool(tool, case.image)
    seconds = time.perf_counter() - started
    read = re.sub(r"[.\u2026\u00b7 ]{4,}", " ", str(getattr(result, "extracted_text", "")))
    if not case.text:
        return float(not read.strip()), seconds
    return accuracy(read, case.text), seconds


def compare_tools(found: list[Case]) -> Iterator[str]:
    """Lines of a table of both tools over some cases, by kind."""
    yield "| kind | images | tesseract | rapidocr | tesseract s | rapidocr s |"
    yield "|---|---|---|---|---|---|"
    figures: dict[str, list[tuple[float, ...]]] = {}
    for case in found:
        (some, some_s), (other, other_s) = read_with(TESSERACT, case), read_with(RAPIDOCR, case)
        figures.setdefault(case.kind, []).append((some, other, some_s, other_s))
    figures["**mean**"] = [measured for rows in figures.values() for measured in rows]
    for kind, measured_rows in figures.items():
        some, other, some_s, other_s = (mean(column) for column in zip(*measured_rows, strict=True))
        shares = f"{100 * some:.1f} | {100 * other:.1f}"
        yield f"| {kind} | {len(measured_rows)} | {shares} | {some_s:.2f} | {other_s:.2f} |"


def machine() -> str:
    """The machine and versions of the measurement."""
    done = subprocess.run(["tesseract", "--version"], capture_output=True, text=True, check=True)
    tesseract, leptonica = (line.strip() for line in done.stdout.splitlines()[:2])
    faces = [face for each in (TUNING, HELD_OUT) for face in each.faces]
    found = sum(find_face(face) is not None for face in faces)
    return (
        f"{tesseract}, {leptonica}; Python {platform.python_version()}, OpenCV {cv2.__version__}, "
        f"NumPy {version('numpy')}, Pillow {version('pillow')}; {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} CPU cores; {found} of {len(faces)} faces installed."
    )


HEAD = """# OCR: character accuracy on rendered text

Made by `python benchmarks/ocr.py --count {count} --write` on {day}.

{machine}

- *plain*: Tesseract on the image as it is. *preprocessed*: Tesseract on the prepared image.
  *tool*: what the tool `tesseract` returns. Percentage of characters, mean of the row.
- *plain s*, *tool s*: seconds of one plain reading, and of a call of the tool, while other programs used the
  same CPU; ignore differences below a factor of two.
- Thresholds were chosen on the tuning set. The held-out set has other texts, faces and strengths of damage,
  and was measured after the thresholds were fixed.
- The text is rendered, not photographed: real photographs are not measured here.

"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--count", type=int, default=4, help="images per kind and set")
    parser.add_argument("--set", choices=("tuning", "held-out", "both"), default="both")
    parser.add_argument("--only", default="", help="only kinds whose name contains this")
    parser.add_argument("--write", action="store_true", help=f"write results/{RESULTS.name}")
    parser.add_argument("--tools", choices=("cases", "scenes"), help="compare the tools on these instead")
    options = parser.parse_args()
    if options.tools:
        found = [case for name, case in cases() if options.set in (name, "both")]
        for line in compare_tools(found if options.tools == "cases" else list(scenes())):
            print(line, flush=True)
        return
    lines = []
    for collection in (TUNING, HELD_OUT):
        if options.set in (collection.name, "both"):
            for line in table(collection, options.count, options.only):
                print(line, flush=True)
                lines.append(line)
    print(machine())
    if options.write:
        head = HEAD.format(count=options.count, day=date.today().isoformat(), machine=machine())
        _, mark, kept = RESULTS.read_text("utf-8").partition("\n## Screens and documents")
        RESULTS.write_text(head + "\n".join(lines).rstrip() + "\n" + mark + kept, "utf-8")


if __name__ == "__main__":
    main()
