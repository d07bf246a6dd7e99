"""`promptvision eval` on drawn data: OCR, the OpenCV tools, and each neural tool on a tiny checkpoint.

The tiny checkpoints have the architecture of the published models and random weights: their figures mean
nothing and show only that the path from the data to the report works.

    python benchmarks/eval.py                  every tool, a few minutes; prints Markdown
    python benchmarks/eval.py --only tesseract --keep FOLDER
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import shlex
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ocr_cases import cases
from PIL import Image, ImageDraw

from promptvision.cli.main import cli
from promptvision.testing.modules import load_module
from promptvision_eval.summary import rows

ROOT = Path(__file__).parents[1]
CAPTIONS = ("A red ball on a light ground", "A ball", "A round thing on a plain background")


@dataclass(frozen=True)
class Run:
    """One command.

    Args:
        operation, data: what is evaluated.
        tools: compared in one table.
        words: further words of the command.
        plugins: plugins whose tiny checkpoints are used.
    """

    operation: str
    data: str
    tools: tuple[str, ...]
    words: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()


RUNS = (
    Run("extract_text", "pages", ("tesseract",)),
    Run("extract_text", "icdar", ("tesseract", "rapidocr")),
    Run("detect_objects", "coco", ("opencv_detect",), ("-o", "prompts=each")),
    Run("segment_objects", "coco", ("opencv_segment",)),
    Run("inpaint_image", "edits", ("opencv_inpaint",)),
    Run("caption_image", "captions", ("opencv_caption",)),
    Run("planner", str(ROOT / "benchmarks" / "planner"), ("offline",)),
    Run("detect_objects", "coco", ("grounding_dino",), (), ("grounding_dino",)),
    Run("segment_objects", "coco", ("sam",), (), ("sam",)),
    Run("caption_image", "captions", ("florence",), (), ("florence",)),
    Run("inpaint_image", "edits", ("erase",), (), ("erase",)),
    Run("inpaint_image", "edits", ("sd_inpaint",), ("-a", "steps=2"), ("sd_inpaint",)),
    Run("inpaint_image", "edits", ("sdxl_inpaint",), ("-a", "steps=2"), ("sdxl_inpaint",)),
    Run("extract_text", "pages", ("tesseract", "rapidocr"), ("--limit", "6")),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", action="append", help="run only commands with this tool")
    parser.add_argument("--keep", type=Path, help="folder for the data, the logs and the reports")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        draw_data(folder)
        os.environ |= {"PROMPTVISION_HOME": str(folder / "home"), "PROMPTVISION_PLANNER": "offline"}
        for run in RUNS:
            if not options.only or set(run.tools) & set(options.only):
                evaluate(run, folder)
    return 0


def evaluate(run: Run, folder: Path) -> None:
    variables = {name: value for plugin in run.plugins for name, value in tiny(plugin, folder).items()}
    os.environ |= variables
    report = folder / f"{run.operation}-{run.data.rpartition('/')[2]}-{'-'.join(run.tools)}.html"
    words = ["eval", run.operation, "--data", str(folder / run.data)]
    words += [word for tool in run.tools for word in ("--tool", tool)]
    words += [*run.words, "--report", str(report), "--json"]
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            cli.main(words, standalone_mode=False)
    finally:
        for name in variables:
            del os.environ[name]
    show(run, json.loads(out.getvalue()))
    sys.stdout.flush()


def show(run: Run, document: dict[str, Any]) -> None:
    shown = ["promptvision", "eval", run.operation, "--data", run.data.rpartition("/")[2]]
    shown += [word for tool in run.tools for word in ("--tool", tool)]
    print(f"\n`{shlex.join([*shown, *run.words])}`\n")
    print(f"| {document['examples']} examples | {' | '.join(run.tools)} |")
    print(f"|---|{'---:|' * len(run.tools)}")
    for name, cells in rows(document):
        print(f"| {name} | {' | '.join(cells)} |")


def tiny(plugin: str, folder: Path) -> dict[str, str]:
    """Variables that put a checkpoint with random weights in the place of a plugin's models."""

    def builder(name: str) -> Any:
        return load_module(ROOT / "plugins" / plugin / "tests" / f"{name}.py")

    home = folder / "tiny" / plugin
    home.parent.mkdir(exist_ok=True)
    if plugin == "grounding_dino":
        path = builder("tiny_grounding_dino").build(home)
        return {"PROMPTVISION_MODEL_GROUNDING_DINO_BASE": str(path)}
    if plugin == "sam":
        return {"PROMPTVISION_MODEL_SAM2_1_L": str(builder("tiny_sam").build_transformers(home))}
    if plugin == "florence":
        return {"PROMPTVISION_MODEL_FLORENCE_2_LARGE": str(builder("tiny_florence").build(home))}
    if plugin == "erase":
        path = builder("tiny_inpainting").build(home.with_suffix(".onnx"))
        return {"PROMPTVISION_MODEL_MIGAN_512": str(path)}
    if plugin == "sd_inpaint":
        return {"PROMPTVISION_MODEL_SD15_INPAINT": str(builder("tiny_sd").build(home))}
    sdxl = builder("tiny_sdxl")
    made: dict[str, str] = sdxl.variables(
        sdxl.build_base(home / "base"), sdxl.build_refiner(home / "refiner")
    )
    return made


