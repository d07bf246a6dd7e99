"""Wishes that are not imperatives: statements, questions and purposes.

Each rule rewrites a kind of English sentence into the plain request that it stands for; which operation that
asks for is left to the phrases of the operations.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from promptvision.builtin.planner.patterns import IMAGE, QUOTE, fold, name_image
from promptvision.builtin.planner.remarks import is_remark
from promptvision.tools.targets import is_colour_word

__all__ = ["wishes"]

_IMG = rf"(?:{IMAGE}|it|this|that)"
_DONE = (
    r"(?:\w{2,}ed|taken|read|put|shown|set|brought|cut|made|hidden|written|drawn|gone)(?: (?:out|off|away"
    r"|up|down|in))?"
)
_PAINTED = r"(?:nice|warm|cool|bright|dark|light|pale|deep|soft|rich|bold|plain|pure|solid|lovely|shiny)"
_SEEN = (
    r"(?:(?:can|do|could|may|might|would|will|have|are|is) ?)?(?:you|i|we|one|there)? ?"
    r"(?:can |could |be |been |manage to )?(?:see|find|count|spot|seen|make out|make it|visible|in view"
    r"|present|there|here|around|have|got|detect|recogni[sz]e|on display|shown|pictured)"
)
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
"""Ends of a sentence that say why, for whom or with what result, but not what is to be done."""
_THING_FIRST = re.compile(
    r"^(?P<thing>(?:the|my|that|this|those|these|all|his|her) [^,]+?),? (?:please |just |can you "
    r"|could you |kindly )+"
    r"(?P<verb>\w+(?: (?:out|away|off|to|in on))?)(?: (?:it|them|that))?(?: (?:please|out|away|for me))*$",
    re.IGNORECASE,
)
"""A thing before what is to be done with it: "the sticker, please remove"."""
_ONE = re.compile(r"\b(?:this|that) one$", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
_PAUSE = re.compile(r"\s*(?:,|;| - | \u2013 | \u2014 )\s*")
_COLOURED = re.compile(
    r"^(?:please )?give (?P<owner>(?:the|my|that|this|her|his|our) [\w -]+?) (?P<colour>(?:(?:dark|light"
    r"|bright"
    r"|pale|deep) )?\w+) (?P<part>[a-z]+s|hair|fur|skin)$",
    re.IGNORECASE,
)
"""A part that a thing has, in another colour: "give the cat green eyes"."""
_WISHES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(rule, re.IGNORECASE), made)
    for rule, made in (
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
        (rf"^(?:what|how) would {_IMG} look (?:like )?with (?:an? )?(\w+) (\w+)$", r"?make the \2 \1"),
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
            r"|put|use|show|give me|add|paint) ((?:an?|some|the) .+)$",
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
            rf"^(?:can|could|should|may|might) {_IMG} (?:please )?be (?:in |made |turned )?(?:an? )?(.+)$",
            r"=make it \1",
        ),
        (
            r"^(?:i |we )(?:want|would like|need|would love|prefer) (.+?) to (look (?:like|as if) .+)$",
            r"make \1 \2",
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
            rf"|look (?:good|nice|great|lovely) (?:on|in|for)|help|improve|save|do) (?:{_IMG}"
            rf"|here)(?: well)?$",
            r"=make it \1",
        ),
        (
            rf"^(?:show|display|put|give|present|have|get|see|view|let me see) (?:me )?{_IMG} (.+)$",
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
            rf"^(?:can|could|should|may|might|would) {_IMG} (?:please )?be (?:made )?([\w-]+er)$",
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
            rf"^{_IMG} (?:needs?|requires?|wants|lacks|could use|could do with|is missing|deserves|is "
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
            rf"^{_IMG} (?:would|might|could|may|will) (?:be|look) (?:much |so |far |way )?(?:better|nicer"
            rf"|great|good|cleaner|perfect|lovely|cool) (?:without|minus) (.+)$",
            r"remove \1",
        ),
        (
            rf"^{_IMG} (?:would|might|could|may|will) (?:be|look) (?:much |so |far |way )?(?:better|nicer"
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
        # Questions
        (
            rf"^(?:.{{0,24}} )?(?:how many|the (?:total )?number of|the count of|the amount of) (.+?) "
            rf"{_SEEN}(?: (?:in|on) {IMAGE}| in total| here| there| altogether)*$",
            r"how many \1 are there",
        ),
        (
            r"^(?:what is |tell me |give me |say |count |i need )?(?:the )?(?:total )?(?:number|amount"
            r"|count) of (.+)$",
            r"how many \1 are there",
        ),
        (
            rf"^(?:(?:are|is) there|do you see|can you see|do we have|have we got|can i see|does {_IMG} "
            rf"(?:have|show|contain)|spot)(?: (?:any|some|a few|an?))? (.+?)(?: (?:anywhere|somewhere|at "
            rf"all|in sight|around|in view|visible|hidden|to be seen|hiding))+$",
            r"is there \1",
        ),
        (
            r"^(?:which|what) (?:thing|things|objects?|items?|stuff|animals?|people) (?:is|are|can be|can "
            r"you|do you|can i)(?: (?:see|find|seen|spot|shown))?(?: in it)?$",
            r"what is in it",
        ),
        (
            r"^where (?:exactly |in it |abouts )?(?:can|could|do|would|might) (?:i|you|we) (?:find|see"
            r"|spot) (.+)$",
            r"where is \1",
        ),
        (
            r"^where(?:abouts)? (?:have|has|did) .*?(?:hid(?:den|e)?|put|left|leave|lost?|lose) (.+)$",
            r"where is \1",
        ),
        (
            r"^(?:find|tell me|show me|say|point out) (?:out )?(?:the (?:position|location|place"
            r"|whereabouts) of|where to find) (.+)$",
            r"find \1",
        ),
        (
            r"^where (?:did|has|have|does|do) (.+?) (?:go|gone|hide|hidden|sit|stand|lie|end up|be|live"
            r"|disappeared?)$",
            r"where is \1",
        ),
        (
            r"^(?:put|place|add|paint|draw|insert|hang|stand|park|plant|set) (.+?) where (.+?) (?:is|was"
            r"|are|were|stands?|stood|sits?"
            r"|sat)(?: now)?$",
            r"replace \2 with \1",
        ),
        (r"^(?:make|turn|get) (.+?) more ([a-z]+)$", r"?make \1 \2"),
        (r"^(?:.{0,20} )?there (?:were|was|are|is|would be|should be) no(?: more)? (.+)$", r"remove \1"),
        (
            r"^(.+?) would be (?:really |very |so |much )?(?:nice|great|good|lovely|perfect|better|cool"
            r"|appreciated|helpful|welcome|awesome|ideal|wonderful|fine)$",
            r"\1",
        ),
        (
            r"^everything (?:but|except(?: for)?|apart from|other than|besides) (.+?) (?:should|must|has to"
            r"|needs to|can) (?:disappear|go|vanish|leave|be (?:gone|removed|erased|deleted))$",
            r"remove everything except \1",
        ),
        (
            r"^(?:(?:tell|show) me )?how many (.+?) (?:are|is)(?: (?:left|still|currently|standing|sitting"
            r"|lying|parked|hanging))? (in|on|at|under|behind|near|next to|inside) (.+)$",
            r"how many \1 \2 \3 are there",
        ),
        (
            r"^how many (.+?) (?:can you|do you|can i|could you|can we|do we|can be) (?:see|find|count|spot"
            r"|seen|make out) ((?:in|on|at|under|behind|near|next to) .+)$",
            r"how many \1 \2 are there",
        ),
        (
            r"^the (brightness|contrast|saturation|sharpness|exposure|colou?rs) (?:is|are|seems?|looks?) "
            r"(?:a bit |way |far |much )?too (?:low|weak|little|poor|small|faint)$",
            r"increase the \1",
        ),
        (
            r"^the (brightness|contrast|saturation|sharpness|exposure|colou?rs) (?:is|are|seems?|looks?) "
            r"(?:a bit |way |far |much )?too (?:high|strong|much|big|intense)$",
            r"reduce the \1",
        ),
        (
            r"^(?:put|place|draw|add|stick) (?:a |some )?black (?:box|bar|rectangle|square|patch|strip"
            r"|stripe|block)(?:s|es)? (?:over|on|across|on top of|in front of) (.+)$",
            r"black out \1",
        ),
        (
            r"^(?:put|place|draw|add|stick) (?:a |some )?(?:blur|mosaic|pixels|pixelation) (?:over|on"
            r"|across|on top of|to) (.+)$",
            r"blur \1",
        ),
        (
            r"^(?:i |we )?(?:would |will )?(?:really |just |so )?(?:love|like|appreciate|prefer) it if "
            r"(.+?) (?:were|was|is|would be|could be|became|got) (.+)$",
            r"make \1 \2",
        ),
        (
            r"^(?:make|get) (.+?) (blurred|removed|cropped|erased|deleted|pixelated|replaced|hidden"
            r"|mirrored|flipped|rotated|sharpened|brightened|darkened|censored)(.*)$",
            r"~\2\3~\1",
        ),
        (
            r"^an? (inverted|mirrored|flipped|sharpened|brightened|darkened|cropped|rotated|blurred"
            r"|desaturated|resized) (?:version|copy|image|picture|photo|variant)(?: of (?:it|this"
            r"|<image>))?$",
            r"~\1~it",
        ),
        (r"^(\w+) (it|them|him|her|that) (?:out|away|off|up|down)$", r"\1 \2"),
        (r"^how many of (?:these|those|them) are (.+)$", r"how many \1 are there"),
        (
            r"^.*?\b(?:smaller|larger|bigger|reduced|enlarged) (?:version|copy|image|size)[, ]+(?:at "
            r"|of |to |by )?(\d+%)$",
            r"resize it to \1",
        ),
        (r"^(?:.{0,30} )?(?:whether|if) there (?:is|are) (.+)$", r"is there \1"),
        (r"^(.+?) (?:that )?(?:you|i|we) (?:can |could )?(?:see|find|spot)$", r"\1"),
        # Sizes, turns and amounts
        (
            rf"^(?:i )?(?:need|want|require|would like|like|have|get|give me|make) {_IMG} (?:at|to be|in"
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
)


def wishes(text: str) -> Iterator[str]:
    """Plain requests that a sentence may stand for; a part marked "~" is a participle and its object."""
    if found := _POLITE_IF.match(text):
        yield found["rest"]
    if (found := _COLOURED.match(text)) and is_colour_word(fold(found["colour"]).rpartition(" ")[2]):
        yield f"change the color of {found['owner']}'s {found['part']} to {found['colour']}"
    for found in _PAUSE.finditer(text):
        if is_remark(text[found.end() :]) and not is_remark(text[: found.start()]):
            yield text[: found.start()]
    if (found := _THING_FIRST.match(text)) and "," not in found["thing"]:
        yield f"{found['verb']} {found['thing']}"
    if _ONE.search(text):
        yield f"={_ONE.sub('it', text)}"
    for rule in _PURPOSES:
        found = rule.search(text)
        if found and len(text[: found.start()].split()) > 1 and not _DIGIT.search(text[found.start() :]):
            yield text[: found.start()]
    named = name_image(text)
    for rule, made in _WISHES:
        for source in dict.fromkeys((text, named)):
            if found := rule.match(source):
                wish = found.expand(made)
                if wish.startswith("?"):
                    if not is_colour_word(fold(wish).rpartition(" ")[2]):
                        continue
                    wish = wish[1:]
                yield wish.replace("±+", "increase").replace("±-", "decrease")
                break
