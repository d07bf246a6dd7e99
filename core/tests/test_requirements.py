from __future__ import annotations

from promptvision.settings import Settings
from promptvision.tools.requirements import Missing, Requirements, missing_requirements

SMALL_OR_LARGE = Requirements(models=("large", "other"), chosen_by={"large": "PROMPTVISION_SIZE"})


def test_a_variable_puts_another_model_in_place_of_the_default() -> None:
    chosen = Settings.from_mapping({"PROMPTVISION_SIZE": "small"})
    assert SMALL_OR_LARGE.chosen_models(chosen.value) == ("small", "other")
    assert SMALL_OR_LARGE.chosen_models(Settings.from_mapping({}).value) == ("large", "other")


def test_the_chosen_model_is_the_one_that_must_be_here() -> None:
    asked: list[str] = []

    def has_model(model: str) -> Missing | None:
        asked.append(model)
        return Missing(model, "pull it") if model == "small" else None

    chosen = Settings.from_mapping({"PROMPTVISION_SIZE": "small"})
    lacking = list(missing_requirements(SMALL_OR_LARGE, has_model=has_model, setting=chosen.value))
    assert [missing.what for missing in lacking] == ["small"]
    assert asked == ["small", "other"]
