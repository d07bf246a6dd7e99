"""Small labelled data sets in their public layouts, and perturbed predictions."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

SIZE = (160, 120)
COLOURS = {1: ("red ball", "#d02020"), 2: ("blue ball", "#2040d0"), 3: ("green ball", "#20a040")}


def make_labels(images: int, seed: int = 1, *, classes: int = 3, per_image: int = 5) -> dict[str, Any]:
    """COCO instances with random boxes and polygons, some of them crowds; the last image is empty."""
    chance = random.Random(seed)
    rows: list[dict[str, Any]] = []
    for image in range(1, images):
        for _ in range(per_image):
            width, height = chance.uniform(6, 110), chance.uniform(6, 100)
            x, y = chance.uniform(0, SIZE[0] - width), chance.uniform(0, SIZE[1] - height)
            corners = [x, y, x + width, y, x + width, y + height, x + width / 3, y + height]
            rows.append(
                {
                    "id": len(rows) + 1,
                    "image_id": image,
                    "category_id": chance.randint(1, classes),
                    "bbox": [x, y, width, height],
                    "area": width * height,
                    "iscrowd": int(chance.random() < 0.15),
                    "segmentation": [corners],
                }
            )
    return {
        "images": [
            {"id": at, "file_name": f"{at}.png", "width": SIZE[0], "height": SIZE[1]}
            for at in range(1, images + 1)
        ],
        "annotations": rows,
        "categories": [{"id": id_, "name": COLOURS[id_][0]} for id_ in range(1, classes + 1)],
    }


def perturbed_boxes(labels: dict[str, Any], seed: int = 2, *, spread: float = 3) -> list[dict[str, Any]]:
    """Detections near the labels: missing, moved by about ``spread``, of another class, or found twice."""
    chance = random.Random(seed)
    found = []
    for label in labels["annotations"]:
        for _ in range(chance.choice((0, 1, 1, 1, 2))):
            x, y, width, height = label["bbox"]
            category = label["category_id"] if chance.random() < 0.9 else 1
            factor = chance.uniform(1 - spread / 15, 1 + spread / 15)
            box = [x + chance.gauss(0, spread), y + chance.gauss(0, spread), width * factor, height]
            score = round(chance.random(), 2)  # some are equal
            found.append(
                {"image_id": label["image_id"], "category_id": category, "bbox": box, "score": score}
            )
    return found


def write_balls(folder: Path, count: int = 3, seed: int = 3) -> Path:
    """COCO instances with real images: coloured balls on a light background; return the folder."""
    chance = random.Random(seed)
    images = folder / "val2017"
    images.mkdir(parents=True)
    (folder / "annotations").mkdir()
    labels: dict[str, Any] = {"images": [], "annotations": [], "categories": []}
    labels["categories"] = [{"id": id_, "name": name} for id_, (name, _) in COLOURS.items()]
    for number in range(1, count + 1):
        image = Image.new("RGB", SIZE, "#e8e4dc")
        for place, category in enumerate(chance.sample(sorted(COLOURS), 2)):
            radius = chance.randint(14, 24)
            x, y = 40 + 75 * place + chance.randint(-8, 8), chance.randint(30, 90)
            box = (x - radius, y - radius, x + radius, y + radius)
            ImageDraw.Draw(image).ellipse(box, fill=COLOURS[category][1])
            labels["annotations"].append(_ball(len(labels["annotations"]) + 1, number, category, box))
        image.save(images / f"{number}.png")
        labels["images"].append(
            {"id": number, "file_name": f"{number}.png", "width": SIZE[0], "height": SIZE[1]}
        )
    (folder / "annotations" / "instances_val2017.json").write_text(json.dumps(labels))
    return folder


def _ball(id_: int, image_id: int, category: int, box: tuple[int, int, int, int]) -> dict[str, Any]:
    import math

    x1, y1, x2, y2 = box
    centre, radius = ((x1 + x2) / 2, (y1 + y2) / 2), (x2 - x1) / 2
    angles = [math.tau * at / 32 for at in range(32)]
    points = [(centre[0] + radius * math.cos(a), centre[1] + radius * math.sin(a)) for a in angles]
    return {
        "id": id_,
        "image_id": image_id,
        "category_id": category,
        "bbox": [x1, y1, x2 - x1, y2 - y1],
        "area": math.pi * radius**2,
        "iscrowd": 0,
        "segmentation": [[side for point in points for side in point]],
    }
