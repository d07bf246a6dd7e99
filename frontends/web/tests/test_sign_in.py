"""Signing in with API keys: users are isolated, and only administrators change the server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from web_pages import (
    NOT_FOUND,
    REFUSED_KEY,
    VIEWS,
    CheckedPage,
    Open,
    audit,
    current,
    drop,
    hold,
    open_history,
    say,
    start_server,
    wait_for_end,
)

from promptvision.testing import ServerProcess

KEYS = {"alice": "key-of-alice-1", "bob": "key-of-bob-22"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, gate_file: Path) -> Iterator[ServerProcess]:
    """A server with a key for each user, of whom alice is an administrator."""
    keys = ",".join(f"{user}:{key}" for user, key in KEYS.items())
    variables = {"PROMPTVISION_API_KEYS": keys, "PROMPTVISION_WEB_ADMINS": "alice"}
    running = start_server(tmp_path_factory.mktemp("keys"), gate_file, **variables)
    yield running
    running.kill()


def sign_in(watched: CheckedPage, user: str) -> Page:
    watched.expected = (REFUSED_KEY, NOT_FOUND)
    page = watched.page
    page.get_by_label("API key").fill(KEYS[user])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    return page


@pytest.mark.parametrize("view", VIEWS)
def test_wrong_key_is_refused(server: ServerProcess, open_page: Open, view: str) -> None:
    watched = open_page(server.url, view)
    watched.expected = (REFUSED_KEY,)
    page = watched.page
    held = hold(page, "**/tools")
    page.get_by_label("API key").fill("wrong")
    with page.expect_request("**/tools"):
        page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("API key")).to_be_disabled()
    expect(page.get_by_role("button", name="Sign in")).to_be_disabled()
    held[0].continue_()
    page.unroute("**/tools")
    expect(page.get_by_role("alert")).to_have_text("The server did not accept this key.")
    audit(page)


@pytest.mark.parametrize("view", VIEWS)
def test_users_cannot_access_each_others_conversations(
    server: ServerProcess, open_page: Open, view: str, png: bytes
) -> None:
    alice, bob = (sign_in(open_page(server.url, view), user) for user in KEYS)
    drop(alice, png)
    say(alice, "make it black and white")
    wait_for_end(alice)
    assert current(alice).getpixel((5, 5)) == (220, 220, 220)
    open_history(alice)
    expect(alice.locator("nav.history li")).not_to_have_count(0)
    bob.reload()
    expect(bob.get_by_role("button", name="Sign out")).to_be_visible()
    open_history(bob)
    expect(bob.locator("nav.history li")).to_have_count(0)
    place: Any = alice.evaluate("location.hash")
    bob.goto(f"{server.url}/{place}")
    expect(bob.get_by_role("status").filter(has_text="conversation")).to_be_visible()
    expect(bob.locator("article.turn")).to_have_count(0)
    alice.reload()
    alice.get_by_role("button", name="Sign out").click()
    expect(alice.get_by_label("API key")).to_be_visible()
    alice.reload()
    expect(alice.get_by_label("API key")).to_be_visible()


@pytest.mark.parametrize(("user", "may"), [("alice", True), ("bob", False)])
def test_only_admins_may_pull_and_run_checks(
    server: ServerProcess, open_page: Open, user: str, *, may: bool
) -> None:
    page = sign_in(open_page(server.url), user)
    page.get_by_role("tab", name="Setup").click()
    model = page.locator(".models li", has_text="toy-captions")
    expect(model).to_be_visible()
    expect(model.get_by_role("button")).to_have_count(1 if may else 0)
    expect(page.get_by_text("Only an operator of this server")).to_have_count(0 if may else 1)
    headers = {"Authorization": f"Bearer {KEYS[user]}"}
    answer = page.request.get(f"{server.url}/web/doctor", headers=headers)
    assert answer.status == (200 if may else 403)
    if not may:
        pull = f"{server.url}/web/models/toy-captions/pull"
        assert page.request.post(pull, headers=headers).status == 403
