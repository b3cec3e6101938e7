"""The default garments on disk are sound, and the atelier that makes them does what it says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import binary_fill_holes, label

from ml_backend.garments import FILES, Asset, assets
from ml_backend.garments.__main__ import main
from ml_backend.garments.render.blocks import lower
from ml_backend.garments.render.body import Body, Pose
from ml_backend.garments.render.design import hang, picture
from ml_backend.garments.render.designs import COLLECTION
from ml_backend.garments.render.drape import Cloth, constraints, drape
from ml_backend.garments.render.export import label_map, write
from ml_backend.garments.render.mesh import Edge, Mesh, Panel, inside, resample, sew
from ml_backend.garments.render.picture import Camera
from ml_backend.garments.render.raster import rasterise
from ml_backend.garments.render.truth import LIGHT_CODE, REACH, bend_map, light_map
from ml_backend.pipelines.overlay import Fit, known
from ml_backend.requests import CLOTH_CLASSES, GARMENT_CLASSES

ASSETS = assets()
EXPECTED = {
    "t-shirt": "top",
    "dress": "dress",
    "skirt": "skirt",
    "shirt": "top",
    "hoodie": "top",
    "trousers": "trousers",
}


def test_the_collection_is_complete_and_in_order() -> None:
    assert {asset.slug: asset.garment_class for asset in ASSETS} == EXPECTED
    assert [asset.order for asset in ASSETS] == sorted({asset.order for asset in ASSETS})
    assert set(COLLECTION) == set(EXPECTED)


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


def square(name: str, sides: tuple[str, str, str, str], depth: float) -> Panel:
    corners = np.array([[-8.0, -8.0], [8.0, -8.0], [8.0, 8.0], [-8.0, 8.0], [-8.0, -8.0]])
    edges = tuple(Edge(sides[k], corners[k : k + 2]) for k in range(4))
    return Panel(name, edges, lambda uv: np.column_stack([uv, np.full(len(uv), depth)]))


def pillow() -> Mesh:
    return sew([square("front", ("a", "b", "c", "d"), 1.0), square("back", ("a", "b", "c", "d"), -1.0)], 2.0, seed=1)


def border_edges(mesh: Mesh) -> int:
    pairs = np.sort(mesh.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    return int((np.unique(pairs, axis=0, return_counts=True)[1] == 1).sum())


def test_seams_close_and_the_cloth_faces_outward() -> None:
    mesh = pillow()
    assert border_edges(mesh) == 0
    centre = mesh.x[mesh.faces].mean(axis=1)
    p, q, r = (mesh.x[mesh.faces[:, k]] for k in range(3))
    assert (np.cross(q - p, r - p)[:, 2] * centre[:, 2] > -1e-9).all()
    assert border_edges(sew([square("front", ("a", "b", "c", "d"), 0.0)], 2.0, seed=1)) > 20


def test_subdivision_keeps_area_and_pattern() -> None:
    mesh = sew([square("front", ("a", "b", "c", "d"), 0.0)], 2.0, seed=1)
    for finer in (mesh.subdivide(), mesh.smooth()):
        p, q, r = (finer.x[finer.faces[:, k]] for k in range(3))
        area = np.linalg.norm(np.cross(q - p, r - p), axis=1).sum() / 2
        assert len(finer.faces) == 4 * len(mesh.faces)
        assert area == pytest.approx(256.0, rel=0.02)
        assert np.abs(finer.uv).max() <= 8.0 + 1e-9
        assert len(finer.loops["a"]) == 2 * len(mesh.loops["a"]) - 1


def test_constraints_of_one_colour_share_no_vertex() -> None:
    held = constraints(pillow(), Cloth())
    for group in (*held.pairs, *held.hinges):
        assert len(np.unique(group)) == group.size
    assert sum(len(group) for group in held.pairs) * 2 == 3 * len(pillow().faces)


def test_cloth_falls_onto_the_body_keeps_its_lengths_and_does_not_enter_it() -> None:
    body = Body(Pose(), legs=False, arms=False, cell=1.5)
    panel = square("front", ("a", "b", "c", "d"), 0.0)
    flat = replace(panel, place=lambda uv: np.column_stack([uv[:, 0], np.full(len(uv), 156.0), uv[:, 1]]))
    mesh = sew([flat], 2.0, seed=1)
    start = mesh.x[:, 1].mean()
    held = constraints(mesh, Cloth())
    drape(mesh, body, Cloth(pressure=0.0), held, 500, 1 / 800)
    assert mesh.x[:, 1].mean() < start - 4
    distance, way = body.distance(mesh.x)
    assert distance.min() > -0.4
    assert np.allclose(np.linalg.norm(way, axis=1), 1.0, atol=1e-6)
    pairs, rest = np.concatenate(held.pairs), np.concatenate(held.rest)
    strain = np.linalg.norm(mesh.x[pairs[:, 0]] - mesh.x[pairs[:, 1]], axis=1) / rest
    assert np.percentile(strain, 5) > 0.9 and np.percentile(strain, 95) < 1.1


def test_sleeves_turn_down_about_the_shoulder_without_stretching() -> None:
    sleeve = np.array([[-40.0, 120.0], [-36.0, 118.0], [40.0, 120.0], [36.0, 118.0], [0.0, 120.0]])
    turned = lower(sleeve, (18.0, 139.5), (25.0, 25.0))
    assert np.linalg.norm(turned[0] - turned[1]) == pytest.approx(np.linalg.norm(sleeve[0] - sleeve[1]))
    assert abs(turned[0, 0]) < 40 and turned[0, 1] < 120
    assert np.allclose(turned[2], turned[0] * [-1, 1])
    assert np.array_equal(turned[4], sleeve[4])


def test_the_nearest_triangle_is_seen() -> None:
    points = np.array([[1, 1, 0], [9, 1, 0], [1, 9, 0], [1, 1, 5], [5, 1, 5], [1, 5, 5]], dtype=float)
    seen = rasterise(points, np.array([[0, 1, 2], [3, 4, 5]]), (10, 10))
    owner = seen.plane(seen.triangle.astype(float), -1.0)
    assert owner[2, 2] == 1 and owner[6, 2] == 0 and owner[9, 9] == -1
    assert seen.bary.sum(axis=1) == pytest.approx(1.0)
    area = (owner >= 0).sum()
    assert area == pytest.approx(32, abs=6)


def test_resampling_and_inside() -> None:
    curve = resample(np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 1.0]]), 8)
    assert len(curve) == 9
    assert np.allclose(np.linalg.norm(np.diff(curve, axis=0), axis=1), 0.5)
    corners = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]])
    assert inside(np.array([[2.0, 2.0], [5.0, 2.0], [-1.0, 2.0]]), corners).tolist() == [True, False, False]


@pytest.fixture(scope="module")
def small_skirt() -> Mesh:
    return hang(COLLECTION["skirt"], spacing=5.0, effort=0.02)


def test_a_small_render_is_repeatable_and_its_files_agree(small_skirt: Mesh, tmp_path: Path) -> None:
    design = COLLECTION["skirt"]
    again = hang(design, spacing=5.0, effort=0.02)
    assert np.array_equal(small_skirt.x, again.x)
    one, two = (picture(design, mesh, size=(120, 150)) for mesh in (small_skirt, again))
    assert np.array_equal(one.photo, two.photo) and np.array_equal(one.mask, two.mask)
    assert (one.mask <= one.cover).all()
    write(design, one, tmp_path / "skirt")
    (asset,) = assets(tmp_path)
    assert (asset.slug, asset.garment_class, asset.width, asset.height) == ("skirt", "skirt", 120, 150)
    assert np.array_equal(np.array(Image.open(asset.mask)), one.mask)


def test_the_mask_is_the_silhouette_of_the_mesh(small_skirt: Mesh) -> None:
    camera = Camera(width=120, height=150)
    design = replace(COLLECTION["skirt"], camera=camera)
    points, _ = camera.project(small_skirt.x)
    seen = rasterise(points, small_skirt.faces, (150, 120))
    silhouette = seen.plane(np.ones(len(seen.pixel)))
    mask = picture(design, small_skirt).mask / 255
    assert np.abs(mask - silhouette).mean() < 0.01
    assert (mask[silhouette == 0] < 0.9).all()


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


def test_light_is_relative_to_even_light_and_one_off_the_garment() -> None:
    cover = np.zeros((20, 20))
    cover[:, 5:] = 1.0
    light = np.where(cover > 0, 0.5, 0.0)
    light[:2, 5:] = 0.125
    coded = LIGHT_CODE * (light_map(light, cover) / 255) ** 2
    assert coded[:, :5] == pytest.approx(1.0, abs=0.02)
    assert coded[5:, 5:] == pytest.approx(1.0, abs=0.02)
    assert coded[:2, 5:] == pytest.approx(0.25, abs=0.02)


def test_bends_leave_out_affine_maps_and_set_pieces_apart() -> None:
    y, x = np.mgrid[0:60, 0:80].astype(float)
    turned = np.stack([0.8 * x - 0.3 * y + 7, 0.3 * x + 0.9 * y - 40], axis=-1)
    piece = np.where(x < 50, 0, np.where(x < 75, 1, -1)).astype(np.int64)
    coded = bend_map(turned, piece, 80.0, 6.0)[..., 1:].astype(int) - 128
    assert (coded[piece == -1] == 0).all() and (np.abs(coded[piece == 0]) <= 1).all()
    shift = coded[piece == 1].mean(axis=0)
    assert np.hypot(*shift) == pytest.approx(0.5 * 127, abs=2)
    waved = turned + 0.4 * np.sin(x / 4)[..., None]
    bent = bend_map(waved, piece, 80.0, 6.0)[..., 1:].astype(int) - 128
    assert np.abs(bent[piece == 0]).max() > 10


def test_label_map_uses_the_class_index() -> None:
    cover = np.array([[0, 100, 200]], dtype=np.uint8)
    assert label_map(cover, "dress").tolist() == [[0, 0, GARMENT_CLASSES.index("dress")]]


@pytest.mark.parametrize("arguments", [["kimono"], []])
def test_the_command_refuses_what_it_does_not_know(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "t-shirt" in error
