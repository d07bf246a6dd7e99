"""A 12-megapixel photo: ingest, black and white, store. Time, and peak memory over a bare interpreter.

    python benchmarks/ingest.py

Each case runs in a process of its own; time excludes imports, memory includes them. Linux only (VmHWM).
The limits hold for each file: a photo as a camera writes it, one it took on its side (upright after
ingest, and so encoded again), and a PNG. Each is decoded in this process and in a decoder process that is
already running, in turn; the memory of the latter is not counted.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Literal

ROUNDS = 5
SIDES = (4000, 3000)
LIMIT_S, LIMIT_MB = 1.5, 300


def peak_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def make_photos(folder: Path) -> dict[str, Path]:
    """Soft shapes under sensor noise: as hard to compress as a photograph, and as large."""
    from PIL import Image

    soft = Image.frombytes("RGB", (67, 50), random.Random(1).randbytes(67 * 50 * 3))
    noise = Image.merge("RGB", [Image.effect_noise(SIDES, 40) for _ in range(3)])
    photo = Image.blend(soft.resize(SIDES, Image.Resampling.BICUBIC), noise, 0.15)
    turned = Image.Exif()
    turned[0x0112] = 6
    paths = {name: folder / name for name in ("upright.jpg", "turned.jpg", "photo.png")}
    photo.save(paths["upright.jpg"], quality=92)
    photo.save(paths["turned.jpg"], quality=92, exif=turned)
    photo.quantize(256).convert("RGB").save(paths["photo.png"])  # a PNG of under 20 MB
    return paths


async def work(photo: Path, folder: Path, decoding: Literal["inline", "process"]) -> dict[str, float]:
    from promptvision.builtin.files import FileImageStore
    from promptvision.images.ingest import ingest
    from promptvision.runtime.image_cache import ImageCache
    from promptvision.settings import Settings

    store = FileImageStore(folder)
    import PIL.Image
    import PIL.JpegImagePlugin
    import PIL.PngImagePlugin  # noqa: F401

    images = ImageCache(store)
    settings = Settings(image_decoding=decoding)
    if decoding == "process":
        from promptvision.testing import street_sign

        out = io.BytesIO()
        street_sign().save(out, "PNG")
        await ingest(out.getvalue(), store, allow_paths=True, settings=settings)
    began = time.perf_counter()
    image = await ingest(photo, store, allow_paths=True, settings=settings, keep=images.keep)
    ingested = time.perf_counter()
    images.save(images.open(image.id).convert("L"))
    ended = time.perf_counter()
    return {
        "ingest_s": ingested - began,
        "bw_s": ended - ingested,
        "total_s": ended - began,
        "peak_mb": peak_mb(),
        "stored_mb": len(store.get(image.id)) / 1e6,
    }


def run_apart(photo: str, decoding: str = "inline") -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, photo, folder, decoding]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    measured: dict[str, float] = json.loads(printed)
    return measured


def main() -> int:
    import PIL
    from PIL import features

    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(
        f"Pillow {PIL.__version__}, libjpeg-turbo {features.version('libjpeg_turbo')}, "
        f"zlib-ng {features.version('zlib_ng')}, isal {version('isal')}; {SIDES[0]} x {SIDES[1]}, "
        f"medians of {ROUNDS}; load {os.getloadavg()[0]:.2f} at the start\n"
    )
    bare = run_apart("")["peak_mb"]
    print("| file | MB | ingest s | bw + store s | total s | peak MB over bare | stored MB |")
    print("|---|---|---|---|---|---|---|")
    passed = True
    with tempfile.TemporaryDirectory() as folder:
        for name, path in make_photos(Path(folder)).items():
            pairs = [(run_apart(str(path)), run_apart(str(path), "process")) for _ in range(ROUNDS)]
            for decoding, runs in zip(("inline", "process"), zip(*pairs, strict=True), strict=True):
                row = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
                over = row["peak_mb"] - bare
                print(
                    f"| {name}, {decoding} | {path.stat().st_size / 1e6:.1f} | {row['ingest_s']:.2f} "
                    f"| {row['bw_s']:.2f} | {row['total_s']:.2f} | {over:.0f} | {row['stored_mb']:.1f} |"
                )
                passed &= row["total_s"] < LIMIT_S and over < LIMIT_MB
    print(f"\n{'Within' if passed else 'OVER'} the limits: {LIMIT_S} s and {LIMIT_MB} MB.")
    return 0 if passed else 1


if __name__ == "__main__":
    if len(sys.argv) == 4:
        how: Literal["inline", "process"] = "process" if sys.argv[3] == "process" else "inline"
        measured = {"peak_mb": peak_mb()}
        if sys.argv[1]:
            measured = asyncio.run(work(Path(sys.argv[1]), Path(sys.argv[2]), how))
        print(json.dumps(measured))
    else:
        sys.exit(main())
