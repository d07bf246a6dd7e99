"""Calls of one tool that wait for the device: one by one against together.

Captions by a Florence-2 with random weights; the answers have a fixed number of tokens, so both ways do the
same work. The same executor runs the calls, with and without the batch of the tool.

    python benchmarks/batching.py                  a quarter-size model on the CPU
    python benchmarks/batching.py --device cuda    the architecture of Florence-2 base on a GPU
    python benchmarks/batching.py --write          also writes benchmarks/results/batching.md
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import torch

from promptvision.builtin.threads import ThreadExecutor
from promptvision.runtime.call import Call, CallOutput
from promptvision.runtime.cancellation import CancelToken
from promptvision.settings import Settings
from promptvision.testing import make_worker
from promptvision.tools.batch import Batch
from promptvision.tools.tool import Args, Operation, Result, Tool

RESULTS = Path(__file__).parent / "results" / "batching.md"
CALLS = (1, 2, 4, 8)
ROUNDS = 3
TOKENS = 16


class CaptionArgs(Args):
    """A call.

    Args:
        number: which one.
    """

    number: int


class Captioned(Result):
    """Its answer.

    Args:
        tokens: ids.
    """

    tokens: list[int]


OPERATION = Operation(name="caption", description="Caption.", args=CaptionArgs, result=Captioned)


@dataclass(frozen=True)
class Captioner:
    """A Florence-2 with random weights."""

    model: Any
    pixels: torch.Tensor
    prompt: torch.Tensor

    @classmethod
    def build(cls, device: str, width: int, layers: int, side: int) -> Captioner:
        """Make the model.

        Args:
            device: where it runs.
            width: of the language model; 768 in Florence-2 base.
            layers: of its encoder and decoder; 6 in Florence-2 base.
            side: of the image in pixels; 768 in Florence-2.
        """
        from transformers import Florence2Config, Florence2ForConditionalGeneration

        torch.manual_seed(0)
        config: Any = Florence2Config(
            text_config={
                "model_type": "bart",
                "vocab_size": 51_289,
                "d_model": width,
                "encoder_layers": layers,
                "decoder_layers": layers,
                "encoder_attention_heads": 12,
                "decoder_attention_heads": 12,
                "encoder_ffn_dim": 4 * width,
                "decoder_ffn_dim": 4 * width,
                "max_position_embeddings": 1024,
            },
            vision_config={"projection_dim": width},
            image_token_id=51_288,
        )
        kind: Any = Florence2ForConditionalGeneration
        dtype = torch.float16 if device == "cuda" else torch.float32
        model = kind(config).to(device, dtype).eval()
        pixels = torch.randn(1, 3, side, side, device=device, dtype=dtype)
        with torch.inference_mode():
            tokens = model.get_image_features(pixel_values=pixels)
        count = int(getattr(tokens, "pooler_output", tokens).shape[-2])
        prompt = torch.tensor([[config.image_token_id] * count + [0, 5, 6, 2]], device=device)
        return cls(model, pixels, prompt)

    def write(self, count: int) -> list[list[int]]:
        """The answers about as many images."""
        with torch.inference_mode():
            ids = self.model.generate(
                input_ids=self.prompt.repeat(count, 1),
                pixel_values=self.pixels.repeat(count, 1, 1, 1),
                max_new_tokens=TOKENS,
                min_new_tokens=TOKENS,
                num_beams=1,
                do_sample=False,
            )
        found: list[list[int]] = ids.tolist()
        return found

    def tool(self) -> Tool:
        """The tool, with a batch."""

        def run(args: CaptionArgs, context: Any) -> Captioned:
            return Captioned(tokens=self.write(1)[0])

        def run_all(calls: Sequence[tuple[CaptionArgs, Any]]) -> list[Captioned]:
            return [Captioned(tokens=ids) for ids in self.write(len(calls))]

        batch = Batch(run=run_all, limit=max(CALLS))
        return Tool(name="caption", operation=OPERATION, run=run, batch=batch).owned_by("benchmark", "1")


async def _run(executor: ThreadExecutor, tool: Tool, count: int) -> None:
    """One call that makes the device busy, and as many that wait for it."""

    async def call(number: int) -> CallOutput:
        made = Call(
            tool=tool,
            args=CaptionArgs(number=number),
            seed=0,
            parent=None,
            deadline=time.monotonic() + 600,
            user=f"u{number}",
        )
        return await executor.execute(made, cancel=CancelToken())

    first = asyncio.ensure_future(call(0))
    await asyncio.sleep(0)
    await asyncio.gather(first, *(call(number) for number in range(1, count + 1)))


def seconds(tool: Tool, count: int, clock: Callable[[], float]) -> float:
    """Seconds of one call and ``count`` that wait for it."""
    executor = ThreadExecutor(make_worker(Settings(cache_disk=0)), 1)
    begun = clock()
    asyncio.run(_run(executor, tool, count))
    taken = clock() - begun
    asyncio.run(executor.close())
    return taken


def table(tool: Tool, clock: Callable[[], float]) -> str:
    """The figures as Markdown; both ways take turns in each round."""
    alone = replace(tool, batch=None)
    seconds(tool, 1, clock)
    rows = [["calls that wait", "one by one", "together", "ratio"], ["---"] * 4]
    for count in CALLS:
        pairs = [(seconds(alone, count, clock), seconds(tool, count, clock)) for _ in range(ROUNDS)]
        single, batch = (statistics.median(times) for times in zip(*pairs, strict=True))
        ratio = statistics.median(one / other for one, other in pairs)
        rows.append([str(count), f"{single:.2f} s", f"{batch:.2f} s", f"{ratio:.2f}"])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def page(text: str, device: str, what: str) -> str:
    """The page with the figures."""
    machine = f"{os.cpu_count()} cores, load about {os.getloadavg()[0]:.0f}" if device == "cpu" else device
    clock = "CPU seconds of the process" if device == "cpu" else "Seconds"
    return f"""# Batching

`python benchmarks/batching.py --device {device} --write`, {date.today()}; {what}, {TOKENS} tokens for
each answer; {machine}; Python {sys.version.split()[0]}, torch {torch.__version__}. {clock}, medians of
{ROUNDS} rounds in which both ways take turns, the call that they wait for included.

{text}
"""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("no CUDA device")
    torch.set_num_threads(1)
    if options.device == "cuda":
        what, captioner = "Florence-2 base, float16", Captioner.build("cuda", 768, 6, 768)
    else:
        what, captioner = "a Florence-2 of a third of the width", Captioner.build("cpu", 252, 3, 192)
    text = table(captioner.tool(), time.perf_counter if options.device == "cuda" else time.process_time)
    print(text)
    if options.write:
        RESULTS.write_text(page(text, options.device, what), "utf-8")


if __name__ == "__main__":
    main()
