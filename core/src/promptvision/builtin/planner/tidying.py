"""Write a request as phrases are written: typing errors, units, and names of images."""

from __future__ import annotations

import re

from promptvision.builtin.planner.patterns import QUOTE, fold, quoted

__all__ = ["tidy"]

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
_WORD = re.compile(r"(?<!\d)[^\W\d_]+(?:'[^\W\d_]+)?(?!\d)")
_PHOTO = r"(?:photo|picture|image|photograph|shot|snapshot|pic|portrait|selfie|scan|screenshot|snap)"
_OF_IT = (
    r"(?:of|in|on|at|from|to|with|by|for|as|and|or|the|a|an|into|over|under|behind|look|looks|like|than"
    r"|other|next|previous|last|first|second|third|fourth|fifth|is|are|was|make|turn|left|right|top|framed"
    r"|hanging|img_\d+|not|both)"
)
_SHARES = {"quarter": 25, "third": 33, "fifth": 20, "tenth": 10}
_NAMES = (
    (
        re.compile(r"\b(?:the|this|that) (?:whole|entire|complete) (?:thing|lot)\b", re.IGNORECASE),
        "the image",
    ),
    (
        re.compile(
            rf"\b(the|this|that|my|our|these) (?:(?!{_OF_IT}\b)[\w-]+ ){{1,3}}{_PHOTO}\b"
            rf"(?! (?:{_PHOTO}|frame|on the|above|over|behind|hanging|book|album|camera|of)\b|'s)",
            re.IGNORECASE,
        ),
        "this photo",
    ),
    (
        re.compile(
            rf"\b(?:(?:this|that|my|our) (?:(?!{_OF_IT}\b)[\w-]+ ){{0,2}}{_PHOTO} of"
            rf"|the {_PHOTO} of (?=my|our|me|us"
            r"|him|her|them))(?: (?:my|our|his|her|their|the|an?|me|us|him|them|two|three))?"
            r"(?: (?!(?:to|into|in|by|so|for|and|please|with|at|as|without|a|is|looks?)\b)[\w'-]+){0,4}"
            r"(?=\s*(?:$|[,.;!?]|(?:to|into|in|by|so|for|and|please|with|at|as|without|a|is|looks?|\d+)\b))",
            re.IGNORECASE,
        ),
        "this photo",
    ),
)
"""Names of the image that say what it shows: "this holiday photo", "this picture of my late husband"."""
_WRITTEN_OUT = (
    (re.compile(r"[\u3002\uff01\uff1f]"), ". "),
    (re.compile(r"[\uff0c\u3001]"), ", "),
    (re.compile(r"[\u00bf\u00a1]"), ""),
    (re.compile(r"^\s*(?:\d{1,2}[.)]|[-*\u2022])\s+", re.MULTILINE), "\n"),
    (re.compile(r"(?<=\w)\s+\d{1,2}[.)]\s+(?=[a-z])", re.IGNORECASE), "\n"),
    (re.compile(r"\bstep (?:\d+|one|two|three|four|five)\s*[:.,]\s*", re.IGNORECASE), "\n"),
    *_NAMES,
    (re.compile(r",\s*plus\s+(?=\w+ )", re.IGNORECASE), ", and "),
    (re.compile(r",\s*(?=(?:at |with )?quality \d)", re.IGNORECASE), " "),
    (
        re.compile(
            r"\bas an? (?:small|smaller|big|bigger|nice|normal|ordinary|plain|simple) (?=png|jpe?g|webp"
            r"|tiff?|gif|avif|bmp)",
            re.IGNORECASE,
        ),
        "as a ",
    ),
    (re.compile(r"\brid off\b", re.IGNORECASE), "rid of"),
    (re.compile(r"^(\w+) nothing but ", re.IGNORECASE), r"\1 only "),
    (re.compile(r"\blook like (?:it is|it's) (?=\w)", re.IGNORECASE), "look like "),
    (re.compile(r"(?:\.{2,}|\u2026)\s*(?=(?:no|wait|sorry|actually)\b)", re.IGNORECASE), ", "),
    (
        re.compile(r"\bby (?:a|one)[- ](quarter|third|fifth|tenth)\b", re.IGNORECASE),
        lambda found: f"by {_SHARES[found[1].lower()]}%",
    ),
    (
        re.compile(r"\b(in|to|into) ((?:(?:dark|light|bright|pale) )?[a-z]+) colou?r$", re.IGNORECASE),
        r"\1 \2",
    ),
    (
        re.compile(r"^make (\w+er|(?:more|less) \w+) ((?:the|my|this|that|its?)\b[^,]*)", re.IGNORECASE),
        r"make \2 \1",
    ),
    (re.compile(r"\b(?:the|this|that|my) (?:image|photo|picture)'s\b", re.IGNORECASE), "its"),
    (re.compile(r"\b(in|on|of|for|from|to) (?:this|that) one$", re.IGNORECASE), r"\1 it"),
    (re.compile(r",? and (?:then )?(?=(?:can|could|would|will) you\b)", re.IGNORECASE), "; "),
    (
        re.compile(
            r"\b(?:set |put |make )?(?:the )?(brightness|contrast|saturation|sharpness"
            r"|exposure)(?: (?:is|at|to|of|="
            r"))? ?(1\d\d)%",
            re.IGNORECASE,
        ),
        lambda found: f"increase the {found[1]} by {int(found[2]) - 100}%",
    ),
    (
        re.compile(
            r"\b(?:set |put |make )?(?:the )?(brightness|contrast|saturation|sharpness|exposure) (?:at"
            r"|to|of) ?(\d\d)%",
            re.IGNORECASE,
        ),
        lambda found: f"reduce the {found[1]} by {100 - int(found[2])}%",
    ),
    (re.compile(r"\bupside[ -]?down\b", re.IGNORECASE), "upside down"),
    (re.compile(r"\bsee[ -]through\b", re.IGNORECASE), "see-through"),
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
    (
        re.compile(r"^(\w+): (?=\w+$)(?!remove|delete|erase|blur|hide|crop|gone|out|off|away)"),
        r"change \1 to ",
    ),
    (re.compile(r"\bbitmap\b(?: file)?", re.IGNORECASE), "bmp"),
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
    (re.compile(r"\b(?:a )?quarter[- ]turn\b", re.IGNORECASE), "90 degrees"),
    (re.compile(r"\b(?:a )?half(?: a)? turn\b", re.IGNORECASE), "180 degrees"),
    (re.compile(r"\bby (?:a )?half\b", re.IGNORECASE), "by 50%"),
    (re.compile(r"^([^\n,.;]{1,40}?)\s*(?:->|=>|\u2192)\s*", re.MULTILINE), r"change \1 to "),
    (
        re.compile(
            r"\b(?:image|picture|photo) (?:number |no\.? ?|#)?([1-9])\b"
            r"(?!\s*(?:[%\u00b0x:/]|times\b|degrees?\b|pixels?\b|by\b))(?!\.\d)",
            re.IGNORECASE,
        ),
        r"img_\1",
    ),
)
_ORDINALS = {
    word: number for number, word in enumerate(("first", "second", "third", "fourth", "fifth"), start=1)
}
_NTH_IMAGE = re.compile(
    rf"\bthe ({'|'.join(_ORDINALS)}) (?:image|picture|photo|photograph|pic)\b",
    re.IGNORECASE,
)
_TIMES = re.compile(r"\b(?:by )?(?:a factor of )?(\d(?:\.\d+)?)\s?(?:x|times)(?![\w.])", re.IGNORECASE)


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
