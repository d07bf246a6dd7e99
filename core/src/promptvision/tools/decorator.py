"""Create a tool from a plain function, its signature and its docstring."""

from __future__ import annotations

import functools
import inspect
import sys
import typing
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, Generic, ParamSpec, TypeVar, overload

from pydantic import Field, TypeAdapter, ValidationError, create_model
from pydantic.errors import PydanticSchemaGenerationError

from promptvision.errors import PluginError
from promptvision.tools.artifacts import image_fields, plain_type
from promptvision.tools.context import EDIT, ToolContext
from promptvision.tools.requirements import Requirements
from promptvision.tools.tool import Args, Operation, Phrase, Result, Tool, check_phrases
from promptvision.types import ImageRef

__all__ = ["ToolFunction", "ToolLike", "as_tool", "decorated_tools", "tool"]

P = ParamSpec("P")
R = TypeVar("R")


class ToolFunction(Generic[P, R]):
    """A function decorated with :func:`tool`: it stays callable; ``tool`` is its :class:`Tool`."""

    __name__: str

    def __init__(self, function: Callable[P, R], made: Tool) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self.tool = made

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function itself, without the tool."""
        return self._function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<tool {self.tool.name!r} of {self.__module__}>"


ToolLike = Tool | ToolFunction[..., Any]
"""A tool or a decorated function, accepted wherever a tool is passed."""


def as_tool(offered: ToolLike) -> Tool:
    """The tool of a decorated function; a tool is returned unchanged."""
    return offered.tool if isinstance(offered, ToolFunction) else offered


def decorated_tools(module: ModuleType) -> list[Tool]:
    """Tools of the decorated functions in a module, also those imported from its own package."""
    package = module.__name__.partition(".")[0]
    found = {
        id(value): value.tool
        for value in vars(module).values()
        if isinstance(value, ToolFunction) and value.__module__.partition(".")[0] == package
    }
    return list(found.values())


@overload
def tool(function: Callable[P, R], /) -> ToolFunction[P, R]: ...


@overload
def tool(
    *,
    phrases: Sequence[Phrase | str] = (),
    name: str | None = None,
    priority: int = 50,
    requires: Requirements | None = None,
    limits: str = "",
    cacheable: bool = True,
    leaves_machine: bool = False,
    costs_money: bool = False,
) -> Callable[[Callable[P, R]], ToolFunction[P, R]]: ...


def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    phrases: Sequence[Phrase | str] = (),
    name: str | None = None,
    priority: int = 50,
    requires: Requirements | None = None,
    limits: str = "",
    cacheable: bool = True,
    leaves_machine: bool = False,
    costs_money: bool = False,
) -> Any:
    """Create a tool from a function. Use it bare (``@tool``) or with options (``@tool(priority=60)``).

    A parameter annotated ``Image`` receives the decoded image and is a handle for the planner; one annotated
    ``ToolContext`` receives the context and is hidden; every other parameter is an argument with its
    annotation, default and the description from the docstring's ``Args`` section. A returned ``Image`` is
    stored and becomes ``<name>_image_url``; a returned :class:`Result` is used unchanged; any other value
    becomes ``<name>_result``. An ``async def`` function is awaited on the event loop, where it must not
    block: use it for network requests, and a plain function, which runs in a thread, for everything else.

    The decorated function stays callable. Decorated functions in a plugin's module are its tools; no hook
    is needed for them.

    Args:
        function: the function, if the decorator is used bare.
        phrases: words that request it, for planners without an LLM; ``{parameter}`` is a slot.
        name: default: the function's name.
        priority: see :class:`Tool`.
        requires: see :class:`Tool`.
        limits: see :class:`Tool`.
        cacheable: see :class:`Tool`.
        leaves_machine: see :class:`Tool`.
        costs_money: see :class:`Tool`.

    Raises:
        TypeError: an option has the wrong type.
        ValueError: the function has no docstring, an annotation or a valid name is missing, or it has
            positional-only or variadic parameters.
    """

    def make(function: Callable[..., Any]) -> ToolFunction[..., Any]:
        if not inspect.isroutine(function):
            raise TypeError(
                f"@tool: {function!r:.80} is not a function; write @tool or @tool(name=...) above a 'def'"
            )
        tool_name = name or function.__name__
        hints = _read_annotations(tool_name, function)
        summary, described = _read_docstring(tool_name, function)
        if "return" not in hints:
            raise ValueError(
                f"tool {tool_name!r}: the return annotation is missing; write what it returns after '->', "
                "'-> None' for nothing"
            )
        args = _args_model(tool_name, function, hints, described)
        result = _result_model(tool_name, hints["return"])
        runner = _AsyncRunner if inspect.iscoroutinefunction(function) else _Runner
        operation = Operation(
            name=tool_name,
            description=summary,
            args=args,
            result=result,
            phrases=check_phrases(f"tool {tool_name!r}", phrases),
        )
        made = Tool(
            name=tool_name,
            operation=operation,
            run=runner(function, hints, result, tool_name),
            priority=priority,
            requires=Requirements() if requires is None else requires,
            limits=limits,
            cacheable=cacheable,
            leaves_machine=leaves_machine,
            costs_money=costs_money,
        )
        return ToolFunction(function, made)

    return make if function is None else make(function)


def _read_annotations(name: str, function: Callable[..., Any]) -> dict[str, Any]:
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except NameError as exc:
        raise ValueError(
            f"tool {name!r}: {exc}; import what annotations name at the top of the module, and not under "
            "TYPE_CHECKING"
        ) from exc
    except TypeError as exc:
        raise ValueError(f"tool {name!r}: an annotation is not a type: {exc}") from exc
    for parameter, hint in hints.items():
        if isinstance(hint, ModuleType):
            raise ValueError(
                f"tool {name!r}: {_place(parameter)} is annotated with the module {hint.__name__}, "
                "not a type; write 'from promptvision.plugin import Image' and annotate it with Image"
            )
        if parameter != "return" and not _is_image(hint) and _holds_image(hint):
            raise ValueError(
                f"tool {name!r}: {_place(parameter)} holds images inside another type; an image argument is "
                "Image or Image | None; declare several parameters, or take list[ImageRef] and use "
                "ToolContext.open"
            )
    return hints


def _place(parameter: str) -> str:
    return "the return value" if parameter == "return" else f"parameter {parameter!r}"


def _holds_image(hint: Any) -> bool:
    return _is_image(hint) or any(_holds_image(part) for part in typing.get_args(hint))


def _read_docstring(name: str, function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    import docstring_parser

    text = inspect.getdoc(function)
    if not text:
        raise ValueError(f"tool {name!r} needs a docstring: the LLM reads it to choose a tool")
    parsed = docstring_parser.parse(f"\n{text}")  # else "Args:" in the first line is taken for prose
    body = _one_line(f"{parsed.short_description or ''} {parsed.long_description or ''}")
    return body, {param.arg_name: _one_line(param.description or "") for param in parsed.params}


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _is_image(annotation: Any) -> bool:
    from PIL.Image import Image

    return plain_type(annotation) is Image


def _reference(annotation: Any) -> Any:
    """The type of an image's handle: optional when the image is."""
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
        if isinstance(default, bytes | bytearray):
            raise ValueError(
                f"tool {name!r}: parameter {parameter.name!r} has a default of type "
                f"{type(default).__name__}, which JSON cannot hold; use str, a number, a bool, a list or None"
            )
        description = described.get(parameter.name) or parameter.name.replace("_", " ")
        fields[parameter.name] = (annotation, Field(default=default, description=description))
    return _create(name, f"{name}_args", Args, function.__module__, fields)


