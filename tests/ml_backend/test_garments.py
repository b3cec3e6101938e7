"""The default garments on disk are sound, and a fabric lies on each of their pieces as a tailor would cut it."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import binary_erosion, binary_fill_holes, gaussian_filter, label

from ml_backend.colour import to_linear
from ml_backend.errors import BadInput
from ml_backend.garments import FILES, LIGHT_CODE, SIDES, WEARERS, Asset, assets
from ml_backend.garments import known as read_known
from ml_backend.pipelines.overlay import Fit, garment, known, wear
from ml_backend.requests import CLOTH_CLASSES, GARMENT_CLASSES, OverlayRequest

ASSETS = assets()
BY_SLUG = {asset.slug: asset for asset in ASSETS}
SHIPPED_FIRST = {
    "t-shirt": "top",
    "dress": "dress",
    "skirt": "skirt",
    "shirt": "top",
    "hoodie": "top",
    "trousers": "trousers",
}
"""Slugs that people's looks have named since the beginning."""

every_side = pytest.mark.parametrize("asset", ASSETS, ids=lambda asset: asset.slug)


def test_there_are_a_dozen_cuts_from_both_sides_for_women_and_for_men() -> None:
    fronts = {asset.slug: asset for asset in ASSETS if asset.side == "front"}
    assert len(fronts) >= 12
    assert SHIPPED_FIRST.items() <= {slug: asset.garment_class for slug, asset in fronts.items()}.items()
    assert {asset.slug for asset in ASSETS} == {*fronts, *(f"{slug}-back" for slug in fronts)}
    for asset in ASSETS:
        front = fronts[asset.cut]
        assert (asset.side in SIDES, asset.wearer, asset.order) == (True, front.wearer, front.order)
    wearers = [asset.wearer for asset in fronts.values()]
    assert set(wearers) == set(WEARERS)
    assert min(wearers.count("women"), wearers.count("men")) >= 3
    assert len({asset.order for asset in fronts.values()}) == len(fronts)
    assert len({asset.alt for asset in ASSETS}) == len(ASSETS)


def test_all_files_together_stay_small() -> None:
    assert sum((asset.folder / name).stat().st_size for asset in ASSETS for name in FILES) < 9_000_000


@every_side
class TestPicture:
    def test_the_files_agree_on_their_size(self, asset: Asset) -> None:
        for path, mode in ((asset.photo, "RGB"), (asset.mask, "L"), (asset.labels, "L")):
            with Image.open(path) as image:
                assert image.size == (asset.width, asset.height) == (1200, 1500)
                assert image.mode == mode
        assert asset.garment_class in CLOTH_CLASSES
        assert 8 < asset.px_per_cm < 24
        assert len(asset.alt) > 20

    def test_the_mask_is_soft_at_its_edge_and_whole_inside(self, asset: Asset) -> None:
        mask = np.array(Image.open(asset.mask))
        full, edge = (mask == 255).mean(), ((mask > 0) & (mask < 255)).mean()
        assert 0.15 < full < 0.70
        assert 0.0005 < edge < 0.03
        assert not mask[0].any() and not mask[-1].any() and not mask[:, 0].any() and not mask[:, -1].any()

    def test_the_garment_is_one_silhouette_and_the_mask_stays_within_it(self, asset: Asset) -> None:
        labels = np.array(Image.open(asset.labels))
        mask = np.array(Image.open(asset.mask))
        number = GARMENT_CLASSES.index(asset.garment_class)
        assert set(np.unique(labels)) == {0, number}
        assert not (mask[labels == 0] > 130).any()
        _, pieces = label(binary_fill_holes(labels > 0))
        sizes = np.bincount(label(labels > 0)[0].ravel())[1:]
        assert pieces <= 4 and sizes.max() > 0.995 * sizes.sum()
        assert (mask[labels > 0] > 200).mean() > 0.95

    def test_the_photo_shows_light_cloth_with_folds_on_light_ground(self, asset: Asset) -> None:
        photo = np.array(Image.open(asset.photo)).astype(float)
        mask = np.array(Image.open(asset.mask))
        cloth = photo[mask == 255].mean(axis=1)
        assert 160 < np.median(cloth) < 235
        assert np.percentile(cloth, 95) - np.percentile(cloth, 5) > 45
        assert (cloth > 254).mean() < 0.002
        corner = photo[:40, :40].reshape(-1, 3).mean(axis=0)
        assert corner.min() > 225 and corner[0] > corner[2]

    def test_its_light_is_that_of_the_photo(self, asset: Asset) -> None:
        cloth = np.array(Image.open(asset.mask)) == 255
        light = worn(asset.slug).light[cloth]
        assert 0.5 < np.median(light) < 1.1 and light.max() <= LIGHT_CODE
        assert np.percentile(light, 2) < 0.75 * np.percentile(light, 90)
        photo = np.array(Image.open(asset.photo).convert("L")).astype(float)[cloth]
        assert np.corrcoef(light, photo)[0, 1] > 0.9


