"""What a file says of where it comes from, for programs that have never heard of Toile.

The recipe that Toile reads back itself travels as before (:mod:`ml_backend.images`); beside it lies an XMP packet with
the same recipe and with IPTC's *digital source type*, the word by which photo desks and shops tell made pictures from
photographs (IPTC Photo Metadata Standard 2025.1, NewsCodes "digitalsourcetype").  Pure text: nothing here opens a file,
and nothing says who made it or on which photo.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
DREAMED = "trainedAlgorithmicMedia"
"""Made by a trained model."""
DRAWN = "algorithmicMedia"
"""Made by rule, without anything that was trained."""
ON_PHOTO = "compositeWithTrainedAlgorithmicMedia"
"""A photo, or a picture made by rule, in which a trained model changed or put something."""
FROM_PHOTO = "digitalCapture"
"""A cloth that was photographed and straightened by rule."""

_BY_ENGINE = {"drawn": DRAWN, "photographed": FROM_PHOTO}
"""Of what is made by no network; every other engine is one."""

NAMESPACE = "urn:toile:recipe:1#"
MAX_RECIPE = 64 * 1024
"""Characters of a recipe that a packet carries; a longer one stays in the file's own recipe only."""

_PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Toile">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
    xmlns:toile="{namespace}">
   <xmp:CreatorTool>Toile</xmp:CreatorTool>{source}{recipe}
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"""


def source_type(recipe: Mapping[str, Any]) -> str:
    """The name of IPTC's digital source type that a picture of this recipe has.

    A fabric is dreamed or drawn, and so is a garment of the house that wears one.  On a photo the cloth is found by a
    trained model, so such a picture is a composite with one, whatever it wears.  Empty where nothing is known.
    """
    if not recipe.get("garment") and _ON_PHOTO & set(recipe):
        return ON_PHOTO
    made = {_BY_ENGINE.get(engine, DREAMED) for engine in _engines(recipe)}
    if "garment" in recipe:
        return DRAWN if made == {DRAWN} else ON_PHOTO
    if not made:
        return ""
    return made.pop() if len(made) == 1 else DREAMED


_ON_PHOTO = frozenset({"photo", "restyle", "sketch", "overlay", "parts"})
"""What only the recipes of pictures that show a photo have, unless they name a garment of the house."""


def _engines(recipe: Mapping[str, Any]) -> list[str]:
    """The engines of all fabrics that a recipe is made of."""
    found = [str(recipe["engine"])] if recipe.get("engine") else []
    nested = [recipe.get("pattern"), recipe.get("imagine"), *(recipe.get("parts") or [])]
    for one in nested:
        found += _engines(one) if isinstance(one, Mapping) else []
    return found


def xmp(recipe: Mapping[str, Any]) -> bytes:
    """The packet, UTF-8: digital source type and recipe."""
    text = json.dumps(recipe, ensure_ascii=True)
    told = f"\n   <toile:Recipe>{escape(text)}</toile:Recipe>" if len(text) <= MAX_RECIPE else ""
    kind, name = source_type(recipe), "Iptc4xmpExt:DigitalSourceType"
    source = f"\n   <{name}>{SOURCE_TYPES}{kind}</{name}>" if kind else ""
    return _PACKET.format(namespace=NAMESPACE, source=source, recipe=told).encode()
