"""Make docs/images/demo.jpg: the demo's images before and after, in one strip.

promptvision demo --output demo-output
python scripts/image_strip.py demo-output docs/images/demo.jpg
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

PANELS = (
    ("1_0.png", "the image"),
    ("1_1.png", "Change the red ball to blue"),
    ("2_1.png", "Now make it black and white"),
    ("4_1.png", "Find the face"),
    ("3_1.png", "What does this sign say?"),
)
HEIGHT, GAP, CAPTION = 190, 10, 34


def main() -> int:
    """Read the demo's folder and write the strip."""
    folder, target = Path(sys.argv[1]), Path(sys.argv[2])
    panels = [(_panel(folder / name), words) for name, words in PANELS]
    width = sum(panel.width for panel, _ in panels) + GAP * (len(panels) + 1)
    strip = Image.new("RGB", (width, HEIGHT + CAPTION + GAP), "white")
    draw, font, left = ImageDraw.Draw(strip), ImageFont.load_default(size=15), GAP
    for panel, words in panels:
        strip.paste(panel, (left, GAP))
        middle = (left + panel.width / 2, GAP + HEIGHT + CAPTION / 2 - 2)
        draw.text(middle, words, fill="#333", font=font, anchor="mm")
        left += panel.width + GAP
    target.parent.mkdir(parents=True, exist_ok=True)
    strip.save(target, quality=90, optimize=True)
    print(f"{target}: {strip.width} x {strip.height}, {target.stat().st_size // 1024} KiB")
    return 0


def _panel(file: Path) -> Image.Image:
    with Image.open(file) as image:
        shown = image.convert("RGB")
    return shown.resize((round(shown.width * HEIGHT / shown.height), HEIGHT), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    sys.exit(main())
