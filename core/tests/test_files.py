"""Images as files: the same contract as in memory, and partial and unrelated files are ignored."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptvision.builtin.files import FileImageStore
from promptvision.builtin.memory_images import MemoryImageStore
from promptvision.errors import NotFound, StoreError
from promptvision.images.store import ImageStore, image_id_of
from promptvision.testing.image_store import hostile_keys, new_image

PNG, JPEG = "image/png", "image/jpeg"
DATA = b"\x89PNG not really, a store does not look inside"
ID = image_id_of(DATA)


@pytest.fixture
def files(tmp_path: Path) -> FileImageStore:
    return FileImageStore(tmp_path / "images")


@pytest.fixture(params=["files", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ImageStore:
    return FileImageStore(tmp_path / "images") if request.param == "files" else MemoryImageStore()


def file_of(store: FileImageStore, image_id: str) -> Path:
    return Path(unquote(urlsplit(store.url(image_id)).path))


def everything_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if not path.is_dir()]


# the contract


def test_what_is_put_is_got_under_its_hash(store: ImageStore) -> None:
    stored = store.put(DATA, PNG)
    assert stored == store.stat(ID)
    assert (stored.id, stored.media_type, stored.size) == (ID, PNG, len(DATA))
    assert store.get(ID) == DATA
    assert store.ids() == [ID]


def test_putting_twice_is_harmless(store: ImageStore) -> None:
    assert store.put(DATA, PNG) == store.put(DATA, PNG)
    assert store.ids() == [ID]


def test_deleting_is_final_and_repeatable(store: ImageStore) -> None:
    store.put(DATA, JPEG)
    store.delete(ID)
    store.delete(ID)
    assert store.ids() == []
    with pytest.raises(NotFound):
        store.get(ID)


@given(st.text(max_size=80))
def test_ids_of_another_shape_are_not_found(text: str) -> None:
    with TemporaryDirectory() as folder:
        for store in (FileImageStore(Path(folder)), MemoryImageStore()):
            for ask in (store.get, store.stat, store.url):
                with pytest.raises(NotFound):
                    ask(text)
            store.delete(text)


@pytest.mark.parametrize(
    "image_id",
    [
        "../../etc/passwd",
        "%2e%2e%2f",
        "/etc/passwd",
        "..",
        "a" * 63,
        "A" * 64,
        "a" * 64 + "\n",
        "a\\b",
        "\0" * 64,
    ],
)
def test_traversal_is_not_found(store: ImageStore, image_id: str) -> None:
    store.put(DATA, PNG)
    for ask in (store.get, store.stat, store.url):
        with pytest.raises(NotFound):
            ask(image_id)


def test_urls_say_where(store: ImageStore) -> None:
    store.put(DATA, PNG)
    if isinstance(store, FileImageStore):
        assert store.url(ID) == (store.root / ID[:2] / f"{ID}.png").as_uri()
        assert file_of(store, ID).read_bytes() == DATA
    else:
        assert store.url(ID) == f"memory:{ID}"


def test_threads_may_put_the_same_image_at_once(store: ImageStore) -> None:
    threads = [threading.Thread(target=store.put, args=(DATA, PNG)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.ids() == [ID]
    assert store.get(ID) == DATA


# on the disk


def test_only_the_owner_may_read(files: FileImageStore) -> None:
    files.put(DATA, PNG)
    assert file_of(files, ID).stat().st_mode & 0o077 == 0
    assert files.root.stat().st_mode & 0o077 == 0


def test_unknown_media_types_are_refused(files: FileImageStore) -> None:
    with pytest.raises(StoreError, match="image/svg"):
        files.put(DATA, "image/svg+xml")


def test_a_symlink_in_the_store_is_not_found(files: FileImageStore, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(DATA)
    (files.root / ID[:2]).mkdir()
    (files.root / ID[:2] / f"{ID}.png").symlink_to(secret)
    assert files.ids() == []
    for ask in (files.get, files.stat, files.url):
        with pytest.raises(NotFound):
            ask(ID)
    files.put(b"other", PNG)
    assert files.put(DATA, PNG).size == len(DATA)
    assert not file_of(files, ID).is_symlink()
    assert files.get(ID) == DATA
    assert secret.read_bytes() == DATA


def test_a_symlinked_folder_is_not_entered(files: FileImageStore, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / f"{ID}.png").write_bytes(DATA)
    (files.root / ID[:2]).symlink_to(outside)
    assert files.ids() == []
    with pytest.raises(NotFound):
        files.get(ID)
    with pytest.raises(StoreError):
        files.put(DATA, PNG)
    assert [path.name for path in outside.iterdir()] == [f"{ID}.png"]


def test_a_pipe_in_the_store_does_not_hang(files: FileImageStore) -> None:
    (files.root / ID[:2]).mkdir()
    os.mkfifo(files.root / ID[:2] / f"{ID}.png")
    with pytest.raises(NotFound):
        files.get(ID)


def test_changed_bytes_are_noticed(files: FileImageStore) -> None:
    files.put(DATA, PNG)
    file_of(files, ID).write_bytes(DATA[:-1] + b"!")
    with pytest.raises(StoreError, match="were changed"):
        files.get(ID)


def test_a_truncated_file_is_repaired_by_putting_it_again(files: FileImageStore) -> None:
    files.put(DATA, PNG)
    file_of(files, ID).write_bytes(DATA[:5])
    files.put(DATA, PNG)
    assert files.get(ID) == DATA


def test_other_files_are_not_listed(files: FileImageStore) -> None:
    files.put(DATA, PNG)
    (files.root / "notes.txt").write_text("mine")
    (files.root / ID[:2] / "notes.txt").write_text("mine")
    (files.root / ID[:2] / ("g" * 64 + ".png")).write_text("mine")
    assert files.ids() == [ID]


def test_old_leftovers_are_swept_and_young_ones_kept(files: FileImageStore) -> None:
    folder = files.root / "ab"
    folder.mkdir()
    old, young, foreign = folder / f".{'0' * 16}.tmp", folder / f".{'1' * 16}.tmp", folder / "x.tmp"
    for path in (old, young, foreign):
        path.write_bytes(b"half")
    for path in (old, foreign):
        os.utime(path, (time.time() - 4000,) * 2)
    FileImageStore(files.root)
    assert sorted(folder.iterdir()) == sorted([young, foreign])


def test_a_folder_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="file"):
        FileImageStore(tmp_path / "file" / "images")


@pytest.fixture
def limit_file_size() -> Iterator[Callable[[int], None]]:
    """Makes writes over a size fail as a full disk does; undone after the test."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_says_so_and_leaves_nothing(
    files: FileImageStore, limit_file_size: Callable[[int], None]
) -> None:
    files.put(DATA, PNG)
    limit_file_size(10_000)
    with pytest.raises(StoreError, match="disk is full"):
        files.put(os.urandom(50_000), PNG)
    assert everything_in(files.root) == [file_of(files, ID)]
    assert files.get(ID) == DATA


