"""Pin latents outside the mask to the original, at the noise level of each step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

__all__ = ["Pin"]


class Pin:
    """A callback for the end of each denoising step of a diffusers pipeline.

    The inpainting pipeline of diffusers restores the image outside the mask for UNets with 4 channels only,
    and before the last step of a stage with the clean image, which is wrong for a stage that passes on noisy
    latents. This callback works for any UNet, in both stages, with the same noise: after step i the latents
    outside are ``scheduler.add_noise(original, noise)`` at the sigma that step i + 1 starts from, and after
    the last step of the schedule, where sigma is 0, they are the original itself.

    Args:
        original: latents of the image, 1 x 4 x h x w, scaled for the UNet.
        noise: the noise that the first stage started from, of the same shape.
        mask: 1 x 1 x h x w bool, True where the latents are painted.
        on_step: called with the index of each finished step; an exception ends the run.
    """

    def __init__(
        self,
        original: torch.Tensor,
        noise: torch.Tensor,
        mask: torch.Tensor,
        on_step: Callable[[int], None],
    ) -> None:
        self._original = original
        self._noise = noise
        self._mask = mask
        self._on_step = on_step

    def __call__(self, pipeline: Any, index: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        """Replace ``tensors["latents"]`` outside the mask."""
        self._on_step(index)
        latents: torch.Tensor = tensors["latents"]
        known = self._at_step(pipeline.scheduler, latents)
        return {"latents": torch.where(self._mask.to(latents.device), latents, known)}

    def _at_step(self, scheduler: Any, latents: torch.Tensor) -> torch.Tensor:
        """The noised original; a scheduler that has started uses the noise level of its current step."""
        original, noise = self._original.to(latents), self._noise.to(latents)
        noised: torch.Tensor = scheduler.add_noise(original, noise, scheduler.timesteps[:1])
        return noised.to(latents.dtype)
