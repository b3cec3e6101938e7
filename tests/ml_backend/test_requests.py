"""Requests: exact round trips, and one clear sentence for anything out of range."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_backend.errors import BadInput
from ml_backend.requests import (
    CLOTH_CLASSES,
    ENGINES,
    MAX_SEED,
    PATTERN_TYPES,
    REPEATS,
    GenerateRequest,
    OutfitRequest,
    OverlayRequest,
    TapRequest,
    garment_name,
    parse_garment,
    parse_palette,
)

colours = st.from_regex(r"#[0-9a-f]{6}", fullmatch=True)


@given(
    pattern_type=st.sampled_from(PATTERN_TYPES),
    seed=st.integers(0, MAX_SEED),
    size=st.integers(32, 4096),
    engine=st.sampled_from(ENGINES),
    palette=st.none() | st.lists(colours, min_size=2, max_size=6).map(tuple),
)
def test_generate_request_survives_json(**fields):
    request = GenerateRequest(**fields)
    assert GenerateRequest.from_dict(request.to_dict()) == request


def test_recipes_stored_before_there_were_morphs_can_be_read():
    stored = {"pattern_type": "floral", "seed": 7, "size": 512, "engine": "dcgan", "palette": None, "model": None}
    request = GenerateRequest.from_dict({**stored, "vary_of": 3, "vary_amount": 0.25})
    assert request == GenerateRequest("floral", 7, vary_of=3, vary_amount=0.25)


def test_the_old_word_for_dreamed_is_understood_and_not_said():
    request = GenerateRequest("floral", 7, engine="dcgan")
    assert request == GenerateRequest("floral", 7, engine="dreamed")
    assert request.to_dict()["engine"] == "dreamed"
    with pytest.raises(BadInput, match="choose one of dreamed, drawn"):
        GenerateRequest("floral", 7, engine="xgan")


def test_a_request_with_every_move_survives_json():
    request = GenerateRequest(
        "floral",
        1,
        vary_of=2,
        vary_amount=0.1,
        morph_to=3,
        morph_amount=0.4,
        morph_type="plaid",
        colours_of=4,
        detail_of=5,
    )
    assert GenerateRequest.from_dict(request.to_dict()) == request


@given(
    garments=st.lists(st.sampled_from(CLOTH_CLASSES), unique=True).map(tuple),
    scale_cm=st.floats(1, 200),
    rotate=st.floats(-360, 360),
    repeat=st.sampled_from(REPEATS),
    strength=st.floats(0, 1),
)
def test_overlay_request_survives_json(**fields):
    request = OverlayRequest(**fields)
    assert OverlayRequest.from_dict(request.to_dict()) == request


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"pattern_type": "tartan"}, "pattern type"),
        ({"seed": -1}, "seed"),
        ({"seed": MAX_SEED + 1}, "seed"),
        ({"seed": True}, "seed"),
        ({"seed": "7"}, "seed"),
        ({"size": 31}, "size"),
        ({"size": 10**9}, "size"),
        ({"engine": "magic"}, "engine"),
        ({"morph_to": -1, "morph_amount": 0.5}, "seed to morph to"),
        ({"morph_to": 1, "morph_amount": 1.5}, "amount of the morph"),
        ({"morph_to": 1, "morph_type": "tartan"}, "pattern type"),
        ({"morph_amount": 0.5}, "needs the seed"),
        ({"morph_type": "plaid"}, "needs the seed"),
        ({"morph_to": 1, "engine": "drawn"}, "cannot be morphed"),
        ({"detail_of": 1, "engine": "drawn"}, "drawing of another"),
        ({"detail_of": "1"}, "seed to draw like"),
        ({"colours_of": 1.0}, "seed to take colours of"),
        ({"palette": ("#12",)}, "colour"),
        ({"palette": ("#112233",)}, "palette"),
        ({"palette": ("#112233",) * 7}, "palette"),
    ],
)
def test_generate_request_refuses(fields, words):
    with pytest.raises(BadInput, match=words):
        GenerateRequest(**{"pattern_type": "floral", "seed": 1, **fields})


@pytest.mark.parametrize(
    "fields",
    [
        {"garments": ("hat",)},
        {"garments": ("skin",)},
        {"garments": ("top-1",)},
        {"garments": ("top-99",)},
        {"garments": ("top-2\n",)},
        {"garments": ("top--2",)},
        {"garments": (1,)},
        {"scale_cm": 0},
        {"scale_cm": float("nan")},
        {"rotate": float("inf")},
        {"repeat": "brick"},
        {"strength": 1.01},
        {"shoulder_cm": "wide"},
    ],
)
def test_overlay_request_refuses(fields):
    with pytest.raises(BadInput):
        OverlayRequest(**fields)


@given(value=st.integers(0, 95).filter(lambda value: 1 <= value % 8 <= 6))
def test_a_garment_is_called_by_its_class_and_number(value):
    assert parse_garment(garment_name(value)) == value


def test_garments_have_the_values_of_the_class_map():
    assert [parse_garment(name) for name in (*CLOTH_CLASSES, "top-2", "dress-12")] == [1, 2, 3, 4, 5, 6, 9, 91]


def test_an_outfit_survives_json():
    outfit = OutfitRequest((OverlayRequest(("outerwear",), scale_cm=9.0), OverlayRequest(("skirt", "top-2"))))
    assert OutfitRequest.from_dict(json.loads(json.dumps(outfit.to_dict()))) == outfit


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"parts": []},
        {"parts": "top"},
        {"parts": ["top"]},
        {"parts": [{"garments": ["top"]}] * 2},
        {"parts": [{"garments": ["top"]}, {}]},
        {"parts": [{"garments": ["top"]}, {"garments": ["hat"]}]},
        {"parts": [{"garments": [f"top-{n}"]} for n in range(2, 13)] + [{"garments": ["skirt"]}] * 2},
        {"parts": [{}], "strength": 1.0},
    ],
)
def test_an_outfit_refuses(data):
    with pytest.raises(BadInput):
        OutfitRequest.from_dict(data)


def test_taps_survive_json():
    request = TapRequest(40, 60, ((3, 59, True), (39, 0, False)), "top-2")
    assert TapRequest.from_dict(json.loads(json.dumps(request.to_dict()))) == request


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"taps": []}, "1 to 32"),
        ({"taps": [[1, 1, True]] * 33}, "1 to 32"),
        ({"taps": "3,4"}, "1 to 32"),
        ({"taps": [[40, 1, True]]}, "x of a tap"),
        ({"taps": [[1, 60, True]]}, "y of a tap"),
        ({"taps": [[-1, 1, True]]}, "x of a tap"),
        ({"taps": [[1.5, 1, True]]}, "x of a tap"),
        ({"taps": [[1, 1]]}, "A tap is"),
        ({"taps": [[1, 1, 1]]}, "A tap is"),
        ({"taps": [7]}, "A tap is"),
        ({"taps": [[1, 1, False]]}, "on the garment"),
        ({"taps": [[1, 1, True]], "garment": "hat"}, "garment"),
        ({"taps": [[1, 1, True]], "width": 0}, "width"),
        ({"taps": [[1, 1, True]], "height": 70_000}, "height"),
        ({"taps": [[1, 1, True]], "speed": 1}, "speed"),
    ],
)
def test_impossible_taps_are_refused(changed, words):
    with pytest.raises(BadInput, match=words):
        TapRequest.from_dict({"width": 40, "height": 60, **changed})


def test_a_mask_that_is_mended_needs_no_tap_on_it():
    assert TapRequest(40, 60, ((1, 1, False),), "dress").garment == "dress"


def test_unknown_and_missing_parameters_are_named():
    with pytest.raises(BadInput, match="colour_count"):
        GenerateRequest.from_dict({"pattern_type": "floral", "seed": 1, "colour_count": 3})
    with pytest.raises(BadInput, match="seed"):
        GenerateRequest.from_dict({"pattern_type": "floral"})


def test_palette_is_normalised():
    assert parse_palette(" #AABBCC , #00ff00") == ("#aabbcc", "#00ff00")
