"""The call that an intent with its slots stands for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from promptvision.builtin.planner.english import polite
from promptvision.builtin.planner.intents import quantities
from promptvision.builtin.planner.slots import MISFIT, fitted
from promptvision.builtin.planner.values import cleaned, things
from promptvision.llm.planner import PlannerFunction

__all__ = ["ALIKE", "BACKGROUND", "INTENTS", "WHOLE", "Intent", "arguments_of"]

BACKGROUND = re.compile(r"(?:(?:the|my|this|whole|entire) )*(?:back ?ground|backdrop)s?")
WHOLE = re.compile(
    r"(?:all|every ?thing|all of (?:it|this)"
    r"|(?:the )?(?:whole|entire|full) (?:thing|lot|image|picture|photo|shot)"
    r"|(?:the|this|my) (?:image|picture|photo|shot))"
)
"""The image as a whole."""
_ARTICLE = re.compile(r"^(?:an?|the|plain|solid|pure)\s+(?:plain |solid |pure )?", re.IGNORECASE)
_BECOMES = {
    "whiten": "white",
    "blacken": "black",
    "redden": "red",
    "gild": "gold",
    "close": "closed",
    "shut": "closed",
    "light": "lit",
    "straighten": "straight",
    "tidy": "tidy",
    "clean": "clean",
    "fill": "full",
    "empty": "empty",
}
"""What a thing becomes, for a verb that says it in one word."""


@dataclass(frozen=True, kw_only=True)
class Intent:
    """What a sentence may ask for.

    Args:
        operation: name of the operation.
        fixed: arguments that the intent implies.
        slots: slot to the argument that it fills and how its words become the argument's value.
        words: the argument that takes all words of the sentence.
        needed: slots without which there is no call.
        is_of_several: whether it acts on several images.
    """

    operation: str
    fixed: Mapping[str, Any] = field(default_factory=dict)
    slots: Mapping[str, tuple[str, Callable[[str, str], Any]]] = field(default_factory=dict)
    words: str = ""
    needed: tuple[str, ...] = ()
    is_of_several: bool = False


def _target(value: str, _: str) -> str:
    return things(value.strip(" ,.;:!?"))


def _prompt(value: str, _: str) -> str:
    value = cleaned(value.strip(" ,.;:!?"), is_target=False)
    return _BECOMES.get(value.lower(), value)


def _colour(value: str, _: str) -> str:
    return _ARTICLE.sub("", value.strip(" ,.;:!?"))


def _description(value: str, clause: str) -> str:
    return _prompt(quantities.without_format(value), clause)


def _written(value: str, _: str) -> str:
    return value.strip(" ,:\"'\u201c\u201d\u2018\u2019\u201e\u00ab\u00bb")


def _settings(name: str, up: float, down: float) -> dict[str, Intent]:
    """The intents that raise, lower and set one setting of an image, with the factors where none is given."""
    return {
        f"{name}_up": Intent(
            operation="adjust_image", fixed={name: up}, slots={"n": (name, quantities.raised)}
        ),
        f"{name}_down": Intent(
            operation="adjust_image", fixed={name: down}, slots={"n": (name, quantities.lowered)}
        ),
        f"{name}_set": Intent(operation="adjust_image", slots={"n": (name, quantities.level)}, needed=("n",)),
    }


_THING = {"t": ("target", _target)}
_TURN = {"n": ("degrees", quantities.degrees)}

INTENTS: dict[str, Intent] = {
    "remove": Intent(operation="inpaint_image", fixed={"prompt": ""}, slots=_THING, needed=("t",)),
    "replace": Intent(
        operation="inpaint_image", slots={**_THING, "p": ("prompt", _prompt)}, needed=("t", "p")
    ),
    "add": Intent(operation="edit_image", words="prompt"),
    "edit": Intent(operation="edit_image", words="prompt"),
    **_settings("brightness", up=1.3, down=0.7),
    **_settings("contrast", up=1.3, down=0.7),
    **_settings("saturation", up=1.4, down=0.6),
    **_settings("sharpness", up=2.0, down=0.0),
    "shadows_up": Intent(
        operation="adjust_image", fixed={"gamma": 1.3}, slots={"n": ("gamma", quantities.raised)}
    ),
    "sepia": Intent(operation="adjust_image", fixed={"sepia": True}),
    "invert": Intent(operation="adjust_image", fixed={"invert": True}),
    "bw": Intent(operation="convert_to_bw"),
    "blur": Intent(operation="blur_image", slots=_THING),
    "pixelate": Intent(operation="blur_image", fixed={"style": "pixelate"}, slots=_THING),
    "blackout": Intent(operation="blur_image", fixed={"style": "solid"}, slots=_THING),
    "blur_except": Intent(operation="blur_image", fixed={"keep_target": True}, slots=_THING, needed=("t",)),
    "crop_to": Intent(operation="crop_image", slots=_THING, needed=("t",)),
    "crop_part": Intent(operation="crop_image", slots={"a": ("part", quantities.kept_part)}, needed=("a",)),
    "crop_aspect": Intent(operation="crop_image", slots={"a": ("aspect", quantities.aspect)}, needed=("a",)),
    "rotate_cw": Intent(
        operation="rotate_image", fixed={"degrees": 90, "direction": "clockwise"}, slots=_TURN
    ),
    "rotate_ccw": Intent(
        operation="rotate_image", fixed={"degrees": 90, "direction": "counterclockwise"}, slots=_TURN
    ),
    "rotate_180": Intent(operation="rotate_image", fixed={"degrees": 180}),
    "flip_h": Intent(operation="flip_image", fixed={"direction": "horizontal"}),
    "flip_v": Intent(operation="flip_image", fixed={"direction": "vertical"}),
    "resize": Intent(
        operation="resize_image",
        slots={
            "w": ("width", quantities.pixels),
            "h": ("height", quantities.pixels),
            "l": ("longest_side", quantities.pixels),
            "n": ("percent", quantities.percent),
        },
    ),
    "upscale": Intent(operation="upscale_image", slots={"n": ("factor", quantities.factor)}),
    "convert": Intent(
        operation="convert_format",
        slots={"f": ("format", quantities.file_format), "q": ("quality", quantities.pixels)},
        needed=("f",),
    ),
    "info": Intent(operation="image_info"),
    "caption": Intent(operation="caption_image"),
    "caption_brief": Intent(operation="caption_image", fixed={"detail": "brief"}),
    "read": Intent(operation="extract_text"),
    "ask": Intent(operation="ask_image", words="question"),
    "detect": Intent(operation="detect_objects", slots={"t": ("prompt", _target)}, needed=("t",)),
    "segment": Intent(operation="segment_objects", slots=_THING, needed=("t",)),
    "cutout": Intent(operation="remove_background", slots=_THING),
    "background": Intent(operation="remove_background", slots={"c": ("background", _colour)}, needed=("c",)),
    "text": Intent(
        operation="draw_text",
        slots={"x": ("text", _written), "a": ("place", quantities.place), "c": ("color", _colour)},
        needed=("x",),
    ),
    **{
        name: Intent(operation="combine_images", fixed={"layout": layout}, is_of_several=True)
        for name, layout in (
            ("combine_side", "side by side"),
            ("combine_stack", "stacked"),
            ("combine_grid", "grid"),
        )
    },
    "generate": Intent(operation="generate_image", slots={"p": ("prompt", _description)}, needed=("p",)),
}
"""Intents by the labels of the classifier; labels that are missing here ask for no call."""
ALIKE: dict[str, tuple[str, ...]] = {
    "add": ("edit",),
    "edit": ("add",),
    "brightness_up": ("shadows_up",),
    "shadows_up": ("brightness_up",),
    "caption": ("caption_brief",),
    "caption_brief": ("caption",),
    **{
        f"{name}_set": (f"{name}_up", f"{name}_down")
        for name in ("brightness", "contrast", "saturation", "sharpness")
    },
}
"""Intents of which it matters little which one is meant; their probabilities are added."""
_STRAIGHT = re.compile(r"^(?:straight\w*|level\w*|horizontal)$", re.IGNORECASE)
_HORIZON = re.compile(r"\b(?:horizon|photo|picture|image|shot|scan|page)\b", re.IGNORECASE)
_EXCEPTION = re.compile(
    r"\b(?:except|excluding|apart from|other than|but (?:not|leave|keep|don't)"
    r"|(?:that|which|who) (?:is|are|was|were) not|(?:that|which|who) (?:isn|aren|wasn|weren)['\u2019]t)\b",
    re.IGNORECASE,
)
_AMOUNTED = frozenset(("resize_image", "rotate_image", "upscale_image"))
"""Operations that do something without an amount, but not what a request with one asks for."""
_DIGIT = re.compile(r"\d")


def _loses_exception(target: str, clause: str) -> bool:
    """Whether a request excludes something that the target would include."""
    return _EXCEPTION.search(clause) is not None and _EXCEPTION.search(target) is None


def arguments_of(
    intent: Intent, slots: Mapping[str, str], clause: str, function: PlannerFunction
) -> dict[str, Any] | None:
    """The arguments of the call; None where a slot has no sensible value."""
    made = dict(intent.fixed)
    for slot in intent.needed:
        if slot not in slots:
            return None
    if _STRAIGHT.search(slots.get("p", "")) and _HORIZON.search(slots.get("t", "")):
        return None  # neither how far nor which way to rotate
    if "t" in slots and "keep_target" not in made and _loses_exception(slots["t"], clause):
        return None
    for slot, words in slots.items():
        name, convert = intent.slots[slot]
        value = convert(words, clause)
        if value is None or value == "":
            if slot in intent.needed or name not in made:
                return None
            continue
        if isinstance(value, str):
            fit = fitted(function, name, value)
            if fit == MISFIT or not fit.is_sure:
                return None
            value = fit.value
        made[name] = value
    if intent.operation in _AMOUNTED and intent.slots and not slots and _DIGIT.search(clause):
        return None  # a number that no slot has
    if intent.words:
        made[intent.words] = polite(clause)
    if intent.operation == "resize_image" and not slots:
        made["percent"] = quantities.unstated_percent(clause)
    if intent.operation == "upscale_image" and not slots:
        made |= {} if (factor := quantities.factor(clause, clause)) is None else {"factor": factor}
    if intent.operation == "generate_image" and (named := quantities.picture_format(clause)):
        made["format"] = named
    if intent.operation == "rotate_image" and "n" not in slots and made["degrees"] == 90:
        angle = quantities.unstated_degrees(clause)
        if angle is None:
            return None
        made["degrees"] = angle
    return made
