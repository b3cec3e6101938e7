"""Overlay: geometry by properties, light and folds on made-up cloth whose truth is known."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage

from ml_backend.colour import shoulder, to_linear, to_srgb
from ml_backend.errors import BadInput, Stopped
from ml_backend.garments import Known
from ml_backend.pipelines.overlay import OverlayPipeline, dress, fit, wear, wearing
from ml_backend.pipelines.overlay.fitting import laid
from ml_backend.pipelines.overlay.maps import fill
from ml_backend.pipelines.overlay.measure import px_per_cm
from ml_backend.pipelines.overlay.repeats import Placement, repeat_cell
from ml_backend.pipelines.overlay.tiles import Fabric
from ml_backend.pipelines.surface import Surface
from ml_backend.requests import REPEATS, OutfitRequest, OverlayRequest

WIDTH, HEIGHT = 160, 200
BOX = (slice(30, 180), slice(40, 120))
"""Where the cloth of :func:`shot` lies."""

few = settings(max_examples=25, deadline=None)
requests = st.builds(
    OverlayRequest,
    scale_cm=st.floats(2, 60),
    rotate=st.floats(-180, 180),
    offset_x=st.floats(-1, 1),
    offset_y=st.floats(-1, 1),
    repeat=st.sampled_from(REPEATS),
)


def shot(light: np.ndarray | float = 0.4, ground: int = 200, print_: np.ndarray | float = 1.0) -> Image.Image:
    """A photo of a rectangle of grey cloth under ``light`` (linear, broadcast to the box) on a plain ground."""
    pixels = np.full((HEIGHT, WIDTH, 3), ground, np.uint8)
    height, width = pixels[BOX].shape[:2]
    linear = np.broadcast_to(np.asarray(light * print_, np.float32), (height, width))
    pixels[BOX] = to_srgb(linear[..., None].repeat(3, -1))
    return Image.fromarray(pixels)


def soft_mask() -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[BOX] = 1.0
    return mask


def folds(depth: float, period: float = 40.0) -> np.ndarray:
    """(150, 80) light on vertical folds: exp(depth * sin)."""
    return np.exp(depth * np.sin(np.arange(80) * 2 * np.pi / period))[None].repeat(150, 0).astype(np.float32)


def plain(colour: tuple[int, int, int] = (120, 60, 30)) -> Image.Image:
    return Image.new("RGB", (32, 32), colour)


def noise(side: int = 32, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8))


def even_surface(shading: np.ndarray | float = 0.0, per_cm: float = 2.0) -> Surface:
    """Cloth that faces the camera all over the photo of :func:`shot`, ``per_cm`` pixels a centimetre."""
    jacobian = np.zeros((2, 2, HEIGHT, WIDTH), np.float32)
    jacobian[0, 0] = jacobian[1, 1] = 1 / per_cm
    normal = np.zeros((3, HEIGHT, WIDTH), np.float32)
    normal[2] = 1
    log = np.zeros((HEIGHT, WIDTH), np.float32)
    log[BOX] = shading
    return Surface((0, 0, WIDTH, HEIGHT), log, normal, jacobian)


def inside(light: np.ndarray, margin: int = 8) -> np.ndarray:
    return light[BOX][margin:-margin, margin:-margin]


# Colour


def test_every_byte_survives_linear_light() -> None:
    levels = np.arange(256, dtype=np.uint8)
    assert np.array_equal(to_srgb(to_linear(levels)), levels)


@given(st.floats(0, 20), st.floats(0, 20))
def test_highlights_are_compressed_in_order_and_never_clip(a: float, b: float) -> None:
    low, high = sorted((a, b))
    worn = shoulder(np.array([low, high], np.float32))
    assert worn[0] <= worn[1] <= 1.0
    if high <= 0.8:
        assert worn == pytest.approx([low, high], abs=1e-6)


# Geometry


@few
@given(requests)
def test_the_middle_of_a_garment_holds_the_offset_point_of_the_tile(request: OverlayRequest) -> None:
    u, v = Placement.of(request)(np.float32([0]), np.float32([0]))
    assert (u[0], v[0]) == pytest.approx((-request.offset_x, -request.offset_y), abs=1e-3)


@few
@given(requests)
def test_one_tile_side_along_the_turned_axes_is_one_repeat(request: OverlayRequest) -> None:
    place = Placement.of(request)
    side, angle = request.scale_cm, math.radians(request.rotate)
    x = np.float32([5, 5 + side * math.cos(angle), 5 + side * math.sin(angle)])
    y = np.float32([7, 7 - side * math.sin(angle), 7 + side * math.cos(angle)])
    u, v = place(x, y)
    assert (u[1] - u[0], v[1] - v[0]) == pytest.approx((1, 0), abs=1e-3)
    assert (u[2] - u[0], v[2] - v[0]) == pytest.approx((0, 1), abs=1e-3)


@few
@given(requests, st.lists(st.floats(-1, 1), min_size=4, max_size=4))
def test_a_footprint_has_the_singular_values_of_its_map(request: OverlayRequest, entries: list[float]) -> None:
    jacobian = np.float32(entries).reshape(2, 2)
    place = Placement.of(request)
    wide, narrow, along = place.footprint(jacobian)
    left, values, _ = np.linalg.svd(np.float64(place.matrix) @ jacobian)
    assert (float(wide), float(narrow)) == pytest.approx(tuple(values), abs=1e-5)
    if wide > narrow + 0.01:
        assert abs(left[:, 0] @ [math.cos(along), math.sin(along)]) == pytest.approx(1, abs=1e-2)


def read_at(fabric: Fabric, u: object, v: object, side: float) -> np.ndarray:
    """Fabric under square pixels, ``side`` of them to a tile."""
    at = np.float32(np.atleast_1d(u))
    size = np.full(at.shape, side, np.float32)
    return fabric(at, np.float32(np.atleast_1d(v)), size, size, np.zeros_like(size))


def through_the_repeat(u: float, v: float, repeat: str) -> tuple[float, float]:
    """The formula of the design, point by point."""
    column, row = math.floor(u), math.floor(v)
    if repeat == "half-drop":
        v += 0.5 * (column % 2)
    if repeat == "half-brick":
        u += 0.5 * (row % 2)
    if repeat == "mirror":
        u = u - column if column % 2 == 0 else 1 - (u - column)
    if repeat == "third-drop":
        v -= column / 3
    if repeat == "ogee":
        half = math.floor(2 * u) / 2
        u, v = u - half, v - half
    return u % 1.0, v % 1.0


@few
@given(st.sampled_from(REPEATS), st.integers(-40, 40), st.integers(-40, 40))
def test_a_repeat_reads_the_tile_where_the_formula_says(repeat: str, column: int, row: int) -> None:
    side = 12 if repeat == "third-drop" else 8  # a third of it is whole pixels
    tile = noise(side)
    u, v = (column + 0.5) / side, (row + 0.5) / side
    got = to_srgb(read_at(Fabric(tile, repeat), u, v, 1 / side))[0]
    x, y = through_the_repeat(u, v, repeat)
    assert np.array_equal(got, np.asarray(tile)[int(y * side), int(x * side)])


def test_an_unknown_repeat_is_refused() -> None:
    with pytest.raises(BadInput, match="repeat"):
        repeat_cell(np.zeros((4, 4, 3), np.float32), "spiral")


@few
@given(st.floats(3, 300), st.sampled_from(REPEATS))
def test_filtering_to_any_size_keeps_the_mean_colour(side: float, repeat: str) -> None:
    tile = noise(48)
    grid = (np.arange(200, dtype=np.float32) + 0.5) / 200
    u, v = (axis.ravel() for axis in np.meshgrid(grid * 2, grid * 2))
    mean = read_at(Fabric(tile, repeat), u, v, 1 / side).mean(axis=0)
    assert mean == pytest.approx(to_linear(np.asarray(tile)).mean(axis=(0, 1)), abs=0.02)


# What stays as it was


@few
@given(requests, st.integers(0, 1000), st.floats(0, 1))
def test_pixels_outside_the_mask_are_identical_and_the_size_stays(
    request: OverlayRequest, seed: int, strength: float
) -> None:
    rng = np.random.default_rng(seed)
    photo = Image.fromarray(rng.integers(0, 256, (60, 45, 3), np.uint8))
    mask = np.clip(ndimage.gaussian_filter(rng.normal(size=(60, 45)), 4) * 8, 0, 1).astype(np.float32)
    look = wear(photo, fit(photo, mask), noise(), OverlayRequest(**{**request.to_dict(), "strength": strength}))
    assert look.size == photo.size
    assert look.mode == "RGB"
    assert np.array_equal(np.asarray(look)[mask == 0], np.asarray(photo)[mask == 0])


def test_no_strength_is_the_photo() -> None:
    photo = shot(folds(0.4) * 0.3)
    look = wear(photo, fit(photo, soft_mask()), noise(), OverlayRequest(strength=0.0))
    assert np.array_equal(np.asarray(look), np.asarray(photo))


def test_an_empty_mask_is_the_photo() -> None:
    photo = shot()
    empty = np.zeros((HEIGHT, WIDTH), np.float32)
    look = OverlayPipeline()(photo, empty, empty.astype(np.uint8), noise(), OverlayRequest())
    assert np.array_equal(np.asarray(look), np.asarray(photo))


def test_the_same_request_gives_the_same_bytes() -> None:
    photo = shot(folds(0.3) * 0.3)
    looks = [
        OverlayPipeline()(photo, soft_mask(), None, noise(), OverlayRequest(rotate=20)).tobytes() for _ in range(2)
    ]
    assert looks[0] == looks[1]


# Light


def test_more_light_on_the_cloth_is_more_light_on_the_fabric() -> None:
    ramp = np.linspace(0.1, 0.5, 80)[None].repeat(150, 0)
    photo = shot(ramp)
    look = np.asarray(wear(photo, fit(photo, soft_mask()), plain((140, 140, 140)), OverlayRequest())).astype(int)
    row = inside(look[..., 1], 6)[60]
    assert (np.diff(row) >= 0).all()
    assert row[-1] - row[0] > 30


@pytest.mark.parametrize("tone", [0.012, 0.15, 0.7])
def test_folds_of_black_grey_and_white_cloth_all_show(tone: float) -> None:
    photo = shot(np.minimum(folds(0.35) * tone, 1.0), ground=128)
    light = inside(np.log(fit(photo, soft_mask()).shading()))
    truth = inside(np.pad(np.log(folds(0.35)), ((30, 20), (40, 40))))
    assert np.corrcoef(light.ravel(), truth.ravel())[0, 1] > 0.9
    assert light.std() > 0.1


@pytest.mark.parametrize("contrast", [0.15, 0.4])
def test_a_print_does_not_become_light(contrast: float) -> None:
    y, x = np.mgrid[:150, :80]
    checks = np.where((x // 8 + y // 8) % 2 == 0, 1.0, contrast)
    light = fit(shot(0.5, print_=checks), soft_mask()).shading()
    assert inside(np.log(light)).std() < 0.08


def test_coloured_dots_on_plain_cloth_do_not_become_light() -> None:
    y, x = np.mgrid[:150, :80]
    dots = np.hypot(x % 26 - 13, y % 26 - 13) < 6
    pixels = np.asarray(shot()).copy()
    pixels[BOX] = np.where(dots[..., None], [235, 230, 220], [60, 120, 200])
    light = fit(Image.fromarray(pixels), soft_mask()).shading()
    assert inside(np.log(light)).std() < 0.08


def test_a_print_that_has_leaked_into_the_shading_is_taken_out_and_the_folds_stay() -> None:
    stripes = np.where(np.arange(150)[:, None] // 7 % 2 == 0, 1.0, 0.2)
    seen = even_surface(0.9 * np.log(folds(0.35)) + 0.35 * np.log(stripes))
    photo = shot(folds(0.35) * 0.5, print_=stripes)
    light = inside(np.log(fit(photo, soft_mask(), None, seen).shading()))
    truth = inside(np.pad(np.log(folds(0.35)), ((30, 20), (40, 40))))
    assert np.corrcoef(light.ravel(), truth.ravel())[0, 1] > 0.9
    assert np.abs(np.diff(light, axis=0)).max() < 0.1


@pytest.mark.parametrize("ground", [0, 255])
def test_the_background_leaves_no_halo(ground: int) -> None:
    blurred = ndimage.gaussian_filter(np.asarray(shot(0.2, ground)), (1, 1, 0))
    mask = ndimage.gaussian_filter(soft_mask(), 1.0)
    light = fit(Image.fromarray(blurred), mask).shading()
    assert light[BOX] / light[100, 80] == pytest.approx(1.0, abs=0.15)


def test_shading_stays_within_sane_bounds() -> None:
    wild = np.random.default_rng(3).uniform(0, 1, (150, 80))
    light = fit(shot(wild), soft_mask()).shading()
    assert np.isfinite(light).all()
    assert 0.05 < light.min() <= light.max() < 2.0


# Bending and measure


def person(scale: int) -> tuple[np.ndarray, np.ndarray]:
    """Mask and labels of a straight dress, 105 cm long and 46 cm across, at ``scale`` pixels a centimetre."""
    mask = np.zeros((170 * scale, 80 * scale), np.float32)
    mask[30 * scale : 135 * scale, 17 * scale : 63 * scale] = 1
    return mask, (mask * 3).astype(np.uint8)


@pytest.mark.parametrize("scale", [2, 4])
def test_a_dress_is_measured_in_proportion(scale: int) -> None:
    assert px_per_cm(*person(scale)) == pytest.approx(scale, rel=0.1)


@pytest.mark.parametrize("index", range(7))
@pytest.mark.parametrize("shape", [(1, 1), (2, 90), (90, 2), (40, 40)])
def test_any_cloth_has_a_measure(index: int, shape: tuple[int, int]) -> None:
    value = px_per_cm(np.ones(shape, np.float32), np.full(shape, index, np.uint8))
    assert math.isfinite(value)
    assert value > 0


def test_wider_shoulders_make_a_smaller_pattern() -> None:
    photo = shot()
    mask, labels = soft_mask(), (soft_mask() * 3).astype(np.uint8)
    fitted = fit(photo, mask, labels)
    wide = wear(photo, fitted, noise(), OverlayRequest(scale_cm=10, shoulder_cm=80))
    small = wear(photo, fitted, noise(), OverlayRequest(scale_cm=5, shoulder_cm=40))
    assert np.array_equal(np.asarray(wide), np.asarray(small))


# Preview


def test_a_small_photo_is_not_enlarged_for_the_preview() -> None:
    photo = shot()
    assert fit(photo, soft_mask()).preview(photo).photo.size == (WIDTH, HEIGHT)


# Edges


@given(st.integers(1, 40), st.integers(1, 40))
@few
def test_filling_keeps_what_is_known_and_stays_within_it(height: int, width: int) -> None:
    rng = np.random.default_rng(height * 41 + width)
    values = rng.uniform(2, 3, (height, width)).astype(np.float32)
    known = (rng.uniform(size=(height, width)) < 0.3).astype(np.float32)
    known[0, 0] = 1
    full = fill(values, known)
    assert full[known == 1] == pytest.approx(values[known == 1], abs=1e-5)
    assert 2 - 1e-3 <= full.min() <= full.max() <= 3 + 1e-3


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 50), (17, 16)])
def test_tiny_photos_are_dressed_too(size: tuple[int, int]) -> None:
    photo = Image.new("RGB", size, (90, 90, 90))
    mask = np.ones((size[1], size[0]), np.float32)
    assert OverlayPipeline()(photo, mask, None, noise(), OverlayRequest()).size == size


def test_sizes_that_differ_are_refused() -> None:
    photo = shot()
    with pytest.raises(BadInput, match="mask"):
        fit(photo, np.zeros((5, 5), np.float32))
    with pytest.raises(BadInput, match="class map"):
        fit(photo, soft_mask(), np.zeros((5, 5), np.uint8))
    with pytest.raises(BadInput, match="fit is of"):
        wear(photo.resize((50, 50)), fit(photo, soft_mask()), noise(), OverlayRequest())


def test_progress_rises_to_one_and_stopping_stops() -> None:
    told: list[float] = []
    run = OverlayPipeline()
    run(shot(), soft_mask(), None, noise(), OverlayRequest(), progress=lambda share, stage: told.append(share))
    assert told == sorted(told)
    assert told[0] == 0.0
    assert told[-1] == pytest.approx(1.0)
    with pytest.raises(Stopped):
        run(shot(), soft_mask(), None, noise(), OverlayRequest(), should_stop=lambda: True)


# Fabric under a footprint


@pytest.mark.parametrize("pixels", [0.7, 1.6, 3.1, 9.0])
def test_stripes_finer_than_pixels_are_an_even_tone(pixels: float) -> None:
    """Stripes ``pixels`` wide under a slanting grid of pixels: no moire."""
    tile = np.where(np.arange(256) // 8 % 2, 255, 0).astype(np.uint8)[None, :, None].repeat(256, 0).repeat(3, 2)
    fabric = Fabric(Image.fromarray(tile), "basic")
    side = 1 / (32 * pixels)
    y, x = np.mgrid[:80, :80].astype(np.float32) * side
    seen = read_at(fabric, (0.98 * x + 0.2 * y).ravel(), (0.98 * y - 0.2 * x).ravel(), side)
    assert seen.mean() == pytest.approx(0.5, abs=0.03)
    if pixels < 1:
        assert seen.std() < 0.06


def test_cloth_that_turns_away_is_filtered_along_and_stays_sharp_across() -> None:
    tile = np.where(np.arange(64)[:, None] // 4 % 2, 255, 0).astype(np.uint8).repeat(64, 1)[..., None].repeat(3, 2)
    fabric = Fabric(Image.fromarray(tile), "basic")
    v = np.linspace(0, 1, 500, dtype=np.float32)
    along, across = (
        fabric(np.zeros_like(v), v, np.full_like(v, 1 / 8), np.full_like(v, 1 / 64), np.full_like(v, angle))
        for angle in (0.0, math.pi / 2)
    )
    assert along.std() > 2 * across.std()
    assert along.std() > 0.3


# Outfits


def two_garments() -> np.ndarray:
    """A top, and from row 100 on a skirt."""
    labels = np.where(soft_mask() > 0, 1, 0).astype(np.uint8)
    labels[100:180, 40:120] = 4
    return labels


@pytest.mark.parametrize(("value", "name"), [(4, "skirt"), (9, "top-2")])
def test_only_the_chosen_garments_change(value: int, name: str) -> None:
    photo, labels = shot(), two_garments()
    labels[labels == 4] = value
    fitted = fit(photo, soft_mask(), labels)
    look = np.asarray(wear(photo, fitted, plain(), OverlayRequest(garments=(name,))))
    changed = (look != np.asarray(photo)).any(axis=-1)
    assert changed[105:175, 45:115].all()
    assert not changed[:97].any()
    assert fitted.classes() == [name, "top"]


def test_an_outfit_dresses_each_garment_in_its_own_fabric_and_fit() -> None:
    photo = shot()
    fitted = fit(photo, soft_mask(), two_garments())
    top = OverlayRequest(garments=("top",), scale_cm=9, rotate=30)
    skirt = OverlayRequest(garments=("skirt",), strength=0.5, repeat="mirror")
    tiles = [noise(seed=1), noise(seed=2)]
    both = np.asarray(dress(photo, fitted, tiles, OutfitRequest((top, skirt)))).astype(int)
    turned = np.asarray(dress(photo, fitted, tiles[::-1], OutfitRequest((skirt, top)))).astype(int)
    alone = [np.asarray(wear(photo, fitted, tile, one)) for tile, one in zip(tiles, (top, skirt), strict=True)]
    assert np.abs(both - turned).max() <= 1, "the order of the parts is no matter"
    assert np.abs(both[32:97, 43:117] - alone[0][32:97, 43:117]).max() <= 1
    assert np.abs(both[103:177, 43:117] - alone[1][103:177, 43:117]).max() <= 1


def test_no_photo_is_left_between_two_garments_of_an_outfit() -> None:
    pixels = np.asarray(shot()).copy()
    pixels[30:100, 40:120], pixels[100:180, 40:120] = (250, 20, 20), (250, 40, 30)
    photo = Image.fromarray(pixels)
    fitted = fit(photo, soft_mask(), two_garments(), even_surface())
    parts = tuple(OverlayRequest(garments=(name,)) for name in ("top", "skirt"))
    worn = dress(photo, fitted, [plain((20, 20, 200)), plain((20, 200, 20))], OutfitRequest(parts))
    assert np.asarray(worn)[40:170, 50:110, 0].max() < 60


def test_an_outfit_needs_a_fabric_for_each_part() -> None:
    photo = shot()
    fitted = fit(photo, soft_mask(), two_garments())
    parts = tuple(OverlayRequest(garments=(name,)) for name in ("top", "skirt"))
    with pytest.raises(BadInput, match="2 parts but 1 fabric"):
        dress(photo, fitted, [plain()], OutfitRequest(parts))


@pytest.mark.parametrize("chunk", [1, 700, 5_000])
def test_a_look_is_the_same_in_one_piece_and_in_strips(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = shot(folds(0.4) * 0.3)
    fitted = fit(photo, ndimage.gaussian_filter(soft_mask(), 1.0), two_garments())
    parts = tuple(OverlayRequest(garments=(name,), rotate=20, scale_cm=7) for name in ("top", "skirt"))
    whole = np.asarray(dress(photo, fitted, [noise(seed=1), noise(seed=2)], OutfitRequest(parts)))
    monkeypatch.setattr(wearing, "_CHUNK", chunk)
    strips = np.asarray(dress(photo, fitted, [noise(seed=1), noise(seed=2)], OutfitRequest(parts)))
    assert np.array_equal(whole, strips)


# Borders


@pytest.mark.parametrize("inward", [0.0, 1.5])
def test_no_rim_of_the_old_colour_is_left(inward: float) -> None:
    """A red disc on green, its border three pixels soft; the mask may lie a little inside of it."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    distance = np.hypot(x - 80, y - 100)
    share = np.clip((50 - distance) / 3 + 0.5, 0, 1)[..., None]
    red, green = to_linear(np.uint8([200, 10, 10])), to_linear(np.uint8([20, 160, 40]))
    photo = Image.fromarray(to_srgb((share * red + (1 - share) * green).astype(np.float32)))
    mask = np.clip((50 - inward - distance) / 3 + 0.5 + inward / 6, 0, 1).astype(np.float32)
    look = np.asarray(wear(photo, fit(photo, mask), plain((20, 40, 200)), OverlayRequest())).astype(int)
    ring = (np.abs(distance - 50) < 4) & (mask > 0)
    assert look[..., 0][ring].max() < 110, "at most a hint of red"
    assert np.percentile(look[..., 0][ring], 90) < 45


