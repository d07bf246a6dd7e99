"""The context of one tool call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, get_args

from promptvision.errors import SetupError
from promptvision.images.handles import ImageKind
from promptvision.images.output import output_format
from promptvision.models.ledger import Reserved
from promptvision.models.placement import is_out_of_memory
from promptvision.models.spec import ModelSpec, alternatives
from promptvision.runtime.cancellation import CancelToken
from promptvision.runtime.image_cache import ImageCache, copy_on_write
from promptvision.runtime.stage_cache import StageCache
from promptvision.runtime.stage_files import Arrays
from promptvision.runtime.stage_key import stage_digest
from promptvision.tools.context import EDIT, MASK
from promptvision.types import ImageRef, MaskRef

if TYPE_CHECKING:
    from PIL.Image import Image

    from promptvision.images.store import StoredImage
    from promptvision.models.leases import HeldLease
    from promptvision.models.placements import PlacementChoice, StagePlan
    from promptvision.models.pool import ModelPool
    from promptvision.settings import Settings

__all__ = ["CallContext", "Progress", "SavedImage"]

MAX_NOTES = 50
"""Notes of one call; further ones are dropped."""

Progress = Callable[[float, float, str], None]
"""Called with done, total and a message, from the thread that runs the tool."""


@dataclass(frozen=True)
class SavedImage:
    """An image that a call made."""

    id: str
    kind: ImageKind
    parent: str | None
    width: int
    height: int


class CallContext:
    """The context of one tool call; a context manager that releases the call's leases.

    Args:
        images: reads and writes images.
        pool: leases models.
        settings: the active settings.
        seed: for anything random.
        parent: id of the image that the call works on.
        cancel: polled at every check point.
        deadline: ``time.monotonic()`` by which the call must end; None: no limit.
        on_progress: called with the progress of the work.
        stages: keeps the results of stages; None for none.
        plugin: the plugin of the running tool, and
        version: the version of its distribution, which both are part of the keys of its stages.
    """

    def __init__(
        self,
        *,
        images: ImageCache,
        pool: ModelPool,
        settings: Settings,
        seed: int = 0,
        parent: str | None = None,
        cancel: CancelToken | None = None,
        deadline: float | None = None,
        on_progress: Progress | None = None,
        stages: StageCache | None = None,
        plugin: str = "",
        version: str = "",
    ) -> None:
        self.settings = settings
        self.seed = seed
        self.deadline = deadline
        self.saved: list[SavedImage] = []
        self.models: dict[str, None] = {}
        """Ids of the models that the call has leased, in order."""
        self.notes: list[str] = []
        """How the call ran, such as on which device and why."""
        self.is_degraded = False
        """Whether the result differs from what the call would give otherwise."""
        self._images = images
        self._pool = pool
        self._parent = parent
        self._cancel = cancel or CancelToken()
        self._on_progress = on_progress
        self._stages = stages
        self._plugin = plugin
        self._version = version
        self._leases: dict[tuple[str, ...], HeldLease] = {}
        self._has_announced = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        ran_out = error is not None and is_out_of_memory(error)
        for models in tuple(self._leases):
            self.release(*models, failed=error is not None, ran_out_of_memory=ran_out)
        if self._has_announced:
            self._pool.announce(self, ())

    def open(self, ref: ImageRef) -> Image:
        """The decoded image; changing it in place does not affect the stored image."""
        return copy_on_write(self._images.open(ref.id))

    def stat(self, ref: ImageRef) -> StoredImage:
        """Media type and size in bytes of a stored image."""
        return self._images.store.stat(ref.id)

    def save(self, image: Image, *, kind: ImageKind = EDIT, parent: ImageRef | None = None) -> ImageRef:
        """Store an image and record it for the conversation's image table."""
        self.check_cancelled()
        return self._note(self._images.save(image), image, kind, parent)

    def _note(self, ref: ImageRef, image: Image, kind: ImageKind, parent: ImageRef | None) -> ImageRef:
        if kind not in get_args(ImageKind):
            raise ValueError(f"{kind!r} is not a kind of image; use {', '.join(get_args(ImageKind))}")
        source = parent.id if parent else self._parent
        self.saved.append(SavedImage(ref.id, kind, source, image.width, image.height))
        return ref

    def save_as(
        self,
        image: Image,
        extension: str,
        *,
        quality: int | None = None,
        kind: ImageKind = EDIT,
        parent: ImageRef | None = None,
    ) -> ImageRef:
        """Store an image as a file of another format than PNG, and note it like :meth:`save`."""
        self.check_cancelled()
        ref = self._images.save_as(image, output_format(f"image.{extension}"), quality)
        return self._note(ref, image, kind, parent)

    def save_mask(self, image: Image, *, parent: ImageRef | None = None) -> MaskRef:
        """Store a greyscale mask."""
        grey = image if image.mode == "L" else image.convert("L")
        return MaskRef(self.save(grey, kind=MASK, parent=parent).id)

    def lease(
        self,
        *models: str,
        device: str | None = None,
        compute_device: str | None = None,
        peak_bytes: int | Callable[[str], int] | None = None,
        operation: str = "",
        shape: Sequence[int] = (),
        passes: int = 1,
    ) -> Any:
        """Lease loaded models until the call ends or they are released."""
        self.release(*models)
        held = self._pool.acquire(
            *models,
            device=device,
            compute_device=compute_device,
            peak_bytes=peak_bytes,
            operation=operation,
            shape=shape,
            passes=passes,
            check=self.check_cancelled,
        )
        self._leases[models] = held
        loaded = held.models
        self.models.update(dict.fromkeys(loaded.ids))
        if held.is_second_choice:
            self.note(f"{', '.join(loaded.ids)} on the CPU: not enough memory on the GPU.")
        return loaded[0] if len(models) == 1 else loaded

    def release(self, *models: str, failed: bool = False, ran_out_of_memory: bool = False) -> Reserved:
        """Release leased models before the call ends; pass the ids of the lease."""
        if (held := self._leases.pop(models, None)) is None:
            return Reserved()
        held.close(failed=failed, ran_out_of_memory=ran_out_of_memory)
        return held.reserved

    def announce(self, *models: str) -> None:
        """Say which models the call needs next, soonest first."""
        self._has_announced = True
        self._pool.announce(self, models)

    def choose_placement(self, plans: Sequence[StagePlan]) -> PlacementChoice:
        """Where the weights of a pipeline go, by free memory and measured speeds."""
        return self._pool.choose_placement(plans)

    def note(self, text: str, *, is_degraded: bool = False) -> None:
        """Add a sentence to the details of the step."""
        self.is_degraded = self.is_degraded or is_degraded
        if len(self.notes) < MAX_NOTES:
            self.notes.append(text)

    def free_memory(self, *models: str, device: str | None = None) -> None:
        """Drop loaded models without a lease: these, or all; on one device, or on all."""
        self._pool.free_unused(models, device=device)

    def progress(self, done: float, total: float, message: str = "") -> None:
        """Report progress, and raise Cancelled if cancellation was requested."""
        self.check_cancelled()
        if self._on_progress is not None:
            self._on_progress(done, total, message)

    def check_cancelled(self) -> None:
        """Raise Cancelled if cancellation was requested."""
        self._cancel.check()

    def cached(
        self,
        stage: str,
        compute: Callable[[], Arrays],
        *,
        models: Sequence[str] = (),
        device: str | Callable[[], str] = "cpu",
        images: Sequence[ImageRef] = (),
        libraries: Sequence[str] = (),
        parameters: Mapping[str, Any] | None = None,
    ) -> Arrays:
        """The arrays of a stage from the cache, or computed now."""
        self.check_cancelled()
        stages, name = self._stages, f"{self._plugin}/{stage}"
        if stages is None:
            return compute()

        def key() -> str:
            return stage_digest(
                name,
                version=self._version,
                specs=[self._spec(model) for model in models],
                settings=self.settings,
                device=device if isinstance(device, str) else device(),
                pixels=[self._images.pixel_digest(ref.id) for ref in images],
                libraries=libraries,
                parameters=parameters or {},
            )

        return stages.get(name, key, compute, self.check_cancelled)

    def _spec(self, entry: str) -> ModelSpec:
        """The spec of an id; of alternatives, the one that this call has leased."""
        ids = alternatives(entry)
        chosen = next((id_ for id_ in ids if id_ in self.models), ids[0])
        try:
            return self._pool.specs[chosen]
        except KeyError:
            raise SetupError(f"model {chosen!r} is not known here") from None
