"""Images in Cloudinary: raw assets named ``<folder>/<sha256>.<extension>``.

They are stored as *raw* assets, not as images. Cloudinary may deliver an image differently from the upload
(default quality, default format and stripped metadata are settings of the account), but delivered bytes must
match their hash. Raw assets are delivered byte for byte, with the media type of their extension, so browsers
still show them. The drawback: no transformations by Cloudinary.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

import cloudinary.api  # type: ignore[import-untyped]
import cloudinary.exceptions  # type: ignore[import-untyped]
import cloudinary.uploader  # type: ignore[import-untyped]
import cloudinary.utils  # type: ignore[import-untyped]
import httpx
import urllib3

from promptvision.plugin import (
    MAX_STORED_BYTES,
    NotFound,
    ObjectImageStore,
    ObjectName,
    StoreError,
    retry_store_call,
)
from promptvision_cloudinary.account import read_account

__all__ = ["CloudinaryImageStore"]

T = TypeVar("T")

CONNECT_TIMEOUT_S = 3.0
READ_TIMEOUT_S = 30.0
PAUSES_S = (0.2, 0.8)
"""Waiting times before the second and the third try, in seconds."""
PATIENCE_S = 10.0
"""No new try starts after this many seconds."""
PAGE = 500
MAX_PAGES = 10_000


class CloudinaryImageStore(ObjectImageStore):
    """Images in one folder of a Cloudinary account.

    The SDK receives only bytes: it would open a string as a file or fetch it as a URL.

    Args:
        url: ``cloudinary:``, or ``cloudinary://key:secret@name``.
        setting: looks up a variable, such as ``CLOUDINARY_NAME``.

    Raises:
        SetupError: the account is not known.
    """

    def __init__(self, url: str, setting: Callable[[str], str | None]) -> None:
        super().__init__()
        self._account = read_account(url, setting)
        self._where = f"cloudinary {self._account.cloud_name}/{self._account.folder}"
        self._reader = httpx.Client(timeout=httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S))

    def _create(self, name: ObjectName, data: bytes, media_type: str) -> bool:
        asset = self._upload(name, data, overwrite=False)
        if asset.get("existing"):
            # A process that is removing the asset sees this, or the next upload sees that it is gone.
            self._upload(_touch_name(name), b"1", overwrite=True)
            asset = self._upload(name, data, overwrite=False)
        return self._is_right(asset, name, data) or (bool(asset.get("existing")) and self._holds(name, data))

    def _uploaded_at(self, name: ObjectName) -> float | None:
        """When an asset was last uploaded, in seconds since the epoch; None if it does not exist."""
        try:
            asset = self._call(cloudinary.api.resource, self._public_id(name))
        except StoreError as exc:
            if isinstance(exc.__cause__, cloudinary.exceptions.NotFound):
                return None
            raise
        # its version is the time of the last upload, also of one that replaced another
        return max(datetime.fromisoformat(asset["created_at"]).timestamp(), float(asset.get("version", 0)))

    def _last_put(self, name: ObjectName) -> float:
        uploaded_at = self._uploaded_at(name)
        if uploaded_at is None:
            raise NotFound(f"images: {self._where}: no such asset")
        return max(uploaded_at, self._last_repeated_put(name))

    def _last_repeated_put(self, name: ObjectName) -> float:
        """The time of a small asset that is uploaded when an image is put again."""
        return self._uploaded_at(_touch_name(name)) or 0.0

    def _delete_repeated_put(self, name: ObjectName) -> None:
        self._call(cloudinary.uploader.destroy, self._public_id(_touch_name(name)), invalidate=True)

    def _overwrite(self, name: ObjectName, data: bytes, media_type: str) -> None:
        asset = self._upload(name, data, overwrite=True, invalidate=True)
        if not self._is_right(asset, name, data):
            raise StoreError(f"images: {self._where}: {name} was stored with another name or other bytes")

    def _upload(self, name: ObjectName, data: bytes, **options: object) -> dict[str, Any]:
        return self._call(
            cloudinary.uploader.upload,
            io.BytesIO(data),
            public_id=self._public_id(name),
            filename=name,
            unique_filename=False,
            **options,
        )

    def _is_right(self, asset: dict[str, Any], name: ObjectName, data: bytes) -> bool:
        """Whether an asset has the name and the bytes; its ``etag`` is their MD5."""
        digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
        expected = (self._public_id(name), len(data), digest)
        return (asset.get("public_id"), asset.get("bytes"), asset.get("etag")) == expected

    def _read(self, name: ObjectName) -> bytes:
        return _with_retries(lambda: self._fetch("GET", name)[1])

    def _size(self, name: ObjectName) -> int:
        return _with_retries(lambda: self._fetch("HEAD", name)[0])

    def _link(self, name: ObjectName) -> str:
        url, _ = cloudinary.utils.cloudinary_url(
            self._public_id(name),
            resource_type="raw",
            type=self._account.kind,
            sign_url=self._account.is_signed,
            **self._account.credentials,
        )
        return str(url)

    def _remove(self, name: ObjectName) -> None:
        gone = self._call(cloudinary.uploader.destroy, self._public_id(name), invalidate=True)
        if gone.get("result") == "not found":
            raise NotFound(f"images: {self._where}: no such asset")

    def _objects(self) -> Iterable[tuple[ObjectName, float]]:
        folder, cursor = f"{self._account.folder}/", None
        for _ in range(MAX_PAGES):
            page = self._call(cloudinary.api.resources, prefix=folder, max_results=PAGE, next_cursor=cursor)
            for asset in page["resources"]:
                made_at = datetime.fromisoformat(asset["created_at"])
                yield asset["public_id"].removeprefix(folder), made_at.timestamp()
            cursor = page.get("next_cursor")
            if cursor is None:
                return
        raise StoreError(f"images: {self._where}: the listing has no end")

    def close(self) -> None:
        """Release connections."""
        super().close()
        self._reader.close()

    def _public_id(self, name: ObjectName) -> str:
        return f"{self._account.folder}/{name}"

    def _call(self, function: Callable[..., Any], *arguments: object, **options: object) -> dict[str, Any]:
        """Call the SDK for a raw asset, with this account's credentials, a time limit and retries."""

        def once() -> dict[str, Any]:
            for argument in arguments:
                if isinstance(argument, io.BytesIO):
                    argument.seek(0)
            with self._converted():
                return dict(
                    function(
                        *arguments,
                        resource_type="raw",
                        type=self._account.kind,
                        timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=READ_TIMEOUT_S),
                        **options,
                        **self._account.credentials,
                    )
                )

        return _with_retries(once)

    def _fetch(self, method: str, name: ObjectName) -> tuple[int, bytes]:
        """Size and, for GET, bytes of an asset, from its delivery URL."""
        with (
            self._converted(),
            self._reader.stream(method, self._link(name), headers={"Accept-Encoding": "identity"}) as answer,
        ):
            if answer.status_code == httpx.codes.NOT_FOUND:
                raise NotFound(f"images: {self._where}: no such asset")
            if answer.status_code != httpx.codes.OK:
                retryable = answer.status_code in (420, 429) or answer.status_code >= 500
                raise StoreError(
                    f"images: {self._where}: delivery answers {answer.status_code}", retryable=retryable
                )
            if answer.headers.get("content-encoding", "identity").lower() != "identity":
                raise StoreError(f"images: {self._where}: {name} was delivered compressed")
            data = io.BytesIO()
            for chunk in answer.iter_raw():
                data.write(chunk)
                if data.tell() > MAX_STORED_BYTES:
                    raise StoreError(f"images: {self._where}: {name} is larger than any image stored here")
            return int(answer.headers.get("content-length", data.tell())), data.getvalue()

    @contextmanager
    def _converted(self) -> Iterator[None]:
        """Convert errors of the SDK and of httpx to those of promptvision."""
        try:
            yield
        except (StoreError, NotFound):
            raise
        except (cloudinary.exceptions.AuthorizationRequired, cloudinary.exceptions.NotAllowed) as exc:
            hint = "check CLOUDINARY_NAME, CLOUDINARY_API_KEY and CLOUDINARY_API_SECRET"
            raise StoreError(f"images: {self._where}: {_error_text(exc)}", hint=hint) from exc
        except (
            cloudinary.exceptions.BadRequest,
            cloudinary.exceptions.NotFound,
            cloudinary.exceptions.AlreadyExists,
        ) as exc:
            raise StoreError(f"images: {self._where}: {_error_text(exc)}") from exc
        except Exception as exc:  # the SDK raises plain Exception for an unknown status
            raise StoreError(f"images: {self._where}: {_error_text(exc)}", retryable=True) from exc


def _with_retries(work: Callable[[], T]) -> T:
    return retry_store_call(work, pauses_s=PAUSES_S, patience_s=PATIENCE_S)


def _touch_name(name: ObjectName) -> str:
    return f"touched/{name}.txt"


def _error_text(exc: Exception) -> str:
    return f"{type(exc).__name__}: {' '.join(str(exc).split())[:300]}"
