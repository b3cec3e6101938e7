"""The fabric engine: words worn on a synthetic photo; identity outside the mask, seeds, stopping, notes; evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from ml_backend.colour import BASIC_COLOURS, PROTOTYPES, name_of_region, rgb_of
from ml_backend.errors import BadInput, Stopped
from ml_backend.evaluation import restyle as evaluation
from ml_backend.networks.classifier import ClassifierConfig, PatternClassifier
from ml_backend.packaging.starter import starter
from ml_backend.pipelines.generate import GeneratePipeline
from ml_backend.pipelines.restyle import Restyled
from ml_backend.pipelines.restyle.cloth import plain_cloth
from ml_backend.pipelines.restyle.fabric import FabricRestyle, evenly_lit
from ml_backend.requests import PATTERN_TYPES, RestyleRequest
from ml_backend.training.data.seen import region_squares
from ml_backend.words.reading import read

F32 = NDArray[np.float32]


def garment(tone: int = 128, width: int = 96, height: int = 128) -> tuple[Image.Image, F32]:
    """A grey garment with soft folds before a bluish wall, and its mask with a soft edge."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    folds = tone * (0.82 + 0.18 * np.sin(x / 5))
    wall = np.stack([90 + 0 * x, 110 + 20 * np.sin(y / 9), 150 + 0 * x], -1)
    mask = np.clip(1.5 - np.maximum(np.abs(x - width / 2) / 24, np.abs(y - height / 2) / 40), 0, 1).clip(0, 0.5) * 2
    photo = wall * (1 - mask[..., None]) + folds[..., None] * mask[..., None]
    return Image.fromarray(photo.clip(0, 255).astype(np.uint8)), mask.astype(np.float32)


@pytest.fixture(scope="module")
def engine() -> FabricRestyle:
    return FabricRestyle()


def restyle(engine: FabricRestyle, prompt: str, *seeds: int, tone: int = 128) -> list[Restyled]:
    photo, mask = garment(tone)
    return engine(photo, mask, [RestyleRequest(prompt, seed) for seed in seeds])


@pytest.mark.parametrize("colour", BASIC_COLOURS)
@pytest.mark.parametrize(("tone", "pattern"), [(25, "plain"), (240, "plain"), (25, "polka dot")])
def test_the_garment_gets_the_colour_asked_for_be_it_black_or_white_before(
    engine: FabricRestyle, colour: str, tone: int, pattern: str
) -> None:
    _, mask = garment()
    (made,) = restyle(engine, f"a {colour} {pattern} dress", 3, tone=tone)
    assert made.image is not None
    assert name_of_region(np.asarray(made.image), mask > 0.9) == colour


def test_what_is_outside_the_mask_stays_bit_for_bit(engine: FabricRestyle) -> None:
    photo, mask = garment()
    (made,) = restyle(engine, "red leopard print", 0)
    assert made.image is not None
    before, after = np.asarray(photo), np.asarray(made.image)
    assert (mask == 0).any()
    np.testing.assert_array_equal(before[mask == 0], after[mask == 0])
    assert (before[mask > 0.9] != after[mask > 0.9]).mean() > 0.8


def test_each_picture_comes_out_alike_alone_and_in_company(engine: FabricRestyle) -> None:
    first, second = restyle(engine, "floral dress", 7, 8)
    (alone,) = restyle(engine, "floral dress", 8)
    assert first.image is not None
    assert second.image is not None
    assert alone.image is not None
    assert second.image.tobytes() == alone.image.tobytes()
    assert first.image.tobytes() != second.image.tobytes()
    assert second.request == alone.request == RestyleRequest("floral dress", 8, engine="fabric")


def test_plain_colours_vary_with_the_seed_too(engine: FabricRestyle) -> None:
    pictures = [made.image.tobytes() for made in restyle(engine, "a blue dress", *range(4)) if made.image is not None]
    assert len(set(pictures)) == 4


def test_words_that_cannot_be_honoured_are_said(engine: FabricRestyle) -> None:
    (made,) = restyle(engine, "a long blue dress, glorpy", 0)
    assert made.notes == (
        "The fabric engine changes cloth, not cut: “long” is left as it is.",
        "Toile does not know “glorpy”; it drew plain cloth.",
    )
    (made,) = restyle(engine, "a dress", 0)
    assert made.notes[0].startswith("No colour was named")


def test_pictures_progress_and_previews_come_one_by_one(engine: FabricRestyle) -> None:
    photo, mask = garment()
    shares: list[float] = []
    pictures: list[tuple[int, int]] = []
    previews: list[Image.Image] = []
    engine(
        photo,
        mask,
        [RestyleRequest("green tartan", seed) for seed in (1, 2)],
        progress=lambda share, stage: shares.append(share),
        on_image=lambda number, made: pictures.append((number, made.request.seed)),
        preview=previews.append,
    )
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert pictures == [(0, 1), (1, 2)]
    assert len(previews) == 2
    assert max(previews[0].size) <= 256


def test_it_stops_when_asked_and_keeps_what_is_finished(engine: FabricRestyle) -> None:
    photo, mask = garment()
    done: list[int] = []
    with pytest.raises(Stopped):
        engine(
            photo,
            mask,
            [RestyleRequest("red", seed) for seed in range(5)],
            should_stop=lambda: len(done) >= 2,
            on_image=lambda number, made: done.append(number),
        )
    assert done == [0, 1]


