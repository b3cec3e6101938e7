"""The surface network, its data, its recipe, its pipeline and its figures, at a size that trains in seconds."""

import dataclasses
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ml_backend import training
from ml_backend.cli import main
from ml_backend.errors import BadInput, BadPackage, Stopped
from ml_backend.evaluation.surface import (
    by_hand,
    directions,
    on_photo,
    plain_garments,
    plain_light,
    rendered_figures,
)
from ml_backend.networks.surface import SurfaceConfig, SurfaceMaps, SurfaceNet, borders, folded, jacobian
from ml_backend.packaging import Package, save_package
from ml_backend.pipelines.surface import FINE_SIDE, SurfacePipeline
from ml_backend.training.data.bank import draw_bank
from ml_backend.training.data.plain_garments import is_plain, read_plain
from ml_backend.training.data.rendered_people import folders, lie, read, read_people
from ml_backend.training.data.retexture import dressed, photographed, sampled
from ml_backend.training.distributed import alone
from ml_backend.training.run import Run
from ml_backend.training.surface import Batch, SurfaceRecipe, Trainer, batch, surface_loss, train

pytestmark = pytest.mark.usefixtures("one_thread")

TINY = SurfaceConfig(widths=(8, 16), depths=(1, 1), fine=8)
SIZE = (96, 64)


def write_sixteen_bits(path: Path, pixels: np.ndarray) -> None:
    """A PNG of 16 bits a channel; (H, W) grey or (H, W, 3)."""
    height, width = pixels.shape[:2]
    colour = 0 if pixels.ndim == 2 else 2
    rows = pixels.astype(">u2").reshape(height, -1)
    data = b"".join(b"\0" + row.tobytes() for row in rows)

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    )


