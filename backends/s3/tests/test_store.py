"""The image store contract on a real S3 server, and tests specific to buckets."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import run
from sys import executable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from promptvision.plugin import ImageStore, Settings, SetupError, StoreError, image_id_of
from promptvision.testing import ImageStoreContract, Registry, Stopwatch, hostile_keys, new_image
from promptvision_s3.store import BucketImageStore

PNG = "image/png"


@pytest.fixture
def store(s3_server: Any) -> Iterator[ImageStore]:
    store = BucketImageStore("s3://images/some/folder", s3_server.variables.get)
    yield store
    store.close()


class TestBucketImageStore(ImageStoreContract):
    pass


def keys(server: Any, prefix: str = "") -> list[str]:
    found = server.client.list_objects_v2(Bucket="images", Prefix=prefix)
    return [entry["Key"] for entry in found.get("Contents", [])]


def test_key_is_the_hash_under_the_prefix(s3_server: Any) -> None:
    store = BucketImageStore("s3://images/keys/", s3_server.variables.get)
    stored = store.put(new_image("image/webp"), "image/webp")
    assert keys(s3_server, "keys/") == [f"keys/images/{stored.id[:2]}/{stored.id}.webp"]
    head = s3_server.client.head_object(Bucket="images", Key=keys(s3_server, "keys/")[0])
    assert head["ContentType"] == "image/webp"


def test_url_options_need_no_variables(s3_server: Any) -> None:
    variables = {name: value for name, value in s3_server.variables.items() if "KEY" in name}
    url = f"s3://images/options?endpoint={s3_server.endpoint}&region=us-east-1"
    store = BucketImageStore(url, variables.get)
    stored = store.put(new_image(), PNG)
    assert keys(s3_server, "options/") == [f"options/images/{stored.id[:2]}/{stored.id}.png"]


def key_of(data: bytes) -> str:
    return f"some/folder/images/{image_id_of(data)[:2]}/{image_id_of(data)}.png"


def test_intact_object_is_never_overwritten(s3_server: Any, store: ImageStore) -> None:
    data = new_image()
    s3_server.client.put_object(Bucket="images", Key=key_of(data), Body=data, Metadata={"put": "before"})
    store.put(data, PNG)
    found = s3_server.client.get_object(Bucket="images", Key=key_of(data))
    assert (found["Body"].read(), found["Metadata"]) == (data, {"put": "before"})


def test_intact_object_whose_etag_is_not_a_digest_is_read_and_kept(s3_server: Any, store: ImageStore) -> None:
    """The ETag of an object of several parts is not the MD5 of its bytes."""
    data, target = new_image(), {"Bucket": "images"}
    target["Key"] = key_of(data)
    upload = s3_server.client.create_multipart_upload(**target, Metadata={"put": "before"})["UploadId"]
    part = s3_server.client.upload_part(**target, PartNumber=1, UploadId=upload, Body=data)
    parts = {"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]}
    s3_server.client.complete_multipart_upload(**target, UploadId=upload, MultipartUpload=parts)
    store.put(data, PNG)
    assert s3_server.client.head_object(**target)["Metadata"] == {"put": "before"}
    assert store.get(image_id_of(data)) == data


@pytest.mark.parametrize("damage", [lambda data: b"x" * len(data), lambda data: data[:-1], lambda _: b""])
def test_damaged_object_is_repaired_by_putting_it_again(
    s3_server: Any, store: ImageStore, damage: Callable[[bytes], bytes]
) -> None:
    data = new_image()
    s3_server.client.put_object(Bucket="images", Key=key_of(data), Body=damage(data))
    with pytest.raises(StoreError, match="were changed"):
        store.get(image_id_of(data))
    stored = store.put(data, PNG)
    assert store.get(stored.id) == data
    assert s3_server.client.head_object(Bucket="images", Key=key_of(data))["ContentType"] == PNG


def test_image_that_another_process_put_since_stays(s3_server: Any, store: ImageStore) -> None:
    """Each store object keeps its own times, as in separate processes."""
    other = BucketImageStore("s3://images/some/folder", s3_server.variables.get)
    fresh, old = new_image(), new_image()
    began_at = time.time()
    other.put(fresh, PNG)
    store.delete(image_id_of(fresh), unless_put_since=began_at)
    assert store.get(image_id_of(fresh)) == fresh
    stored = store.put(old, PNG)
    time.sleep(1.1)  # the server counts whole seconds
    began_at = time.time()
    other.put(old, PNG)
    store.delete(stored.id, unless_put_since=began_at)
    assert store.get(stored.id) == old
    store.delete(stored.id)
    assert stored.id not in store.ids()
    assert not any(stored.id in key for key in keys(s3_server))


@pytest.mark.parametrize("moment", ["_read", "_remove"])
def test_put_of_another_process_during_a_removal(
    s3_server: Any, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    store, other = (BucketImageStore("s3://images/race", s3_server.variables.get) for _ in range(2))
    data = new_image()
    image_id = store.put(data, PNG).id
    store._put_at.clear()
    removal, puts = getattr(store, moment), list[object]()

    def interrupted(name: str) -> object:
        if not puts:
            time.sleep(max(0.0, since - time.time()))  # the server counts whole seconds
            puts.append(other.put(data, PNG))
        return removal(name)

    monkeypatch.setattr(store, moment, interrupted)
    since = time.time() + 1.2  # so that what was put above is older
    store.delete(image_id, unless_put_since=since)
    assert len(puts) == 1
    assert store.get(image_id) == data


def test_removal_between_two_steps_of_a_put(s3_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store, other = (BucketImageStore("s3://images/race", s3_server.variables.get) for _ in range(2))
    data = new_image()
    image_id = store.put(data, PNG).id
    touch = other._touch

    def interrupted(name: str) -> None:
        store.delete(image_id)
        assert not any(image_id in key for key in keys(s3_server))
        touch(name)

    monkeypatch.setattr(other, "_touch", interrupted)
    other.put(data, PNG)
    assert other.get(image_id) == data


def test_presigned_url_can_be_read_without_credentials_for_an_hour(store: ImageStore) -> None:
    data = new_image()
    url = store.url(store.put(data, PNG).id)
    query = parse_qs(urlsplit(url).query)
    assert query["X-Amz-Expires"] == ["3600"]
    assert query["X-Amz-SignedHeaders"] == ["host"]
    assert httpx.get(url).content == data


def test_azure_links_are_signed() -> None:
    azure = {"AZURE_STORAGE_ACCOUNT_NAME": "account", "AZURE_STORAGE_ACCOUNT_KEY": "a2V5"}
    url = BucketImageStore("az://container/folder", azure.get)._link("ab.png")
    assert url.startswith("https://account.blob.core.windows.net/container/folder/images/ab/ab.png?")
    assert "sig=" in url


def test_age_is_read_from_the_bucket(s3_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store = BucketImageStore("s3://images/age", s3_server.variables.get)
    stored = store.put(new_image(), PNG)
    now = time.time()
    monkeypatch.setattr("promptvision.images.store.time.time", lambda: now + 3700)
    assert store.ids(older_than_s=3600) == [stored.id]


def test_foreign_objects_are_not_listed(s3_server: Any) -> None:
    store = BucketImageStore("s3://images/foreign", s3_server.variables.get)
    for name in (
        "readme.txt",
        "images/aa/readme.txt",
        f"images/aa/{'a' * 64}.svg",
        f"imagesaa/{'a' * 64}.png",
    ):
        s3_server.client.put_object(Bucket="images", Key=f"foreign/{name}", Body=b"x")
    assert store.ids() == []


def test_two_prefixes_do_not_see_each_other(s3_server: Any) -> None:
    one = BucketImageStore("s3://images/one", s3_server.variables.get)
    other = BucketImageStore("s3://images/one/more", s3_server.variables.get)
    stored = one.put(new_image(), PNG)
    other.delete(stored.id)
    assert (one.ids(), other.ids()) == ([stored.id], [])


def test_more_images_than_one_page_of_a_listing(s3_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "10")
    names = [f"{number:064x}" for number in range(35)]
    for name in names:
        s3_server.client.put_object(Bucket="images", Key=f"many/images/00/{name}.png", Body=b"x")
    assert BucketImageStore("s3://images/many", s3_server.variables.get).ids() == names


def test_hostile_keys_send_no_request(s3_server: Any, caplog: pytest.LogCaptureFixture) -> None:
    store = BucketImageStore("s3://images/hostile", s3_server.variables.get)
    with caplog.at_level(logging.INFO, logger="werkzeug"):
        for key in hostile_keys():
            store.delete(key)
        assert not caplog.records  # the server logs every request that reaches it
        store.put(new_image(), PNG)
        assert caplog.records


def test_server_that_is_down_is_a_quick_retryable_error() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        variables = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{unused.getsockname()[1]}",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "geheim",
        }
        store = BucketImageStore("s3://images", variables.get)
        for ask in (lambda: store.put(b"x", PNG), lambda: store.get("a" * 64), store.ids):
            watch = Stopwatch()
            with pytest.raises(StoreError, match="s3://images") as caught:
                ask()
            assert caught.value.retryable
            assert "geheim" not in str(caught.value)
            assert "\n" not in str(caught.value)
            assert watch.seconds < 3


def test_missing_bucket_is_not_worth_retrying(s3_server: Any) -> None:
    store = BucketImageStore("s3://nowhere", s3_server.variables.get)
    with pytest.raises(StoreError, match="no such bucket") as put:
        store.put(b"x", PNG)
    with pytest.raises(StoreError, match="NoSuchBucket") as listed:
        store.ids()
    assert not put.value.retryable
    assert not listed.value.retryable


@pytest.mark.parametrize(
    "url",
    [
        "s3:",
        "s3://",
        "s3:///folder",
        "s3://key:secret@bucket",
        "ftp://bucket",
        "s3://bucket#part",
        "s3://bucket?secret_access_key=x",
        "az://container",
    ],
)
def test_unusable_url_is_a_setup_error(url: str) -> None:
    with pytest.raises(SetupError, match="images: "):
        BucketImageStore(url, lambda _: None)


def test_chosen_by_url(s3_server: Any, tmp_path: Path) -> None:
    settings = Settings.from_mapping(
        {"PROMPTVISION_HOME": str(tmp_path), "PROMPTVISION_IMAGES": "s3://images/x", **s3_server.variables}
    )
    store = Registry.load(settings).make_image_store()
    assert isinstance(store, BucketImageStore)
    assert store.get(store.put(b"by url", PNG).id) == b"by url"


def test_plugin_imports_no_sdk() -> None:
    code = "import promptvision_s3.plugin, sys; assert 'obstore' not in sys.modules"
    run([executable, "-c", code], check=True, timeout=60)
