"""``promptvision store``: copy to other stores, and delete old or unused data."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from promptvision.cli.output import say

if TYPE_CHECKING:
    from promptvision.conversations.turn import Conversation
    from promptvision.plugins.registry import Registry

__all__ = ["store"]

CURRENT = "current"
_EVERY_S = 2.0


@dataclass(frozen=True)
class CopyEnd:
    """One end of a copy: URLs of its stores. Empty means the configured store, None means no store."""

    conversations: str | None = None
    images: str | None = None


class Progress:
    """Prints the progress of a copy on stderr every few seconds."""

    def __init__(self) -> None:
        self._said_at = time.monotonic()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Report the number of copied items."""
        if time.monotonic() - self._said_at >= _EVERY_S:
            self._said_at = time.monotonic()
            say(f"{what}: {done} of {total}")


@click.group()
def store() -> None:
    """Copy conversations and images, and delete old ones."""


@store.command()
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
def copy(source: str, target: str) -> int:
    """Copy everything from one store to another of the same kind.

    FROM and TO are the URL of a conversation store, of an image store, or both with a comma between them;
    `current` means the stores that are set now. Stop the server first. The copy can be interrupted and
    repeated: existing data is not copied again, and copied data is read back and compared.
    """
    registry = _registry()
    begin, end = _parse_end(registry, source), _parse_end(registry, target)
    if not _pairs(begin, end, lenient=CURRENT in (source, target)):
        raise click.UsageError(
            "FROM and TO must name stores of the same kinds: conversations, images or both"
        )
    if begin.conversations is not None and end.conversations is not None:
        click.echo(
            f"conversations: {_copy_conversations(registry, begin, end)} moved, all read back the same"
        )
    if begin.images is not None and end.images is not None:
        click.echo(f"images: {_copy_images(registry, begin, end)} moved, all read back the same")
    return 0


def _registry() -> Registry:
    from promptvision.plugins.registry import Registry
    from promptvision.settings import load_settings

    return Registry.load(load_settings())


def _parse_end(registry: Registry, text: str) -> CopyEnd:
    if text == CURRENT:
        return CopyEnd("", "")
    found: dict[str, str] = {}
    for url in text.split(","):
        kind = _kind(registry, url)
        if kind in found:
            raise click.UsageError(f"{text!r} names two stores for {kind}")
        found[kind] = url
    return CopyEnd(**found)


def _kind(registry: Registry, url: str) -> str:
    scheme, colon, _ = url.partition(":")
    kinds = {
        "conversations": {name for factory in registry.conversation_stores for name in factory.schemes},
        "images": {name for factory in registry.image_stores for name in factory.schemes},
    }
    fitting = [kind for kind, schemes in kinds.items() if colon and scheme in schemes]
    if len(fitting) != 1:  # memory: is a scheme of both kinds
        known = "; ".join(f"{kind}: {', '.join(sorted(schemes))}" for kind, schemes in kinds.items())
        raise click.UsageError(f"{scheme!r} is not a scheme of a store. Known for {known}")
    return fitting[0]


def _pairs(begin: CopyEnd, end: CopyEnd, *, lenient: bool) -> bool:
    """Check that both ends name the same kinds of store; `current` adopts the kinds of the other end."""
    kinds = [(begin.conversations, end.conversations), (begin.images, end.images)]
    if any(one is not None and one == other for one, other in kinds):
        raise click.UsageError("FROM and TO are the same store")
    if lenient:
        return any(one is not None and other is not None for one, other in kinds)
    return all((one is None) == (other is None) for one, other in kinds)


def _copy_conversations(registry: Registry, begin: CopyEnd, end: CopyEnd) -> int:
    from promptvision.conversations.transfer import copy_conversations

    with (
        closing(registry.make_conversation_store(begin.conversations)) as source,
        closing(registry.make_conversation_store(end.conversations)) as target,
    ):
        return copy_conversations(source, target, Progress())


def _copy_images(registry: Registry, begin: CopyEnd, end: CopyEnd) -> int:
    from promptvision.conversations.transfer import copy_images

    with (
        closing(registry.make_image_store(begin.images)) as source,
        closing(registry.make_image_store(end.images)) as target,
    ):
        return copy_images(source, target, Progress())


@store.command()
@click.option("--dry-run", is_flag=True, help="Only list what would be deleted.")
@click.option(
    "--older-than",
    type=click.FloatRange(min=0, min_open=True),
    metavar="DAYS",
    help="Delete conversations unused for this many days; default: PROMPTVISION_RETENTION_DAYS, else none.",
)
def gc(dry_run: bool, older_than: float | None) -> int:
    """Delete old conversations and unused images.

    Images that a user has uploaded are kept, and so is every image younger than an hour.
    """
    from promptvision.conversations.retention import MIN_AGE_S, collect, find_unreferenced

    registry = _registry()
    days = older_than or registry.settings.retention_days
    min_age_s = max(MIN_AGE_S, 2 * registry.settings.turn_timeout_s)
    with (
        closing(registry.make_conversation_store()) as conversations,
        closing(registry.make_image_store()) as images,
    ):
        unreferenced = find_unreferenced(conversations, images, days=days, min_age_s=min_age_s)
        everything: Iterable[Conversation | str] = [*unreferenced.conversations, *unreferenced.images]
        count = 0
        for one in everything if dry_run else collect(conversations, images, unreferenced):
            click.echo(_described(one))
            count += 1
    say(f"{count} would be deleted" if dry_run else f"{count} deleted")
    return 0


def _described(one: Conversation | str) -> str:
    return f"image {one}" if isinstance(one, str) else f"conversation {one.id} of {one.user_id}: {one.title}"
