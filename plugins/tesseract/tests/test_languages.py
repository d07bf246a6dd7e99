from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptvision.plugin import ArgumentsError, SetupError
from promptvision_tesseract.languages import check_languages, debian_package

HERE = ("deu", "eng", "osd")


def test_repeated_codes_are_given_once_in_their_order() -> None:
    assert check_languages(["deu", "eng", "deu"], HERE) == ["deu", "eng"]


def test_missing_language_names_its_package_and_the_installed_ones() -> None:
    with pytest.raises(SetupError, match="no data for language fra, chi_sim; installed: deu, eng") as caught:
        check_languages(["eng", "fra", "chi_sim"], HERE)
    assert caught.value.hint == "apt-get install tesseract-ocr-fra tesseract-ocr-chi-sim"


@pytest.mark.parametrize(
    "code", ["", "English", "en", "osd", "eng+deu", "../eng", "script/Latin", "-l", "eng\n", "eng;id"]
)
def test_invalid_code_is_refused_with_the_installed_ones(code: str) -> None:
    with pytest.raises(ArgumentsError, match="installed: deu, eng"):
        check_languages([code], HERE)


def test_missing_languages_are_reported() -> None:
    with pytest.raises(SetupError, match="installed: none"):
        check_languages(["eng"], ["osd"])


@given(st.lists(st.text(max_size=20), min_size=1, max_size=8))
def test_only_installed_codes_pass(codes: list[str]) -> None:
    try:
        checked = check_languages(codes, HERE)
    except (ArgumentsError, SetupError):
        return
    assert set(checked) <= {"deu", "eng"}


def test_installed_script_may_be_used() -> None:
    assert check_languages(["script/Latin"], ["eng", "script/Latin"]) == ["script/Latin"]


@pytest.mark.parametrize(
    ("code", "package"), [("deu", "tesseract-ocr-deu"), ("chi_tra_vert", "tesseract-ocr-chi-tra-vert")]
)
def test_packages_are_those_of_debian(code: str, package: str) -> None:
    assert debian_package(code) == package
