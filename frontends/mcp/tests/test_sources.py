"""Images as clients name them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptvision import ImageRef
from promptvision.plugin import InputError, TooLarge
from promptvision_mcp.sources import MAX_BYTES, ImageSources, image_uri, is_handle


def read(text: str, *roots: Path) -> object:
    return asyncio.run(ImageSources(roots).read(text))


def test_addresses_are_passed_on_and_resource_uris_become_references() -> None:
    assert read("https://example.com/a.png") == "https://example.com/a.png"
    assert read("data:image/png;base64,AA==") == "data:image/png;base64,AA=="
    assert read(image_uri("a" * 64)) == ImageRef("a" * 64)


@given(st.text())
def test_without_roots_nothing_of_this_machine_is_read(text: str) -> None:
    try:
        found = read(text)
    except InputError:
        return
    assert isinstance(found, ImageRef) or (isinstance(found, str) and found == text)


@given(name=st.text(min_size=1, max_size=60), ups=st.integers(0, 8))
def test_no_path_leaves_the_roots(tmp_path_factory: pytest.TempPathFactory, name: str, ups: int) -> None:
    base = tmp_path_factory.getbasetemp() / "sources"
    root = base / "root"
    root.mkdir(parents=True, exist_ok=True)
    (base / "secret").write_bytes(b"secret")
    (root / "kept").write_bytes(b"kept")
    for text in ("../" * ups + name, "../" * ups + "secret", f"{root}/{'../' * ups}secret", name):
        try:
            found = read(text, root)
        except InputError:
            continue
        assert found != b"secret"


def test_relative_path_is_looked_for_in_each_root(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.png").write_bytes(name.encode())
    assert read("two.png", tmp_path / "one", tmp_path / "two") == b"two"


def test_file_over_the_limit_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "big.png").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(TooLarge, match="20 MB"):
        read("big.png", tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("img_3", True), (" [IMG_3] ", True), ("img_", False), ("img_3.png", False), ("", False)],
)
def test_handles_are_recognised(text: str, expected: bool) -> None:
    assert is_handle(text) is expected
