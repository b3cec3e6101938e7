"""Which words name a garment, and which were ever taught."""

from __future__ import annotations

import json

import pytest

from ml_backend.packaging.starter import WEIGHTS_DIR
from ml_backend.requests import CLOTH_CLASSES
from ml_backend.training.data.concepts import CONCEPTS
from ml_backend.words.naming import naming

TAUGHT = tuple(word for concept in CONCEPTS if concept.yes for word in concept.words)


def test_the_starter_tells_the_words_that_it_was_taught():
    manifest = json.loads((WEIGHTS_DIR / "clipseg-starter" / "manifest.json").read_text(encoding="utf-8"))
    assert tuple(manifest["config"]["defaults"]["words"]) == TAUGHT


@pytest.mark.parametrize(
    "phrase",
    ["the sky", "banana", "a bandana", "the boat", "the tree", "the sleeves", "the sleeves of the dress",
     "dress sleeves",
     "le ciel", "xyz", "the sofa", "the sky over the dress"],
)  # fmt: skip
def test_words_that_were_never_taught_are_unknown(phrase):
    assert not naming(phrase, TAUGHT).known


@pytest.mark.parametrize(
    ("phrase", "classes"),
    [
        ("the dress", ("dress",)),
        ("the red Dress with a banana print", ("dress",)),
        ("her T-shirt", ("top",)),
        ("the woman's coats", ("outerwear",)),
        ("a pair of grey trousers", ("trousers",)),
        ("the clothes she is wearing", CLOTH_CLASSES),
        ("the shoes", ()),
        ("the left shoe", ()),
        ("the scarf", ()),
        ("everything worn", ()),
        ("the wall behind the dress", ()),
    ],
)
def test_words_that_were_taught_and_the_garments_among_them(phrase, classes):
    assert naming(phrase, TAUGHT).taught
    assert naming(phrase, TAUGHT).classes == classes


def test_a_garment_that_the_model_was_not_taught_is_known_by_its_class():
    named = naming("the kaftan", TAUGHT)
    assert (named.taught, named.classes, named.known) == (False, ("dress",), True)


def test_a_model_that_reads_freely_knows_everything_and_is_helped_with_plain_names_only():
    assert naming("the sky", None).known
    assert naming("the sky", None).classes == ()
    assert naming("the dress", None).classes == ("dress",)
    assert naming("the red dress on the left", None).classes == (), "it may tell that one from the other"
