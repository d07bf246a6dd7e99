"""The image store contract on a fake Cloudinary, and tests specific to Cloudinary."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from subprocess import run
from sys import executable
from typing import Any, Protocol

import httpx
import pytest

from promptvision.plugin import ImageStore, NotFound, Settings, SetupError, StoreError, image_id_of
from promptvision.testing import ImageStoreContract, Registry, Stopwatch, hostile_keys, new_image
from promptvision_cloudinary import store as store_module
from promptvision_cloudinary.fake import FakeCloudinary, fake_cloudinary
from promptvision_cloudinary.store import CloudinaryImageStore

PNG = "image/png"
SIGNED = {"PROMPTVISION_CLOUDINARY_DELIVERY": "signed"}


@pytest.fixture(scope="session")
def shared_fake() -> Iterator[FakeCloudinary]:
    with fake_cloudinary() as fake:
        yield fake


@pytest.fixture
def fake(shared_fake: FakeCloudinary) -> FakeCloudinary:
    for seen in (shared_fake.assets, shared_fake.requests, shared_fake.faults, shared_fake.fetches):
        seen.clear()
    return shared_fake


class OpenStore(Protocol):
    def __call__(self, url: str | None = None, **variables: str) -> CloudinaryImageStore: ...


@pytest.fixture
def open_store(fake: FakeCloudinary) -> Iterator[OpenStore]:
    """Opens stores on the fake, or at another URL, and closes them at the end."""
    with ExitStack() as stack:

        def opened(url: str | None = None, **variables: str) -> CloudinaryImageStore:
            store = CloudinaryImageStore(url or fake.url, {**fake.variables, **variables}.get)
            return stack.enter_context(closing(store))

        yield opened


@pytest.fixture
def store(open_store: OpenStore) -> ImageStore:
    return open_store()


class TestPublicCloudinaryImageStore(ImageStoreContract):
    pass


class TestSignedCloudinaryImageStore(ImageStoreContract):
    @pytest.fixture
    def store(self, open_store: OpenStore) -> ImageStore:
        return open_store(**SIGNED)


def aged(fake: FakeCloudinary) -> float:
    """Make all assets ten seconds older; return the time of five seconds ago."""
    for key, (data, made_at) in fake.assets.items():
        fake.assets[key] = (data, made_at - 10)
    return time.time() - 5


def test_image_that_another_process_put_since_stays(open_store: OpenStore, fake: FakeCloudinary) -> None:
    """Each store object keeps its own times, as in separate processes."""
    store, other = open_store(), open_store()
    data = new_image()
    image_id = other.put(data, PNG).id
    store.delete(image_id, unless_put_since=time.time() - 5)
    assert store.get(image_id) == data
    since = aged(fake)
    other.put(data, PNG)
    store.delete(image_id, unless_put_since=since)
    assert store.get(image_id) == data
    store.delete(image_id, unless_put_since=aged(fake))
    assert fake.assets == {}


@pytest.mark.parametrize("moment", ["_read", "_remove", "_last_repeated_put"])
def test_put_of_another_process_during_a_removal(
    open_store: OpenStore, fake: FakeCloudinary, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    store, other = open_store(), open_store()
    data = new_image()
    image_id = store.put(data, PNG).id
    since = aged(fake)
    store._put_at.clear()
    removal, puts = getattr(store, moment), list[object]()

    def interrupted(name: str) -> object:
        if not puts and (
            moment != "_last_repeated_put" or not any(image_id in key for _, key in fake.assets)
        ):
            puts.append(other.put(data, PNG))
        return removal(name)

    monkeypatch.setattr(store, moment, interrupted)
    store.delete(image_id, unless_put_since=since)
    assert len(puts) == 1
    assert other.get(image_id) == store.get(image_id) == data


def test_removal_between_two_steps_of_a_put(
    open_store: OpenStore, fake: FakeCloudinary, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, other = open_store(), open_store()
    data = new_image()
    image_id = store.put(data, PNG).id
    since = aged(fake)
    store._put_at.clear()
    upload = other._upload

    def interrupted(name: str, data: bytes, **options: object) -> dict[str, Any]:
        if name.startswith("touched/"):
            store.delete(image_id, unless_put_since=since)
            assert fake.assets == {}
        return upload(name, data, **options)

    monkeypatch.setattr(other, "_upload", interrupted)
    other.put(data, PNG)
    assert other.get(image_id) == data


@pytest.fixture(autouse=True)
def no_long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "PAUSES_S", (0.01, 0.02))


def test_asset_is_named_by_folder_and_hash(open_store: OpenStore, fake: FakeCloudinary) -> None:
    data = new_image("image/jpeg")
    for variables, kind, folder in (
        ({}, "upload", "promptvision"),
        ({"PROMPTVISION_CLOUDINARY_FOLDER": "team/lions"}, "upload", "team/lions"),
        (SIGNED, "authenticated", "promptvision"),
    ):
        fake.assets.clear()
        open_store(**variables).put(data, "image/jpeg")
        assert list(fake.assets) == [(kind, f"{folder}/{image_id_of(data)}.jpg")]


@pytest.mark.parametrize("has_etag", [True, False])
def test_intact_asset_is_never_overwritten(
    fake: FakeCloudinary, store: ImageStore, monkeypatch: pytest.MonkeyPatch, has_etag: bool
) -> None:
    """Without a digest in the answer, the asset is read and compared."""
    data = new_image()
    key = ("upload", f"promptvision/{image_id_of(data)}.png")
    fake.assets[key] = (data, 1.0)
    answer = fake.upload
    if not has_etag:
        monkeypatch.setattr(fake, "upload", lambda *given: {**answer(*given), "etag": None})
    store.put(data, PNG)
    assert fake.assets[key] == (data, 1.0)
    # uploaded, noted as put again, uploaded again in case it was removed meanwhile
    assert [request.split()[0] for request in fake.requests] == ["POST"] * 3 + ["HEAD", "GET"] * (
        not has_etag
    )


@pytest.mark.parametrize("damage", [lambda data: b"x" * len(data), lambda data: data[:-1], lambda _: b""])
def test_damaged_asset_is_repaired_by_putting_it_again(
    fake: FakeCloudinary, store: ImageStore, damage: Callable[[bytes], bytes]
) -> None:
    data = new_image()
    key = ("upload", f"promptvision/{image_id_of(data)}.png")
    fake.assets[key] = (damage(data), 0.0)
    with pytest.raises(StoreError, match="were changed"):
        store.get(image_id_of(data))
    stored = store.put(data, PNG)
    assert fake.assets[key][0] == store.get(stored.id) == data


def test_asset_that_is_stored_with_other_bytes_is_an_error(
    fake: FakeCloudinary, store: ImageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = fake.upload
    monkeypatch.setattr(fake, "upload", lambda kind, fields, data: answer(kind, fields, data[:-1]))
    with pytest.raises(StoreError, match="another name or other bytes"):
        store.put(new_image(), PNG)


def test_readers_get_the_bytes_with_their_type_from_the_url(
    open_store: OpenStore, fake: FakeCloudinary
) -> None:
    data = new_image("image/webp")
    for variables in ({}, SIGNED):
        answer = httpx.get(open_store(**variables).url(open_store(**variables).put(data, "image/webp").id))
        assert (answer.content, answer.headers["content-type"]) == (data, "image/webp")


def test_signed_asset_cannot_be_read_without_its_signature(
    open_store: OpenStore, fake: FakeCloudinary
) -> None:
    store = open_store(**SIGNED)
    url = store.url(store.put(new_image(), PNG).id)
    start, _, rest = url.partition("/s--")
    assert rest
    assert httpx.get(start + rest[rest.index("/") :]).status_code == 401
    assert httpx.get(f"{start}/s--AAAAAAAA--{rest[rest.index('/') :]}").status_code == 401


def test_delivery_url_is_https_on_the_real_host(open_store: OpenStore) -> None:
    variables = {"CLOUDINARY_NAME": "Demo", "CLOUDINARY_API_KEY": "k", "CLOUDINARY_API_SECRET": "s"}
    url = open_store("cloudinary:", **variables)._link("ab.png")
    assert url == "https://res.cloudinary.com/Demo/raw/upload/v1/promptvision/ab.png"
    signed = open_store("cloudinary://k:s@Demo", **SIGNED)._link("ab.png")
    assert signed.startswith("https://res.cloudinary.com/Demo/raw/authenticated/s--")


def test_hostile_keys_send_no_request(fake: FakeCloudinary, store: ImageStore) -> None:
    for key in hostile_keys():
        for ask in (store.get, store.stat, store.url):
            with pytest.raises(NotFound):
                ask(key)
        store.delete(key)
    assert fake.requests == []


@pytest.mark.parametrize("source", ["/etc/passwd", "http://127.0.0.1:9/x.png", "s3://bucket/key"])
def test_uploader_receives_only_bytes(fake: FakeCloudinary, store: ImageStore, source: str) -> None:
    """The SDK would open a string as a file or fetch it; the store never passes one."""
    with pytest.raises(TypeError):
        store.put(source, PNG)  # type: ignore[arg-type]
    stored = store.put(source.encode(), PNG)
    assert fake.assets["upload", f"promptvision/{stored.id}.png"][0] == source.encode()
    assert fake.fetches == []


def test_fake_rejects_wrong_secrets(open_store: OpenStore, fake: FakeCloudinary) -> None:
    for name in ("CLOUDINARY_API_SECRET", "CLOUDINARY_API_KEY"):
        store = open_store(**{name: "wrong"})
        for ask in (lambda store=store: store.put(b"x", PNG), store.ids):
            with pytest.raises(StoreError, match="CLOUDINARY_API_SECRET") as caught:
                ask()
            assert not caught.value.retryable
    assert fake.assets == {}


@pytest.mark.parametrize("fault", [500, 502, 503, 420, 429, 0])
def test_transient_fault_is_retried(fake: FakeCloudinary, store: ImageStore, fault: int) -> None:
    data = new_image()
    fake.faults[:] = [fault, fault]
    stored = store.put(data, PNG)
    fake.faults[:] = [fault, fault]
    assert store.get(stored.id) == data
    fake.faults[:] = [fault]
    assert store.ids() == [stored.id]
    assert len(fake.assets) == 1


def test_upload_that_succeeded_although_its_answer_was_lost_is_one_asset(
    fake: FakeCloudinary, store: ImageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T21: the same content-hash id again, one object."""
    keep = fake.upload

    def keep_and_break(kind: str, fields: dict[str, str], data: bytes) -> dict[str, object]:
        monkeypatch.setattr(fake, "upload", keep)
        keep(kind, fields, data)
        raise ConnectionAbortedError

    monkeypatch.setattr(fake, "upload", keep_and_break)
    data = new_image()
    stored = store.put(data, PNG)
    assert [public_id for _, public_id in fake.assets if "touched" not in public_id] == [
        f"promptvision/{stored.id}.png"
    ]
    # repeated, which finds it; then as for any image that is there already
    assert [request.split()[0] for request in fake.requests] == ["POST"] * 4
    assert store.get(stored.id) == data


