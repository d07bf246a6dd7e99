"""Labelled sentences are read and judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from promptvision.plugin import InputError
from promptvision_eval.labels import MadeCall, Sentence, count_slots, has_chain, judge, read_sentences

DEFAULTS = {
    "rotate_image": {"image_url": "", "degrees": 90.0, "direction": "counterclockwise"},
    "detect_objects": {"image_url": "", "prompt": "", "box_threshold": 0.45, "strict": False},
    "adjust_image": {"image_url": "", "brightness": 100.0},
}


def made(name: str, **arguments: Any) -> MadeCall:
    return MadeCall(name, arguments, DEFAULTS[name])


def read(tmp_path: Path, text: str) -> list[Sentence]:
    file = tmp_path / "sentences.txt"
    file.write_text(text, "utf-8")
    return read_sentences(file)


@pytest.mark.parametrize(
    ("label", "calls", "is_understood", "wanted"),
    [
        ("detect prompt=red ball", [made("detect_objects", prompt="the red ball")], True, "right"),
        ("detect prompt=red ball", [made("detect_objects", prompt="ball")], True, "wrong action"),
        ("detect prompt=red ball", [], True, "asked back"),
        ("detect prompt=cat|katze", [made("detect_objects", prompt="Katze")], None, "right"),
        ("detect prompt=*", [made("detect_objects", prompt="anything", image_url="img_1")], None, "right"),
        ("rotate", [made("rotate_image", degrees=90)], True, "right"),
        ("rotate", [made("rotate_image", degrees=45)], True, "wrong action"),
        ("adjust brightness=up", [made("adjust_image", brightness=130)], True, "right"),
        ("adjust brightness=up", [made("adjust_image", brightness=70)], True, "wrong action"),
        ("rotate > detect prompt=cat", [made("rotate_image")], False, "asked back"),
        ("rotate > detect prompt=cat", [made("rotate_image")], True, "wrong action"),
        ("rotate", [made("rotate_image")], False, "wrong action"),
        ("?", [], False, "right"),
        ("-", [], True, "right"),
        ("? > rotate", [made("rotate_image")], False, "right"),
        ("? > rotate", [made("rotate_image")], True, "wrong action"),
        ("rotate || detect prompt=cat", [made("detect_objects", prompt="cat")], True, "right"),
    ],
)
def test_outcomes(
    tmp_path: Path, label: str, calls: list[MadeCall], is_understood: bool | None, wanted: str
) -> None:
    (sentence,) = read(tmp_path, f"do it => {label}\n")
    assert judge(sentence, calls, is_understood=is_understood) == wanted


def test_slots_are_counted_where_the_chain_is_right(tmp_path: Path) -> None:
    (sentence,) = read(tmp_path, "do it => rotate degrees=45 > detect prompt=cat\n")
    calls = [made("rotate_image", degrees=45, direction="clockwise"), made("detect_objects", prompt="cat")]
    assert has_chain(sentence, calls)
    assert count_slots(sentence, calls) == (2, 3)
    assert count_slots(sentence, calls[:1]) == (0, 0)
    assert not has_chain(sentence, calls[::-1])


def test_headings_give_the_category_and_the_earlier_call(tmp_path: Path) -> None:
    text = "# plain\none\\ntwo => -\n\n# later detect prompt=cat\nmake it blue => ? || rotate\n"
    first, second = read(tmp_path, text)
    assert (first.category, first.text, first.before) == ("plain", "one\ntwo", None)
    assert second.before == ("detect_objects", {"prompt": "cat"})
    assert second.labels == (("?",), (("rotate_image", {}),))


def test_a_line_without_a_label_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line 2: no label in 'hello'"):
        read(tmp_path, "# plain\nhello\n")
