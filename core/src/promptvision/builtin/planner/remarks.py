"""Remarks, which ask for nothing, and complaints, which name what is wrong instead of what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

from promptvision.builtin.planner.patterns import IMAGE, IT, fold, name_image, word_set

__all__ = ["MAX_PAUSES", "complained", "cure_of", "is_fix", "is_remark", "named_in_remark", "parted_remark"]

MAX_PAUSES = 4
"""Maximum number of pauses in a clause after which a request may begin."""
_COMPLAINTS = {
    "brighter": "dark dim dimly-lit gloomy underexposed under-exposed murky shadowy black unlit",
    "darker": "bright light overexposed over-exposed blinding glaring blown-out overlit",
    "more colorful": "dull flat pale washed-out washed faded grey gray colourless colorless drab bland boring"
    " lifeless desaturated weak muted",
    "less colorful": "colourful colorful saturated oversaturated over-saturated vivid gaudy garish loud"
    " intense overpowering strong",
    "sharper": "blurry soft fuzzy unsharp blurred unfocused out-of-focus hazy unclear",
    "softer": "sharp harsh grainy oversharpened over-sharpened",
    "less contrasty": "contrasty",
    "higher resolution": "pixelated pixelly pixely blocky low-res low-resolution lowres low-quality",
    "smaller": "big large huge heavy enormous massive",
    "bigger": "small tiny little",
}
_CURES = {word: cure for cure, words in _COMPLAINTS.items() for word in words.split()}
_WANTED_WORDS = word_set(
    "light bright soft sharp colorful colourful vivid saturated intense strong black grey gray harsh loud"
)
"""Adjectives that, without "too", name what is wanted rather than what is wrong."""
_PRAISED = word_set("sharp soft light bright colorful colourful vivid")
"""Adjectives that, without a word of excess, praise: "it is sharp now"."""
_EXCESS = re.compile(
    r"\b(?:too|so|very|way|far|really|quite|pretty|rather|bit|little|kind|sort|overly|awfully|terribly"
    r"|came|turned"
    r"|comes|ended)\b",
    re.IGNORECASE,
)
_DEGREE = (
    r"(?:(?:still|now|just|kind of|sort of|a (?:little|tiny|wee) bit|a bit|a little|a tad|much|way|far"
    r"|somewhat|somehow|pretty|quite|rather|really|very|so|too|super|all|looking|looks?|seems?|rather"
    r"|slightly|overly"
    r"|terribly|awfully|totally) )*"
)
_BARE_COMPLAINT = re.compile(
    rf"^(?P<how>{_DEGREE})(?P<word>low (?:res(?:olution)?|quality)|[\w-]+)(?: (?:and|,) {_DEGREE}[\w-]+)?"
    rf"(?: looking| (?P<noun>colou?rs?|image|picture|photo|lighting|light|shot))?$",
    re.IGNORECASE,
)
"""A complaint without a subject: "way too dark", "flat looking", "dull colours"."""
_POSTURES = (
    (
        re.compile(r"\b(?:upside[- ]down|on (?:its|their|the) head|the wrong way up)\b", re.IGNORECASE),
        "rotate it 180 degrees",
    ),
    (
        re.compile(r"\b(?:sideways|on its side|lying down|rotated|turned(?! out))\b", re.IGNORECASE),
        "rotate it",
    ),
    (
        re.compile(r"\b(?:mirrored|mirror[- ]inverted|flipped|back to front|reversed)\b", re.IGNORECASE),
        "flip it",
    ),
)
_COMPLAINT = re.compile(
    rf"^(?:(?:{IT}|(?:the |its )?(?:lighting|light|exposure|whole thing|colou?rs?)|everything|all)"
    r" (?:is|are|was|looks?|seems?|appears?|came out|turned out|comes out|has come out|feels?|ended up)"
    r"|(?:somehow )?(?:it|this)(?: all)? (?:is|looks))"
    r" (?P<how>(?:[\w-]+ ){0,4}?)(?P<word>low (?:res(?:olution)?|quality)|[\w-]+)"
    r"(?: (?:to me|for me|now|here|somehow|i think|again|for my"
    r" taste|on my screen))*$",
    re.IGNORECASE,
)
_NOT = re.compile(r"\b(?:not|never|no|isn't|n't)\b")
_FIX = re.compile(
    r"(?:(?:please|can|could|would|will|you|so|and|kindly|just|maybe|perhaps|i|want|need|to|let us)\s+)*"
    r"(?:fix|correct|repair|sort|sort out|help|improve|remedy|change|solve|do something about|take care of"
    r"|deal with|handle|undo|lift|raise|rescue|save|enhance|boost|bring|put|turn|set|clean)(?: (?:it|that"
    r"|this"
    r"|with it"
    r"|with that))?(?: (?:up|down|a notch|a stop|back|right|straight|the (?:right|correct"
    r"|proper) way(?: (?:round|up"
    r"|around))?|a stop|out|please|for me|somehow"
    r"|a bit))*",
    re.IGNORECASE,
)
_SUBJECT = (
    r"(?:the|this|that|these|those|my|our|his|her|their|it|there|here|i|we|you|he|she|they|someone|somebody"
    r"|some|all|everything|everyone|nothing|nobody|today|yesterday|unfortunately|sadly|sorry|hope|hoping|just"
    r"|a|an|as|since|because|scan|photo|picture|image|pic|colou?rs|lighting|"
    rf"{IMAGE})"
)
_STATES = (
    r"(?:is|are|am|was|were|be|looks?|looked|seems?|came|comes|come|feels?|turned out|ended up|has|have"
    r"|had|got"
    r"|took|take|taken|hate|hated|love|loved|like|liked|think|thought|do not|don't|does not|doesn't|did not"
    r"|didn't|can not|can't|cannot|ruins?|spoils?|bugs?|bothers?|stands?|sits?|appears?|shows?|showed"
    r"|hope|know"
    r"|noticed|made|makes|keeps?|kept|went|goes|happened|found|saw|see|shot|bought|visited|forgot|walked"
    r"|changed|decided|reali[sz]ed|tried|wondered|asked|'re|'m|i am|says?|said|told|works?|lives?"
    r"|belongs?|means?|wonder|guess|'s|'ll|will|needs?|wants?|wanted|needed|deserves?)"
)
_GREETING = (
    r"(?:(?:hi|hello|hey|oh|ah|well|so|ok|okay|look|sadly|btw|fyi|hm+|yes|no|yeah|listen)\b[, ]*(?:all"
    r"|there)?[, ]*)*"
)
_REMARK = re.compile(rf"^{_GREETING}{_SUBJECT}\b(?:(?! to be | gone\b)[^,;])*?\b{_STATES}\b", re.IGNORECASE)
_WISHED = re.compile(
    r"\b(?:should|must|could|would|has to|have to|needs? to|ought|want you|need you|wish|please|gone"
    r"|want(?:ed)? to"
    r"|need(?:ed)? to|want (?:it|this|that|the|a)|need (?:it|this|that|the|a)|without|instead)\b",
    re.IGNORECASE,
)
_THERE = re.compile(
    r"^(?:(?:oh|hey|look|damn|sadly|unfortunately),? )?(?:(?:in|on) (?:this|the|my) (?:photo|picture"
    r"|image),? )?(?:(?:there )?(?:is|are|was|were)|i (?:see|noticed"
    r"|have|found|spotted)|here is)"
    r" (?P<thing>(?:(?:an?|some|the|this|that|these|those|two|three|too many) )?(?!no\b|any\b|nothing\b).+?)"
    r"(?: (?:in|on|behind|next to|beside|near|right|just|that|who|which|at|lying|standing|sitting"
    r"|walking) .*)?$",
    re.IGNORECASE,
)
_ABOUT = re.compile(
    rf"^(?P<thing>(?:the|this|that|these|those|my|his|her|their) (?!(?:{IMAGE})).+?) {_STATES}\b",
    re.IGNORECASE,
)
_STATED = re.compile(
    rf"^(?P<thing>(?:the|this|that|these|those|my|his|her|their|our) (?!(?:{IMAGE})).+?) (?:should|must"
    rf"|could|would|can"
    r"|reads|shows|matches|goes|sticks|hangs|catches|blocks|hides|covers|distracts|draws|does|do)\b",
    re.IGNORECASE,
)
"""What a statement with another verb is about."""
_HAS = re.compile(
    r"^(?:the|this|that|my|his|her|their|our|there) [\w' -]+? (?:has|have|had"
    r"|got) (?:got )?(?P<thing>(?:an? |some "
    r"|the |too many )?[\w' -]+?) (?:all over|on|in|around|across|over|at|behind|next to)\b.*$",
    re.IGNORECASE,
)
_TOO_MANY = re.compile(r"(?:way |far )?too (?:many|much) (?P<thing>[\w -]+)", re.IGNORECASE)
_COUNT = re.compile(r"^(?:an?|some|too many|two|three) ", re.IGNORECASE)
_BARE = re.compile(
    r"^(?P<thing>(?!it |this |that |these |those |i |you |we |they |there )[\w-]+(?: [\w-]+)?s) (?:ruin"
    r"|spoil|bother|distract"
    r"|annoy|block|cover|hide|look|are|seem|clutter|disturb)\b",
    re.IGNORECASE,
)
"""A remark on things without an article: "power lines ruin this view"."""
_ACTS = re.compile(
    r"(?:please |just |so |and |can you |could you |would you |kindly )*\w+ (?:(?:rid of|out|off|away|up) )?"
    r"(?:it|them|him|her)\b",
    re.IGNORECASE,
)
"""A request about what was named before: "get rid of it"."""
_WANTED = re.compile(
    r"(?:so |and |but )*(?:i |we )(?:would )?(?:really |just )?(?:need|want|like|prefer"
    r"|love) (?:to have )?(?:it|them"
    r"|him|her)(?: to be| in)? (?P<how>(?!to |in |on |gone|\w+ed\b)[\w ]+)$",
    re.IGNORECASE,
)
"""How what was named before is to look: "I need them magnolia"."""
_TRIED = re.compile(
    r"(?:so |and |but |please |maybe |perhaps |better )*(?:go (?:for|with)|put in|add|try|use|how about"
    r"|what about"
    r"|let us (?:try|have)"
    r"|i (?:would )?prefer|i would like|i would rather have) (?:it |them )?(?:in |with |to )?"
    r"(?P<how>(?!the |it |them |to |more |less |a bit |\w+er\b|(?!red\b)\w+ed\b)[\w -]+?)(?: instead| rather"
    r"| please)*$",
    re.IGNORECASE,
)
"""What to try for what was named before: "go for velvet"."""
_HIM = re.compile(r"\b(?:it|them|him|her|that|those|these|this|he|she|they)\b", re.IGNORECASE)
_ABROAD = re.compile(
    r"\b(?:ist|sind|wirkt|sieht|está|están|es|son|est|sont|quedó|salió)\b|太|有点",
    re.IGNORECASE,
)
"""A complaint in German, Spanish, French or Chinese."""
_COMMA = re.compile(
    r"\s*(?:,|\uff0c|;| - | \u2013 | \u2014 )\s*(?:so |and |but |therefore |hence |then )*|\s+(?:so"
    r"|but)\s+(?=(?:please|can|could|would|will|just|maybe|let|i|make|turn|get|do|you)\b)",
    re.IGNORECASE,
)


def cure_of(clause: str) -> str:
    """The request that a complaint stands for ("it came out very dark" gives "make it brighter"), or ""."""
    text = name_image(clause.strip(" ,.!?"))
    if _NOT.search(text):
        return ""
    for rule, request in _POSTURES:
        if (_COMPLAINT.match(text) or _REMARK.match(text)) and rule.search(text) and len(text.split()) < 9:
            return request
    found = _COMPLAINT.match(text)
    word = _joined(found["word"]) if found else ""
    if found and word in _PRAISED and not _EXCESS.search(found[0]):
        return ""
    cure = _CURES.get(word) if found else bare_cure(text)
    return f"make it {cure}" if cure else ""


def _joined(word: str) -> str:
    """A word of the table of complaints: "low res" is "low-res"."""
    return fold(word).replace(" ", "-")


def bare_cure(text: str) -> str:
    """How an image is to be instead of what a complaint without a subject says ("way too dark"), or ""."""
    found = _BARE_COMPLAINT.match(text)
    word = _joined(found["word"]) if found else ""
    is_sure = found is not None and (word not in _WANTED_WORDS or "too " in fold(found["how"]))
    return _CURES.get(word, "") if is_sure else ""


@lru_cache(maxsize=4096)
def is_remark(clause: str) -> bool:
    """Whether a clause states something and asks for nothing: "this is my dog", "hope you are well"."""
    if _TOO_MANY.fullmatch(clause.strip(" .!")):
        return True
    return _REMARK.match(clause) is not None and _WISHED.search(clause) is None


def is_fix(clause: str) -> bool:
    """Whether a clause only asks to set right what was named before it: "fix that"."""
    return _FIX.fullmatch(clause.strip(" .!?")) is not None


def named_in_remark(clause: str) -> str:
    """The thing that a remark is about, for "it" in the request after it; "" where that is the image."""
    if found := _TOO_MANY.fullmatch(clause.strip(" .!")):
        return f"the {found['thing']}"
    about = _THERE.match(clause) or _HAS.match(clause) or _ABOUT.match(clause)
    if about is None or name_image(about["thing"]).startswith(IMAGE):
        return ""
    return _COUNT.sub("the ", about["thing"])


def complained(clause: str) -> Iterator[str]:
    """The request after a complaint about a thing, which itself would be read as a request to remove it."""
    for found in islice(_COMMA.finditer(clause), MAX_PAUSES):
        before, rest = clause[: found.start()].strip(), clause[found.end() :].strip()
        thing = named_in_remark(before) if is_remark(before) else ""
        if not thing and (bare := _BARE.match(before)):
            thing = bare["thing"]
        if thing and (wanted := _WANTED.match(rest)):
            yield f"make {thing} {wanted['how']}"
        elif thing and (wanted := _TRIED.match(rest)):
            yield f"change {thing} to {wanted['how']}"
        elif thing and _ACTS.match(rest):
            yield _HIM.sub(thing, rest, count=1)


def parted_remark(clause: str) -> Iterator[str]:
    """The request after a remark, which may name what it is about: "there's a man behind me, remove him"."""
    for found in islice(_COMMA.finditer(clause), MAX_PAUSES):
        before, rest = clause[: found.start()].strip(), clause[found.end() :].strip()
        is_about = _HIM.search(rest) is not None and _STATED.match(before) is not None
        is_about = is_about or (is_fix(rest) and bool(cure_of(f"it is {before}"))) or bool(bare_cure(before))
        if not rest or not (is_remark(before) or is_about or _ABROAD.search(before)):
            continue
        if is_fix(rest):
            if cure := cure_of(before) or cure_of(f"it is {before}"):
                yield cure
            continue
        about = _THERE.match(before) or _HAS.match(before) or _ABOUT.match(before) or _STATED.match(before)
        if about and _HIM.search(rest) and not name_image(about["thing"]).startswith(IMAGE):
            yield _HIM.sub(_COUNT.sub("the ", about["thing"]), rest, count=1)
        yield rest
