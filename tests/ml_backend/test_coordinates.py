"""Fabric coordinates: known surfaces come back, garbage stays calm."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_backend.pipelines.overlay.coordinates import MOST_SQUEEZED, broken, coordinates, determinant

few = settings(max_examples=20, deadline=None)


def chart(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The Jacobian (2, 2, h, w) of coordinates known on a grid of pixels."""
    rows = [[np.gradient(plane, axis=1), np.gradient(plane, axis=0)] for plane in (u, v)]
    return np.asarray(rows, np.float32)


def facing(shape: tuple[int, int], x: np.ndarray | float = 0.0) -> np.ndarray:
    tilt = np.broadcast_to(np.asarray(x, np.float32), shape)
    return np.stack([tilt, np.zeros(shape), np.sqrt(1 - np.square(tilt))]).astype(np.float32)


def cylinder(radius: float = 50.0, height: int = 120) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(u, v) of a limb of that radius in pixels, two to a centimetre, seen up to 70 degrees to either side; sine."""
    reach = int(radius * math.sin(math.radians(70)))
    sine = np.arange(-reach, reach + 1)[None].repeat(height, 0) / radius
    return radius * np.arcsin(sine) / 2, np.arange(height)[:, None].repeat(2 * reach + 1, 1) / 2.0, sine


def solved(u: np.ndarray, v: np.ndarray, normal: np.ndarray, noise: float = 0.0) -> np.ndarray:
    jacobian = chart(u, v)
    jacobian += np.random.default_rng(0).normal(0, noise, jacobian.shape).astype(np.float32)
    cover = np.ones(u.shape, np.float32)
    return coordinates(jacobian, normal, cover, np.zeros(u.shape, np.uint8), (1.0, 1.0)).place


@pytest.mark.parametrize("noise", [0.0, 0.15])
def test_the_coordinates_of_a_cylinder_come_back(noise: float) -> None:
    u, v, sine = cylinder()
    place = solved(u, v, facing(u.shape, sine), noise)
    off = place - np.stack([u, v])
    off -= off.mean(axis=(1, 2), keepdims=True)
    assert np.abs(off[:, 4:-4, 4:-4]).max() < (0.8 if noise == 0 else 1.5), "centimetres, over 60 of cloth"


@few
@given(st.floats(-0.3, 0.3), st.floats(0.2, 1.5), st.floats(-0.6, 0.6))
def test_the_coordinates_of_a_turned_cone_come_back(taper: float, scale: float, angle: float) -> None:
    y, x = np.mgrid[:60, :50].astype(np.float64)
    across, down = (x - 25) * scale * (1 + taper * y / 60), y * scale
    u = math.cos(angle) * across - math.sin(angle) * down
    v = math.sin(angle) * across + math.cos(angle) * down
    off = solved(u, v, facing(u.shape)) - np.stack([u, v])
    off -= off.mean(axis=(1, 2), keepdims=True)
    assert np.abs(off).max() < 0.02 * 60 * scale


def test_folds_gather_the_fabric_as_much_as_they_hide() -> None:
    """A corrugated sheet: between crests the cloth is as long as the slope it climbs."""
    x = np.arange(120, dtype=np.float64)
    slope = 0.9 * np.cos(x / 6)
    u = np.cumsum(np.sqrt(1 + slope**2))[None].repeat(60, 0) / 2
    v = np.arange(60)[:, None].repeat(120, 1) / 2.0
    tilt = (-slope / np.sqrt(1 + slope**2))[None].repeat(60, 0)
    place = solved(u, v, facing(u.shape, tilt))
    told, true = np.ptp(place[0, 30]), np.ptp(u[30])
    assert told == pytest.approx(true, rel=0.02)


def test_the_middle_of_a_garment_is_the_origin() -> None:
    u, v, sine = cylinder()
    place = solved(u + 300, v - 80, facing(u.shape, sine))
    assert np.median(place, axis=(1, 2)) == pytest.approx((0, 0), abs=1.5)


def test_a_back_is_not_mirrored() -> None:
    u, v, sine = cylinder()
    place = solved(-u, v, facing(u.shape, sine))
    assert determinant(chart(*place))[5:-5, 5:-5].min() > 0


def test_fabric_may_jump_where_a_limb_crosses_the_body_and_nowhere_else() -> None:
    """An upright panel, and to its right one that hangs at forty degrees."""
    turn = math.radians(40)
    upright = np.float32([[0.5, 0], [0, 0.5]])[:, :, None, None]
    hanging = 0.5 * np.float32([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])[:, :, None, None]
    right = np.arange(100)[None].repeat(80, 0) >= 50
    jacobian = np.where(right, hanging, upright).astype(np.float32)
    normal = facing(right.shape, np.where(right, 0.5, -0.3))
    found = coordinates(jacobian, normal, np.ones((80, 100), np.float32), np.zeros((80, 100), np.uint8), (1.0, 1.0))
    across, _ = broken(found.place, found.jacobian, (1.0, 1.0))
    assert across[:, 44:55].any(axis=1).mean() > 0.5
    assert not across[:, :44].any()
    assert not across[:, 56:].any()
    steps = chart(*found.place)[:, :, 10:-10]
    assert np.abs(steps[..., 5:40] - upright).max() < 0.06
    assert np.abs(steps[..., 60:95] - hanging).max() < 0.06


def test_each_garment_has_coordinates_of_its_own() -> None:
    jacobian = np.zeros((2, 2, 80, 100), np.float32)
    jacobian[0, 0] = jacobian[1, 1] = 0.5
    pieces = np.where(np.arange(80)[:, None] < 40, 1, 5).astype(np.uint8).repeat(100, 1)
    found = coordinates(jacobian, facing((80, 100)), np.ones((80, 100), np.float32), pieces, (1.0, 1.0))
    for value in (1, 5):
        assert np.median(found.place[:, pieces == value], axis=1) == pytest.approx((0, 0), abs=0.6)
    _, down = broken(found.place, found.jacobian, (1.0, 1.0))
    assert down[39].all()
    assert down.sum() == 100


@few
@given(st.integers(0, 10_000), st.floats(0.01, 3))
def test_garbage_still_lies_flat_enough_to_be_worn(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    wild = rng.normal(0, scale, (2, 2, 60, 50)).astype(np.float32)
    normal = rng.normal(0, 1, (3, 60, 50)).astype(np.float32)
    normal /= np.linalg.norm(normal, axis=0)
    found = coordinates(wild, normal, np.ones((60, 50), np.float32), np.zeros((60, 50), np.uint8), (3.0, 3.0))
    assert np.isfinite(found.place).all()
    assert 0 < found.px_per_cm < np.inf
    assert determinant(found.jacobian).min() > 0
    assert np.linalg.cond(found.jacobian.transpose(2, 3, 0, 1)).max() < MOST_SQUEEZED * 1.6


def test_no_cloth_has_coordinates_too() -> None:
    empty = np.zeros((20, 30), np.float32)
    found = coordinates(
        np.zeros((2, 2, 20, 30), np.float32), facing((20, 30)), empty, empty.astype(np.uint8), (1.0, 1.0)
    )
    assert found.place.shape == (2, 20, 30)
    assert found.px_per_cm > 0
