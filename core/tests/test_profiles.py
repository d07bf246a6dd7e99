"""Which of several models a profile takes."""

from __future__ import annotations

import pytest

from promptvision.models import profiles
from promptvision.models.profiles import Profile, machine_profile, preferred
from promptvision.models.spec import ModelSpec, Tier


def spec(id_: str, tier: Tier) -> ModelSpec:
    return ModelSpec(id=id_, source="a/b", revision="0", files=(), license="MIT", tier=tier)


LARGE, MIDDLE, SMALL = spec("large", "full"), spec("middle", ""), spec("small", "light")


@pytest.mark.parametrize(
    ("specs", "profile", "chosen"),
    [
        ([LARGE, MIDDLE, SMALL], "full", LARGE),
        ([LARGE, MIDDLE, SMALL], "light", SMALL),
        ([MIDDLE, SMALL], "full", SMALL),
        ([LARGE, MIDDLE], "light", LARGE),
        ([MIDDLE], "full", MIDDLE),
    ],
)
def test_a_profile_takes_the_best_of_its_tier(
    specs: list[ModelSpec], profile: Profile, chosen: ModelSpec
) -> None:
    assert preferred(specs, profile) is chosen


@pytest.mark.parametrize(("has_gpu", "profile"), [(True, "full"), (False, "light")])
def test_a_gpu_makes_the_profile_full(monkeypatch: pytest.MonkeyPatch, has_gpu: bool, profile: str) -> None:
    monkeypatch.setattr(profiles, "has_gpu", lambda: has_gpu)
    assert machine_profile() == profile
