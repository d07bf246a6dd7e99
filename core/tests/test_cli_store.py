"""``promptvision store`` through its command line."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from promptvision.builtin.files import FileImageStore
from promptvision.builtin.sql import default_sqlite_url
from promptvision.builtin.sql.store import SQLConversationStore
from promptvision.cli.main import cli
from promptvision.conversations.transfer import digest_of_conversations, digest_of_images
from promptvision.conversations.turn import TurnStatus
from promptvision.testing.image_store import new_image
from promptvision.testing.turns import claim, image_event

Invoke = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with one conversation, its image, and an image that nothing uses; all of it old."""
    home = tmp_path / "home"
    images = FileImageStore(home / "images")
    shown, unused = (images.put(new_image(), "image/png").id for _ in range(2))
    for file in images.root.rglob("*.png"):
        os.utime(file, (time.time() - 7200,) * 2)
    (home / "unused").write_text(unused)
    with closing(SQLConversationStore(default_sqlite_url(home))) as store:
        turn = claim(store, "local", prompt="make it grey")
        store.append(turn, [image_event(1, 1, shown)])
        store.finish_turn(turn, TurnStatus.DONE, {})
        found = store.conversations("local")[0]
        long_ago = replace(found, updated_at=time.time() - 40 * 86_400)
        store.restore_turn(long_ago, store.history("local", "c1", 1)[0])
    return home


@pytest.fixture
def invoke(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Invoke:
    for name in ("PROMPTVISION_IMAGES", "PROMPTVISION_CONVERSATIONS", "SUPABASE_URL", "CLOUDINARY_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PROMPTVISION_HOME", str(home))
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(cli, ["store", *words], standalone_mode=False)


def test_copy_of_the_current_stores(invoke: Invoke, home: Path, tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path}/new/c.db,{(tmp_path / 'new' / 'images').as_uri()}"
    for moved in (1, 0):
        result = invoke("copy", "current", target)
        assert result.return_value == 0, result
        assert f"conversations: {moved} moved" in result.output
        assert f"images: {2 * moved} moved" in result.output
    with (
        closing(SQLConversationStore(default_sqlite_url(home))) as one,
        closing(SQLConversationStore(f"sqlite:///{tmp_path}/new/c.db")) as other,
    ):
        assert digest_of_conversations(one) == digest_of_conversations(other)
    other_images = FileImageStore(tmp_path / "new" / "images")
    assert digest_of_images(FileImageStore(home / "images")) == digest_of_images(other_images)


def test_copy_of_one_kind_only(invoke: Invoke, tmp_path: Path) -> None:
    result = invoke("copy", "current", (tmp_path / "images").as_uri())
    assert (result.return_value, "conversations" in result.output) == (0, False)
    assert "images: 2 moved" in result.output


@pytest.mark.parametrize(
    ("source", "target", "problem"),
    [
        ("current", "current", "the same store"),
        ("sqlite:///a.db", "sqlite:///a.db", "the same store"),
        ("sqlite:///a.db", "file:///x", "the same kinds"),
        ("sqlite:///a.db,file:///x", "sqlite:///b.db", "the same kinds"),
        ("sqlite:///a.db,sqlite:///b.db", "current", "two stores for conversations"),
        ("memory:", "current", "is not a scheme of a store"),
        ("/etc/passwd", "current", "is not a scheme of a store"),
        ("nonsense://x", "current", "sqlite"),
    ],
)
def test_wrong_usage_is_explained(
    invoke: Invoke, tmp_path: Path, source: str, target: str, problem: str
) -> None:
    result = invoke("copy", source, target)
    assert problem in str(result.exception)
    assert not (tmp_path / "a.db").exists()


def test_gc_dry_run_lists_and_deletes_nothing(invoke: Invoke, home: Path) -> None:
    unused = (home / "unused").read_text()
    plain = invoke("gc", "--dry-run")
    assert plain.stdout.split("\n") == [f"image {unused}", ""]
    assert "1 would be deleted" in plain.stderr
    limited = invoke("gc", "--dry-run", "--older-than", "30")
    assert "conversation c1 of local: make it grey" in limited.stdout
    assert "3 would be deleted" in limited.stderr
    assert "1 would be deleted" in invoke("gc", "--dry-run", "--older-than", "50").stderr
    assert len(FileImageStore(home / "images").ids()) == 2


def test_gc_deletes_by_the_setting(invoke: Invoke, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMPTVISION_RETENTION_DAYS", "30")
    assert "3 deleted" in invoke("gc").stderr
    assert FileImageStore(home / "images").ids() == []
    with closing(SQLConversationStore(default_sqlite_url(home))) as store:
        assert store.users() == []
    assert "0 deleted" in invoke("gc").stderr


@pytest.mark.parametrize("days", ["0", "-1", "soon"])
def test_gc_refuses_limits_that_make_no_sense(invoke: Invoke, days: str) -> None:
    assert isinstance(invoke("gc", "--older-than", days).exception, click.BadParameter)
