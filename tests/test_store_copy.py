"""`promptvision store copy` between real stores: killed in the middle, and every digest equal in the end."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from promptvision.builtin.files import FileImageStore
from promptvision.builtin.sql import default_sqlite_url
from promptvision.builtin.sql.store import SQLConversationStore
from promptvision.conversations.store import ConversationStore
from promptvision.conversations.transfer import (
    copy_conversations,
    copy_images,
    digest_of_conversations,
    digest_of_images,
)
from promptvision.conversations.turn import TurnStatus
from promptvision.images.store import ImageStore
from promptvision.testing.image_store import new_image
from promptvision.testing.needs import enter_or_skip
from promptvision.testing.postgres import PostgresServer
from promptvision.testing.program import Program
from promptvision.testing.turns import claim, image_event, note
from promptvision_cloudinary.fake import fake_cloudinary
from promptvision_cloudinary.store import CloudinaryImageStore
from promptvision_s3.store import BucketImageStore
from promptvision_s3.testing import S3Server, s3_server
from promptvision_supabase.store import SupabaseConversationStore
from promptvision_supabase.testing import rest_server

CONVERSATIONS = 60
IMAGES = 90


@dataclass(frozen=True)
class Bucket:
    """A bucket on an S3 server of our own."""

    server: S3Server
    name: str

    def count(self) -> int:
        return self.server.count(self.name)


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    name = f"images-{uuid.uuid4().hex}"
    with s3_server(name) as server:
        yield Bucket(server, name)


def fill(conversations: ConversationStore, images: ImageStore, *, count: int, image_count: int) -> None:
    ids = [images.put(new_image(media_type), media_type).id for media_type in ("image/png", "image/jpeg")]
    ids += [images.put(new_image(), "image/png").id for _ in range(image_count - 2)]
    for number in range(count):
        user = f"user-{number % 7}"
        for seq in range(1, 4):
            prompt = f"\N{SNOWMAN} {number} {uuid.uuid4()}"
            turn = claim(conversations, user, f"p{seq}", conversation=f"c{number}", prompt=prompt)
            conversations.append(
                turn, [image_event(1, seq, ids[number % image_count]), note(2, "\x00 \ud800 \u202e")]
            )
            conversations.finish_turn(
                turn, TurnStatus.DONE, {"text_response": prompt, "number": 0.1 * number}
            )
        conversations.add_image(user, ids[-1 - number % image_count])


def kill_when(program: Program, words: tuple[str, str], is_time: Callable[[], bool]) -> None:
    """Start a copy, and kill it with SIGKILL as soon as a condition holds."""
    process = program.start("store", "copy", *words)
    deadline = time.monotonic() + 60
    while not is_time():
        assert process.poll() is None, "the copy ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.kill()
    process.communicate()


def test_copy_killed_twice_ends_with_equal_digests_there_and_back(
    tmp_path: Path, postgres: PostgresServer, bucket: Bucket
) -> None:
    home = tmp_path / "home"
    sqlite = SQLConversationStore(default_sqlite_url(home))
    files = FileImageStore(home / "images")
    fill(sqlite, files, count=CONVERSATIONS, image_count=IMAGES)
    wanted = (digest_of_conversations(sqlite), digest_of_images(files))
    sqlite.close()

    away = SQLConversationStore(postgres.create_database("copied"))
    away_url = f"{postgres.url('copied')},s3://{bucket.name}/copied"
    program = Program(home, bucket.server.variables)

    def turns_there() -> int:
        return int(postgres.execute("select count(*) from turns", database="copied")[0][0])

    kill_when(program, ("current", away_url), lambda: turns_there() >= CONVERSATIONS)
    assert turns_there() < 3 * CONVERSATIONS
    kill_when(program, ("current", away_url), lambda: bucket.count() >= IMAGES // 3)
    assert (turns_there(), bucket.count() < IMAGES) == (3 * CONVERSATIONS, True)
    done = program.run("store", "copy", "current", away_url)
    assert done.code == 0, done.err
    assert "conversations: 0 moved" in done.out
    bucket_images = BucketImageStore(f"s3://{bucket.name}/copied", bucket.server.variables.get)
    assert (digest_of_conversations(away), digest_of_images(bucket_images)) == wanted
    away.close()

    back_url = f"sqlite:///{tmp_path}/back/c.db,{(tmp_path / 'back' / 'images').as_uri()}"
    back_files = tmp_path / "back" / "images"
    kill_when(program, (away_url, back_url), lambda: len(list(back_files.rglob("*.png"))) >= IMAGES // 3)
    done = program.run("store", "copy", away_url, back_url)
    assert done.code == 0, done.err
    with closing(SQLConversationStore(f"sqlite:///{tmp_path}/back/c.db")) as back:
        assert (digest_of_conversations(back), digest_of_images(FileImageStore(back_files))) == wanted


def silent(what: str, done: int, total: int) -> None:
    """No server listens."""


def test_copy_to_supabase_and_cloudinary_and_back(tmp_path: Path, postgres: PostgresServer) -> None:
    with ExitStack() as stack:
        rest = enter_or_skip(stack, rest_server(postgres, "rest"))
        fake = stack.enter_context(fake_cloudinary())
        sqlite, back = (
            stack.enter_context(closing(SQLConversationStore(default_sqlite_url(tmp_path / name))))
            for name in ("one", "back")
        )
        supabase = stack.enter_context(closing(SupabaseConversationStore(rest.url, rest.key())))
        cloudinary = stack.enter_context(closing(CloudinaryImageStore(fake.url, fake.variables.get)))
        files, back_files = FileImageStore(tmp_path / "one" / "i"), FileImageStore(tmp_path / "back" / "i")
        fill(sqlite, files, count=10, image_count=10)
        copy_conversations(sqlite, supabase, silent)
        copy_conversations(supabase, back, silent)
        assert len({digest_of_conversations(store) for store in (sqlite, supabase, back)}) == 1
        copy_images(files, cloudinary, silent)
        copy_images(cloudinary, back_files, silent)
        assert len({digest_of_images(store) for store in (files, cloudinary, back_files)}) == 1
