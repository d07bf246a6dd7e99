"""Results of earlier steps that later steps can use: boxes, masks and the types of plugins."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from promptvision.tools.artifacts import image_fields, link_types, target_field
from promptvision.tools.tool import Args, Result
from promptvision.types import MaskRef

__all__ = ["Artifact", "Artifacts", "same_target"]

_DETERMINER = re.compile(r"^(?:(?:the|a|an|this|that|these|those|my)\s+)+")


@dataclass(frozen=True)
class Artifact:
    """A typed value made from an image.

    Args:
        kind: its type, such as ``MaskRef`` or ``list[Box]``.
        value: the value.
        image_id: the image it was made from.
        target: the target that was searched for, if it is known and the value certainly shows it.
        is_selection: whether the user selected it by hand; such an artifact matches every target.
    """

    kind: Any
    value: Any
    image_id: str
    target: str | None
    is_selection: bool = False


def same_target(one: str, other: str) -> bool:
    """Whether two noun phrases are equal, ignoring case, spaces, articles and a final dot."""
    return _plain(one) == _plain(other)


def _is_of(artifact: Artifact, target: str) -> bool:
    return artifact.target is not None and same_target(artifact.target, target)


def _plain(text: str) -> str:
    return _DETERMINER.sub("", " ".join(text.casefold().split()).strip(" .!?"))


class Artifacts:
    """The artifacts of one conversation, in the order they were made."""

    def __init__(self) -> None:
        self._made: list[Artifact] = []

    def add(self, args: Args, result: Result) -> None:
        """Add the results of a finished step."""
        fields = image_fields(type(args))
        image = getattr(args, fields[0]) if fields else None
        if image is None:
            return
        target = self._target_of(args) if result.is_certain else None
        for name, kind in link_types(type(result)).items():
            value = getattr(result, name)
            if value is not None and value != []:
                self._made.append(Artifact(kind, value, image.id, target))
        self._carry_over(args, result)

    def select(self, kind: Any, value: Any, image_id: str) -> None:
        """Add the user's selection; it takes precedence over results of earlier steps from the image."""
        self._made.append(Artifact(kind, value, image_id, None, is_selection=True))

    @property
    def has_selection(self) -> bool:
        """Whether the user selected something by hand."""
        return any(artifact.is_selection for artifact in self._made)

    def _carry_over(self, args: Args, result: Result) -> None:
        """Let a later request that means *it* use the mask of an edit on the edited image."""
        if not args.keeps_target:
            return
        masks = [
            value for name in link_types(type(args)) if isinstance(value := getattr(args, name), MaskRef)
        ]
        for name in image_fields(type(result)):
            edited = getattr(result, name)
            if edited is not None and edited != getattr(args, name, None):
                self._made += [Artifact(MaskRef, mask, edited.id, None) for mask in masks]

    def newest(self, kind: Any, image_id: str, target: str | None) -> Artifact | None:
        """The newest artifact of a type from an image, limited to one target if that is given.

        A selection of the user counts for every target and hides what was made before it.
        """
        is_selected = False
        for artifact in reversed(self._made):
            if artifact.image_id != image_id or (is_selected and not artifact.is_selection):
                continue
            is_selected = artifact.is_selection
            if artifact.kind != kind:
                continue
            if (
                is_selected
                or target is None
                or (artifact.target is not None and same_target(artifact.target, target))
            ):
                return artifact
        return None

    def _target_of(self, args: Args) -> str | None:
        """The target of a step, from its arguments or from an artifact among them."""
        name = target_field(type(args))
        if name is not None and (target := getattr(args, name)) is not None:
            return str(target)
        for field, kind in link_types(type(args)).items():
            value = getattr(args, field)
            for artifact in reversed(self._made):
                if artifact.kind == kind and artifact.value == value:
                    return artifact.target
        return None
