"""Write docs/edits.md and its images: what each request changes on a drawn scene and on a photograph.

The requests are run with promptvision-opencv only, without a model.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from skimage import data

from promptvision.testing import EDITS, changed_shares, edit_regions, edit_scene, make_agent
from promptvision_opencv.plugin import promptvision_tools

DOCS = Path(__file__).resolve().parent.parent / "docs"
MAX_BYTES = 150_000
PORTRAIT = (
    "make the orange area blue",
    "make the face black and white",
    "make everything but the face black and white",
    "make everything except the orange area black and white",
    "find the woman",
    "remove the woman's hat",
    "change the woman's hair to green",
    "change the man's shirt to blue",
    "remove the face mask",
    "remove the child seat",
    "remove the person's shadow",
    "remove the people in the background",
    "remove the human error",
    "make the orange suit blue",
    "remove the rose",
    "remove the person",
    "make the background blue",
)
SHEETS = {
    "edits_scene": (
        "make the red ball on the right green",
        "remove the dark blue box",
        "make the red ball next to the green cone blue",
        "remove everything except the red balls",
        "make everything except the light blue box black and white",
        "make the background blue",
        "make the red balls green and the light blue box yellow",
        "remove the red balls except the left one",
    ),
    "edits_portrait": PORTRAIT[:4],
}
HEAD = """# Edits: what a request changes

Made by `scripts/edits_page.py` with `promptvision-opencv` alone, without any model. The same requests are
tests: `plugins/opencv/tests/test_edits.py` measures the pixels that change in each named region, and no pixel
of a region that was to be kept may differ.

A request is fulfilled or refused. The fallback detector refuses an edit when it cannot check a word of the
target: then nothing is written, the exit status is 1, and the answer names the word and the command that gets
a detector that can check it.
"""


def main() -> None:
    """Run all requests and write the page and its images."""
    scene, portrait = edit_scene(), Image.fromarray(data.astronaut())  # type: ignore[no-untyped-call]
    results: dict[str, Image.Image] = {}
    regions = edit_regions()
    drawn = [_row(scene, case.request, results, regions) for case in EDITS]
    photo = [_row(portrait, request, results, {}) for request in PORTRAIT]
    _sheet("edits_scene", scene, SHEETS["edits_scene"], results)
    _sheet("edits_portrait", portrait, SHEETS["edits_portrait"], results)
    page = [
        HEAD,
        "## A drawn scene",
        "![The scene, and eight requests with their results](images/edits_scene.jpg)",
        _table("changed (all other regions are bit-identical)", drawn),
        "## A photograph",
        "![A portrait, and four requests with their results](images/edits_portrait.jpg)",
        "Eileen Collins, NASA, public domain, from scikit-image.",
        _table("changed", photo),
    ]
    (DOCS / "edits.md").write_text("\n\n".join(part.strip() for part in page) + "\n")


def _row(
    image: Image.Image, request: str, results: dict[str, Image.Image], regions: dict[str, Image.Image]
) -> tuple[str, str, str]:
    """Request, what changed, and the answer's first sentence."""
    agent = make_agent(list(promptvision_tools()))
    file = io.BytesIO()
    image.save(file, "PNG")
    reply = agent.run_sync(request, image=file.getvalue())
    edits = [made["id"] for made in reply.images if made["kind"] == "edit"]
    answer = reply.text_response.split("\n")[0]
    if not edits:
        return request, "nothing", answer
    edited = results[request] = agent.open(edits[-1]).convert("RGB")
    if regions:
        changed = ", ".join(name for name, share in changed_shares(image, edited, regions).items() if share)
    else:
        changed = f"{(np.array(edited) != np.array(image)).any(axis=2).mean():.0%} of the image"
    return request, changed, answer


def _table(changed: str, rows: Iterable[tuple[str, str, str]]) -> str:
    lines = [f"| request | {changed} | answer |", "|---|---|---|"]
    for row in rows:
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
    return "\n".join(lines)


def _sheet(name: str, before: Image.Image, requests: Iterable[str], results: dict[str, Image.Image]) -> None:
    """The image before, and after each request, three in a row, with the request above."""
    width = 320
    height = round(width * before.height / before.width)
    tiles = [("before", before), *((request, results[request]) for request in requests)]
    sheet = Image.new("RGB", (3 * (width + 8), -(-len(tiles) // 3) * (height + 26)), "white")
    for number, (title, image) in enumerate(tiles):
        left, top = number % 3 * (width + 8), number // 3 * (height + 26)
        ImageDraw.Draw(sheet).text((left + 2, top + 4), title, fill="black", font_size=11)
        sheet.paste(image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS), (left, top + 22))
    file = DOCS / "images" / f"{name}.jpg"
    sheet.save(file, quality=85)
    if file.stat().st_size > MAX_BYTES:
        raise SystemExit(f"{file}: {file.stat().st_size} bytes, more than {MAX_BYTES}")


if __name__ == "__main__":
    main()