def test_lasting_fault_ends_after_three_tries(fake: FakeCloudinary, store: ImageStore) -> None:
    fake.faults[:] = [503] * 20
    with pytest.raises(StoreError, match="fault 503") as caught:
        store.put(new_image(), PNG)
    assert caught.value.retryable
    assert len(fake.requests) == 3


def test_rejected_request_is_not_retried(fake: FakeCloudinary, store: ImageStore) -> None:
    fake.faults[:] = [400]
    with pytest.raises(StoreError) as caught:
        store.put(new_image(), PNG)
    assert not caught.value.retryable
    assert len(fake.requests) == 1


def test_host_that_is_down_is_a_quick_retryable_error(open_store: OpenStore, fake: FakeCloudinary) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        here = f"127.0.0.1:{unused.getsockname()[1]}"
        url = f"cloudinary:?upload_prefix=http://{here}&cname={here}&secure=false"
        store = open_store(url)
        for ask in (lambda: store.put(b"x", PNG), lambda: store.get("a" * 64), store.ids):
            watch = Stopwatch()
            with pytest.raises(StoreError, match="cloudinary test-cloud") as caught:
                ask()
            assert caught.value.retryable
            assert fake.api_secret not in str(caught.value)
            assert watch.seconds < 2


def test_silent_host_times_out(
    open_store: OpenStore, fake: FakeCloudinary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "READ_TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        here = f"127.0.0.1:{silent.getsockname()[1]}"
        url = f"cloudinary:?upload_prefix=http://{here}&cname={here}&secure=false"
        store = open_store(url)
        for ask in (lambda: store.put(b"x", PNG), lambda: store.get("a" * 64)):
            watch = Stopwatch()
            with pytest.raises(StoreError) as caught:
                ask()
            assert caught.value.retryable
            assert watch.seconds < 3


def test_endless_asset_is_not_read_to_its_end(
    fake: FakeCloudinary, store: ImageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "MAX_STORED_BYTES", 1000)
    fake.assets["upload", f"promptvision/{'a' * 64}.png"] = (b"x" * 2000, 0.0)
    with pytest.raises(StoreError, match="larger than any image"):
        store.get("a" * 64)


def test_listing_has_pages_and_leaves_out_foreign_assets(
    fake: FakeCloudinary, store: ImageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "PAGE", 10)
    names = [f"{number:064x}" for number in range(25)]
    for name in names:
        fake.assets["upload", f"promptvision/{name}.png"] = (b"x", 0.0)
    for foreign in ("promptvision/logo.png", f"other/{'a' * 64}.png", f"promptvision/sub/{'a' * 64}.png"):
        fake.assets["upload", foreign] = (b"x", 0.0)
    assert store.ids(older_than_s=3600) == names
    assert len(fake.requests) == 3


@pytest.mark.parametrize(
    ("url", "variables", "named"),
    [
        ("cloudinary:", {}, "CLOUDINARY_NAME, CLOUDINARY_API_KEY, CLOUDINARY_API_SECRET not set"),
        ("cloudinary://key@name", {}, "CLOUDINARY_API_SECRET not set"),
        ("cloudinary://k:geheim@name?api_secret=x", {}, "unknown option"),
        ("cloudinary://k:geheim@name", {"PROMPTVISION_CLOUDINARY_FOLDER": "../up"}, "CLOUDINARY_FOLDER"),
        ("cloudinary://k:geheim@name", {"PROMPTVISION_CLOUDINARY_FOLDER": "a//b"}, "CLOUDINARY_FOLDER"),
        ("cloudinary://k:geheim@name", {"PROMPTVISION_CLOUDINARY_DELIVERY": "x"}, "public or signed"),
    ],
)
def test_unusable_settings_are_a_setup_error(url: str, variables: dict[str, str], named: str) -> None:
    with pytest.raises(SetupError, match=named) as caught:
        CloudinaryImageStore(url, variables.get)
    assert "geheim" not in str(caught.value)


def test_established_variables_alone_choose_it(fake: FakeCloudinary, tmp_path: Path) -> None:
    home = {"PROMPTVISION_HOME": str(tmp_path)}
    chosen = Registry.load(Settings.from_mapping({**home, **fake.variables})).make_image_store()
    assert isinstance(chosen, CloudinaryImageStore)
    chosen.close()
    two = {name: value for name, value in fake.variables.items() if name != "CLOUDINARY_API_SECRET"}
    assert not isinstance(
        Registry.load(Settings.from_mapping({**home, **two})).make_image_store(), CloudinaryImageStore
    )


def test_plugin_imports_no_sdk() -> None:
    code = "import promptvision_cloudinary.plugin, sys; assert not {'cloudinary', 'httpx'} & set(sys.modules)"
    run([executable, "-c", code], check=True, timeout=60)
