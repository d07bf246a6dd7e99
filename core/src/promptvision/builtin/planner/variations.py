"""Requests that change one thing about the last call: "a bit more", "twice as much", "the other way".

The call is made again on the image that it was made on, with another amount, direction or thing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from promptvision.builtin.planner.intents.continuations import changed_arguments
from promptvision.builtin.planner.phrases import Match
from promptvision.builtin.planner.repeats import last_calls, repeat_of
from promptvision.builtin.planner.replacements import replaced
from promptvision.builtin.planner.slots import schema_of
from promptvision.llm.messages import Message
from promptvision.llm.planner import PlannerFunction
from promptvision.tools.targets import is_colour_word

__all__ = ["continued", "revalued", "varied"]

_OPENING = re.compile(
    r"^(?:(?:and|now|but|no|nope|turn it|rotate it|spin it|wrong way|wrong direction|not that way|oops"
    r"|whoops|ah|oh|argh|wait"
    r"|ok(?:ay)?|please|well|hmm+|sorry|actually"
    r"|again|the "
    r"same|same again|do (?:it|that)"
    r"(?: again)?|(?:make|do|have) (?:it|that)|make that|try|it(?: i|')s|that(?: i|')s"
    r"|this is|still|i want(?: it)?"
    r"|i would like(?: it)?|can you|could you|go|a|in)\b[\s,]*)+",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"(?:[\s,]+(?:please|then|now|again|instead|thanks|thank you|though|this time|than that|than this|of that"
    r"|of it|for me|i think|maybe))+$",
    re.IGNORECASE,
)
_BIT = (
    r"(?:(?:just |only )?(?:a )?(?:(?:little|tiny|wee) )?(?:bit|touch|tad|little)"
    r"|slightly|somewhat|even|much|way|far"
    r"|a lot|lots|quite|so|some|still|not|not quite|really)"
)
_MORE = re.compile(
    rf"(?:{_BIT} )*(?:more|stronger|further|bigger|larger|greater|more intense|more of "
    rf"it|more of that|harder|higher"
    r"|increase it|enough|strong enough|big enough|too weak|too little|too small|not "
    r"strong enough|mehr|más|plus"
    r"|\u518d\u591a\u4e00\u70b9|\u66f4\u591a)",
    re.IGNORECASE,
)
_LESS = re.compile(
    rf"(?:{_BIT} )*(?:less|weaker|smaller|lower|gentler|softer|subtler|more subtle"
    rf"|less strong|less intense|less of it"
    rf"|decrease it|reduce it|(?:a )?(?:{_BIT} )?too (?:much|strong|big|large|intense|heavy)|(?:that|so) much"
    r"|weniger|menos|moins|\u5c11\u4e00\u70b9)",
    re.IGNORECASE,
)
_TIMES = (
    (re.compile(r"(?:twice|double|2x|200%|two times)(?: (?:as|the|it|that|of)\b.*)?", re.IGNORECASE), 2.0),
    (re.compile(r"(?:three times|triple|3x|300%)(?: (?:as|the|it|that|of)\b.*)?", re.IGNORECASE), 3.0),
    (re.compile(r"(?:half|50%)(?: (?:as|the|it|that|of)\b.*)?", re.IGNORECASE), 0.5),
)
_OTHER = re.compile(
    r"(?:(?:on |to |from )?(?:the )?(?:other|opposite|reverse|wrong)(?: way| direction"
    r"| side| half| corner| end)"
    r"(?: (?:round|around))?|(?:in )?the (?:other|opposite) direction|reversed?|reverse it|the opposite"
    r"|andersherum|anders herum|al revés|dans l'autre sens|\u53cd\u65b9\u5411)",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"(?:by |to |with |at |about )?(?P<number>-?\d+(?:\.\d+)?) ?(?P<unit>%|degrees?"
    r"|pixels?|px|\u00b0)?(?: (?P<more>more|less|further))?",
    re.IGNORECASE,
)
_MEANT = re.compile(
    r"(?:(?:no|nope|sorry|oops|ah|oh|wait)[, ]+)*(?:i (?:meant|mean)|not (?:the|that) [\w ]+?,(?: but)?"
    r"|rather) (?P<determiner>the |my |her |his "
    r"|that )?(?P<target>(?!\d)[\w' -]+?)(?:,? (?:and )?not [\w' -]+)?",
    re.IGNORECASE,
)
_ALSO = re.compile(
    r"(?:also (?:the |my )|(?:(?:and|now|then) )?(?:the |my |(?=(?:his|her|their|its|that"
    r"|those) ))(?=.* (?:too|as well"
    r"|also)$))(?P<target>[\w' -]+?)"
    r"(?: too| as well| also)?(?: please| thanks)?",
    re.IGNORECASE,
)
_IN = re.compile(
    r"(?:and |now |no,? |but |maybe |rather |actually |hm+,? |i think |perhaps )*(?:in (?P<colour>[\w ]+?)"
    r"|(?P<better>[\w ]+?) (?:would|might|could|may) (?:be|look) (?:much |a lot )?(?:better|nicer|good"
    r"|great|best))"
    r"(?: please| instead)?",
    re.IGNORECASE,
)
_INSTEAD_FIRST = re.compile(
    r"(?:no,? |oh,? |ah,? )*(?:rather|better|instead|maybe|perhaps|move it|put it|i meant)\b", re.IGNORECASE
)
_AMOUNTS = ("strength", "size", "percent", "degrees", "factor", "amount", "radius", "quality")
"""Names of arguments that say how much, where the last call left them at their defaults."""
_SIZES = ("percent", "size", "width", "height", "longest_side", "factor", "scale")
_SIDES = {"left": "right", "right": "left", "top": "bottom", "bottom": "top"}
_ROW = re.compile(r"^img_\d+ edit \S+ (?P<maker>\w+) from (?P<parent>img_\d+) \(current\)", re.MULTILINE)
_CURRENT_EDIT = re.compile(r"^img_\d+ edit .* \(current\)", re.MULTILINE)
STEP = 1.5
"""How much "more" and "less" change the effect."""
SMALL_STEP = 1.25
"""How much "a bit more" and "a bit less" do."""


def varied(
    words: str, messages: Sequence[Message], functions: Sequence[PlannerFunction]
) -> tuple[Match, ...]:
    """The last call with another amount, direction or thing; none if the words ask for something else.

    Args:
        words: the request.
        messages: the conversation; the last message holds the image table.
        functions: what can be called.
    """
    return _made_again(words, messages, functions, _changes) or (
        _made_again(words, messages, functions, _other_value) if _INSTEAD_FIRST.match(words) else ()
    )


def _other_value(words: str, last: Match) -> dict[str, Any] | None:
    """A value other than a colour in place of one that the last call was given."""
    changes = replaced(words, last)
    is_given = changes is not None and set(changes) <= set(dict(last.arguments)) - {"prompt", "color"}
    return changes if is_given else None


def revalued(
    words: str, messages: Sequence[Message], functions: Sequence[PlannerFunction]
) -> tuple[Match, ...]:
    """The last call with the value that a reply names alone: "in red", "better 4:3"; else as "
    ":func:`varied`."""
    return _made_again(words, messages, functions, replaced)


