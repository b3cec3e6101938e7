"""Cloth figures on masks made by hand: overlap, outlines, and refinement against none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ml_backend.errors import BadInput
from ml_backend.evaluation.cloth import (
    Bits,
    boundary_f,
    garment_pairs,
    iou,
    measure,
    outline,
    read_names,
    street_pairs,
)
from ml_backend.packaging import Package
from ml_backend.pipelines.segment import Looked, SegmentPipeline

SIDE = 300
"""Of the masks; the tolerance is then 0.0075 * 300 * 1.414 = 3.2 pixels."""


def square(top: int = 100, left: int = 100, side: int = 100) -> Bits:
    mask = np.zeros((SIDE, SIDE), np.bool_)
    mask[top : top + side, left : left + side] = True
    return mask


def test_the_outline_lies_inside_the_mask_and_not_on_the_frame() -> None:
    line = outline(square(side=4))
    assert line.sum() == 12  # of 16 pixels all but the inner 4
    assert not outline(np.ones((5, 5), np.bool_)).any()
    assert outline(square(0, 0, 4)).sum() == 7  # only the two sides that face the rest


def test_the_same_mask_has_full_marks() -> None:
    assert boundary_f(square(), square()) == 1


@pytest.mark.parametrize(("moved", "expected"), [(3, 1.0), (20, 0.4)])
def test_a_shifted_square_keeps_the_sides_that_lie_along_the_shift(moved: int, expected: float) -> None:
    # 20 pixels to the right: of the 396 outline pixels those of the upper and lower side that overlap stay near
    score = boundary_f(square(left=100 + moved), square())
    assert score == pytest.approx(expected, abs=0.04)


def test_precision_and_recall_are_joined_by_their_harmonic_mean() -> None:
    # one of two squares found: all that is found is right, half of the truth is found
    both = square(20, 20) | square(170, 170)
    assert boundary_f(square(20, 20), both) == pytest.approx(2 / 3)
    assert boundary_f(both, square(20, 20)) == pytest.approx(2 / 3)


def test_a_ragged_outline_costs_outline_and_hardly_area() -> None:
    ragged = square()
    for row in range(100, 200, 10):
        ragged[row : row + 2, 200:212] = True
    assert iou(ragged, square()) > 0.97
    assert boundary_f(ragged, square()) < 0.9


def test_empty_masks() -> None:
    nothing = np.zeros((SIDE, SIDE), np.bool_)
    assert boundary_f(nothing, nothing) == 1
    assert boundary_f(nothing, square()) == 0
    assert boundary_f(square(), nothing) == 0


def test_far_apart_is_nothing() -> None:
    assert boundary_f(square(10, 10, 20), square(200, 200, 20)) == 0


def test_a_small_picture_forgives_one_pixel() -> None:
    small, moved = np.zeros((20, 20), np.bool_), np.zeros((20, 20), np.bool_)
    small[5:15, 5:15], moved[5:15, 6:16] = True, True
    assert boundary_f(moved, small) == 1
    assert boundary_f(np.roll(moved, 2, 1), small) < 1


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_it_is_symmetric_and_between_zero_and_one(first: int, second: int) -> None:
    a, b = (np.random.default_rng(seed).random((30, 40)) < 0.5 for seed in (first, second))
    assert boundary_f(a, b) == pytest.approx(boundary_f(b, a))
    assert 0 <= boundary_f(a, b) <= 1


class Blurred(SegmentPipeline):
    """Knows the dress of the street photos, but as from afar: blurred and moved."""

    def look(self, photo: Image.Image, **_: object) -> Looked:
        pixels = np.asarray(photo, np.float32)
        red = Image.fromarray((pixels[..., 0] - pixels[..., 1]) / 160)
        dress = np.asarray(red.resize((12, 18), Image.Resampling.BOX), np.float32).clip(0, 1)
        found = np.zeros((8, 18, 12), np.float32)
        found[3], found[0] = dress, 1 - dress
        return Looked(found)


def test_refinement_is_measured_against_none(tiny_segmenter: Package, street_folder: Path) -> None:
    torch.set_num_threads(1)
    figures = measure(Blurred(tiny_segmenter), street_pairs(street_folder))
    assert figures["count"] == len(street_pairs(street_folder)) > 0
    assert figures["iou"] > figures["iou_unrefined"] + 0.02
    assert figures["boundary_f"] > figures["boundary_f_unrefined"]
    assert figures["boundary_f_fine"] > figures["boundary_f_fine_unrefined"]
    assert {"miou", "iou_dress"} <= set(figures)


def test_a_folder_without_held_out_photos_is_refused(tiny_segmenter: Package) -> None:
    with pytest.raises(BadInput, match="held-out"):
        measure(SegmentPipeline(tiny_segmenter), [])


def test_garments_with_a_wrong_matte_can_be_left_out(tmp_path: Path) -> None:
    photos, mattes = tmp_path / "photos/skirt", tmp_path / "mattes/skirt"
    photos.mkdir(parents=True)
    mattes.mkdir(parents=True)
    for index in range(40):
        Image.new("RGB", (20, 30), "white").save(photos / f"{index}.jpg")
        Image.new("1", (20, 30), 1).save(mattes / f"{index}.png")
    held = [photo.stem for photo, _ in garment_pairs(tmp_path / "photos", tmp_path / "mattes")]
    names = tmp_path / "wrong.txt"
    names.write_text(f"# wrong\nskirt/{held[0]}\n\n")
    kept = garment_pairs(tmp_path / "photos", tmp_path / "mattes", read_names(names))
    assert [photo.stem for photo, _ in kept] == held[1:]
    with pytest.raises(BadInput, match="nowhere"):
        read_names(tmp_path / "nowhere")
