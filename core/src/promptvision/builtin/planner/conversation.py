"""Answers of the built-in planner: to greetings, to requests for help, and to what it does not understand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import islice

from promptvision.builtin.planner.books import phrase_book
from promptvision.builtin.planner.patterns import IMAGE, name_image
from promptvision.llm.planner import PlannerFunction
from promptvision.plugins.first_party import INSTALL_TOOLS
from promptvision.tools.targets import is_colour_word
from promptvision.tools.tool import Phrase

__all__ = [
    "ADVICE",
    "INVITATION",
    "help_text",
    "is_about_planner",
    "is_colour_of_image",
    "is_help",
    "is_left",
    "is_nothing",
    "is_small_talk",
    "is_thanks",
    "is_undo",
    "not_understood",
    "option_text",
    "small_talk",
]

ADVICE = (
    "A language model understands free wording: run `promptvision setup`, or set GROQ_API_KEY, or "
    "OPENAI_BASE_URL=http://localhost:11434/v1 for a local one."
)
INVITATION = (
    "Say what to do with your image, for example \u201cdescribe it\u201d, or \u201chelp\u201d for a list."
)
EXAMPLES = 3
MAX_QUOTED = 60
MIN_LIKENESS = 60.0
"""Minimum percentage of shared words for a phrase to be suggested."""
_THANKS = (
    r"(?:many )?thanks?(?: (?:you|a lot|so much|very much|a million|again))*|thx|ty|cheers|danke(?: "
    r"schön| sehr)?"
    r"|vielen dank|(?:muchas )?gracias|merci(?: beaucoup)?|谢谢你?|多谢|(?:thank you"
    r"|thanks)(?: (?:so much|a lot))? for .+"
)
_PRAISE = (
    r"(?:(?:that|it|this)(?: is|'s| looks| works)? |looks |works )?(?:really |so |absolutely |pretty "
    r"|very )*(?:great|fantastic|awesome|perfect|nice|cool|wonderful|excellent|amazing"
    r"|lovely|good|super|well done"
    r"|good job|great job|nice job|nice work|good work|ok|okay|alright|all right|yes|yeah|yep|no problem"
    r"|lol|wow|haha)"
)
_HELLO = (
    r"(?:is any(?:one|body) (?:there|home)|hi|hello|hey|yo|howdy|greetings|good (?:morning|evening"
    r"|afternoon|day)|hallo|guten (?:tag"
    r"|morgen|abend)|hola|buenos días"
    r"|bonjour|salut|bonsoir|你好|您好|嗨)(?: (?:there|everyone|all|again|to you))?"
)
_BYE = r"(?:good)?bye(?: bye)?|see you(?: later)?|good night|tschüss|adiós|au revoir|再见"
_TALK = re.compile(rf"(?:(?:{_THANKS}|{_PRAISE}|{_HELLO}|{_BYE})[\s,.!]*)+", re.IGNORECASE)
_IS_THANKS = re.compile(rf"(?:{_PRAISE})?[\s,.!]*(?:{_THANKS})", re.IGNORECASE)
_ABOUT = re.compile(
    r"(?:how are you(?: doing)?|who are you|what are you|are you (?:a |an )?\w+|what is your name)",
    re.IGNORECASE,
)
_TO_YOU = re.compile(
    r"(?:are|were|who are|what are|where are|how are|how old are|do|did) (?:you|u)\b"
    r"(?! (?:see|find|spot|recogni[sz]e|read|notice|think|know))",
    re.IGNORECASE,
)
_HELP = re.compile(
    r"(?:(?:please|can you|could you|i need(?: some)?)? ?help(?: me)?(?: please)?"
    r"|what (?:all )?can you do(?: for me)?"
    r"|what (?:sorts?|kinds?|types?) of (?:things?|stuff|edits?|changes?|tasks?|work|tricks?) (?:can|are|do"
    r"|could) you (?:able to |capable of )?(?:do(?:ing)?|make|help (?:me )?with|offer|support)?"
    r"|what (?:else )?are you (?:able to do|capable of|good at)|what are your (?:abilities|skills"
    r"|capabilities)|what (?:else )?can you (?:do|help (?:me )?with)(?: with (?:it|this|my \w+|images?"
    r"|photos?|pictures?))?"
    r"|what do you do|what can i (?:do|say|ask)(?: here)?"
    r"|(?:show|list|what are) (?:me )?(?:my |the |your |all )*(?:options|commands|tools|functions"
    r"|features)|how does (?:this|it) work"
    r"|how do i use (?:this|it|you)|hilfe|was kannst du|ayuda|qué puedes hacer|aide|que peux-tu faire|帮助"
    r"|你能做什么|\?)",
    re.IGNORECASE,
)
_NOTHING = re.compile(
    r"(?:(?:oh|no|ok|okay|please),? )*(?:never ?mind|forget (?:about )?(?:it|that|this)|(?:cancel|scrap"
    r"|ignore|drop|skip|stop)(?: (?:it|that|this))?"
    r"|nothing|leave (?:it|everything)(?: as it is| alone)?|(?:do not|don['\u2019]?t|no need to) .+"
    r"|no(?:,? thanks?(?: you)?)?)",
    re.IGNORECASE,
)
_LEFT = re.compile(
    r"(?:(?:oh|no|ok|okay|please|actually|just|nah),? )*(?:never ?mind|leave (?:it|everything|this|that)"
    r"(?: (?:as (?:it|is)(?: is)?|alone|be|like that|like this))?)",
    re.IGNORECASE,
)
_UNDO = re.compile(
    r"(?:(?:please|now|can you|could you) )*(?:undo|revert|go back|take (?:it|that) back|restore)"
    r"(?:,? (?:it|that|this|to|the (?:last|previous|original) (?:change|edit|step|version|image|one)"
    r"|the (?:original|change|edit)"
    r"|please|again))*",
    re.IGNORECASE,
)
_SLOT_EXAMPLES = {
    "text": "Hello",
    "prompt": "blue",
    "degrees": "90",
    "aspect": "16:9",
    "width": "800",
    "height": "600",
    "percent": "50",
    "longest_side": "1000",
    "color": "red",
}
_IMAGE_COLOUR = re.compile(
    rf"(?:please )?(?:make|turn|paint|colou?r|recolou?r|change|dye|tint) (?:the colou?r of )?{IMAGE}"
    r"(?: colou?r)?(?: to| into| in)?(?: all| completely| bright| dark| light| pale)* (\w+)(?: please)?",
    re.IGNORECASE,
)
_THING = "the red ball"
_SMALL_WORDS = frozenset(
    [
        "a",
        "an",
        "the",
        "it",
        "this",
        "that",
        "me",
        "my",
        "i",
        "you",
        "is",
        "are",
        "to",
        "of",
        "in",
        "on",
        "for",
        "and",
        "or",
        "with",
        "please",
        "can",
        "could",
        "would",
        "do",
        "does",
        "be",
        "at",
        "from",
        "by",
    ],
)


def _bare(words: str) -> str:
    return words.strip(" .,!\u3002\uff01\uff1f\u00a1\u00bf").strip()


def is_small_talk(clause: str) -> bool:
    """Whether a clause is a greeting, thanks, praise or goodbye and asks for nothing."""
    return _TALK.fullmatch(_bare(clause)) is not None


def is_nothing(words: str) -> bool:
    """Whether the request says that nothing is to be done."""
    return _NOTHING.fullmatch(_bare(words)) is not None


def is_left(words: str) -> bool:
    """Whether the request says that all is to stay as it is: "no, leave it as it is"."""
    return _LEFT.fullmatch(_bare(words)) is not None


def is_undo(words: str) -> bool:
    """Whether the request asks to undo an edit."""
    return _UNDO.fullmatch(_bare(words).rstrip("?")) is not None


def is_colour_of_image(words: str) -> bool:
    """Whether the request gives the image as a whole a colour: "make the picture red"."""
    found = _IMAGE_COLOUR.fullmatch(name_image(_bare(words)))
    return found is not None and is_colour_word(found[1].lower())


def is_help(words: str) -> bool:
    """Whether the request asks what can be done."""
    return _HELP.fullmatch(_bare(words).rstrip("?") or "?") is not None


def is_thanks(words: str) -> bool:
    """Whether the request only thanks for what was done, so that nothing is left to do."""
    return is_small_talk(words) and _IS_THANKS.match(_bare(words)) is not None


def is_about_planner(words: str) -> bool:
    """Whether a question is about the planner rather than an image: "are you a real person?"."""
    return _TO_YOU.match(_bare(words)) is not None


def small_talk(words: str) -> str | None:
    """One friendly line for a greeting, thanks or a question about the planner; None for all else."""
    bare = _bare(words).rstrip("?").strip()
    if _ABOUT.fullmatch(bare):
        return f"I am promptvision's built-in planner. {INVITATION}"
    if not is_small_talk(bare):
        return None
    if is_thanks(bare):
        return "You are welcome!"
    return f"Hello! {INVITATION}"


def not_understood(
    clause: str,
    functions: Sequence[PlannerFunction],
    *,
    is_incomplete: bool = False,
    is_first: bool = True,
) -> str:
    """At most three lines: the words not understood, the nearest known request, and a hint."""
    quoted = clause if len(clause) <= MAX_QUOTED else clause[: MAX_QUOTED - 1].rstrip() + "\u2026"
    nearest = _nearest(clause, functions)
    if is_incomplete:
        example = f", for example \u201c{nearest}\u201d" if nearest else ""
        return f"\u201c{quoted}\u201d does not say enough. Say what to act on and how{example}."
    unknown = _unknown_words(clause, functions)
    words = f" (unknown: {', '.join(unknown)})" if unknown and len(unknown) < len(clause.split()) else ""
    lines = [f"I do not understand \u201c{quoted}\u201d{words}."]
    if nearest:
        lines.append(f"The nearest that I can do: \u201c{nearest}\u201d. Say \u201chelp\u201d for a list.")
    return "\n".join([*lines, ADVICE] if is_first else lines)


def option_text(descriptions: Iterable[str]) -> str:
    """One question between operations that are equally close, by the beginning of their descriptions."""
    names = (re.split(r"[.:;] |\.$", description, maxsplit=1)[0] for description in descriptions)
    return f"Which do you mean: {', or '.join(dict.fromkeys(name[:1].lower() + name[1:] for name in names))}?"


def help_text(functions: Sequence[PlannerFunction], unavailable: Sequence[PlannerFunction]) -> str:
    """Everything that can be done here, with examples, and what is missing for the rest."""
    able = [
        f"- {function.description.partition(' Limits:')[0]} Say for example: "
        + "; ".join(f"\u201c{example(function, phrase)}\u201d" for phrase in function.phrases[:EXAMPLES])
        for function in functions
        if function.phrases
    ]
    unavailable_lines = [f"- {function.description} Missing: {function.missing}" for function in unavailable]
    if able:
        able.insert(0, "What I can do:")
        able.append(ADVICE)
    elif unavailable_lines:
        able = ["I can do nothing yet: no installed tool can run here. `promptvision doctor` says why."]
    else:
        able = [
            f"I can do nothing yet: no tools are installed. Install them: {INSTALL_TOOLS}. "
            "`promptvision doctor` checks what works then."
        ]
    if unavailable_lines:
        unavailable_lines.insert(0, "What I could do if something were installed or configured:")
    return "\n".join([*able, *unavailable_lines])


def example(function: PlannerFunction, phrase: Phrase) -> str:
    """A phrase with typical values in its slots."""
    return _example(phrase.text, function.target)


@lru_cache(maxsize=4096)
def _example(text: str, target: str | None) -> str:
    for slot in Phrase(text).slots:
        value = _THING if slot == target else _SLOT_EXAMPLES.get(slot, "\u2026")
        text = text.replace(f"the {{{slot}}}", f"{{{slot}}}") if value == _THING else text
        text = text.replace(f"{{{slot}}}", value)
    return text


_NEAREST_CHARS = 300  # comparing 20,000 characters with all examples takes 50 ms


def _nearest(clause: str, functions: Sequence[PlannerFunction]) -> str:
    """The example that shares most words with a clause, if any."""
    from rapidfuzz.fuzz import token_set_ratio
    from rapidfuzz.process import extractOne

    examples = [
        example(function, phrase) for function in functions for phrase in islice(function.phrases, 40)
    ]
    found = extractOne(clause[:_NEAREST_CHARS].lower(), examples, scorer=token_set_ratio)
    return found[0] if found and found[1] >= MIN_LIKENESS else ""


def _unknown_words(clause: str, functions: Sequence[PlannerFunction]) -> list[str]:
    known = phrase_book(functions).vocabulary | _SMALL_WORDS
    return [word for word in dict.fromkeys(re.findall(r"[^\W\d_]+", clause.lower())) if word not in known][:5]
