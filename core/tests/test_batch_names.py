"""Names of results: kept if possible, and made unique."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from promptvision.batches.names import name_results

PART = st.text("aAbB.ée\u0301 ", min_size=1, max_size=4).filter(lambda text: text.strip(". "))
PATHS = st.lists(
    st.tuples(st.sampled_from(["2024", "2025", "x/y"]), PART, st.sampled_from([".jpg", ".png", ".JPG", ""])),
    min_size=1,
    max_size=12,
    unique=True,
)


def results(*images: str, mode: str = "RGB") -> list[str]:
    image = Image.new(mode, (4, 4))
    return [name.select(image)[0].as_posix() for name in name_results([Path(path) for path in images])]


def test_names_of_one_folder_stay() -> None:
    assert results("/photos/a.jpg", "/photos/b.PNG") == ["a.jpg", "b.PNG"]


def test_equal_names_of_two_folders_keep_their_folders() -> None:
    assert results("/p/2024/a.jpg", "/p/2025/a.jpg", "/p/b.jpg") == ["2024/a.jpg", "2025/a.jpg", "b.jpg"]


def test_transparent_result_of_a_jpeg_is_a_png() -> None:
    assert results("/p/a.jpg", "/p/b.webp", mode="RGBA") == ["a.png", "b.webp"]
    opaque = Image.new("RGBA", (4, 4), (1, 2, 3, 255))
    assert name_results([Path("/p/a.jpg")])[0].select(opaque)[0].as_posix() == "a.jpg"


def test_stem_of_two_images_stays_apart() -> None:
    assert results("/p/a.jpg", "/p/a.png", mode="RGBA") == ["a.jpg.png", "a.png"]


def test_format_that_cannot_be_written_well_becomes_png() -> None:
    assert results("/p/a.gif", "/p/b.heic", "/p/c") == ["a.png", "b.png", "c.png"]


def test_converted_image_is_named_after_its_format() -> None:
    names = name_results([Path("/p/a.jpg"), Path("/p/a.png"), Path("/p/b.JPEG")])
    converted = [[name.select_converted(f"image/{kind}") for kind in ("jpeg", "webp")] for name in names]
    assert [[str(path) for path in paths] for paths in converted] == [
        ["a.jpg", "a.webp"],
        ["a.png.jpg", "a.png.webp"],
        ["b.JPEG", "b.webp"],
    ]
    assert names[0].select_converted("image/gif") is None


@settings(deadline=None)
@given(PATHS)
def test_no_result_replaces_another_one(parts: list[tuple[str, str, str]]) -> None:
    paths = [Path(f"/p/{folder}/{stem}{end}") for folder, stem, end in parts]
    names = name_results(list(dict.fromkeys(paths)))
    for mode in ("RGB", "RGBA"):
        chosen = [str(name.select(Image.new(mode, (4, 4)))[0]).casefold() for name in names]
        assert len(set(chosen)) == len(chosen)
    for kind in ("png", "jpeg", "webp", "avif", "tiff"):
        converted = [str(name.select_converted(f"image/{kind}")).casefold() for name in names]
        assert len(set(converted)) == len(converted)
