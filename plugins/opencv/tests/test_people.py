from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from skimage import data

from promptvision.plugin import ToolFailed
from promptvision_opencv.people import find_people


def test_standing_figure_is_found(walker: Any) -> None:
    people = [person for person in find_people(walker.rgb) if person.score >= 0.45]
    assert len(people) == 1
    found, true = people[0].box, walker.box
    assert found.x1 < true.centroid.x < found.x2
    shared = (min(found.x2, true.x2) - max(found.x1, true.x1)) * (
        min(found.y2, true.y2) - max(found.y1, true.y1)
    )
    assert shared > 0.95 * true.area
    assert shared > 0.4 * found.area


def test_portrait_is_a_person_by_its_face(portrait: np.ndarray) -> None:
    people = [person for person in find_people(portrait) if person.score >= 0.45]
    assert len(people) == 1
    left, top, right, bottom = people[0].box
    assert left < 177
    assert right > 274
    assert top < 66
    assert bottom > 300


@pytest.mark.parametrize("name", ["chelsea", "coffee", "rocket"])
def test_image_without_people(name: str) -> None:
    assert [person for person in find_people(getattr(data, name)()) if person.score >= 0.45] == []


def test_image_smaller_than_the_window() -> None:
    assert find_people(np.zeros((40, 20, 3), np.uint8)) == []


def test_missing_detector_is_an_error_with_a_fix(monkeypatch: pytest.MonkeyPatch, walker: Any) -> None:
    monkeypatch.delattr(cv2, "HOGDescriptor")
    with pytest.raises(ToolFailed, match="opencv-python-headless<5"):
        find_people(walker.rgb)
