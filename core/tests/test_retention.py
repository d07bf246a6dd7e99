"""Retention: old conversations and unused images are deleted, everything else is kept."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from promptvision.builtin.files import FileImageStore
from promptvision.builtin.sql import default_sqlite_url
from promptvision.builtin.sql.store import SQLConversationStore
from promptvision.conversations.retention import collect, find_unreferenced
from promptvision.conversations.turn import TurnStatus
from promptvision.testing.image_store import new_image
from promptvision.testing.turns import claim, image_event

DAY_S = 86_400


@pytest.fixture
def conversations(tmp_path: Path) -> Iterator[SQLConversationStore]:
    with closing(SQLConversationStore(default_sqlite_url(tmp_path))) as store:
        yield store


@pytest.fixture
def images(tmp_path: Path) -> FileImageStore:
    return FileImageStore(tmp_path / "images")


def put(images: FileImageStore, *, age_s: float = 2 * 3600) -> str:
    image_id = images.put(new_image(), "image/png").id
    file = images.root / image_id[:2] / f"{image_id}.png"
    os.utime(file, (time.time() - age_s,) * 2)
    return image_id


def converse(store: SQLConversationStore, name: str, images: list[str], *, days_ago: float) -> None:
    """A conversation of one turn with images, last used some days ago."""
    turn = claim(store, "ann", conversation=name)
    store.append(turn, [image_event(number, number, image_id) for number, image_id in enumerate(images, 1)])
    store.finish_turn(turn, TurnStatus.DONE, {})
    found = store.conversation("ann", name)
    assert found is not None
    then = time.time() - days_ago * DAY_S
    store.restore_turn(replace(found, updated_at=then), store.history("ann", name, 1)[0])


def test_only_unreferenced_images_are_collected(
    conversations: SQLConversationStore, images: FileImageStore
) -> None:
    shown, uploaded, unused, young = put(images), put(images), put(images), put(images, age_s=60)
    converse(conversations, "c1", [shown], days_ago=400)
    conversations.add_image("bob", uploaded)
    unreferenced = find_unreferenced(conversations, images, days=None)
    assert (unreferenced.conversations, unreferenced.images) == ((), (unused,))
    assert set(images.ids()) == {shown, uploaded, unused, young}  # listing deletes nothing
    assert list(collect(conversations, images, unreferenced)) == [unused]
    assert set(images.ids()) == {shown, uploaded, young}
    assert list(collect(conversations, images, find_unreferenced(conversations, images, days=None))) == []


def test_old_conversation_is_deleted_with_the_images_that_only_it_uses(
    conversations: SQLConversationStore, images: FileImageStore
) -> None:
    own, shared, uploaded = put(images), put(images), put(images)
    converse(conversations, "old", [own, shared, uploaded], days_ago=31)
    converse(conversations, "new", [shared], days_ago=29)
    conversations.add_image("ann", uploaded)
    unreferenced = find_unreferenced(conversations, images, days=30)
    assert ([found.id for found in unreferenced.conversations], unreferenced.images) == (["old"], (own,))
    assert len(list(collect(conversations, images, unreferenced))) == 2
    assert [found.id for found in conversations.conversations("ann")] == ["new"]
    assert set(images.ids()) == {shared, uploaded}


def test_image_used_since_the_scan_is_kept(
    conversations: SQLConversationStore, images: FileImageStore
) -> None:
    unused, own = put(images), put(images)
    converse(conversations, "old", [own], days_ago=31)
    unreferenced = find_unreferenced(conversations, images, days=30)
    assert set(unreferenced.images) == {unused, own}
    turn = claim(conversations, "ann", "p2", conversation="old")
    conversations.append(turn, [image_event(1, 2, unused)])
    assert list(collect(conversations, images, unreferenced)) == []
    assert set(images.ids()) == {unused, own}
