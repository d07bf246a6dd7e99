"""Operations and the tools that fulfil them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import import_module
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from promptvision.declarations import IMPORT_STRING, check_type
from promptvision.tools.batch import Batch
from promptvision.tools.ranked import Ranked
from promptvision.tools.requirements import Requirements

__all__ = ["Args", "Lexicon", "Operation", "Phrase", "RemoteResult", "Result", "Tool"]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_SLOT = re.compile(r"\{(\w+)\}")


class Args(BaseModel):
    """Base of all argument models. Field names are the JSON contract; unknown fields are rejected."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @property
    def keeps_target(self) -> bool:
        """Whether the target is still in its place, so that a later request may refer to it as "it"."""
        return True


class Result(BaseModel):
    """Base of all result models.

    ``success`` is true if the tool ran, even if it found nothing; ``message`` then says so. Numbers must be
    finite, as in JSON.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    success: bool = True
    message: str | None = Field(default=None, description="A message for the user about this result.")

    @property
    def is_certain(self) -> bool:
        """Whether the result certainly matches the request; if not, only a request for "it" may use it."""
        return True

    def summary(self) -> str:
        """One or two sentences for the user; planners without an LLM answer with it."""
        if self.message:
            return self.message
        values = [
            f"{name.removesuffix('_result').replace('_', ' ')}: {value}"
            for name, value in vars(self).items()
            if name.endswith("_result") and value is not None
        ]
        return "; ".join(values) or "Done."


class RemoteResult(Result):
    """Base of the result models of a plugin in a separate environment, whose class is not known here."""

    _summary: str = PrivateAttr("")

    def summary(self) -> str:
        """The summary of the plugin's own class."""
        return self._summary or super().summary()

    def keep_summary(self, summary: str) -> None:
        """Record the summary of the plugin's own class."""
        self._summary = summary


@dataclass(frozen=True)
class Phrase:
    """Words that request an operation, for planners without an LLM.

    Args:
        text: words in any case; ``{field}`` is the value of an argument, and the image is "it", "this" or
            "the image", which the planner treats as equal.
        fixed: arguments that these words imply, as ``(field, value)`` pairs.
        whole: argument whose value is all words of the clause, such as a question.
    """

    text: str
    fixed: tuple[tuple[str, Any], ...] = ()
    whole: str = ""

    @property
    def slots(self) -> tuple[str, ...]:
        """Names of the arguments in the text, in their order."""
        return tuple(_SLOT.findall(self.text))


@dataclass(frozen=True, kw_only=True)
class Lexicon:
    """Verbs and nouns of one language that request an operation, and the frames that contain them.

    Each frame with each of its words is a phrase: the verbs "remove" and "erase" with the frames
    "{verb} {target}" and "{verb} {target} from it" are four.

    Args:
        frames: phrases in which ``{verb}`` and ``{noun}`` stand for a word of the lexicon; other slots are
            arguments, as in :class:`Phrase`, and ``{_}`` stands for words that are not an argument.
        verbs: words or groups of words in any case.
        nouns: likewise.
        fixed: arguments that these words imply.
        whole: argument whose value is all words of the clause, such as a question.
        language: ISO 639-1 code of the words.
        is_fallback: whether the phrases count only where no other phrase of any operation matches; for
            frames that fit many sentences, such as ``is {_}``.
    """

    frames: tuple[str, ...]
    verbs: tuple[str, ...] = ()
    nouns: tuple[str, ...] = ()
    fixed: tuple[tuple[str, Any], ...] = ()
    whole: str = ""
    language: str = "en"
    is_fallback: bool = False

    def phrases(self) -> Iterator[Phrase]:
        """All combinations of frames and words."""
        for frame in self.frames:
            for verb in self.verbs if "{verb}" in frame else ("",):
                for noun in self.nouns if "{noun}" in frame else ("",):
                    yield Phrase(
                        frame.replace("{verb}", verb).replace("{noun}", noun), self.fixed, self.whole
                    )


