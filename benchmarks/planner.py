"""The built-in planner on labelled sentences: right chain of operations and right slots.

    python benchmarks/planner.py [--half tuning|held-out] [--wrong]

The sentences of ``benchmarks/planner/`` are split once, by a hash of each sentence, into a half that the
planner may be tuned on and a half that only measures it. A sentence is *right* if the planner makes exactly
the labelled calls; a *wrong action* if it makes any other; else it has *asked back*.

Format of a line: ``sentence => calls || other calls that are right too``. Calls are separated by ``>``; ``?``
stands for words that no operation fits, ``-`` for no call at all. A slot holds alternatives separated by
``|``, ``*`` for any text, ``up`` and ``down`` for any number above and below the neutral value. A
heading ``# category call`` gives the call that the conversation began with.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import math
import re
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
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
from promptvision_upscale.plugin import UPSCALE

FOLDER = Path(__file__).parent / "planner"
ALIASES = {
    "detect": "detect_objects",
    "segment": "segment_objects",
    "inpaint": "inpaint_image",
    "caption": "caption_image",
    "read": "extract_text",
    "bw": "convert_to_bw",
    "crop": "crop_image",
    "rotate": "rotate_image",
    "flip": "flip_image",
    "resize": "resize_image",
    "adjust": "adjust_image",
    "blur": "blur_image",
    "text": "draw_text",
    "combine": "combine_images",
    "info": "image_info",
    "convert": "convert_format",
    "ask": "ask_image",
    "edit": "edit_image",
    "generate": "generate_image",
    "upscale": "upscale_image",
    "cutout": "remove_background",
}
_TABLE = """
[Images of this conversation:
img_1 input 640x480 given by the user
img_2 edit 640x480 {} from img_1 (current)
]"""
OUTCOMES = ("right", "wrong action", "asked back")
MAX_CALLS = 12
_ARTICLES = re.compile(r"\b(?:the|an?|my|this|that|of|and|in|it|are|is)\b|[^\w\s*%:/+-]")
Call = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Case:
    """A sentence with its labels; each label is a chain of calls, or "?" for what is not understood."""

    category: str
    sentence: str
    labels: tuple[tuple[Call | str, ...], ...]
    before: Call | None = None

    @property
    def half(self) -> str:
        digest = hashlib.sha256(f"{self.category}\n{self.sentence}".encode()).digest()
        return "tuning" if digest[0] % 2 else "held-out"


def read_cases(file: Path | None = None) -> list[Case]:
    files = [file] if file else sorted(FOLDER.glob("*.txt"))
    return [case for one in files for case in _read(one.read_text("utf-8"))]


def _read(text: str) -> Iterator[Case]:
    category, before = "", None
    for line in filter(str.strip, text.splitlines()):
        if line.startswith("# "):
            category, _, call = line[2:].partition(" ")
            before = _call(call) if call else None
            continue
        sentence, _, labels = line.rpartition(" => ")
        chains = tuple(_chain(label) for label in labels.split(" || "))
        yield Case(category, sentence.replace("\\n", "\n"), chains, before)


def _chain(label: str) -> tuple[Call | str, ...]:
    parts = [part.strip() for part in label.split(" > ")]
    return () if parts == ["-"] else tuple("?" if part == "?" else _call(part) for part in parts)


def _call(text: str) -> Call:
    name, _, slots = text.strip().partition(" ")
    pairs = (slot.strip().partition("=") for slot in slots.split(";") if slot.strip())
    return ALIASES[name], {key: value for key, _, value in pairs}


class Bench:
    """The planner with every operation of the core, of promptvision-basics and of further tools."""

    def __init__(self, more: Iterable[Tool] = ()) -> None:
        core = [Tool(name=f"t_{made.name}", operation=made, run="nowhere:run") for made in operations.ALL]
        tools = [*core, *promptvision_tools(), *(replace(tool, requires=Requirements()) for tool in more)]
        self.functions = make_registry(tools).functions()
        self.operations: dict[str, Operation] = {tool.operation.name: tool.operation for tool in tools}
        self.planner = OfflinePlanner()

    def ask(self, case: Case) -> tuple[list[Call], str, bool]:
        """The calls, the last words, and whether some of the request was not understood."""
        return asyncio.run(self._ask(case))

    async def _ask(self, case: Case) -> tuple[list[Call], str, bool]:
        messages: list[Message] = []
        if case.before:
            call = ToolCall(id="1", name=case.before[0], arguments=case.before[1])
            messages += [
                Message(role="user", content="earlier"),
                Message(role="assistant", tool_calls=(call,)),
            ]
        table = _TABLE.format(case.before[0]) if case.before else ""
        messages.append(Message(role="user", content=case.sentence + table))
        calls: list[Call] = []
        outcomes: tuple[CallOutcome, ...] = ()
        for _ in range(MAX_CALLS):
            reply = await self.planner.complete(
                PlanRequest(
                    messages=tuple(messages),
                    functions=self.functions,
                    prompt=case.sentence,
                    outcomes=outcomes,
                ),
            )
            if not reply.tool_calls:
                break
            for made in reply.tool_calls:
                arguments = dict(made.arguments) if isinstance(made.arguments, dict) else {}
                if case.before:
                    arguments.pop("image_url", None)  # the current image or the one before it
                calls.append((made.name, arguments))
                outcomes += (CallOutcome(name=made.name, arguments=arguments, summary=f"Done {len(calls)}."),)
        said = _said(calls)
        return calls, reply.text, reply.failed or reply.text.strip() != said

    def judge(self, case: Case) -> tuple[str, list[Call], str]:
        calls, text, has_rest = self.ask(case)
        for label in case.labels:
            wanted = [part for part in label if not isinstance(part, str)]
            if "?" in label and calls and not has_rest:
                continue
            if self._same(calls, wanted) and ("?" in label or not wanted or text == _said(calls)):
                return "right", calls, text
        if not calls or (has_rest and any(self._begins(calls, label) for label in case.labels)):
            return "asked back", calls, text
        return "wrong action", calls, text

    def _begins(self, calls: list[Call], label: tuple[Call | str, ...]) -> bool:
        wanted = [part for part in label if not isinstance(part, str)]
        return len(calls) < len(wanted) and self._same(calls, wanted[: len(calls)])

    def _same(self, calls: list[Call], wanted: list[Call]) -> bool:
        return len(calls) == len(wanted) and all(map(self._fits, calls, wanted))

    def _fits(self, call: Call, wanted: Call) -> bool:
        fields = self.operations[wanted[0]].args.model_fields
        return call[0] == wanted[0] and all(
            _agrees(call[1].get(name), wanted[1].get(name), field.default, is_neutral=name != "degrees")
            for name, field in fields.items()
            if name not in ("negative_prompt", "strength", "size", "outline", "gap", "background")
        )


def _said(calls: list[Call]) -> str:
    return " ".join(f"Done {number}." for number, _ in enumerate(calls, start=1))


def _agrees(made: Any, wanted: str | None, default: Any, *, is_neutral: bool) -> bool:
    default = "" if str(default) == "PydanticUndefined" else default
    made = default if made is None else made
    if wanted in ("up", "down"):
        neutral = 100.0 if default is None else float(default)
        return float(made) != neutral and (float(made) > neutral) == (wanted == "up")
    return any(_matches(made, option) for option in (_text(default) if wanted is None else wanted).split("|"))


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return "" if value is None else str(value)


def _matches(made: Any, wanted: str) -> bool:
    try:
        return math.isclose(float(made), float(wanted))
    except (TypeError, ValueError):
        plain, pattern = _plain(_text(made)), _plain(wanted)
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))).replace(r"\ ", " "), plain) is not None


def _plain(text: str) -> str:
    text = re.sub(r"\s*\*\s*", "*", _ARTICLES.sub(" ", text.lower().replace(".", " ")))
    return " ".join(text.split())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--half", choices=("tuning", "held-out"))
    parser.add_argument("--wrong", action="store_true", help="print each sentence that is not right")
    parser.add_argument("--file", type=Path, help="sentences of another file, with all tools")
    options = parser.parse_args()
    if options.file:
        bench = Bench([CUTOUT, UPSCALE])
        _measure(options.file.stem, read_cases(options.file), bench, says_wrong=options.wrong)
        return 0
    bench, cases = Bench(), read_cases()
    for half in [options.half] if options.half else ["tuning", "held-out"]:
        _measure(half, [case for case in cases if case.half == half], bench, says_wrong=options.wrong)
    return 0


def _measure(name: str, cases: Iterable[Case], bench: Bench, *, says_wrong: bool) -> None:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    times = []
    for case in cases:
        started = time.thread_time()
        outcome, calls, text = bench.judge(case)
        times.append((time.thread_time() - started) * 1e3 / (len(calls) + 1))
        counts[case.category][outcome] += 1
        if says_wrong and outcome != "right":
            said = text.replace("\n", " / ")[:100]
            print(f"{outcome:12} {case.category:9} {case.sentence!r} -> {calls or said}")
    _print(name, counts, times)


def _print(half: str, counts: dict[str, Counter[str]], times: list[float]) -> None:
    print(f"\n| {half} | sentences | {' | '.join(OUTCOMES)} |\n|---|---:|---:|---:|---:|")
    for category, found in [*counts.items(), ("all", sum(counts.values(), Counter()))]:
        total = found.total()
        print(f"| {category} | {total} | " + " | ".join(f"{found[o] / total:.1%}" for o in OUTCOMES) + " |")
    print(f"\nCPU ms a request: median {statistics.median(times):.1f}, most {max(times):.1f}")


if __name__ == "__main__":
    raise SystemExit(main())
