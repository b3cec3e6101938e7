"""The atelier that makes the default garments does what it says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ml_backend.garments import PLACE_CODE, SIDES, WEARERS, Piece, assets, known
from ml_backend.requests import GARMENT_CLASSES
from script.atelier.__main__ import main
from script.atelier.blender import THICKNESS, _shell
from script.atelier.blocks import lower
from script.atelier.body import Body, Pose
from script.atelier.charts import Look, bake
from script.atelier.cloth import ACROSS, UPRIGHT
from script.atelier.design import Design, hang
from script.atelier.designs import COLLECTION
from script.atelier.drape import Cloth, constraints, drape
from script.atelier.export import label_map, write
from script.atelier.mesh import Edge, Mesh, Panel, inside, resample, sew
from script.atelier.picture import Camera, Picture, _beyond, _cut, _facing, _handed, _numbered
from script.atelier.shirts import Shirt
from script.atelier.trims import Patch, Rib, Seam


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


def test_resampling_and_inside() -> None:
    curve = resample(np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 1.0]]), 8)
    assert len(curve) == 9
    assert np.allclose(np.linalg.norm(np.diff(curve, axis=0), axis=1), 0.5)
    corners = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]])
    assert inside(np.array([[2.0, 2.0], [5.0, 2.0], [-1.0, 2.0]]), corners).tolist() == [True, False, False]


def test_a_small_drape_is_repeatable() -> None:
    one, two = (hang(COLLECTION["skirt"], spacing=6.0, effort=0.02) for _ in range(2))
    assert np.array_equal(one.x, two.x) and len(one.faces) > 500


@pytest.mark.parametrize("design", COLLECTION.values(), ids=lambda design: design.slug)
def test_every_design_is_cut_and_sewn_with_a_grain_for_each_piece(design: Design) -> None:
    mesh = sew(design.panels(Body(design.pose, legs=False, arms=False, cell=3.0)), 5.0, design.seed)
    assert design.wearer in WEARERS and len(design.alt) > 20 and len(design.back_alt) > 20
    assert {name.split("-")[0] for name in mesh.names} == {"front", "back"}
    for number, name in enumerate(mesh.names):
        flat = mesh.uv[mesh.panel == number]
        laid = design.grain(name).lay(flat.reshape(-1, 2), from_behind=name.startswith("back")).reshape(flat.shape)
        sides, cloth = (np.linalg.norm(np.diff(corners, axis=1), axis=2) for corners in (flat, laid))
        assert cloth == pytest.approx(sides), "cloth is laid flat, not stretched"


def test_fronts_run_down_sleeves_run_down_the_arm_and_meet_the_body_at_the_notch() -> None:
    block = COLLECTION["shirt"].grain
    front, left, right = (block(name) for name in ("front-torso", "front-sleeve-l", "front-sleeve-r"))
    assert np.diff(front.lay(np.array([[3.0, 120.0], [3.0, 119.0]]), from_behind=False), axis=0)[0] == pytest.approx(
        [0, 1]
    )
    cut = Shirt()
    top = cut.top
    assert top.sleeve_top is not None
    notch = top.armhole[len(top.armhole) // 2]
    for grain, turn in ((left, np.array([1.0, 1.0])), (right, np.array([-1.0, 1.0]))):
        arm = grain.lay(top.sleeve_top * turn, from_behind=False)
        assert arm[:, 0] == pytest.approx(0.0, abs=1e-9), "the middle line of both sleeves"
        assert arm[-1, 1] - arm[0, 1] == pytest.approx(cut.sleeve, rel=1e-3)
        body, sleeve = (one.lay((notch * turn)[None], from_behind=False)[0, 1] for one in (front, grain))
        assert sleeve == pytest.approx(body)


def seen(names: tuple[str, ...], wrong: bool = False, turned: bool = False) -> np.ndarray:
    """A picture (40, 60) of the first panel, flat before the camera, 4 pixels a centimetre."""
    y, x = np.mgrid[:40, :60]
    across = (x - 30) / 4 * (-1 if turned else 1)
    return np.stack([across, 120 - (y - 20) / 4, np.full(x.shape, 1 + int(wrong))], -1).astype(float)


def test_pockets_go_on_with_the_pattern_and_bands_are_turned() -> None:
    box = np.array([[-2.0, 118.0], [2.0, 118.0], [2.0, 122.0], [-2.0, 122.0]])
    names = ("front-torso",)
    pocket = _cut(seen(names), names, [Patch(names, box)], lambda _: UPRIGHT)
    plain = _cut(seen(names), names, [], lambda _: UPRIGHT)
    assert np.array_equal(pocket.cloth, plain.cloth) and pocket.names == ("front-torso",)
    band = _cut(seen(names), names, [Patch(names, box, grain=ACROSS, name="band")], lambda _: UPRIGHT)
    inside = band.piece == band.names.index("front-torso band")
    assert inside.sum() == pytest.approx(256, abs=40)
    assert np.array_equal(band.cloth[~inside], plain.cloth[~inside])
    assert np.diff(band.cloth, axis=1)[20, 30] == pytest.approx([0.0, 0.25])


def test_a_ribs_cloth_follows_the_edge() -> None:
    names = ("front-torso",)
    edge = np.array([[-6.0, 122.0], [6.0, 122.0]])
    cut = _cut(seen(names), names, [Rib(names, edge, 2.0)], lambda _: UPRIGHT)
    rib = cut.piece == cut.names.index("front-torso rib")
    assert rib[14, 30] and not rib[24, 30]
    assert cut.cloth[14, 31] - cut.cloth[14, 30] == pytest.approx([0.0, 0.25], abs=0.02)


def test_patches_drawn_different_ways_round_are_named_apart_and_lie_the_right_way_round() -> None:
    names = ("front-torso",)
    up, down = np.array([[-9.0, 125.1], [9.0, 125.1]]), np.array([[-9.0, 115.1], [9.0, 115.1]])
    ribs = [Rib(names, up, 2.5, name="neckband"), Rib(names, down, 2.5, name="hem")]
    cut = _cut(seen(names), names, ribs, lambda _: UPRIGHT)
    assert set(cut.names) == {"front-torso", "front-torso neckband", "front-torso hem"}
    number, pieces, facing = _numbered(cut)
    laid = _facing(cut, facing)
    across, below = np.diff(laid, axis=1)[:-1], np.diff(laid, axis=0)[:, :-1]
    area = across[..., 0] * below[..., 1] - across[..., 1] * below[..., 0]
    for k, piece in enumerate(pieces, 1):
        assert np.median(area[number[:-1, :-1] == k]) > 0, piece.name
    same = [replace(rib, name="rib") for rib in ribs]
    with pytest.raises(ValueError, match="name them apart"):
        _numbered(_cut(seen(names), names, same, lambda _: UPRIGHT))


def test_right_sides_are_never_mirrored_and_wrong_sides_are() -> None:
    names = ("collar",)
    for turned, sign in ((False, 1.0), (True, -1.0)):
        assert _handed(_cut(seen(names, turned=turned), names, [], lambda _: UPRIGHT), 0) == sign
    assert _handed(_cut(seen(names, wrong=True, turned=True), names, [], lambda _: UPRIGHT), 0) == 1.0


def test_coordinates_go_on_beyond_the_cloth_as_they_are_at_its_edge() -> None:
    y, x = np.mgrid[:30, :40].astype(float)
    cloth = np.stack([0.2 * x, 0.3 * y], -1)
    piece = np.where((x > 10) & (x < 30), 0, -1)
    place = _beyond(np.where((piece >= 0)[..., None], cloth, np.nan), piece)
    near = (x > 7) & (x < 33)
    assert place[:, near] == pytest.approx(cloth.transpose(2, 0, 1)[:, near], abs=1e-6)
    assert np.isnan(place[:, x < 5]).all()


def test_charts_hold_each_panel_and_its_wrong_side_once() -> None:
    mesh = pillow()
    line = np.array([[-8.0, 0.0], [8.0, 0.0]])
    charts = bake(mesh, [Seam(("front",), line, 0.1, 0.0)], Look(crumple=0.0, wrinkle=0.0), density=6.0)
    height, width = charts.trim.shape[:2]
    assert charts.corners.min() >= 0 and charts.corners.max() <= 1
    texel = np.floor(charts.corners.mean(axis=2) * [width, height]).astype(int)
    relief = charts.trim[texel[..., 1], texel[..., 0], 0]
    near = np.abs(mesh.uv.mean(axis=1)[:, 1]) < 0.6
    front = mesh.panel == 0
    assert np.abs(relief[0][front & near]).max() > 0.004
    assert np.abs(relief[0][~front]).max() == np.abs(relief[1]).max() == 0.0


def test_the_shell_has_a_thickness_and_no_open_edge() -> None:
    mesh = sew([square("front", ("a", "b", "c", "d"), 0.0)], 2.0, seed=1)
    x, faces, origin, corner, wrong = _shell(mesh)
    where = np.unique(np.round(x, 6), axis=0, return_inverse=True)[1].reshape(-1)[faces]
    edges = np.sort(where[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()
    a, b, c = (x[faces[:, k]] for k in range(3))
    volume = (a * np.cross(b, c)).sum() / 6
    assert volume == pytest.approx(256 * THICKNESS, rel=0.03)
    assert sum(wrong) == len(mesh.faces)
    flat = mesh.uv[origin[:, None], corner]
    assert flat == pytest.approx(x[faces][..., :2], abs=1e-6)


def test_a_view_puts_points_where_the_camera_sees_them() -> None:
    camera = Camera(width=120, height=150)
    x = np.random.default_rng(3).uniform([-30, 60, -10], [30, 150, 10], (400, 3))
    view, scale = camera.view(x)
    depth = view.eye[2] - x[:, 2]
    px = view.centre[0] + view.focal * (x[:, 0] - view.eye[0]) / depth
    py = view.centre[1] - view.focal * (x[:, 1] - view.eye[1]) / depth
    assert (px.min() + px.max(), py.min() + py.max()) == pytest.approx((120, 150))
    assert max(np.ptp(px) / 120, np.ptp(py) / 150) == pytest.approx(0.86, abs=1e-6)
    assert scale == pytest.approx(view.focal / camera.distance)


def test_what_is_written_is_what_the_application_reads(tmp_path: Path) -> None:
    design = COLLECTION["skirt"]
    number = np.zeros((150, 120), np.uint8)
    number[20:130, 10:60], number[20:130, 60:110] = 1, 2
    place = np.full((2, 75, 60), np.nan)
    place[:, 10:65, 5:55] = np.mgrid[-27:28, -25:25][::-1] * 0.17
    cover = np.where(number > 0, 255, 0).astype(np.uint8)
    picture = Picture(
        np.full((150, 120, 3), 200, np.uint8), cover, cover, np.full((150, 120), 202, np.uint8), place, number,
        (Piece("front-sleeve-l"), Piece("front-sleeve-r", pair=True)), 11.5,
    )  # fmt: skip
    for back in (False, True):
        write(design, picture, tmp_path / ("skirt-back" if back else "skirt"), back=back)
    front, behind = assets(tmp_path)
    assert (front.slug, front.cut, front.side, front.wearer) == ("skirt", "skirt", "front", "women")
    assert (behind.slug, behind.cut, behind.side, behind.alt) == ("skirt-back", "skirt", "back", design.back_alt)
    own = known(front.folder)
    assert own is not None and own.paired == (2,) and own.px_per_cm == 11.5
    assert np.array_equal(own.pieces, number)
    assert own.place[:, 10:65, 5:55] == pytest.approx(place[:, 10:65, 5:55], abs=0.5 / PLACE_CODE + 1e-6)
    assert own.light == pytest.approx(1.0, abs=0.03)


def test_label_map_uses_the_class_index() -> None:
    cover = np.array([[0, 100, 200]], dtype=np.uint8)
    assert label_map(cover, "dress").tolist() == [[0, 0, GARMENT_CLASSES.index("dress")]]


@pytest.mark.parametrize("arguments", [["kimono"], []])
def test_the_command_refuses_what_it_does_not_know(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "t-shirt" in error


def test_the_collection_is_what_the_application_ships() -> None:
    shipped = {(asset.cut, asset.side): asset for asset in assets()}
    assert set(shipped) == {(slug, side) for slug in COLLECTION for side in SIDES}
    for (slug, _), asset in shipped.items():
        design = COLLECTION[slug]
        assert (asset.garment_class, asset.wearer, asset.order) == (design.garment_class, design.wearer, design.order)
