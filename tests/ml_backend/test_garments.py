"""The default garments on disk are sound, and the overlay knows their light and folds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import binary_fill_holes, label

from ml_backend.garments import FILES, LIGHT_CODE, REACH, Asset, assets
from ml_backend.pipelines.overlay import Fit, known
from ml_backend.requests import CLOTH_CLASSES, GARMENT_CLASSES

ASSETS = assets()
SHIPPED = {
    "t-shirt": "top",
    "dress": "dress",
    "skirt": "skirt",
    "shirt": "top",
    "hoodie": "top",
    "trousers": "trousers",
}


def test_the_collection_is_complete_and_in_order() -> None:
    assert SHIPPED.items() <= {asset.slug: asset.garment_class for asset in ASSETS}.items()
    assert [asset.order for asset in ASSETS] == sorted({asset.order for asset in ASSETS})


def test_all_files_together_stay_small() -> None:
    total = sum((asset.folder / name).stat().st_size for asset in ASSETS for name in FILES)
    assert total < 4_000_000


@pytest.mark.parametrize("asset", ASSETS, ids=lambda asset: asset.slug)
class TestAsset:
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


def blank_fit(width: int, height: int) -> Fit:
    ones = np.ones((height, width), np.float32)
    place, jacobian = np.zeros((2, 4, 4), np.float32), np.zeros((2, 2, 4, 4), np.float32)
    pieces, box = np.zeros((4, 4), np.uint8), (2, 2, width - 2, height - 2)
    return Fit(width, height, box, ones, place, jacobian, pieces, ones, None, 10.0)


@pytest.mark.parametrize("asset", ASSETS, ids=lambda asset: asset.slug)
def test_the_renderer_knows_light_and_bend(asset: Asset) -> None:
    fit = known(blank_fit(1200, 1500), asset.folder)
    cloth = np.array(Image.open(asset.mask)) == 255
    light = fit.shading()[cloth]
    assert 0.5 < np.median(light) < 1.1 and light.max() <= LIGHT_CODE
    assert np.percentile(light, 2) < 0.75 * np.percentile(light, 90)
    y, x = np.mgrid[:1500, :1200] + 0.5
    bend = 10.0 * np.stack(fit.where()) - [x - 600, y - 750]
    assert 5 < np.abs(bend[:, cloth]).max() <= REACH * 1500 * 1.1
    photo = np.array(Image.open(asset.photo).convert("L")).astype(float)[cloth]
    assert np.corrcoef(light, photo)[0, 1] > 0.9


def test_a_fit_of_another_size_or_garment_is_left_alone(tmp_path: Path) -> None:
    fit = blank_fit(30, 40)
    assert known(fit, ASSETS[0].folder) is fit
    assert known(fit, tmp_path) is fit
