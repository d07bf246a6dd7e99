"""Hook implementations of promptvision-cloudinary."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import Field, SecretStr

from promptvision.plugin import ImageStore, Section, Settings, StoreFactory, hookimpl

PLUGIN_API = 1


class CloudinarySection(Section):
    """The Cloudinary image store."""

    cloud_name: str | None = Field(None, alias="CLOUDINARY_NAME", description="Name of the cloud.")
    api_key: SecretStr | None = Field(None, alias="CLOUDINARY_API_KEY", description="API key of the account.")
    api_secret: SecretStr | None = Field(
        None, alias="CLOUDINARY_API_SECRET", description="API secret of the account."
    )
    cloudinary_folder: str = Field("promptvision", description="Folder of the images in the cloud.")
    cloudinary_delivery: Literal["public", "signed"] = Field(
        "public", description="Whether images are delivered by public or by signed URLs."
    )


def _create(url: str, settings: Settings) -> ImageStore:
    from promptvision_cloudinary.store import CloudinaryImageStore

    return CloudinaryImageStore(url, settings.value)


def _default_url(settings: Settings) -> str | None:
    names = ("CLOUDINARY_NAME", "CLOUDINARY_API_KEY", "CLOUDINARY_API_SECRET")
    return "cloudinary:" if all(settings.value(name) for name in names) else None


@hookimpl
def promptvision_image_stores() -> Iterable[StoreFactory[ImageStore]]:
    """Cloudinary, by URL or by its usual variables."""
    return [
        StoreFactory(name="cloudinary", schemes=("cloudinary",), create=_create, default_url=_default_url)
    ]


@hookimpl
def promptvision_settings() -> Iterable[type[Section]]:
    """The account, the folder and the delivery type."""
    return [CloudinarySection]