def test_a_hard_mask_shows_what_is_behind_at_its_rounded_border() -> None:
    pixels = np.full((HEIGHT, WIDTH, 3), (20, 160, 40), np.uint8)
    pixels[BOX] = (200, 10, 10)
    photo = Image.fromarray(pixels)
    look = np.asarray(wear(photo, fit(photo, soft_mask()), plain((20, 40, 200)), OverlayRequest())).astype(int)
    assert look[..., 0].max() < 60


# Light of the surface


@few
@given(st.tuples(*[st.integers(0, 220)] * 3), st.sampled_from([0.02, 0.1, 0.4, 0.8]))
def test_plain_fabric_on_evenly_lit_cloth_is_its_own_colour_in_the_photos_exposure(
    colour: tuple[int, int, int], light: float
) -> None:
    photo = shot(light, ground=250)
    look = wear(photo, fit(photo, soft_mask()), plain(colour), OverlayRequest())
    worn = to_linear(inside(np.asarray(look), 4)).reshape(-1, 3)
    wanted = to_linear(np.uint8(colour))
    assert worn.std(axis=0).max() < 0.01
    exposure = worn.mean(axis=0).sum() / max(float(wanted.sum()), 1e-3)
    assert sum(colour) < 60 or 0.8 < exposure < 1.15


