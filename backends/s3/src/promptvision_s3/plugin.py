"""Hook implementations of promptvision-s3."""

from __future__ import annotations

from collections.abc import Iterable

from promptvision.plugin import ImageStore, Settings, StoreFactory, hookimpl

PLUGIN_API = 1


def _create(url: str, settings: Settings) -> ImageStore:
    from promptvision_s3.store import BucketImageStore

    return BucketImageStore(url, settings.value)


def _no_default(settings: Settings) -> None:
    return None


@hookimpl
def promptvision_image_stores() -> Iterable[StoreFactory[ImageStore]]:
    """Buckets, if ``PROMPTVISION_IMAGES`` names one."""
    return [StoreFactory(name="bucket", schemes=("s3", "gs", "az"), create=_create, default_url=_no_default)]
