from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from skimage import data

from promptvision_opencv.faces import find_faces


def test_portrait_has_one_face_where_it_is(portrait: np.ndarray) -> None:
    faces = find_faces(portrait)
    assert len(faces) == 1
    x, y = faces[0].box.centroid
    assert 200 < x < 250
    assert 90 < y < 140
    assert faces[0].score > 0.6


@pytest.mark.parametrize("factor", [0.5, 3])
def test_face_is_found_in_small_and_large_images(factor: float, portrait: np.ndarray) -> None:
    image = cv2.resize(portrait, None, fx=factor, fy=factor).astype(np.uint8)
    best = find_faces(image)[0]
    assert best.score > 0.45
    assert abs(best.box.centroid.x - 225 * factor) < 25 * factor


@pytest.mark.parametrize("name", ["chelsea", "coffee", "rocket"])
def test_image_without_face(name: str) -> None:
    assert [face for face in find_faces(getattr(data, name)()) if face.score >= 0.45] == []


def test_drawn_ball_is_not_a_face(ball: Any) -> None:
    assert [face for face in find_faces(ball.rgb) if face.score >= 0.45] == []


def test_smallest_image() -> None:
    assert find_faces(np.zeros((1, 1, 3), np.uint8)) == []
