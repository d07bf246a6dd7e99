"""The arguments of a call: images from handles, boxes in pixels, and the checks of the tool's model."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from promptvision.agent.calls.request import OperationRequest
from promptvision.errors import ArgumentsError
from promptvision.images.handles import ImageTable
from promptvision.tools.artifacts import field_names, image_fields
from promptvision.tools.boxes import box_fields, read_boxes
from promptvision.tools.context import INPUT, MASK
from promptvision.tools.tool import Args, Tool
from promptvision.types import ImageRef, MaskRef

__all__ = ["ArgumentReader", "is_empty"]


class ArgumentReader:
    """Reads the arguments of calls in one conversation.

    Args:
        table: the conversation's images.
    """

    def __init__(self, table: ImageTable) -> None:
        self._table = table

    def read(self, tool: Tool, request: OperationRequest) -> tuple[dict[str, Any], str | None]:
        """The given arguments with the current image where none is named, and the id of the image.

        Raises:
            ArgumentsError: an image or a box cannot be used, or there is no image yet.
        """
        values = {name: value for name, value in request.values.items() if not is_empty(value)}
        fields = image_fields(tool.args)
        if not fields:
            return values, None
        if fields[0] not in values and tool.args.model_fields[fields[0]].is_required():
            values[fields[0]] = self._current()
        image = self._resolve(values.get(fields[0]))
        if image is not None:
            self._read_boxes(tool, values, image, request)
        return values, image

    def validate(self, tool: Tool, values: dict[str, Any]) -> Args:
        """The arguments as the tool's model; those that it does not have are left out.

        Raises:
            ArgumentsError: an argument is wrong or missing; the cause is pydantic's error.
        """
        names = field_names(tool.args)
        known = {name: value for name, value in values.items() if name in names}
        try:
            args = tool.args.model_validate(known, context={"resolve": self._table.resolve})
        except ValidationError as exc:
            raise ArgumentsError([_problem(error) for error in exc.errors()]) from exc
        for name, value in vars(args).items():
            if isinstance(value, MaskRef):
                self._check_mask(name, value)
        return args

    def _current(self) -> ImageRef:
        current = self._table.current
        if current is None:
            raise ArgumentsError("there is no image in this conversation yet; send one with the request")
        return ImageRef(current.image_id)

    def _resolve(self, value: Any) -> str | None:
        if isinstance(value, ImageRef):
            return value.id
        if not isinstance(value, str):
            return None
        try:
            return self._table.resolve(value)
        except ValueError as exc:
            raise ArgumentsError(f"image: {exc}") from exc

    def _read_boxes(self, tool: Tool, values: dict[str, Any], image: str, request: OperationRequest) -> None:
        """Replace boxes, in whatever form they were written, by boxes in pixels."""
        size = next(((r.width, r.height) for r in self._table.records if r.image_id == image), None)
        for name, is_list in box_fields(tool.args).items():
            if size is None or name not in values:
                continue
            boxes, notes = read_boxes(values[name], size, name=name)
            request.messages.extend(notes)
            if not is_list and len(boxes) > 1:
                raise ArgumentsError(f"{name}: give one box, not {len(boxes)}")
            values[name] = boxes if is_list else boxes[0]

    def _check_mask(self, name: str, mask: MaskRef) -> None:
        kinds = {record.kind for record in self._table.records if record.image_id == mask.id}
        if kinds and not kinds & {MASK, INPUT}:
            raise ArgumentsError(
                f"{name}: {self._table.show(mask)} is not a mask; leave it out or give a mask"
            )


def is_empty(value: Any) -> bool:
    """Whether a value counts as not given: None, an empty text or an empty list."""
    return value is None or value in ("", [])


def _problem(error: Any) -> str:
    """One line for one field: what is wrong and what is allowed."""
    where = ".".join(str(part) for part in error["loc"]) or "arguments"
    if error["type"] == "missing":
        return f"{where}: is needed"
    return f"{where}: {error['msg'].removeprefix('Value error, ')}"
