from __future__ import annotations

import pytest

from promptvision.plugin import ToolFailed
from promptvision_rapidocr.languages import READABLE, check_languages


def test_latin_and_chinese_pass() -> None:
    check_languages(["eng", "deu", "chi_sim"])
    check_languages(READABLE)


@pytest.mark.parametrize("codes", [["rus"], ["eng", "kli"], ["English"]])
def test_other_languages_are_not_accepted(codes: list[str]) -> None:
    with pytest.raises(ToolFailed, match=f"language {codes[-1]}; promptvision-tesseract"):
        check_languages(codes)
