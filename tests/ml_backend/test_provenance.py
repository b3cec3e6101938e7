"""What files say of where they come from."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET

import pytest
from PIL import Image

from ml_backend.images import read_recipe, save_picture
from ml_backend.provenance import MAX_RECIPE, NAMESPACE, SOURCE_TYPES, source_type, xmp

DRAWN = {"pattern_type": "plaid", "seed": 3, "engine": "drawn"}
DREAMED = {**DRAWN, "engine": "dreamed"}
CASES = [
    (DRAWN, "algorithmicMedia"),
    (DREAMED, "trainedAlgorithmicMedia"),
    ({**DRAWN, "engine": "dcgan"}, "trainedAlgorithmicMedia"),
    ({"overlay": {}, "pattern": DRAWN, "photo": "own"}, "compositeWithTrainedAlgorithmicMedia"),
    ({"overlay": {}, "pattern": DREAMED, "photo": "own"}, "compositeWithTrainedAlgorithmicMedia"),
    ({"overlay": {}, "pattern": DREAMED}, "compositeWithTrainedAlgorithmicMedia"),
    ({"overlay": {}, "pattern": DRAWN, "garment": "dress"}, "algorithmicMedia"),
    ({"parts": [{"pattern": DRAWN}, {"pattern": DREAMED}], "garment": "dress"}, "compositeWithTrainedAlgorithmicMedia"),
    ({"restyle": {"engine": "fabric"}, "photo": "own"}, "compositeWithTrainedAlgorithmicMedia"),
    ({"prompt": "x", "engine": "diffusion", "sketch": None}, "compositeWithTrainedAlgorithmicMedia"),
    ({"imagine": {"engine": "diffusion"}}, "trainedAlgorithmicMedia"),
    ({}, ""),
    ({"made_with": "Toile", "print": {"kind": "tile"}}, ""),
    ({"overlay": {}, "garment": "dress"}, "compositeWithTrainedAlgorithmicMedia"),
]


@pytest.mark.parametrize(("recipe", "kind"), CASES)
def test_a_picture_says_whether_it_was_dreamed_drawn_or_put_on_a_photo(recipe, kind):
    assert source_type(recipe) == kind


def _told(packet: bytes) -> tuple[str, dict]:
    tree = ET.fromstring(packet)
    source = tree.find(".//{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType")
    recipe = tree.find(f".//{{{NAMESPACE}}}Recipe")
    assert source is not None and recipe is not None
    return source.text or "", json.loads(recipe.text or "")


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_every_format_carries_it_beside_the_recipe(format):
    recipe = {**DREAMED, "note": "<&]]> é"}
    file = io.BytesIO()
    save_picture(Image.new("RGB", (8, 8)), file, recipe, format=format)
    with Image.open(file) as image:
        assert read_recipe(image) == recipe
        packet = image.info["xmp"]
        assert _told(packet if isinstance(packet, bytes) else packet.encode()) == (
            SOURCE_TYPES + "trainedAlgorithmicMedia",
            recipe,
        )


def test_a_picture_without_a_recipe_claims_nothing():
    file = io.BytesIO()
    save_picture(Image.new("RGB", (8, 8)), file, format="PNG")
    with Image.open(file) as image:
        assert "xmp" not in image.info


def test_nothing_is_claimed_of_what_is_not_known():
    assert b"DigitalSourceType>" not in xmp({"made_with": "Toile"})


def test_a_recipe_that_is_too_long_stays_out_of_the_packet():
    packet = xmp({**DRAWN, "words": "x" * MAX_RECIPE})
    assert b"Recipe>" not in packet and b"algorithmicMedia" in packet
