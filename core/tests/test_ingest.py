"""Images from bytes, data URIs, URLs and paths, and which sources are allowed."""

from __future__ import annotations

import asyncio
import base64
import io
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from unittest.mock import patch
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from promptvision.builtin.files import FileImageStore
from promptvision.builtin.memory_images import MemoryImageStore
from promptvision.errors import InputError, TooLarge
from promptvision.images.codec import MAX_BYTES, decode_stored
from promptvision.images.ingest import ingest, read_source
from promptvision.images.store import image_id_of
from promptvision.settings import Settings

SETTINGS = Settings()


def png(size: tuple[int, int] = (30, 20)) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(out, "PNG")
    return out.getvalue()


def read(source: bytes | str | Path, *, allow_paths: bool = False, settings: Settings = SETTINGS) -> bytes:
    return asyncio.run(read_source(source, allow_paths=allow_paths, settings=settings))


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "an image #1.png"
    path.write_bytes(png())
    return path


@pytest.fixture
def origin() -> Iterator[str]:
    """The ``host:port`` of a server that answers ``/image.png`` with one and everything else with 404."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/image.png"
            self.send_response(200 if found else 404)
            self.end_headers()
            self.wfile.write(png() if found else b"not here")

        def log_message(self, *_: object) -> None:
            """Do not log."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


# storing


def test_ingest_stores_what_was_given(tmp_path: Path) -> None:
    for store in (MemoryImageStore(), FileImageStore(tmp_path)):
        image = asyncio.run(ingest(png(), store, allow_paths=False, settings=SETTINGS))
        assert (image.media_type, image.width, image.height) == ("image/png", 30, 20)
        stored = store.get(image.id)
        assert image_id_of(stored) == image.id
        assert decode_stored(stored).tobytes() == Image.open(io.BytesIO(png())).tobytes()


def test_every_source_of_one_image_gives_one_id(image: Path, origin: str) -> None:
    store = MemoryImageStore()
    settings = Settings(allowed_hosts=(origin,))
    data_uri = "data:image/png;base64," + base64.b64encode(png()).decode()
    sources: list[bytes | str | Path] = [
        png(),
        data_uri,
        f"http://{origin}/image.png",
        image,
        str(image),
        image.as_uri(),
    ]
    made = [asyncio.run(ingest(source, store, allow_paths=True, settings=settings)) for source in sources]
    assert len(set(made)) == 1
    assert len(store.ids()) == 1


def test_decoded_image_is_handed_on_once_it_is_stored() -> None:
    store = MemoryImageStore()
    kept: dict[str, Image.Image] = {}

    def keep(image_id: str, image: Image.Image) -> None:
        assert store.ids() == [image_id]
        kept[image_id] = image

    taken = asyncio.run(ingest(png(), store, allow_paths=False, settings=SETTINGS, keep=keep))
    assert kept[taken.id].tobytes() == decode_stored(store.get(taken.id)).tobytes()


def test_nothing_is_stored_of_a_bad_image() -> None:
    store = MemoryImageStore()
    kept: list[str] = []
    with pytest.raises(InputError):
        asyncio.run(
            ingest(
                b"<svg/>",
                store,
                allow_paths=False,
                settings=SETTINGS,
                keep=lambda image_id, _: kept.append(image_id),
            )
        )
    assert store.ids() == kept == []


# data URIs


@given(st.binary(max_size=300))
def test_data_uris_round_trip(data: bytes) -> None:
    packed = base64.b64encode(data).decode()
    assert read(f"data:image/png;base64,{packed}") == data
    assert read(f"DATA:;charset=x;BASE64,{quote(packed, safe='')}") == data
    assert read(f"data:,{quote(data)}") == data


@given(st.text(max_size=60))
def test_data_uris_never_fail_otherwise(body: str) -> None:
    for head in ("data:", "data:image/png;base64,", "data:image/png;base64"):
        try:
            read(head + body)
        except InputError:
            continue


@pytest.mark.parametrize(
    "uri", ["data:image/png;base64", "data:;base64,ab*c", "data:;base64,a", "data:;base64,a=bc"]
)
def test_broken_data_uris_are_reported(uri: str) -> None:
    with pytest.raises(InputError, match="data URL"):
        read(uri)


def test_base64_may_be_wrapped_and_unpadded() -> None:
    packed = base64.encodebytes(png()).decode().rstrip("=\n")
    assert read(f"data:image/png;base64,{packed}") == png()


