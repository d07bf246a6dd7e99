"""Download the files of several models in parallel, with one progress for all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, field

from promptvision.errors import Cancelled, PromptvisionError
from promptvision.models.download import RemoteFile, Unreachable, require_space
from promptvision.models.manifest import PulledFile
from promptvision.models.pull import Progress, PullJob, prepare
from promptvision.models.spec import ModelSpec
from promptvision.settings import Settings

__all__ = ["WORKERS", "pull_all"]

WORKERS = 4
"""Files that are downloaded at a time."""


def pull_all(
    specs: Sequence[ModelSpec],
    settings: Settings,
    progress: Progress,
    *,
    schemes: Collection[str] = ("https",),
    workers: int = WORKERS,
) -> dict[str, PromptvisionError]:
    """Download the weights of several models; resumes interrupted downloads.

    A model is complete on disk as soon as its own files are, and one that fails does not stop the others.
    After an interruption of the program a further call resumes each file.

    Args:
        specs: what to pull; those that are here are left alone.
        settings: as :func:`~promptvision.models.pull.pull` reads them.
        progress: called from several threads with bytes so far, bytes in all and the name of a model; may
            raise to stop everything.
        schemes: URL schemes that are allowed.
        workers: files that are downloaded at a time.

    Returns:
        Model id to why it was not downloaded.

    Raises:
        SetupError: the disk is too small for all of them together.
        Unreachable: the source of a model cannot be reached before anything was downloaded.
    """
    failed: dict[str, PromptvisionError] = {}
    with ExitStack() as locks:
        jobs = []
        for spec in specs:
            try:
                job = locks.enter_context(prepare(spec, settings, schemes=schemes))
            except Unreachable:
                raise
            except PromptvisionError as exc:
                failed[spec.id] = exc
            else:
                jobs += [_Files(job)] if job is not None else []
        if jobs:
            require_space(settings.weights_home, sum(one.job.bytes_left() for one in jobs))
            failed |= _download(jobs, progress, workers)
    return failed


@dataclass(eq=False)
class _Files:
    """The files of one model on their way."""

    job: PullJob
    pulled: list[PulledFile] = field(default_factory=list)
    error: PromptvisionError | None = None


class _Tally:
    """Bytes of all files so far; stops every download once one of them is stopped."""

    def __init__(self, jobs: Sequence[_Files], progress: Progress) -> None:
        self._progress = progress
        self._lock = threading.Lock()
        self._sizes = {(id(one), file.path): file.size for one in jobs for file in one.job.files}
        self._done = dict.fromkeys(self._sizes, 0)
        self.is_stopped = False

    def report(self, files: _Files, file: RemoteFile) -> Callable[[int], None]:
        key = (id(files), file.path)

        def note(here: int) -> None:
            if self.is_stopped or files.error is not None:
                raise Cancelled("the download was stopped")
            with self._lock:
                self._done[key] = here
                self._sizes[key] = max(here, self._sizes[key])
                self._progress(sum(self._done.values()), sum(self._sizes.values()), files.job.spec.id)

        return note


def _download(jobs: Sequence[_Files], progress: Progress, workers: int) -> dict[str, PromptvisionError]:
    tally = _Tally(jobs, progress)

    def fetch(files: _Files, file: RemoteFile) -> PulledFile:
        report = tally.report(files, file)
        report(0)
        pulled = files.job.fetch(file, report)
        report(pulled.size)
        return pulled

    pool = ThreadPoolExecutor(workers, thread_name_prefix="promptvision-pull")
    try:
        waiting: dict[Future[PulledFile], _Files] = {
            pool.submit(fetch, files, file): files for files in jobs for file in files.job.files
        }
        for future in as_completed(waiting):
            _take(waiting[future], future)
    finally:
        tally.is_stopped = True
        pool.shutdown(wait=False, cancel_futures=True)
    return {files.job.spec.id: files.error for files in jobs if files.error is not None}


def _take(files: _Files, future: Future[PulledFile]) -> None:
    """Note a file that has ended; the last one completes its model."""
    try:
        files.pulled.append(future.result())
    except Cancelled:
        if files.error is None:
            raise
    except PromptvisionError as exc:
        files.error = files.error or exc
    if files.error is None and len(files.pulled) == len(files.job.files):
        files.job.finish(files.pulled)
