"""Copy loaded models to another device without changing the original, whatever objects hold their modules.

Nothing here imports torch: modules are recognised by their methods, and only modules that exist are copied.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["copy_model", "modules_of", "private_view", "replace_tensors"]

_DEPTH = 3


def copy_model(model: Any, place: Callable[[Any], Any]) -> Any:
    """A copy of a loaded model with other tensors.

    Modules are copied with their structure and hooks, but not their tensors: each parameter and buffer of the
    copy is what ``place`` returns for that of the original, once for a tensor that several modules share. The
    original is not changed. Objects without modules, such as tokenizers, are shared.

    Args:
        model: a torch module, or a dataclass, container or plain object that holds some.
        place: returns the tensor of the copy for a tensor of the original.
    """
    return _copied(model, place, {}, _DEPTH)


def private_view(model: Any) -> Any:
    """A copy of a loaded model that shares its storage, for hooks that move its tensors.

    Its parameters are new objects with the same data, so that one view may put its tensors elsewhere while
    other calls use the model.
    """
    return copy_model(model, lambda tensor: tensor.view_as(tensor))


def modules_of(model: Any) -> list[Any]:
    """The torch modules of a loaded model, without those inside other modules."""
    return list({id(module): module for module in _modules(model, _DEPTH)}.values())


def replace_tensors(model: Any, place: Callable[[Any], Any]) -> None:
    """Put the tensors of a model elsewhere, in place. No other call may use the model meanwhile."""
    for module in modules_of(model):
        for tensor in (*module.parameters(), *module.buffers()):
            tensor.data = place(tensor.data)


def _is_module(thing: Any) -> bool:
    return callable(getattr(thing, "parameters", None)) and callable(getattr(thing, "buffers", None))


def _fields(thing: Any) -> dict[Any, Any]:
    """What an object holds that may contain modules, by name, key or index."""
    if isinstance(thing, dict):
        return thing
    if isinstance(thing, list | tuple):
        return dict(enumerate(thing))
    if isinstance(thing, type) or not hasattr(thing, "__dict__"):
        return {}
    return dict(vars(thing))


def _modules(thing: Any, depth: int) -> Iterator[Any]:
    if _is_module(thing):
        yield thing
    elif depth:
        for inner in _fields(thing).values():
            yield from _modules(inner, depth - 1)


def _copied(thing: Any, place: Callable[[Any], Any], memo: dict[int, Any], depth: int) -> Any:
    if _is_module(thing):
        return _copied_module(thing, place, memo)
    if not depth:
        return thing
    fields = _fields(thing)
    made = {name: _copied(inner, place, memo, depth - 1) for name, inner in fields.items()}
    changed = {name: inner for name, inner in made.items() if inner is not fields[name]}
    return _with_fields(thing, made, changed) if changed else thing


def _with_fields(thing: Any, made: dict[Any, Any], changed: dict[Any, Any]) -> Any:
    if isinstance(thing, tuple) and hasattr(thing, "_fields"):
        return type(thing)(*made.values())
    if isinstance(thing, list | tuple):
        return type(thing)(made.values())
    if isinstance(thing, dict):
        own = copy.copy(thing)
        own.update(changed)
        return own
    if dataclasses.is_dataclass(thing) and all(field.init for field in dataclasses.fields(thing)):
        return dataclasses.replace(thing, **changed)  # type: ignore[type-var]
    own = copy.copy(thing)
    for name, inner in changed.items():
        object.__setattr__(own, name, inner)
    return own


def _copied_module(module: Any, place: Callable[[Any], Any], memo: dict[int, Any]) -> Any:
    for parameter in module.parameters():
        if id(parameter) not in memo:
            kind: Any = type(parameter)
            memo[id(parameter)] = kind(place(parameter.data), requires_grad=parameter.requires_grad)
    for buffer in module.buffers():
        if id(buffer) not in memo:
            memo[id(buffer)] = place(buffer.detach())
    return copy.deepcopy(module, memo)
