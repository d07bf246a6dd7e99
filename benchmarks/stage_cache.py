"""Savings of the cache of stages: seconds to compute a stage against seconds to load it.

Text embeddings of SDXL and Stable Diffusion, and the image embedding of SAM 2.1, at the sizes of the real
models. The architectures run with random weights; the cost of a stage does not depend on their values.

    python benchmarks/stage_cache.py              the table
    python benchmarks/stage_cache.py --full       also computes at full size: minutes, and 5 GB of memory
    python benchmarks/stage_cache.py --write      also writes benchmarks/results/stage_cache.md
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch

from promptvision.runtime.stage_cache import StageCache
from promptvision.runtime.stage_files import StageFiles

RESULTS = Path(__file__).parent / "results" / "stage_cache.md"
LIMIT = 2**30
ROUNDS = 7
Arrays = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage that is measured.

    Args:
        name: what the table calls it.
        shapes: name to shape of its arrays at full size.
        dtype: of the arrays.
        build: makes a function that computes the stage at full size with random weights.
    """

    name: str
    shapes: Mapping[str, tuple[int, ...]]
    dtype: str
    build: Callable[[], Callable[[], object]]

    def arrays(self) -> Arrays:
        """Arrays of the full size."""
        generator = np.random.default_rng(0)
        return {
            name: generator.standard_normal(shape, np.float32).astype(self.dtype)
            for name, shape in self.shapes.items()
        }


def _sdxl_text() -> Callable[[], object]:
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    first: Any = CLIPTextModel(
        CLIPTextConfig(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12)
    )
    second: Any = CLIPTextModelWithProjection(
        CLIPTextConfig(
            hidden_size=1280,
            intermediate_size=5120,
            num_hidden_layers=32,
            num_attention_heads=20,
            projection_dim=1280,
            hidden_act="gelu",
        )
    )
    ids = torch.ones((1, 77), dtype=torch.long)
    # For the base both encoders, for the refiner the second one; each for the prompt and the negative prompt.
    return lambda: [(first(ids), second(ids), second(ids)) for _ in range(2)]


def _sd_text() -> Callable[[], object]:
    from transformers import CLIPTextConfig, CLIPTextModel

    model: Any = CLIPTextModel(
        CLIPTextConfig(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12)
    )
    ids = torch.ones((1, 77), dtype=torch.long)
    return lambda: [model(ids) for _ in range(2)]


def _sam() -> Callable[[], object]:
    from transformers import Sam2Config, Sam2HieraDetConfig, Sam2Model, Sam2VisionConfig

    backbone = Sam2HieraDetConfig(
        hidden_size=144,
        num_attention_heads=2,
        blocks_per_stage=[2, 6, 36, 4],
        embed_dim_per_stage=[144, 288, 576, 1152],
        num_attention_heads_per_stage=[2, 4, 8, 16],
        window_size_per_stage=[8, 4, 16, 8],
        global_attention_blocks=[23, 33, 43],
        window_positional_embedding_background_size=[7, 7],
    )
    vision = Sam2VisionConfig(backbone_config=backbone, backbone_channel_list=[1152, 576, 288, 144])
    kind: Any = Sam2Model
    model = kind(Sam2Config(vision_config=vision)).eval()
    pixels = torch.zeros((1, 3, 1024, 1024))
    return lambda: model.get_image_embeddings(pixels)


_PROMPT = {
    "prompt": (1, 77, 2048),
    "pooled": (1, 1280),
    "negative": (1, 77, 2048),
    "negative_pooled": (1, 1280),
}
_REFINER = {f"refiner.{name}": (*shape[:-1], 1280) for name, shape in _PROMPT.items()}
_LEVELS = {"0": (1, 32, 256, 256), "1": (1, 64, 128, 128), "2": (1, 256, 64, 64)}

STAGES = (
    Stage(name="SDXL text, fp16", shapes={**_PROMPT, **_REFINER}, dtype="float16", build=_sdxl_text),
    Stage(name="SDXL text, fp32", shapes={**_PROMPT, **_REFINER}, dtype="float32", build=_sdxl_text),
    Stage(
        name="Stable Diffusion 1.5 text, fp32",
        shapes={"positive": (1, 77, 768), "negative": (1, 77, 768)},
        dtype="float32",
        build=_sd_text,
    ),
    Stage(name="SAM 2.1 large image, fp32", shapes=_LEVELS, dtype="float32", build=_sam),
)


def median_ms(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Median CPU milliseconds of this process, which does not depend on other load."""
    times = []
    for _ in range(rounds):
        before = time.process_time()
        work()
        times.append(1000 * (time.process_time() - before))
    return statistics.median(times)


def _row(stage: Stage, *, is_full: bool) -> list[str]:
    arrays = stage.arrays()
    with tempfile.TemporaryDirectory() as folder:
        files = StageFiles(Path(folder), LIMIT)
        write = median_ms(lambda: files.write("k", "stage", arrays, 1.0))
        read = median_ms(lambda: files.read("k"))
        cache = StageCache(LIMIT, files)
        hit = median_ms(lambda: cache.get("stage", lambda: "k", dict, lambda: None))
        cache.close()
    size = sum(array.nbytes for array in arrays.values())
    computed = "-"
    if is_full:
        with torch.inference_mode():
            compute = stage.build()
            compute()
            computed = f"{median_ms(compute, 3):,.0f}"
    return [stage.name, f"{size / 1e6:.1f}", computed, f"{hit:.3f}", f"{read:.1f}", f"{write:.1f}"]


def table(*, is_full: bool) -> str:
    """The figures as Markdown."""
    head = ["stage", "MB", "compute", "from memory", "from disk", "write"]
    rows = [head, ["---"] * len(head), *(_row(stage, is_full=is_full) for stage in STAGES)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def page(text: str) -> str:
    """The page with the figures."""
    machine = f"{os.cpu_count()} cores (load {os.getloadavg()[0]:.0f}), Python {sys.version.split()[0]}"
    return f"""# The cache of stages

`python benchmarks/stage_cache.py --full --write`, {date.today()}, one thread of a shared machine with
{machine}, torch {torch.__version__}. CPU milliseconds, medians;
full-size architectures with random weights.

{text}

*compute*: the stage on the CPU, without loading its model. *from memory*: without the digest of the image's
pixels, which is made once for each image. *from disk*: reads the file, compares its BLAKE2b digest and
updates the index. *write*: in another thread, while the tool goes on. A GPU computes faster than one
core; what a hit saves there is above all loading the encoders, which it does not touch.
"""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help="also compute the stages at full size")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    options = parser.parse_args()
    torch.set_num_threads(1)
    text = table(is_full=options.full)
    print(text)
    if options.write:
        RESULTS.write_text(page(text), "utf-8")


if __name__ == "__main__":
    main()
