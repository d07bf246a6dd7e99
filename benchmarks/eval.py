"""`promptvision eval` on drawn data: OCR, the OpenCV tools, and each neural tool on a tiny checkpoint.

The tiny checkpoints have the architecture of the published models and random weights: their figures mean
nothing and show only that the path from the data to the report works.

    python benchmarks/eval.py                  every tool, a few minutes; prints Markdown
    python benchmarks/eval.py --only tesseract --keep FOLDER
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import json
import os
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ocr import HELD_OUT, TUNING, images
from ocr_cases import cases
from ocr_scenes import scenes
from PIL import Image, ImageDraw

from promptvision import Agent
from promptvision.cli.main import cli
from promptvision.plugin import PlannerFunction, load_settings, system_prompt
from promptvision.testing.modules import load_module
from promptvision_eval.summary import rows

ROOT = Path(__file__).parents[1]
SENTENCES = """\
# plain
find the red ball => detect prompt=red ball
make it black and white => bw
remove the green ball => inpaint target=green ball; prompt=
read the text => read
put img_1 and img_2 side by side => combine image_url=img_1; others=img_2; layout=side by side
# followup inpaint target=red ball; prompt=blue
now make it green => inpaint prompt=green
and describe it => caption
"""
CAPTIONS = ("A red ball on a light ground", "A ball", "A round thing on a plain background")


@dataclass(frozen=True)
class Run:
    """One command.

    Args:
        operation, data: what is evaluated; paths among the words are of the same folder.
        tools: compared in one table.
        words: further words of the command.
        plugins: members of the repository whose tiny checkpoints are used.
    """

    operation: str
    data: str
    tools: tuple[str, ...]
    words: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()


RUNS = (
    Run("extract_text", "pages", ("tesseract", "rapidocr")),
    Run("extract_text", "damaged", ("tesseract", "rapidocr")),
    Run("extract_text", "scenes", ("tesseract", "rapidocr")),
    Run("extract_text", "icdar", ("tesseract", "rapidocr")),
    Run("detect_objects", "coco", ("opencv_detect",), ("-o", "prompts=each")),
    Run("segment_objects", "coco", ("opencv_segment",)),
    Run("inpaint_image", "edits", ("opencv_inpaint",)),
    Run("caption_image", "captions", ("opencv_caption",)),
    Run("planner", str(ROOT / "benchmarks" / "planner"), ("offline",)),
    Run("detect_objects", "coco", ("grounding_dino",), (), ("grounding_dino",)),
    Run("segment_objects", "coco", ("sam",), (), ("sam",)),
    Run("caption_image", "captions", ("florence",), (), ("florence",)),
    Run("detect_objects", "coco", ("florence_detect",), (), ("florence",)),
    Run("extract_text", "icdar", ("florence_ocr",), (), ("florence",)),
    Run("inpaint_image", "edits", ("erase",), (), ("erase",)),
    Run("inpaint_image", "edits/repaint.jsonl", ("sd_inpaint",), ("-a", "steps=2"), ("sd_inpaint", "eval")),
    Run(
        "inpaint_image", "edits/repaint.jsonl", ("sdxl_inpaint",), ("-a", "steps=2"), ("sdxl_inpaint", "eval")
    ),
    Run(
        "generate_image",
        "prompts",
        ("sdxl_generate",),
        ("-a", "steps=2", "-o", "reference=coco/val2017"),
        ("sdxl_inpaint", "eval"),
    ),
    Run("planner", "sentences.txt", ("offline", "transformers_llm"), (), ("transformers_llm",)),
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
    words += [word.replace("coco/", f"{folder}/coco/") for word in run.words]
    words += ["--report", str(report), "--json"]
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


def tiny(member: str, folder: Path) -> dict[str, str]:
    """Variables that put checkpoints with random weights in the place of a member's models."""

    def builder(name: str) -> Any:
        (path,) = ROOT.glob(f"*/{member}/tests/{name}.py")
        return load_module(path)

    home = folder / "tiny" / member
    home.parent.mkdir(exist_ok=True)
    if member == "grounding_dino":
        path = builder("tiny_grounding_dino").build(home)
        return {"PROMPTVISION_MODEL_GROUNDING_DINO_BASE": str(path)}
    if member == "sam":
        return {"PROMPTVISION_MODEL_SAM2_1_L": str(builder("tiny_sam").build_transformers(home))}
    if member == "florence":
        return {"PROMPTVISION_MODEL_FLORENCE_2_LARGE": str(builder("tiny_florence").build(home))}
    if member == "erase":
        path = builder("tiny_inpainting").build(home.with_suffix(".onnx"))
        return {"PROMPTVISION_MODEL_MIGAN_512": str(path)}
    if member == "sd_inpaint":
        return {"PROMPTVISION_MODEL_SD15_INPAINT": str(builder("tiny_sd").build(home))}
    if member == "transformers_llm":
        path = builder("tiny_llm").build(home, schemas(), vocabulary=6000)
        return {"PROMPTVISION_MODEL_QWEN3_0_6B": str(path)}
    return tiny_sdxl(builder("tiny_sdxl"), home) if member == "sdxl_inpaint" else tiny_networks(builder, home)


