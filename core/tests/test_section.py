"""Settings sections that plugins declare."""

from __future__ import annotations

import pytest
from pydantic import Field, SecretStr

from promptvision.errors import SetupError
from promptvision.settings import Section, Settings


class Camera(Section):
    """A camera."""

    camera_pixels: int = Field(1000, ge=1, description="Resolution.")
    key: SecretStr | None = Field(None, alias="CAMERA_KEY", description="API key.")
    url: str = Field(alias="CAMERA_URL", description="Where it is.")


def test_variables_are_aliases_or_prefixed_names() -> None:
    assert Camera.variables() == {
        "PROMPTVISION_CAMERA_PIXELS": "camera_pixels",
        "CAMERA_KEY": "key",
        "CAMERA_URL": "url",
    }


def test_section_is_read_from_the_settings_and_validated() -> None:
    source = {"PROMPTVISION_CAMERA_PIXELS": "64", "CAMERA_URL": "rtsp:x", "CAMERA_KEY": "", "OTHER": "1"}
    camera = Settings.from_mapping(source).section(Camera)
    assert (camera.camera_pixels, camera.url, camera.key) == (64, "rtsp:x", None)


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        (
            {"PROMPTVISION_CAMERA_PIXELS": "0", "CAMERA_URL": "x"},
            "settings: PROMPTVISION_CAMERA_PIXELS: .* greater than or equal to 1; "
            "correct PROMPTVISION_CAMERA_PIXELS",
        ),
        ({}, "settings: CAMERA_URL: Field required; correct CAMERA_URL"),
    ],
)
def test_wrong_value_names_the_variable(source: dict[str, str], fault: str) -> None:
    with pytest.raises(SetupError, match=f"^{fault}$"):
        Settings.from_mapping(source).section(Camera)


def test_secrets_are_shown_nowhere() -> None:
    source = {"CAMERA_KEY": "hunter2", "CAMERA_URL": "x", "PROMPTVISION_CAMERA_PIXELS": "hunter3"}
    with pytest.raises(SetupError) as info:
        Settings.from_mapping(source).section(Camera)
    assert "hunter" not in f"{info.value} {info.value.__cause__}"
    camera = Camera.read({**source, "PROMPTVISION_CAMERA_PIXELS": 1})
    assert "hunter" not in f"{camera!r}"
