"""Peak memory of `promptvision eval` by the number of examples, with tools that do almost nothing.

    python benchmarks/eval_memory.py                     100, 1,000 and 5,000 examples; half an hour
    python benchmarks/eval_memory.py --count 100 --count 500

Each command runs in a process of its own. *Predicting* is the peak while the tool runs, *whole* the peak of
the process, metrics and 20 bootstrap samples included.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from PIL import Image

from promptvision.testing import write_plugin

SIDE = 48
COUNTS = (100, 1000, 5000)
PLUGIN = """
from PIL import Image
from promptvision.plugin import MASK, Tool, hookimpl, operations

def detect(args, context):
    size = context.open(args.image_url).size
    annotated = context.save(Image.new("RGB", size), kind="annotated")
    return operations.DETECT.result(original_image_url=args.image_url, prompt=args.prompt,
        bounding_boxes=[(8, 8, 40, 40)] * 5, centroids=[(24, 24)] * 5, labels=["ball"] * 5,
        scores=[0.9, 0.8, 0.7, 0.6, 0.5], annotated_image_url=annotated)

def segment(args, context):
    mask = Image.new("L", context.open(args.image_url).size)
    mask.paste(255, (9, 8, 40, 40))
    saved = context.save(mask, kind=MASK)
    return operations.SEGMENT.result(original_image_url=args.image_url, merged_mask_url=saved,
        mask_urls=[saved] * len(args.bounding_boxes))

def read(args, context):
    return operations.EXTRACT_TEXT.result(
        original_image_url=args.image_url, extracted_text="some words", words=[])

def inpaint(args, context):
    image = context.open(args.image_url).copy()
    image.paste("blue", mask=context.open(args.mask_url))
    return operations.INPAINT.result(
        original_image_url=args.image_url, inpainted_image_url=context.save(image))

@hookimpl
def promptvision_tools():
    made = ((operations.DETECT, "detect"), (operations.SEGMENT, "segment"), (operations.EXTRACT_TEXT, "read"),
        (operations.INPAINT, "inpaint"))
    return [Tool(name=f"fast_{name}", operation=each, run=f"promptvision_fast:{name}") for each, name in made]
"""
CHILD = """
import contextlib, io, json, resource, sys
from promptvision.cli.main import cli
out = io.StringIO()
with contextlib.redirect_stdout(out):
    code = cli.main(sys.argv[1:], standalone_mode=False)
tool = json.loads(out.getvalue())["tools"][0]
assert not code and not tool["failed"], tool["failures"]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps([tool["peak_bytes"], max(peak, tool["peak_bytes"])]))
"""


@dataclass(frozen=True)
class Kind:
    """One operation and its data."""

    operation: str
    data: str
    tool: str


KINDS = (
    Kind("detect_objects", "coco", "fast_detect"),
    Kind("segment_objects", "coco", "fast_segment"),
    Kind("extract_text", "pages", "fast_read"),
    Kind("inpaint_image", "edits", "fast_inpaint"),
    Kind("planner", "sentences.txt", "offline"),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, action="append", help="number of examples; repeat it")
    counts = parser.parse_args().count or COUNTS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        site = write_plugin(folder / "site", "fast", PLUGIN)
        head = " | ".join(f"{count:,} predicting | whole" for count in counts)
        print(f"| MB | {head} |\n|---|{'---:|---:|' * len(counts)}")
        sets = [draw_data(folder / str(count), count) for count in counts]
        for kind in KINDS:
            peaks = [peak for data in sets for peak in measure(kind, data, site)]
            print(f"| `{kind.operation}` | {' | '.join(f'{peak / 1e6:.0f}' for peak in peaks)} |", flush=True)
    return 0


def measure(kind: Kind, data: Path, site: Path) -> tuple[int, int]:
    """The peaks in bytes."""
    kept = {"promptvision", "eval", "fast"}
    others = sorted({point.name for point in entry_points(group="promptvision")} - kept)
    variables = {
        "PYTHONPATH": str(site),
        "PROMPTVISION_HOME": str(data / "home"),
        "PROMPTVISION_PLANNER": "offline",
        "PROMPTVISION_DISABLED_PLUGINS": ",".join(others),
    }
    words = ["eval", kind.operation, "--data", str(data / kind.data), "--tool", kind.tool]
    words += ["--resamples", "20", "--fresh", "--json"]
    ended = subprocess.run(
        [sys.executable, "-c", CHILD, *words],
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    predicting, whole = json.loads(ended.stdout)
    return predicting, whole


def draw_data(folder: Path, count: int) -> Path:
    """Write ``count`` small examples of each kind."""
    for name in ("coco/annotations", "coco/val2017", "pages", "edits"):
        (folder / name).mkdir(parents=True)
    mask = Image.new("L", (SIDE, SIDE))
    mask.paste(255, (8, 8, 40, 40))
    mask.save(folder / "edits" / "mask.png")
    labels: dict[str, Any] = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "ball"}]}
    for number in range(1, count + 1):
        colour = (number % 256, number // 256, 90)  # every image has other bytes
        image = Image.new("RGB", (SIDE, SIDE), colour)
        image.paste("white", mask=mask)
        for place in ("coco/val2017", "pages", "edits"):
            image.save(folder / place / f"{number}.png")
        (folder / "pages" / f"{number}.txt").write_text(f"some words {number}")
        labels["images"].append({"id": number, "file_name": f"{number}.png", "width": SIDE, "height": SIDE})
        box = {
            "bbox": [8, 8, 32, 32],
            "area": 1024,
            "iscrowd": 0,
            "segmentation": [[8, 8, 40, 8, 40, 40, 8, 40]],
        }
        labels["annotations"].append({"id": number, "image_id": number, "category_id": 1, **box})
    (folder / "coco" / "annotations" / "instances_val2017.json").write_text(json.dumps(labels))
    rows = [{"image": f"{number}.png", "mask": "mask.png", "prompt": ""} for number in range(1, count + 1)]
    (folder / "edits" / "list.jsonl").write_text("\n".join(map(json.dumps, rows)))
    sentences = [f"find the ball {number} => detect prompt=ball {number}" for number in range(count)]
    (folder / "sentences.txt").write_text("\n".join(sentences))
    return folder


if __name__ == "__main__":
    raise SystemExit(main())
