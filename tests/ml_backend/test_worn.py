"""How much light stays and how much print is left, on pictures whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ml_backend.colour import to_srgb
from ml_backend.evaluation.worn import in_grey, kept, left, plain_kept, summary

HEIGHT, WIDTH = 120, 90


def garment() -> np.ndarray:
    here = np.zeros((HEIGHT, WIDTH), bool)
    here[10:110, 10:80] = True
    return here


def lit(depth: float, tone: float = 0.3) -> np.ndarray:
    """sRGB bytes of cloth with vertical folds of that depth in the logarithm of light."""
    light = tone * np.exp(depth * np.sin(np.arange(WIDTH) / 3))[None, :, None]
    return to_srgb(np.broadcast_to(light, (HEIGHT, WIDTH, 3)).astype(np.float32))


def test_the_same_light_is_kept_whole_and_half_of_it_by_half() -> None:
    whole, half = kept(lit(0.4), lit(0.4, 0.15), garment()), kept(lit(0.4), lit(0.2), garment())
    assert whole is not None and half is not None
    assert (whole.correlation, whole.strength) == pytest.approx((1, 1), abs=0.03)
    assert half.correlation > 0.98
    assert half.strength == pytest.approx(0.5, abs=0.03)


def test_light_turned_round_correlates_the_other_way() -> None:
    turned = kept(lit(0.4), lit(-0.4), garment())
    assert turned is not None
    assert turned.correlation < -0.9


def test_a_garment_too_small_to_tell_is_left_out() -> None:
    few = np.zeros((HEIGHT, WIDTH), bool)
    few[:8, :8] = True
    assert kept(lit(0.4), lit(0.4), few) is None
    assert summary([None]) == {"garments": 0}


def test_a_third_of_a_print_is_a_third() -> None:
    contrast = np.broadcast_to(np.where(np.arange(HEIGHT)[:, None] // 8 % 2, 0.0, -0.9), (HEIGHT, WIDTH))
    look = to_srgb(np.repeat((0.4 * np.exp(contrast / 3))[..., None], 3, -1).astype(np.float32))
    assert left(contrast.astype(np.float32), look, garment()) == pytest.approx(1 / 3, abs=0.03)
    assert left(contrast.astype(np.float32), lit(0.0), garment()) == pytest.approx(0, abs=0.01)


def test_a_plain_garment_in_even_grey_keeps_its_light() -> None:
    photo, mask = Image.fromarray(lit(0.3)), garment().astype(np.float32)
    assert in_grey(photo, mask, None, None).size == photo.size
    figures = plain_kept([(photo, mask)], None)
    assert figures["garments"] == 1
    assert figures["correlation"] > 0.97
    assert figures["strength_in_bounds"] == 1.0