@pytest.mark.parametrize("tone", [0.02, 0.2, 0.6])
def test_grey_cloth_worn_in_even_grey_gives_the_photo_back(tone: float) -> None:
    photo = shot(np.minimum(folds(0.3) * tone, 1.0), ground=200)
    for surface in (even_surface(), even_surface(np.log(folds(0.2)))):
        look = wear(photo, fit(photo, soft_mask(), None, surface), plain((120, 120, 120)), OverlayRequest())
        before, after = (np.log(inside(to_linear(np.asarray(one)))[..., 1] + 1e-4) for one in (photo, look))
        assert np.corrcoef(before.ravel(), after.ravel())[0, 1] > 0.97
        assert after.std() / before.std() == pytest.approx(1.0, abs=0.15)


def test_a_dim_photo_is_dressed_in_dim_cloth() -> None:
    bright, dim = (shot(0.2 * share, ground=int(to_srgb(np.float32([0.8 * share]))[0])) for share in (1.0, 0.3))
    shades = [fit(photo, soft_mask()).shading()[100, 80] for photo in (bright, dim)]
    assert shades[1] < 0.75 * shades[0]


# Coordinates of a photo


def test_the_surface_and_proportions_share_the_say_in_the_scale() -> None:
    photo, mask = shot(), soft_mask()
    labels = (mask * 3).astype(np.uint8)
    usual = px_per_cm(mask, labels)
    for told in (1.2 * usual, 8 * usual):
        fitted = fit(photo, mask, labels, even_surface(per_cm=told))
        assert fitted.px_per_cm == pytest.approx(usual * min(told / usual, 1.4) ** 0.5, rel=0.05)
        u, v = fitted.where()
        assert u[100, 90] - u[100, 70] == pytest.approx(20 / fitted.px_per_cm, rel=0.02)
        assert v[120, 80] - v[100, 80] == pytest.approx(20 / fitted.px_per_cm, rel=0.02)


