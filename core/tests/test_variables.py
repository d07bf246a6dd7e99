"""Unknown settings are reported with the nearest known name."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pytest

from promptvision.plugins.registry import Registry
from promptvision.plugins.variables import find_misspelt
from promptvision.settings import Settings
from promptvision.testing.program import Ended, Program

Plant = Callable[..., list[EntryPoint]]

CAMERA = """
from pydantic import Field
from promptvision.plugin import Section, hookimpl

class Camera(Section):
    camera_pixels: int = Field(1000, description="Resolution.")

@hookimpl
def promptvision_settings():
    return [{offered}]
"""


def misspelt(points: list[EntryPoint], **variables: Any) -> list[str]:
    source = {f"PROMPTVISION_{name}": value for name, value in variables.items()}
    return list(find_misspelt(Registry.load(Settings.from_mapping(source), points)))


def test_unknown_name_is_reported_with_the_nearest(plant: Plant) -> None:
    points = plant("promptvision-camera", CAMERA.format(offered="Camera"))
    assert misspelt(points, PLANNER="offline", CAMERA_PIXELS=5) == []
    assert misspelt(points, PLANER="offline", CAMERA_PIXEL=5) == [
        "settings: PROMPTVISION_CAMERA_PIXEL is not a known setting; "
        "did you mean PROMPTVISION_CAMERA_PIXELS?",
        "settings: PROMPTVISION_PLANER is not a known setting; did you mean PROMPTVISION_PLANNER?",
    ]


def test_name_that_may_belong_to_a_disabled_plugin_is_not_reported(plant: Plant) -> None:
    points = plant("promptvision-camera", CAMERA.format(offered="Camera"))
    assert misspelt(points, ZZZ=1) == [
        "settings: PROMPTVISION_ZZZ is not a known setting; see `promptvision doctor`"
    ]
    assert misspelt(points, ZZZ=1, CAMERA_PIXELS=5, DISABLED_PLUGINS="camera") == []


def test_plugin_and_tool_names_in_settings_are_checked(plant: Plant) -> None:
    points = plant(
        "promptvision-mirror",
        "from promptvision.plugin import Image, tool\n@tool\ndef flip(image: Image) -> Image:\n"
        "    'Flip an image.'\n    return image\n",
    )
    assert misspelt(points, DISABLED_PLUGINS="miror") == [
        "settings: PROMPTVISION_DISABLED_PLUGINS: no plugin 'miror' is installed; did you mean mirror?"
    ]
    assert misspelt(points, PREFER="mirror:flop") == [
        "settings: PROMPTVISION_PREFER: no tool 'mirror:flop' is installed; did you mean mirror:flip?"
    ]
    assert misspelt(points, PREFER="mirror:flip") == []
    assert misspelt(points, PREFER="mirror:flip", DISABLED_PLUGINS="mirror") == []


def test_warning_is_logged_when_plugins_are_loaded(plant: Plant, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    misspelt([], PLANER="offline")
    assert caplog.messages == [
        "settings: PROMPTVISION_PLANER is not a known setting; did you mean PROMPTVISION_PLANNER?"
    ]


def test_command_line_reports_it_on_stderr(program: Program, command: Callable[..., Ended]) -> None:
    program.environment["PROMPTVISION_PLANER"] = "offline"
    ended = command("tools", "--json")
    assert ended.code == 0
    assert "PROMPTVISION_PLANER" not in ended.out
    assert ended.err == (
        "promptvision: settings: PROMPTVISION_PLANER is not a known setting; "
        "did you mean PROMPTVISION_PLANNER?\n"
    )
    found = command("doctor", "--offline").out
    assert "PROMPTVISION_PLANNER?" in found


def test_doctor_shows_an_invalid_section(program: Program, command: Callable[..., Ended]) -> None:
    program.environment["PROMPTVISION_LLM_TIMEOUT_S"] = "soon"
    ended = command("doctor", "--offline")
    assert ended.code == 1
    assert "PROMPTVISION_LLM_TIMEOUT_S: Input should be a valid number" in " ".join(ended.out.split())


@pytest.mark.parametrize("offered", ["int", "Camera()", "3"])
def test_what_is_not_a_section_fails_the_plugin(plant: Plant, offered: str) -> None:
    registry = Registry.load(Settings(), plant("promptvision-camera", CAMERA.format(offered=offered)))
    assert registry.plugins[0].state == "failed"
    assert "promptvision_settings returned" in registry.plugins[0].cause


def test_every_variable_of_the_installed_plugins_is_described() -> None:
    registry = Registry.load(Settings(strict_plugins=True), entry_points(group="promptvision"))
    for sections in registry.sections.values():
        for section in sections:
            assert section.__doc__
            assert all(field.description for field in section.model_fields.values()), section
