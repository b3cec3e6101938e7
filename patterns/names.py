"""Words with a place of their own, for the catalogues: names of the library's tables, and labels made in Python."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ml_backend.colour import BASIC_COLOURS
from ml_backend.engines import IMAGINE, RESTYLE
from ml_backend.inks import PALETTES
from ml_backend.lattices import LATTICES
from ml_backend.palettes import harmony, pairing
from ml_backend.requests import CLOTH_CLASSES, ENGINES, PHOTOGRAPHED, Request
from ml_backend.swatches import SUBTYPES, TYPES
from ml_backend.words.shades import SHADES
from ml_backend.words.wardrobe import WARDROBE

from .colours import BUCKETS

LABELS = (
    # colours of a page of suggestions, of the ink table
    "your {colour} {what}", "your {what}", "skin and hair", "{colour} beside {worn}: {why}.", "{rule}, from {words}",
    "A soft {colour}", "A quiet {colour}", "A warm {colour}", "A cool {colour}",
    "A warm deep {colour}", "A cool deep {colour}", "A warm pale {colour}", "A cool pale {colour}",
    "neutral", "light and dark",
    "ground", "main", "second", "third", "accent", "extra", "the seed's own", "its first colours", "by rule",
    "your palette", "your picture", "{name} as ground",
    "eyes without red cones", "eyes without green cones", "eyes without blue cones",
    "Adobe Swatch Exchange", "GIMP, Inkscape, Krita", "with Lab, LCh and HLC codes",
    # garments
    "jacket", "other cloth",
    "second {garment}", "third {garment}", "fourth {garment}", "fifth {garment}", "sixth {garment}",
    "seventh {garment}", "eighth {garment}", "ninth {garment}", "tenth {garment}", "11th {garment}", "12th {garment}",
    "all the cloth", "all garments",
    "the {garment}", "all the {garment}", "photo", "Photo {number}", "Your photo",
    "{garment}, back", "{garment}, front", "blouse", "tank top", "polo shirt", "sweater", "cardigan",
    "sweatshirt", "coat",
    "trench coat", "blazer", "denim jacket", "bomber jacket", "waistcoat", "shorts", "jeans", "leggings", "jumpsuit",
    "overalls", "maxi dress", "mini dress", "shirt dress", "wrap dress", "summer dress", "pencil skirt", "maxi skirt",
    "mini skirt", "pleated skirt", "tunic", "kimono", "pyjamas", "robe", "apron", "scarf", "swimsuit",
    "short-sleeved shirt", "shoes", "hair", "women's {garment}", "men's {garment}", "wide trousers",
    "culottes", "cape", "poncho", "a-line skirt", "shift dress", "chinos",
    # fabrics
    "seed {number}", "seeds {first} to {last}", "from a photo", "model", "not told", "that of Toile itself",
    "generate", "upscale", "by the fabric engine", "by diffusion", "fabric", "diffusion", "no longer here",
    # jobs
    "Done", "Dreaming", "Drawing", "Colouring", "Enlarging", "enlarging", "Loading {name} once", "Starting",
    "Painting {first} to {last} of {total}", "Painting {number} of {total}",
    "The store of pictures", "The database", "The message broker", "The endpoint of the model",
    "{seconds} second", "{seconds} seconds", "{minutes} minute", "{minutes} minutes",
    "{message}; trying again in {seconds} s.",
    "dream fabrics", "read the light and the folds of cloth", "find things in photos by words",
    "repaint photos from words", "paint pictures from words",
    # photographed cloth
    "upper left", "upper right", "lower right", "lower left", "across", "down",
    "the repeat that is found", "a repeat of this size", "a piece, its edges joined",
    "The repeat is the one that you set.", "As you asked, a piece is taken and its edges are joined.",
    "No repeat was found, so a piece is taken and its edges are joined.", "A repeat was found.", "Stripes were found.",
    "A repeat was found; look whether it is right, or set it yourself.",
    "Stripes were found; look whether it is right, or set it yourself.", "photo of a cloth", "The photo of the cloth",
    # print
    "one repeat", "a panel", "separations, a plate an ink", "a strike-off sheet", "SVG, lines",
    "inch", "print file", "tech pack", "In the printer’s CMYK.", "{area}: {place}, as {form}.",
    "One repeat ({repeat})", "A panel of {what}", "a panel of {what}", "{size} cm {repeat} repeats",
    "{across} × {down} cm at {dpi} dpi, {width} × {height} pixels", "{across} × {down} cm, lines and no pixels",
    "PDF of true size", "SVG of true size", "{inks} plates", "One plate an ink",
    "A repeat of {size} cm or smaller would look fine at this resolution.",
    "width of the panel", "height of the panel", "number of repeats across", "number of repeats down",
    "size of the repeat", "woven surface", "rendering intent",
    # collections, trends
    "Hero", "Coordinate", "Blender", "No part", "worn", "favourited", "downloaded", "pattern type", "colour", "garment",
    "by day", "by week", "day", "week", "days", "weeks", "Times {what}, {count} {period}: {first}.",
    # data sets
    "Cut to the middle", "Keep all of it", "Style", "Pattern", "Colour", "Fabric", "{name} (copy)",
    # what is deleted
    "Delete a {thing}", "The first picture of the data set", "Delete",
    ", and with them the {count} look it wears", ", and with them the {count} looks it wears",
    # what was sent in place of a photo
    "a film", "a GIF", "a BMP", "a TIFF or camera raw file", "a PDF", "a ZIP or office file", "a Photoshop file",
    "an icon", "a film or sound", "an SVG drawing", "a web page",
    # restyle and imagine
    "year", "usage", "season", "gender", "article", "anybody’s",
    "any year", "any use", "any season", "any colour", "anybody", "any garment",
    "Begun from", "a drawn fabric", "Steps", "Guidance", "Size", "Strength", "Scheduler", "Model", "LoRA",
    "Meadow", "Dots", "Ink", "Linen", "Holiday", "Found {words}.",
    "summer dress", "catalogue hoodie", "flower skirt", "linen shirt", "tartan trousers", "dotted t-shirt",
    "paisley dress", "flannel shirt", "plain cloth",
    "the marked part from the words", "the whole picture from your words", "A small sketching model",
    # what errors name
    "place of a corner", "side of the repeat", "x of a tap", "y of a tap", "strength of a LoRA",
    # things
    "look", "picture", "print", "collection", "palette", "data set", "profile", "Guest",
    "Your new password is set.", "The tokens of your programs are revoked; make new ones on your account page.",
    "Welcome, {name}. Everything you made is kept with your name.",
)  # fmt: skip
"""Labels and parts of sentences that the source makes of pieces, so that no sentence shows them."""


UNSEEN = re.compile(r"tests\.|ml_backend\.(training|sweep)\.")
"""Modules whose requests are written in files, in English."""


def every() -> Iterator[str]:
    """All of them, the tables' own first."""
    yield from TYPES
    yield from (name.replace("-", " ") for name in SUBTYPES)
    yield from LATTICES
    yield from ENGINES
    yield PHOTOGRAPHED
    yield from BUCKETS
    yield from BASIC_COLOURS
    yield from (name for shades in SHADES.values() for name in shades)
    yield from PALETTES
    yield from harmony.RULES
    yield from pairing._SAID.values()
    yield from CLOTH_CLASSES
    yield from (form.slug for form in WARDROBE)
    for name, engine in (*RESTYLE.items(), *IMAGINE.items()):
        yield name
        yield engine.made
    for kind in sorted(_kinds(Request), key=lambda kind: (kind.__module__, kind.__name__)):
        yield from (rule.what for rule in kind.rules().values() if rule.what)
    yield from LABELS


def _kinds(kind: type[Request]) -> Iterator[type[Request]]:
    """Requests of people, whichever modules happen to be imported: not of training, not of tests."""
    for below in kind.__subclasses__():
        if not UNSEEN.match(below.__module__):
            yield below
        yield from _kinds(below)