def test_a_mask_that_fits_nothing_is_refused(engine: FabricRestyle) -> None:
    photo, mask = garment()
    with pytest.raises(BadInput, match="empty"):
        engine(photo, np.zeros_like(mask), [RestyleRequest("red", 0)])
    with pytest.raises(BadInput, match="The mask is 128x96 pixels, the photo 96x128"):
        engine(photo, np.ascontiguousarray(mask.T), [RestyleRequest("red", 0)])
    assert engine(photo, mask, []) == []


def test_a_faint_or_tiny_mask_works(engine: FabricRestyle) -> None:
    photo, mask = garment()
    dot = np.zeros_like(mask)
    dot[5, 5] = 1.0
    for odd in (mask * 0.3, dot):
        (made,) = engine(photo, odd.astype(np.float32), [RestyleRequest("red dots", 0)])
        assert made.image is not None
        np.testing.assert_array_equal(np.asarray(photo)[odd == 0], np.asarray(made.image)[odd == 0])


def test_fabrics_can_be_dreamed() -> None:
    dreaming = FabricRestyle(GeneratePipeline(starter("dcgan-starter")))
    photo, mask = garment()
    (made,) = dreaming(photo, mask, [RestyleRequest("green striped dress", 4)])
    assert made.image is not None
    assert made.request.model == dreaming.generate.model
    assert name_of_region(np.asarray(made.image), mask > 0.9) == "green"


def test_stripes_run_as_asked(engine: FabricRestyle) -> None:
    _, mask = garment()
    inner = (slice(35, 95), slice(32, 64))
    for direction, axis in (("vertical", 1), ("horizontal", 0)):
        for made in restyle(engine, f"{direction} black and white stripes", 1, 2):
            grey = np.asarray(made.image.convert("L"), np.float32)[inner] if made.image else np.zeros((2, 2))
            steps = [float(np.abs(np.diff(grey, axis=way)).mean()) for way in (0, 1)]
            assert steps[axis] > steps[1 - axis]
    assert mask[inner].min() > 0.9


def test_the_light_is_lifted_so_that_cloth_keeps_its_colour() -> None:
    from ml_backend.pipelines.overlay import fit

    photo, mask = garment(200)
    fitted = fit(photo, mask)
    lit, samples = evenly_lit(fitted)
    left, top, right, bottom = lit.box
    cloth = mask[top:bottom, left:right] > 0.5
    before, after = (float(np.median(found.shading(found.box)[cloth])) for found in (fitted, lit))
    assert before < after < 1.0
    assert after > 0.88, "deep folds pull the middle down a little"
    assert samples.shape == (33,)
    assert (np.diff(samples) >= 0).all()


def test_a_weave_is_seen_where_there_are_pixels_for_it() -> None:
    linen = plain_cloth(read("green linen"), 1, 512.0, 16.0)
    silk = plain_cloth(read("green silk"), 1, 512.0, 16.0)
    assert np.asarray(linen.tile).std(axis=(0, 1)).max() > 2 * np.asarray(silk.tile).std(axis=(0, 1)).max()
    wrapped = np.abs(np.asarray(linen.tile, np.float32)[:, 0] - np.asarray(linen.tile, np.float32)[:, -1]).mean()
    inside = np.abs(np.diff(np.asarray(linen.tile, np.float32), axis=1)).mean()
    assert wrapped < 2.0 * inside


# --- evaluation ---


def test_obedience_counts_what_is_seen(street_folder: Path) -> None:
    cases = evaluation.street_cases(street_folder, 2)

    def painter(photo: Image.Image, mask: F32, requests: Sequence[RestyleRequest]) -> list[Restyled]:
        """Obeys every colour word but green."""
        word = requests[0].prompt.split()[1]
        colour = rgb_of(PROTOTYPES[word if word in BASIC_COLOURS and word != "green" else "red"][0])
        painted = np.asarray(photo).copy()
        painted[mask > 0] = colour
        return [Restyled(Image.fromarray(painted), requests[0])]

    torch.manual_seed(0)
    judge = PatternClassifier(ClassifierConfig(classes=len(PATTERN_TYPES), maps=(4, 4, 8, 8))).eval()
    kept: list[str] = []
    figures = evaluation.obedience(
        painter, judge, cases, RestyleRequest("x", 0), keep=lambda word, number, image: kept.append(word)
    )
    assert figures["colour_blue"] == 1.0
    assert figures["colour_green"] == 0.0
    assert figures["colours"] == pytest.approx(10 / 11)
    assert figures["patterns"] == pytest.approx(0.1)  # the same picture every time: one type at most is right
    assert figures["n"] == len(cases)
    assert len(kept) == 21 * len(cases)


def test_squares_lie_in_the_region() -> None:
    image = Image.new("RGB", (200, 160), "blue")
    mask = np.zeros((160, 200), bool)
    mask[20:140, 30:170] = True
    Image.Image.paste(image, (255, 0, 0), (30, 20, 170, 140))
    squares = list(region_squares(image, mask))
    assert len(squares) >= 3
    for square in squares:
        assert square.shape == (64, 64, 3)
        assert (square == (255, 0, 0)).all()
    thin = np.zeros((160, 200), bool)
    thin[80:83, 10:190] = True
    assert len(list(region_squares(image, thin))) >= 3
