"""Words for patterns, garments, materials, cuts and moods, each under what it means, the commonest word first.

Spelling is British and singular or plural as people say it; :mod:`.spelling` brings other spellings, plurals and small
slips to these words.  Plain tables, so a caption maker may draw synonyms from them too.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..swatches import SUBTYPES, TYPES

PLAIN = "plain"
"""What is meant by a cloth without a pattern; beside :data:`~ml_backend.swatches.TYPES`."""

PATTERNS: dict[str, tuple[str, ...]] = {
    **{
        name: tuple(dict.fromkeys((*kind.words, *(word for one in kind.subtypes for word in one.words))))
        for name, kind in TYPES.items()
    },
    PLAIN: (
        *("plain", "solid", "single coloured", "solid coloured", "solid colour", "unpatterned", "one colour", "uni"),
        *("unicolour", "no pattern", "patternless", "without pattern", "plain coloured", "minimalist", "one coloured"),
        *("block colour", "single colour", "without a pattern", "no print", "without print", "self coloured", "blank"),
    ),
}
"""Pattern type, or :data:`PLAIN` -> its words, those of its subtypes too."""

NAMED_DESIGNS: dict[str, tuple[str, ...]] = {name: subtype.words for name, (_, subtype) in SUBTYPES.items()}
"""Subtype -> its words."""

NEAR: dict[str, tuple[str, ...]] = {name: kind.near for name, kind in TYPES.items()}
"""Pattern type -> those of its words that name a design which is not drawn as such."""

GARMENTS: dict[str, tuple[str, ...]] = {
    "top": (
        *("top", "shirt", "blouse", "t shirt", "tee", "sweater", "jumper", "hoodie", "sweatshirt", "pullover", "tunic"),
        *("polo shirt", "tank top", "camisole", "vest top", "crop top", "turtleneck", "polo", "tshirt", "bodysuit"),
        *(
            "kurta",
            "kurti",
            "knitwear",
            "jersey",
            "tee shirt",
            "undershirt",
            "halter top",
            "polo neck",
            "corset",
            "bustier",
            "singlet",
        ),
    ),
    "outerwear": (
        *("jacket", "coat", "blazer", "cardigan", "vest", "suit", "cape", "parka", "trench coat", "raincoat", "anorak"),
        *("bomber jacket", "overcoat", "waistcoat", "poncho", "windbreaker", "kimono", "gilet", "trenchcoat", "trench"),
        *(
            "leather jacket",
            "denim jacket",
            "duster",
            "robe",
            "shrug",
            "puffer",
            "puffer jacket",
            "outerwear",
            "bomber",
            "peacoat",
        ),
    ),
    "dress": (
        *(
            "dress",
            "gown",
            "sundress",
            "frock",
            "romper",
            "jumpsuit",
            "playsuit",
            "maxi dress",
            "ball gown",
            "pinafore",
        ),
        *(
            "evening gown",
            "kaftan",
            "caftan",
            "sari",
            "wedding dress",
            "evening dress",
            "shift dress",
            "cheongsam",
            "saree",
        ),
        *(
            "wrap dress",
            "cocktail dress",
            "summer dress",
            "slip dress",
            "shirt dress",
            "qipao",
            "nightgown",
            "nightdress",
        ),
    ),
    "skirt": ("skirt", "miniskirt", "kilt", "sarong", "tutu", "pencil skirt", "maxi skirt", "petticoat", "skort"),
    "trousers": (
        *("trousers", "pants", "jeans", "shorts", "leggings", "chinos", "slacks", "joggers", "culottes", "sweatpants"),
        *("dungarees", "overalls", "capris", "palazzo pants", "cargo pants", "bermudas", "tracksuit", "pantaloons"),
        *("yoga pants", "jeggings", "hot pants", "breeches", "corduroys", "flares"),
    ),
    "other": (
        *("scarf", "hat", "tights", "socks", "stockings", "gloves", "tie", "shawl", "swimsuit", "bikini", "cap"),
        *("beanie", "bathing suit", "underwear", "bra", "lingerie", "pyjamas", "bow tie", "headscarf", "mittens"),
        *("swimwear", "beret", "necktie", "turban", "hosiery", "dupatta", "stole"),
    ),
}
"""Garment class -> its words."""

NOT_CLOTH: dict[str, tuple[str, ...]] = {
    "shoes": (
        *("shoes", "boots", "sandals", "heels", "sneakers", "trainers", "pumps", "flats", "loafers", "footwear"),
        *("high heels", "flip flops", "slippers", "wedges", "clogs", "ankle boots"),
    ),
    "bag": ("bag", "handbag", "purse", "backpack", "clutch", "tote", "rucksack", "suitcase"),
    "hair": ("hair", "hairstyle", "haircut", "wig", "beard", "blonde", "brunette", "redhead", "ponytail", "curls"),
    "jewellery": ("jewellery", "necklace", "bracelet", "earrings", "ring", "watch", "sunglasses", "glasses", "belt"),
    "person": ("face", "skin", "body", "make up", "makeup", "tattoo", "smile", "pose"),
}
"""What a restyle may be asked for but no fabric can be: class -> its words."""


@dataclass(frozen=True)
class Material:
    """How a fabric engine imitates a material.

    ``weave`` 0..0.2 is the strength of the visible threads (see :func:`ml_backend.inks.weave`), ``threads`` a
    centimetre, ``twill`` whether they run on the diagonal.  ``colour`` is what it has where no colour is named.
    ``missing`` names what cloth of it has and a woven tile cannot give ("gloss"); empty where nothing is missing.
    """

    words: tuple[str, ...]
    weave: float = 0.05
    threads: float = 14.0
    twill: bool = False
    colour: str = ""
    missing: str = ""


MATERIALS: dict[str, Material] = {
    "cotton": Material(("cotton", "poplin", "calico", "percale", "muslin", "cotton blend", "twill"), 0.05, 14.0),
    "linen": Material(("linen", "flax", "hemp", "ramie"), 0.12, 7.0, colour="#dccfb4"),
    "denim": Material(("denim", "jean", "chambray", "jean fabric"), 0.14, 8.0, twill=True, colour="#41608e"),
    "wool": Material(("wool", "woollen", "flannel", "cashmere", "merino", "felt", "alpaca", "mohair"), 0.1, 5.0, True),
    "tweed": Material(("tweed", "boucle", "harris tweed"), 0.2, 4.0, True, "#8c7a5e"),
    "canvas": Material(("canvas", "sailcloth", "duck cloth", "burlap", "jute", "hessian"), 0.16, 6.0),
    "jersey": Material(
        ("jersey knit", "viscose", "rayon", "modal", "polyester", "nylon", "lycra", "spandex"), 0.03, 18.0
    ),
    "knit": Material(
        ("knit", "knitted", "crochet", "cable knit", "ribbed", "crocheted"), 0.12, 4.0, missing="stitches"
    ),
    "silk": Material(("silk", "satin", "silky", "charmeuse", "taffeta", "satiny"), 0.0, missing="gloss"),
    "velvet": Material(("velvet", "velour", "velvety", "plush"), 0.0, missing="pile"),
    "corduroy": Material(("corduroy", "cord"), 0.12, 3.0, missing="ribs"),
    "leather": Material(("leather", "patent leather", "faux leather", "vinyl", "latex", "pvc"), 0.0, missing="gloss"),
    "suede": Material(("suede", "nubuck", "shearling"), 0.0, missing="pile"),
    "lace": Material(("lace", "lacy", "crocheted lace", "broderie", "eyelet", "macrame"), 0.0, missing="holes"),
    "sheer": Material(
        ("sheer", "chiffon", "tulle", "organza", "transparent", "see through", "mesh", "voile", "georgette"),
        0.0,
        missing="transparency",
    ),
    "sequins": Material(
        ("sequins", "sequined", "glitter", "sparkly", "metallic", "lame", "beaded", "shiny", "glossy", "shimmering"),
        0.0,
        missing="sparkle",
    ),
    "fur": Material(
        ("fur", "faux fur", "furry", "fluffy", "fleece", "feathers", "fuzzy", "fringe"), 0.0, missing="pile"
    ),
}
"""Material -> its words and how it is imitated."""

CUTS: dict[str, tuple[str, ...]] = {
    "length": (
        *("long", "short", "mini", "midi", "maxi", "knee length", "ankle length", "cropped", "floor length", "longer"),
        *("shorter", "full length", "calf length", "above the knee", "below the knee", "micro", "three quarter"),
    ),
    "sleeves": (
        *("sleeveless", "long sleeved", "short sleeved", "long sleeves", "short sleeves", "puff sleeves", "strapless"),
        *(
            "cap sleeves",
            "bell sleeves",
            "sleeves",
            "sleeved",
            "spaghetti straps",
            "straps",
            "raglan",
            "puffed sleeves",
        ),
        *("long sleeve", "short sleeve", "sleeve", "balloon sleeves", "no sleeves", "without sleeves"),
    ),
    "neckline": (
        *("v neck", "crew neck", "round neck", "boat neck", "halter", "off the shoulder", "off shoulder", "collar"),
        *("high neck", "low cut", "backless", "neckline", "scoop neck", "square neck", "open back", "collared", "hood"),
        *("hooded", "one shoulder", "plunging", "halter neck", "cowl neck", "neck", "lapels", "cleavage"),
    ),
    "fit": (
        *(
            "tight",
            "loose",
            "slim",
            "skinny",
            "oversized",
            "fitted",
            "baggy",
            "wide leg",
            "flared",
            "straight",
            "flowing",
        ),
        *(
            "tailored",
            "relaxed",
            "slim fit",
            "bodycon",
            "a line",
            "flowy",
            "boxy",
            "bootcut",
            "draped",
            "fit and flare",
        ),
        *("high waisted", "low rise", "high waist", "empire waist", "ruched", "asymmetric", "asymmetrical", "wrap"),
        *("pleated", "ruffled", "ruffles", "tiered", "gathered", "peplum", "layered", "frilly", "frills", "pleats"),
        *(
            "double breasted",
            "single breasted",
            "belted",
            "cut",
            "shape",
            "silhouette",
            "structured",
            "shift",
            "pencil",
        ),
        *("big", "small", "large", "wide", "narrow", "thin", "thick", "huge", "tiny", "little", "puffy", "voluminous"),
    ),
    "details": (
        *("buttons", "zip", "zipper", "pockets", "bow", "ribbon", "embroidery", "embroidered", "hem", "slit", "button"),
        *(
            "buttoned",
            "drawstring",
            "cuffs",
            "lining",
            "tassels",
            "fringed",
            "lace trim",
            "trim",
            "logo",
            "badge",
            "text",
        ),
        *(
            "patch",
            "rips",
            "ripped",
            "distressed",
            "quilted",
            "padded",
            "studs",
            "studded",
            "padding",
            "cutouts",
            "lined",
        ),
        *("letters", "words", "cartoon", "photo", "picture", "portrait", "appliqué", "edges", "border", "cut out"),
    ),
}
"""What is about cut, not cloth -> its words; the fabric engine leaves them as they are."""

PARTS = (
    *("buttons", "zip", "zipper", "pockets", "bow", "ribbon", "cuffs", "lining", "tassels", "trim", "badge", "logo"),
    *("collar", "neckline", "lapels", "hem", "straps", "sleeves", "hood", "edges", "border"),
)
"""Parts of a garment that have a colour of their own; each is among :data:`CUTS`."""

MADE_OF = {"jeans": "denim", "jeggings": "denim", "corduroys": "corduroy"}
"""Garment -> its material where the word says it without naming it."""

SIZES: dict[str, tuple[str, ...]] = {
    "small": ("small", "tiny", "little", "fine", "thin", "narrow", "micro", "mini", "delicate", "petite", "smaller"),
    "large": (
        "large",
        "big",
        "wide",
        "bold",
        "huge",
        "giant",
        "oversized",
        "thick",
        "broad",
        "larger",
        "bigger",
        "chunky",
    ),
}
"""Sizes of a print; they count as such right before a pattern word, elsewhere they are about cut."""

DIRECTIONS: dict[str, tuple[str, ...]] = {
    "vertical": ("vertical", "lengthwise", "upright", "vertically", "pinstripes", "pinstriped"),
    "horizontal": ("horizontal", "crosswise", "sideways", "horizontally", "breton", "marinière"),
    "diagonal": ("diagonal", "diagonally", "slanted", "oblique", "bias cut", "on the bias"),
}
"""Which way stripes run -> its words."""


@dataclass(frozen=True)
class Mood:
    """What a mood suggests where nothing more exact is said: a colour set of ``shades`` and pattern types."""

    words: tuple[str, ...]
    colours: str
    patterns: tuple[str, ...]


MOODS: dict[str, Mood] = {
    "holiday": Mood(
        (
            *(
                "vacation",
                "holiday",
                "holidays",
                "beachy",
                "tropic",
                "caribbean",
                "resort",
                "cruise",
                "seaside",
                "island",
            ),
            *("mediterranean", "travel"),
        ),
        "bright",
        ("floral", "abstract", "geometric"),
    ),
    "summer": Mood(("summer", "summery", "sunny", "sun", "hot weather"), "bright", ("floral", "striped", "dotted")),
    "spring": Mood(("spring", "springtime", "fresh", "garden", "easter", "picnic"), "pastel", ("floral", "dotted")),
    "autumn": Mood(("autumn", "fall", "cosy", "harvest", "october"), "earth", ("plaid", "paisley", "zigzag")),
    "winter": Mood(("winter", "wintry", "christmas", "festive", "snowy", "nordic"), "jewel", ("plaid", "zigzag")),
    "casual": Mood(
        (
            *("casual", "everyday", "relaxed style", "comfortable", "comfy", "simple", "weekend", "laid back", "basic"),
            *("practical", "ordinary", "sporty", "sport", "athletic", "street", "streetwear", "urban"),
        ),
        "muted",
        ("striped", PLAIN, "plaid"),
    ),
    "elegant": Mood(
        (
            *("elegant", "chic", "formal", "classy", "sophisticated", "evening", "glamorous", "luxurious", "cocktail"),
            *("classic", "timeless", "luxury", "refined", "smart", "party", "gala", "expensive", "posh", "stylish"),
            *("modern", "wedding", "noble"),
        ),
        "jewel",
        (PLAIN, "paisley", "floral"),
    ),
    "business": Mood(
        ("business", "office", "work", "professional", "corporate", "interview", "workwear"),
        "neutral",
        (PLAIN, "striped", "plaid"),
    ),
    "boho": Mood(
        ("boho", "bohemian", "hippie", "hippy", "ethnic", "folk", "folklore", "festival", "gypsy", "coachella"),
        "earth",
        ("paisley", "floral", "zigzag"),
    ),
    "retro": Mood(
        (
            *("retro", "vintage", "fifties", "sixties", "seventies", "old fashioned", "pin up", "groovy", "disco"),
            *(
                "eighties",
                "nineties",
                "mod",
                "rockabilly",
                "1950s",
                "1960s",
                "1970s",
                "50s",
                "60s",
                "70s",
                "80s",
                "90s",
            ),
        ),
        "warm",
        ("dotted", "geometric", "plaid"),
    ),
    "romantic": Mood(
        (
            *(
                "romantic",
                "feminine",
                "girly",
                "delicate style",
                "sweet",
                "cute",
                "dreamy",
                "pretty",
                "lovely",
                "princess",
            ),
            *("fairy", "shabby chic", "cottagecore", "coquette", "kawaii", "valentine"),
        ),
        "pastel",
        ("floral", "dotted"),
    ),
    "edgy": Mood(
        ("edgy", "punk", "rock", "gothic", "goth", "grunge", "biker", "emo", "dramatic", "futuristic", "cyberpunk"),
        "monochrome",
        ("animal", "plaid", "abstract"),
    ),
    "preppy": Mood(
        ("preppy", "college", "school", "ivy league", "school uniform", "country", "western", "cowboy"),
        "cool",
        ("plaid", "striped"),
    ),
    "outdoor": Mood(
        ("outdoor", "hiking", "rustic", "forest style", "hunting", "explorer", "army", "military"),
        "earth",
        ("camouflage", "plaid"),
    ),
    "playful": Mood(
        (
            "playful",
            "fun",
            "funky",
            "quirky",
            "crazy",
            "funny",
            "happy",
            "cheerful",
            "kids",
            "childish",
            "joyful",
            "pop art",
            "carnival",
        ),
        "bright",
        ("dotted", "geometric", "zigzag"),
    ),
}
"""Mood -> its words and what it suggests."""

PATTERN_NOUNS = (
    *("pattern", "print", "patterned", "printed", "patterns", "prints", "motif", "motifs", "design", "designs"),
    *("texture", "textile", "fabric", "cloth", "material", "textiles", "fabrics", "allover", "all over"),
)
"""Words that only say that a pattern or a cloth is meant."""

COLOUR_NOUNS = ("colour", "colours", "coloured", "shade", "shades", "tone", "tones", "hue", "hues", "tint", "palette")
"""Words that only say that a colour is meant."""

_STOP_TEXT = """
4k 8k hd a an the this that these those it its is are be being was were as of for to in into at by from up out over
very too so really quite rather some any something and or with on my your his her their our me i you he she
they we one ones made make makes making turn change changed wear wearing worn put want wants would like please
can could should will give look looks looking style styled style's kind sort type more less bit lot lots same
other another new nice good great beautiful best high quality photo photograph photorealistic realistic
picture image detailed real fashion fashionable clothes clothing outfit garment attire apparel item piece
woman women's women man men's men girl boy lady ladies person people model who which what where when there
here than then also just only even much many few all every each both such own has have had do does let s t us
no. e.g. eg etc about around together mostly mainly mixed combination combined pair set featuring features
having has full covered covering accents accent touches touch hint hints dominant base background ground under
between
"""

STOP_WORDS = frozenset(_STOP_TEXT.split())
"""Words that carry nothing that a fabric could follow."""

NEGATORS = (
    "not",
    "no",
    "without",
    "except",
    "never",
    "avoid",
    "minus",
    "isn't",
    "aren't",
    "don't",
    "nor",
    "non",
    "instead of",
    "rather than",
)
"""Words after which something is meant not to be there."""

GENTLE = ("too", "very", "so", "overly", "that", "really", "quite")
"""After "not" these take in only the next word: "not too bright red" is red."""