WRITER = """
import os, sys
from pathlib import Path
from promptvision.builtin.files import FileImageStore
store = FileImageStore(Path(sys.argv[1]))
while True:
    print(store.put(os.urandom(300_000), "image/png").id, flush=True)
"""


def test_killed_writers_lose_nothing_acknowledged_and_show_nothing_partial(files: FileImageStore) -> None:
    acknowledged: set[str] = set()
    for round_number in range(5):
        command = [sys.executable, "-c", WRITER, str(files.root)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            acknowledged.update(writer.stdout.readline().strip() for _ in range(3 + 4 * round_number))
            writer.kill()
            acknowledged.update(line.strip() for line in writer.stdout if len(line) == 65)
    held = set(FileImageStore(files.root).ids())
    assert acknowledged <= held
    assert len(acknowledged) >= 50
    for image_id in held:
        assert image_id_of(files.get(image_id)) == image_id


def test_hostile_keys_make_no_file_anywhere(tmp_path: Path) -> None:
    store = FileImageStore(tmp_path / "inside" / "images")
    (tmp_path / "inside" / "secret").write_text("keep me")
    for key in hostile_keys():
        store.delete(key)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["images", "inside", "secret"]


def test_age_of_a_file_is_that_of_its_writing(tmp_path: Path) -> None:
    store = FileImageStore(tmp_path)
    old, new = store.put(b"old", PNG), store.put(b"new", PNG)
    two_hours_ago = time.time() - 7200
    os.utime(tmp_path / old.id[:2] / f"{old.id}.png", (two_hours_ago, two_hours_ago))
    assert store.ids(older_than_s=3600) == [old.id]
    assert set(store.ids()) == {old.id, new.id}


def test_bytes_that_changed_on_the_disk_are_repaired_by_putting_the_image_again(
    files: FileImageStore,
) -> None:
    data = new_image()
    stored = files.put(data, "image/png")
    path = files.root / stored.id[:2] / f"{stored.id}.png"
    path.write_bytes(bytes(reversed(data)))
    with pytest.raises(StoreError, match="were changed"):
        files.get(stored.id)
    assert files.put(data, "image/png") == stored
    assert files.get(stored.id) == data
