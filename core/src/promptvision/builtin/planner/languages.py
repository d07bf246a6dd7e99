"""The planner's words for German, Spanish, French and Chinese, in addition to the operations' lexicons."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from promptvision.builtin.planner.patterns import IMAGE, QUOTE, fold, plain
from promptvision.builtin.planner.vocabulary import english_names
from promptvision.tools.targets import is_colour_word

__all__ = ["LANGUAGES", "Language"]


_QUOTES = re.compile(f"{QUOTE}[^{QUOTE}]*{QUOTE}")


@lru_cache(maxsize=2048)
def _whole_word(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Language:
    """The closed words of a language, and the things and colours that tools know by their English names.

    Args:
        code: ISO 639-1.
        image: names of the current image.
        dropped: articles and politeness.
        joins: words for "and" and "then".
        words: word to English word.
        is_spaced: whether spaces separate words.
        imperatives: place of a verb (0 first, -1 last), and endings of it with those of its imperative.
        negation: words of an action that is not to be done.
        but: what parts such an action from one that is.
        kept: an exception, with the group ``kept``.
        prefixes: separable prefixes of verbs, which come last in an imperative.
        clitics: pronouns that are part of a verb, such as "gírala", and how they are written apart.
    """

    code: str
    image: re.Pattern[str]
    dropped: re.Pattern[str]
    joins: tuple[tuple[re.Pattern[str], str], ...]
    words: dict[str, str]
    negation: re.Pattern[str]
    but: re.Pattern[str]
    kept: re.Pattern[str]
    is_spaced: bool = True
    imperatives: tuple[tuple[int, tuple[tuple[str, str], ...]], ...] = ()
    prefixes: tuple[str, ...] = ()
    clitics: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = ()

    def prepared(self, clause: str) -> str:
        """The clause in the form in which lexicon phrases are written."""
        quotes = _QUOTES.findall(clause)
        clause = _QUOTES.sub(f" {QUOTE} ", clause)
        text = self.image.sub(f" {IMAGE} " if self.is_spaced else IMAGE, plain(clause))
        text = self.dropped.sub(" " if self.is_spaced else "", text)
        for rule, join in self.joins:
            text = rule.sub(join, text)
        for quote in quotes:
            text = text.replace(QUOTE, quote.replace(QUOTE, "\0"), 1)
        return re.sub(r"\s+", " ", text.replace("\0", QUOTE)).strip(" ,.!?:;-")

    def parted(self, clause: str) -> tuple[str, str, bool]:
        """What is wanted, what is to be kept, and whether something is negated: "nicht drehen"."""
        if found := self.kept.search(clause):
            return clause[: found.start()], self.prepared(found["kept"]), False
        if not self.negation.search(clause):
            return clause, "", False
        parts = [part for part in self.but.split(clause) if not self.negation.search(part)]
        return " ".join(parts).strip(), "", True

    def is_sure(self, clause: str) -> bool:
        """Whether a clause without a known phrase is certainly of this language."""
        return self.image.search(clause) is not None or self.dropped.search(clause) is not None

    def wordings(self, clause: str) -> Iterator[str]:
        """The clause as lexicon phrases are written, then with its infinitive as an imperative."""
        written = clause
        for rule, made in self.clitics:
            written = rule.sub(made, written)
        for apart in dict.fromkeys((clause, written)):
            yield from self._wordings(self.prepared(apart))

    def _wordings(self, text: str) -> Iterator[str]:
        yield text
        for at, endings in self.imperatives:
            words = text.split()
            words = [IMAGE, *words] if at == -1 and len(words) == 1 else words
            for ending, made in endings:
                if len(words) > 1 and fold(words[at]).endswith(ending) and len(words[at]) > len(ending) + 1:
                    verb = words[at][: -len(ending)] + made
                    rest = words[:-1] if at else words[1:]
                    yield " ".join((verb, *rest))
                    for prefix in self.prefixes if at else ():
                        if fold(verb).startswith(prefix) and len(verb) > len(prefix) + 2:
                            yield " ".join((verb[len(prefix) :], *rest, prefix))

    def english(self, value: str) -> str:
        """A thing or a colour in English, word by word; unknown words stay."""
        if not self.is_spaced:
            return self._english_of_unspaced(value)
        for name, word in self._long_names.items():
            value = _whole_word(name).sub(word, value)
        words = [self._word(fold(word), word) for word in re.findall(r"[\w'-]+|[.,]", value)]
        words = [word for word in words if word]
        if len(words) == 2 and is_colour_word(words[1]) and not is_colour_word(words[0]):
            words.reverse()
        return re.sub(r"\s+([.,])", r"\1", " ".join(words))

    @property
    def _long_names(self) -> dict[str, str]:
        return {name: word for name, word in english_names(self.code).items() if " " in name}

    def _word(self, folded: str, written: str) -> str:
        return self.words.get(folded, english_names(self.code).get(folded, written))

    def _english_of_unspaced(self, value: str) -> str:
        text = value
        words = {**english_names(self.code), **self.words}
        for word in sorted(words, key=len, reverse=True):
            text = text.replace(word, f" {words[word]} ")
        return " ".join(text.replace("\u7684", " ").split())


def _table(text: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.split(";"))
    return {word.strip(): english.strip() for words, _, english in pairs for word in words.split("|")}


def _any(words: str, *, flags: re.RegexFlag = re.IGNORECASE) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w'-])(?:{words})(?![\w'-])", flags)


_PLAIN_VOWELS = str.maketrans("áéíóú", "aeiou")


def _without_clitic(found: re.Match[str]) -> str:
    """ "Gírala" as "gira it"; the accent only marks the stress of the longer word."""
    return f"{found[1].lower().translate(_PLAIN_VOWELS)} {IMAGE}"


GERMAN = Language(
    code="de",
    image=_any(
        r"(?:(?:das|dem|des|dieses|diesem|mein|meinem|ein)\s+)?(?:bild(?:es|s)?|foto"
        r"|fotos|photo|aufnahme|ergebnis)|es",
    ),
    dropped=_any(
        r"der|die|das|den|dem|des|eine?[nmrs]?|sag mir|mir sagen|sagen|sag|kannste|ob du|mal eben"
        r"|schnell|ganz|komplett"
        r"|ich hätte|ich bräuchte|ich will dass|ich möchte dass|ich wünsche mir dass|dass|nur|bloß"
        r"|bitte|mal|doch|jetzt|nun|danke"
        r"|mir bitte|könnte(?:st|n)? "
        r"(?:du|sie)"
        r"|kannst du|können sie|würde(?:st|n)? (?:du|sie)|ich möchte|ich will|alle[rn]?|diese[rnsm]?"
        r"|meine?[rnms]?"
        r"|hallo|hey|hi|etwas|ein bisschen|ein wenig|bisschen|könnten wir|kann man|lass uns"
        r"|ich hätte gern(?:e)?|ich brauche|ich würde gern(?:e)?|wäre es möglich|wenn "
        r"möglich|einmal|gern(?:e)?|mir",
    ),
    joins=(
        (_any("und dann|danach|anschließend|dann"), " then "),
        (_any("und"), " and "),
        (re.compile(r"(?<=en) sie\b", re.IGNORECASE), ""),
        (_any("im"), " in "),
        (_any("vom"), " von "),
    ),
    imperatives=(
        (-1, (("ern", "ere"), ("eln", "le"), ("en", "e"), ("en", ""))),
        (0, (("en", "e"), ("t", "e"))),
    ),
    clitics=(
        (
            re.compile(r"\b(mach|dreh|schneid|färb|stell|zeig|nimm)['\u2019]?s\b", re.IGNORECASE),
            lambda found: f"{found[1]} {IMAGE}",
        ),
    ),
    prefixes=("um", "frei", "zu", "aus", "auf", "ab", "weg", "vor", "hoch", "ein", "nach", "heraus"),
    negation=_any("nicht|keine?[nmrs]?|niemals|nie"),
    but=re.compile(r",\s*(?:sondern |nur |aber |bitte )*|\s(?:sondern|aber nur) ", re.IGNORECASE),
    kept=re.compile(
        r",?\s+(?:(?:aber|doch) (?:bitte )?(?:nicht|lass|behalte)|außer|ausgenommen"
        r"|bis auf|mit ausnahme von)\s+(?P<kept>.+?)(?:\s+(?:so|in ruhe"
        r"|unverändert))?$",
        re.IGNORECASE,
    ),
    words=_table(
        "dunkler|dunklere=darker;heller|hellere=lighter;größer=bigger;kleiner=smaller;bunter=more colorful;"
        "rot|rote|roten|roter|rotes=red;blau|blaue|blauen|blauer|blaues=blue;grün|grüne|grünen|grüner"
        "|grünes=green"
        ";gelb|gelbe|gelben|gelber|gelbes=yellow;schwarz|schwarze|schwarzen|schwarzer=black;lila"
        "|violett=purple"
        ";weiß|weiße|weißen|weißer|weiss=white;grau|graue|grauen|grauer=grey;rosa|pink=pink;orange=orange"
        ";braun|braune|braunen|brauner=brown;ball|balls=ball;bälle=balls;auto|wagen=car;autos=cars;hund=dog"
        ";hunde=dogs;katze=cat;katzen=cats;haus=house;häuser=houses;baum=tree;bäume=trees;mann=man;männer=men"
        ";frau=woman;frauen=women;kind=child;kinder=children;person=person;personen|leute"
        "|menschen=people;mensch=person"
        ";hintergrund=background;vordergrund=foreground;himmel=sky;gesicht=face;gesichter=faces;"
        "tür=door;fenster=window"
        ";schild=sign;tisch=table;stuhl=chair;lampe=lamp;kegel=cone;kiste|kasten|box|würfel=box;blume=flower"
        ";blumen=flowers;vogel=bird;vögel=birds;pferd=horse;fahrrad=bicycle;hut=hat;hemd=shirt;kleid=dress"
        ";haare|haar=hair;gras=grass;wand=wall;dach=roof;wasser=water;links|linke|linken=left;rechts"
        "|rechte|rechten=right"
        ";große|großen|großer=big;kleine|kleinen|kleiner=small;kennzeichen|nummernschild=license plate;"
        "alles=everything",
    ),
)
SPANISH = Language(
    code="es",
    image=_any(r"(?:(?:la|esta|mi|una|el)\s+)?(?:imagen|foto|fotografía|resultado)|esto"),
    dropped=_any(
        r"el|la|los|las|algún|alguna|algunos|algunas|ningún|ninguna|una?|unos|unas|por favor|ahora"
        r"|gracias|puedes|podrías|puede|podría|quiero que|me gustaría que|quisiera que|necesito que|¿"
        r"|me puedes|me podrías|podrías"
        r"|puedes decir|me dices|dime|decir|sabes|puedes|favor de|quiero|me "
        r"gustaría|al"
        r"|todos|todas|este|esta|estos|estas|mi|mis|^hola|un poco|podría usted|te "
        r"importaría|quisiera|necesito|oye|porfa|si puedes|usted|de favor",
    ),
    imperatives=(
        (
            0,
            (
                ("arlo", "a"),
                ("arla", "a"),
                ("ar", "a"),
                ("er", "e"),
                ("ir", "e"),
                ("que", "ca"),
                ("e", "a"),
                ("alo", "a"),
            ),
        ),
    ),
    joins=((_any("y luego|después|luego|entonces"), " then "), (_any("y|e"), " and ")),
    clitics=(
        (re.compile(r"\b(\w*[áéíóú]\w*?[aeiouáéíóú])(?:me|nos)?l[oa]s?\b", re.IGNORECASE), _without_clitic),
        (re.compile(r"\b(haz|pon)(?:me)?l[oa]\b(?! m)", re.IGNORECASE), _without_clitic),
        (re.compile(r"\b(\w+[aei])(?:r)l[oa]s?\b", re.IGNORECASE), _without_clitic),
    ),
    negation=re.compile(
        r"(?:^|[,;]\s*|\bpor favor,? )no\s+(?!quiero|haya)\w+|\bnunca\b|\bsin "
        r"(?:cambiar|tocar|recortar|girar)\b",
        re.IGNORECASE,
    ),
    but=re.compile(r",\s*(?:sino |solo |sólo |pero |por favor )*|\s(?:sino|pero solo) ", re.IGNORECASE),
    kept=re.compile(
        r",?\s+(?:pero no|excepto|salvo|menos|a excepción de|pero deja|pero conserva)\s+(?P<kept>.+)$",
        re.IGNORECASE,
    ),
    words=_table(
        "rojo|roja|rojos|rojas=red;azul|azules=blue;verde|verdes=green;amarillo|amarilla|amarillos"
        "|amarillas=yellow"
        ";negro|negra|negros|negras=black;blanco|blanca|blancos|blancas=white;gris|grises=grey;rosa"
        "|rosado=pink"
        ";naranja=orange;morado|morada|violeta|púrpura=purple;marrón|café=brown;pelota|bola|balón=ball;"
        "pelotas=balls"
        ";coche|carro|auto=car;coches|carros|autos=cars;perro=dog;perros=dogs;gato=cat;gatos=cats;"
        "casa=house;árbol=tree"
        ";árboles=trees;hombre=man;hombres=men;mujer=woman;mujeres=women;niño|niña=child;niños|niñas=children"
        ";persona=person;personas|gente=people;fondo=background;cielo=sky;cara|rostro=face;caras"
        "|rostros=faces"
        ";puerta=door;ventana=window;cartel|letrero=sign;mesa=table;silla=chair;lámpara=lamp;cono=cone;"
        "caja|cubo=box"
        ";flor=flower;flores=flowers;pájaro=bird;pájaros=birds;caballo=horse;bicicleta=bicycle;sombrero=hat"
        ";camisa=shirt;vestido=dress;pelo|cabello=hair;hierba|césped=grass;pared=wall;techo=roof;agua=water"
        ";izquierda|izquierdo=left;derecha|derecho=right;grande=big;pequeño|pequeña=small;"
        "matrícula=license plate;todo=everything;de=",
    ),
)
FRENCH = Language(
    code="fr",
    image=re.compile(
        r"(?<![\w-])(?<!appareil )(?:(?:la |cette |ma |une |l'|le )?(?:image|photo|photographie"
        r"|résultat)|ça|ceci)(?![\w-])",
        re.IGNORECASE,
    ),
    dropped=re.compile(
        r"(?<![\w'-])(?:le|la|les|une?|des|du|s'il te plaît|s'il vous plaît|s'il te plait|svp|stp"
        r"|maintenant|merci"
        r"|je voudrais que|j'aimerais que|je veux que|il faut que|est-ce que|tu pourrais|vous pourriez"
        r"|tu peux me"
        r"|peux-tu|pouvez-vous|pourrais-tu|pourriez-vous|je veux|je voudrais|j'aimerais|tous|toutes"
        r"|cette?|ces|mon|ma"
        r"|mes|^bonjour|^salut|un peu|tout le|il faudrait|j'ai besoin de|est-ce que "
        r"tu peux|tu peux|vous pouvez|veuillez"
        r"|si possible|moi)(?![\w'-])|(?<![\w-])l'(?=\w)|(?<=\bde )l'",
        re.IGNORECASE,
    ),
    imperatives=(
        (
            0,
            (
                ("issez", "is"),
                ("ez", "e"),
                ("ez", ""),
                ("er", "e"),
                ("ttre", "ts"),
                ("ir", "is"),
                ("dre", "ds"),
                ("re", "s"),
            ),
        ),
    ),
    joins=((_any("et puis|et ensuite|ensuite|puis|après"), " then "), (_any("et"), " and ")),
    clitics=(
        (
            re.compile(r"(?<!\w)l'(\w+(?:er|ir|re))(?![\w-])(?!\s+(?:de|du|en)\b)", re.IGNORECASE),
            lambda found: f"{found[1]} {IMAGE}",
        ),
        (re.compile(r"\b(\w+)-l(?:a|e|es)(?:-moi)?\b", re.IGNORECASE), lambda found: f"{found[1]} {IMAGE}"),
        (re.compile(r"\b(\w+)-moi\b", re.IGNORECASE), lambda found: found[1]),
        (
            re.compile(r"(?<!\w)(?:la|le|les) (?=\w+(?:er|ir|dre|tre)\b)", re.IGNORECASE),
            lambda _: f"{IMAGE} ",
        ),
    ),
    negation=re.compile(
        r"\b(?:ne\s+|n\'\s*)\w+(?:[- ]\w+)?\s+(?:pas|jamais|rien)\b|(?<!\w)pas (?:de|d\')", re.IGNORECASE
    ),
    but=re.compile(
        r",\s*(?:mais |seulement |juste |plutôt )*|\s(?:mais (?:plutôt|seulement)) ", re.IGNORECASE
    ),
    kept=re.compile(
        r",?\s+(?:mais pas|sauf|excepté|à l\'exception de|mais garde|mais laisse)\s+(?P<kept>.+)$",
        re.IGNORECASE,
    ),
    words=_table(
        "rouge|rouges=red;bleu|bleue|bleus|bleues=blue;vert|verte|verts|vertes=green;jaune|jaunes=yellow"
        ";noir|noire|noirs|noires=black;blanc|blanche|blancs|blanches=white;gris|grise=grey;rose=pink;"
        "orange=orange"
        ";violet|violette=purple;marron|brun|brune=brown;ballon|balle|boule=ball;ballons|balles=balls;"
        "voiture=car"
        ";voitures=cars;chien=dog;chiens=dogs;chat=cat;chats=cats;maison=house;arbre=tree;arbres=trees;"
        "homme=man"
        ";hommes=men;femme=woman;femmes=women;enfant=child;enfants=children;personne=person;personnes"
        "|gens=people"
        ";arrière-plan|fond=background;ciel=sky;visage=face;visages=faces;porte=door;fenêtre=window;"
        "panneau=sign"
        ";table=table;chaise=chair;lampe=lamp;cône=cone;boîte|cube=box;fleur=flower;fleurs=flowers;"
        "oiseau=bird"
        ";oiseaux=birds;cheval=horse;vélo=bicycle;chapeau=hat;chemise=shirt;robe=dress;cheveux=hair;"
        "herbe=grass"
        ";mur=wall;toit=roof;eau=water;gauche=left;droite=right;grand|grande=big;petit|petite=small"
        ";plaque=license plate;tout=everything;de=",
    ),
)
CHINESE = Language(
    code="zh",
    image=re.compile(r"(?:这|那)?(?:张|幅|个)?(?:图片|照片|图像|相片|图|结果)(?!书)|它"),
    dropped=re.compile(
        r"请|一下|一点儿?|一些|稍微|谢谢|帮我|给我|帮忙|麻烦你|麻烦|我想|我要|我希望|希望|能把|能|可否|把一把|帮|替我|都|全部|能不能|可以|吗|呢|吧|你能|能否|所有的?"
        r"|这个|那个|一个|一只"
    ),
    joins=((re.compile(r"[,\uff0c]?(?:然后|接着|之后)"), " then "), (re.compile(r"并且|并"), " and ")),
    negation=re.compile(r"不要|别(?!的)|不用|无需|不需要"),
    but=re.compile(r"[,\uff0c\u3001;\uff1b]\s*(?:只|而是|但|就|请)*|而是"),
    kept=re.compile(r"[,\uff0c]?\s*(?:但|但是)?(?:不要动|保留|留下)(?P<kept>.+)$"),
    words=_table(
        "红色|红=red;蓝色|蓝=blue;绿色|绿=green;黄色|黄=yellow;黑色|黑=black;白色|白=white;灰色|灰=grey"
        ";粉色|粉红色=pink;橙色=orange;紫色=purple;棕色=brown;球=ball;汽车|车|轿车=car;狗=dog;猫=cat;房子=house"
        ";树=tree;男人=man;女人=woman;孩子|小孩=child;人|人物=people;背景=background;天空=sky;脸|人脸=face;门=door"
        ";窗户=window;牌子|标志=sign;桌子=table;椅子=chair;灯=lamp;盒子=box;花=flower;鸟=bird;马=horse;自行车=bicycle"
        ";帽子=hat;衬衫=shirt;头发=hair;草=grass;墙=wall;屋顶=roof;水=water;左边=left;右边=right;大=big;小=small;"
        "车牌=license plate",
    ),
    is_spaced=False,
)
LANGUAGES = (GERMAN, SPANISH, FRENCH, CHINESE)
