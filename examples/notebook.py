"""The asynchronous API, cell by cell, as in a notebook that has a running event loop."""

# %% Make an agent and run one turn
from __future__ import annotations

import asyncio

from PIL import Image, ImageDraw

from promptvision import Agent


def sample() -> Image.Image:
    """Draw an image to work on: a red disc on a light background."""
    image = Image.new("RGB", (320, 240), "#e8e4dc")
    ImageDraw.Draw(image).ellipse((100, 60, 220, 180), fill="#c8201c")
    return image


async def cells() -> None:
    """Run the cells; in a notebook each block stands alone and ``await`` works at the top level."""
    async with Agent() as agent:
        # %% One turn: an image, an instruction, a reply
        reply = await agent.run("make it black and white", image=sample(), conversation_id="notebook")
        print(reply.text_response)

        # %% A follow-up in the same conversation works on the newest image
        reply = await agent.run("describe it", conversation_id="notebook")
        print(reply.text_response)

        # %% The events of a turn while it runs
        async for event in agent.stream("make it black and white", image=sample()):
            print(event["type"])

        # %% The synchronous call works here too, although a loop is running
        reply = agent.run_sync("make it black and white", image=sample())
        print(reply.status)


if __name__ == "__main__":
    asyncio.run(cells())
