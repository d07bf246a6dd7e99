"""All that a running tool may touch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from promptvision.types import ImageRef, MaskRef

if TYPE_CHECKING:
    from PIL.Image import Image

    from promptvision.images.store import StoredImage
    from promptvision.settings import Settings

__all__ = ["ANNOTATED", "EDIT", "INPUT", "MASK", "ToolContext"]

INPUT, EDIT, ANNOTATED, MASK = "input", "edit", "annotated", "mask"
"""Kinds of image. Only ``input`` and ``edit`` can be what "this image" means in the next request."""


class ToolContext(Protocol):
    """Handed to every tool call. Safe to use from the thread that runs the tool."""

    seed: int
    """Use for anything random, so that the same request gives the same image."""
    settings: Settings
    deadline: float | None
    """``time.monotonic()`` at which the call must end; None: there is no limit. Derive the timeouts of child
    processes and requests from it."""

    def open(self, ref: ImageRef) -> Image:
        """The decoded image: mode L, LA, RGB or RGBA, upright. It is this call's own and may be drawn on.

        Raises:
            StoreError: the store cannot give it back.
        """

    def stat(self, ref: ImageRef) -> StoredImage:
        """Media type and size in bytes of a stored image.

        Raises:
            StoreError: the store cannot be read.
        """

    def save(self, image: Image, *, kind: str = EDIT, parent: ImageRef | None = None) -> ImageRef:
        """Store an image as PNG and enter it in the conversation's image table.

        Args:
            image: what to store.
            kind: ``edit``, ``annotated`` or ``mask``.
            parent: the image it was made from; default: the first image of the arguments.
        """

    def save_mask(self, image: Image, *, parent: ImageRef | None = None) -> MaskRef:
        """Store a greyscale mask (0 = keep, 255 = edit) of the size of its image."""

    def lease(
        self,
        *models: str,
        device: str | None = None,
        compute_device: str | None = None,
        peak_bytes: int | None = None,
    ) -> Any:
        """Lease loaded models until the call ends: the model for one id, a tuple for several.

        Args:
            models: ids of model specs, or alternatives as :class:`~promptvision.plugin.Requirements` names
                them; models that are used together belong in one lease.
            device: where they must be; default: the GPU if all of them fit on it, else the CPU.
            compute_device: where they compute, if the tool streams their layers there from ``device``; it
                decides the dtype.
            peak_bytes: activation memory of this call, if it depends on the call; default: what the specs
                declare.

        Raises:
            SetupError: weights are not downloaded; the message names the command that pulls them.
            DoesNotFit: there is not enough memory, even with all models evicted that no call uses.
        """

    def release(self, *models: str) -> None:
        """Release leased models before the call ends; name them as they were leased."""

    def free_memory(self, *models: str, device: str | None = None) -> None:
        """Drop loaded models that no call leases, after running out of memory.

        Args:
            models: only these ids; default: all.
            device: only on this device; default: on all.
        """

    def progress(self, done: float, total: float, message: str = "") -> None:
        """Tell how far the work is. Also a check point for cancellation."""

    def check_cancelled(self) -> None:
        """Raise :class:`~promptvision.errors.Cancelled` if the call was cancelled."""
