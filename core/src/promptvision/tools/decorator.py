"""The ten-line way to write a tool: a plain function, its signature and its docstring."""

from __future__ import annotations

import asyncio
import inspect
import typing
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import Field, create_model

from promptvision.tools.artifacts import image_fields, plain_type
from promptvision.tools.context import EDIT, ToolContext
from promptvision.tools.requirements import Requirements
from promptvision.tools.tool import Args, Operation, Phrase, Result, Tool
from promptvision.types import ImageRef

__all__ = ["tool"]


def tool(
    *,
    phrases: Sequence[Phrase | str] = (),
    name: str | None = None,
    priority: int = 50,
    requires: Requirements | None = None,
    limits: str = "",
    cacheable: bool = True,
) -> Callable[[Callable[..., Any]], Tool]:
    """Make a :class:`Tool` of a function.

    A parameter annotated ``Image`` receives the decoded image and is a handle for the planner; one
    annotated ``ToolContext`` receives the context and is hidden; every other parameter is an argument with
    its annotation, default and the description from the docstring's ``Args`` section. A returned ``Image``
    is stored and becomes ``<name>_image_url``; a returned :class:`Result` is the result as it stands; any
    other value becomes ``<name>_result``. An ``async def`` function is awaited on the event loop, where it
    must not block: use it for what waits for a network, and a plain one, which gets a thread, for all else.

    Args:
        phrases: words that ask for it, for planners without an LLM; ``{parameter}`` is a slot.
        name: default: the function's name.
        priority: see :class:`Tool`.
        requires: see :class:`Tool`.
        limits: see :class:`Tool`.
        cacheable: see :class:`Tool`.

    Raises:
        ValueError: the function lacks a docstring, an annotation or a usable name, or takes arguments by
            position only or in any number.
    """

    def make(function: Callable[..., Any]) -> Tool:
        tool_name = name or function.__name__
        hints = _read_annotations(tool_name, function)
        summary, described = _read_docstring(function)
        if "return" not in hints:
            raise ValueError(f"tool {tool_name!r}: say after '->' what it returns, be it None")
        args = _args_model(tool_name, function, hints, described)
        result = _result_model(tool_name, hints["return"])
        runner = _AsyncRunner if inspect.iscoroutinefunction(function) else _Runner
        operation = Operation(
            name=tool_name, description=summary, args=args, result=result, phrases=tuple(phrases)
        )
        return Tool(
            name=tool_name,
            operation=operation,
            run=runner(function, hints, result, tool_name),
            priority=priority,
            requires=requires or Requirements(),
            limits=limits,
            cacheable=cacheable,
        )

    return make


def _read_annotations(name: str, function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except NameError as exc:
        raise ValueError(
            f"tool {name!r}: {exc}; import what annotations name at the top of the module, and not under "
            "TYPE_CHECKING"
        ) from exc


def _read_docstring(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    import docstring_parser

    text = inspect.getdoc(function)
    if not text:
        raise ValueError(f"tool {function.__name__!r} needs a docstring: it is what the LLM reads")
    parsed = docstring_parser.parse(f"\n{text}")  # else "Args:" in the first line is taken for prose
    body = _one_line(f"{parsed.short_description or ''} {parsed.long_description or ''}")
    return body, {param.arg_name: _one_line(param.description or "") for param in parsed.params}


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _is_image(annotation: Any) -> bool:
    from PIL.Image import Image

    return plain_type(annotation) is Image


def _reference(annotation: Any) -> Any:
    """The type of the handle that stands for an image: optional when the image is."""
    return ImageRef if plain_type(annotation) is annotation else ImageRef | None


def _is_context(annotation: Any) -> bool:
    return annotation is ToolContext


def _args_model(
    name: str, function: Callable[..., Any], hints: dict[str, Any], described: dict[str, str]
) -> type[Args]:
    fields: dict[str, Any] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name not in hints:
            raise ValueError(f"tool {name!r}: parameter {parameter.name!r} needs a type annotation")
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise ValueError(f"tool {name!r}: parameter {parameter!s} cannot be given by name")
        annotation = hints[parameter.name]
        if _is_context(annotation):
            continue
        if _is_image(annotation):
            annotation = _reference(annotation)
        default = ... if parameter.default is parameter.empty else parameter.default
        description = described.get(parameter.name) or parameter.name.replace("_", " ")
        fields[parameter.name] = (annotation, Field(default, description=description))
    return create_model(f"{name}_args", __base__=Args, __module__=function.__module__, **fields)


def _result_model(name: str, annotation: Any) -> type[Result]:
    if isinstance(annotation, type) and issubclass(annotation, Result):
        return annotation
    fields: dict[str, Any] = {"original_image_url": (ImageRef | None, None)}
    if _is_image(annotation):
        reference = _reference(annotation)
        fields[f"{name}_image_url"] = (reference, ... if reference is ImageRef else None)
    elif annotation is not type(None):
        fields[f"{name}_result"] = (annotation, ...)
    return create_model(f"{name}_result", __base__=Result, __module__=__name__, **fields)


class _Runner:
    """Calls the function with decoded images and wraps what it returns."""

    def __init__(
        self, function: Callable[..., Any], hints: dict[str, Any], result: type[Result], name: str
    ) -> None:
        self._function = function
        self._images = {key for key, hint in hints.items() if key != "return" and _is_image(hint)}
        self._contexts = {key for key, hint in hints.items() if key != "return" and _is_context(hint)}
        self._result = result
        self._name = name
        self.__doc__ = function.__doc__
        self.__wrapped__ = function

    def __call__(self, args: Args, context: ToolContext) -> Any:
        return self._wrap(self._function(**self._values(args, context)), args, context)

    def _values(self, args: Args, context: ToolContext) -> dict[str, Any]:
        values = dict(vars(args))
        for key in self._images:
            if values[key] is not None:
                values[key] = context.open(values[key])
        for key in self._contexts:
            values[key] = context
        return values

    def _wrap(self, value: Any, args: Args, context: ToolContext) -> Result:
        if isinstance(value, Result):
            return value
        found = [getattr(args, key) for key in image_fields(type(args))]
        original: ImageRef | None = next((ref for ref in found if ref is not None), None)
        fields: dict[str, Any] = {"original_image_url": original}
        if _is_picture(value):
            fields[f"{self._name}_image_url"] = context.save(value, kind=EDIT, parent=original)
        elif value is not None:
            fields[f"{self._name}_result"] = value
        return self._result.model_validate(fields)


class _AsyncRunner(_Runner):
    """The same for a coroutine function: images are read and written in a thread."""

    async def __call__(self, args: Args, context: ToolContext) -> Any:
        if self._images:
            values = await asyncio.to_thread(self._values, args, context)
        else:
            values = self._values(args, context)
        value = await self._function(**values)
        if _is_picture(value):
            return await asyncio.to_thread(self._wrap, value, args, context)
        return self._wrap(value, args, context)


def _is_picture(value: Any) -> bool:
    from PIL.Image import Image

    return isinstance(value, Image)
