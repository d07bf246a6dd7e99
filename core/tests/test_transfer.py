"""Copies between stores: equal contents afterwards, even after interruptions."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from promptvision.builtin.files import FileImageStore
from promptvision.builtin.memory import MemoryConversationStore
from promptvision.builtin.memory_images import MemoryImageStore
from promptvision.builtin.sql import default_sqlite_url
from promptvision.builtin.sql.store import SQLConversationStore
from promptvision.conversations.store import ConversationStore
from promptvision.conversations.transfer import (
    all_conversations,
    copy_conversations,
    copy_images,
    digest_of_conversations,
    digest_of_images,
)
from promptvision.conversations.turn import Claim, Conversation, Turn, TurnStatus
from promptvision.errors import Conflict, StoreError
from promptvision.images.store import StoredImage
from promptvision.testing.conversation_store import HOSTILE_IDS
from promptvision.testing.image_store import new_image
from promptvision.testing.turns import claim, image_event, note


def silent(what: str, done: int, total: int) -> None:
    """No server listens."""


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[SQLConversationStore]:
    store = SQLConversationStore(default_sqlite_url(tmp_path / "sql"))
    yield store
    store.close()


def fill(store: ConversationStore) -> None:
    for user in ("ann", "bob", *HOSTILE_IDS):
        for conversation in ("c1", "c2"):
            for number in range(1, 4):
                turn = claim(
                    store, user, f"p{number}", conversation=conversation, prompt=f"\N{SNOWMAN} {user}"
                )
                store.append(
                    turn, [image_event(1, number, uuid.uuid4().hex * 2), note(2, "\x00 \ud800 \u202e")]
                )
                store.finish_turn(turn, TurnStatus.DONE, {"number": number, "float": 0.1 + 0.2})
        store.rename(user, "c1", "renamed")
        store.add_image(user, uuid.uuid4().hex * 2)
    store.add_image("uploader", "a" * 64)
    store.finish_turn(claim(store, "ann", "p4"), TurnStatus.INTERRUPTED, {})


def test_copy_there_and_back_is_the_same(sqlite: SQLConversationStore) -> None:
    memory, back = MemoryConversationStore(), MemoryConversationStore()
    fill(memory)
    reported: list[tuple[str, int, int]] = []
    moved = copy_conversations(memory, sqlite, lambda *what: reported.append(what))
    assert moved == len(memory.users()) * 2 - 2
    assert reported[-1] == ("users", len(memory.users()), len(memory.users()))
    copy_conversations(sqlite, back, silent)
    assert digest_of_conversations(memory) == digest_of_conversations(sqlite) == digest_of_conversations(back)
    assert copy_conversations(memory, sqlite, silent) == 0


def test_digest_covers_every_kind_of_change(sqlite: SQLConversationStore) -> None:
    fill(sqlite)
    seen = {digest_of_conversations(sqlite)}
    changes: list[Callable[[], object]] = [
        lambda: sqlite.rename("ann", "c1", "other"),
        lambda: sqlite.add_image("ann", "b" * 64),
        lambda: sqlite.delete("bob", "c2"),
        lambda: claim(sqlite, "ann", "p9", conversation="c2"),
        lambda: sqlite.append(claim(sqlite, "ann", "p5"), [note(1)]),
    ]
    for change in changes:
        change()
        seen.add(digest_of_conversations(sqlite))
    assert len(seen) == 1 + len(changes)


class _Cut(Exception):
    """Simulates kill -9: ends the copy at once."""


class _CutConversations(MemoryConversationStore):
    writes_left = 0

    def restore_turn(self, conversation: Conversation, turn: Turn) -> None:
        self._count()
        super().restore_turn(conversation, turn)

    def add_image(self, user_id: str, image_id: str) -> None:
        self._count()
        super().add_image(user_id, image_id)

    def _count(self) -> None:
        self.writes_left -= 1
        if self.writes_left < 0:
            raise _Cut


@pytest.mark.parametrize("step", [1, 7, 30])
def test_copy_that_is_interrupted_repeatedly_ends_the_same(sqlite: SQLConversationStore, step: int) -> None:
    fill(sqlite)
    target = _CutConversations()
    for _ in range(1000):
        target.writes_left = step
        try:
            copy_conversations(sqlite, target, silent)
        except _Cut:
            continue
        break
    assert digest_of_conversations(target) == digest_of_conversations(sqlite)


def test_running_turn_is_copied_as_interrupted_and_updated_later(
    sqlite: SQLConversationStore,
) -> None:
    memory = MemoryConversationStore()
    turn = claim(memory, "ann")
    memory.append(turn, [note(1)])
    copy_conversations(memory, sqlite, silent)
    assert sqlite.history("ann", "c1", 1)[0].status is TurnStatus.INTERRUPTED
    assert digest_of_conversations(memory) == digest_of_conversations(sqlite)
    memory.append(turn, [note(2)])
    memory.finish_turn(turn, TurnStatus.DONE, {"text": "done"})
    claim(memory, "ann", "p2")
    assert copy_conversations(memory, sqlite, silent) == 1
    assert digest_of_conversations(memory) == digest_of_conversations(sqlite)


def test_new_title_is_copied(sqlite: SQLConversationStore) -> None:
    memory = MemoryConversationStore()
    fill(memory)
    copy_conversations(memory, sqlite, silent)
    memory.rename("ann", "c1", "lions")
    assert copy_conversations(memory, sqlite, silent) == 1
    assert digest_of_conversations(memory) == digest_of_conversations(sqlite)


def test_newer_turns_in_the_target_are_not_overwritten(sqlite: SQLConversationStore) -> None:
    memory = MemoryConversationStore()
    memory.finish_turn(claim(memory, "ann"), TurnStatus.INTERRUPTED, {})
    copy_conversations(memory, sqlite, silent)
    resumed = claim(sqlite, "ann")
    assert resumed.claim is Claim.RESUMED
    sqlite.append(resumed, [note(1)])
    with pytest.raises(Conflict, match="continued since"):
        copy_conversations(memory, sqlite, silent)
    sqlite.finish_turn(resumed, TurnStatus.DONE, {})
    claim(sqlite, "ann", "p2")
    with pytest.raises(Conflict, match="turn 2"):
        copy_conversations(memory, sqlite, silent)
    assert [turn.events for turn in sqlite.history("ann", "c1", 5)] == [(note(1),), ()]


def test_more_conversations_than_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("promptvision.conversations.transfer.PAGE", 3)
    memory = MemoryConversationStore()
    for number in range(10):
        claim(memory, "ann", conversation=f"c{number}")
    assert {found.id for found in all_conversations(memory, "ann")} == {f"c{number}" for number in range(10)}


def test_store_that_keeps_other_bytes_is_detected() -> None:
    class LossyStore(MemoryConversationStore):
        def restore_turn(self, conversation: Conversation, turn: Turn) -> None:
            super().restore_turn(conversation, replace(turn, events=turn.events[1:]))

    memory = MemoryConversationStore()
    fill(memory)
    with pytest.raises(StoreError, match="differs after the copy"):
        copy_conversations(memory, LossyStore(), silent)


# images


def test_images_are_copied_there_and_back(tmp_path: Path) -> None:
    files, memory = FileImageStore(tmp_path / "one"), MemoryImageStore()
    for media_type in ("image/png", "image/jpeg", "image/webp"):
        files.put(new_image(media_type), media_type)
    assert copy_images(files, memory, silent) == 3
    back = FileImageStore(tmp_path / "other")
    back.put(memory.get(memory.ids()[0]), memory.stat(memory.ids()[0]).media_type)
    assert copy_images(memory, back, silent) == 2
    assert copy_images(memory, back, silent) == 0
    assert digest_of_images(files) == digest_of_images(memory) == digest_of_images(back)


def test_damaged_image_is_reported_after_the_others_are_copied(tmp_path: Path) -> None:
    files, memory = FileImageStore(tmp_path), MemoryImageStore()
    ids = sorted(files.put(new_image(), "image/png").id for _ in range(3))
    (tmp_path / ids[0][:2] / f"{ids[0]}.png").write_bytes(b"damaged")
    with pytest.raises(StoreError, match=f"1 images cannot be read from the source, the first is {ids[0]}"):
        copy_images(files, memory, silent)
    assert sorted(memory.ids()) == ids[1:]


def test_image_that_reads_back_differently_ends_the_copy() -> None:
    class LossyStore(MemoryImageStore):
        def put(self, data: bytes, media_type: str) -> StoredImage:
            stored = super().put(data, media_type)
            self._held[stored.id] = replace(self._held[stored.id], data=data[:-1])
            return stored

    memory = MemoryImageStore()
    memory.put(new_image(), "image/png")
    with pytest.raises(StoreError, match="differs after the copy"):
        copy_images(memory, LossyStore(), silent)


def test_store_that_is_down_ends_the_copy(tmp_path: Path) -> None:
    class Down(MemoryImageStore):
        def get(self, image_id: str) -> bytes:
            raise StoreError("down", retryable=True)

    down = Down()
    down.put(new_image(), "image/png")
    with pytest.raises(StoreError, match="down"):
        copy_images(down, FileImageStore(tmp_path), silent)
