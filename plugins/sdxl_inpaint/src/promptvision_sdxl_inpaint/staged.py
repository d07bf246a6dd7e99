"""Run the stages of SDXL, whose text encoders must not be copied while they run."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from promptvision.plugin import StagedRunner as PoolRunner
from promptvision.plugin import private_view as plain_view
from promptvision_sdxl_inpaint.load import TEXT_LOCK, TextEncoder

if TYPE_CHECKING:
    from promptvision.plugin import Placement, PlacementChoice, ToolContext

__all__ = ["StagedRunner", "private_view"]


class StagedRunner(PoolRunner):
    """Runs stages with as much of the models on the GPU as possible.

    Args:
        context: context of the call.
        placement: the initial placement, or the choice of it.
        gpu: name of the fast device.
    """

    def __init__(
        self, context: ToolContext, placement: Placement | PlacementChoice, gpu: str = "cuda"
    ) -> None:
        super().__init__(context, placement, gpu, private_view)


def private_view(model: Any) -> Any:
    """A copy of a loaded model that shares its weights, for hooks that move its layers.

    Args:
        model: a :class:`~promptvision_sdxl_inpaint.load.Denoiser`, a
            :class:`~promptvision_sdxl_inpaint.load.TextEncoder` or a module.
    """
    with TEXT_LOCK if isinstance(model, TextEncoder) else nullcontext():
        return plain_view(model)
