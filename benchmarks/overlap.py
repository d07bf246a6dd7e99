"""Overlapping SDXL calls in every pair of placements, on tiny checkpoints.

Each round runs two calls in parallel in a pair of placements and compares their images with those of the same
calls alone. The CPU acts as the GPU, so that all placements share the loaded models.

    uv run python benchmarks/overlap.py --rounds 200
"""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations_with_replacement, cycle, islice
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from PIL import Image

from promptvision.plugin import Placement
from promptvision.testing import CallContext, make_context, run_tool
from promptvision_sdxl_inpaint import paint
from promptvision_sdxl_inpaint.plugin import INPAINT, SPECS
from promptvision_sdxl_inpaint.staged import StagedRunner

TINY = Path(__file__).parents[1] / "plugins/sdxl_inpaint/tests/tiny_sdxl.py"
PAIRS = list(combinations_with_replacement(Placement, 2))
SEEDS = (1, 2)


def builders() -> ModuleType:
    """The builders of the tiny checkpoints."""
    spec = importlib.util.spec_from_file_location("tiny_sdxl", TINY)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Calls:
    """Calls that share one pool, each in a placement of its thread's choice."""

    def __init__(self, folder: Path) -> None:
        tiny = builders()
        variables = tiny.variables(tiny.build_base(folder / "base"), tiny.build_refiner(folder / "refiner"))
        variables["PROMPTVISION_SDXL_PIXELS"] = "4096"
        self.held: Any = make_context(models=SPECS, variables=variables)
        pixels = np.random.default_rng(7).integers(0, 256, (70, 90, 3), dtype=np.uint8)
        self.image = Image.fromarray(pixels)
        self.mask = Image.new("L", self.image.size)
        self.mask.paste(255, (20, 15, 60, 50))
        self.placement = threading.local()
        module: Any = paint
        calls: Any = CallContext
        calls.choose_placement = lambda *_: self.placement.value
        module.StagedRunner = lambda held, at: StagedRunner(held, at, gpu="cpu")

    def paint(self, seed: int, placement: Placement) -> str:
        """The id of the painted image."""
        self.placement.value = placement
        own = CallContext(
            images=self.held._images,  # noqa: SLF001  # what the calls share
            pool=self.held._pool,  # noqa: SLF001
            settings=self.held.settings,
        )
        arguments = {"prompt": "a cat", "seed": seed, "steps": 6}
        result: Any = run_tool(
            INPAINT, self.image, context=own, mask_url=own.save_mask(self.mask), **arguments
        )
        return str(result.inpainted_image_url.id)


def main() -> None:
    """Run the rounds and print how many gave other images."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        calls = Calls(Path(folder))
        wanted = [calls.paint(seed, Placement.CPU) for seed in SEEDS]
        wrong, started = 0, time.monotonic()
        with ThreadPoolExecutor(2) as threads:
            for pair in islice(cycle(PAIRS), rounds):
                if list(threads.map(calls.paint, SEEDS, pair)) != wanted:
                    wrong += 1
                    print(f"other images in {' and '.join(each.name for each in pair)}")
        works = [calls.paint(seed, Placement.RESIDENT) for seed in SEEDS] == wanted
    seconds = time.monotonic() - started
    print(f"{rounds} rounds in {len(PAIRS)} pairs: {wrong} with other images, {seconds:.0f} s")
    print(f"the pool works afterwards: {'yes' if works else 'no'}")


if __name__ == "__main__":
    main()
