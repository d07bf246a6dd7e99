"""``promptvision demo``: five instructions on sample images, and a report to look at."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from promptvision.cli.output import say
from promptvision.cli.report import Section, write_report
from promptvision.cli.report_images import ReportImages
from promptvision.cli.session import StepPrinter
from promptvision.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL.Image import Image

    from promptvision.agent.agent import Agent

__all__ = ["SCENES", "DemoCase", "demo"]


@dataclass(frozen=True)
class DemoCase:
    """One instruction of the demo.

    Args:
        conversation: scenes with the same name continue one conversation.
        image: name of the sample image, or empty to go on with the conversation's newest one.
        words: the instruction.
    """

    conversation: str
    image: str
    words: str


SCENES = (
    DemoCase("table", "still_life", "Change the red ball to blue"),
    DemoCase("table", "", "Now make it black and white"),
    DemoCase("sign", "street_sign", "What does this sign say?"),
    DemoCase("portrait", "portrait", "Find the face"),
    DemoCase("again", "still_life", "Remove the green cone, then describe the result"),
)


@click.command()
@click.option(
    "-o",
    "--output",
    default="demo-output",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the images and report.html.",
)
def demo(output: Path) -> int:
    """Run five instructions on sample images and write report.html.

    Needs no key, no GPU and no weights; nothing outside the output folder is changed.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
        chapters = asyncio.run(_play(output))
        report = write_report(output, chapters)
    except OSError as exc:
        raise InputError(
            f"{exc.filename or output}: {exc.strerror}", hint="name another folder with -o"
        ) from exc
    failed = [chapter for chapter in chapters if chapter.reply.status != "done"]
    say(f"{len(chapters) - len(failed)} of {len(chapters)} instructions done")
    click.echo(str(report))
    if all(chapter.reply.needs_setup for chapter in failed):
        return 3 if failed else 0
    return 1


async def _play(output: Path) -> list[Section]:
    from promptvision.agent.agent import Agent
    from promptvision.settings import load_settings

    with tempfile.TemporaryDirectory(prefix="promptvision-demo-") as home:
        agent = Agent(load_settings(home=home, planner="offline", images="memory:", conversations="memory:"))
        try:
            return [await _act(agent, scene, number, output) for number, scene in enumerate(SCENES, start=1)]
        finally:
            await agent.close()


async def _act(agent: Agent, scene: DemoCase, number: int, output: Path) -> Section:
    say(f"{number}. {scene.words}", bold=True)
    source = _encode(_sample(scene.image)) if scene.image else None
    running = agent.start(scene.words, image=source, conversation_id=scene.conversation)
    StepPrinter().watch(running)
    reply = await running.reply()
    say(f"   {reply.text_response}")
    return ReportImages(output, str(number), agent.open).chapter(scene.words, reply)


def _sample(name: str) -> Image:
    from promptvision.builtin import samples

    drawn: dict[str, Callable[[], Image]] = {
        "still_life": samples.still_life,
        "street_sign": samples.street_sign,
        "portrait": _portrait,
    }
    return drawn[name]()


def _portrait() -> Image:
    """NASA's portrait of Eileen Collins (public domain), shipped in scikit-image; else a drawn scene."""
    from promptvision.builtin import samples

    try:
        from skimage import data
    except ImportError:
        return samples.still_life()
    from PIL import Image

    return Image.fromarray(data.astronaut())  # type: ignore[no-untyped-call]


def _encode(image: Image) -> bytes:
    from promptvision.images.codec import encode_png

    return encode_png(image)
