"""Prompts for common tasks, which a client shows in its menu."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import mcp_types as types
from mcp.shared.exceptions import MCPError

__all__ = ["get_prompt", "list_prompts"]

_ARGUMENTS = {
    "image": "The image: its handle, path or https URL; default: the current one.",
    "thing": "The target, such as 'the red ball'.",
    "replacement": "What should be there instead.",
    "question": "What to find out.",
}
_MAX_CHARS = 2000


@dataclass(frozen=True)
class _Job:
    title: str
    text: str
    needs: tuple[str, ...] = ()


_JOBS = {
    "remove_background": _Job("Remove the background", "remove the background"),
    "remove_object": _Job("Remove something", "remove {thing}", ("thing",)),
    "replace_object": _Job(
        "Replace something", "replace {thing} with {replacement}", ("thing", "replacement")
    ),
    "black_and_white": _Job("Make it black and white", "make it black and white"),
    "find_objects": _Job("Find something", "find {thing}", ("thing",)),
    "read_text": _Job("Read the text", "read the text"),
    "describe": _Job("Describe the image", "describe the image"),
}


def list_prompts() -> list[types.Prompt]:
    """All prompts."""
    return [
        types.Prompt(
            name=name,
            title=job.title,
            description=f"{job.title} in an image, and show the result.",
            arguments=[
                types.PromptArgument(name=one, description=_ARGUMENTS[one], required=one in job.needs)
                for one in (*job.needs, "image")
            ],
        )
        for name, job in _JOBS.items()
    ]


def get_prompt(name: str, arguments: Mapping[str, str] | None) -> types.GetPromptResult:
    """One prompt with its arguments filled in.

    Raises:
        MCPError: there is no such prompt, or an argument is missing or too long.
    """
    job, given = _JOBS.get(name), arguments or {}
    if job is None:
        raise MCPError(types.INVALID_PARAMS, f"no prompt {name[:64]!r}; the prompts are: {', '.join(_JOBS)}")
    if missing := [need for need in job.needs if not given.get(need, "").strip()]:
        raise MCPError(types.INVALID_PARAMS, f"prompt {name!r}: arguments missing: {', '.join(missing)}")
    if any(len(value) > _MAX_CHARS for value in given.values()):
        raise MCPError(types.INVALID_PARAMS, f"an argument is over {_MAX_CHARS} characters")
    sentence = job.text.format(**{need: given[need].strip() for need in job.needs})
    image = given.get("image", "").strip()
    where = f" and image {image!r}" if image else ""
    text = f"Call the tool `do` with the prompt {sentence!r}{where}, then show me the result."
    message = types.PromptMessage(role="user", content=types.TextContent(text=text))
    return types.GetPromptResult(description=job.title, messages=[message])
