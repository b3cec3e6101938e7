"""From labelled photos to a diffusion model that paints words: pictures, autoencoder, inpainting, at a tiny size."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import load_file

from ml_backend import training
from ml_backend.colour import BASIC_COLOURS, name_of, name_of_region, rgb_of
from ml_backend.errors import BadInput, Stopped
from ml_backend.packaging import Package
from ml_backend.packaging.starter import starter
from ml_backend.requests import PATTERN_TYPES
from ml_backend.training.autoencoder import AutoencoderRecipe, likeness
from ml_backend.training.captioned import CaptionedRecipe
from ml_backend.training.data.captioned import (
    CLOTH,
    OUTFIT,
    CaptionedPictures,
    Shares,
    Words,
    draw_picture,
    draw_pictures,
    find_regions,
    shade_of,
)
from ml_backend.training.data.captions import caption
from ml_backend.training.data.seen import pattern_of
from ml_backend.training.inpainting import InpaintingRecipe, Latents, batch, said_of, snr_weight
from ml_backend.words.reading import read


def drawn(regions, index, **changes):
    return draw_picture(regions, index, **{"size": 48, "seed": 3, **changes})


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def regions(street_folder):
    return find_regions(street_folder, None, None, validation=False)


def test_only_garments_become_regions(regions):
    assert {region.garment for region in regions} == {"dress"}, "skin and shoes are not dressed"


def test_held_out_photos_are_never_dressed(street_folder, regions):
    kept = find_regions(street_folder, None, None, validation=True)
    assert kept
    assert not {region.photo for region in kept} & {region.photo for region in regions}


def test_a_folder_without_garments_says_so(street_folder):
    (street_folder / "labels.txt").write_text("0 null\n14 umbrella\n")
    with pytest.raises(BadInput, match="garments"):
        find_regions(street_folder, None, None, validation=False)


def test_the_words_are_true_of_the_picture(regions):
    """The colour that is seen in the region is the one that the words name first, or second in an even pattern."""
    for index in range(12):
        picture = drawn(regions, index)
        assert picture.image.shape == (48, 48, 3)
        region = picture.mask
        assert region.any()
        if picture.words.pattern == "plain":
            eroded = np.logical_and.reduce([np.roll(region, s, a) for s in (-9, 9) for a in (0, 1)])
            if eroded.any():
                assert name_of_region(picture.image, eroded) == picture.words.colours[0]


def test_a_swatch_is_nothing_but_cloth_and_its_words_are_true_of_it(regions):
    """All of the picture is meant, and it is called by the first or second of its colours."""
    patterned = Shares(swatches=1.0, plain=0.0)
    swatches = [drawn(regions, index, shares=patterned) for index in range(6)]

    assert all(one.mask.all() and one.words.garment == CLOTH and one.words.pattern in PATTERN_TYPES for one in swatches)
    assert all(name_of_region(one.image, one.mask) in one.words.colours[:2] for one in swatches)
    assert all(one.image.std(axis=(0, 1)).max() > 8 for one in swatches), "a pattern is to be seen"
    assert np.array_equal(swatches[3].image, drawn(regions, 3, shares=patterned).image)
    said = [caption(swatches[0].words, np.random.default_rng(seed)) for seed in range(40)]
    assert any("fabric" in one or "cloth" in one for one in said)


def test_patterns_that_are_not_recognised_are_drawn_anew(regions):
    """So every word is taught by a picture that shows it; without, many are not."""
    classifier = starter("classifier-starter").network()
    part = np.zeros((64, 64), bool)
    part[12:52, 21:43] = True

    def seen(**changes):
        shares = Shares(swatches=1.0, plain=0.0, **changes)
        made = [drawn(regions, index, shares=shares, size=64) for index in range(8)]
        return [pattern_of(classifier, Image.fromarray(one.image), part) == one.words.pattern for one in made]

    assert all(seen(recognised=True))
    assert not all(seen())
    worn = [drawn(regions, index, shares=Shares(own_cloth=0.0, plain=0.0, recognised=True)) for index in range(3)]
    assert all(one.words.pattern in PATTERN_TYPES for one in worn)


def test_drawing_stops_when_it_is_asked_to(regions):
    with pytest.raises(Stopped):
        draw_pictures(regions, 5, size=48, seed=1, shares=Shares(), should_stop=lambda: True)


def test_shares_say_how_many_are_plain_and_how_many_keep_their_own(regions):
    newly = [drawn(regions, index, shares=Shares(own_cloth=0.0, plain=0.0)) for index in range(8)]
    kept = [drawn(regions, index, shares=Shares(own_cloth=1.0)) for index in range(8)]

    assert all(one.words.pattern in PATTERN_TYPES for one in newly)
    assert all(one.words.pattern == "" for one in kept)


def test_the_same_picture_again(regions):
    first, second, other = drawn(regions, 4), drawn(regions, 4), drawn(regions, 5)
    assert np.array_equal(first.image, second.image)
    assert first.words == second.words
    assert not np.array_equal(first.image, other.image)


def test_pictures_are_kept_as_they_were(regions, tmp_path):
    made = [drawn(regions, index) for index in range(3)]
    pictures = CaptionedPictures(
        np.stack([one.image for one in made]), np.stack([one.mask for one in made]), tuple(one.words for one in made)
    )
    pictures.save(tmp_path / "kept")
    again = CaptionedPictures.load(tmp_path / "kept")
    assert np.array_equal(again.images, pictures.images)
    assert np.array_equal(again.masks, pictures.masks)
    assert again.words == pictures.words
    with pytest.raises(BadInput, match="captioned"):
        CaptionedPictures.load(tmp_path)


@given(st.sampled_from(BASIC_COLOURS), st.integers(0, 2**20))
def test_a_shade_is_called_by_its_name(name, seed):
    assert name_of(rgb_of(shade_of(name, np.random.default_rng(seed)))) == name


@given(
    st.sampled_from(("dress", "jeans", "t-shirt", OUTFIT)),
    st.lists(st.sampled_from(BASIC_COLOURS), min_size=1, max_size=3, unique=True),
    st.sampled_from(("", "plain", *PATTERN_TYPES)),
    st.integers(0, 2**20),
)
def test_captions_say_nothing_untrue(garment, colours, pattern, seed):
    """What our own reader finds in a caption is what the picture shows."""
    words = Words(garment, tuple(colours), pattern)
    said = caption(words, np.random.default_rng(seed), 50.0)
    assert said.strip()
    reading = read(said)
    assert reading.pattern in (None, pattern)
    assert set(said_of(words, said)) <= {garment, pattern, *colours}


def test_a_dark_blue_may_be_called_navy():
    words = Words("dress", ("blue",), "")
    said = [caption(words, np.random.default_rng(seed), 15.0) for seed in range(60)]
    assert any("navy" in one for one in said)
    assert not any("sky" in one or "light" in one for one in said)
    assert all("blue" in said_of(words, one) for one in said if "navy" in one)


def test_likeness_sees_edges_and_flat_colour():
    flat, edges = torch.zeros(1, 3, 16, 16), torch.zeros(1, 3, 16, 16)
    edges[..., ::2] = 0.1
    edges[..., 1::2] = -0.1
    assert likeness(flat, flat) == 0
    assert likeness(flat + 0.1, flat) == pytest.approx(0.2, abs=1e-6), "flat colour: the picture and the last level"
    assert likeness(edges, flat) == pytest.approx(0.2, abs=1e-6), "edges: the picture and the first level"


@pytest.fixture
def recipes(street_folder, tmp_path):
    pictures, vae = tmp_path / "pictures-run", tmp_path / "vae-run"
    return (
        (CaptionedRecipe(street_dir=str(street_folder), count=10, size=48), pictures),
        (
            AutoencoderRecipe(
                pictures_dir=f"{pictures}/pictures", width=8, crop=32, batch=2, steps=4, evaluate_every=2
            ),
            vae,
        ),
        (
            InpaintingRecipe(
                pictures_dir=f"{pictures}/pictures",
                vae_dir=f"{vae}/vae",
                widths=(16, 32),
                text_width=32,
                text_layers=1,
                text_length=16,
                vocabulary=560,
                lessons=3,
                window=16,
                window_steps=2,
                steps=4,
                batch=2,
                evaluate_every=2,
                sample_steps=2,
            ),
            tmp_path / "model-run",
        ),
    )


def test_three_recipes_make_a_model_that_paints(recipes):
    from diffusers import AutoPipelineForInpainting

    for config, folder in recipes:
        training.train(config, folder)
    package = Package.load(recipes[-1][1] / "package")
    assert package.manifest.capability == "restyle"
    model = package.path
    assert json.loads((model / "scheduler" / "scheduler_config.json").read_text())["prediction_type"] == "v_prediction"
    pipeline = AutoPipelineForInpainting.from_pretrained(model, safety_checker=None, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    mask = Image.new("L", (48, 48), 0)
    mask.paste(255, (12, 12, 36, 36))
    made = pipeline(
        "a red dress",
        image=Image.new("RGB", (48, 48), "grey"),
        mask_image=mask,
        num_inference_steps=2,
        height=48,
        width=48,
    )
    assert made.images[0].size == (48, 48)
    assert len(list((recipes[-1][1] / "samples").glob("*.png"))) == 2


def test_a_resumed_run_goes_the_same_way(recipes, tmp_path):
    """Four steps at once, and two and two, leave the same weights."""
    for config, folder in recipes[:2]:
        training.train(config, folder)
    config = recipes[-1][0]
    training.train(config, tmp_path / "whole")
    with pytest.raises(Stopped):
        training.train(config, tmp_path / "halves", should_stop=_after(config.lessons + 3))
    training.train(config, tmp_path / "halves", resume=True)
    whole, halves = (torch.load(tmp_path / name / "checkpoint.pt")["network"] for name in ("whole", "halves"))
    assert all(torch.allclose(whole[key], halves[key], atol=1e-6) for key in whole)


def test_going_on_from_a_package_keeps_its_words_weights_and_latents(recipes, tmp_path):
    """At a rate of 0 the networks stay the package's, else they do not; no other autoencoder is needed."""
    for config, folder in recipes:
        training.train(config, folder)
    first = recipes[-1][0]
    package = recipes[-1][1] / "package"
    further = dataclasses.replace(
        first, vae_dir="", start_from=str(package), most_snr=5.0, inside=0.8, whole_batch=1, rate=0.0, text_rate=0.0
    )
    weights = load_file(package / "unet" / "diffusion_pytorch_model.safetensors")

    training.train(dataclasses.replace(further, weight_decay=0.0), tmp_path / "still")
    training.train(dataclasses.replace(further, rate=1e-3), tmp_path / "moved")

    still, moved = (tmp_path / name / "package" for name in ("still", "moved"))
    same = load_file(still / "unet" / "diffusion_pytorch_model.safetensors")
    assert all(torch.allclose(same[name].float(), weights[name].float(), atol=2e-3) for name in weights)
    other = load_file(moved / "unet" / "diffusion_pytorch_model.safetensors")
    assert any(not torch.equal(other[name], weights[name]) for name in weights)
    for part in ("tokenizer/tokenizer.json", "vae/diffusion_pytorch_model.safetensors"):
        assert (moved / part).read_bytes() == (package / part).read_bytes()
    assert Package.load(moved).manifest.config["defaults"]["size"] == 48


