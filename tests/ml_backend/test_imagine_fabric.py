"""Imagine's fabric engine: which garment the words mean, what is left out, and the picture itself."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ml_backend import garments
from ml_backend.colour import name_of_region
from ml_backend.errors import BadInput, Stopped
from ml_backend.pipelines.imagine.fabric import FabricImagine
from ml_backend.pipelines.restyle.fabric import FabricRestyle
from ml_backend.requests import ImagineRequest
from ml_backend.words.builder import ARTICLES, Outfit
from ml_backend.words.lexicon import NOT_CLOTH
from ml_backend.words.reading import read
from ml_backend.words.wardrobe import WARDROBE, choose_form, without_scene


@pytest.fixture(scope="module")
def imagine() -> FabricImagine:
    return FabricImagine(FabricRestyle())


def one(prompt: str, seed: int = 5, size: int | None = 192) -> ImagineRequest:
    return ImagineRequest(prompt, seed, size=size, engine="fabric")


def colour_of(picture: Image.Image) -> str:
    """The colour name of the middle of the garment."""
    side = picture.width
    middle = np.zeros((side, side), bool)
    middle[int(0.5 * side) : int(0.6 * side), int(0.42 * side) : int(0.58 * side)] = True
    return name_of_region(np.asarray(picture), middle)


# --- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "slug", "exact"),
    [
        ("a red dress", "dress", True),
        ("striped T-shirts", "t-shirt", True),
        ("blue jeans", "trousers", True),
        ("a linen blouse", "blouse", True),
        ("a linen shirt", "shirt", True),
        ("denim shorts", "shorts", True),
        ("a black polo shirt", "short-sleeved-shirt", False),
        ("a tartan miniskirt", "a-line-skirt", True),
        ("a dress, no jacket", "dress", True),
        ("a grey sweater", "sweatshirt", False),
        ("a long coat", "shirt", False),
        ("a ball gown", "dress", False),
        ("a black jumpsuit", "dress", False),
        ("a hat and a skirt", "skirt", True),
    ],
)
def test_words_choose_the_garment_and_say_when_it_is_only_near(prompt, slug, exact):
    for seed in range(4):
        form, why = choose_form(read(prompt), seed)
        assert (form.slug, why == "") == (slug, exact)
    assert exact or read(prompt).garment_words[0] in why


def test_every_garment_of_the_builder_has_a_form():
    shod = {word for words in NOT_CLOTH.values() for word in words}
    worn_about = {"Dupatta", "Scarf", "Stole", "Swimsuit", "Tie"}
    for article in ARTICLES:
        form, why = choose_form(read(Outfit(article=article).sentence()), 1)
        if article.lower() in shod or article in worn_about or article == "Pyjamas":
            assert "none of our garments" in why
        else:
            assert "none of our garments" not in why, (article, form.slug)


def test_where_no_garment_is_named_seeds_choose_among_all():
    chosen = {choose_form(read("something in red"), seed)[0].slug for seed in range(160)}
    assert chosen == {form.slug for form in WARDROBE}
    assert "the seed chose" in choose_form(read("red boots"), 1)[1]


def test_every_form_is_there():
    assert {form.slug for form in WARDROBE} == {asset.cut for asset in garments.assets()}


@pytest.mark.parametrize(
    ("prompt", "rest", "left_out"),
    [
        ("a red coat, front view, white background", "a red coat, ,", ("front view", "white background")),
        ("a linen shirt laid flat on white paper", "a linen shirt", ("laid flat on white paper",)),
        ("an image of a blue skirt", "an a blue skirt", ()),
        ("white dots on a blue background", "white dots on a blue background", ()),
        ("a dotted dress on a blue background", "a dotted dress", ("on a blue background",)),
        ("white flowers on red", "white flowers on red", ()),
        ("a floral skirt with a wide hem", "a floral skirt with a wide hem", ()),
        ("garden print shirt", "garden print shirt", ()),
    ],
)
def test_what_is_said_of_the_photograph_is_parted_from_the_cloth(prompt, rest, left_out):
    assert without_scene(prompt) == (rest, left_out)


def test_a_jacket_named_after_its_cloth_is_of_that():
    assert read("a denim jacket").materials == ("denim",)
    assert read("blue jeans").materials == ("denim",)
    assert read("corduroy jeans").materials == ("corduroy",), "what is said goes before what is usual"


def test_the_colour_of_a_part_is_not_the_cloths():
    reading = read("a blue jacket with light copper buttons and a white collar")
    assert [colour.words for colour in reading.colours] == ["blue"]
    assert {"light copper buttons", "white collar"} <= set(reading.not_honoured)


# --- pictures ---------------------------------------------------------------------------------------------------------


def test_a_picture_of_the_words_says_all_that_made_it(imagine):
    (made,) = imagine([ImagineRequest("a plain red t-shirt", 3)])
    assert made.image is not None
    assert made.image.size == (1024, 1024)
    assert made.notes == ()
    used = made.request
    assert (used.engine, used.size, used.model) == ("fabric", 1024, None), "a drawn fabric has no model"
    again = imagine([used])[0].image
    assert np.array_equal(np.asarray(made.image), np.asarray(again))


@pytest.mark.parametrize("colour", ["red", "green", "blue", "yellow", "purple", "black"])
def test_the_cloth_has_the_colour_asked_for(imagine, colour):
    (made,) = imagine([one(f"a plain {colour} t-shirt")])
    assert colour_of(made.image) == colour


def test_the_ground_stays_pale_and_goes_on_to_the_edges(imagine):
    (made,) = imagine([one("a plain black hoodie")])
    pixels = np.asarray(made.image, np.int16)
    for edge in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]):
        assert edge.min() > 200
    sides = np.abs(np.diff(pixels[:, : pixels.shape[1] // 8], axis=1)).max()
    assert sides <= 12, "no seam where the photo begins"


def test_seeds_differ_where_the_words_leave_room(imagine):
    made = imagine([one("a red dress", seed) for seed in range(6)])
    pictures = {result.image.tobytes() for result in made}
    assert len(pictures) >= 4
    assert {colour_of(result.image) for result in made if not result.notes} == {"red"}


def test_what_cannot_be_honoured_is_said(imagine):
    (made,) = imagine([one("a long velvet coat in red, on a hanger, glorpy")])
    said = " ".join(made.notes)
    for word in ("coat", "long", "velvet", "on a hanger", "glorpy"):
        assert f"“{word}”" in said


def test_pictures_are_handed_over_one_by_one_and_a_stop_is_heeded(imagine):
    seen: list[int] = []
    previews: list[Image.Image] = []
    told: list[float] = []
    with pytest.raises(Stopped):
        imagine(
            [one("a red skirt", seed) for seed in range(3)],
            on_image=lambda number, made: seen.append(number),
            preview=previews.append,
            progress=lambda share, stage: told.append(share),
            should_stop=lambda: len(seen) == 2,
        )
    assert seen == [0, 1]
    assert len(previews) == 2
    assert told == sorted(told)


def test_requests_that_differ_in_their_words_are_refused(imagine):
    with pytest.raises(BadInput, match="seeds"):
        imagine([one("a red skirt"), one("a blue skirt")])


def test_an_engine_that_is_none_is_refused():
    with pytest.raises(BadInput, match="engine"):
        ImagineRequest("a red skirt", 1, engine="loom")
    assert ImagineRequest.from_dict({"prompt": "a red skirt", "seed": 1}).engine == "diffusion", "as it always was"
