"""Download, verify and remove model weights."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from promptvision.errors import Busy, PromptvisionError, SetupError
from promptvision.models.download import (
    DownloadFailed,
    RemoteFile,
    Unreachable,
    fetch,
    is_unreachable,
    part_of,
    require_space,
)
from promptvision.models.manifest import (
    MANIFEST,
    Manifest,
    PulledFile,
    file_sha256,
    read_manifest,
    write_manifest,
)
from promptvision.models.spec import ModelSpec
from promptvision.models.weights import effective_spec, files_of, folder_of, local_override, locate, require
from promptvision.settings import Settings

if TYPE_CHECKING:
    from huggingface_hub.hf_api import ModelInfo, RepoSibling

__all__ = ["Problem", "Progress", "PullJob", "is_partial", "prepare", "pull", "remove", "verify"]

_HUB = "https://huggingface.co/"

Progress = Callable[[int, int, str], None]
"""Called with bytes so far, total bytes (0 if unknown) and the file name; may raise to stop the pull."""


@dataclass(frozen=True)
class Problem:
    """A problem with a file of a model."""

    path: str
    what: str


def pull(
    spec: ModelSpec, settings: Settings, progress: Progress, *, schemes: Collection[str] = ("https",)
) -> Path:
    """Download a model's weights unless they exist; resume an interrupted download.

    Args:
        spec: what to pull.
        settings: the destination, and optionally another hub repository, ``HF_ENDPOINT`` and ``HF_TOKEN``.
        progress: called as the download proceeds.
        schemes: URL schemes that are allowed.

    Returns:
        The folder of the weights.

    Raises:
        SetupError: offline mode is on, the hub's client is not installed, or the disk is too small.
        DownloadFailed: the source refuses or sends something else than declared.
        Unreachable: the source cannot be reached.
        Busy: another process is pulling the same model.
    """
    with prepare(spec, settings, schemes=schemes) as job:
        if job is None:
            return require(spec, settings)
        require_space(job.staging, job.bytes_left())
        total = sum(file.size for file in job.files)
        pulled: list[PulledFile] = []
        for file in job.files:
            before = sum(done.size for done in pulled)

            def report_bytes(here: int, before: int = before, name: str = file.path) -> None:
                progress(before + here, total, name)

            pulled.append(job.fetch(file, report_bytes))
            report_bytes(pulled[-1].size)
        return job.finish(pulled)


@dataclass(frozen=True, kw_only=True)
class PullJob:
    """A model that is locked for this process, and what is to be downloaded of it.

    Args:
        spec: the model, as settings have it.
        folder: where it goes when it is whole.
        staging: where files are collected until then.
        commit: what the revision of the spec resolved to.
        files: what to download.
        schemes: URL schemes that are allowed.
    """

    spec: ModelSpec
    folder: Path
    staging: Path
    commit: str
    files: tuple[RemoteFile, ...]
    schemes: frozenset[str]

    def bytes_left(self) -> int:
        """How much is still to be downloaded, as far as sizes are known."""
        left = 0
        for file in self.files:
            target = self.staging / file.path
            here = next((path.stat().st_size for path in (target, part_of(target)) if path.is_file()), 0)
            left += max(0, file.size - here)
        return left

    def fetch(self, file: RemoteFile, progress: Callable[[int], None]) -> PulledFile:
        """Download one of the files, unless it is whole already.

        Args:
            file: one of :attr:`files`.
            progress: called with the bytes of the file so far; whatever it raises stops the download.
        """
        target = self.staging / file.path
        digest = file_sha256(target) if target.is_file() else None
        if digest is None or digest != file.sha256:
            try:
                digest = fetch(file, target, progress=progress, schemes=self.schemes)
            except Unreachable as exc:
                raise Unreachable(exc.message, hint=_offline_hint(self.spec, self.folder)) from exc
        return PulledFile(path=file.path, size=target.stat().st_size, sha256=digest)

    def finish(self, pulled: Sequence[PulledFile]) -> Path:
        """Move the complete files to their place; return it."""
        spec = self.spec
        manifest = Manifest(
            source=spec.source,
            revision=spec.revision,
            commit=self.commit,
            license=spec.license,
            files=tuple(pulled),
        )
        write_manifest(self.staging, manifest)
        if self.folder.exists():  # of another revision, or not whole
            shutil.rmtree(self.folder)
        self.staging.replace(self.folder)
        return self.folder


@contextmanager
def prepare(
    spec: ModelSpec, settings: Settings, *, schemes: Collection[str] = ("https",)
) -> Iterator[PullJob | None]:
    """Lock a model and list what is to be downloaded; None if its weights are here.

    Takes the arguments of :func:`pull`.

    Raises:
        PromptvisionError: as :func:`pull`.
    """
    if locate(spec, settings) is not None:
        yield None
        return
    _refuse_offline(spec, settings)
    wanted, folder = effective_spec(spec, settings), folder_of(spec, settings)
    settings.weights_home.mkdir(parents=True, exist_ok=True)
    with _alone(folder.with_name(f"{folder.name}.lock"), spec):
        if locate(spec, settings) is not None:
            yield None
            return
        staging = _staging_of(folder, wanted)
        staging.mkdir(exist_ok=True)
        try:
            commit, files = _list_files(wanted, settings)
        except Unreachable as exc:
            raise Unreachable(exc.message, hint=_offline_hint(wanted, folder)) from exc
        yield PullJob(
            spec=wanted,
            folder=folder,
            staging=staging,
            commit=commit,
            files=tuple(files),
            schemes=frozenset({*schemes, *_scheme_of_endpoint(settings)}),
        )


def _offline_hint(spec: ModelSpec, folder: Path) -> str:
    names = ", ".join(file.path for file in spec.files)
    return (
        "check the network; behind a proxy set HTTPS_PROXY; for a mirror of the hub set HF_ENDPOINT; or copy "
        f"the files ({names}) by hand into {folder}"
    )


def _staging_of(folder: Path, spec: ModelSpec) -> Path:
    """The folder for files until all are complete; one per revision."""
    return folder.with_name(f"{folder.name}.pulling-{spec.revision[:12].replace('/', '-')}")


def _scheme_of_endpoint(settings: Settings) -> set[str]:
    """The scheme of the mirror that the operator names, which may be http."""
    endpoint = settings.value("HF_ENDPOINT")
    return {urlsplit(endpoint).scheme} if endpoint else set()


def _refuse_offline(spec: ModelSpec, settings: Settings) -> None:
    value = settings.value("HF_HUB_OFFLINE") or os.environ.get("HF_HUB_OFFLINE", "")
    if value.upper() in {"1", "ON", "YES", "TRUE"}:
        raise SetupError(
            f"model {spec.id!r} cannot be pulled: HF_HUB_OFFLINE is set", hint="unset HF_HUB_OFFLINE"
        )


@contextmanager
def _alone(lock: Path, spec: ModelSpec) -> Iterator[None]:
    """Exclude other pulls of the same model; the system releases the lock of a dead process."""
    with lock.open("wb") as file:
        if os.name == "posix":
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as exc:
                raise Busy(f"model {spec.id!r} is being pulled by another process", retry_after_s=60) from exc
        yield


def _list_files(spec: ModelSpec, settings: Settings) -> tuple[str, list[RemoteFile]]:
    """The commit and the files to download."""
    is_url = spec.source.startswith("https://")
    listed = [
        RemoteFile(
            path=_inside(file.path),
            url=_mirrored(file.url or spec.source, settings),
            size=file.size,
            sha256=file.sha256,
        )
        for file in spec.files
        if file.url or is_url
    ]
    if len(listed) == len(spec.files):
        return spec.revision, listed
    of_hub = replace(spec, files=tuple(file for file in spec.files if not file.url))
    commit, files = _list_hub_files(of_hub, settings)
    return commit, files + listed


def _mirrored(url: str, settings: Settings) -> str:
    """The address of a file of the hub at the mirror that the operator names, if any."""
    endpoint = settings.value("HF_ENDPOINT")
    return endpoint.rstrip("/") + "/" + url.removeprefix(_HUB) if endpoint and url.startswith(_HUB) else url


def _list_hub_files(spec: ModelSpec, settings: Settings) -> tuple[str, list[RemoteFile]]:
    try:
        from huggingface_hub import HfApi, get_token, hf_hub_url
    except ImportError as exc:
        raise SetupError(
            f"model {spec.id!r} comes from the Hugging Face hub, whose client package is not installed",
            hint="run `pip install 'promptvision[models]'`",
        ) from exc
    endpoint = settings.value("HF_ENDPOINT")
    token = (settings.value("HF_TOKEN") or get_token()) if _is_confidential(endpoint) else None
    try:
        info = HfApi(endpoint=endpoint, token=token or False).model_info(
            spec.source, revision=spec.revision, files_metadata=True
        )
    except Exception as exc:  # the hub's versions use different HTTP clients with different errors
        raise _hub_error(spec, exc, endpoint) from exc
    commit = info.sha or spec.revision
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    files = []
    for sibling in _wanted(spec, info):
        url = hf_hub_url(spec.source, sibling.rfilename, revision=commit, endpoint=endpoint)
        files.append(_hub_file(spec, sibling, url, headers))
    return commit, files


def _is_confidential(endpoint: str | None) -> bool:
    """Whether a token sent to the hub or its mirror is encrypted on the way."""
    url = urlsplit(endpoint or "https://huggingface.co")
    return url.scheme == "https" or url.hostname in ("localhost", "127.0.0.1", "::1")


def _hub_error(spec: ModelSpec, error: Exception, endpoint: str | None) -> PromptvisionError:
    name = type(error).__name__
    first = str(error).strip().splitlines()[0] if str(error).strip() else name
    page = f"https://huggingface.co/{spec.source}"
    if name == "GatedRepoError":
        return SetupError(
            f"{page} requires its licence to be accepted", hint="accept it on that page and set HF_TOKEN"
        )
    if is_unreachable(error):
        host = urlsplit(endpoint or page).hostname
        return Unreachable(f"{spec.source} at {spec.revision}: {host} cannot be reached: {first}")
    return DownloadFailed(f"{page} at {spec.revision}: {first}", hint="check the network and HF_ENDPOINT")


def _wanted(spec: ModelSpec, info: ModelInfo) -> list[RepoSibling]:
    """The repository's files that the spec names; a name without a match is an error."""
    siblings = info.siblings or []
    for file in spec.files:
        if not any(fnmatchcase(sibling.rfilename, file.path) for sibling in siblings):
            raise DownloadFailed(f"{spec.source} at {spec.revision} has no file {file.path!r}")
    return [s for s in siblings if any(fnmatchcase(s.rfilename, file.path) for file in spec.files)]


