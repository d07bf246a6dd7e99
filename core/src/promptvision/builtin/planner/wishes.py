"""Wishes that are not imperatives: statements, questions and purposes.

Each rule rewrites a kind of English sentence into the plain request that it stands for; which operation that
asks for is left to the phrases of the operations.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from promptvision.builtin.planner.amounts import AMOUNTS
from promptvision.builtin.planner.patterns import IT, QUOTE, fold, name_image, rules
from promptvision.builtin.planner.purposes import without_purpose
from promptvision.builtin.planner.questions import QUESTIONS
from promptvision.tools.targets import is_colour_word

__all__ = ["wishes"]

_DONE = (
    r"(?:\w{2,}ed|taken|read|put|shown|set|brought|cut|made|hidden|written|drawn|gone)(?: (?:out|off|away"
    r"|up|down|in))?"
)
_PAINTED = r"(?:nice|warm|cool|bright|dark|light|pale|deep|soft|rich|bold|plain|pure|solid|lovely|shiny)"
_BEGINS = (
    r"(?:is it possible|is there (?:a|any) way|would there be a way|are you able|were you able|do you "
    r"know how"
    r"|how (?:do|can|could|would|should|might) (?:i|we|you|one)|what if (?:i|we|you)"
    r"|why (?:do not|don't) (?:you|we)|i am (?:looking|trying|hoping|planning|about)(?: for you)?"
    r"|my (?:goal|wish|idea|plan) is|your (?:task|job|mission) is|the (?:task|idea|goal) is"
    r"|i (?:would|will) (?:really |just |very much )?(?:like|love|want|prefer|need)(?: for)?(?: you)?"
    r"|see (?:if|whether) you can|time|it is time|(?:i )?dare you|i challenge you|all i (?:want|need) is"
    r"|what i (?:want|need) is(?: for you)?|what i would like is(?: for you)?|do me a favou?r and"
    r"|be a (?:star|love|hero|pal|sport|darling|mate) and|i need you|i want you|you have|you need|you are"
    r"|it is necessary|it is important|try|attempt|proceed|please)"
)
_GERUND = (
    r"(?:thank(?:s| you)(?: (?:so|very) much| a lot| in advance)? for|i was thinking (?:of|about)"
    r"|i am thinking (?:of|about)|what about|how about|mind|do you mind|would you mind|are you up for"
    r"|fancy|could i bother you with|can i trouble you with|i would be interested in|can you manage|consider"
    r"|i insist on|i suggest|i propose|i recommend|let us start by|start by|begin by|start with|try)"
)
_POLITE_IF = re.compile(
    r"^.{0,70}?\b(?:if|that|whether|when|as to) (?:you|we) (?:could|can|would|might|may|were able to|were to"
    r"|will|should|able to)"
    r"(?: (?:please|just|kindly|also|possibly|perhaps|maybe|somehow|ever|be so kind as to))* (?P<rest>.+)$",
    re.IGNORECASE,
)
_THING_FIRST = re.compile(
    r"^(?P<thing>(?:the|my|that|this|those|these|all|his|her) [^,]+?),? (?:please |just |can you "
    r"|could you |kindly )+"
    r"(?P<verb>\w+(?: (?:out|away|off|to|in on))?)(?: (?:it|them|that))?(?: (?:please|out|away|for me))*$",
    re.IGNORECASE,
)
"""A thing before what is to be done with it: "the sticker, please remove"."""
_ONE = re.compile(r"\b(?:this|that) one$", re.IGNORECASE)
_COLOURED = re.compile(
    r"^(?:please )?give (?P<owner>(?:the|my|that|this|her|his|our) [\w -]+?) (?P<colour>(?:(?:dark|light"
    r"|bright"
    r"|pale|deep) )?\w+) (?P<part>[a-z]+s|hair|fur|skin)$",
    re.IGNORECASE,
)
"""A part that a thing has, in another colour: "give the cat green eyes"."""
_WISHES = rules(
    (rf"^{_BEGINS} to (.+)$", r"\1"),
    (rf"^(?:{_BEGINS}) ((?!to |that )\w+ .+)$", r"\1"),
    (rf"^{_GERUND} (\w+ing .+)$", r"\1"),
    (
        r"^(?:i |we )(?:want|would like|wish|need|like) (?:that|to have|it if|if) (.+?) (?:becomes?"
        r"|became|gets?|looks?"
        r"|turns?|were|is|be) (?!to )(.+)$",
        r"!make \1 \2",
    ),
    (
        r"^(?:can|could|may|might|would) ((?:the|my|that|this|those|these"
        r"|all) .+?) (?:please )?(?:go(?: away)?|disappear"
        r"|vanish|leave|be gone)(?: (?:from|out of|in) .*)?$",
        r"remove \1",
    ),
    (
        rf"^.{{0,40}}\b(?:should|must) (?:stand|say|read|be written|show) ({QUOTE}.+{QUOTE})(.*)$",
        r"write \1\2",
    ),
    (r"^(\w+) nothing but (.+)$", r"\1 \2"),
    (
        r"^(.+?) (?:should|must|has to|have to|needs? to|ought to|shall|can|could) (?:be )?(?:gone"
        r"|away|out of (?:it|here))"
        r"(?: please| now)*$",
        r"remove \1",
    ),
    (
        r"^(?:shrink|scale|resize|enlarge|make|reduce|size|blow|get) .+? (?:so"
        r"|such) (?:that )?(?:it is|it's|it has|it gets)"
        r" (?:exactly |about )?(\d+.*)$",
        r"resize it to \1",
    ),
    (
        r"^(?:put|place|set|show|have|photograph) (.+?) (?:in front of|against) ((?:an?"
        r"|some) .+?)(?: background| backdrop)?$",
        r"change the background to \2",
    ),
    (
        r"^(?:i |we )(?:would )?(?:really )?(?:want|like|love)(?: to (?:see|have))? (.+?) as (an? .+)$",
        r"turn \1 into \2",
    ),
    (r"^(?:what|how) would (.+?) look (?:like )?in (.+)$", r"?make \1 \2"),
    (rf"^(?:what|how) would {IT} look (?:like )?with (?:an? )?(\w+) (\w+)$", r"?make the \2 \1"),
    (
        r"^([\w-]+(?: [\w-]+)?) (?:instead of|in place of) ((?:the|my|that|those|these) .+)$",
        r"replace \2 with \1",
    ),
    (
        r"^(?:an? |the |this |my )?(?:\w+ )?(?:photo|picture|image|photograph|pic) (?:to|into|in"
        r"|as) (.+)$",
        r"=make it \1",
    ),
    (
        r"^(?:i |we )?(?:need|want|require|must have|would like) .*?\b(\d{2,5}x\d{2,5})(?: pixels)?$",
        r"resize it to \1",
    ),
    (
        r"^(?:make|let|have) (.+?) (?:stand|sit|appear|be|float|stay|rest) (on|against"
        r"|in front of) (.+)$",
        r"put \1 \2 \3",
    ),
    (
        r"^give ((?:the|my|that|this|her|his|our|all) .+?) (?:an? |some )?((?:(?:dark|light|bright"
        r"|pale) )?\w+) (?:coats? of"
        r" paint|coat|finish|look|paint job|tint|tone|shade|makeover|paint)$",
        r"?make \1 \2",
    ),
    (
        r"^(?:crop|trim|cut|zoom)(?: it| in| down)* so (?:that )?(?:we |you |i |one "
        r"|it )?(?:can )?(?:only|just) (?:sees?"
        r"|shows?|have|has|gets?|keeps?) (.+)$",
        r"crop it to \1",
    ),
    (
        r"^((?:the|my|that|this|her|his|our|all) [\w -]+?) (?:should|must|needs? to"
        r"|has to) have ((?:(?:dark|light|bright"
        r"|pale|deep) )?\w+ (?:[a-z]+s|hair|fur|skin))$",
        r"give \1 \2",
    ),
    (
        r"^((?:the|my|that|this|her|his|our) [\w -]+?) (?:should|must|needs? to|has to) have (an? .+)$",
        r"give \1 \2",
    ),
    (
        r"^(?:can|could|should|must|may) (it|that|he|she|they) (?:please )?(?:go|leave|disappear"
        r"|come out|be gone)(?: away)?$",
        r"remove \1",
    ),
    (
        r"^i wish (?:that )?(.+?) (?:was not|wasn't|were not|weren't|is not|isn't|was gone|were gone"
        r"|would go)(?: away)?(?: (?:in"
        r"|on|there|here)\b.*)?$",
        r"remove \1",
    ),
    (r"^i wish (?:that )?(.+?) (?:was|were) (?!not\b|there\b|here\b)(.+)$", r"!make \1 \2"),
    (
        r"^(?:i would |we would )?rather (?:have |see )?((?:an? |some )?.+?) than ((?:the|this|that"
        r"|my|these|those) .+)$",
        r"replace \2 with \1",
    ),
    (
        r"^(?:i|we) (?:want|would like|need|would love|wish for|would like to have"
        r"|want to have) ((?:(?:dark|light|bright|pale)"
        r" )?\w+) (hair|eyes|nails|lips|teeth|skin|eyebrows)$",
        r"?make my \2 \1",
    ),
    (
        r"^(?:just|only) (.+?)(?: please)?,? (?:and |with )?(?:nothing (?:behind|around) (?:it|them)"
        r"|no background|without (?:the"
        r"|a|any) background)$",
        r"cut out \1",
    ),
    (
        r"^(?:instead of|in place of) (.+?),? (?:i (?:want|would like|would rather have|prefer"
        r"|need)(?: to (?:see|have))?"
        r"|put|use|show|give me|add|paint) ((?!to |you )[\w -]+)$",
        r"replace \1 with \2",
    ),
    (
        r"^what (?:if|about if) ((?!i\b|you\b|we\b).+?) (?:was|were|is|had been|would be|became) (.+)$",
        r"!make \1 \2",
    ),
    (
        r"^(?:try|do|let us try|let us see|imagine|how about|what about|show me) ((?:the|my|his|her"
        r"|our|their|this|that) .+?)"
        r" in ((?!the\b|it\b)[\w -]+)$",
        r"?make \1 \2",
    ),
    (
        rf"^(?:can|could|should|may|might) {IT} (?:please )?be (?:in |made |turned )?(?:an? )?(.+)$",
        r"=make it \1",
    ),
    (
        r"^(?:i |we )(?:want|would like|need|would love|prefer) (.+?) to (look (?:like|as if) .+)$",
        r"make \1 \2",
    ),
    (
        r"^keep (.+?) (?:sharp|in focus|clear|crisp),? (?:and|but) (?:blur|defocus|soften"
        r"|fade)(?: out)? (?:(?:all )?the rest|everything"
        r" else|all else|the others?|everything around it).*$",
        r"blur everything except \1",
    ),
    (
        r"^(turn|rotate|spin|tilt) (?:the|my|this) [\w -]+? (by )?(-?\d+(?:\.\d+)? degrees.*)$",
        r"=\1 it \2\3",
    ),
    (r"^wish (.+)$", r"i wish \1"),
    (
        r"^(?:what|how) would (?:i|he|she|we|they) look (?:like )?with ((?:(?:dark|light|bright"
        r"|pale) )?\w+)"
        r" (hair|eyes|nails|lips|teeth)$",
        r"?make the \2 \1",
    ),
    (
        r"^i (?:do not|don't) want (.+?) to (?:show|appear|be (?:seen|visible|shown|there))(?: .*)?$",
        r"remove \1",
    ),
    (
        r"^(.+?) (?:needs?|could use|wants?) (?:an? )?(?:fresh |new )?(?:coat|lick"
        r"|layer) of ((?:(?:dark|light) )?\w+) paint$",
        r"?make \1 \2",
    ),
    # What somebody requires: "the shop needs pictures 800x800", "the editor asked for a tiff"
    (
        r"^(?!.*(?:\bnot|\bnever|\bno|n't|\bnobody)\b).{2,60}?\b(?:only |always )?(?:needs?|wants?"
        r"|requires?|accepts?|takes?|asks?|asked(?: me| us)?"
        r"|expects?|demands?|insists? on|prefers?|asking|allows?)(?: for)?(?: only| just| exactly"
        r"| at least)?"
        r"(?: (?:the |all |its |their |my )?(?:pictures?|photos?|images?|files?|scans?|it|them|this"
        r"|everything|one))?(?: (?:to be|that (?:is|are)|in|as|at|of|with|on))*(?: an?)? (.+)$",
        r"=make it \1",
    ),
    (
        r"^(?!.*(?:\bnot|\bnever|\bno|n't)\b).{2,60}?\b(?:needs?|wants?|requires?|asks?|asked|asking"
        r"|expects?"
        r"|prefers?)(?: for)?(?: an?)? (.+)$",
        r"=\1",
    ),
    (
        rf"^(?:an? |some |the )?(.+?) would (?:suit|fit|flatter|work(?: well)? (?:for|with|on|in)"
        rf"|look (?:good|nice|great|lovely) (?:on|in|for)|help|improve|save|do) (?:{IT}"
        rf"|here)(?: well)?$",
        r"=make it \1",
    ),
    (
        rf"^(?:show|display|put|give|present|have|get|see|view|let me see) (?:me )?{IT} (.+)$",
        r"=turn it \1",
    ),
    (r"^.{3,60}? by (\w{2,}ing (?:it |the |by |to )?.+)$", r"\1"),
    (
        r"^(.+?) (?:must|should|may|can|shall|is|are)(?: to)? (?:not|never"
        r"|no longer)(?: to)? be (?:easily "
        r"|clearly )?(?:readable|legible|recogni[sz]ed|recogni[sz]able|identified|identifiable|seen"
        r"|made out|read)(?: any ?more)?$",
        r"blur \1",
    ),
    (
        r"^(?:make sure |ensure )?(?:that )?(?:nobody|no one|people) (?:can(?:not)?|can't|should"
        r"|is able to)"
        r"(?: not)? (?:read|see|recogni[sz]e|identify|make out) (.+)$",
        r"blur \1",
    ),
    (
        r"^(?:the )?(.+?) (?:should|must|has to|have to|needs? to) be (?:made )?(unreadable|illegible"
        r"|unrecogni[sz]able|anonymous|blurry|hidden|anonymi[sz]ed|unidentifiable)$",
        r"make the \1 \2",
    ),
    (
        rf"^(?:can|could|should|may|might|would) {IT} (?:please )?be (?:made )?([\w-]+er)$",
        r"make it \1",
    ),
    (
        r"^(?:can|could|should|may) (?:these|those|all of these"
        r"|they) (?:please )?be (?:made )?([\w-]+er)$",
        r"=make it \1",
    ),
    # Questions and statements with "should", "could", "needs to"
    (
        rf"^(?:can|could|may|might|should|would|will|must|shall) (.+?) (?:please |perhaps |maybe |also )?"
        rf"(?:be|get|become) ({_DONE}(?: .*)?)$",
        r"~\2~\1",
    ),
    (
        r"^(?:can|could|may|might|should|would|will|must|shall|couldn't|can't) "
        r"((?:the|my|that|this|his|her|their|our|all|these|those) .+?) (?:please |perhaps |maybe )?"
        r"(?:be|become|look|turn|appear) (?:more like |like )?(.+)$",
        r"make \1 \2",
    ),
    (
        rf"^(.+?) (?:should|must|has to|have to|needs to|need to|ought to|had better|could do with being"
        rf"|wants to|can|could|might|may|would|gets to) (?:please |also |maybe )?(?:be|get|have "
        rf"been) ({_DONE}(?: .*)?)$",
        r"~\2~\1",
    ),
    (
        r"^(.+?) (?:should|must|has to|have to|needs to|need to|ought to|is supposed to|are supposed to"
        r"|is meant to|could|would|ought to) (?:be|become|turn|look)(?: more)? (.+)$",
        r"make \1 \2",
    ),
    (
        r"^(.+?) (?:needs?|requires?|wants?|could use|could do with) (?:a )?(?:bit of )?(?:some "
        r")?(\w+ing)$",
        r"\2 \1",
    ),
    (
        rf"^{IT} (?:needs?|requires?|wants|lacks|could use|could do with|is missing|deserves|is "
        rf"lacking)"
        r" (?:a (?:little |tiny )?(?:bit|touch|dash|lot|tad) (?:of |more )?|some |much |a )?(?:more )?"
        r"((?!to )[\w ]+)$",
        r"add \1",
    ),
    (
        r"^((?:the|that|this|those|these|my|his|her|all|any) .+?) (?:has to|have to|must|should|needs to"
        r"|need to|can|has got to|have got to|gotta|could) (?:go|disappear|vanish|leave|come out)"
        r"(?: away)?$",
        r"remove \1",
    ),
    (
        r"^((?:the|that|this|those|these) [^,]+?) (?:is|are|looks?|seems?) (?:really |so |very "
        r"|quite |kind of"
        r" |a bit |rather |pretty )*(?:annoying|distracting|in the way|unwanted|disturbing|bothering me"
        r"|not (?:supposed|meant) to be (?:there|here)|unnecessary|out of place)$",
        r"remove \1",
    ),
    (
        r"^((?:the|that|this|those|these) [^,]+?) (?:ruins?|spoils?|bothers?|annoys?|disturbs?|distracts?"
        r"|should not be|shouldn't be|does not belong|do not belong|doesn't belong|don't belong)"
        r"(?: (?:me|it|there|here|from it|everything|the view|<image>|in it|in <image>))*$",
        r"remove \1",
    ),
    (
        r"^(?:i )?(?:would|could|might) (?:do|be|look) (?:much |so |far )?(?:better|nicer"
        r"|happier) without (.+)$",
        r"remove \1",
    ),
    (
        rf"^{IT} (?:would|might|could|may|will) (?:be|look) (?:much |so |far |way )?(?:better|nicer"
        rf"|great|good|cleaner|perfect|lovely|cool) (?:without|minus) (.+)$",
        r"remove \1",
    ),
    (
        rf"^{IT} (?:would|might|could|may|will) (?:be|look) (?:much |so |far |way )?(?:better|nicer"
        rf"|great|good|perfect|lovely|cool) (?:as |in )?((?!if |to |when |that )[\w &-]+)$",
        r"make it \1",
    ),
    (
        r"^((?:the|my|his|her|that|this) [^,]+?) (?:would|might|could|may|will) (?:be|look) "
        r"(?:much |so |far "
        r"|way )?(?:better|nicer|great|good|perfect|lovely|cool|amazing|awesome|fantastic|cute) "
        r"(?:as |in |if .{0,12}(?:was|were) )?(.+)$",
        r"make \1 \2",
    ),
    # Wishes for a thing with a colour: "I'd rather have a green car"
    (
        r"^(?:i (?:would|want|need|wish|prefer|fancy)\b.{0,24}?|give me |make it |we want |can i "
        r"have |can we have "
        rf"|how about |what about |let us have |let us try |try )?(?:for )?(?:to (?:have|see) "
        rf")?an? ((?:{_PAINTED} )*\w+) ([a-z]+)(?: instead| there| please)?$",
        r"?make the \2 \1",
    ),
    (
        rf"^(?:use|go (?:with|for)|try|take|pick|choose|prefer|make that|do|rather|better|maybe|let us "
        rf"(?:go|try)(?: with| for)?|i (?:would )?prefer|i meant|i said|how about|what about) (?:it "
        rf")?(?:in |with |a |an )?((?:{_PAINTED} )*\w+)(?: instead| this time| then| rather| now)*$",
        r"?make it \1",
    ),
)


_RULES = tuple((rule.match, made) for rule, made in (*_WISHES, *QUESTIONS, *AMOUNTS))


@lru_cache(maxsize=1024)
def wishes(text: str) -> tuple[str, ...]:
    """Plain requests that a sentence may stand for; a part marked "~" is a participle and its object."""
    return tuple(_wishes(text))


def _wishes(text: str) -> Iterator[str]:
    if found := _POLITE_IF.match(text):
        yield found["rest"]
    if (found := _COLOURED.match(text)) and is_colour_word(fold(found["colour"]).rpartition(" ")[2]):
        yield f"change the color of {found['owner']}'s {found['part']} to {found['colour']}"
    if (found := _THING_FIRST.match(text)) and "," not in found["thing"]:
        yield f"{found['verb']} {found['thing']}"
    if _ONE.search(text):
        yield f"={_ONE.sub('it', text)}"
    yield from without_purpose(text)
    sources = tuple(dict.fromkeys((text, name_image(text))))
    for match, made in _RULES:
        for source in sources:
            if found := match(source):
                wish = found.expand(made)
                if wish.startswith("?"):
                    if not is_colour_word(fold(wish).rpartition(" ")[2]):
                        continue
                    wish = wish[1:]
                yield wish.replace("±+", "increase").replace("±-", "decrease")
                break