def continued(
    words: str, messages: Sequence[Message], functions: Sequence[PlannerFunction]
) -> tuple[Match, ...]:
    """The last call with the values that a reply names among other words; else as :func:`varied`."""
    return _made_again(words, messages, functions, changed_arguments)


def _made_again(
    words: str,
    messages: Sequence[Message],
    functions: Sequence[PlannerFunction],
    change: Callable[[str, Match], dict[str, Any] | None],
) -> tuple[Match, ...]:
    known = {function.name: function for function in functions}
    calls = [call for call in last_calls(messages) if call.name in known]
    if not calls:
        return ()
    last = repeat_of(known[calls[-1].name], calls[-1])
    changes = change(words.strip(" .,!?"), last)
    if changes is None:
        return ()
    arguments = {**dict(last.arguments), **changes}
    if _ALSO.fullmatch(words.strip(" .,!?")):
        return (replace(last, arguments=tuple(arguments.items())),)
    row = _ROW.search(messages[-1].content or "")
    if row is not None and row["maker"] == last.function.name and last.function.image is not None:
        arguments[last.function.image] = row["parent"]
    elif _CURRENT_EDIT.search(messages[-1].content or ""):
        return ()  # the last call did not make the current image, so "more" would add to something else
    return (replace(last, arguments=tuple(arguments.items())),)


