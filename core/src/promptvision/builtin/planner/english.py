"""Rewrite English sentences into the wording of phrases: politeness, statements, questions, word order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice, product

from promptvision.builtin.planner.patterns import IMAGE, QUOTE, PhraseBook, fold, name_image, quoted
from promptvision.builtin.planner.politeness import cores, stems
from promptvision.builtin.planner.wishes import cure_of, wishes
from promptvision.tools.targets import has_exception, is_colour_word

__all__ = ["MAX_READINGS", "readings", "terse_readings", "tidy"]

MAX_READINGS = 28
MAX_READ_CHARS = 2500
"""Characters of all readings of a clause together."""

_TYPING = {
    **dict.fromkeys(("teh", "hte", "th"), "the"),
    **dict.fromkeys(("yuo", "u", "ya"), "you"),
    **dict.fromkeys(("adn", "nad"), "and"),
    **dict.fromkeys(("wiht", "wih"), "with"),
    **dict.fromkeys(("waht", "wat"), "what"),
    **dict.fromkeys(("pls", "plz", "plse", "pleas", "plaese", "plese"), "please"),
    **dict.fromkeys(("thx", "thnx", "ty"), "thanks"),
    "taht": "that",
    "wanna": "want to",
    "gimme": "give me",
    "lemme": "let me",
    "ur": "your",
    "r": "are",
    "dont": "don't",
    "doesnt": "doesn't",
    "cant": "can't",
    "whats": "what is",
    "wheres": "where is",
    "id": "i would",
    "arent": "aren't",
    "isnt": "isn't",
    "hows": "how is",
    "thats": "that is",
    "shouldnt": "should not",
    "cannot": "can not",
    "ot": "to",
    "fo": "of",
    "ti": "it",
    "abd": "and",
    "hw": "how",
    "ar": "are",
    "mny": "many",
    "tht": "that",
    "ths": "this",
    "wth": "with",
    "frm": "from",
    "mke": "make",
    "plss": "please",
    "bg": "background",
    "wat's": "what is",
    "thier": "there",
    "hwo": "how",
    "abit": "a bit",
    "alot": "a lot",
    "lil": "little",
    "kinda": "kind of",
    "sorta": "kind of",
    "gonna": "going to",
    "gotta": "have to",
    "coz": "because",
    "cuz": "because",
    "tho": "though",
    "wont": "won't",
    "didnt": "didn't",
    "couldnt": "couldn't",
    "wouldnt": "wouldn't",
    "ive": "i have",
    "pleasee": "please",
    "fot": "for",
    "tehn": "then",
    "thne": "then",
    "pleae": "please",
    "pic": "picture",
    "pics": "pictures",
}
_WRITING = re.compile(
    r"\b(?:writ|add|put|text|caption|titl|typ|print|stick|overlay|insert|place|label|watermark|say|read"
    r"|stamp|sign|draw"
    r"|superimpose|headline|word|letter|escrib|añad|agreg|pon|schreib|füg|ergänz|setz|écri|ajout|met"
    r"|inscri)|[写加字]",
    re.IGNORECASE,
)
_NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "ten": 10}
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_WRITTEN_OUT = (
    (re.compile(r"[\u3002\uff01\uff1f]"), ". "),
    (re.compile(r"[\uff0c\u3001]"), ", "),
    (re.compile(r"[\u00bf\u00a1]"), ""),
    (re.compile(r"^\s*(?:\d{1,2}[.)]|[-*\u2022])\s+", re.MULTILINE), "\n"),
    (re.compile(r"(?<=\w)\s+\d{1,2}[.)]\s+(?=[a-z])", re.IGNORECASE), "\n"),
    (re.compile(r"\bstep (?:\d+|one|two|three|four|five)\s*[:.,]\s*", re.IGNORECASE), "\n"),
    (re.compile(r"\b(i)'d\b", re.IGNORECASE), r"\1 would"),
    (re.compile(r"\b(i)'m\b", re.IGNORECASE), r"\1 am"),
    (re.compile(r"\bim (?=(?:an?|the|not|so|sure|afraid|after|\w+ing)\b)", re.IGNORECASE), "i am "),
    (re.compile(r"\b(should|would|is|are|do|does)n't\b(?! )", re.IGNORECASE), r"\1 not"),
    (re.compile(r"\b(should|would|is|are)n't\b", re.IGNORECASE), r"\1 not"),
    (re.compile(r"\b(it|that)'s\b", re.IGNORECASE), r"\1 is"),
    (
        re.compile(
            r"\b(write|add|put|print|type|stick"
            r"|place|overlay|insert|stamp|draw|superimpose|sign|caption)\s+(?=\ue001)",
            re.IGNORECASE,
        ),
        r"\1 the text ",
    ),
    (re.compile(r"\b(you|we|they|i)'ve\b", re.IGNORECASE), r"\1 have"),
    (re.compile(r"\b(you|we|they)'re\b", re.IGNORECASE), r"\1 are"),
    (
        re.compile(r"\b(washed) (out)\b|\b(out) of (focus)\b", re.IGNORECASE),
        lambda found: "faded" if found[1] else "blurry",
    ),
    (
        re.compile(
            r"\s(?:instead of|rather than) (?:an? )?(?:png|jpe?g|webp|tiff?|gif|avif|bmp)\b", re.IGNORECASE
        ),
        "",
    ),
    (re.compile(r"\bto (?:a|one)[- ]third\b(?: of (?:the|its) (?:\w+ )?size)?", re.IGNORECASE), "to 33%"),
    (re.compile(r"\bto (?:a|one)[- ]quarter\b(?: of (?:the|its) (?:\w+ )?size)?", re.IGNORECASE), "to 25%"),
    (re.compile(r"\bto (?:a |one )?half\b(?: of)?(?: (?:the|its) (?:\w+ )?size)?", re.IGNORECASE), "to 50%"),
    (
        re.compile(r"\b(two|three|four|five|ten) times\b", re.IGNORECASE),
        lambda found: f"{_NUMBERS[found[1].lower()]} times",
    ),
    (
        re.compile(
            r"\b(?:caption|title|label|name|sign)\s+(?:it|this|that|the \w+)(?: with| as)?\s+(?=\ue001)",
            re.IGNORECASE,
        ),
        "add the text ",
    ),
    (
        re.compile(
            r"\b(?:make|scale|resize|enlarge|shrink|blow|get)\s+(?:(?:the|this|that|my) \w+"
            r"|it)\s+(?:up |down )?(?:by )?(\d{1,3})% (bigger|larger|smaller)",
            re.IGNORECASE,
        ),
        lambda found: f"resize it to {100 + int(found[1]) * (-1 if found[2].lower() == 'smaller' else 1)}%",
    ),
    (
        re.compile(
            r"\b(?:like|say|maybe|perhaps|about|around|roughly|approximately|exactly) (?=\d+ ?(?:px|pix"
            r"|%|x|deg|\u00b0))",
            re.IGNORECASE,
        ),
        "",
    ),
    (
        re.compile(r"\b(make|turn|blur|crop|find|read|paint|remove|on|in|of|at) te\b", re.IGNORECASE),
        r"\1 the",
    ),
    (re.compile(r"\b(\d{1,3})% (brighter|darker|sharper|lighter)\b", re.IGNORECASE), r"\2 by \1%"),
    (re.compile(r"\s+for (?:my|our) (?:taste|liking|eyes|needs?|purposes?)\b", re.IGNORECASE), ""),
    (
        re.compile(r"^(?:it |this )?(?:by )?(\d{1,3})% (bigger|larger|smaller)$", re.IGNORECASE),
        lambda found: f"resize it to {100 + int(found[1]) * (-1 if found[2].lower() == 'smaller' else 1)}%",
    ),
    (re.compile(r"^(\w+): (?=\w+$)"), r"change \1 to "),
    (re.compile(r"\bpretty please\b[, ]*", re.IGNORECASE), "please "),
    (
        re.compile(r"\b((?:crop|cut|trim)\b.*?)\b(\d{1,2})\s*(?:x|by)\s*(\d{1,2})\b(?!\d)", re.IGNORECASE),
        r"\1\2:\3",
    ),
    (re.compile(r"\bblack (?:an|n|&|nd|'n'|adn|und|ad) white\b", re.IGNORECASE), "black and white"),
    (re.compile(r"\btoo (?=black and white|gr[ae]y ?scale|sepia)", re.IGNORECASE), "to "),
    (re.compile(r"\bminus (?=\d)", re.IGNORECASE), "-"),
    (re.compile(r"(\d)\s*\u00b0"), r"\1 degrees"),
    (re.compile(r"(\d)\s*(?:px|pix)\b", re.IGNORECASE), r"\1 pixels"),
    (re.compile(r"(\d)\s*(?:percent|per cent)\b", re.IGNORECASE), r"\1%"),
    (re.compile(r"(\d)\s+%"), r"\1%"),
    (re.compile(r"\b(\d{1,5})\s*(?:by|x|\u00d7|\*)\s*(\d{1,5})\b", re.IGNORECASE), r"\1x\2"),
    (re.compile(r"(\d) (?=(?:wide|tall|high|in width|in height)\b)", re.IGNORECASE), r"\1 pixels "),
    (re.compile(r"(?<=[a-z]{3}) & (?=[a-z]{3})(?!white)", re.IGNORECASE), " and "),
    (
        re.compile(
            r",?\s*\b(?:und |y |et )?(?:danach|anschließend|dann|luego|después|ensuite|puis)\b,?\s+"
            r"|[,\uff0c]?(?:然后再?|接着|之后|最后)[,\uff0c]?",
            re.IGNORECASE,
        ),
        "; ",
    ),
    (re.compile(r"\bin (?:here|there)\b", re.IGNORECASE), "in it"),
    (re.compile(r"\ba quarter turn\b", re.IGNORECASE), "90 degrees"),
    (re.compile(r"\b(?:a )?half(?: a)? turn\b", re.IGNORECASE), "180 degrees"),
    (re.compile(r"\bby (?:a )?half\b", re.IGNORECASE), "by 50%"),
    (re.compile(r"^([^\n,.;]{1,40}?)\s*(?:->|=>|\u2192)\s*", re.MULTILINE), r"change \1 to "),
    (re.compile(r"\b(?:image|picture|photo) (?:number |no\.? ?|#)?([1-9])\b", re.IGNORECASE), r"img_\1"),
)
_ORDINALS = {
    word: number for number, word in enumerate(("first", "second", "third", "fourth", "fifth"), start=1)
}
_NTH_IMAGE = re.compile(
    rf"\bthe ({'|'.join(_ORDINALS)}) (?:image|picture|photo|photograph|pic)\b",
    re.IGNORECASE,
)
_TIMES = re.compile(r"\b(?:by )?(?:a factor of )?(\d(?:\.\d+)?)\s?(?:x|times)(?![\w.])", re.IGNORECASE)

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
    r"|this time|out there|for once|honestly|if (?:at all )?possible|if that (?:is|'s) (?:ok|okay|fine"
    r"|possible)"
    r"|in (?:great |more |some |full |as much |much )?detail|in (?:one|a|a few|two|simple|plain|your "
    r"own)(?: short)?"
    r" (?:sentences?|words?|lines?|english)|briefly|thoroughly|accurately|carefully|for a start|to begin with"
    r"|lol|haha|xd|ok\?|yeah|right\?|or what|asap|i guess|i think|i suppose|or so|when you can|a touch|a tad"
    r"|a bit|a little|a little bit|a notch|up a notch|by a lot|a smidge|ever so slightly|at least))+$",
    re.IGNORECASE,
)
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
    r"(?:i (?:would )?(?:really |just )?(?:want|need|like|love|prefer|wish)(?: for)?(?: to (?:have|see|get))?"
    r"|i would rather (?:have|see)|i would(?: much)? prefer|we (?:want|need)"
    r"|(?:can|could|may|might) (?:i|we) (?:please )?(?:have|get|see)(?: (?:please|kindly))?"
    r"|it would be (?:great|nice|good|lovely|better) if|it would look better if|how about having|give me"
    r"|show me)"
)
_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (
            r"^(?:nothing|nobody|no one|none) (?:but|except|other than|besides) (.+?) "
            r"(?:should|must|may|can)? ?(?:be"
            r" (?:visible|seen|left|kept|shown)|stays?|remains?)$",
            r"remove everything except \1",
        ),
        (rf"^{_WANT} (.+?) {_VERBAL} (.+)$", r"make \1 \2"),
        (rf"^{_WANT} (.+?) gone\b(.*)$", r"remove \1\2"),
        (rf"^{_WANT} (.+?) ({_DONE}(?: .*)?)$", r"~\2~\1"),
        (rf"^{_WANT} (.+)$", r"make \1"),
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
)
_NO_THING = re.compile(
    r"(?:with )?no (?!idea|problem|need|way|one|matter|thanks?|worries)(?:more )?((?:the )?\w+(?: \w+)?)",
    re.IGNORECASE,
)
_COMPARED = re.compile(
    r"((?:the |my )?\w+) (bluer|greener|redder|whiter|blacker|yellower|pinker|greyer|grayer|browner"
    r"|darker|lighter|brighter)",
    re.IGNORECASE,
)
_OUT = re.compile(
    r"((?:the |that |this |my )?\w+(?: \w+)?) (?:out|gone|away|off|removed|deleted)(?: please)?",
    re.IGNORECASE,
)
_TO_COLOUR = re.compile(
    r"(.+? (?=(?:to|in|into) )|(?:(?:the|my) )?(?!\w+ (?:the|an?|my|this|that|it)\b)[\w'-]+(?: [\w'-]+)? )"
    r"(?:(?:to|in|into) )?((?:(?:dark|light|bright|pale) )?[\w-]+)",
    re.IGNORECASE,
)
_TOO = re.compile(
    r"(?:(?:it|this|that|<image>) (?:is|looks?|seems?|still is) |it's )?(?:still |now "
    r"|a bit |a little |much |way |far )*"
    r"(?:(?:too|so|very|quite) (?P<too>[\w-]+)|not (?P<not>[\w-]+) enough)",
    re.IGNORECASE,
)
_CURES = {
    **dict.fromkeys(("dark", "dim", "underexposed", "gloomy"), "brighter"),
    **dict.fromkeys(("bright", "light", "overexposed"), "darker"),
    **dict.fromkeys(("small", "tiny", "little"), "bigger"),
    **dict.fromkeys(("big", "large", "huge"), "smaller"),
    **dict.fromkeys(("blurry", "soft", "fuzzy", "unsharp"), "sharper"),
    **dict.fromkeys(("sharp",), "softer"),
    **dict.fromkeys(("colorful", "colourful", "saturated", "vivid", "gaudy"), "less colorful"),
    **dict.fromkeys(("dull", "pale", "washed-out", "faded"), "more colorful"),
}
_ENOUGH = {
    "bright": "brighter",
    "light": "brighter",
    "dark": "darker",
    "big": "bigger",
    "large": "bigger",
    "small": "smaller",
    "sharp": "sharper",
    "colorful": "more colorful",
    "colourful": "more colorful",
    "vivid": "more colorful",
}
_INSTEAD = re.compile(r"^(.+?),? (?:instead of|rather than) (\w+)(?: .*)?$", re.IGNORECASE)


def tidy(words: str) -> str:
    """Normalise a request: correct common typing errors, unify units and image names."""
    text = quoted(words) if _WRITING.search(words) else words
    for rule, replacement in _WRITTEN_OUT:
        text = rule.sub(replacement, text)
    if QUOTE not in text:
        text = _WORD.sub(lambda found: _TYPING.get(fold(found[0]), found[0]), text)
    text = _NTH_IMAGE.sub(lambda found: f"img_{_ORDINALS[fold(found[1])]}", text)
    text = _TIMES.sub(lambda found: f"{float(found[1]) * 100:g}%", text)
    return text.strip()


def readings(clause: str, book: PhraseBook) -> Iterator[str]:
    """The clause in alternative wordings, the original first; fewer of a long one."""
    return islice(_readings(clause, book), min(MAX_READINGS, 1 + MAX_READ_CHARS // (len(clause) + 1)))


def terse_readings(clause: str, book: PhraseBook) -> Iterator[str]:
    """Wordings of a clause without a verb: "no people", "car red", "sky to purple", "too dark"."""
    if found := _NO_THING.fullmatch(clause.strip(" ,.!?")):
        if not book.begins(fold(found[1]).partition(" ")[0]):
            yield f"remove {found[1]}"
        return
    if cure := cure_of(clause):
        yield cure
    if found := _COMPARED.fullmatch(clause.strip(" ,.!?")):
        yield f"make {found[1]} {found[2]}"
    if (found := _OUT.fullmatch(clause.strip(" ,.!?"))) and not book.begins(fold(found[1]).partition(" ")[0]):
        yield f"remove {found[1]}"
    for text in dict.fromkeys((_polite(clause), *cores(clause, book))):
        bare = name_image(text)
        if len(bare.split()) > 6 or (
            re.search(r"\b(?:not|never|no|don't)\b", bare) and not _TOO.fullmatch(bare)
        ):
            continue
        if (found := _TO_COLOUR.fullmatch(bare)) and is_colour_word(found[2].lower().rpartition(" ")[2]):
            yield f"change {found[1].strip()} to {found[2]}"
        elif found := _TOO.fullmatch(bare):
            remedy = _CURES.get(fold(found["too"])) if found["too"] else _ENOUGH.get(fold(found["not"]))
            if remedy:
                yield f"make it {remedy}"
        elif len(bare.split()) <= 3:
            yield f"convert it to {bare}"
            yield f"make it {bare}"


def _readings(clause: str, book: PhraseBook) -> Iterator[str]:
    seen: set[str] = set()
    waiting = [clause, _polite(clause)]
    while waiting:
        text = waiting.pop(0)
        if text in seen or not text:
            continue
        seen.add(text)
        yield text
        waiting += _variants(text, book)


def _polite(clause: str) -> str:
    text = clause.strip(" ,:;!.?-")
    return _TAIL.sub("", " " + _HEAD.sub("", text)).strip(" ,:;!.?-")


def _variants(text: str, book: PhraseBook) -> Iterator[str]:
    yield _polite(text)
    yield from cores(text, book)
    yield from (_active(made, book) for made in wishes(text))
    named = name_image(text)
    for source, (rule, replacement) in product(dict.fromkeys((text, named)), _RULES):
        if (found := rule.match(source)) is not None:
            yield _active(found.expand(replacement), book)
    first, _, rest = text.partition(" ")
    base = _base(first, book)
    if base != first:
        yield f"{base} {rest}".strip()
    if (found := _INSTEAD.match(text)) and found[2].lower() not in ("the", "a", "an"):
        yield found[1]
    yield " ".join(_SOFTENERS.sub("", text).split())
    yield _AMOUNT.sub("", text)
    if not has_exception(text):
        yield _WHOLE.sub("it", text)


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
