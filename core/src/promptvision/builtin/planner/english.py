"""Rewrite English sentences into the wording of phrases: politeness, statements, questions, word order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice, product

from promptvision.builtin.planner.books import PhraseBook
from promptvision.builtin.planner.patterns import IMAGE, ends_in, fold, name_image, rules, word_set
from promptvision.builtin.planner.politeness import cores, stems
from promptvision.builtin.planner.wishes import wishes
from promptvision.tools.targets import has_exception

__all__ = ["MARKS", "MAX_READINGS", "SURE", "WHOLE", "polite", "readings"]

MAX_READINGS = 28
WHOLE, SURE = "=", "!"
"""Marks before a reading: only for a call without a target; only where no value ends at a guess."""
MARKS = (WHOLE, SURE)
MAX_READ_CHARS = 2500
"""Characters of all readings of a clause together."""
MAX_READ_OF_REQUEST = 1000
"""Characters of all readings of a request together, after which no more are made."""

_HEAD = re.compile(
    r"^(?:(?:(?:would|do) you mind(?: to)?|ok(?:ay)?|now|then|next|finally|lastly|first|second|also|and"
    r"|but|so|well|please|kindly|just|yo|yeah|yes"
    r"|nah|naw|ugh|meh|phew|wow|please|erm?|so yeah|no(?=\s*[,.!:;]| (?:it|make|i|the|just|not)\b)|nope"
    r"|hmm+|hm|actually|great"
    r"|perfect|nice|cool|alright|right|sorry|excuse me|instead|afterwards"
    r"|again"
    r"|(?:hey|hi|hello|dear|good (?:morning|evening|afternoon|day))"
    r"(?: (?:there|buddy|mate|assistant|friend|all|everyone|dude|man))?"
    r"|after that|if (?:it is|it's|that is) (?:not|n't) too much (?:trouble|to ask|work)|if (?:possible"
    r"|you can)"
    r"|sorry to (?:bother|trouble|disturb) you|one more thing|for me|if you (?:do not|don't) mind"
    r"|(?:can|could|would|will|might|may|won't|can't) (?:you|we)(?: (?:also|maybe|perhaps|possibly|be able to"
    r"|be so kind as to))*"
    r"|(?:would|will) it be (?:possible|ok|okay|all right|alright|fine)(?: for you)? to(?: ask (?:you "
    r")?(?:for|to))?"
    r"|(?:may|can|could|might) i(?: please)?(?: kindly)?(?: ask you to| ask for| have you| get you to| "
    r"request)"
    r"|do you think (?:you|we) (?:could|can|might)|would you mind|do you mind|be a dear and|be so kind as to"
    r"|be so kind and|be kind enough to"
    r"|i (?:was|am) (?:just )?(?:wondering|hoping)(?: if)?(?: that)? (?:you|we) (?:could|can|would|might)"
    r"|i would (?:really |very much |greatly )?(?:appreciate it|be (?:very |so |really )?(?:grateful"
    r"|thankful|happy"
    r"|glad|pleased|obliged)|love it|like it) if you(?: could| can| would)?"
    r"|i(?: would| will)? (?:really |just )?(?:need|want|like|love|ask)(?: for)?(?: you)? to"
    r"|it would be (?:great|nice|good|lovely|wonderful|helpful|awesome) (?:if you (?:could|can|would)|to)"
    r"|i think (?:you|we) should|i think|maybe|perhaps|you (?:can|could|should|may|need to|have to)|we "
    r"(?:should|need to)"
    r"|(?:please )?help me(?: to)?|let me|let us|let's(?: try(?: to)?)?|go ahead and|try to|try and|quickly"
    r"|(?:do )?(?:it is|it's|this is|that is|that's|the (?:image|picture|photo) is|<image> is)"
    r" (?:way |a bit |a little |much |still |really )?(?:too|so|not) [\w-]+(?: enough)?(?=[,;])"
    r"|proceed to|make sure to|be sure to|remember to|feel free to)(?!\w)[\s,:;!]*)+",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"(?:[\s,]+(?:please|now|for me|for us|(?:many )?thanks(?: a lot| a million| so much| again)?|thank you"
    r"|cheers|(?:very|so) much|a lot|in advance|if (?:you can|possible|you please|you do not mind|you "
    r"don't mind)"
    r"|will you|would you|can you|too|as well|again|afterwards|right now|asap|quickly|right away"
    r"|immediately|ok|okay"
    r"|somehow|really quick|nothing else|ta|man|bro|dude|mate|buddy|pal|guys|folks|my friend|much appreciated"
    r"|thank you kindly|there|and nothing else|completely|entirely"
    r"|altogether|here|anywhere|somewhere|located|exactly|at the moment|today|straight away|precisely"
    r"|specifically|actually|though|then"
    r"|still|than (?:that|this|before|now|it is)|first|once|this time|out there|for once|honestly"
    r"|if (?:at all )?possible|if that (?:is|'s) (?:ok"
    r"|okay|fine"
    r"|possible)"
    r"|in (?:great |more |some |full |as much |much )?detail|in (?:one|a|a few|two|simple|plain|your "
    r"own)(?: short)?"
    r" (?:sentences?|words?|lines?|english)|briefly|thoroughly|accurately|carefully|for a start|to begin with"
    r"|lol|haha|xd|ok\?|yeah|right\?|or what|asap|i guess|i think|i suppose|or so|when you can|a touch|a tad"
    r"|a bit|a little|a little bit|a notch|up a notch|by a lot|a smidge|ever so slightly|at least))+$",
    re.IGNORECASE,
)
_LAST_WORDS = word_set(
    "please now me us thanks lot million much again you cheers advance can possible mind too well "
    "afterwards asap quickly away immediately ok okay somehow quick else ta man bro dude mate buddy pal "
    "guys folks friend appreciated kindly there completely entirely altogether here anywhere somewhere "
    "located exactly moment today precisely specifically actually though then still that this before is "
    "first once time honestly fine detail sentence sentences word words line lines english briefly "
    "thoroughly accurately carefully start with begin lol haha xd ok? yeah right? what guess think "
    "suppose so touch tad bit little notch smidge slightly least"
)
"""The words that such an end ends in; looking for them first takes far less time than for all ends."""
_SOFTENERS = re.compile(
    r"\b(?:just )?(?:a (?:little |tiny )?(?:bit|touch|dash|hint|lot) of|a (?:little |tiny )?bit|a "
    r"little|slightly|somewhat|a touch|a tad|a lot|way|much"
    r"|quite|kind of"
    r"|kinda|some more|really|very|please|kindly|also|maybe|perhaps|simply|quickly|nicely|properly"
    r"|exactly|tightly|closely|completely|totally|entirely|fully|carefully|slowly|neatly|cleanly|gently"
    r"|softly"
    r"|heavily|strongly|lightly|subtly|smoothly|seamlessly|naturally|realistically|easily|just a smidge"
    r"|a smidge"
    r"|a smidgen|a hair|a fraction|dramatically|drastically|considerably|significantly|noticeably|absolutely"
    r"|super|extra|basically|literally|actually|honestly|thoroughly|awfully|terribly|lovingly|politely"
    r"|ever so)\b ?",
    re.IGNORECASE,
)
_WHOLE = re.compile(r"\b(?:everything|the whole thing|all of it|the entire thing|it all)\b", re.IGNORECASE)
_AMOUNT = re.compile(r"\s*(?:by )?\+?-?\d{1,3}%$")
_PIC = f"(?:{IMAGE}|here|there)"
_VERBAL = r"(?:to be|to become|to look|was|were|is|are|be|became|becomes|turned)"
_IRREGULAR = {
    "taken": "take",
    "cut": "cut",
    "made": "make",
    "hidden": "hide",
    "written": "write",
    "drawn": "draw",
    "read": "read",
    "put": "put",
    "shown": "show",
    "brought": "bring",
    "set": "set",
}
_DONE = rf"(?:\w+ed|{'|'.join(_IRREGULAR)})"
"""A participle: what is to be done."""
_WANT = (
    r"(?:i (?:would )?(?:really |just |only )?(?:want|need|like|love|prefer|wish)(?: for)?(?: to (?:have"
    r"|see|get))?"
    r"|i would rather (?:have|see)|i would(?: much)? prefer|we (?:want|need)"
    r"|(?:can|could|may|might) (?:i|we) (?:please )?(?:have|get|see)(?: (?:please|kindly))?"
    r"|it would be (?:great|nice|good|lovely|better) if|it would look better if|how about having|give me"
    r"|show me)"
)
_RULES = rules(
    (
        r"^(?:nothing|nobody|no one|none) (?:but|except|other than|besides) (.+?) "
        r"(?:should|must|may|can)? ?(?:be"
        r" (?:visible|seen|left|kept|shown)|stays?|remains?)$",
        r"remove everything except \1",
    ),
    (rf"^{_WANT} (.+?) {_VERBAL} (.+)$", r"make \1 \2"),
    (rf"^{_WANT} (.+?) gone\b(.*)$", r"remove \1\2"),
    (rf"^{_WANT} (.+?) ({_DONE}(?: .*)?)$", r"~\2~\1"),
    (rf"^{_WANT} (.+)$", r"!make \1"),
    (rf"^{_WANT} (.+)$", r"\1"),
    (
        r"^(?:only |just )?(.+?) (?:should|must|has to|needs to|ought to) (?:be|become|look|turn) (.+)$",
        r"make \1 \2",
    ),
    (
        rf"^(?:{IMAGE} )?(?:it |this |that )?would look (?:better|nicer|good|great) (?:in )?(.+)$",
        r"make <image> \1",
    ),
    (
        r"^(?:if )?(.+?) (?:could|should|can|must|may|might|would|is to|has to"
        r"|have to|needs to|need to|gets?)"
        rf"(?: please)? (?:be|get) ({_DONE}(?: .*)?)$",
        r"~\2~\1",
    ),
    (r"^(\d+%) (?:of (?:the )?)?(?:original )?(?:size|scale)$", r"resize it to \1"),
    (r"^(?:make sure )?(?:that )?(.+?) (?:is|are|was|were) gone$", r"remove \1"),
    (rf"^(?:(?:show me|give me|i want|make) )?(?:{IMAGE} )?without (.+)$", r"remove \1"),
    (
        rf"^i (?:do not|don't|no longer) (?:want|need|like)(?: to see)?(?: to have)? (.+?)(?: in| "
        rf"on)?(?: {_PIC})?$",
        r"remove \1",
    ),
    (rf"^(?:there )?should (?:not|n't) be (.+?)(?: in)?(?: {_PIC})?$", r"remove \1"),
    (
        r"^(?:(?:put|use|place|paint|add|show|insert|i want|i would like|make it) )?((?:an?|some) "
        r".+?)(?: there| in)? (?:instead of|in place of|rather than) (.+)$",
        r"replace \2 with \1",
    ),
    (
        r"^(?:only|just) (.+?)(?: (?:should|must|may|can|is to))? (?:stays?|remains?|be kept|be left)"
        r"(?: visible| over)?$",
        r"remove everything except \1",
    ),
    (r"^(?:only|just|merely) (.+)$", r"\1"),
    (
        rf"^(?:(?:an?|the|one) )?(?:version|copy|variant) of ({IMAGE}) (?:that is|which is|but) (.+)$",
        r"make \1 \2",
    ),
    (r"^((?!.*\bbe )(?:[\w'-]+ ){1,3}?)(\w+ed)$", r"~\2~\1"),
    (r"^(.+?) (?:to|for) (?:me|us)$", r"\1"),
    (rf"^(\w+) (up|down|out|off|in|around) ({IMAGE})$", r"\1 \3 \2"),
    (r"^(?:keep|leave)(?: just| only| nothing but) (.+)$", r"remove everything except \1"),
    (r"^(?:only|just) (?:keep|leave) (.+)$", r"remove everything except \1"),
    (r"^give (.+?) (?:an? )?([\w-]+) colou?r$", r"make \1 \2"),
    (r"^get (.+?) (?:removed|deleted|erased)$", r"remove \1"),
    (r"^remove (.+)$", r"remove \1"),
    (
        r"^(?:i wonder|i am (?:curious|wondering|interested)(?: about| in| to know)?|i need to know"
        r"|i want to know"
        r"|i would like to know|do you know|tell me|let me know|find out|say|show me|can you tell "
        r"me) (what|where|how|if|whether) (.+)$",
        r"\1 \2",
    ),
    (rf"^(?:in|on|for|with|from) ({IMAGE}),? (.+)$", r"\2 in \1"),
    (r"^what (.+) says$", r"read \1"),
    (r"^(what|where|how \w+) (.+) (is|are|says|say|shows)$", r"\1 \3 \2"),
    (r"^(.+) in place of (.+)$", r"replace \2 with \1"),
    (r"^(crop|cut|trim) (.+?) (?:in|into|so that it is) (?:a )?(square)$", r"crop it to a square"),
    (r"^(?:instead of|rather than) .+?, (.+)$", r"\1"),
    (r"^not .+?,? but(?: rather)? (.+)$", r"\1"),
    (r"^make (.+?) (?:disappear|vanish|go away|gone|invisible)$", r"remove \1"),
    (r"^(.+?) must go$", r"remove \1"),
    (r"^(?:what|how) about (?:making|turning) (.+)$", r"make \1"),
)
_ONE = re.compile(r"^replace (.+?) ones? with ((?:an?|some|the) (?:.*\s)?)(\w+)$", re.IGNORECASE)
"""A thing named by what replaces it: "a glass bowl instead of the wooden one"."""
_INSTEAD = re.compile(r"^(.+?),? (?:instead of|rather than) (\w+)(?: .*)?$", re.IGNORECASE)


def readings(clause: str, book: PhraseBook) -> Iterator[str]:
    """The clause in alternative wordings, the original first; fewer of a long one."""
    if book.effort.read > MAX_READ_OF_REQUEST:
        return
    for text in islice(_readings(clause, book), min(MAX_READINGS, 1 + MAX_READ_CHARS // (len(clause) + 1))):
        book.effort.read += len(text)
        yield text
        if book.effort.read > MAX_READ_OF_REQUEST:
            return


def _readings(clause: str, book: PhraseBook) -> Iterator[str]:
    seen: set[str] = set()
    waiting = [clause, polite(clause)]
    while waiting:
        text = waiting.pop(0)
        if text in seen or not text:
            continue
        seen.add(text)
        yield text
        mark = text[:1] if text[:1] in MARKS else ""
        made = _variants(text.removeprefix(mark), book)
        waiting += (mark + one.removeprefix(mark) for one in made) if mark else made


@lru_cache(maxsize=4096)
def polite(clause: str) -> str:
    """The clause without polite words at its beginning and end."""
    text = " " + _HEAD.sub("", clause.strip(" ,:;!.?-"))
    return (_TAIL.sub("", text) if ends_in(text, _LAST_WORDS) else text).strip(" ,:;!.?-")


def _variants(text: str, book: PhraseBook) -> Iterator[str]:
    yield polite(text)
    yield from cores(text, book)
    yield from (_active(made, book) for made in wishes(text))
    yield from (_active(made, book) for made in _reworded(text))
    first, _, rest = text.partition(" ")
    base = _base(first, book)
    if base != first:
        yield f"{base} {rest}".strip()
    if (found := _INSTEAD.match(text)) and found[2].lower() not in ("the", "a", "an"):
        yield found[1]
    yield from _shortened(text)


@lru_cache(maxsize=1024)
def _reworded(text: str) -> tuple[str, ...]:
    """The wordings that the rules make; a part marked "~" is a participle and its object."""
    return tuple(
        _ONE.sub(r"replace \1 \3 with \2\3", found.expand(replacement))
        for source, (rule, replacement) in product(dict.fromkeys((text, name_image(text))), _RULES)
        if (found := rule.match(source)) is not None
    )


@lru_cache(maxsize=1024)
def _shortened(text: str) -> tuple[str, ...]:
    """The clause without words of degree, without its amount, and with "it" for everything."""
    texts = (" ".join(_SOFTENERS.sub("", text).split()), _AMOUNT.sub("", text))
    return texts if has_exception(text) else (*texts, _WHOLE.sub("it", text))


def _active(text: str, book: PhraseBook) -> str:
    """A wish with a participle, marked with "~", as a request: "it resized to 50%"."""
    if not text.startswith("~"):
        return text
    _, action, thing = text.split("~")
    verb, _, rest = action.partition(" ")
    return f"{_base(verb, book)} {thing} {rest}".strip()


def _base(verb: str, book: PhraseBook) -> str:
    """The base form of a verb that begins a phrase: "making" gives "make", "removed" gives "remove"."""
    word = fold(verb)
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    for ending in ("ing", "ed", "d"):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            options = stems(word.removesuffix(ending))
            if found := next((option for option in options if book.begins(option)), None):
                return found
    return verb
