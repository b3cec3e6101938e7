"""The atelier that makes the default garments does what it says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ml_backend.garments import LIGHT_CODE, assets
from ml_backend.requests import GARMENT_CLASSES
from script.atelier.__main__ import main
from script.atelier.blocks import lower
from script.atelier.body import Body, Pose
from script.atelier.design import hang, picture
from script.atelier.designs import COLLECTION
from script.atelier.drape import Cloth, constraints, drape
from script.atelier.export import label_map, write
from script.atelier.mesh import Edge, Mesh, Panel, inside, resample, sew
from script.atelier.picture import Camera
from script.atelier.raster import rasterise
from script.atelier.truth import bend_map, light_map


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


def test_the_collection_is_what_the_application_ships() -> None:
    assert set(COLLECTION) == {asset.slug for asset in assets()}