# --- where on the cloth -------------------------------------------------------------------------------------------


@cache
def worn(slug: str) -> Fit:
    asset = BY_SLUG[slug]
    mask = np.asarray(Image.open(asset.mask), np.float32) / np.float32(255)
    found = known(asset.folder, mask, None)
    assert found is not None
    return found


def pieces_of(asset: Asset, least: int = 2500) -> dict[str, NDArray[np.bool_]]:
    """Pieces whose right side is seen on enough nodes, clear of their borders."""
    fitted = worn(asset.slug)
    cover = fitted.mask[::2, ::2] > 0.99
    found: dict[str, NDArray[np.bool_]] = {}
    for number, piece in enumerate(asset.pieces, 1):
        here = binary_erosion((fitted.pieces == number) & cover, iterations=4)
        if here.sum() * 4 >= least and not piece.name.endswith("inside") and not piece.name.startswith("cord"):
            found[f"{piece.name} {number}"] = here
    return found


@every_side
def test_coordinates_are_finite_centimetres_to_scale(asset: Asset) -> None:
    fitted = worn(asset.slug)
    assert fitted.px_per_cm == asset.px_per_cm and fitted.cuts is not None
    assert np.isfinite(fitted.place).all() and np.isfinite(fitted.jacobian).all()
    cloth = fitted.pieces > 0
    assert np.abs(fitted.place[:, cloth]).max() < 360
    assert (fitted.cuts > 0)[fitted.mask > 0.5].all()
    area = fitted.jacobian[0, 0] * fitted.jacobian[1, 1] - fitted.jacobian[0, 1] * fitted.jacobian[1, 0]
    facing = np.sqrt(np.abs(area[cloth])) * asset.px_per_cm
    assert 0.88 < np.percentile(facing, 15) < 1.1, "cloth that faces the camera has the scale of the photo"
    for name, here in pieces_of(asset).items():
        assert (area[here] > 0).mean() > 0.97, f"{name} shows its right side, and no print is mirrored on it"


