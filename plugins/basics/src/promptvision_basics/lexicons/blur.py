"""Wordings of the operation that blurs or pixelates things."""

from __future__ import annotations

from promptvision.plugin import Lexicon

__all__ = ["BLUR"]

_KEPT = (("keep_target", True),)

_BLURS = ("blur", "blur out", "defocus", "unfocus", "obscure", "make blurry")

_PIXELS = ("pixelate", "pixellate", "anonymize", "anonymise", "censor", "mosaic", "pixelize", "pixelise")

BLUR = (
    Lexicon(
        verbs=tuple(f"i {do} {want}" for do in ("do not", "don't") for want in ("want", "like")),
        nouns=(
            "visible",
            "readable",
            "legible",
            "recognizable",
            "recognisable",
            "recognized",
            "recognised",
            "identifiable",
            "seen",
        ),
        frames=("{verb} {target} to be {noun}", "{verb} {target} {noun}", "{verb} {target} being {noun}"),
        fixed=(("style", "pixelate"),),
    ),
    Lexicon(
        verbs=("protect", "respect", "preserve", "keep", "guard"),
        nouns=("privacy", "the privacy", "the identity", "identity", "anonymity", "the anonymity"),
        frames=("{verb} {noun} of {target}",),
        fixed=(("style", "pixelate"),),
    ),
    Lexicon(
        verbs=("add", "give it", "apply", "use", "make", "do", "with", "some", "a"),
        nouns=(
            "depth of field",
            "a depth of field",
            "shallow depth of field",
            "bokeh",
            "a bokeh effect",
            "depth of field effect",
        ),
        frames=("{verb} {noun}", "{noun}", "{verb} {noun} to it"),
        fixed=(("target", "background"),),
    ),
    Lexicon(
        verbs=("keep", "leave", "have"),
        nouns=("sharp", "in focus", "clear", "crisp", "focused"),
        frames=tuple(
            f"{{verb}} {{target}} {{noun}}{join} {blur}"
            for join in (" and", ",", ", but", " but", ", and")
            for blur in (
                "blur everything else",
                "blur the rest",
                "blur the background",
                "blur all else",
                "blur the others",
            )
        ),
        fixed=_KEPT,
    ),
    Lexicon(
        verbs=("only", "just"),
        nouns=("sharp", "in focus", "clear"),
        frames=("{verb} {target} should be {noun}", "{verb} {target} {noun}", "{verb} {target} stays {noun}"),
        fixed=_KEPT,
    ),
    Lexicon(
        verbs=tuple(
            f"{who} {may}"
            for who in ("nobody", "no one", "no-one", "they")
            for may in (
                ("should be able to", "can", "must", "should")
                if who.startswith("no")
                else ("should not be able to", "should not", "can not", "must not")
            )
        ),
        nouns=("read", "recognize", "recognise", "identify", "see", "make out"),
        frames=("{verb} {noun} {target}",),
        fixed=(("style", "pixelate"),),
    ),
    Lexicon(
        verbs=(
            "soft focus",
            "blurry",
            "blurred",
            "soft",
            "out of focus",
            "fuzzy",
            "defocused",
            "bokeh",
            "unsharp",
            "a blurry",
            "a blurred",
        ),
        nouns=("background", "backdrop"),
        frames=("{verb} {noun}", "with {verb} {noun}", "give it {verb} {noun}", "make {verb} {noun}"),
        fixed=(("target", "background"),),
    ),
    *(
        Lexicon(
            nouns=nouns,
            frames=(
                "{noun} over {target}",
                "put {noun} over {target}",
                "{noun} on {target}",
                "use {noun} over {target}",
            ),
            fixed=(("style", style),),
        )
        for style, nouns in (
            (
                "solid",
                ("black boxes", "a black box", "black bars", "a black bar", "black rectangles", "black box"),
            ),
            ("pixelate", ("pixels", "square pixels", "a mosaic", "mosaic", "big pixels", "pixelation")),
        )
    ),
    Lexicon(
        verbs=("blank", "block", "blot"),
        frames=("{verb} {target} out", "{verb} out {target}"),
        fixed=(("style", "solid"),),
    ),
    Lexicon(
        nouns=(
            *("unsharp", "fuzzy", "out of focus", "defocused", "hazy", "less sharp", "soft and blurry"),
            *("blurry", "blurred", "look blurry", "look blurred", "soft", "softer"),
        ),
        frames=("make {target} {noun}", "get {target} {noun}", "have {target} {noun}"),
    ),
    Lexicon(
        verbs=("make", "get", "have"),
        nouns=(
            "anonymized",
            "anonymised",
            "censored",
            "hidden",
            "pixelated",
            "unidentifiable",
            "not legible",
        ),
        frames=("{verb} {target} {noun}",),
        fixed=(("style", "pixelate"),),
    ),
    Lexicon(
        verbs=("get", "have"),
        nouns=("blacked out", "covered", "redacted", "covered up"),
        frames=("{verb} {target} {noun}",),
        fixed=(("style", "solid"),),
    ),
    Lexicon(
        verbs=("hide", "cover", "block", "mask", "cover up", "obscure", "censor", "conceal"),
        nouns=(
            "with a black box",
            "with a black bar",
            "with a black rectangle",
            "with black",
            "behind a black box",
        ),
        frames=("{verb} {target} {noun}",),
        fixed=(("style", "solid"),),
    ),
    Lexicon(
        verbs=(
            "smudge out",
            "smear",
            "smear out",
            "fuzz",
            "blur over",
            "make a blur over",
            "put a blur over",
            "put a blur on",
        ),
        frames=("{verb} {target}", "{verb} {target} in it"),
    ),
    Lexicon(
        language="de",
        frames=(
            "{target} unscharf",
            "{target} unscharf machen",
            "{target} verschwommen",
            "weichzeichne {target}",
        ),
    ),
    Lexicon(
        language="de",
        frames=(
            "{target} verpixeln",
            "{target} unkenntlich machen",
            "{target} zensieren",
            "mach {target} unkenntlich",
        ),
        fixed=(("style", "pixelate"),),
    ),
    Lexicon(
        language="fr",
        frames=(
            "flouter {target}",
            "mets du flou sur {target}",
            "mets flou sur {target}",
            "rends flou {target}",
        ),
    ),
    Lexicon(
        language="es",
        frames=("haz borroso {target}", "desenfoque {target}", "emborrona {target}", "pon borrosa {target}"),
    ),
    Lexicon(
        verbs=("add", "apply", "give it", "put", "use"),
        nouns=(
            "blur",
            "some blur",
            "a blur",
            "a blur effect",
            "blurring",
            "a soft blur",
            "gaussian blur",
            "a gaussian blur",
        ),
        frames=("{verb} {noun}", "{verb} {noun} to it", "{verb} {noun} on it"),
    ),
    Lexicon(
        verbs=(
            "blur",
            "add blur to",
            "add a blur to",
            "apply a blur to",
            "soften",
            "smudge",
            "fuzz out",
            "blur away",
        ),
        frames=("{verb} {target}",),
    ),
    Lexicon(
        frames=(
            *(
                "make {target} anonymous",
                "make {target} unreadable",
                "make {target} illegible",
                "make {target} unidentifiable",
            ),
            *(
                "protect {target}",
                "make sure nobody recognises {target}",
                "disguise {target}",
                "mask the identity of {target}",
            ),
            *(
                "hide the identity of {target}",
                "make {target} unrecognisable",
                "make {target} not recognizable",
            ),
            *(
                "make {target} incognito",
                "put pixels over {target}",
                "put a mosaic over {target}",
                "turn {target} into pixels",
            ),
        ),
        fixed=(("style", "pixelate"),),
    ),
    Lexicon(
        verbs=(
            "put a black bar over",
            "put black bars over",
            "put a black box over",
            "draw a black box over",
            "black-out",
        ),
        frames=("{verb} {target}",),
        fixed=(("style", "solid"),),
    ),
    Lexicon(verbs=("blur", "defocus"), frames=("{verb} it", "{verb}", "make it blurry", "make it blurred")),
    Lexicon(verbs=_BLURS, frames=("{verb} {target}", "{verb} {target} in it")),
    Lexicon(
        frames=(
            "make {target} blurry",
            "make {target} blurred",
            "put {target} out of focus",
        ),
    ),
    Lexicon(
        verbs=("pixelate", "pixellate", "anonymize", "anonymise", "censor"),
        frames=("{verb} it", "{verb}", "{verb} everything", "{verb} the whole thing"),
        fixed=(("style", "pixelate"),),
    ),
    Lexicon(
        verbs=_PIXELS,
        frames=("{verb} {target}", "{verb} {target} in it", "{verb} out {target}"),
        fixed=(("style", "pixelate"),),
    ),
    Lexicon(
        frames=(
            "make {target} unrecognizable",
            "make {target} unrecognisable",
            "hide {target}",
            "make {target} pixelated",
        ),
        fixed=(("style", "pixelate"),),
    ),
    Lexicon(
        verbs=("black out", "redact", "cover up", "block out", "cover"),
        frames=("{verb} {target}", "{verb} {target} in it", "{verb} {target} with a black box"),
        fixed=(("style", "solid"),),
    ),
    Lexicon(
        verbs=("blur", "blur out", "defocus"),
        nouns=("everything", "all", "the rest", "everything else"),
        frames=(
            "{verb} {noun} except {target}",
            "{verb} {noun} but {target}",
            "{verb} {noun} except for {target}",
            "{verb} {noun} apart from {target}",
            "{verb} {noun} around {target}",
            "{verb} {noun} other than {target}",
            "{verb} it except {target}",
            "{verb} it except for {target}",
        ),
        fixed=_KEPT,
    ),
    Lexicon(
        frames=(
            "blur the background behind {target}",
            "blur the background around {target}",
            "blur what is behind {target}",
        ),
        fixed=_KEPT,
    ),
    Lexicon(
        language="de",
        frames=(
            "mach {target} unscharf",
            "mache {target} unscharf",
            "verwische {target}",
            "zeichne {target} weich",
        ),
    ),
    Lexicon(
        language="de",
        frames=(
            "mach {target} unkenntlich",
            "mache {target} unkenntlich",
            "verdecke {target}",
            "verberge {target}",
        ),
        fixed=(("style", "pixelate"),),
    ),
    Lexicon(
        language="es",
        verbs=("oculta", "tapa", "esconde"),
        frames=("{verb} {target}",),
        fixed=(("style", "pixelate"),),
    ),
    Lexicon(
        language="fr",
        frames=("rends {target} méconnaissable", "rends {target} flou", "cache {target}", "masque {target}"),
        fixed=(("style", "pixelate"),),
    ),
    Lexicon(language="es", frames=("difumina {target}", "pon {target} borroso", "haz {target} borroso")),
    Lexicon(language="de", frames=("mach it unscharf", "mache it unscharf", "verwische it", "weichzeichnen")),
    Lexicon(
        language="de",
        verbs=("verpixel", "verpixle", "verpixele", "anonymisiere", "zensiere", "zensier"),
        frames=("{verb} {target}", "{verb} {target} auf it"),
        fixed=(("style", "pixelate"),),
    ),
    Lexicon(language="de", verbs=("schwärze",), frames=("{verb} {target}",), fixed=(("style", "solid"),)),
    Lexicon(
        language="es",
        verbs=("desenfoca", "difumina", "desenfocar"),
        frames=("{verb} {target}", "{verb} {target} en it"),
    ),
    Lexicon(language="es", verbs=("desenfoca", "difumina", "desenfocar"), frames=("{verb} it", "{verb}")),
    Lexicon(
        language="es",
        verbs=("pixela", "pixeliza", "censura", "anonimiza"),
        frames=("{verb} {target}",),
        fixed=(("style", "pixelate"),),
    ),
    Lexicon(language="es", verbs=("tacha",), frames=("{verb} {target}",), fixed=(("style", "solid"),)),
    Lexicon(
        language="fr",
        verbs=("floute", "floutez", "flouter", "brouille"),
        frames=("{verb} {target}", "{verb} {target} sur it"),
    ),
    Lexicon(language="fr", verbs=("floute", "floutez", "flouter"), frames=("{verb} it", "{verb}")),
    Lexicon(
        language="fr",
        verbs=("pixellise", "pixelise", "anonymise", "censure"),
        frames=("{verb} {target}", "{verb} {target} sur it"),
        fixed=(("style", "pixelate"),),
    ),
    Lexicon(language="fr", verbs=("noircis",), frames=("{verb} {target}",), fixed=(("style", "solid"),)),
    Lexicon(
        language="zh",
        verbs=("模糊", "虚化", "模糊掉"),
        frames=("{verb}{target}", "把{target}{verb}", "{verb}it中的{target}"),
    ),
    Lexicon(language="zh", verbs=("模糊", "虚化"), frames=("{verb}it", "{verb}", "把it{verb}")),
    Lexicon(
        language="zh",
        verbs=("打码", "马赛克", "打马赛克"),
        frames=("给{target}{verb}", "把{target}{verb}", "{target}{verb}", "对{target}{verb}"),
        fixed=(("style", "pixelate"),),
    ),
)
