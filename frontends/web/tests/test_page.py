"""Actions of a user on the page, in Chromium against a real server, in both sizes and both themes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import ImageChops
from playwright.sync_api import Locator, Page, expect
from web_pages import (
    BROKEN_CONNECTION,
    VIEWS,
    Open,
    audit,
    click_at,
    current,
    drawing,
    drop,
    hold,
    open_history,
    open_tool,
    paint,
    place_of,
    saved_mask,
    say,
    start_server,
    wait_for_end,
    wait_in_tool,
)

from promptvision.testing import ServerProcess

RED, BLUE = (80, 120), (235, 125)
"""Pixels of the red circle and of the blue box."""

both_views = pytest.mark.parametrize("view", VIEWS)


@pytest.fixture(params=VIEWS)
def page(request: pytest.FixtureRequest, server: ServerProcess, open_page: Open) -> Page:
    """The empty page, in both views."""
    return open_page(server.url, request.param).page


def test_image_comes_by_drop_paste_and_pick(page: Page, png: bytes) -> None:
    expect(page.get_by_role("heading", name="What should happen to your image?")).to_be_visible()
    for count, way in enumerate(("drop", "paste"), start=1):
        drop(page, png, way)
        expect(page.locator(".lineage li")).to_have_count(count)
        assert ImageChops.difference(current(page), drawing()).getbbox() is None
    with page.expect_file_chooser() as chosen:
        page.locator("label.button", has_text="Choose an image").click()
    chosen.value.set_files({"name": "photo.png", "mimeType": "image/png", "buffer": png})
    expect(page.locator(".lineage li")).to_have_count(3)
    assert ImageChops.difference(current(page), drawing()).getbbox() is None


def test_edit_by_text_is_compared_with_the_slider(page: Page, png: bytes) -> None:
    drop(page, png)
    say(page, "change the red circle to green")
    wait_for_end(page)
    expect(page.get_by_role("group", name="inpaint image")).to_have_count(1)
    made, rest = current(page), (150, 0, 320, 240)
    assert ImageChops.difference(made.crop(rest), drawing().crop(rest)).getbbox() is None
    red, green, _ = made.getpixel(RED)  # type: ignore[misc]
    assert green > red
    page.get_by_label("Before and after").fill("50")
    before = page.get_by_alt_text("The image before the edit")
    expect(before).to_have_css("clip-path", "inset(0px 50% 0px 0px)")


@pytest.mark.usefixtures("gate")
def test_running_turn_is_stopped(page: Page, png: bytes) -> None:
    drop(page, png)
    wait_in_tool(page)
    page.get_by_role("button", name="Stop", exact=True).click()
    wait_for_end(page, "Stopped")


def test_painted_area_is_removed_and_nothing_else(page: Page, png: bytes) -> None:
    drop(page, png)
    page.get_by_role("button", name="Brush", exact=True).click()
    page.get_by_label("Brush size").fill("100")
    paint(page, RED, 2)
    expect(page.get_by_text("The next message works on the painted area.")).to_be_visible()
    say(page, "remove it")
    wait_for_end(page)
    expect(page.locator("section.step")).to_have_count(1)
    made, rest = current(page), (140, 0, 320, 240)
    assert ImageChops.difference(made.crop(rest), drawing().crop(rest)).getbbox() is None
    red, green, blue = made.getpixel(RED)  # type: ignore[misc]
    assert abs(red - 220) + abs(green - 220) + abs(blue - 216) < 60, "the background is where the circle was"


def test_click_selects_adds_and_subtracts_without_a_model(page: Page, png: bytes) -> None:
    drop(page, png)
    page.get_by_role("button", name="Select by click").click()
    click_at(page, *RED)
    mask = saved_mask(page)
    assert (mask.getpixel(RED), mask.getpixel(BLUE)) == (255, 0)
    click_at(page, *BLUE)
    assert saved_mask(page).getpixel(BLUE) == 255
    page.get_by_label("Subtract").check()
    click_at(page, *RED)
    mask = saved_mask(page)
    assert (mask.getpixel(RED), mask.getpixel(BLUE)) == (0, 255)
    say(page, "make it green")
    wait_for_end(page)
    made, rest = current(page), (0, 0, 150, 240)
    assert ImageChops.difference(made.crop(rest), drawing().crop(rest)).getbbox() is None
    assert made.getpixel(BLUE) != (32, 86, 204)


def test_form_of_a_third_party_tool(page: Page, png: bytes) -> None:
    drop(page, png)
    form = open_tool(page, "frame")
    form.locator("input[type=number]").fill("20")
    form.get_by_label("shade").select_option("red")
    form.get_by_label("layers").select_option("2")
    form.get_by_role("button", name="Run").click()
    expect(page.locator(".lineage li")).to_have_count(2)
    made = current(page)
    assert made.size == (400, 320)
    assert made.getpixel((5, 5)) == (255, 0, 0)


def test_earlier_image_is_used_again(page: Page, png: bytes) -> None:
    drop(page, png)
    say(page, "make it black and white")
    wait_for_end(page)
    assert current(page).getpixel(RED) != (208, 28, 32)
    page.locator(".lineage li").first.get_by_role("button").first.click()
    expect(page.locator(".lineage li").first).to_have_class("current")
    assert current(page).getpixel(RED) == (208, 28, 32)
    say(page, "mirror it")
    wait_for_end(page, count=2)
    assert current(page).getpixel((240, 120)) == (208, 28, 32)


@both_views
def test_reload_and_second_tab_follow_the_running_turn(
    server: ServerProcess, open_page: Open, view: str, png: bytes, gate: Path
) -> None:
    first = open_page(server.url, view).page
    drop(first, png)
    wait_in_tool(first)
    first.reload()
    expect(first.locator("label.progress")).to_be_visible()
    second = open_page(server.url, view, path=f"/{first.evaluate('location.hash')}").page
    expect(second.locator("label.progress")).to_be_visible()
    gate.touch()
    for page in (first, second):
        wait_for_end(page)
        expect(page.locator("section.step.done")).to_have_count(1)


def test_page_recovers_from_a_server_restart_during_a_turn(
    tmp_path: Path, open_page: Open, png: bytes, gate: Path
) -> None:
    server = start_server(
        tmp_path, gate, PROMPTVISION_LEASE_S="6"
    )  # how long the dead process keeps its turns
    try:
        watched = [open_page(server.url, view) for view in VIEWS]
        for one in watched:
            one.expected = (BROKEN_CONNECTION,)
            drop(one.page, png)
            wait_in_tool(one.page)
        server.kill()
        for one in watched:
            expect(one.page.get_by_role("alert")).to_be_visible()
        server.start()
        for one in watched:
            wait_for_end(one.page, "Interrupted")
            expect(one.page.get_by_role("alert")).to_have_count(0)
            say(one.page, "make it black and white")
            wait_for_end(one.page)
    finally:
        server.kill()


def test_history_is_renamed_searched_and_deleted_with_undo(page: Page, png: bytes) -> None:
    drop(page, png)
    say(page, "make it black and white")
    wait_for_end(page)
    open_history(page)
    entries = page.locator("nav.history li")
    page.locator("nav.history li.current").get_by_role("button", name=re.compile("^Rename")).click()
    page.get_by_label("New title").fill("A grey drawing")
    page.keyboard.press("Enter")
    expect(page.locator("nav.history li", has_text="A grey drawing")).to_have_count(1)
    page.get_by_label("Search conversations").fill("no such thing")
    expect(entries).to_have_count(0)
    page.get_by_label("Search conversations").fill("grey drawing")
    page.get_by_role("button", name="Delete: A grey drawing").click()
    expect(entries).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    open_history(page)
    expect(entries).to_have_count(1)
    page.get_by_role("button", name="Delete: A grey drawing").click()
    with page.expect_response(lambda response: response.request.method == "DELETE") as deleted:
        page.locator(".notice").get_by_role("button", name="Close").click()
    assert deleted.value.ok
    with page.expect_response("**/conversations?limit=200"):
        page.reload()
    open_history(page)
    expect(page.locator("nav.history li", has_text="A grey drawing")).to_have_count(0)


def approval(page: Page) -> Locator:
    """The card that asks whether a step may run."""
    return page.get_by_role("group", name="Approval needed")


@both_views
def test_step_that_leaves_the_machine_waits_for_approval(
    server: ServerProcess, open_page: Open, view: str, png: bytes
) -> None:
    first = open_page(server.url, view).page
    drop(first, png)
    say(first, "develop it")
    expect(approval(first)).to_contain_text("sends the image to another machine and costs money")
    first.reload()
    expect(approval(first)).to_contain_text("develop (phototools)")
    second = open_page(server.url, view, path=f"/{first.evaluate('location.hash')}").page
    approval(second).get_by_role("button", name="Approve").focus()
    second.keyboard.press("Enter")
    for page in (first, second):
        wait_for_end(page)
        expect(approval(page)).to_have_count(0)
    red, green, blue = current(first).getpixel(RED)  # type: ignore[misc]
    assert red == green == blue
    first.locator(".lineage li").first.get_by_role("button").first.click()
    say(first, "develop it")
    first.get_by_label("Reason for denying").fill("too expensive")
    approval(first).get_by_role("button", name="Deny").click()
    wait_for_end(first, "Failed")
    expect(first.locator("section.step.failed")).to_contain_text("was not approved: too expensive")


def test_photo_comes_from_the_camera(page: Page, png: bytes) -> None:
    photo = page.get_by_text("Take a photo")
    if page.evaluate("matchMedia('(pointer: coarse)').matches"):
        file = page.locator("input[capture=environment]")  # opens the camera app
        file.set_input_files({"name": "photo.png", "mimeType": "image/png", "buffer": png})
        assert current(page).size == (320, 240)
        return
    photo.click()
    audit(page, "dialog")
    page.get_by_role("button", name="Take the photo").click()
    assert current(page).width > 100
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_two_fingers_zoom_and_paint_nothing(server: ServerProcess, open_page: Open, png: bytes) -> None:
    page = open_page(server.url, "phone").page
    drop(page, png)
    page.get_by_role("button", name="Brush", exact=True).click()
    x, y = place_of(page, 160, 120)
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": px, "y": py, "id": number} for number, (px, py) in enumerate(places)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", (x - 40, y))
    touch("touchStart", (x - 40, y), (x + 40, y))
    for spread in (60, 80):
        touch("touchMove", (x - spread, y), (x + spread, y))
    touch("touchEnd")
    expect(page.locator(".layers")).to_have_css("transform", re.compile(r"^matrix\(2, 0, 0, 2, "))
    zoomed = place_of(page, 160, 120)
    assert (abs(zoomed[0] - x), abs(zoomed[1] - y)) < (2, 2), "the place between the fingers stays"
    assert saved_mask(page).getextrema() == (0, 0)
    touch("touchStart", (x, y))
    touch("touchMove", (x + 30, y))
    touch("touchEnd")
    assert saved_mask(page).getextrema() == (0, 255), "one finger paints"


@both_views
def test_every_state_passes_the_audit(server: ServerProcess, open_page: Open, view: str, png: bytes) -> None:
    page = open_page(server.url, view, own_profile=True).page
    page.locator(".abilities li").first.wait_for()
    audit(page)
    drop(page, png)
    say(page, "change the red circle to green")
    wait_for_end(page)
    page.get_by_label("Before and after").fill("50")
    page.get_by_role("button", name="Select by click").click()
    click_at(page, *RED)
    audit(page)
    page.get_by_role("button", name="Clear").first.click()
    page.get_by_role("button", name="Move", exact=True).click()
    say(page, "find the blue box")
    wait_for_end(page, count=2)
    page.locator("button.box").first.click()
    audit(page, "main")
    say(page, "describe the toy")  # its model is missing
    wait_for_end(page, "Failed")
    say(page, "develop it")
    approval(page).wait_for()
    audit(page, "aside")
    page.get_by_role("button", name="Stop", exact=True).click()
    wait_for_end(page, "Stopped")
    open_tool(page, "adjust image")
    audit(page, "aside")
    page.get_by_role("tab", name="Setup").click()
    page.get_by_role("button", name="Run the checks").click()
    page.locator(".findings li").first.wait_for()
    audit(page, "aside")
    page.get_by_role("button", name="Keyboard shortcuts").click()
    audit(page, "dialog")
    page.get_by_role("button", name="Close").last.click()
    open_history(page)
    page.locator("nav.history li").first.wait_for()
    audit(page, "nav")
    if view == "phone":
        page.locator("nav.history").get_by_role("button", name="Close").click()
    page.get_by_label("Language").select_option("de")
    expect(page.get_by_role("tab", name="Gespräch")).to_be_visible()
    expect(page.locator('.stage[aria-busy="false"]')).to_be_visible()
    audit(page)


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