def lines(picture: NDArray[np.float64], sigma: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Angle of the steepest change at each pixel, in half turns' terms (doubled), and how sure that is."""
    dy, dx = np.gradient(gaussian_filter(picture, 1.0))
    xx, xy, yy = (gaussian_filter(one, sigma) for one in (dx * dx, dx * dy, dy * dy))
    return np.arctan2(2 * xy, xx - yy), np.hypot(xx - yy, 2 * xy) / np.maximum(xx + yy, 1e-12) * (xx + yy > 1e-6)


def apart(one: NDArray[np.float64] | float, two: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Degrees between two doubled angles of lines."""
    return np.degrees(np.abs(np.angle(np.exp(1j * (np.asarray(one) - np.asarray(two)))))) / 2


def stripes() -> Image.Image:
    tile = np.full((128, 128, 3), 255, np.uint8)
    tile[:, 32:96] = 40
    return Image.fromarray(tile)


@every_side
def test_rendered_stripes_follow_the_grain_of_each_piece(asset: Asset) -> None:
    fitted = worn(asset.slug)
    photo = Image.open(asset.photo).convert("RGB")
    look = to_linear(np.asarray(wear(photo, fitted, stripes(), OverlayRequest(scale_cm=2.4)))).mean(-1)
    seen, sure = lines(np.log(look / np.maximum(fitted.shading(), 0.1) + 0.02)[::2, ::2].astype(float), 5.0)
    told = 2 * np.arctan2(fitted.jacobian[0, 1], fitted.jacobian[0, 0])
    pieces = pieces_of(asset)
    assert pieces
    for name, here in pieces.items():
        clear = here & (sure > 0.6)
        assert clear.sum() > 0.3 * here.sum(), name
        narrow = "rib" in name or "band" in name
        assert np.median(apart(seen[clear], told[clear])) < (8 if narrow else 5), name
        if askew(asset, name):
            continue
        warp = float(np.angle(np.mean(np.exp(1j * seen[clear])))) + np.pi
        assert apart(warp, expected(asset, name, pieces)) < 14, f"{name} is cut on another grain"


def askew(asset: Asset, name: str) -> bool:
    """What of the other side comes round, the two leaves of a collar, and bands that follow a neck: no one way."""
    leaves = name.startswith("collar") and asset.side == "front"
    return leaves or "neckband" in name or not name.startswith((asset.side, "collar", "hood"))


def expected(asset: Asset, name: str, pieces: dict[str, NDArray[np.bool_]]) -> float:
    """Doubled angle of the way in which a tailor lays the warp of a piece: found in its outline, not in its map."""
    piece = name.rpartition(" ")[0]
    if piece.endswith(("waistband", "yoke", "collar")) or (piece.endswith("rib") and "torso" in piece):
        return 0.0
    if "sleeve" in piece:
        side = "-l" if "sleeve-l" in piece else "-r"
        whole = np.any([here for other, here in pieces.items() if f"sleeve{side}" in other], axis=0)
        arm = main_way(whole)
        return arm + np.pi if piece.endswith(("cuff", "rib")) else arm
    return np.pi


def main_way(here: NDArray[np.bool_]) -> float:
    """Doubled angle of the longer axis of a shape."""
    y, x = np.nonzero(here)
    (xx, xy), (_, yy) = np.cov(x, y)
    return float(np.arctan2(2 * xy, xx - yy))


@pytest.mark.parametrize("slug", ["shirt", "short-sleeved-shirt", "shirt-dress", "blouse"])
def test_the_pattern_matches_across_placket_and_pocket(slug: str) -> None:
    asset, fitted = BY_SLUG[slug], worn(slug)
    number = next(n for n, piece in enumerate(asset.pieces, 1) if piece.name == "front-torso")
    front = fitted.pieces == number
    u, v = fitted.place
    level = (v > 15) & (v < 40) & front
    crossing = level[:, 1:] & level[:, :-1] & (np.abs(u[:, 1:]) < 20)
    step = np.hypot(np.diff(u, axis=1), np.diff(v, axis=1))[crossing]
    assert crossing.sum() > 4000
    assert np.percentile(step, 99.5) * asset.px_per_cm / 2 < 3, "one cloth from side to side"
    middle = level & (np.abs(u) < 0.2)
    assert abs(np.nonzero(middle)[1].mean() * 2 - asset.width / 2) < 45, "the pattern is centred on the placket"


@pytest.mark.parametrize("slug", ["trousers", "wide-trousers", "chinos", "shorts"])
@pytest.mark.parametrize("side", SIDES)
def test_halves_match_at_the_centre_seam(slug: str, side: str) -> None:
    asset = BY_SLUG[slug if side == "front" else f"{slug}-back"]
    fitted = worn(asset.slug)
    numbers = {piece.name: n for n, piece in enumerate(asset.pieces, 1)}
    halves = [fitted.pieces == numbers[f"{side}-leg-{end}"] for end in ("l", "r")]
    steps = []
    for row in range(fitted.pieces.shape[0]):
        columns = [np.flatnonzero(half[row]) for half in halves]
        if not (columns[0].size and columns[1].size):
            continue
        left, right = sorted(columns, key=lambda one: one.mean())
        if 0 < right.min() - left.max() <= 2:
            steps.append(np.abs(fitted.place[:, row, left.max()] - fitted.place[:, row, right.min()]))
    assert len(steps) > 30, "the seam is seen"
    across, down = np.median(steps, axis=0)
    assert across < 1.0 and down < 0.6


@pytest.mark.parametrize("slug", ["shirt", "t-shirt", "hoodie-back"])
def test_sleeves_are_cut_alike_and_on_request_as_mirrored_pairs(slug: str) -> None:
    asset, fitted = BY_SLUG[slug], worn(slug)
    pairs = {asset.pieces[number - 1].name for number in fitted.paired}
    assert pairs and all("sleeve-r" in name for name in pairs)
    side = asset.side
    left, right = (
        np.isin(fitted.pieces, [n for n, piece in enumerate(asset.pieces, 1) if piece.name == f"{side}-sleeve-{end}"])
        for end in ("l", "r")
    )
    usual, turned = fitted.place, fitted.mirrored().place
    means = [place[0][here].mean() for place in (usual, turned) for here in (left, right)]
    assert means[0] == pytest.approx(-means[1], abs=1.5), "each on its own side of the middle line"
    assert means[2] == pytest.approx(means[3], abs=1.5), "the second is the first, turned over"


# --- what is not a garment ----------------------------------------------------------------------------------------


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BY_SLUG["skirt"].folder, tmp_path / "skirt"))


@pytest.mark.parametrize("broken", ["no pieces", "no picture", "another size", "unnamed piece", "empty", "no scale"])
def test_a_package_that_does_not_belong_together_is_refused(copied: Path, broken: str) -> None:
    meta = json.loads((copied / "meta.json").read_text())
    if broken == "no pieces":
        (copied / "pieces.png").unlink()
    elif broken == "no picture":
        (copied / "place.png").write_bytes(b"not a picture")
    elif broken == "another size":
        Image.new("L", (60, 75), 1).save(copied / "pieces.png")
    elif broken == "unnamed piece":
        (copied / "meta.json").write_text(json.dumps({**meta, "pieces": []}))
    elif broken == "empty":
        Image.fromarray(np.zeros((150, 60), np.uint16)).save(copied / "place.png")
    else:
        (copied / "meta.json").write_text(json.dumps({**meta, "px_per_cm": None}))
    with pytest.raises(BadInput, match="garment skirt"):
        read_known(copied)


def test_a_photo_of_another_size_and_a_garment_without_coordinates_are_left_to_be_measured(copied: Path) -> None:
    assert known(copied, np.ones((30, 40), np.float32), None) is None
    (copied / "place.png").unlink()
    photo, fitted = garment(copied)
    assert photo.size == (fitted.width, fitted.height) and fitted.cuts is None
    assert fitted.px_per_cm == pytest.approx(BY_SLUG["skirt"].px_per_cm)
