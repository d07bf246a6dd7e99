"""Handles (short names) of a conversation's images, and the origin of each image."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from promptvision.types import ImageRef

__all__ = ["ImageKind", "ImageRecord", "ImageTable"]

_HANDLE = re.compile(r"\[?\s*img_0*([1-9][0-9]{0,8})\s*\]?", re.ASCII | re.IGNORECASE)
_MENTION = re.compile(r"img_0*([1-9][0-9]{0,8})", re.ASCII | re.IGNORECASE)

ImageKind = Literal["input", "edit", "annotated", "mask"]
"""The kind of an image. Only ``input`` and ``edit`` images can be the current image of the next request."""

_SUBJECTS = ("input", "edit")
_LISTED = 20


@dataclass(frozen=True, kw_only=True)
class ImageRecord:
    """One row of a conversation's image table.

    Args:
        number: ``img_<number>`` is the handle; counts from 1 in each conversation.
        image_id: SHA-256 of the stored bytes.
        kind: ``input``, ``edit``, ``annotated`` or ``mask``.
        parent: number of the image it was made from, if any.
        maker: operation that made it; empty for an image the user sent.
        width, height: in pixels.
        turn_seq: the turn it appeared in.
    """

    number: int
    image_id: str
    kind: ImageKind
    parent: int | None
    maker: str
    width: int
    height: int
    turn_seq: int = 0

    @property
    def handle(self) -> str:
        """The short name that planners use."""
        return f"img_{self.number}"


class ImageTable:
    """The images of one conversation, by handle.

    For a long conversation the table may be partial: the newest images, and older ones that are used.

    Args:
        records: existing images of the conversation, including the newest.
    """

    def __init__(self, records: Iterable[ImageRecord] = ()) -> None:
        self._records: dict[int, ImageRecord] = {}  # by number, ascending
        self._newest: dict[str, ImageRecord] = {}
        self._last = 0
        if records:
            self.include(records)

    def include(self, records: Iterable[ImageRecord]) -> None:
        """Add existing images of the conversation."""
        held = {**self._records, **{record.number: record for record in records}}
        self._records = dict(sorted(held.items()))
        self._newest = {record.image_id: record for record in self._records.values()}
        self._last = max(held, default=0)

    @property
    def is_whole(self) -> bool:
        """Whether the table contains all images of the conversation."""
        return len(self._records) == self._last

    def is_missing(self, text: str) -> bool:
        """Whether the text mentions the handle of an image that is missing in the table."""
        numbers = map(int, _MENTION.findall(text)) if not self.is_whole else ()
        return any(number <= self._last and number not in self._records for number in numbers)

    @property
    def records(self) -> list[ImageRecord]:
        """All images, by number."""
        return list(self._records.values())

    def add(
        self,
        image_id: str,
        kind: ImageKind,
        parent_id: str | None,
        maker: str,
        width: int,
        height: int,
        turn_seq: int,
    ) -> ImageRecord:
        """Add an image under the next free number.

        Args:
            image_id: SHA-256 of the stored bytes; the same image may be added again.
            kind: ``input``, ``edit``, ``annotated`` or ``mask``.
            parent_id: image id of the image it was made from; its newest record becomes the parent.
            maker: operation that made it; empty for an image the user gave.
            width, height: in pixels.
            turn_seq: the turn it appears in.
        """
        parent = self._newest.get(parent_id) if parent_id else None
        record = ImageRecord(
            number=self._last + 1,
            image_id=image_id,
            kind=kind,
            parent=parent.number if parent else None,
            maker=maker,
            width=width,
            height=height,
            turn_seq=turn_seq,
        )
        self._last += 1
        self._records[record.number] = record
        self._newest[image_id] = record
        return record

    def resolve(self, text: str) -> str:
        """The image id behind a handle. Never follows a URL, a path or a raw id.

        Args:
            text: ``img_3``; spaces, capitals and one pair of square brackets around it are accepted.

        Raises:
            ValueError: it is not a handle of this conversation; the message lists those that are.
        """
        match = _HANDLE.fullmatch(text.strip())
        record = self._records.get(int(match[1])) if match else None
        if record is None:
            raise ValueError(f"{text[:40]!r} is not an image of this conversation; {self._choices()}")
        return record.image_id

    def _choices(self) -> str:
        if not self._records:
            return "it has no images yet"
        handles = [record.handle for record in self.records]
        shown = handles if len(handles) <= _LISTED else [*handles[:1], "...", *handles[1 - _LISTED :]]
        return "use one of " + ", ".join(shown)

    def show(self, ref: ImageRef) -> str:
        """The newest handle of an image; its id if it is not in the conversation."""
        record = self._newest.get(ref.id)
        return record.handle if record else ref.id

    @property
    def current(self) -> ImageRecord | None:
        """The image that "this" refers to: the newest one that the user sent or an edit made."""
        for record in reversed(self._records.values()):
            if record.kind in _SUBJECTS:
                return record
        return None

    def current_at(self, turn_seq: int) -> ImageRecord | None:
        """What was current when a turn began: an image sent with it, else the newest of the turns before."""
        for record in reversed(self._records.values()):
            if record.kind in _SUBJECTS and (record.turn_seq < turn_seq or not record.maker):
                return record
        return None

    def lineage(self, number: int) -> list[ImageRecord]:
        """An image and its ancestors, back to the original.

        Raises:
            ValueError: no image has this number.
        """
        if number not in self._records:
            raise ValueError(f"img_{number} is not an image of this conversation; {self._choices()}")
        line = [self._records[number]]
        while (parent := line[-1].parent) in self._records and parent < line[-1].number:
            line.append(self._records[parent])
        return line

    def lines(self, limit: int = 4000) -> list[str]:
        """The table as text for a planner, one image per line, oldest first.

        Args:
            limit: maximum number of characters; the newest images are kept, and the first line counts the
                rest.
        """
        current = self.current
        kept: list[str] = []
        for record in reversed(self.records):
            line = _line(record) + (" (current)" if record is current else "")
            limit -= len(line) + 1
            if limit < 0:
                break
            kept.append(line)
        left_out = self._last - len(kept)
        return [*([f"({left_out} older not shown)"] if left_out else []), *reversed(kept)]


def _line(record: ImageRecord) -> str:
    origin = record.maker or "given by the user"
    source = f" from img_{record.parent}" if record.parent else ""
    return f"{record.handle} {record.kind} {record.width}x{record.height} {origin}{source}"