def test_a_decoder_learns_on_while_the_latents_stay_what_they_are(recipes, tmp_path):
    for config, folder in recipes:
        training.train(config, folder)
    package = recipes[-1][1] / "package"
    further = dataclasses.replace(recipes[1][0], start_from=str(package))
    training.train(further, tmp_path / "decoder")

    before, after = (
        load_file(folder / "diffusion_pytorch_model.safetensors")
        for folder in (package / "vae", tmp_path / "decoder/vae")
    )
    assert all(torch.equal(after[name].half(), before[name]) for name in before if name.startswith("encoder"))
    assert any(not torch.equal(after[name].half(), before[name]) for name in before if name.startswith("decoder"))
    scales = [
        json.loads((folder / "config.json").read_text())["scaling_factor"]
        for folder in (package / "vae", tmp_path / "decoder" / "vae")
    ]
    assert scales[0] == scales[1]


def test_a_recipe_without_latents_says_so():
    with pytest.raises(BadInput, match="vae_dir"):
        InpaintingRecipe(pictures_dir="pictures")


def test_nearly_clean_pictures_count_no_more_than_they_teach():
    """Where all is noise the velocity is the picture and counts in full; towards clean pictures the weight falls."""
    weights = snr_weight(torch.tensor([0.0, 0.5, 5 / 6, 0.999]), 5.0).flatten()

    assert weights[0] == 1
    assert weights[1] == pytest.approx(0.5)
    assert weights[2] == pytest.approx(5 / 6)
    assert weights[3] == pytest.approx(5 / 1000, rel=1e-3)
    assert torch.isfinite(snr_weight(torch.tensor([1.0]), 5.0)).all()


def test_windows_lie_where_the_words_apply():
    masks = torch.zeros(1, 1, 32, 32, dtype=torch.uint8)
    masks[..., 20:24, 4:8] = 1
    planes = torch.zeros(1, 4, 32, 32)
    latents = Latents(planes, planes, masks, np.zeros(1, np.float32))
    config = InpaintingRecipe(pictures_dir="", vae_dir="vae", window=8, batch=40, inside=1.0)

    def seen(**changes):
        config_now = dataclasses.replace(config, **changes)
        _, (_, _, windows) = batch(config_now, 0, latents, np.random.default_rng(0))
        return windows.flatten(1).any(dim=1).float().mean()

    assert seen() == 1
    assert seen(inside=0.0) < 0.6
    masks.zero_()
    assert seen() == 0, "a picture without a mask is seen anywhere"


def _after(asked):
    """Says stop after that many questions: between steps, past the checkpoint of step two."""
    count = iter(range(10_000))
    return lambda: next(count) > asked
