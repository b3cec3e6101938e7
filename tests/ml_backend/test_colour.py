"""One place for colour: curves, spaces and names."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ml_backend.colour import (
    PROTOTYPES,
    Namer,
    decode,
    encode,
    from_lab,
    from_oklch,
    lab,
    lab_of,
    luminance,
    name_of,
    oklab,
    oklch,
    rgb_of,
    srgb_of,
    to_linear,
    to_srgb,
    written,
)
from ml_backend.errors import BadInput

colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def test_curves_are_those_of_the_standard() -> None:
    """IEC 61966-2-1: the two pieces, and where they meet."""
    values = np.array([0.0, 0.04045, 0.0404500001, 0.5, 1.0])
    wanted = [0.0, 0.04045 / 12.92, 0.00313080, 0.2140411, 1.0]
    np.testing.assert_allclose(decode(values), wanted, atol=1e-7)
    np.testing.assert_allclose(encode(decode(values)), values, atol=1e-6)


@pytest.mark.parametrize("curve", [decode, encode])
def test_tensors_go_the_way_of_arrays(curve: object) -> None:
    values = np.linspace(0, 1.2, 500, dtype=np.float32)
    array, tensor = curve(values), curve(torch.from_numpy(values))  # type: ignore[operator]
    assert array.dtype == np.float32 and tensor.dtype == torch.float32
    np.testing.assert_allclose(array, tensor.numpy(), rtol=1e-6, atol=1e-7)


def test_bytes_survive_the_way_to_light_and_back() -> None:
    levels = np.arange(256, dtype=np.uint8)
    assert np.array_equal(to_srgb(to_linear(levels)), levels)
    np.testing.assert_allclose(to_linear(levels), decode(levels / 255), atol=1e-7)
    assert luminance(np.ones((1, 3), np.float32))[0] == pytest.approx(1)


@pytest.mark.parametrize(
    ("colour", "wanted"),
    [
        ("#ffffff", (100, 0, 0)),
        ("#000000", (0, 0, 0)),
        ("#ff0000", (53.24, 80.09, 67.20)),
        ("#00ff00", (87.73, -86.18, 83.18)),
        ("#0000ff", (32.30, 79.19, -107.86)),
        ("#010101", (0.2742, 0, 0)),
    ],
)
def test_cielab_has_the_published_values(colour: str, wanted: tuple[float, ...]) -> None:
    np.testing.assert_allclose(lab_of(colour), wanted, atol=0.02)


def test_cielab_has_no_step_where_its_pieces_meet() -> None:
    """(6/29)^3 and its exact slope: next to the bend, equal steps of grey are equal steps of lightness."""
    greys = np.linspace(20.0, 26.0, 400, dtype=np.float32)
    steps = np.diff(lab(np.repeat(greys[:, None], 3, 1))[:, 0].astype(np.float64))
    assert steps.max() < 1.05 * np.median(steps)


def test_oklab_has_the_published_values() -> None:
    """Ottosson's own, of red, green and blue."""
    for colour, wanted in {
        "#ff0000": (0.62796, 0.22486, 0.12585),
        "#00ff00": (0.86644, -0.23389, 0.17950),
        "#0000ff": (0.45201, -0.03246, -0.31153),
    }.items():
        np.testing.assert_allclose(oklab(colour), wanted, atol=2e-4)


@given(colours)
def test_colours_come_back_from_every_space(colour: str) -> None:
    assert written(srgb_of(colour)) == colour
    for back in (from_lab(lab_of(colour)), from_oklch(np.array(oklch(colour)))):
        assert np.abs(np.subtract(rgb_of(back), rgb_of(colour))).max() <= 1


@pytest.mark.parametrize("value", ["red", "#12345", "#12345g", "", "#1234567"])
def test_what_is_no_colour_is_refused(value: str) -> None:
    with pytest.raises(BadInput, match="is not a colour"):
        rgb_of(value)


def test_a_name_is_that_of_the_nearest_prototype() -> None:
    assert all(name_of(rgb_of(colour)) == name for name, shades in PROTOTYPES.items() for colour in shades)
    assert Namer({"day": ["#ffffff"], "night": ["#000000"]}).of_lab(lab_of("#333333")) == "night"