def test_another_known_scale_moves_everything_along() -> None:
    fitted = fit(shot(), soft_mask())
    twice = fitted.scaled(2 * fitted.px_per_cm)
    assert twice.where()[0] == pytest.approx(fitted.where()[0] / 2, abs=1e-3)
    assert twice.px_per_cm == pytest.approx(2 * fitted.px_per_cm)


def cut_out(turn: float = 0.0) -> Known:
    """Two pieces of cloth side by side: the left one upright, the right one turned by so many degrees; 5 px a cm."""
    rows, columns = HEIGHT // 2, WIDTH // 2
    y, x = np.mgrid[:rows, :columns] * 2 + 1.0
    pieces = np.where(np.arange(WIDTH) < WIDTH // 2, 1, 2).astype(np.uint8)[None].repeat(HEIGHT, axis=0)
    angle = np.where(x < WIDTH // 2, 0.0, np.radians(turn))
    dx, dy = (x - WIDTH / 2) / 5, (y - HEIGHT / 2) / 5
    place = np.stack([np.cos(angle) * dx + np.sin(angle) * dy, np.cos(angle) * dy - np.sin(angle) * dx])
    return Known(np.full((HEIGHT, WIDTH), 0.5, np.float32), place.astype(np.float32), pieces, (2,), 5.0)


def test_known_coordinates_and_light_take_the_place_of_estimates() -> None:
    known = laid(cut_out(turn=90.0), soft_mask(), None)
    u, v = known.where()
    assert known.shading() == pytest.approx(0.5)
    assert known.px_per_cm == 5.0
    dx, dy = (np.array([30.5, 110.5]) - WIDTH / 2) / 5, (60.5 - HEIGHT / 2) / 5
    assert (u[60, 30], v[60, 30]) == pytest.approx((dx[0], dy), abs=0.01)
    assert (u[60, 110], v[60, 110]) == pytest.approx((dy, -dx[1]), abs=0.01)
    assert known.jacobian[:, :, 30, 10] == pytest.approx(np.eye(2) / 5, abs=1e-3)
    assert known.jacobian[:, :, 30, -10] == pytest.approx(np.array([[0, 1], [-1, 0]]) / 5, abs=1e-3)


def test_pieces_of_cloth_meet_at_the_pixel_where_they_are_sewn() -> None:
    known = laid(cut_out(turn=90.0), soft_mask(), None)
    u, v = known.where()
    seam, row = WIDTH // 2, 60
    for x in (seam - 1, seam):
        dx, dy = (x + 0.5 - WIDTH / 2) / 5, (row + 0.5 - HEIGHT / 2) / 5
        expected = (dx, dy) if x < seam else (dy, -dx)
        assert (u[row, x], v[row, x]) == pytest.approx(expected, abs=0.02)


def test_mirrored_pairs_turn_the_second_piece_over_and_leave_the_rest() -> None:
    photo = shot()
    known = laid(cut_out(), soft_mask(), None)
    (u, v), (turned_u, turned_v) = known.where(), known.mirrored().where()
    left, right = np.s_[:, : WIDTH // 2], np.s_[:, WIDTH // 2 :]
    assert turned_u[left] == pytest.approx(u[left]) and turned_v == pytest.approx(v)
    assert turned_u[right] == pytest.approx(-u[right])
    step = Image.new("RGB", (64, 64), (200, 0, 0))
    step.paste((0, 0, 200), (0, 0, 32, 64))
    plain = OverlayRequest(scale_cm=40.0)
    one, two = (np.asarray(wear(photo, known, step, replace(plain, mirrored=on))).astype(int) for on in (False, True))
    assert (one[left] == two[left]).all() and (one[right] != two[right]).any()
    preview = known.preview(photo)
    below = np.asarray(preview.maps)[HEIGHT : 2 * HEIGHT, :, 2]
    inside = soft_mask() > 0.9
    assert preview.data["pairs"] == 1
    assert (below[right][inside[right]] == 255).all() and not below[left].any()
    assert fit(photo, soft_mask()).preview(photo).data["pairs"] == 0


@pytest.mark.parametrize("bad", ["box", "nan"])
def test_a_surface_that_does_not_fit_is_refused(bad: str) -> None:
    surface = even_surface()
    if bad == "nan":
        surface.jacobian[0, 0, 3, 3] = np.nan
    else:
        surface = replace(surface, box=(0, 0, WIDTH + 1, HEIGHT))
    with pytest.raises(BadInput, match="surface"):
        fit(shot(), soft_mask(), None, surface)


def test_the_preview_decodes_to_the_fit() -> None:
    photo = shot(folds(0.4) * 0.3)
    labels = (soft_mask() * 3).astype(np.uint8)
    fitted = fit(photo, soft_mask(), labels)
    preview = fitted.preview(photo, max_side=100)
    assert preview.photo.size == preview.mask.size == (80, 100)
    assert preview.maps.size == (80, 300)
    assert preview.data == {
        "width": 80,
        "height": 100,
        "full_width": WIDTH,
        "full_height": HEIGHT,
        "px_per_cm": pytest.approx(fitted.px_per_cm / 2),
        "garment_step": 2,
        "classes": ["dress"],
        "pairs": 0,
    }
    first, second, behind = np.asarray(preview.maps).astype(np.float32).reshape(3, 100, 80, 3)
    mask = np.asarray(preview.mask)
    for picture, plane in zip((first, second), fitted.where(), strict=True):
        told = (256 * picture[..., 0] + picture[..., 1] - 32768) / 50
        middle = (plane[40:170:2, 50:110:2] + plane[41:171:2, 51:111:2]) / 2
        assert told[20:85, 25:55] == pytest.approx(middle, abs=0.1)
    light = fitted.shading()[1::2, 1::2]
    assert 4 * np.square(first[20:85, 25:55, 2] / 255) == pytest.approx(light[20:85, 25:55], abs=0.06)
    cloth = mask[..., 0] > 0
    beside = ndimage.binary_dilation(cloth, iterations=2) & ~cloth
    assert np.array_equal(behind[beside], np.asarray(preview.photo)[beside])
    assert not behind[:5].any(), "nobody reads it there"
    assert mask[50, 40].tolist() == [255, 6, 0]
    assert mask[0, 0].tolist() == [0, 0, 0]
