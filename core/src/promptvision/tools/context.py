"""The context of a running tool."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from promptvision.types import ImageRef, MaskRef

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

    from promptvision.images.handles import ImageKind
    from promptvision.images.store import StoredImage
    from promptvision.models.ledger import Reserved
    from promptvision.models.placements import PlacementChoice, StagePlan
    from promptvision.settings import Settings

__all__ = ["ANNOTATED", "EDIT", "INPUT", "MASK", "ToolContext"]

INPUT: Final = "input"
EDIT: Final = "edit"
ANNOTATED: Final = "annotated"
MASK: Final = "mask"


class ToolContext(Protocol):
    """Passed to every tool call. Safe to use from the thread that runs the tool."""

    seed: int
    """Seed for random numbers, so that the same request gives the same image."""
    settings: Settings
    deadline: float | None
    """``time.monotonic()`` by which the call must end; None: no limit. Derive the timeouts of child processes
    and requests from it."""

    def open(self, ref: ImageRef) -> Image:
        """The decoded image: mode L, LA, RGB or RGBA, upright. It may be changed in place.

        Raises:
            StoreError: the store cannot read it.
        """

    def stat(self, ref: ImageRef) -> StoredImage:
        """Media type and size in bytes of a stored image.

        Raises:
            StoreError: the store cannot be read.
        """

    def save(self, image: Image, *, kind: ImageKind = EDIT, parent: ImageRef | None = None) -> ImageRef:
        """Store an image as PNG and add it to the conversation's image table.

        Args:
            image: the image to store.
            kind: ``edit``, ``annotated`` or ``mask``.
            parent: the image it was made from; default: the first image of the arguments.
        """

    def save_as(
        self,
        image: Image,
        extension: str,
        *,
        quality: int | None = None,
        kind: ImageKind = EDIT,
        parent: ImageRef | None = None,
    ) -> ImageRef:
        """Store an image as a file of a given format, which is what users then download.

        Args:
            image: what to store; transparency is flattened onto white where the format holds none.
            extension: ``png``, ``jpg``, ``webp``, ``avif`` or ``tiff``.
            quality: 1 to 100 for JPEG, WebP and AVIF; default: high.
            kind: as for :meth:`save`.
            parent: as for :meth:`save`.
        """

    def save_mask(self, image: Image, *, parent: ImageRef | None = None) -> MaskRef:
        """Store a greyscale mask (0 = keep, 255 = edit) of the size of its image."""

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
        """Lease loaded models until the call ends: the model for one id, a tuple for several.

        Args:
            models: ids of model specs, or alternatives as :class:`~promptvision.plugin.Requirements` names
                them; models that are used together belong in one lease.
            device: required device; default: the GPU if all of them fit on it, else the CPU.
            compute_device: the device of computation, if the tool streams layers there from ``device``; it
                determines the dtype. Movable models are then shared copies: run only a view made by
                ``private_view``.
            peak_bytes: activation memory of this call, if it depends on the call, or a function that returns
                it for the dtype of the first model; default: the value of the specs. Once calls of the same
                kind were measured, what they used is reserved instead.
            operation: names the kind of call for the measured memory, if the models alone do not.
            shape: sizes of the input that determine the activation memory, such as height and width.
            passes: how often the networks run; measured seconds are for one pass.

        Raises:
            SetupError: weights are not downloaded; the message names the command that pulls them.
            DoesNotFit: there is not enough memory, even after evicting all unused models.
        """

    def release(self, *models: str, failed: bool = False, ran_out_of_memory: bool = False) -> Reserved:
        """Release leased models before the call ends.

        Args:
            models: the ids of the lease.
            failed: whether what used them did, so that its seconds say nothing.
            ran_out_of_memory: whether it did, so that more memory is reserved the next time.

        Returns:
            The bytes that were reserved for the lease on the device of computation.
        """

    def announce(self, *models: str) -> None:
        """Say which models the call needs next, soonest first.

        They are evicted last, and put on the GPU while there is free memory.
        """

    def choose_placement(self, plans: Sequence[StagePlan]) -> PlacementChoice:
        """Where the weights of a pipeline go: the placement that is predicted to be fastest.

        Args:
            plans: the stages of the pipeline, in their order.
        """

    def note(self, text: str, *, is_degraded: bool = False) -> None:
        """Add a sentence to the details of the step, such as on which device it ran and why.

        Args:
            text: the sentence.
            is_degraded: whether the result differs from what the call would give otherwise, such as for want
                of memory. It then does not answer later equal calls.
        """

    def free_memory(self, *models: str, device: str | None = None) -> None:
        """Drop loaded models without a lease, after running out of memory.

        Args:
            models: only these ids; default: all.
            device: only on this device; default: on all.
        """

    def cached(
        self,
        stage: str,
        compute: Callable[[], Mapping[str, NDArray[Any]]],
        *,
        models: Sequence[str] = (),
        device: str | Callable[[], str] = "cpu",
        images: Sequence[ImageRef] = (),
        libraries: Sequence[str] = (),
        parameters: Mapping[str, Any] | None = None,
    ) -> Mapping[str, NDArray[Any]]:
        """The arrays of an expensive stage, from the cache if an equal call has computed them before.

        Equal calls that run at the same time join one computation. Name everything that determines the
        arrays; the versions of the plugin and the digest of the weights are part of the key without that. A
        stage must be deterministic: never cache what an unseeded random generator has drawn.

        Args:
            stage: short name, such as ``embedding``.
            compute: computes the arrays; it may lease models, but the call must not hold a lease that another
                equal call needs for its own computation.
            models: ids of the models that compute it.
            device: type of the device that computes it; a function if it can change during ``compute``,
                such as when the GPU is out of memory. The arrays are then kept under the last device.
            images: the images that it reads.
            libraries: distributions that compute it, such as ``torch``; their versions are part of the key.
            parameters: everything else that it depends on, defaults included, as JSON values.

        Returns:
            Read-only numpy arrays by name.
        """

    def progress(self, done: float, total: float, message: str = "") -> None:
        """Report progress. Also a check point for cancellation."""

    def check_cancelled(self) -> None:
        """Raise :class:`~promptvision.errors.Cancelled` if the call was cancelled."""
