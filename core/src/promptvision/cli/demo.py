"""``promptvision demo``: five instructions on sample images, and an HTML report."""

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

__all__ = ["CASES", "DemoCase", "demo"]


@dataclass(frozen=True)
class DemoCase:
    """One instruction of the demo.

    Args:
        conversation: cases with the same name share one conversation.
        image: name of the sample image, or empty for the conversation's newest image.
        words: the instruction.
    """

    conversation: str
    image: str
    words: str


CASES = (
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
        sections = asyncio.run(_run_cases(output))
        report = write_report(output, sections)
    except OSError as exc:
        raise InputError(
            f"{exc.filename or output}: {exc.strerror}", hint="choose another folder with -o"
        ) from exc
    failed = [section for section in sections if section.reply.status != "done"]
    say(f"{len(sections) - len(failed)} of {len(sections)} instructions done")
    click.echo(str(report))
    if all(section.reply.needs_setup for section in failed):
        return 3 if failed else 0
    return 1


async def _run_cases(output: Path) -> list[Section]:
    from promptvision.agent.agent import Agent
    from promptvision.settings import load_settings

    with tempfile.TemporaryDirectory(prefix="promptvision-demo-") as home:
        agent = Agent(load_settings(home=home, planner="offline", images="memory:", conversations="memory:"))
        try:
            return [
                await _run_case(agent, case, number, output) for number, case in enumerate(CASES, start=1)
            ]
        finally:
            await agent.close()


async def _run_case(agent: Agent, case: DemoCase, number: int, output: Path) -> Section:
    say(f"{number}. {case.words}", bold=True)
    source = _encode(_sample(case.image)) if case.image else None
    running = agent.start(case.words, image=source, conversation_id=case.conversation)
    StepPrinter().watch(running)
    reply = await running.reply()
    say(f"   {reply.text_response}")
    return ReportImages(output, str(number), agent.open).section(case.words, reply)


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
