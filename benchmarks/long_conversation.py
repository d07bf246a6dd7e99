"""Time of a turn at the start and at the end of a conversation of 2,500 turns, in an SQLite store.

    python benchmarks/long_conversation.py [turns]

Each turn makes one image of the current one. The turns before the measured ones are copies of a real one.
Turns of a short and of a long conversation are measured in alternation, so that other work on the machine
affects both.
"""

from __future__ import annotations

import asyncio
import io
import os
import platform
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops

from promptvision import tool
from promptvision.agent.agent import Agent
from promptvision.builtin.sql.store import SQLConversationStore
from promptvision.conversations.store import ConversationStore
from promptvision.conversations.turn import EventKind, Turn
from promptvision.llm.messages import ChatReply, ChatRequest, ToolCall
from promptvision.testing.agents import make_agent
from promptvision.tools.context import ToolContext
from promptvision.types import ImageRef

SHORT, LONG, ROUNDS, UNCOUNTED = 10, 2_500, 30, 3
USER = "local"


@tool
def shift(image_url: ImageRef, context: ToolContext) -> ImageRef:
    """Move the image by a pixel.

    Args:
        image_url: the image.
    """
    return context.save(ImageChops.offset(context.open(image_url), 1, 0))


class Script:
    """A planner that calls ``shift`` on the current image and then answers."""

    name = "script"
    context_tokens = 100_000

    async def complete(self, request: ChatRequest) -> ChatReply:
        if request.messages[-1].role == "tool":
            return ChatReply(text="done", planner=self.name)
        return ChatReply(tool_calls=(ToolCall(id="c", name="shift", arguments="{}"),), planner=self.name)

    async def close(self) -> None:
        pass


def photo() -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((64, 48)).convert("RGB").save(out, "PNG")
    return out.getvalue()


def lengthen(store: ConversationStore, conversation_id: str, length: int) -> None:
    """Add copies of the last turn until the conversation has so many turns."""
    [last] = store.history(USER, conversation_id, 1)
    conversation = store.conversation(USER, conversation_id)
    assert conversation is not None
    conversation = replace(conversation, turns=length)
    number = max(record.number for record in store.images(USER, conversation_id))
    for seq in range(last.seq + 1, length + 1):
        number += 1
        store.restore_turn(conversation, copy_of(last, seq, number))


def copy_of(turn: Turn, seq: int, number: int) -> Turn:
    def renumbered(data: dict[str, Any]) -> dict[str, Any]:
        return {**data, "number": number, "parent": number - 1, "turn_seq": seq}

    events = tuple(
        replace(event, data=renumbered(event.data)) if event.kind is EventKind.IMAGE else event
        for event in turn.events
    )
    key = replace(turn.key, prompt_id=f"p{seq}")
    return replace(turn, id=f"{turn.key.conversation_id}-{seq}", seq=seq, key=key, events=events)


async def timed(agent: Agent, conversation_id: str) -> float:
    began = time.perf_counter()
    reply = await agent.run("go on", conversation_id=conversation_id)
    took_ms = (time.perf_counter() - began) * 1e3
    if (reply.text_response, len(reply.images)) != ("done", 1):
        raise RuntimeError(f"{conversation_id}: answered {reply.text_response!r}, {len(reply.images)} images")
    return took_ms


async def measure(store: ConversationStore, length: int) -> dict[str, list[float]]:
    agent = make_agent([shift], planner=Script(), conversations=store)
    lengths = {"short": SHORT, "long": length}
    for name, turns in lengths.items():
        await agent.run("go on", image=photo(), conversation_id=name)
        await agent.run("go on", conversation_id=name)
        lengthen(store, name, turns - 1)
    times: dict[str, list[float]] = {name: [] for name in lengths}
    for place in range(UNCOUNTED + ROUNDS):
        for name in lengths:
            took_ms = await timed(agent, name)
            if place >= UNCOUNTED:
                times[name].append(took_ms)
    return times


def main() -> int:
    length = int(sys.argv[1]) if len(sys.argv) > 1 else LONG
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"Load average {os.getloadavg()[0]:.1f}; {ROUNDS} turns of each conversation, in alternation.\n")
    with tempfile.TemporaryDirectory() as folder:
        store = SQLConversationStore(f"sqlite:///{Path(folder) / 'conversations.db'}")
        times = asyncio.run(measure(store, length))
        store.close()
    print("| turn | ms, median | ms, quickest |\n|---|---|---|")
    for name, turn in (("short", SHORT), ("long", length)):
        print(f"| {turn:,} and later | {statistics.median(times[name]):.1f} | {min(times[name]):.1f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