def schemas() -> list[str]:
    """What a planner reads of the installed operations, which its tokenizer is trained on."""

    async def read() -> tuple[PlannerFunction, ...]:
        agent = Agent(load_settings(conversations="memory:"))
        await agent.close()
        return agent.registry.functions()

    functions = asyncio.run(read())
    return [system_prompt(functions), *(json.dumps(each.parameters) for each in functions)]


def tiny_sdxl(sdxl: Any, home: Path) -> dict[str, str]:
    refiner, generator = sdxl.build_refiner(home / "refiner"), sdxl.build_base(home / "new", channels=4)
    made: dict[str, str] = sdxl.variables(sdxl.build_base(home / "base"), refiner, generator)
    return made


def tiny_networks(builder: Any, home: Path) -> dict[str, str]:
    """The networks of FID, CLIP score and LPIPS."""
    networks = builder("tiny_networks")
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    made = {
        "INCEPTION_V3_FID": networks.build_inception(home / "inception.pth"),
        "CLIP_VIT_BASE_PATCH32": networks.build_clip(home / "clip"),
        "ALEXNET_LPIPS": networks.build_alexnet(home / "alexnet.pth"),
    }
    return {f"PROMPTVISION_MODEL_{name}": str(path) for name, path in made.items()}


def draw_data(folder: Path) -> None:
    """Draw every data set that does not exist yet."""
    if (folder / "edits").exists():
        return
    data = load_module(ROOT / "frontends" / "eval" / "tests" / "eval_data.py")
    data.write_balls(folder / "coco", 12)
    write_pairs(folder / "pages", ((f"{name} {case.kind}", case.image, case.text) for name, case in cases()))
    write_pairs(folder / "scenes", ((case.kind, case.image, case.text) for case in scenes()))
    write_pairs(folder / "damaged", draw_damaged())
    draw_words(folder / "icdar")
    labels = json.loads((folder / "coco" / "annotations" / "instances_val2017.json").read_text())
    draw_captions(folder, labels)
    draw_edits(folder, labels)
    (folder / "sentences.txt").write_text(SENTENCES)
    (folder / "prompts").mkdir()
    rows = [{"prompt": f"{colour} balls on a light ground"} for colour in ("red", "blue", "green", "two")]
    (folder / "prompts" / "list.jsonl").write_text("\n".join(map(json.dumps, rows)))


def write_pairs(folder: Path, drawn: Iterator[tuple[str, Image.Image, str]]) -> None:
    """Write each image next to its text; images without text are left out."""
    folder.mkdir()
    for number, (name, image, text) in enumerate(drawn):
        if text:
            stem = f"{number:03}-" + re.sub(r"[^\w.]+", "-", name)
            image.save(folder / f"{stem}.png")
            (folder / f"{stem}.txt").write_text(text, "utf-8")


def draw_damaged() -> Iterator[tuple[str, Image.Image, str]]:
    """One page of each kind of damage, of both sets of ``benchmarks/ocr.py``."""
    for collection in (TUNING, HELD_OUT):
        for kind in collection.kinds:
            for page, text in images(collection, kind, 1):
                yield f"{collection.name} {kind.name}", Image.fromarray(page), text


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
    """Remove the first ball of each image, or paint over it; the reference is the ground without it."""
    edits = folder / "edits"
    edits.mkdir()
    rows = [*_edits(folder, edits, labels)]
    for name, prompt in (("list", ""), ("repaint", "a plain background")):
        lines = [json.dumps({**row, "prompt": prompt}) for row in rows]
        (edits / f"{name}.jsonl").write_text("\n".join(lines))


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
        yield names


if __name__ == "__main__":
    raise SystemExit(main())
