"""The page as a person uses it, in Chromium against a real server."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops
from playwright.sync_api import Route, expect
from web_pages import (
    BROKEN_CONNECTION,
    NOT_FOUND,
    REFUSED_KEY,
    SIZES,
    Open,
    check_axe,
    click_at,
    current,
    drawing,
    drop,
    hold,
    place_of,
    saved_mask,
    say,
    start_server,
    wait_for_end,
    wait_in_tool,
)

from promptvision.testing import ServerProcess


@pytest.mark.parametrize(("width", "height", "scheme"), SIZES)
def test_start_edit_compare_and_audit(
    server: ServerProcess, open_page: Open, png: bytes, width: int, height: int, scheme: str
) -> None:
    watched = open_page(server.url, width=width, height=height, scheme=scheme)
    page = watched.page
    expect(page.get_by_role("heading", name="What should happen to your image?")).to_be_visible()
    check_axe(page)
    drop(page, png)
    say(page, "change the red circle to green")
    wait_for_end(page)
    expect(
        page.get_by_role("region", name="inpaint image").or_(page.locator("section.step.done"))
    ).not_to_have_count(0)
    made = current(page)
    assert (
        ImageChops.difference(made.crop((150, 0, 320, 240)), drawing().crop((150, 0, 320, 240))).getbbox()
        is None
    )
    red, green, _ = made.getpixel((80, 120))  # type: ignore[misc]
    assert green > red
    slider = page.get_by_label("Before and after")
    slider.fill("50")
    expect(page.get_by_alt_text("The image before the edit")).to_have_css(
        "clip-path", "inset(0px 50% 0px 0px)"
    )
    check_axe(page)


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_image_comes_by_drop_and_paste(server: ServerProcess, open_page: Open, png: bytes, way: str) -> None:
    page = open_page(server.url).page
    drop(page, png, way)
    assert ImageChops.difference(current(page), drawing()).getbbox() is None


def test_image_comes_by_the_file_dialog_and_as_a_sample(
    server: ServerProcess, open_page: Open, png: bytes
) -> None:
    page = open_page(server.url).page
    page.get_by_role("button", name="Still life").click()
    expect(page.get_by_alt_text("The current image")).to_be_visible()
    with page.expect_file_chooser() as chosen:
        page.get_by_text("Choose an image").click()
    chosen.value.set_files({"name": "photo.png", "mimeType": "image/png", "buffer": png})
    expect(page.locator(".lineage li")).to_have_count(2)


def test_image_comes_from_the_camera(server: ServerProcess, open_page: Open) -> None:
    page = open_page(server.url).page
    page.get_by_role("button", name="Take a photo").click()
    check_axe(page)
    page.get_by_role("button", name="Take the photo").click()
    assert current(page).width > 100
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.usefixtures("gate")
def test_stop_in_the_middle(server: ServerProcess, open_page: Open, png: bytes) -> None:
    page = open_page(server.url).page
    drop(page, png)
    wait_in_tool(page)
    page.get_by_role("button", name="Stop", exact=True).click()
    wait_for_end(page, "Stopped")


@pytest.mark.usefixtures("gate")
def test_stop_before_the_turn_has_an_id(server: ServerProcess, open_page: Open, png: bytes) -> None:
    page = open_page(server.url).page
    drop(page, png)
    held = hold(page, "**/chat")
    with page.expect_request("**/chat"):
        say(page, "wait a moment")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_role("button", name="Stopping")).to_be_disabled()
    held[0].continue_()
    wait_for_end(page, "Stopped")


def test_reload_in_the_middle_follows_the_turn(
    server: ServerProcess, open_page: Open, png: bytes, gate: Path
) -> None:
    page = open_page(server.url).page
    drop(page, png)
    wait_in_tool(page)
    page.reload()
    expect(page.locator("label.progress")).to_be_visible()
    gate.touch()
    wait_for_end(page)
    expect(page.locator("section.step.done")).to_have_count(1)


def test_two_tabs_show_the_same_turn(server: ServerProcess, open_page: Open, png: bytes, gate: Path) -> None:
    first = open_page(server.url)
    drop(first.page, png)
    wait_in_tool(first.page)
    hash_ = first.page.evaluate("location.hash")
    second = open_page(server.url, context=first.page.context, path=f"/{hash_}")
    expect(second.page.locator("label.progress")).to_be_visible()
    gate.touch()
    wait_for_end(first.page)
    wait_for_end(second.page)


def test_server_restart_in_the_middle_is_survived(
    tmp_path: Path, open_page: Open, png: bytes, gate: Path
) -> None:
    server = start_server(tmp_path, gate)
    try:
        watched = open_page(server.url)
        watched.expected = (BROKEN_CONNECTION,)
        page = watched.page
        drop(page, png)
        wait_in_tool(page)
        server.kill()
        expect(page.get_by_role("alert")).to_be_visible()
        server.start()
        expect(
            page.locator("article.turn > p.status", has_text=re.compile("Interrupted|Done"))
        ).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)
        say(page, "make it black and white")
        wait_for_end(page)
    finally:
        server.kill()


def test_form_of_a_third_party_tool(server: ServerProcess, open_page: Open, png: bytes) -> None:
    page = open_page(server.url).page
    drop(page, png)
    page.get_by_role("tab", name="Tools").click()
    page.locator("summary", has_text=re.compile("^frame")).click()
    form = page.locator("details[open] form")
    form.locator("input[type=number]").fill("20")
    form.locator("select").select_option("red")
    form.get_by_role("button", name="Run").click()
    expect(page.locator(".lineage li")).to_have_count(2)
    made = current(page)
    assert made.size == (360, 280)
    assert made.getpixel((5, 5)) == (255, 0, 0)


def test_earlier_image_is_used_again(server: ServerProcess, open_page: Open, png: bytes) -> None:
    page = open_page(server.url).page
    drop(page, png)
    say(page, "make it black and white")
    wait_for_end(page)
    assert current(page).getpixel((80, 120)) != (208, 28, 32)
    page.locator(".lineage li").first.get_by_role("button").first.click()
    expect(page.locator(".lineage li").first).to_have_class("current")
    assert current(page).getpixel((80, 120)) == (208, 28, 32)
    say(page, "mirror it")
    wait_for_end(page, count=2)
    assert current(page).getpixel((240, 120)) == (208, 28, 32)


def test_history_is_renamed_searched_and_deleted_with_undo(
    server: ServerProcess, open_page: Open, png: bytes
) -> None:
    page = open_page(server.url).page
    drop(page, png)
    say(page, "make it black and white")
    wait_for_end(page)
    entry = page.locator("nav.history li.current")
    entry.get_by_role("button", name=re.compile("^Rename")).click()
    page.get_by_label("New title").fill("A grey drawing")
    page.keyboard.press("Enter")
    expect(page.locator("nav.history li", has_text="A grey drawing")).to_have_count(1)
    page.get_by_label("Search conversations").fill("no such thing")
    expect(page.locator("nav.history li")).to_have_count(0)
    page.get_by_label("Search conversations").fill("grey drawing")
    page.get_by_role("button", name="Delete: A grey drawing").click()
    expect(page.locator("nav.history li")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("nav.history li")).to_have_count(1)
    page.get_by_role("button", name="Delete: A grey drawing").click()
    with page.expect_response(lambda response: response.request.method == "DELETE") as deleted:
        page.locator(".notice").get_by_role("button", name="Close").click()
    assert deleted.value.ok
    with page.expect_response("**/conversations?limit=200"):
        page.reload()
    expect(page.locator("nav.history li", has_text="A grey drawing")).to_have_count(0)


def test_downloads_one_and_all(server: ServerProcess, open_page: Open, png: bytes) -> None:
    page = open_page(server.url).page
    drop(page, png)
    say(page, "make it black and white")
    wait_for_end(page)
    with page.expect_download() as one:
        page.get_by_role("button", name="Download", exact=True).click()
    with Image.open(one.value.path()) as image:
        assert image.size == (320, 240)
    with page.expect_download() as all_:
        page.get_by_role("button", name="Download all (zip)").click()
    with zipfile.ZipFile(all_.value.path()) as archive:
        assert len(archive.namelist()) >= 2
        assert archive.testzip() is None


def test_mask_is_painted_undone_inverted_and_saved(
    server: ServerProcess, open_page: Open, png: bytes, tmp_path: Path
) -> None:
    page = open_page(server.url).page
    drop(page, png)
    page.get_by_role("button", name="Brush", exact=True).click()
    x, y = place_of(page, 80, 120)
    for offset in (0, 40):
        page.mouse.move(x, y + offset)
        page.mouse.down()
        page.mouse.move(x + 30, y + offset)
        page.mouse.up()
    both = saved_mask(page)
    assert both.size == (320, 240)
    assert both.getextrema() == (0, 255)
    page.get_by_role("button", name="Undo", exact=True).click()
    one = saved_mask(page)
    assert 0 < one.histogram()[255] < both.histogram()[255]
    page.get_by_role("button", name="Redo", exact=True).click()
    assert saved_mask(page).tobytes() == both.tobytes()
    page.get_by_role("button", name="Invert").click()
    assert saved_mask(page).tobytes() == both.point([255 - value for value in range(256)]).tobytes()


def test_eraser_takes_away_what_the_brush_painted(server: ServerProcess, open_page: Open, png: bytes) -> None:
    page = open_page(server.url).page
    drop(page, png)
    x, y = place_of(page, 80, 120)
    sizes: list[int] = []
    for tool, end in (("Brush", 40), ("Eraser", 12)):
        page.get_by_role("button", name=tool, exact=True).click()
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + end, y)
        page.mouse.up()
        sizes.append(saved_mask(page).histogram()[255])
    assert 0 < sizes[1] < sizes[0]


def test_painted_area_is_removed_and_nothing_else(server: ServerProcess, open_page: Open, png: bytes) -> None:
    page = open_page(server.url).page
    drop(page, png)
    page.get_by_role("button", name="Brush", exact=True).click()
    page.get_by_label("Brush size").fill("100")
    x, y = place_of(page, 80, 120)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 2, y)
    page.mouse.up()
    expect(page.get_by_text("The next message works on the painted area.")).to_be_visible()
    say(page, "remove it")
    wait_for_end(page)
    expect(page.locator("section.step")).to_have_count(1)
    made, rest = current(page), (140, 0, 320, 240)
    assert ImageChops.difference(made.crop(rest), drawing().crop(rest)).getbbox() is None
    red, green, blue = made.getpixel((80, 120))  # type: ignore[misc]
    assert abs(red - 220) + abs(green - 220) + abs(blue - 216) < 60, "the background is where the circle was"


def test_mask_grows_shrinks_and_gets_a_soft_edge(server: ServerProcess, open_page: Open, png: bytes) -> None:
    page = open_page(server.url).page
    drop(page, png)
    page.get_by_role("button", name="Select by click").click()
    click_at(page, 235, 125)
    areas = [saved_mask(page).histogram()[255]]
    for name in ("Grow", "Shrink"):
        page.get_by_role("button", name=name).click()
        areas.append(saved_mask(page).histogram()[255])
    assert areas[1] > areas[0]
    assert areas[2] < areas[1]
    page.get_by_role("button", name="Feather").click()
    assert sum(saved_mask(page).histogram()[1:255]) > 0
    page.get_by_role("button", name="Clear").first.click()
    assert saved_mask(page).getextrema() == (0, 0)


def test_saved_mask_is_loaded_again(
    server: ServerProcess, open_page: Open, png: bytes, tmp_path: Path
) -> None:
    page = open_page(server.url).page
    drop(page, png)
    page.get_by_role("button", name="Select by click").click()
    click_at(page, 235, 125)
    saved = saved_mask(page)
    saved.save(tmp_path / "mask.png")
    page.get_by_role("button", name="Clear").first.click()
    page.get_by_label("Load a mask").set_input_files(tmp_path / "mask.png")
    expect(page.get_by_text("The next message works on the painted area.")).to_be_visible()
    assert saved_mask(page).tobytes() == saved.tobytes()


def test_click_selects_adds_and_subtracts_without_a_model(
    server: ServerProcess, open_page: Open, png: bytes
) -> None:
    page = open_page(server.url).page
    drop(page, png)
    page.get_by_role("button", name="Select by click").click()
    red, blue = (80, 120), (235, 125)
    click_at(page, *red)
    mask = saved_mask(page)
    assert (mask.getpixel(red), mask.getpixel(blue)) == (255, 0)
    click_at(page, *blue)
    assert saved_mask(page).getpixel(blue) == 255
    page.get_by_label("Subtract").check()
    click_at(page, *red)
    mask = saved_mask(page)
    assert (mask.getpixel(red), mask.getpixel(blue)) == (0, 255)
    say(page, "make it green")
    wait_for_end(page)
    made, rest = current(page), (0, 0, 150, 240)
    assert ImageChops.difference(made.crop(rest), drawing().crop(rest)).getbbox() is None
    assert made.getpixel(blue) != (32, 86, 204)


def test_step_is_run_again_with_other_arguments(server: ServerProcess, open_page: Open, png: bytes) -> None:
    page = open_page(server.url).page
    drop(page, png)
    page.get_by_role("tab", name="Tools").click()
    page.locator("summary", has_text=re.compile("^frame")).click()
    page.locator("details[open] form input[type=number]").fill("20")
    page.locator("details[open] form").get_by_role("button", name="Run").click()
    expect(page.locator(".lineage li")).to_have_count(2)
    assert current(page).size == (360, 280)
    page.get_by_role("tab", name="Conversation").click()
    page.get_by_role("button", name="Change arguments and run again").click()
    width = page.locator("details[open] form input[type=number]")
    expect(width).to_have_value("20")
    width.fill("40")
    page.locator("details[open] form").get_by_role("button", name="Run").click()
    expect(page.locator(".lineage li")).to_have_count(3)
    assert current(page).size == (400, 320)


def test_prompt_is_edited_and_run_again_on_its_image(
    server: ServerProcess, open_page: Open, png: bytes
) -> None:
    page = open_page(server.url).page
    drop(page, png)
    say(page, "make it black and white")
    wait_for_end(page)
    page.get_by_role("button", name="Edit and send again").click()
    expect(page.get_by_label("Your instruction")).to_have_value("make it black and white")
    assert current(page).getpixel((80, 120)) == (208, 28, 32)
    say(page, "mirror it")
    wait_for_end(page, count=2)
    assert current(page).getpixel((240, 120)) == (208, 28, 32)


def test_conversation_branches_from_an_image(server: ServerProcess, open_page: Open, png: bytes) -> None:
    page = open_page(server.url).page
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


def test_any_two_images_are_compared(server: ServerProcess, open_page: Open, png: bytes) -> None:
    page = open_page(server.url).page
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


def test_image_is_copied_to_the_clipboard(server: ServerProcess, open_page: Open, png: bytes) -> None:
    page = open_page(server.url).page
    drop(page, png)
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_text("The image is on the clipboard.")).to_be_visible()
    kinds = page.evaluate("async () => (await navigator.clipboard.read()).flatMap((item) => item.types)")
    assert kinds == ["image/png"]


def test_zoom_keeps_the_place_under_the_pointer(server: ServerProcess, open_page: Open, png: bytes) -> None:
    page = open_page(server.url).page
    drop(page, png)
    x, y = place_of(page, 235, 125)
    page.mouse.move(x, y)
    page.mouse.wheel(0, -400)
    expect(page.locator(".paper")).not_to_have_css("transform", "matrix(1, 0, 0, 1, 0, 0)")
    zoomed = place_of(page, 235, 125)
    assert (abs(zoomed[0] - x), abs(zoomed[1] - y)) < (2, 2)
    page.keyboard.press("ArrowRight")
    assert place_of(page, 235, 125)[0] < x - 10
    page.keyboard.press("0")
    assert place_of(page, 235, 125) == (x, y)


def test_large_image_is_shown_reduced_until_one_zooms_in(server: ServerProcess, open_page: Open) -> None:
    file = io.BytesIO()
    drawing().resize((3200, 2400)).save(file, "JPEG")
    page = open_page(server.url).page
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


def test_earlier_turns_are_shown_on_demand(server: ServerProcess, open_page: Open, png: bytes) -> None:
    page = open_page(server.url).page
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


def test_what_an_answer_needs_is_a_button(server: ServerProcess, open_page: Open, png: bytes) -> None:
    page = open_page(server.url).page
    drop(page, png)
    say(page, "sing me a song about it")
    wait_for_end(page, "Failed")

    def add_needs(route: Route) -> None:
        answer = route.fetch()
        document = answer.json()
        document["turns"][0]["reply"]["needs_setup"] = {
            "models": ["swin2sr-x2"],
            "bytes": 54_428_699,
            "command": "promptvision models pull swin2sr-x2",
        }
        route.fulfill(response=answer, json=document)

    page.route(re.compile(r"/conversations/\w+$"), add_needs)
    page.reload()
    expect(page.get_by_text("promptvision models pull swin2sr-x2")).to_be_visible()
    page.get_by_role("button", name="Set up: swin2sr-x2 (54 MB)").click()
    expect(page.get_by_role("tab", name="Setup")).to_have_attribute("aria-selected", "true")


@pytest.mark.parametrize(("width", "height", "scheme"), SIZES)
def test_every_state_passes_the_audit(
    server: ServerProcess, open_page: Open, png: bytes, width: int, height: int, scheme: str
) -> None:
    page = open_page(server.url, width=width, height=height, scheme=scheme).page
    drop(page, png)
    page.get_by_role("button", name="Select by click").click()
    click_at(page, 80, 120)
    check_axe(page)
    page.get_by_role("button", name="Clear").first.click()
    say(page, "find the blue box")
    wait_for_end(page)
    page.get_by_role("button", name="Move", exact=True).click()
    page.locator("button.box").first.wait_for()
    check_axe(page)
    say(page, "sing me a song about it")
    wait_for_end(page, "Failed")
    check_axe(page)
    page.get_by_role("tab", name="Tools").click()
    page.locator("summary", has_text=re.compile("^adjust image")).click()
    check_axe(page)
    page.get_by_role("tab", name="Setup").click()
    page.get_by_role("button", name="Run the checks").click()
    page.locator(".findings li").first.wait_for()
    check_axe(page)
    page.get_by_role("button", name="Keyboard shortcuts").click()
    check_axe(page)
    page.get_by_role("button", name="Close").last.click()
    page.get_by_label("Language").select_option("de")
    expect(page.get_by_role("tab", name="Gespräch")).to_be_visible()
    expect(page.locator('.stage[aria-busy="false"]')).to_be_visible()
    check_axe(page)


def test_mask_of_an_earlier_step_is_used_again(server: ServerProcess, open_page: Open, png: bytes) -> None:
    page = open_page(server.url).page
    drop(page, png)
    say(page, "change the red circle to green")
    wait_for_end(page)
    page.get_by_role("button", name=re.compile("segment objects$")).first.click()
    expect(page.get_by_text("The next message works on the painted area.")).to_be_visible()
    page.get_by_role("button", name="Brush", exact=True).click()
    mask = saved_mask(page)
    assert (mask.getpixel((80, 120)), mask.getpixel((235, 125))) == (255, 0)


def test_clicked_box_is_what_the_next_message_is_about(
    server: ServerProcess, open_page: Open, png: bytes
) -> None:
    page = open_page(server.url).page
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


def test_shortcuts_are_listed(server: ServerProcess, open_page: Open) -> None:
    page = open_page(server.url).page
    expect(page.get_by_role("button", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.get_by_role("button", name="Close").last.click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_theme_is_chosen_and_kept(server: ServerProcess, open_page: Open) -> None:
    page = open_page(server.url, scheme="light").page
    heading = page.get_by_role("heading", name="What should happen to your image?")
    color = "element => getComputedStyle(element).color"
    light = heading.evaluate(color)
    page.get_by_role("button", name="Dark or light").click()
    expect(heading).not_to_have_css("color", light)
    dark = heading.evaluate(color)
    page.reload()
    expect(heading).to_have_css("color", dark)
    check_axe(page)


def test_german(server: ServerProcess, open_page: Open) -> None:
    page = open_page(server.url).page
    page.get_by_label("Language").select_option("de")
    expect(page.get_by_role("heading", name="Was soll mit deinem Bild geschehen?")).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "de"


def test_sign_in_and_two_users_see_nothing_of_each_other(
    tmp_path: Path, open_page: Open, png: bytes, gate_file: Path
) -> None:
    keys = "alice:key-of-alice-1,bob:key-of-bob-22"
    server = start_server(tmp_path, gate_file, PROMPTVISION_API_KEYS=keys)
    try:
        alice, bob = open_page(server.url), open_page(server.url)
        for watched, name in ((alice, "alice-1"), (bob, "bob-22")):
            watched.expected = (REFUSED_KEY, NOT_FOUND)
            held = hold(watched.page, "**/tools")
            watched.page.get_by_label("API key").fill("wrong")
            with watched.page.expect_request("**/tools"):
                watched.page.get_by_role("button", name="Sign in").click()
            expect(watched.page.get_by_label("API key")).to_be_disabled()
            expect(watched.page.get_by_role("button", name="Sign in")).to_be_disabled()
            held[0].continue_()
            watched.page.unroute("**/tools")
            expect(watched.page.get_by_role("alert")).to_have_text("The server did not accept this key.")
            watched.page.get_by_label("API key").fill(f"key-of-{name}")
            watched.page.get_by_role("button", name="Sign in").click()
            expect(watched.page.get_by_role("button", name="Sign out")).to_be_visible()
        drop(alice.page, png)
        say(alice.page, "make it black and white")
        wait_for_end(alice.page)
        assert current(alice.page).getpixel((5, 5)) == (220, 220, 220)
        bob.page.reload()
        expect(bob.page.get_by_role("button", name="Sign out")).to_be_visible()
        expect(bob.page.locator("nav.history li")).to_have_count(0)
        place: Any = alice.page.evaluate("location.hash")
        bob.page.goto(f"{server.url}/{place}")
        expect(bob.page.get_by_role("status").filter(has_text="conversation")).to_be_visible()
        expect(bob.page.locator("article.turn")).to_have_count(0)
        alice.page.get_by_role("button", name="Sign out").click()
        expect(alice.page.get_by_label("API key")).to_be_visible()
    finally:
        server.kill()