@given(st.binary(max_size=400), st.integers(1, 9), st.sampled_from(["", "\n", " \t"]))
def test_base64_is_decoded_in_pieces(data: bytes, piece: int, space: str) -> None:
    packed = base64.b64encode(data).decode()
    text = space.join(packed[at : at + 7] for at in range(0, len(packed), 7)) + space
    with patch("promptvision.images.ingest._PIECE", piece):
        assert read(f"data:;base64,{text}") == data
        if packed.endswith("="):
            with pytest.raises(InputError, match="broken"):
                read(f"data:;base64,{text}AAAA")


def test_long_data_uris_are_base64() -> None:
    assert read("data:," + "%41" * 300_000) == b"A" * 300_000
    with pytest.raises(TooLarge, match="without base64"):
        read("data:image/png," + "%41" * 400_000)


def test_event_loop_runs_while_a_data_uri_is_decoded() -> None:
    uri = "data:;base64," + base64.b64encode(bytes(MAX_BYTES)).decode()

    async def main() -> int:
        reading = asyncio.create_task(read_source(uri, allow_paths=False, settings=SETTINGS))
        turns = 0
        while not reading.done():
            await asyncio.sleep(0)
            turns += 1
        assert len(await reading) == MAX_BYTES
        return turns

    assert asyncio.run(main()) > 3


def test_twenty_megabytes_is_the_limit_everywhere(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.touch()
    os.truncate(path, MAX_BYTES + 1)
    packed = base64.b64encode(bytes(MAX_BYTES + 3)).decode()
    for source in (bytes(MAX_BYTES + 1), f"data:;base64,{packed}", "data:," + "%00" * (MAX_BYTES + 1), path):
        with pytest.raises(TooLarge, match="20 MB"):
            read(source, allow_paths=True)
    assert len(read(bytes(MAX_BYTES))) == MAX_BYTES
    assert len(read("data:;base64," + base64.b64encode(bytes(MAX_BYTES)).decode())) == MAX_BYTES


# URLs


def test_private_hosts_need_to_be_allowed(origin: str) -> None:
    with pytest.raises(InputError, match=r"port \d+"):
        read(f"http://{origin}/image.png")
    assert read(f"http://{origin}/image.png", settings=Settings(allowed_hosts=(origin,))) == png()


def test_a_missing_image_is_reported_with_its_status(origin: str) -> None:
    with pytest.raises(InputError, match="404"):
        read(f"HTTP://{origin}/gone.png", settings=Settings(allowed_hosts=(origin,)))


# paths


def test_paths_need_permission(image: Path) -> None:
    for source in (
        image,
        str(image),
        image.as_uri(),
        "/etc/passwd",
        "~/x.png",
        "img_1",
        "",
        "file:etc",
    ):
        with pytest.raises(InputError, match="this kind of URL is not accepted"):
            read(source)


@pytest.mark.parametrize(
    "source", ["ftp://example.com/x.png", "s3://bucket/key", "gopher://x/", "javascript://x"]
)
def test_other_schemes_are_refused(source: str) -> None:
    with pytest.raises(InputError, match="scheme"):
        read(source, allow_paths=True)


def test_home_is_expanded(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(image.parent))
    assert read(f"~/{image.name}", allow_paths=True) == png()
    with pytest.raises(InputError, match="cannot be read"):
        read("~no-such-user-here/x.png", allow_paths=True)


def test_relative_paths_and_colons_in_names_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "12:30.png").write_bytes(png())
    (tmp_path / "ab:c.png").write_bytes(png())
    assert read("12:30.png", allow_paths=True) == read("ab:c.png", allow_paths=True) == png()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for source in (tmp_path / "gone.png", str(tmp_path / "gone.png"), (tmp_path / "gone.png").as_uri()):
        with pytest.raises(InputError, match=r"gone\.png: no such file"):
            read(source, allow_paths=True)


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for source in (tmp_path, tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(InputError, match="not a regular file"):
            read(source, allow_paths=True)


@pytest.mark.parametrize(
    "source", ["file://example.com/etc/passwd", "file://[/x", "a\0b", "x" * 5000, "", "file:"]
)
def test_odd_paths_are_input_errors(source: str) -> None:
    with pytest.raises(InputError):
        read(source, allow_paths=True)


def test_unreadable_files_are_input_errors(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image.chmod(0)
    if os.access(image, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(InputError, match="cannot be read"):
        read(image, allow_paths=True)
