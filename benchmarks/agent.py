"""Overhead of one scripted turn with three tool calls (four model calls), compared with other agent loops.

    python benchmarks/agent.py

Model and tool do nothing, so that what is measured is the loop: prompt, arguments, observation, history,
journal. In the first table the tool is a coroutine function wherever the loop can await one, in the second
a plain function. A loop that runs it in a thread can run other turns in the meantime, one that runs it "on
the loop" cannot; the tool records where it ran. Every loop that is installed takes part; rounds are
interleaved so that other work on the machine affects all of them. Install the other projects with
promptvision in a separate environment::

    uv venv rivals && uv pip install --python rivals/bin/python -e core pydantic-ai-slim openai-agents \
        smolagents langgraph langgraph-checkpoint-sqlite llm agno greenlet
    rivals/bin/python benchmarks/agent.py

Ours journals each event before it acts on it (SQLite, WAL, synchronous=FULL). The others keep what they
keep by default. The benchmark also prints the tokens of the tool list and of ten turns.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import platform
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from agent_rivals import PLAIN_ONLY, RIVALS, TURN, AwaitedLooks, Looks

ROUNDS, TURNS, WARM_UP = 20, 20, 1
UNCOUNTED = 3
"""Warm-up turns at the start of each round."""
LIMIT_MS = {"promptvision": 1.0, "promptvision, journal": 4.0}
TEN_TURNS = 10

Turn = Callable[[], Awaitable[str]]


class Script:
    """A planner that calls ``look`` three times with new subjects and then answers."""

    name = "script"
    context_tokens = 100_000

    def __init__(self) -> None:
        self.asked = 0

    async def complete(self, request: Any) -> Any:
        from promptvision.llm.messages import ChatReply, ToolCall

        self.asked += 1
        if self.asked % 4 == 0:
            return ChatReply(text="done")
        arguments = json.dumps({"subject": f"s{self.asked}"})
        made = ToolCall(id=f"c{self.asked}", name="look", arguments=arguments)
        return ChatReply(tool_calls=(made,), finish_reason="tool_calls")

    async def close(self) -> None:
        pass


def ours(looks: Looks, database: Path | None) -> Turn:
    from promptvision import tool
    from promptvision.testing.agents import make_agent

    store = None
    if database is not None:
        from promptvision.builtin.sql.store import SQLConversationStore

        store = SQLConversationStore(f"sqlite:///{database}")

    agent = make_agent([tool(looks.look)], planner=Script(), conversations=store)

    async def turn() -> str:
        reply = await agent.run(TURN, conversation_id=uuid.uuid4().hex)
        return reply.text_response

    return turn


async def measure(loops: dict[str, tuple[Turn, Looks]]) -> dict[str, list[float]]:
    """Milliseconds of each turn by loop; every turn is checked for its answer and its three calls."""
    times: dict[str, list[float]] = {name: [] for name in loops}
    for number in range(WARM_UP + ROUNDS):
        if number == WARM_UP:
            gc.collect()
            gc.freeze()  # keeps the collector from scanning the imports of all frameworks
        for name, (turn, looks) in loops.items():
            for place in range(UNCOUNTED + TURNS):
                looks.count = 0
                began = time.perf_counter()
                answer = await turn()
                took_ms = (time.perf_counter() - began) * 1e3
                if (answer, looks.count) != ("done", 3):
                    raise RuntimeError(f"{name}: answered {answer!r} after {looks.count} calls")
                if number >= WARM_UP and place >= UNCOUNTED:
                    times[name].append(took_ms)
    return times


def sync_ms(folder: Path) -> float:
    """Median of writing a page and syncing it to disk: the wait of each journal entry."""
    taken = []
    with (folder / "page").open("wb", buffering=0) as file:
        for _ in range(50):
            began = time.perf_counter()
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            taken.append((time.perf_counter() - began) * 1e3)
    return statistics.median(taken)


def installed(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def print_table(
    times: dict[str, list[float]], about: dict[str, tuple[str, str]], loops: dict[str, tuple[Turn, Looks]]
) -> bool:
    """Print the table; whether ours is ahead of every rival of its kind.

    A rival that runs the tool on the loop, where ours does not, is another kind.
    """
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    print("| loop | version | kept in | tool runs | ms a turn, median | quickest | of ours |")
    print("|---|---|---|---|---|---|---|")
    passed = True
    for name, median in sorted(medians.items(), key=lambda item: (about[item[0]][1] != "", item[1])):
        release, kept = about[name]
        mine = "promptvision, journal" if kept else "promptvision"
        is_on_loop, ours_is = loops[name][1].is_on_loop, loops[mine][1].is_on_loop
        is_like_ours = ours_is or not is_on_loop
        passed = passed and (name == mine or median > medians[mine] or not is_like_ours)
        print(
            f"| {name} | {release} | {kept or 'memory'} | {'on the loop' if is_on_loop else 'in a thread'} "
            f"| {median:.2f} | {min(times[name]):.2f} | {median / medians[mine]:.1f} |"
        )
    return passed


def our_loops(kind: type[Looks], folder: Path) -> dict[str, tuple[Turn, Looks]]:
    """Our loop in memory and journaled."""
    databases = {"promptvision": None, "promptvision, journal": folder / "ours.db"}
    loops = {}
    for name, database in databases.items():
        looks = kind()
        loops[name] = (ours(looks, database), looks)
    return loops


def keep_limits() -> bool:
    """Our turns in a process that has imported nothing else, and whether they keep to the limits."""
    print("| loop, alone | tool runs | ms a turn, median | quickest | allowed |\n|---|---|---|---|---|")
    passed = True
    for kind in (AwaitedLooks, Looks):
        with tempfile.TemporaryDirectory() as name:
            loops = our_loops(kind, Path(name))
            times = asyncio.run(measure(loops))
        for loop, limit in LIMIT_MS.items():
            median = statistics.median(times[loop])
            passed = passed and median < limit
            runs = "on the loop" if loops[loop][1].is_on_loop else "in a thread"
            print(f"| {loop} | {runs} | {median:.2f} | {min(times[loop]):.2f} | {limit:g} |")
    return passed


def compare(kind: type[Looks]) -> bool:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        loops = our_loops(kind, folder)
        release = version("promptvision")
        about = {"promptvision": (release, ""), "promptvision, journal": (release, "SQLite, FULL")}
        for rival, (distribution, maker, kept) in RIVALS.items():
            found = installed(distribution)
            if found is None:
                print(f"{rival} is not installed and does not take part.", file=sys.stderr)
                continue
            looks = Looks() if rival in PLAIN_ONLY else kind()
            loops[rival], about[rival] = (maker(looks, folder), looks), (found, kept)
        before = sync_ms(folder)
        times = asyncio.run(measure(loops))
        print(f"Waiting for the disk once: {before:.2f} ms before, {sync_ms(folder):.2f} ms after.\n")
        return print_table(times, about, loops)


class Recording:
    """A planner that answers each turn after one edit, and keeps what it was sent."""

    name = "recording"

    def __init__(self, context_tokens: int) -> None:
        self.context_tokens = context_tokens
        self.requests: list[Any] = []

    async def complete(self, request: Any) -> Any:
        from promptvision.llm.messages import ChatReply, ToolCall

        self.requests.append(request)
        if request.messages[-1].role == "tool":
            return ChatReply(text="I changed the red square to blue; the new image is the current one.")
        values = {"target": "red square", "prompt": f"blue square number {len(self.requests)}"}
        made = ToolCall(id="c", name="inpaint_image", arguments=json.dumps(values))
        return ChatReply(tool_calls=(made,), finish_reason="tool_calls")

    async def close(self) -> None:
        pass


async def ten_turns(context_tokens: int) -> list[Any]:
    from PIL import Image, ImageDraw

    from promptvision.images.codec import encode_png
    from promptvision.testing.agents import make_agent
    from promptvision.testing.tools import make_tools

    image = Image.new("RGB", (60, 40), "white")
    ImageDraw.Draw(image).rectangle((10, 10, 29, 29), fill="red")
    planner = Recording(context_tokens)
    agent = make_agent(make_tools({"red square": "red"}), planner=planner)
    for _ in range(TEN_TURNS):
        await agent.run("change the red square", image=encode_png(image), conversation_id="c")
    return planner.requests


def print_tokens() -> None:
    """Tokens at four characters each, of the JSON that goes over the wire."""
    from promptvision.llm.chat_completions import request_body
    from promptvision.llm.dialects import Dialect, plain, strict
    from promptvision_groq.dialect import lenient

    def tokens(value: Any) -> int:
        return len(json.dumps(value, ensure_ascii=False)) // 4

    requests = asyncio.run(ten_turns(100_000))
    print("\nTokens, at four characters each, of the six operations on the wire and of the system prompt:\n")
    print("| dialect | tool list | system prompt |\n|---|---|---|")
    dialects: list[tuple[str, Dialect]] = [
        ("plain (local hosts)", plain), ("strict (OpenAI)", strict), ("lenient (Groq)", lenient)
    ]  # fmt: skip
    for name, dialect in dialects:
        body = request_body(requests[0], model="m", dialect=dialect)
        print(f"| {name} | {tokens(body['tools'])} | {tokens(body['messages'][0])} |")
    print("\nTen turns of one edit each (two model calls, three steps), messages without the tool list:\n")
    print("| budget of the provider | first request | last request | all 20 requests |\n|---|---|---|---|")
    for budget in (6_000, 100_000):
        sent = [
            tokens(request_body(request, model="m", dialect=plain)["messages"])
            for request in asyncio.run(ten_turns(budget))
        ]
        print(f"| {budget:,} | {sent[0]} | {sent[-1]} | {sum(sent):,} |")


def main() -> int:
    print(
        f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"load {os.getloadavg()[0]:.1f}; medians of {ROUNDS} interleaved rounds of {TURNS} turns\n"
    )
    logging.disable(logging.WARNING)
    is_within = keep_limits()
    print("\nThe tool is a coroutine function where the loop can await one.\n")
    is_ahead = compare(AwaitedLooks)
    print("\nThe tool is a plain function.\n")
    is_ahead = compare(Looks) and is_ahead
    print_tokens()
    print(f"\n{'Within' if is_within else 'NOT within'} the limits.")
    print(f"{'Ahead' if is_ahead else 'NOT ahead'} of every rival of its kind.")
    return 0 if is_within and is_ahead else 1


if __name__ == "__main__":
    sys.exit(main())