def draw_data(folder: Path) -> None:
    """Draw every data set that does not exist yet."""
    if (folder / "edits").exists():
        return
    data = load_module(ROOT / "frontends" / "eval" / "tests" / "eval_data.py")
    data.write_balls(folder / "coco", 12)
    pages = folder / "pages"
    pages.mkdir()
    for number, (name, case) in enumerate(cases()):
        if case.text:
            stem = f"{number:03}-{name}-{case.kind.replace(' ', '-').replace('/', '-')}"
            case.image.save(pages / f"{stem}.png")
            (pages / f"{stem}.txt").write_text(case.text, "utf-8")
    draw_words(folder / "icdar")
    labels = json.loads((folder / "coco" / "annotations" / "instances_val2017.json").read_text())
    draw_captions(folder, labels)
    draw_edits(folder, labels)


def draw_words(folder: Path) -> None:
    """Signs with one word in each corner, labelled as in ICDAR 2015."""
    from ocr_cases import load_font

    (folder / "gt").mkdir(parents=True)
    font = load_font("DejaVuSans.ttf", 32)
    words = ("Harbour", "Bakery", "Museum", "Station", "Garden", "Library", "Market", "Bridge")
    for number in range(6):
        image = Image.new("RGB", (640, 400), "white")
        pen, lines = ImageDraw.Draw(image), []
        for place in range(4):
            word = words[(number + 3 * place) % len(words)]
            at = (60 + 320 * (place % 2), 80 + 180 * (place // 2))
            pen.text(at, word, fill="black", font=font)
            x1, y1, x2, y2 = map(round, pen.textbbox(at, word, font=font))
            lines.append(f"{x1},{y1},{x2},{y1},{x2},{y2},{x1},{y2},{word}")
        image.save(folder / f"img_{number}.png")
        (folder / "gt" / f"gt_img_{number}.txt").write_text("\n".join(lines))


def draw_captions(folder: Path, labels: dict[str, Any]) -> None:
    """The images of the COCO set with captions."""
    (folder / "captions" / "annotations").mkdir(parents=True)
    rows = [
        {"id": at, "image_id": image["id"], "caption": caption}
        for at, (image, caption) in enumerate((i, c) for i in labels["images"] for c in CAPTIONS)
    ]
    path = folder / "captions" / "annotations" / "captions_val2017.json"
    path.write_text(json.dumps({"images": labels["images"], "annotations": rows}))
    (folder / "captions" / "val2017").symlink_to(folder / "coco" / "val2017")


def draw_edits(folder: Path, labels: dict[str, Any]) -> None:
    """Remove the first ball of each image; the reference is the ground without it."""
    edits = folder / "edits"
    edits.mkdir()
    lines = [json.dumps(row) for row in _edits(folder, edits, labels)]
    (edits / "list.jsonl").write_text("\n".join(lines))


def _edits(folder: Path, edits: Path, labels: dict[str, Any]) -> Iterator[dict[str, str]]:
    for image in labels["images"][:4]:
        x, y, width, height = next(
            each["bbox"] for each in labels["annotations"] if each["image_id"] == image["id"]
        )
        before = Image.open(folder / "coco" / "val2017" / image["file_name"])
        mask, after = Image.new("L", before.size, 0), before.copy()
        for canvas, fill in ((mask, 255), (after, "#e8e4dc")):
            ImageDraw.Draw(canvas).rectangle((x - 3, y - 3, x + width + 3, y + height + 3), fill=fill)
        names = {kind: f"{kind}-{image['id']}.png" for kind in ("image", "mask", "reference")}
        for kind, made in (("image", before), ("mask", mask), ("reference", after)):
            made.save(edits / names[kind])
        yield {**names, "prompt": ""}


if __name__ == "__main__":
    raise SystemExit(main())
