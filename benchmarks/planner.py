"""The built-in planner on labelled sentences: right chain of operations and right slots.

    python benchmarks/planner.py [--half tuning|held-out] [--wrong]

The sentences of ``benchmarks/planner/`` are split once, by a hash of each sentence, into a half that the
planner may be tuned on and a half that only measures it. A sentence is *right* if the planner makes exactly
the labelled calls; a *wrong action* if it makes any other; else it has *asked back*.

Lines are written and judged as by ``promptvision eval planner`` (``promptvision_eval.labels``).
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import hashlib
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from promptvision.builtin.offline import OfflinePlanner
from promptvision.llm.messages import Message, ToolCall
from promptvision.llm.planner import CallOutcome, PlanRequest
from promptvision.testing.agents import make_registry
from promptvision.tools import operations
from promptvision.tools.requirements import Requirements
from promptvision.tools.tool import Operation, Tool
from promptvision_basics.plugin import promptvision_tools
from promptvision_cutout.plugin import CUTOUT
from promptvision_eval.labels import OUTCOMES, MadeCall, Sentence, judge, read_sentences
from promptvision_upscale.plugin import UPSCALE

FOLDER = Path(__file__).parent / "planner"
_TABLE = """
[Images of this conversation:
img_1 input 640x480 given by the user
img_2 edit 640x480 {} from img_1 (current)
]"""
MAX_CALLS = 12
UNJUDGED = ("negative_prompt", "strength", "size", "outline", "gap", "background")
"""Arguments that labels do not state; the planner names images only where the request does, so they count."""


class StrictCall(MadeCall):
    """A call of which every argument counts but :data:`UNJUDGED`."""

    @property
    def judged(self) -> list[str]:
        """Names of the arguments that count."""
        return [name for name in self.defaults if name not in UNJUDGED]


def half_of(sentence: Sentence) -> str:
    digest = hashlib.sha256(f"{sentence.category}\n{sentence.text}".encode()).digest()
    return "tuning" if digest[0] % 2 else "held-out"


def read_all() -> list[Sentence]:
    return [sentence for file in sorted(FOLDER.glob("*.txt")) for sentence in read_sentences(file)]


class Bench:
    """The planner with every operation of the core, of promptvision-basics and of further tools."""

    def __init__(self, more: Iterable[Tool] = ()) -> None:
        core = [Tool(name=f"t_{made.name}", operation=made, run="nowhere:run") for made in operations.ALL]
        tools = [*core, *promptvision_tools(), *(replace(tool, requires=Requirements()) for tool in more)]
        self.functions = make_registry(tools).functions()
        self.defaults = {tool.operation.name: _defaults(tool.operation) for tool in tools}
        self.planner = OfflinePlanner()

    def ask(self, sentence: Sentence) -> tuple[list[StrictCall], str, bool]:
        """The calls, the last words, and whether some of the request was not understood."""
        return asyncio.run(self._ask(sentence))

    async def _ask(self, sentence: Sentence) -> tuple[list[StrictCall], str, bool]:
        messages: list[Message] = []
        if sentence.before:
            call = ToolCall(id="1", name=sentence.before[0], arguments=dict(sentence.before[1]))
            messages += [
                Message(role="user", content="earlier"),
                Message(role="assistant", tool_calls=(call,)),
            ]
        table = _TABLE.format(sentence.before[0]) if sentence.before else ""
        messages.append(Message(role="user", content=sentence.text + table))
        calls: list[StrictCall] = []
        outcomes: tuple[CallOutcome, ...] = ()
        for _ in range(MAX_CALLS):
            reply = await self.planner.complete(
                PlanRequest(
                    messages=tuple(messages),
                    functions=self.functions,
                    prompt=sentence.text,
                    outcomes=outcomes,
                ),
            )
            if not reply.tool_calls:
                break
            for made in reply.tool_calls:
                arguments = dict(made.arguments) if isinstance(made.arguments, dict) else {}
                if sentence.before:
                    arguments.pop("image_url", None)  # the current image or the one before it
                calls.append(StrictCall(made.name, arguments, self.defaults[made.name]))
                outcomes += (CallOutcome(name=made.name, arguments=arguments, summary=f"Done {len(calls)}."),)
        said = _said(calls)
        return calls, reply.text, reply.failed or reply.text.strip() != said

    def judge(self, sentence: Sentence) -> tuple[str, list[StrictCall], str]:
        calls, text, has_rest = self.ask(sentence)
        return judge(sentence, calls, is_understood=not has_rest), calls, text


def _defaults(operation: Operation) -> dict[str, Any]:
    return {
        name: "" if field.is_required() else field.default
        for name, field in operation.args.model_fields.items()
    }


def _said(calls: list[StrictCall]) -> str:
    return " ".join(f"Done {number}." for number, _ in enumerate(calls, start=1))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--half", choices=("tuning", "held-out"))
    parser.add_argument("--wrong", action="store_true", help="print each sentence that is not right")
    parser.add_argument("--file", type=Path, help="sentences of another file, with all tools")
    options = parser.parse_args()
    if options.file:
        bench = Bench([CUTOUT, UPSCALE])
        _measure(options.file.stem, read_sentences(options.file), bench, says_wrong=options.wrong)
        return 0
    bench, sentences = Bench(), read_all()
    for half in [options.half] if options.half else ["tuning", "held-out"]:
        _measure(half, [one for one in sentences if half_of(one) == half], bench, says_wrong=options.wrong)
    return 0


def _measure(name: str, sentences: Iterable[Sentence], bench: Bench, *, says_wrong: bool) -> None:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    times = []
    bench.planner.prepare(bench.functions)
    gc.collect()
    gc.freeze()  # a collection of what the imports have made takes longer than any request
    for sentence in sentences:
        started = time.thread_time()
        outcome, calls, text = bench.judge(sentence)
        times.append((time.thread_time() - started) * 1e3 / (len(calls) + 1))
        counts[sentence.category][outcome] += 1
        if says_wrong and outcome != "right":
            said = text.replace("\n", " / ")[:100]
            made = [(call.name, call.arguments) for call in calls]
            print(f"{outcome:12} {sentence.category:9} {sentence.text!r} -> {made or said}")
    _print(name, counts, times)


def _print(half: str, counts: dict[str, Counter[str]], times: list[float]) -> None:
    print(f"\n| {half} | sentences | {' | '.join(OUTCOMES)} |\n|---|---:|---:|---:|---:|")
    for category, found in [*counts.items(), ("all", sum(counts.values(), Counter()))]:
        total = found.total()
        print(f"| {category} | {total} | " + " | ".join(f"{found[o] / total:.1%}" for o in OUTCOMES) + " |")
    print(f"\nCPU ms a request: median {statistics.median(times):.1f}, most {max(times):.1f}")


if __name__ == "__main__":
    raise SystemExit(main())