def check_phrases(owner: str, phrases: Any) -> tuple[Phrase | str, ...]:
    """A sequence of phrases as a tuple.

    Raises:
        TypeError: it is a single string, or something else.
    """
    if isinstance(phrases, str):
        raise TypeError(f"{owner}: phrases is one string; write phrases=({phrases!r},)")
    check_type(owner, "phrases", phrases, (tuple, list), "a tuple of str or Phrase")
    for phrase in phrases:
        check_type(owner, "phrases", phrase, (str, Phrase), "a tuple of str or Phrase")
    return tuple(phrases)


def _phrases(owner: str, phrases: tuple[Phrase | str, ...], args: type[Args]) -> tuple[Phrase, ...]:
    phrases = check_phrases(owner, phrases)
    made = tuple(Phrase(phrase) if isinstance(phrase, str) else phrase for phrase in phrases)
    for phrase in made:
        if len(set(phrase.slots)) < len(phrase.slots):
            raise ValueError(f"{owner}: phrase {phrase.text!r} names a slot twice")
        for slot in (*phrase.slots, *(name for name, _ in phrase.fixed), *filter(None, (phrase.whole,))):
            if slot not in args.model_fields:
                raise ValueError(
                    f"{owner}: phrase {phrase.text!r} names {slot!r}, which is not an argument; "
                    f"use one of {', '.join(args.model_fields)}"
                )
    return made


def _lexicons(owner: str, lexicons: Any, args: type[Args]) -> tuple[Lexicon, ...]:
    check_type(owner, "lexicons", lexicons, (tuple, list), "a tuple of Lexicon")
    for lexicon in lexicons:
        check_type(owner, "lexicons", lexicon, Lexicon, "a tuple of Lexicon")
        for frame in lexicon.frames:
            _phrases(
                owner,
                (Phrase(re.sub(r"\{(?:verb|noun|_)\}", "", frame), lexicon.fixed, lexicon.whole),),
                args,
            )
    return tuple(lexicons)


def _check_model(owner: str, field: str, model: Any, base: type[BaseModel]) -> None:
    if not (isinstance(model, type) and issubclass(model, base)):
        raise TypeError(f"{owner}: {field} must be a class derived from {base.__name__}, not {model!r:.80}")


def _check_name(kind: str, name: str) -> None:
    check_type(kind, "name", name, str, "a str")
    if not _NAME.fullmatch(name):
        raise ValueError(f"{kind} name {name!r} must match {_NAME.pattern}")


@dataclass(frozen=True, kw_only=True)
class Operation:
    """The contract that several tools can fulfil; the LLM sees one function per operation.

    Args:
        name: ``[a-z][a-z0-9_]{0,63}``, the function name.
        description: its purpose, for the LLM and for users.
        args: argument model.
        result: result model.
        phrases: words that request it.
        lexicons: further words, by language.
    """

    name: str
    description: str
    args: type[Args]
    result: type[Result]
    phrases: tuple[Phrase | str, ...] = ()
    lexicons: tuple[Lexicon, ...] = ()

    def __post_init__(self) -> None:
        _check_name("operation", self.name)
        owner = f"operation {self.name!r}"
        check_type(owner, "description", self.description, str, "a str")
        if not self.description.strip():
            raise ValueError(f"{owner} needs a description: the LLM reads it to choose a function")
        _check_model(owner, "args", self.args, Args)
        _check_model(owner, "result", self.result, Result)
        object.__setattr__(self, "phrases", _phrases(owner, self.phrases, self.args))
        object.__setattr__(self, "lexicons", _lexicons(owner, self.lexicons, self.args))


