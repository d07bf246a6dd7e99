"""``promptvision batch``: one instruction on many images."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import click

from promptvision.cli.output import echo_text, say
from promptvision.cli.pulling import offer_pull, print_needs
from promptvision.errors import Cancelled, InputError, PromptvisionError, SetupError

if TYPE_CHECKING:
    from PIL.Image import Image

    from promptvision.agent.agent import Agent
    from promptvision.agent.reply import Reply
    from promptvision.batches.folder import BatchFolder
    from promptvision.batches.names import ResultName
    from promptvision.batches.runner import BatchRunner
    from promptvision.cli.batch_progress import BatchProgress
    from promptvision.cli.contact_sheet import ContactSheet
    from promptvision.needs import NeedsSetup

__all__ = ["batch"]

MAX_JOBS = 64
SCRATCH = ".promptvision"
"""Folder of the images that turns store, inside the output folder; removed at the end."""


@click.command()
@click.argument("text")
@click.argument("images", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the results and batch.jsonl.",
)
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(1, MAX_JOBS),
    help="Images at once. Default: the number of cores, at most 5.",
)
@click.option("--resume", "is_resumed", is_flag=True, help="Continue a batch; finished results are kept.")
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a contact sheet here: a page with each image before and after.",
)
@click.option("--pull", is_flag=True, help="Download models that the instruction needs without asking.")
def batch(
    text: str,
    images: tuple[str, ...],
    output: Path,
    jobs: int | None,
    is_resumed: bool,
    report: Path | None,
    pull: bool,
) -> int:
    """Do what TEXT says to each of IMAGES.

    The first image is planned; the others follow its plan if no step depends on what the image shows. An
    image that fails does not stop the rest, and --resume tries it again. The batch ends at once, with exit
    code 3, if something must be installed or downloaded before any image can be done.

    Example: promptvision batch "remove the background" photos/*.jpg -o out/
    """
    from promptvision.batches.folder import BatchFolder
    from promptvision.batches.names import name_results
    from promptvision.cli.contact_sheet import ContactSheet

    # not Path.resolve(): it follows links, and results are named after the link
    paths = [Path(path) for path in dict.fromkeys(os.path.abspath(image) for image in images)]  # noqa: PTH100
    try:
        with ExitStack() as stack:
            folder = stack.enter_context(BatchFolder.open(output, text, is_resumed=is_resumed))
            work = _Work(
                text,
                dict(zip(paths, name_results(paths), strict=True)),
                folder,
                jobs or min(os.cpu_count() or 1, 5),
                None if report is None else stack.enter_context(ContactSheet.open(report)),
            )
            work.check_results()
            return work.run(pull=pull)
    except OSError as exc:
        raise InputError(
            f"{exc.filename or output}: {exc.strerror}", hint="name another folder with -o"
        ) from exc


class _Work:
    """One run of a batch.

    Args:
        text: the instruction.
        names: the images, each with the name of its result.
        folder: the output folder.
        jobs: number of images in parallel.
        sheet: the contact sheet, if one was requested.
    """

    def __init__(
        self,
        text: str,
        names: dict[Path, ResultName],
        folder: BatchFolder,
        jobs: int,
        sheet: ContactSheet | None,
    ) -> None:
        self._text = text
        self._names = names
        self._folder = folder
        self._jobs = jobs
        self._sheet = sheet
        self._failed = 0
        self._needs_setup = 0
        self._unready: tuple[Agent, Reply] | None = None
        self._is_plan_noted = folder.plan is not None
        self._open = self._not_done()

    def _not_done(self) -> list[tuple[int, Path]]:
        return [
            (number, path) for number, path in enumerate(self._names, 1) if str(path) not in self._folder.done
        ]

    def check_results(self) -> None:
        """Check that no result would replace a file that this batch has not written.

        Raises:
            InputError: a result would replace such a file.
        """
        own = {record["result"] for record in self._folder.done.values()}
        for _, path in self._open:
            for name in sorted(self._names[path].candidates):
                if (self._folder.path / name).exists() or name.as_posix() in own:
                    raise InputError(
                        f"{self._folder.path / name}: is there already, and is where the result of {path} "
                        "goes",
                        hint="choose another folder with -o",
                    )

    def run(self, *, pull: bool) -> int:
        """Run the remaining images, print a summary and return the exit code.

        Args:
            pull: whether to download missing models without asking.
        """
        total, known = len(self._names), len(self._names) - len(self._open)
        if known:
            say(f"{known} of {total} are done already")
        self._run_open()
        needed: list[NeedsSetup | None] = []
        while self._unready is not None:
            agent, reply = self._unready
            if reply.setup in needed or not offer_pull(agent.registry, reply.setup, pull=pull):
                break
            needed.append(reply.setup)
            self._run_open()
        if self._sheet is not None:
            self._sheet.write(self._text, self._folder, list(self._names))
        done = total - len(self._not_done())
        failed = f", {self._failed} failed" if self._failed else ""
        echo_text(f"{done} of {total} done{failed}; {self._folder.path}")
        if self._unready is not None:
            print_needs(self._unready[1].setup)
        if not self._failed:
            return 0
        return 3 if self._needs_setup == self._failed else 1

    def _run_open(self) -> None:
        """Run the images that are not done until all are, or until something must be set up first."""
        self._open = self._not_done()
        self._failed = self._needs_setup = 0
        self._unready = None
        scratch = self._folder.path.absolute() / SCRATCH
        shutil.rmtree(scratch, ignore_errors=True)  # of a killed process
        try:
            if self._open:
                asyncio.run(self._run_all(scratch))
            self._folder.flush()
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    async def _run_all(self, scratch: Path) -> None:
        from promptvision.agent.agent import Agent
        from promptvision.agent.turns.admission import Admission
        from promptvision.batches.runner import BatchRunner
        from promptvision.cli.batch_progress import BatchProgress
        from promptvision.images.memory import return_freed_blocks
        from promptvision.settings import load_settings

        return_freed_blocks()
        settings = load_settings(conversations="memory:")
        # Only results are kept: turns store images in memory, or in a folder that worker processes can read.
        is_local = settings.executor == "threads" and not settings.executors
        settings = load_settings(images="memory:" if is_local else scratch.as_uri(), conversations="memory:")
        agent = Agent(settings, admission=Admission(running=self._jobs))
        runner = BatchRunner(agent, self._text, batch_id="batch", plan=self._folder.plan)
        left = iter(self._open)
        try:
            with BatchProgress(len(self._open)) as progress:
                await self._run_parallel(agent, runner, left, progress)
        finally:
            await agent.close()
        if runner.unready is not None:
            self._unready = agent, runner.unready

    async def _run_parallel(
        self,
        agent: Agent,
        runner: BatchRunner,
        left: Iterator[tuple[int, Path]],
        progress: BatchProgress,
    ) -> None:
        async def work() -> None:
            for number, path in left:
                await self._run_one(agent, runner, number, path, progress)
                if runner.unready is not None:
                    return

        tasks = [asyncio.create_task(work()) for _ in range(self._jobs)]
        try:
            await asyncio.gather(*tasks)
        finally:
            runner.cancel()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _run_one(
        self, agent: Agent, runner: BatchRunner, number: int, path: Path, progress: BatchProgress
    ) -> None:
        began = time.monotonic()
        try:
            reply = await runner.run(number, path)
            if runner.is_decided and not self._is_plan_noted:
                self._is_plan_noted = True
                await asyncio.to_thread(self._note_plan, runner, progress)
            message, is_done = reply.text_response, reply.status == "done"
            self._needs_setup += reply.needs_setup
            if is_done:
                await asyncio.to_thread(self._store, agent, path, reply, time.monotonic() - began)
            await runner.delete_conversation(number)
        except Cancelled:
            raise asyncio.CancelledError from None
        except PromptvisionError as exc:
            if runner.unready is not None and isinstance(exc, SetupError):
                return  # said by the image that came first
            message, is_done = str(exc), False
        if not is_done:
            self._failed += 1
            await asyncio.to_thread(self._folder.fail, str(path), message)
        progress.advance(path.name, message, is_done=is_done)

    def _note_plan(self, runner: BatchRunner, progress: BatchProgress) -> None:
        if runner.plan is not None:
            self._folder.log("plan", calls=runner.plan.stored())
            progress.note(f"plan: {', '.join(call.name for call in runner.plan.calls)}")
        else:
            self._folder.log("plan", calls=None, reason=runner.reason)
            progress.note(f"each image is planned by itself: {runner.reason}")

    def _store(self, agent: Agent, path: Path, reply: Reply, seconds: float) -> None:
        """Write the result of one image and log it; in a thread.

        Raises:
            InputError: a converted image would replace a file that this batch has not written.
        """
        members = {"message": reply.text_response, "seconds": round(seconds, 3), "steps": _steps(reply)}
        result, data, image = None, b"", None
        if reply.image_id is not None:
            image = agent.open(reply.image_id)
            result, data = self._encode(agent, self._names[path], reply, image)
        if self._sheet is not None:
            before = agent.open(reply.image_url) if reply.image_url else None
            self._sheet.add(path, before, image)
        self._folder.commit(str(path), result, data, **members)

    def _encode(self, agent: Agent, name: ResultName, reply: Reply, image: Image) -> tuple[PurePath, bytes]:
        """The name and the file of the resulting image; a converted one is written as it is stored."""
        from promptvision.images.output import encode_image

        assert reply.image_id is not None  # there is an image
        stored = agent.images.stat(reply.image_id)
        converted = (
            name.select_converted(stored.media_type) if _is_converted(reply, stored.media_type) else None
        )
        if converted is None:
            result, kind = name.select(image)
            return result, encode_image(image, kind)
        if converted not in name.candidates and (self._folder.path / converted).exists():
            raise InputError(
                f"{self._folder.path / converted}: is there already", hint="choose another folder with -o"
            )
        return converted, agent.images.get(reply.image_id)


def _is_converted(reply: Reply, media_type: str) -> bool:
    """Whether a tool stored the resulting image in this format on purpose; edits are stored as PNG."""
    results = [step.result for step in reply.steps if step.result is not None]
    made_by = next((result for result in results if reply.image_id in result.values()), {})
    return media_type != "image/png" or made_by.get("format") == media_type


def _steps(reply: Reply) -> Sequence[dict[str, Any]]:
    return [
        {"operation": step.operation, "tool": step.tool, "status": step.status, "seconds": step.seconds}
        for step in reply.steps
    ]
