"""Profiles of models: which of several alternatives suits a machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from promptvision.models.devices import has_gpu
from promptvision.models.spec import ModelSpec

__all__ = ["PROFILES", "Profile", "machine_profile", "preferred"]

Profile = Literal["light", "full"]
PROFILES: tuple[Profile, ...] = ("light", "full")


def machine_profile() -> Profile:
    """The profile that suits this machine: ``full`` if it has a GPU. Does not import torch."""
    return "full" if has_gpu() else "light"


def preferred(specs: Sequence[ModelSpec], profile: Profile) -> ModelSpec:
    """The one of several alternatives that a profile takes.

    Args:
        specs: the alternatives, best first; at least one.
        profile: ``light`` takes the best of tier ``light``; ``full`` the best that has a tier.

    Returns:
        The best of all if none has such a tier.
    """
    tiers = ("light",) if profile == "light" else ("full", "light")
    return next((spec for spec in specs if spec.tier in tiers), specs[0])