@dataclass(frozen=True, kw_only=True)
class Tool(Ranked):
    """A typed function on images.

    Args:
        name: ``[a-z][a-z0-9_]{0,63}``, unique in one installation.
        operation: the operation it fulfils.
        run: ``"package.module:callable"``, imported at the first call, or the callable itself. It is called
            with ``(args, context)`` and returns the result model. It may be slow and runs in a thread; a
            coroutine function is awaited on the event loop and must not block it.
        args: argument model, the operation's own or one derived from it; default: the operation's.
        result: result model, likewise.
        priority: the highest that can run here goes first; 50 for a real model, 10 for a fallback tool.
        slow_priority: the priority on machines without a GPU of ``requires.gpu_bytes``; default: the same.
        requires: what it needs.
        limits: one sentence on what it cannot do, and which plugin can.
        phrases: further words that request the operation when this tool is installed.
        lexicons: likewise, by language.
        cacheable: whether equal arguments on equal pixels give equal results.
        takes_complements: for a tool that gets the boxes of its target: whether it selects the rest of the
            image when the target reads "everything except ...". Others are not called with such a target.
        accepts: for a tool that accepts only some arguments of its operation: whether it accepts these. It is
            called with the validated arguments on the event loop before each call and must be fast; if it
            returns False, the next tool is used. ``limits`` should say what the tool accepts.
        leaves_machine: whether the image or the request is sent to another machine, so that a plugin can ask
            the user first.
        costs_money: whether each call costs money, likewise.
        batch: how calls that wait for the device run together; None: one at a time.
        plugin: entry-point name of the owner; filled in by the registry.
        version: version of the owner's distribution; filled in by the registry.
        python: interpreter of the plugin's own environment, if it has one; filled in by the registry.
    """

    name: str
    operation: Operation
    run: str | Callable[..., Any]
    args: type[Args] = None  # type: ignore[assignment]  # filled in below
    result: type[Result] = None  # type: ignore[assignment]
    priority: int = 50
    slow_priority: int | None = None
    requires: Requirements = field(default_factory=Requirements)
    limits: str = ""
    phrases: tuple[Phrase | str, ...] = ()
    lexicons: tuple[Lexicon, ...] = ()
    cacheable: bool = True
    takes_complements: bool = False
    leaves_machine: bool = False
    costs_money: bool = False
    accepts: Callable[[Any], bool] | None = None
    batch: Batch | None = None
    plugin: str = ""
    version: str = ""
    python: str = ""

    def __post_init__(self) -> None:
        _check_name("tool", self.name)
        owner = f"tool {self.name!r}"
        check_type(owner, "operation", self.operation, Operation, "an Operation")
        check_type(owner, "priority", self.priority, int, "an int")
        check_type(owner, "slow_priority", self.slow_priority, (int, type(None)), "an int or None")
        check_type(owner, "requires", self.requires, Requirements, "a Requirements")
        check_type(owner, "limits", self.limits, str, "a str")
        for flag in ("cacheable", "leaves_machine", "costs_money"):
            check_type(owner, flag, getattr(self, flag), bool, "a bool")
        for part in ("args", "result"):
            own, wanted = getattr(self, part), getattr(self.operation, part)
            if own is None:
                object.__setattr__(self, part, wanted)
                continue
            _check_model(owner, part, own, BaseModel)
            if not issubclass(own, wanted):
                raise ValueError(
                    f"{owner}: {part} model {own.__name__} must derive from "
                    f"{wanted.__name__} of operation {self.operation.name!r}"
                )
        if isinstance(self.run, str) and not IMPORT_STRING.fullmatch(self.run):
            raise ValueError(f"{owner}: run must have the form 'package.module:callable', not {self.run!r}")
        if not isinstance(self.run, str) and not callable(self.run):
            raise TypeError(f"{owner}: run must be a function or an import string, not {self.run!r:.80}")
        if self.accepts is not None and not callable(self.accepts):
            raise TypeError(f"{owner}: accepts must be a function or None, not {self.accepts!r:.80}")
        check_type(owner, "batch", self.batch, (Batch, type(None)), "a Batch or None")
        if self.batch is not None and self.is_async:
            raise TypeError(f"{owner}: a coroutine function cannot have a batch")
        object.__setattr__(self, "phrases", _phrases(owner, self.phrases, self.args))
        object.__setattr__(self, "lexicons", _lexicons(owner, self.lexicons, self.args))

    @cached_property
    def is_async(self) -> bool:
        """Whether :attr:`run` is a coroutine function; False before the import of an import string."""
        return inspect.iscoroutinefunction(self.run) or inspect.iscoroutinefunction(
            getattr(self.run, "__call__", None)  # noqa: B004  # an object whose call is one
        )

    def owned_by(self, plugin: str, version: str) -> Tool:
        """This tool with its owner's name and version filled in."""
        return replace(self, plugin=plugin, version=version)

    def load(self) -> Callable[..., Any]:
        """Import and return the callable. Heavy modules are not imported before this."""
        if callable(self.run):
            return self.run
        module, _, name = self.run.partition(":")
        loaded: Callable[..., Any] = getattr(import_module(module), name)
        return loaded
