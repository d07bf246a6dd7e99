"""Sizes, turns and amounts, and exceptions, in words that no phrase has."""

from __future__ import annotations

from promptvision.builtin.planner.patterns import IT, rules

__all__ = ["AMOUNTS"]

AMOUNTS = rules(
    (
        rf"^(?:i )?(?:need|want|require|would like|like|have|get|give me|make) {IT} (?:at|to be|in"
        rf"|with) (?:exactly |about |a size of |a width of )?(\d+(?:x\d+)?(?: pixels)?(?: (?:wide|tall"
        rf"|high|in width|in height))?)$",
        r"resize it to \1",
    ),
    (r"^([+-]) ?(\d+)% (?:of |more |in )?(\w+)$", r"±\1 \3 by \2%"),
    (r"^(\w+) (?:by )?([+-]) ?(\d+)%$", r"±\2 \1 by \3%"),
    (
        r"^(?:bump|crank|push|pump|ramp|dial|kick|jack|notch|bring|turn|put|take|move|set) (?:up "
        r")?(the )?(brightness|contrast|saturation|exposure|sharpness|colou?rs|vibrance|light)(?: up| "
        r"higher)?(?: (?:a|by) .*)?$",
        r"increase the \2",
    ),
    (
        r"^(?:dial|bring|turn|take|pull|knock|tone|scale|put|move|set) (?:(?:down|back) )?(the "
        r")?(brightness|contrast|saturation|exposure|sharpness|colou?rs|vibrance|light)(?: down| back| "
        r"lower)?(?: (?:a|by) .*)?$",
        r"reduce the \2",
    ),
    (
        r"^(\d+)% (upscale|enlarge|scale|zoom|bigger|larger|resize|size up|enlargement|downscale"
        r"|smaller|shrink)$",
        r"\2 it to \1%",
    ),
    (r"^(\w+) (?:me|us) ((?:the|all|an?|every|any|some|my|this|that|where|what|how) .+)$", r"\1 \2"),
    (
        r"^(?:make|get|have|turn|let) (.+?) (?:to )?(?:look|appear|seem|become|be) (?:more |a bit |a "
        r"little |much )*([\w-]+)$",
        r"make \1 \2",
    ),
    (
        r"^give ((?:the|my|that|this|her|his|our) [\w-]+(?: (?!an?\b|some\b|long\b|short\b|big\b"
        r"|new\b|to\b)[\w-]+)??) ((?:an? |some |long |short "
        r"|big |blue |new "
        r")?(?!to\b|the colou?r)[\w-]+(?: [\w-]+)?)$",
        r"change \1 to \1 with \2",
    ),
    (
        r"^(?:crop|cut|trim)(?: out| away| off)? (?:everything|all|anything)(?: else)? (?:except(?: "
        r"for)?|but|around|other than|besides|apart from|bar) (.+)$",
        r"crop it to \1",
    ),
    (r"^how many (.+?) (?:is|are) (\w+ing(?: .+)?)$", r"how many \1 \2 are there"),
    (r"^(?:make|i want|get) (.+?) in (?:an? )?((?:[a-z]+ )?(?:[a-z]+))$", r"?make \1 \2"),
    (r"^(?:only|just) (.+?) in (black (?:and|&) white|colou?r|gr[ae]y ?scale)$", r"make \1 \2"),
    (
        r"^(?:would|could|can|might|will) it be .{0,30}?\bif (.+?) (?:were|was|is|would be|could be"
        r"|became) (.+)$",
        r"make \1 \2",
    ),
    (
        r"^where (?:in|on|within) (?:<image>|it|this|there) (?:is|are|can i find|can you see) (.+?)(?: "
        r"(?:sitting|standing|located|placed|hiding|hidden|lying|positioned|parked))?$",
        r"where is \1",
    ),
    (
        r"^(where (?:is|are) .+?) (?:sitting|standing|located|placed|hiding|hidden|lying|positioned"
        r"|parked|exactly)$",
        r"\1",
    ),
    (r"^how many (.+?) (?:does|do|did) (.+?) have$", r"how many \1 of \2 are there"),
    (r"^how many of (?:the |these |those )?(.+?) are (\w+)$", r"how many \2 \1 are there"),
    # Exceptions
    (
        r"^(?:nothing|nobody|no one|none) (?:but|except(?: for)?|other than|besides) (.+?) (?:should"
        r"|must|may|can|is to|shall) (?:be|stay|remain)(?: \w+)?$",
        r"remove everything except \1",
    ),
    (
        r"^(?:everything|all|anything) (?:but|except(?: for)?|apart from|other than|besides|bar) (.+?) "
        r"(?:should|must|can|may|has to|needs to) (?:be|get|become|look|turn|go) (.+)$",
        r"make everything except \1 \2",
    ),
    (
        r"^(?:keep|leave) (.+?)(?: in(?: it)?| visible| only)?,? (?:and |but )?(?:remove|delete|erase"
        r"|lose|get rid of|take out|wipe|drop|ditch) (?:everything|anything|all|the rest|the others"
        r"|others|the other things)(?: else| the rest| other things)?$",
        r"remove everything except \1",
    ),
    (
        r"^(?:remove|delete|erase|lose|get rid of|take out|drop|wipe) (?:everything|anything|all)(?: "
        r"else)?(?:,? (?:but|and|except))* (?:keep|leave) (.+)$",
        r"remove everything except \1",
    ),
    (
        r"^(.+?) (?:should|must|can|may|is to|are to|has to|needs to|gets to) (?:stay|remain|be kept"
        r"|be left)(?: (?:in|there|here|visible|in it|as (?:it|they) (?:is|are)))?(?:,? and|,? but|,"
        r"|;)+ (?:but |and |only )?(?:the )?(.+?) (?:should|must|can|may|is to|are to|has to|have to"
        r"|needs to|need to|gets) (?:to )?(?:go|be removed|be gone|disappear|leave)$",
        r"remove \2, but leave \1 alone",
    ),
)
"""Wordings and the requests that they stand for, as in :mod:`promptvision.builtin.planner.wishes`."""
