"""Hook implementations of promptvision-cloudinary."""

from __future__ import annotations

from collections.abc import Iterable

from promptvision.plugin import ImageStore, Settings, StoreFactory, hookimpl

PLUGIN_API = 1


def _create(url: str, settings: Settings) -> ImageStore:
    from promptvision_cloudinary.store import CloudinaryImageStore

    return CloudinaryImageStore(url, settings.value)


def _default_url(settings: Settings) -> str | None:
    names = ("CLOUDINARY_NAME", "CLOUDINARY_API_KEY", "CLOUDINARY_API_SECRET")
    return "cloudinary:" if all(settings.value(name) for name in names) else None


@hookimpl
def promptvision_image_stores() -> Iterable[StoreFactory[ImageStore]]:
    """Cloudinary, by URL or because its established variables are set."""
    return [
        StoreFactory(name="cloudinary", schemes=("cloudinary",), create=_create, default_url=_default_url)
    ]
