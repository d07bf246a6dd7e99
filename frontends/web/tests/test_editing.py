"""Masks, the canvas, images and texts of the page, in Chromium against a real server."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageOps
from playwright.sync_api import Page, Route, expect
from web_pages import (
    Open,
    click_at,
    current,
    drawing,
    drop,
    open_tool,
    paint,
    place_of,
    saved_mask,
    say,
    wait_for_end,
)

from promptvision.testing import ServerProcess


@pytest.fixture
def page(server: ServerProcess, open_page: Open) -> Page:
    """The empty page."""
    return open_page(server.url).page


def test_mask_is_painted_erased_undone_and_inverted(page: Page, png: bytes) -> None:
    drop(page, png)
    page.get_by_role("button", name="Brush", exact=True).click()
    for start in ((80, 80), (80, 140)):
        paint(page, start, 40)
    both = saved_mask(page)
    assert both.size == (320, 240)
    assert both.getextrema() == (0, 255)
    page.get_by_role("button", name="Undo", exact=True).click()
    one = saved_mask(page)
    assert 0 < one.histogram()[255] < both.histogram()[255]
    page.get_by_role("button", name="Redo", exact=True).click()
    assert saved_mask(page).tobytes() == both.tobytes()
    page.get_by_role("button", name="Eraser", exact=True).click()
    paint(page, (80, 80), 12)
    assert one.histogram()[255] < saved_mask(page).histogram()[255] < both.histogram()[255]
    page.keyboard.press("Control+z")
    page.get_by_role("button", name="Invert").click()
    assert saved_mask(page).tobytes() == both.point([255 - value for value in range(256)]).tobytes()


def test_mask_grows_shrinks_gets_a_soft_edge_and_is_uploaded_again(
    page: Page, png: bytes, tmp_path: Path
) -> None:
    drop(page, png)
    page.get_by_role("button", name="Select by click").click()
    click_at(page, 235, 125)
    saved = saved_mask(page)
    areas = [saved.histogram()[255]]
    for name in ("Grow", "Shrink"):
        page.get_by_role("button", name=name).click()
        areas.append(saved_mask(page).histogram()[255])
    assert areas[1] > areas[0]
    assert areas[2] < areas[1]
    page.get_by_role("button", name="Feather").click()
    assert sum(saved_mask(page).histogram()[1:255]) > 0
    page.get_by_role("button", name="Clear").first.click()
    assert saved_mask(page).getextrema() == (0, 0)
    saved.save(tmp_path / "mask.png")
    page.get_by_label("Upload a mask").set_input_files(tmp_path / "mask.png")
    expect(page.get_by_text("The next message works on the painted area.")).to_be_visible()
    assert saved_mask(page).tobytes() == saved.tobytes()


def test_step_is_run_again_with_other_arguments(page: Page, png: bytes) -> None:
    drop(page, png)
    form = open_tool(page, "frame")
    form.locator("input[type=number]").fill("20")
    form.get_by_role("button", name="Run").click()
    expect(page.locator(".lineage li")).to_have_count(2)
    assert current(page).size == (360, 280)
    page.get_by_role("tab", name="Conversation").click()
    page.get_by_role("button", name="Change arguments and run again").click()
    width = form.locator("input[type=number]")
    expect(width).to_have_value("20")
    width.fill("40")
    form.get_by_role("button", name="Run").click()
    expect(page.locator(".lineage li")).to_have_count(3)
    assert current(page).size == (400, 320)


def test_form_takes_another_image_of_the_conversation(page: Page, png: bytes) -> None:
    drop(page, png)
    mirrored = io.BytesIO()
    ImageOps.mirror(drawing()).save(mirrored, "PNG")
    drop(page, mirrored.getvalue())
    expect(page.locator(".lineage li")).to_have_count(2)
    form = open_tool(page, "combine images")
    form.get_by_role("group", name="others").get_by_role("button").first.click()
    form.get_by_role("button", name="Run").click()
    expect(page.locator(".lineage li")).to_have_count(3)
    made = current(page)
    assert (made.size, made.getpixel((240, 120)), made.getpixel((400, 120))) == (
        (640, 240),
        (208, 28, 32),
        (208, 28, 32),
    )


def test_prompt_is_edited_and_run_again_on_its_image(page: Page, png: bytes) -> None:
    drop(page, png)
    say(page, "make it black and white")
    wait_for_end(page)
    page.get_by_role("button", name="Edit and send again").click()
    expect(page.get_by_label("Your instruction")).to_have_value("make it black and white")
    assert current(page).getpixel((80, 120)) == (208, 28, 32)
    say(page, "mirror it")
    wait_for_end(page, count=2)
    assert current(page).getpixel((240, 120)) == (208, 28, 32)


def test_conversation_branches_from_an_image(page: Page, png: bytes) -> None:
    drop(page, png)
    say(page, "mirror it")
    wait_for_end(page)
    first = page.evaluate("location.hash")
    page.get_by_role("button", name="New conversation from this image").click()
    expect(page.locator("article.turn")).to_have_count(0)
    expect(page.locator(".lineage li")).to_have_count(1)
    say(page, "mirror it")
    wait_for_end(page)
    assert page.evaluate("location.hash") != first
    assert current(page).getpixel((80, 120)) == (208, 28, 32)


def test_any_two_images_are_compared(page: Page, png: bytes) -> None:
    drop(page, png)
    for count, prompt in enumerate(("mirror it", "make it black and white"), start=1):
        say(page, prompt)
        wait_for_end(page, count=count)
    page.get_by_role("button", name="Compare with this image: 1. original").click()
    page.get_by_label("Before and after").fill("50")
    before = page.get_by_alt_text("The image before the edit")
    expect(before).to_have_css("clip-path", "inset(0px 50% 0px 0px)")
    shown = before.get_attribute("src")
    page.get_by_role("button", name=re.compile(r"Compare with this image: 2\. ")).click()
    expect(before).not_to_have_attribute("src", str(shown))


def test_images_are_copied_and_downloaded(page: Page, png: bytes) -> None:
    drop(page, png)
    say(page, "make it black and white")
    wait_for_end(page)
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_text("The image is on the clipboard.")).to_be_visible()
    kinds = page.evaluate("async () => (await navigator.clipboard.read()).flatMap((item) => item.types)")
    assert kinds == ["image/png"]
    with page.expect_download() as one:
        page.get_by_role("button", name="Download", exact=True).click()
    with Image.open(one.value.path()) as image:
        assert image.size == (320, 240)
    with page.expect_download() as all_:
        page.get_by_role("button", name="Download all (zip)").click()
    with zipfile.ZipFile(all_.value.path()) as archive:
        assert len(archive.namelist()) >= 2
        assert archive.testzip() is None


def test_zoom_keeps_the_place_under_the_pointer(page: Page, png: bytes) -> None:
    drop(page, png)
    x, y = place_of(page, 235, 125)
    page.mouse.move(x, y)
    page.mouse.wheel(0, -400)
    expect(page.locator(".layers")).not_to_have_css("transform", "matrix(1, 0, 0, 1, 0, 0)")
    zoomed = place_of(page, 235, 125)
    assert (abs(zoomed[0] - x), abs(zoomed[1] - y)) < (2, 2)
    page.keyboard.press("ArrowRight")
    assert place_of(page, 235, 125)[0] < x - 10
    page.keyboard.press("0")
    assert place_of(page, 235, 125) == (x, y)


def test_large_image_is_shown_reduced_until_one_zooms_in(page: Page) -> None:
    file = io.BytesIO()
    drawing().resize((3200, 2400)).save(file, "JPEG")
    drop(page, file.getvalue())
    image = page.get_by_alt_text("The current image")
    expect(image).to_have_attribute("src", re.compile(r"\?width=2048$"))
    page.get_by_role("button", name="Select by click").click()
    click_at(page, 80, 120)
    mask = saved_mask(page)
    assert mask.size == (3200, 2400)
    assert (mask.getpixel((800, 1200)), mask.getpixel((2350, 1250))) == (255, 0)
    page.keyboard.press("+")
    expect(image).not_to_have_attribute("src", re.compile("width"))


def test_earlier_turns_are_shown_on_demand(page: Page, png: bytes) -> None:
    drop(page, png)
    for count in (1, 2, 3):
        say(page, "mirror it")
        wait_for_end(page, count=count)

    def two_at_once(route: Route) -> None:
        route.continue_(url=f"{route.request.url}{'&' if '?' in route.request.url else '?'}limit=2")

    page.route(re.compile(r"/conversations/\w+(\?before=\d+)?$"), two_at_once)
    page.reload()
    expect(page.locator("article.turn")).to_have_count(2)
    page.get_by_role("button", name="Show earlier messages").click()
    expect(page.locator("article.turn")).to_have_count(3)
    expect(page.get_by_role("button", name="Show earlier messages")).to_have_count(0)
    expect(page.locator(".lineage li")).to_have_count(4)


def test_missing_requirement_of_an_answer_is_a_button(page: Page, png: bytes) -> None:
    drop(page, png)
    say(page, "describe the toy")
    wait_for_end(page, "Failed")
    expect(page.locator(".needs code")).to_have_text("promptvision models pull toy-captions")
    page.get_by_role("button", name="Set up: toy-captions (4 MB)").click()
    expect(page.get_by_role("tab", name="Setup")).to_have_attribute("aria-selected", "true")
    expect(page.locator(".models li", has_text="toy-captions")).to_be_visible()


def test_mask_of_an_earlier_step_is_used_again(page: Page, png: bytes) -> None:
    drop(page, png)
    say(page, "change the red circle to green")
    wait_for_end(page)
    page.get_by_role("button", name=re.compile("segment objects$")).first.click()
    expect(page.get_by_text("The next message works on the painted area.")).to_be_visible()
    page.get_by_role("button", name="Brush", exact=True).click()
    mask = saved_mask(page)
    assert (mask.getpixel((80, 120)), mask.getpixel((235, 125))) == (255, 0)


def test_clicked_box_is_what_the_next_message_is_about(page: Page, png: bytes) -> None:
    drop(page, png)
    say(page, "find the blue box")
    wait_for_end(page)
    page.locator("button.box").first.click()
    expect(page.get_by_text("The next message is about the selected box.")).to_be_visible()
    say(page, "make it green")
    wait_for_end(page, count=2)
    made, rest = current(page), (0, 0, 150, 240)
    assert ImageChops.difference(made.crop(rest), drawing().crop(rest)).getbbox() is None
    assert made.getpixel((235, 125)) != (32, 86, 204)


def test_sample_comes_with_an_instruction(page: Page) -> None:
    page.get_by_role("button", name="Change the red ball to blue").click()
    assert current(page).width > 400
    expect(page.get_by_label("Your instruction")).to_have_value("Change the red ball to blue")


def test_shortcuts_are_listed_and_tabs_take_arrow_keys(page: Page) -> None:
    expect(page.get_by_role("button", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.get_by_role("button", name="Close").last.click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("tab", name="Conversation").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Tools")).to_be_focused()
    expect(page.get_by_role("tab", name="Tools")).to_have_attribute("aria-selected", "true")


def test_theme_and_language_are_chosen_and_kept(server: ServerProcess, open_page: Open) -> None:
    page = open_page(server.url, own_profile=True).page
    heading = page.get_by_role("heading", level=2)
    expect(heading).to_have_text("What should happen to your image?")
    color = "element => getComputedStyle(element).color"
    light = heading.evaluate(color)
    page.get_by_role("button", name="Dark or light theme").click()
    expect(heading).not_to_have_css("color", light)
    dark = heading.evaluate(color)
    page.get_by_label("Language").select_option("de")
    expect(heading).to_have_text("Was soll mit deinem Bild geschehen?")
    expect(heading).to_have_css("color", dark)
    assert page.evaluate("document.documentElement.lang") == "de"
    page.get_by_role("button", name="Mach den roten Ball blau").click()
    page.get_by_role("button", name="Senden").click()
    wait_for_end(page, "Fertig")