def _create(name: str, model: str, base: type[Any], module: str, fields: dict[str, Any]) -> type[Any]:
    """Create a pydantic model; errors name the tool, the parameter and its type.

    Raises:
        ValueError: pydantic has no schema for a type.
    """
    try:
        made: type[Any] = create_model(model, __base__=base, __module__=module, **fields)
    except PydanticSchemaGenerationError as exc:
        for field, (annotation, _) in fields.items():
            if not _has_schema(annotation):
                where = "the return value" if base is Result else f"parameter {field!r}"
                raise ValueError(
                    f"tool {name!r}: {where} has the type {_type_name(annotation)}, which JSON cannot hold; "
                    "use str, int, float, bool, Literal, a list or dict of these, a pydantic model, or Image"
                ) from exc
        raise ValueError(f"tool {name!r}: {exc}".splitlines()[0]) from exc
    return made


def _has_schema(annotation: Any) -> bool:
    try:
        TypeAdapter(annotation)
    except PydanticSchemaGenerationError:
        return False
    return True


def _type_name(annotation: Any) -> str:
    return annotation.__qualname__ if isinstance(annotation, type) else str(annotation)


def _result_model(name: str, annotation: Any) -> type[Result]:
    if isinstance(annotation, type) and issubclass(annotation, Result):
        return annotation
    fields: dict[str, Any] = {"original_image_url": (ImageRef | None, None)}
    if _is_image(annotation):
        reference = _reference(annotation)
        fields[f"{name}_image_url"] = (reference, ... if reference is ImageRef else None)
    elif annotation is not type(None):
        fields[f"{name}_result"] = (annotation, ...)
    return _create(name, f"{name}_result", Result, __name__, fields)