def write_person(folder: Path, *, cm: float = 0.5, seed: int = 0) -> None:
    """A 'person': a top over a skirt as two upright cylinders, cloth ``cm`` centimetres a pixel, lit from the right."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    height, width = SIZE
    y, x = np.mgrid[:height, :width].astype(np.float32)
    side = np.clip((x - width / 2 + 0.5) / 20, -1, 1)
    garment = np.zeros(SIZE, np.uint8)
    garment[20:50, 12:52], garment[50:86, 12:52] = 1, 4
    garment[6:20, 24:40] = 7
    person = garment > 0
    cloth = (garment == 1) | (garment == 4)
    normal = np.stack((side * 0.9, np.zeros_like(side), np.sqrt(1 - np.square(side * 0.9))), -1)
    light = np.where(person, 0.3 + 0.7 * np.clip(normal @ np.array([0.6, 0.0, 0.8]), 0, 1), 0)
    stretch = 1 / np.maximum(normal[..., 2], 0.3)
    u = 20 * np.arcsin(side * 0.9) / 0.9 * cm
    place = np.zeros((*SIZE, 3))
    place[..., 0], place[..., 1], place[..., 2] = 20000 + 20 * u, 20000 + 20 * y * cm, 5
    grain = np.zeros((*SIZE, 4))
    grain[..., 0], grain[..., 1] = 45, 0
    grain[..., 2] = 128 + 16 * np.log2(cm / 0.5)
    grain[..., 3] = 128 + 16 * np.log2(cm * stretch / 0.5)
    write_sixteen_bits(folder / "uv.png", np.rint(place * cloth[..., None]))
    write_sixteen_bits(folder / "shading.png", np.rint(np.sqrt(light / 4) * 65472))
    coded = np.rint(normal * 127 + 128) * person[..., None]
    Image.fromarray(coded.astype(np.uint8)).save(folder / "normal.png")
    Image.fromarray((np.rint(grain) * cloth[..., None]).astype(np.uint8)).save(folder / "grain.png")
    Image.fromarray(garment).save(folder / "garment.png")
    for which in range(3):
        dye = np.where(garment == 1, rng.uniform(0.1, 0.8), rng.uniform(0.1, 0.8)) * (
            1 - 0.5 * (which == 2) * (y % 8 < 4)
        )
        linear = np.where(person, dye * light, 0.4)
        picture = np.rint(np.clip(linear, 0, 1) ** (1 / 2.2) * 255).astype(np.uint8)
        Image.fromarray(np.repeat(picture[..., None], 3, 2)).save(folder / f"rgb-{which}.jpg", quality=95)
    lights = [{"type": "sun", "energy": 3.0, "to_light_camera": [0.6, 0.0, 0.8]}]
    (folder / "meta.json").write_text(json.dumps({"lights": lights}))


@pytest.fixture
def people(tmp_path):
    root = tmp_path / "people"
    for figure in (0, 1, 2, 8):
        write_person(root / f"{figure:04d}-0", cm=0.4 + 0.1 * figure, seed=figure)
    return root


@pytest.fixture
def garments(tmp_path):
    """Photos and mattes of T-shirts: every other one plain with folds, the others checked."""
    photos, mattes = tmp_path / "photos" / "t-shirt", tmp_path / "mattes" / "t-shirt"
    photos.mkdir(parents=True)
    mattes.mkdir(parents=True)
    y, x = np.mgrid[:120, :90]
    matte = (x > 12) & (x < 78) & (y > 10) & (y < 110)
    for index in range(24):
        light = 1 + 0.12 * np.sin(x / 6 + index) * np.cos(y / 15)
        tint = np.array([150, 90 + index * 3, 120])
        if index % 2:
            tint = np.where(((x // 5 + y // 5) % 2)[..., None], tint, tint[::-1] // 4)
        image = np.where(matte[..., None], tint * light[..., None], 235).clip(0, 255).astype(np.uint8)
        Image.fromarray(image).save(photos / f"{index:02d}.jpg", quality=95)
        Image.fromarray((matte * 255).astype(np.uint8)).convert("1").save(mattes / f"{index:02d}.png")
    return tmp_path / "photos", tmp_path / "mattes"


@pytest.fixture
def recipe(people):
    return SurfaceRecipe(
        people_dir=str(people),
        network=TINY,
        size=(64, 48),
        small_size=(48, 32),
        small_steps=2,
        designs=2,
        design_px=32,
        batch=3,
        steps=6,
        cooldown=2,
        evaluate_every=2,
    )


@pytest.fixture
def tiny_surface(tmp_path):
    torch.manual_seed(0)
    return save_package(
        tmp_path / "tiny-surface",
        name="tiny-surface",
        capability="surface",
        architecture="surface",
        config=TINY,
        state_dict=SurfaceNet(TINY).state_dict(),
    )


def run_train(config, path, **options):
    train(
        config,
        Run(path, config, **{k: v for k, v in options.items() if k == "resume"}),
        **{k: v for k, v in options.items() if k != "resume"},
    )
    return [json.loads(line) for line in (path / "log.jsonl").read_text().splitlines()]


# --- network ---


def test_the_maps_have_the_size_of_the_photo_and_unit_vectors():
    maps = SurfaceNet(TINY)(torch.rand(2, 3, 32, 48), torch.ones(2, 1, 32, 48), torch.zeros(2, 1, 32, 48))
    assert maps.shading.shape == maps.gate.shape == (2, 1, 32, 48)
    assert maps.log_cm.shape == (2, 2, 32, 48)
    for vectors in (maps.normal, maps.warp, maps.weft):
        torch.testing.assert_close(vectors.norm(dim=1), torch.ones(2, 32, 48))
    assert 0 <= float(maps.gate.detach().min()) <= float(maps.gate.detach().max()) <= 1


def test_exposure_does_not_change_what_is_seen_as_light():
    from ml_backend.networks.surface import relative_log

    linear = torch.rand(1, 1, 8, 8).expand(1, 3, 8, 8) * 0.3 + 0.2
    mask = torch.ones(1, 1, 8, 8)
    bright, dark = (relative_log((linear * times) ** (1 / 2.4), mask) for times in (1.0, 0.5))
    torch.testing.assert_close(bright, dark, atol=0.05, rtol=0)


def test_a_black_picture_and_an_empty_mask_are_finite():
    network = SurfaceNet(TINY).eval()
    for rgb in (torch.zeros(1, 3, 16, 16), torch.ones(1, 3, 16, 16)):
        for mask in (torch.zeros(1, 1, 16, 16), torch.ones(1, 1, 16, 16)):
            assert all(bool(plane.isfinite().all()) for plane in network(rgb, mask, torch.zeros(1, 1, 16, 16)))


def test_the_jacobian_undoes_the_steps_of_the_fabric():
    angle = torch.tensor(0.3)
    warp = torch.stack((-angle.sin(), angle.cos())).view(1, 2, 1, 1)
    weft = torch.stack((angle.cos(), angle.sin())).view(1, 2, 1, 1)
    found = jacobian(warp, weft, torch.tensor([0.5, 2.0]).log().view(1, 2, 1, 1))[0, :, :, 0, 0]
    torch.testing.assert_close(found @ (warp[0, :, 0, 0] / 0.5), torch.tensor([0.0, 1.0]), atol=1e-5, rtol=0)
    torch.testing.assert_close(found @ (weft[0, :, 0, 0] / 2.0), torch.tensor([1.0, 0.0]), atol=1e-5, rtol=0)


def test_directions_are_read_back_from_a_jacobian():
    warp, weft = torch.tensor([0.6, 0.8]).view(1, 2, 1, 1), torch.tensor([0.8, -0.6]).view(1, 2, 1, 1)
    found = jacobian(warp, weft, torch.tensor([0.5, 0.7]).log().view(1, 2, 1, 1))[0].numpy()
    one, other, cm = directions(found)
    np.testing.assert_allclose(one[:, 0, 0], [0.6, 0.8], atol=1e-5)
    np.testing.assert_allclose(other[:, 0, 0], [0.8, -0.6], atol=1e-5)
    np.testing.assert_allclose(cm[:, 0, 0], [0.5, 0.7], rtol=1e-5)


def test_parallel_threads_leave_the_jacobian_finite():
    same = torch.tensor([1.0, 0.0]).view(1, 2, 1, 1)
    assert bool(jacobian(same, same, torch.zeros(1, 2, 1, 1)).isfinite().all())


def test_borders_lie_where_garments_meet_and_nowhere_else():
    labels = torch.zeros(1, 6, 6, dtype=torch.uint8)
    labels[:, 3:] = 9
    mask = torch.ones(1, 1, 6, 6)
    mask[..., :2] = 0
    found = borders(labels, mask)[0, 0]
    assert found[2:4, 2:].all()
    assert found.sum() == 8


def test_folding_the_normalisation_changes_nothing_but_the_time():
    torch.manual_seed(0)
    network = SurfaceNet(TINY)
    inputs = torch.rand(2, 3, 32, 32), torch.ones(2, 1, 32, 32), torch.zeros(2, 1, 32, 32)
    network(*inputs)  # moves the statistics
    before = network.eval()(*inputs)
    after = folded(network)(*inputs)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())
    for one, other in zip(before, after, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)


# --- data ---


def test_figures_ending_in_8_are_held_out(people):
    assert [path.name for path in folders(people, validation=True)] == ["0008-0"]
    assert len(read_people(people, validation=False)) == 3


def test_maps_are_read_as_their_format_says(people):
    found = read(people / "0001-0")
    assert found.cloth[30, 30]
    assert not found.cloth[10, 30], "skin is no cloth"
    assert found.place[1, 40, 30] / 20 == pytest.approx(40 * 0.5, abs=0.05)
    lain = lie(found.grain)
    torch.testing.assert_close(lain.warp[:, 30, 30], torch.tensor([0.0, 1.0]), atol=1e-3, rtol=0)
    assert float(lain.log_cm[0, 30, 30].exp()) == pytest.approx(0.5, rel=0.03)
    assert float(found.light[30, 32].exp()) == pytest.approx(0.86, abs=0.03)
    assert found.lamp == (0.6, 0.0, 0.8)


@pytest.mark.parametrize("name", ["uv.png", "shading.png", "normal.png", "meta.json", "rgb-0.jpg"])
@pytest.mark.parametrize("how", ["missing", "damaged"])
def test_a_missing_or_damaged_file_is_told(people, name, how):
    path = people / "0001-0" / name
    path.unlink()
    if how == "damaged":
        path.write_bytes(b"\x89PNG\r\n\x1a\nrubbish")
    with pytest.raises(BadInput, match="0001-0"):
        read(people / "0001-0")


def test_a_map_of_eight_bits_or_another_size_is_refused(people):
    Image.new("RGB", (64, 96)).save(people / "0001-0" / "uv.png")
    with pytest.raises(BadInput, match=r"uv\.png"):
        read(people / "0001-0")
    Image.new("L", (32, 32)).save(people / "0002-0" / "garment.png")
    with pytest.raises(BadInput, match="size"):
        read(people / "0002-0")


def test_a_folder_without_people_is_told(tmp_path):
    (tmp_path / "holiday-2024").mkdir()
    with pytest.raises(BadInput, match="0001-0"):
        read_people(tmp_path, validation=False)


def test_a_tile_repeats_and_is_averaged_where_pixels_are_wide():
    tile = torch.zeros(3, 16, 16)
    tile[:, :, :8] = 1
    x = torch.linspace(0.02, 0.98, 30)
    torch.testing.assert_close(sampled(tile, x, x * 0, 0.01), sampled(tile, x + 3, x * 0 - 2, 0.01), atol=1e-3, rtol=0)
    assert float((sampled(tile, x, x * 0, 1.0) - 0.5).abs().max()) < 1e-3, (
        "a pixel as wide as the repeat shows its mean"
    )


def samples_of(people, count, size=(64, 48)):
    figure, bank = read(people / "0001-0"), draw_bank(2, 32, 5)
    return [dressed(figure, bank, np.random.default_rng(seed), size) for seed in range(count)]


def test_a_figure_dressed_anew_keeps_its_geometry_in_view(people):
    for sample in samples_of(people, 12):
        known = sample.garment > 0
        assert sample.rgb.shape == (3, 64, 48)
        assert 0 <= float(sample.rgb.min()) <= float(sample.rgb.max()) <= 1
        assert known.any()
        assert float(sample.mask[0][known].mean()) > 0.6
        cross = sample.weft[0] * sample.warp[1] - sample.weft[1] * sample.warp[0]
        assert float(cross[known].min()) > 0.8, "fabric is never seen from its back, not in a mirror either"
        assert float(sample.warp[1][known].min()) > 0.9, "the warp still runs down, but for the turn of the camera"


def test_a_mirror_turns_the_normals_about(people):
    slopes = []
    for sample in samples_of(people, 12):
        known = sample.garment > 0
        columns = torch.arange(48).expand(64, 48)[known].float()
        slopes.append(float(torch.corrcoef(torch.stack((columns, sample.normal[0][known])))[0, 1]))
    assert min(slopes) > 0.3, "cloth to the right of the axis faces right, mirrored or not"


def test_the_same_generator_dresses_alike_and_another_otherwise(people):
    first, again, other = (
        dressed(read(people / "0001-0"), draw_bank(2, 32, 5), np.random.default_rng(seed), (64, 48))
        for seed in (3, 3, 4)
    )
    assert torch.equal(first.rgb, again.rgb)
    assert not torch.equal(first.rgb, other.rgb)


def test_plain_garments_are_told_from_prints(garments):
    photos = read_plain(photos=str(garments[0]), mattes=str(garments[1]), validation=False)
    held = read_plain(photos=str(garments[0]), mattes=str(garments[1]), validation=True)
    assert 0 < len(photos) + len(held) <= 12, "the checked ones are left out"
    checked = np.asarray(Image.open(garments[0] / "t-shirt" / "01.jpg"))
    assert not is_plain(checked, np.asarray(Image.open(garments[1] / "t-shirt" / "01.png")))


def test_no_plain_photo_at_all_is_told(tmp_path):
    with pytest.raises(BadInput, match="plain"):
        read_plain(photos=str(tmp_path), mattes=str(tmp_path), validation=False)


def test_a_print_on_a_photo_does_not_change_its_light(garments):
    photo = read_plain(photos=str(garments[0]), mattes=str(garments[1]), validation=False)[0]
    bank = draw_bank(2, 32, 5)
    for seed in range(10):
        sample = photographed(photo, bank, np.random.default_rng(seed), (64, 48))
        known = sample.garment > 0
        assert not sample.lies
        assert float(sample.shading[0][known].std()) < 0.3, "folds of a tenth, whatever was printed over them"


# --- recipe ---


def test_a_batch_is_a_function_of_seed_and_step(recipe, people):
    figure, bank = read(people / "0001-0"), draw_bank(2, 32, 5)

    def draw(rng, size):
        return dressed(figure, bank, rng, size)

    first, again, later = (batch(recipe, step, draw) for step in (3, 3, 4))
    assert torch.equal(first.rgb, again.rgb)
    assert not torch.equal(first.rgb, later.rgb)
    part = batch(recipe, 3, draw, slice(1, 2))
    assert torch.equal(part.rgb[0], first.rgb[1]), "a worker's share is the same photos"
    assert batch(recipe, 1, draw).rgb.shape[2:] == (48, 32)


def truth_of(samples):
    truth = Batch.of(samples)
    maps = SurfaceMaps(truth.shading, truth.mask, truth.normal, truth.warp, truth.weft, truth.log_cm)
    return truth, maps


def test_the_loss_is_nothing_for_the_truth_and_leaves_the_dye_free(people):
    truth, maps = truth_of(samples_of(people, 3))
    assert float(surface_loss(maps, truth)["loss"]) < 0.01
    shifted = maps._replace(shading=maps.shading + (truth.garment == 1)[:, None] * 0.5)
    terms = surface_loss(shifted, truth)
    assert float(terms["folds"]) < 1e-4
    assert float(terms["light"]) < 0.3 * 0.5, "only the part without garments feels it"
    assert float(surface_loss(maps._replace(warp=-maps.warp), truth)["grain"]) > 1


def test_a_photo_without_known_geometry_weighs_on_the_light_alone(people):
    sample = dataclasses.replace(samples_of(people, 1)[0], lies=False)
    truth, maps = truth_of([sample])
    terms = surface_loss(maps._replace(normal=-maps.normal, log_cm=maps.log_cm + 1), truth)
    assert float(terms["normal"]) == float(terms["scale"]) == 0


def test_it_learns_in_a_few_steps(recipe, people):
    samples = samples_of(people, 3)

    def draw(rng, size):
        return samples[int(rng.integers(3))]

    trainer = Trainer(dataclasses.replace(recipe, steps=100, rate=5e-3), draw, alone())
    losses = [float(trainer.step(step)["loss"]) for step in range(40)]
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5])


def test_a_run_leaves_a_package_and_sheets(recipe, tmp_path):
    log = run_train(recipe, tmp_path / "run")
    assert [line["step"] for line in log] == [2, 4, 6]
    assert {"loss", "light", "held_out_shading", "held_out_normal", "held_out_warp"} <= set(log[-1])
    assert SurfacePipeline(Package.load(tmp_path / "run" / "package")).model.startswith("run@")
    with Image.open(tmp_path / "run" / "samples" / "000006.png") as sheet:
        assert sheet.size == (48, 7 * 64), "a held-out picture, and three maps as found and as they are"


def test_a_resumed_run_repeats_the_curve(recipe, garments, tmp_path):
    config = dataclasses.replace(recipe, garment_photos_dir=str(garments[0]), garment_mattes_dir=str(garments[1]))
    whole = run_train(config, tmp_path / "whole")
    stops = iter([False] * 5 + [True])
    with pytest.raises(Stopped):
        run_train(config, tmp_path / "parts", should_stop=lambda: next(stops))
    parts = run_train(config, tmp_path / "parts", resume=True)
    assert [{k: v for k, v in line.items() if k != "seconds"} for line in parts] == [
        {k: v for k, v in line.items() if k != "seconds"} for line in whole
    ]


def test_the_recipe_in_the_repository_is_one():
    path = Path(training.__file__).parent / "recipes" / "surface.json"
    assert isinstance(training.read_recipe(path), SurfaceRecipe)


# --- pipeline ---


def person(size=(120, 160)):
    photo = Image.new("RGB", size, (200, 205, 210))
    mask = np.zeros(size[::-1], np.float32)
    mask[30:140, 40:80] = 1
    photo.paste((120, 30, 40), (40, 30, 80, 140))
    return photo, mask


def check_surface(surface, size):
    left, top, right, bottom = surface.box
    assert 0 <= left < right <= size[0]
    assert 0 <= top < bottom <= size[1]
    h, w = surface.shading.shape
    assert max(h, w) <= FINE_SIDE
    assert surface.normal.shape == (3, h, w)
    assert surface.jacobian.shape == (2, 2, h, w)
    for plane in (surface.shading, surface.normal, surface.jacobian):
        assert plane.dtype == np.float32
        assert np.isfinite(plane).all()
    np.testing.assert_allclose(np.linalg.norm(surface.normal, axis=0), 1, atol=1e-4)


def test_the_maps_span_the_cloth(tiny_surface):
    photo, mask = person()
    surface = SurfacePipeline(tiny_surface)(photo, mask, None)
    check_surface(surface, photo.size)
    left, top, right, bottom = surface.box
    assert left < 40
    assert top < 30
    assert right > 80
    assert bottom > 140
    assert right - left < 60, "no more of the photo than the cloth needs"


def test_centimetres_are_of_photo_pixels(tiny_surface):
    def seen(times):
        photo, mask = person()
        size = (photo.width * times, photo.height * times)
        large = np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.NEAREST))
        return SurfacePipeline(tiny_surface)(photo.resize(size, Image.Resampling.NEAREST), large, None)

    one, other = (np.median(seen(times).jacobian, axis=(2, 3)) for times in (4, 8))
    np.testing.assert_allclose(other, one / 2, rtol=0.1, atol=0.02)


def test_a_mirrored_photo_has_the_mirrored_surface(tiny_surface):
    photo, mask = person()
    photo.paste((90, 90, 20), (40, 60, 55, 100))
    pipeline = SurfacePipeline(tiny_surface)
    one = pipeline(photo, mask, None)
    other = pipeline(photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT), mask[:, ::-1], None)
    np.testing.assert_allclose(one.shading, other.shading[:, ::-1], atol=1e-3)
    np.testing.assert_allclose(one.normal[0], -other.normal[0, :, ::-1], atol=1e-3)
    np.testing.assert_allclose(one.jacobian[0, 0], other.jacobian[0, 0, :, ::-1], atol=1e-3)


def test_a_photo_without_cloth_is_flat(tiny_surface):
    surface = SurfacePipeline(tiny_surface)(Image.new("RGB", (90, 60)), np.zeros((60, 90), np.float32), None)
    check_surface(surface, (90, 60))
    assert (surface.shading == 0).all()
    assert (surface.normal[2] == 1).all()


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (700, 5), (33, 31), (1600, 1300)])
def test_any_size_and_hostile_masks(tiny_surface, size):
    pipeline = SurfacePipeline(tiny_surface)
    rng = np.random.default_rng(0)
    photo = Image.fromarray(rng.integers(0, 256, (*size[::-1], 3), dtype=np.uint8))
    for mask in (np.ones(size[::-1], np.float32), np.full(size[::-1], np.nan, np.float32)):
        check_surface(pipeline(photo, mask, rng.integers(0, 256, size[::-1], dtype=np.uint8)), size)


def test_maps_of_another_size_are_refused(tiny_surface):
    pipeline = SurfacePipeline(tiny_surface)
    with pytest.raises(BadInput, match="mask"):
        pipeline(Image.new("RGB", (20, 30)), np.zeros((20, 30), np.float32), None)
    with pytest.raises(BadInput, match="garments"):
        pipeline(Image.new("RGB", (20, 30)), np.zeros((30, 20), np.float32), np.zeros((2, 2), np.uint8))


def test_a_package_for_something_else_is_refused(tiny_segmenter):
    with pytest.raises(BadPackage, match="segment"):
        SurfacePipeline(tiny_segmenter)


def test_it_can_be_stopped(tiny_surface):
    photo, mask = person()
    with pytest.raises(Stopped):
        SurfacePipeline(tiny_surface)(photo, mask, None, should_stop=lambda: True)


def test_every_garment_is_evenly_lit_at_nought(tiny_surface):
    photo, mask = person()
    labels = np.zeros(mask.shape, np.uint8)
    labels[90:] = 9
    surface = on_photo(SurfacePipeline(tiny_surface)(photo, mask, labels), photo.size)
    for here in (np.s_[40:85, 45:75], np.s_[95:135, 45:75]):
        assert abs(float(np.percentile(surface.shading[here], 70))) < 0.25


# --- figures ---


def test_the_truth_has_perfect_figures(people):
    truth = read(people / "0008-0")

    def oracle(photo, mask, labels):
        lain = lie(truth.grain)
        steps = jacobian(lain.warp[None], lain.weft[None], lain.log_cm[None])[0].numpy()
        normal = truth.normal.float().numpy() / 127
        from ml_backend.pipelines.surface import Surface

        return Surface((0, 0, 64, 96), truth.light.float().numpy() + 0.7, normal, steps)

    figures = rendered_figures(oracle, people)
    assert figures["pictures"] == 3
    assert figures["shading"] < 1e-3
    assert figures["normal"] < 1
    assert figures["warp"] < 0.1
    assert figures["cm"] < 0.01
    assert figures["cm_within_15"] == 1


def test_the_method_by_hand_is_measured_by_the_same_rule(people):
    figures = rendered_figures(by_hand, people)
    assert 0 < figures["shading"] < 1
    assert 0 < figures["normal"] < 60
    assert figures["warp"] < 30


def test_plain_light_tells_strength_from_likeness():
    rng = np.random.default_rng(0)
    from scipy import ndimage

    folds = ndimage.gaussian_filter(rng.standard_normal((120, 90)), 3).astype(np.float32)
    garment = np.zeros((120, 90), bool)
    garment[10:110, 10:80] = True
    correlation, strength = plain_light(folds, 0.5 * folds + 3, garment)
    assert correlation > 0.99
    assert strength == pytest.approx(0.5, abs=0.01)
    assert abs(plain_light(folds, np.roll(folds, 45, axis=1), garment)[0]) < 0.6
    assert plain_light(folds, folds * 0, garment) == (0.0, 0.0)


def test_evaluate_prints_the_figures_of_both(people, garments, tiny_surface, capsys):
    photos, mattes = garments
    command = ["evaluate", "surface", "--data", str(people), "--garments", str(photos), "--mattes", str(mattes)]
    assert len(plain_garments(photos, mattes)) > 0
    assert main([*command, "--model", str(tiny_surface.path), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    for name in ("network_shading", "by_hand_shading", "network_correlation", "by_hand_strength", "network_cm"):
        assert isinstance(figures[name], float)


def test_evaluate_needs_data(tiny_surface, capsys):
    assert main(["evaluate", "surface", "--model", str(tiny_surface.path)]) == 2
    assert "--data" in capsys.readouterr().err
