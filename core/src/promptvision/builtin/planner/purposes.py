"""Ends of a sentence that say why, for whom or with what result, but not what is to be done."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from promptvision.builtin.planner.patterns import IMAGE
from promptvision.builtin.planner.remarks import MAX_PAUSES, is_remark

__all__ = ["without_purpose"]

_PURPOSES = tuple(
    re.compile(rule, re.IGNORECASE)
    for rule in (
        r",? (?:so(?: that)?|because|since|cause|cuz|as) (?:i|we|you|it|they|he|she|that|this|nobody|no one"
        r"|no-one|none|people|everyone|everybody|one|the|my|our|there|"
        rf"{IMAGE})\b(?!.*\b(?:only|just)\b).+$",
        r",? (?:for|as) (?:my|our|his|her|their|your|an?|the|some|this) (?:[\w-]+ ){0,3}?(?:web ?site"
        r"|blog|profile"
        r"|instagram|insta|facebook|linkedin|page|post|poster|print|printing|presentation|slides?|article"
        r"|report|email|e-mail|card|cv|resume|logo|wallpaper|thumbnail|avatar|album|shop|store|listing|ad"
        r"|advert|flyer|newsletter|banner|header|story|book|project|class|school|homework|grandma|mum|mom"
        r"|dad|wife|husband|friend|boss|team|client|party|passport|application|ebay|etsy|phone|screen"
        r"|desktop|background picture|story|feed|channel|video|magazine|paper|thesis|exhibition)s?$",
        r",? for (?:instagram|facebook|linkedin|twitter|tiktok|ebay|etsy|youtube|printing|print|privacy"
        r"|privacy reasons|publication|publishing|sharing|the web|web use|social media|email|fun|now"
        r"|clarity|a moment|a second|a change|once|readability|accessibility|documentation)$",
        r",? (?:in order )?to (?:use|post|send|share|upload|print|publish|hang|put|frame|show|give|email|mail"
        r"|save space|fit|match|protect|respect|hide who|make sure|make room|avoid|keep) .+$",
        r",? (?:before|after) i (?:post|send|share|upload|print|publish|show) .+$",
        r",? (?:which|that) (?:i|we) (?:need|want|will|would|am|are) .+$",
        r",? in (?:case|preparation|time) .+$",
        r",? for (?:the|my|our|his|her|their|your|an?|this|some) (?:[\w'-]+ ){0,4}?[\w'-]+$",
        r",? (?:and )?(?:throw (?:away|out)|discard|chop off|cut(?: off| away)?|crop(?: off| away)?|lose"
        r"|forget|ignore|drop)"
        r" (?:the rest|everything else|all else|what is left|the others?|the other half|anything else).*$",
        r",? (?:and )?not [a-z]+$",
        r",? for (?:insta|my insta|fb|whatsapp)$",
        r", i (?:only|just) (?:want|need)(?: to (?:see|keep|have))? (?!it |them |him |her |this |to )[\w ]+$",
        r",? without (?:making it|it (?:getting|becoming|looking|going)|losing|any loss|loss|blurring"
        r"|pixelating|ruining|lowering|hurting|distorting|stretching)\b.*$",
        r",? (?:can|could) you show me(?: (?:that|it|how .*))?$",
        r", i (?:will|am going to|plan to|need the|need to|have to) (?!it |them )[\w' ]+$",
        r",? (?:so as to|just like|exactly like|like) (?:the ones?|those|that|this|what) [^,]+$",
        r",? (?:like|as) (?:you|we|i) (?:did|said|discussed|mentioned|asked|wanted|see|know)\b.*$",
        r",? (?:whichever|whatever|however|as (?:much|well|best|good|fast|soon) as) .+$",
        r",? (?:or (?:something|so|anything)(?: (?:like|similar to) that)?|and (?:so on|stuff|such"
        r"|everything))$",
        r", (?:it|that) (?:is|was|looks|would be|should be|hurts|makes|will) [^,]+$",
    )
)
_DIGIT = re.compile(r"\d")
_PAUSE = re.compile(r"\s*(?:,|;| - | \u2013 | \u2014 )\s*")


def without_purpose(text: str) -> Iterator[str]:
    """The sentence without each end that is a remark or a purpose."""
    for found in islice(_PAUSE.finditer(text), MAX_PAUSES):
        if is_remark(text[found.end() :]) and not is_remark(text[: found.start()]):
            yield text[: found.start()]
    for rule in _PURPOSES:
        end = rule.search(text)
        if end and len(text[: end.start()].split()) > 1 and not _DIGIT.search(text[end.start() :]):
            yield text[: end.start()]