def _changes(words: str, last: Match) -> dict[str, Any] | None:
    """The arguments that the words change; None if they ask for something else."""
    target = last.function.target
    if target in dict(last.arguments):
        for rule in (_MEANT, _ALSO):
            if found := rule.fullmatch(words):
                return _meant(found, last)
    bare = _CLOSING.sub("", " " + _OPENING.sub("", words)).strip()
    if (
        (found := _IN.fullmatch(words))
        and "prompt" in dict(last.arguments)
        and _is_colour(colour := found["colour"] or found["better"])
    ):
        return {"prompt": colour}
    if _OTHER.fullmatch(bare):
        return _reversed(last)
    return _scaled(words, bare, last)


def _meant(found: re.Match[str], last: Match) -> dict[str, Any]:
    """The thing that was meant, or how it should look: "I meant parasols in pink" names no thing again."""
    named = found["target"].strip()
    prompt = str(dict(last.arguments).get("prompt", ""))
    if found.re is _MEANT and prompt and not found["determiner"] and _is_colour(named) >= _is_colour(prompt):
        return {"prompt": named}
    return {str(last.function.target): named}


def _is_colour(words: str) -> bool:
    return is_colour_word(words.lower().rpartition(" ")[2])


def _reversed(last: Match) -> dict[str, Any] | None:
    """The argument with two sides, on its other side."""
    given = dict(last.arguments)
    for name in (*given, *last.function.parameters.get("properties", ())):
        schema = schema_of(last.function.parameters, name)
        options = schema.get("enum", ())
        value = given.get(name, schema.get("default"))
        if value not in options:
            continue
        if len(options) == 2:
            return {name: next(option for option in options if option != value)}
        mirrored = " ".join(_SIDES.get(word, word) for word in str(value).split())
        if mirrored != value and mirrored in options:
            return {name: mirrored}
    return None


def _scaled(words: str, bare: str, last: Match) -> dict[str, Any] | None:
    name = _amount(last)
    if name is None:
        return None
    schema = schema_of(last.function.parameters, name)
    value = float(dict(last.arguments).get(name, schema.get("default")) or 0)
    if not value and name not in dict(last.arguments):
        return None
    neutral = {"percent": 100.0}.get(name, 1.0 if schema.get("default") == 1.0 else 0.0)
    if (found := _NUMBER.fullmatch(bare)) and (found["more"] or found["unit"] or "instead" in words):
        if neutral == 1.0 or (found["more"] and name == "percent"):
            return None
        number = float(found["number"])
        sign = {"more": 1, "further": 1, "less": -1}.get((found["more"] or "").lower(), 0)
        return {name: _limited(value + sign * number if sign else number, schema)}
    says_size = re.search(r"\b(?:big|larg|small|tiny(?! bit))", bare) is not None
    if says_size and name not in _SIZES:
        return None
    times = next((factor for rule, factor in _TIMES if rule.fullmatch(bare)), None)
    if times is None:
        is_more = _MORE.fullmatch(bare) is not None
        if not is_more and not _LESS.fullmatch(bare):
            return None
        step = SMALL_STEP if re.search(r"\b(?:bit|little|slightly|touch|tad|somewhat)\b", bare) else STEP
        times = step if is_more else 1 / step
        if says_size:
            return {name: _limited(value * times, schema)}
    elif says_size and name == "percent":
        return None  # "twice as big" is a size of its own
    made = neutral * (value / neutral) ** times if name == "percent" else neutral + (value - neutral) * times
    return {name: _limited(made, schema)}


def _amount(last: Match) -> str | None:
    """The argument that says how much."""
    given = [name for name, value in last.arguments if _is_number(value) and name != "seed"]
    if given:
        return given[0]
    properties = last.function.parameters.get("properties", {})
    return next((name for name in _AMOUNTS if name in properties), None)


def _is_number(value: Any) -> bool:
    try:
        return not isinstance(value, bool) and float(value) == float(value)
    except (TypeError, ValueError):
        return False


def _limited(value: float, schema: Mapping[str, Any]) -> float | int:
    low = schema.get("minimum", schema.get("exclusiveMinimum", value))
    high = schema.get("maximum", schema.get("exclusiveMaximum", value))
    if "exclusiveMinimum" in schema and value <= low:
        low = low + 0.05
    value = round(min(max(value, low), high), 3)
    return round(value) if schema.get("type") == "integer" else value
