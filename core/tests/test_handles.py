"""Handles, lineage, and the table that a planner reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptvision.conversations.turn import ImageRecord as Reexported
from promptvision.images.handles import ImageRecord, ImageTable
from promptvision.types import ImageRef

RED, BLUE, MASK, GREY = "a" * 64, "b" * 64, "c" * 64, "d" * 64


@pytest.fixture
def table() -> ImageTable:
    """A photo, its boxes drawn, a mask, an edit of it, and the edit in grey."""
    table = ImageTable()
    table.add(RED, "input", None, "", 640, 480, 1)
    table.add("e" * 64, "annotated", RED, "detect_objects", 640, 480, 1)
    table.add(MASK, "mask", RED, "segment_objects", 640, 480, 1)
    table.add(BLUE, "edit", RED, "inpaint_image", 640, 480, 1)
    table.add(GREY, "edit", BLUE, "convert_to_bw", 640, 480, 2)
    return table


def test_numbers_count_up_and_survive_reloading(table: ImageTable) -> None:
    assert [record.handle for record in table.records] == ["img_1", "img_2", "img_3", "img_4", "img_5"]
    again = ImageTable(table.records)
    assert again.records == table.records
    assert again.add(RED, "input", None, "", 640, 480, 3).number == 6


def test_partial_table_lists_missing_handles(table: ImageTable) -> None:
    part = ImageTable(table.records[3:])
    assert table.is_whole
    assert not part.is_whole
    assert part.is_missing("compare img_5 with [IMG_02]")
    assert not part.is_missing("img_4, img_5, img_6 and img_0 of img_")
    assert part.lines()[0] == "(3 older not shown)"
    assert part.add(RED, "input", None, "", 640, 480, 3).handle == "img_6"
    part.include(table.records)
    assert part.is_whole
    assert not part.is_missing("img_2")
    assert part.show(ImageRef(RED)) == "img_6"


def test_conversations_and_images_share_one_record() -> None:
    assert Reexported is ImageRecord


@pytest.mark.parametrize("text", ["img_4", " IMG_4 ", "[img_4]", "Img_4\n", "[ img_4 ]", "img_04"])
def test_handles_are_accepted_in_several_spellings(table: ImageTable, text: str) -> None:
    assert table.resolve(text) == BLUE


HOSTILE = [
    "",
    "img_",
    "img_0",
    "img_6",
    "img_-1",
    "img_1 img_2",
    "image_1",
    "img_1.png",
    "img_9999999999",
    "img_\u0661",
    RED,
    "https://example.com/img_1",
    "file:///etc/passwd",
    "/etc/passwd",
    "../img_1",
    "data:image/png;base64,AAAA",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_unknown_handle_lists_valid_ones(table: ImageTable, text: str) -> None:
    with pytest.raises(ValueError, match="use one of img_1, img_2, img_3, img_4, img_5"):
        table.resolve(text)


@given(st.text())
def test_only_handles_ever_resolve(text: str) -> None:
    table = ImageTable()
    table.add(RED, "input", None, "", 1, 1, 1)
    try:
        assert table.resolve(text) == RED
    except ValueError:
        return
    assert text.strip().strip("[] ").lower().replace("0", "") == "img_1"


def test_an_empty_table_says_so() -> None:
    with pytest.raises(ValueError, match="no images yet"):
        ImageTable().resolve("img_1")
    assert ImageTable().current is None
    assert ImageTable().lines() == []


def test_a_long_list_of_choices_is_cut() -> None:
    table = ImageTable()
    for _ in range(500):
        table.add(RED, "input", None, "", 1, 1, 1)
    with pytest.raises(ValueError, match=r"img_1, \.\.\., img_482, .*, img_500") as caught:
        table.resolve("img_501")
    assert len(str(caught.value)) < 300


def test_the_newest_handle_of_an_image_is_shown(table: ImageTable) -> None:
    assert table.show(ImageRef(RED)) == "img_1"
    table.add(RED, "input", None, "", 640, 480, 3)
    assert table.show(ImageRef(RED)) == "img_6"
    assert table.show(ImageRef("f" * 64)) == "f" * 64


def test_current_is_the_newest_image_that_is_not_an_aid(table: ImageTable) -> None:
    assert table.current is table.records[4]
    table.add("f" * 64, "mask", GREY, "segment_objects", 640, 480, 3)
    assert table.current is table.records[4]


def test_lineage_leads_back_to_the_original(table: ImageTable) -> None:
    assert [record.number for record in table.lineage(5)] == [5, 4, 1]
    assert [record.maker for record in table.lineage(5)] == ["convert_to_bw", "inpaint_image", ""]
    with pytest.raises(ValueError, match="img_9"):
        table.lineage(9)


def test_the_parent_is_the_newest_record_of_its_image(table: ImageTable) -> None:
    table.add(RED, "input", None, "", 640, 480, 3)
    assert table.add("f" * 64, "edit", RED, "convert_to_bw", 640, 480, 3).parent == 6
    assert table.add("f" * 64, "edit", "9" * 64, "convert_to_bw", 640, 480, 3).parent is None


def test_a_damaged_lineage_ends() -> None:
    loop = [
        ImageRecord(number=n, image_id=RED, kind="edit", parent=3 - n, maker="x", width=1, height=1)
        for n in (1, 2)
    ]
    assert [record.number for record in ImageTable(loop).lineage(2)] == [2, 1]
    assert [record.number for record in ImageTable(loop).lineage(1)] == [1]


def test_the_text_table_is_compact_and_complete(table: ImageTable) -> None:
    assert table.lines() == [
        "img_1 input 640x480 given by the user",
        "img_2 annotated 640x480 detect_objects from img_1",
        "img_3 mask 640x480 segment_objects from img_1",
        "img_4 edit 640x480 inpaint_image from img_1",
        "img_5 edit 640x480 convert_to_bw from img_4 (current)",
    ]


def test_a_long_table_keeps_its_newest_part(table: ImageTable) -> None:
    assert table.lines(limit=110) == [
        "(3 older not shown)",
        "img_4 edit 640x480 inpaint_image from img_1",
        "img_5 edit 640x480 convert_to_bw from img_4 (current)",
    ]
    assert table.lines(limit=0) == ["(5 older not shown)"]