def _hub_file(spec: ModelSpec, sibling: RepoSibling, url: str, headers: dict[str, str]) -> RemoteFile:
    name = _inside(sibling.rfilename)
    declared = next((file.sha256 for file in spec.files if file.path == name and file.sha256), None)
    digest = declared or (sibling.lfs.sha256 if sibling.lfs else None)
    return RemoteFile(path=name, url=url, size=sibling.size or 0, sha256=digest, headers=headers)


def _inside(name: str) -> str:
    """Check that a file name stays inside the model's folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or name == MANIFEST:
        raise DownloadFailed(f"file name {name!r} points outside the model's folder")
    return name


def verify(spec: ModelSpec, settings: Settings) -> list[Problem]:
    """Compare a model's files with their digests: those of the spec, else those recorded by the pull.

    A local override has no digests; it only has to exist.

    Raises:
        SetupError: the weights are not downloaded.
    """
    if local_override(spec, settings) is not None:
        return []
    folder, wanted = require(spec, settings), effective_spec(spec, settings)
    manifest = read_manifest(folder)
    digests: dict[str, str | None] = dict.fromkeys(files_of(wanted, folder))
    digests |= {file.path: file.sha256 for file in manifest.files} if manifest else {}
    digests |= {file.path: file.sha256 for file in wanted.files if file.sha256}
    found = (
        Problem(name, what) for name, digest in digests.items() for what in _fault(folder / name, digest)
    )
    return list(found)


def _fault(path: Path, digest: str | None) -> Iterator[str]:
    if not path.is_file():
        yield "is missing"
    elif digest is None:
        yield "has no known digest; pull the model again to record one"
    elif (actual := file_sha256(path)) != digest:
        yield f"has SHA-256 {actual}, not {digest}"


def _stagings(folder: Path) -> list[Path]:
    return list(folder.parent.glob(f"{folder.name}.pulling-*"))


def is_partial(spec: ModelSpec, settings: Settings) -> bool:
    """Whether a pull of the model was started and not completed."""
    return bool(_stagings(folder_of(spec, settings)))


def remove(spec: ModelSpec, settings: Settings) -> int:
    """Delete the pulled weights of a model, parts included; never a local override.

    Returns:
        The number of freed bytes.
    """
    folder = folder_of(spec, settings)
    freed = 0
    for each in (folder, *_stagings(folder)):
        if each.is_dir():
            freed += sum(path.stat().st_size for path in each.rglob("*") if path.is_file())
            shutil.rmtree(each)
    return freed
