"""Labelled sentences: what a planner should call, and how its calls are judged.

Format of a line: ``sentence => calls || other calls that are right too``. Calls are separated by ``>``; ``?``
stands for words that no operation fits, ``-`` for no call at all. A slot holds alternatives separated by
``|``, ``*`` for any text, ``up`` and ``down`` for any number above and below the neutral value. A heading
``# category call`` gives the call that the conversation began with.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promptvision.plugin import InputError

__all__ = ["OUTCOMES", "Call", "MadeCall", "Sentence", "count_slots", "has_chain", "judge", "read_sentences"]

ALIASES = {
    "adjust": "adjust_image",
    "ask": "ask_image",
    "blur": "blur_image",
    "bw": "convert_to_bw",
    "caption": "caption_image",
    "combine": "combine_images",
    "convert": "convert_format",
    "crop": "crop_image",
    "cutout": "remove_background",
    "detect": "detect_objects",
    "edit": "edit_image",
    "flip": "flip_image",
    "generate": "generate_image",
    "info": "image_info",
    "inpaint": "inpaint_image",
    "read": "extract_text",
    "resize": "resize_image",
    "rotate": "rotate_image",
    "segment": "segment_objects",
    "text": "draw_text",
    "upscale": "upscale_image",
}
"""Short names of operations; a label may also give the name itself."""

OUTCOMES = ("right", "wrong action", "asked back")
NOT_JUDGED = ("negative_prompt", "strength", "size", "outline", "gap", "background", "strict")
"""Arguments that labels do not state."""
_ARTICLES = re.compile(r"\b(?:the|an?|my|this|that|of|and|in|it|are|is)\b|[^\w\s*%:/+-]")
Call = tuple[str, Mapping[str, str]]


@dataclass(frozen=True)
class Sentence:
    """A sentence with its labels; each label is a chain of calls, or "?" for what is not understood."""

    category: str
    text: str
    labels: tuple[tuple[Call | str, ...], ...]
    before: Call | None = None


@dataclass(frozen=True)
class MadeCall:
    """A call that a planner made, with the default of each argument of the operation."""

    name: str
    arguments: Mapping[str, Any]
    defaults: Mapping[str, Any]

    @property
    def judged(self) -> list[str]:
        """Names of the arguments that count; the core chooses the images."""
        return [
            name
            for name in self.defaults
            if name not in NOT_JUDGED and not name.endswith(("_url", "_urls")) and name != "bounding_boxes"
        ]

    def fits(self, name: str, wanted: Mapping[str, str]) -> bool:
        """Whether one argument has the value of a label."""
        return _agrees(self.arguments.get(name), wanted.get(name), self.defaults[name])


def read_sentences(path: Path) -> list[Sentence]:
    """The sentences of a file.

    Raises:
        InputError: a line has another form.
    """
    return [*_read(path)]


def _read(path: Path) -> Iterator[Sentence]:
    category, before = "", None
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        if line.startswith("# "):
            category, _, call = line[2:].partition(" ")
            before = _call(call) if call else None
        elif line.strip():
            sentence, arrow, labels = line.rpartition(" => ")
            if not arrow:
                raise InputError(
                    f"eval: {path}, line {number}: no label in {line!r:.80}",
                    hint="write SENTENCE => OPERATION argument=value",
                )
            chains = tuple(_chain(label) for label in labels.split(" || "))
            yield Sentence(category, sentence.replace("\\n", "\n"), chains, before)


def _chain(label: str) -> tuple[Call | str, ...]:
    parts = [part.strip() for part in label.split(" > ")]
    return () if parts == ["-"] else tuple("?" if part == "?" else _call(part) for part in parts)


def _call(text: str) -> Call:
    name, _, slots = text.strip().partition(" ")
    pairs = (slot.strip().partition("=") for slot in slots.split(";") if slot.strip())
    return ALIASES.get(name, name), {key: value for key, _, value in pairs}


def judge(sentence: Sentence, calls: Sequence[MadeCall], *, is_understood: bool | None) -> str:
    """One of :data:`OUTCOMES`.

    Args:
        sentence: with its labels.
        calls: all calls of the turn.
        is_understood: whether the planner says that it did all that was asked; None if its answer does not
            tell, as with an LLM.
    """
    for label in sentence.labels:
        wanted, has_unknown = _calls(label), "?" in label
        if has_unknown and calls and is_understood:
            continue
        is_whole = has_unknown or not wanted or is_understood is not False
        if _same(calls, wanted) and is_whole:
            return "right"
    stopped = not is_understood and any(_begins(calls, label) for label in sentence.labels)
    return "asked back" if not calls or stopped else "wrong action"


def has_chain(sentence: Sentence, calls: Sequence[MadeCall]) -> bool:
    """Whether the operations are those of a label, in its order."""
    made = [call.name for call in calls]
    return any(made == [name for name, _ in _calls(label)] for label in sentence.labels)


def count_slots(sentence: Sentence, calls: Sequence[MadeCall]) -> tuple[int, int]:
    """Right and all slots, where the operations are those of a label; of the label that fits best.

    A slot is an argument that the label states or that the planner set to another value than its default.
    """
    made = [call.name for call in calls]
    counts = [
        _count(calls, wanted)
        for wanted in map(_calls, sentence.labels)
        if made == [name for name, _ in wanted]
    ]
    return max(counts, key=lambda count: (count[0] - count[1], count[0]), default=(0, 0))


def _count(calls: Sequence[MadeCall], wanted: Sequence[Call]) -> tuple[int, int]:
    fits = [
        call.fits(name, slots)
        for call, (_, slots) in zip(calls, wanted, strict=True)
        for name in call.judged
        if name in slots or not call.fits(name, {})
    ]
    return sum(fits), len(fits)


def _calls(label: Sequence[Call | str]) -> list[Call]:
    return [part for part in label if not isinstance(part, str)]


def _begins(calls: Sequence[MadeCall], label: Sequence[Call | str]) -> bool:
    wanted = _calls(label)
    return len(calls) < len(wanted) and _same(calls, wanted[: len(calls)])


def _same(calls: Sequence[MadeCall], wanted: Sequence[Call]) -> bool:
    return len(calls) == len(wanted) and all(
        call.name == name and all(call.fits(slot, slots) for slot in call.judged)
        for call, (name, slots) in zip(calls, wanted, strict=True)
    )


def _agrees(made: Any, wanted: str | None, default: Any) -> bool:
    made = default if made is None else made
    if wanted in ("up", "down"):
        neutral = 100.0 if default is None else float(default)
        try:
            return float(made) != neutral and (float(made) > neutral) == (wanted == "up")
        except (TypeError, ValueError):
            return False
    return any(_matches(made, option) for option in (_text(default) if wanted is None else wanted).split("|"))


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return "" if value is None else str(value)


def _matches(made: Any, wanted: str) -> bool:
    try:
        return math.isclose(float(made), float(wanted))
    except (TypeError, ValueError):
        plain, pattern = _plain(_text(made)), _plain(wanted)
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))).replace(r"\ ", " "), plain) is not None


def _plain(text: str) -> str:
    text = re.sub(r"\s*\*\s*", "*", _ARTICLES.sub(" ", text.lower().replace(".", " ")))
    return " ".join(text.split())