class _Runner:
    """Calls the function with decoded images and wraps its result."""

    def __init__(
        self, function: Callable[..., Any], hints: dict[str, Any], result: type[Result], name: str
    ) -> None:
        self._function = function
        self._images = {key for key, hint in hints.items() if key != "return" and _is_image(hint)}
        self._contexts = {key for key, hint in hints.items() if key != "return" and _is_context(hint)}
        self._result = result
        self._returns = hints["return"]
        self._name = name
        self.__doc__ = function.__doc__
        self.__wrapped__ = function

    def __call__(self, args: Args, context: ToolContext) -> Any:
        value = self._function(**self._values(args, context))
        return self._wrap(value, args, context, is_image=_is_image_object(value))

    def _values(self, args: Args, context: ToolContext) -> dict[str, Any]:
        values = dict(vars(args))
        for key in self._images:
            if values[key] is not None:
                values[key] = context.open(values[key])
        for key in self._contexts:
            values[key] = context
        return values

    def _wrap(self, value: Any, args: Args, context: ToolContext, *, is_image: bool) -> Result:
        if isinstance(value, self._result):
            return value
        given = [ref for key in image_fields(type(args)) if (ref := getattr(args, key)) is not None]
        original: ImageRef | None = given[0] if given else None
        fields: dict[str, Any] = {"original_image_url": original}
        if is_image:
            fields[f"{self._name}_image_url"] = context.save(value, kind=EDIT, parent=original)
        elif value is not None:
            fields[f"{self._name}_result"] = value
        try:
            return self._result.model_validate(fields)
        except ValidationError as exc:
            raise PluginError(
                f"tool {self._name!r}",
                f"it returned {_shown(value)}, but is annotated '-> {_type_name(self._returns)}': "
                f"{_faults(exc)}",
                hint="correct the return value or the annotation",
            ) from exc


class _AsyncRunner(_Runner):
    """Calls a coroutine function; images are read and written in a thread."""

    async def __call__(self, args: Args, context: ToolContext) -> Any:
        if self._images:
            values = await _in_thread(lambda: self._values(args, context))
        else:
            values = self._values(args, context)
        value = await self._function(**values)
        if _is_image_object(value):
            return await _in_thread(lambda: self._wrap(value, args, context, is_image=True))
        return self._wrap(value, args, context, is_image=False)


async def _in_thread(work: Callable[[], R]) -> R:
    import asyncio

    return await asyncio.to_thread(work)


def _shown(value: Any) -> str:
    return "None" if value is None else f"{type(value).__name__} {value!r:.60}"


def _faults(error: ValidationError) -> str:
    """The validation errors of a value, without the name of the generated model."""
    return "; ".join(
        ".".join([*map(str, fault["loc"][1:]), fault["msg"]]) for fault in error.errors(include_url=False)[:3]
    )


def _is_image_object(value: Any) -> bool:
    pillow = sys.modules.get("PIL.Image")  # imported if there is any image
    return pillow is not None and isinstance(value, pillow.Image)
