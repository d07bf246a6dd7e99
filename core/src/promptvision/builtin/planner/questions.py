"""Questions, and the plain request that each kind of question stands for."""

from __future__ import annotations

from promptvision.builtin.planner.patterns import IMAGE, IT, rules

__all__ = ["QUESTIONS"]

_SEEN = (
    r"(?:(?:can|do|could|may|might|would|will|have|are|is) ?)?(?:you|i|we|one|there)? ?"
    r"(?:can |could |be |been |manage to )?(?:see|find|count|spot|seen|make out|make it|visible|in view"
    r"|present|there|here|around|have|got|detect|recogni[sz]e|on display|shown|pictured)"
)
QUESTIONS = rules(
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
        rf"^(?:(?:are|is) there|do you see|can you see|do we have|have we got|can i see|does {IT} "
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
)
"""Questions and the requests that they stand for, as in :mod:`promptvision.builtin.planner.wishes`."""
