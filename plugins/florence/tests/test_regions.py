from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from promptvision_florence.regions import bounding_box, split_regions

FIRST = 300


def parts(ids: list[int]) -> list[tuple[list[int], list[int]]]:
    return [
        ([ids[place] for place in region.text], [ids[place] - FIRST for place in region.locations])
        for region in split_regions(ids, FIRST)
    ]


def test_words_belong_to_the_locations_after_them() -> None:
    ids = [2, 0, 7, 8, FIRST, FIRST + 1, 9, FIRST + 999, 2]
    assert parts(ids) == [([2, 0, 7, 8], [0, 1]), ([9], [999])]


def test_words_without_locations_are_not_a_region() -> None:
    assert parts([2, 0, 7, 8, 2]) == []
    assert parts([]) == []


@given(st.lists(st.tuples(st.lists(st.integers(0, 299)), st.lists(st.integers(0, 999), min_size=1))))
def test_regions_are_found_for_any_content(regions: list[tuple[list[int], list[int]]]) -> None:
    regions = [(words or [5], places) for words, places in regions]
    ids = [number for words, places in regions for number in (*words, *(FIRST + place for place in places))]
    assert parts(ids) == regions


def test_box_encloses_all_points_at_the_centre_of_bins() -> None:
    assert bounding_box([0, 999, 100, 500, 50, 600], 1000, 500) == (0.5, 250.25, 100.5, 499.75)


def test_box_without_area_is_none() -> None:
    assert bounding_box([5, 5, 5, 9], 100, 100) is None


@given(st.lists(st.integers(0, 999), min_size=4, max_size=4), st.integers(1, 5000), st.integers(1, 5000))
def test_boxes_lie_in_the_image(bins: list[int], width: int, height: int) -> None:
    box = bounding_box(bins, width, height)
    assert box is None or (0 <= box.x1 < box.x2 <= width and 0 <= box.y1 < box.y2 <= height)
