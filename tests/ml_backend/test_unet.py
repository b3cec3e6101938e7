"""The U-Net, its data and its recipe, at a size that trains in seconds."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from PIL import Image

from ml_backend import training
from ml_backend.errors import BadInput, Stopped
from ml_backend.networks.unet import UNet, UNetConfig
from ml_backend.packaging import Package
from ml_backend.pipelines.segment import SegmentPipeline
from ml_backend.requests import GARMENT_CLASSES
from ml_backend.training.data.cloth import (
    IGNORE,
    augment,
    corrected,
    dye,
    held_out,
    letterbox,
    on_plain_ground,
    read_garments,
    read_street,
)
from ml_backend.training.lr_schedule import warmup_cooldown
from ml_backend.training.run import Run
from ml_backend.training.unet import UNetRecipe, batch, cloth_loss, train

pytestmark = pytest.mark.usefixtures("one_thread")

DRESS = GARMENT_CLASSES.index("dress")
SKIN = GARMENT_CLASSES.index("skin")


@pytest.fixture
def recipe(street_folder):
    return UNetRecipe(
        street_dir=str(street_folder),
        network=UNetConfig(widths=(8, 16), depths=(1, 1)),
        size=(48, 32),
        batch=4,
        steps=6,
        cooldown=2,
        evaluate_every=2,
    )


@pytest.mark.parametrize("size", [(32, 32), (64, 48)])
def test_logits_have_the_size_of_the_photo(size):
    config = UNetConfig(widths=(8, 16, 16), depths=(1, 1, 1))
    assert UNet(config)(torch.rand(2, 3, *size)).shape == (2, 8, *size)
    assert all(side % config.multiple == 0 for side in size)


def test_widths_and_depths_must_agree():
    with pytest.raises(ValueError, match="level"):
        UNetConfig(widths=(8, 16), depths=(1,))


def test_street_labels_become_garment_classes(street_folder):
    photos = read_street(street_folder, (72, 48), validation=False)
    assert set(photos.labels.unique().tolist()) == {0, DRESS, SKIN}, "shoes are background"


def test_held_out_photos_are_never_trained_on(street_folder):
    names = [f"{index:04d}" for index in range(40)]
    kept = [name for name in names if held_out(name)]
    assert 0 < len(kept) < 20
    assert len(read_street(street_folder, (72, 48), validation=True)) == len(kept)
    assert len(read_street(street_folder, (72, 48), validation=False)) == 40 - len(kept)


def test_single_garments_take_their_class_from_the_folder(tmp_path):
    photos, mattes = tmp_path / "photos" / "skirt", tmp_path / "mattes" / "skirt"
    photos.mkdir(parents=True)
    mattes.mkdir(parents=True)
    for index in range(12):
        Image.new("RGB", (20, 30), "white").save(photos / f"{index}.jpg")
        Image.new("1", (20, 30), 1).save(mattes / f"{index}.png")
    found = read_garments(tmp_path / "photos", tmp_path / "mattes", (32, 32), validation=False)
    assert set(found.labels.unique().tolist()) == {GARMENT_CLASSES.index("skirt"), IGNORE}


def test_folder_without_photos_is_named(tmp_path):
    (tmp_path / "labels.txt").write_text("0 null\n")
    with pytest.raises(BadInput, match=str(tmp_path)):
        read_street(tmp_path, (32, 32), validation=True)


def test_letterbox_keeps_proportions():
    image, labels = letterbox(Image.new("RGB", (100, 50), "red"), np.full((50, 100), 3, np.uint8), (40, 40))
    assert (labels == 3).sum() == 40 * 20
    assert (labels == IGNORE).sum() == 40 * 20
    assert image.shape == (40, 40, 3)


def test_augmentation_moves_photo_and_labels_together(street_folder):
    photos = read_street(street_folder, (72, 48), validation=False)
    rgb, labels = augment(photos.images, photos.labels, np.random.default_rng(0))
    assert rgb.min() >= 0
    assert rgb.max() <= 1
    assert set(labels.unique().tolist()) <= {0, DRESS, SKIN, IGNORE}
    redness = rgb[:, 0] - rgb[:, 1:].mean(dim=1)
    assert redness[labels == DRESS].mean() > redness[labels == 0].mean() + 0.2


def test_plain_ground_replaces_only_the_background():
    images = torch.full((20, 3, 16, 16), 90, dtype=torch.uint8)
    labels = torch.zeros(20, 16, 16, dtype=torch.uint8)
    labels[:, 4:12, 4:12] = DRESS
    moved = on_plain_ground(images, labels, np.random.default_rng(0))
    assert (moved[:, :, 5:11, 5:11] == 90).all()
    changed = (moved[:, :, 0, 0] != 90).any(dim=1)
    assert 2 < changed.sum() < 18


def test_dye_keeps_people_and_shade():
    rgb = torch.rand(3, 3, 20, 20)
    leaves = torch.full((3, 20, 20), DRESS)
    leaves[:, :5] = SKIN
    leaves[:, 5:8] = IGNORE
    dyed = dye(rgb, leaves, np.random.default_rng(0), share=1.0)
    torch.testing.assert_close(dyed[:, :, :8], rgb[:, :, :8])
    assert (dyed[:, :, 8:] - rgb[:, :, 8:]).abs().mean() > 0.05
    grey, before = dyed[:, :, 8:].mean(dim=1).flatten(1), rgb[:, :, 8:].mean(dim=1).flatten(1)
    for one, other in zip(grey, before, strict=True):
        assert torch.corrcoef(torch.stack((one, other)))[0, 1] > 0.7


def test_a_teacher_labels_what_has_no_matte_and_mends_wrong_ones():
    found = np.zeros((20, 20), np.float32)
    found[5:15, 5:15] = 0.95
    found[4, 5:15] = 0.5
    right = np.zeros((20, 20), np.uint8)
    right[4:15, 5:15] = DRESS
    assert (corrected(right, found, DRESS) == right).all()
    for labels in (None, np.roll(right, 8, axis=0)):
        mended = corrected(labels, found, DRESS)
        assert (mended[5:15, 5:15] == DRESS).all()
        assert (mended[4, 5:15] == IGNORE).all()
        assert (mended == IGNORE).sum() == 10
    assert corrected(None, np.full((20, 20), 0.5, np.float32), DRESS) is None


def test_a_teacher_adds_photos_without_mattes(tmp_path):
    photos, mattes = tmp_path / "photos" / "skirt", tmp_path / "mattes" / "skirt"
    photos.mkdir(parents=True)
    mattes.mkdir(parents=True)
    for index in range(12):
        Image.new("RGB", (20, 30), "white").save(photos / f"{index}.jpg")
    Image.new("1", (20, 30), 1).save(mattes / "1.png")

    def everything(photo):
        return np.ones((photo.height, photo.width), np.float32)

    kept = [index for index in range(12) if not held_out(str(index))]
    assert 1 in kept
    folders = tmp_path / "photos", tmp_path / "mattes"
    assert len(read_garments(*folders, (32, 32), validation=False)) == 1
    assert len(read_garments(*folders, (32, 32), validation=False, teacher=everything)) == len(kept)


def test_small_photos_first(recipe, street_folder):
    growing = dataclasses.replace(recipe, small_size=(32, 16), small_steps=2, dyed=0.5)
    photos = read_street(street_folder, recipe.size, validation=False)
    shapes = [tuple(batch(growing, step, photos, None)[0].shape[-2:]) for step in (0, 1, 2)]
    assert shapes == [(32, 16), (32, 16), (48, 32)]


def test_a_run_starts_from_a_package(recipe, tmp_path):
    train(recipe, Run(tmp_path / "first", recipe))
    short = dataclasses.replace(recipe, start_from=str(tmp_path / "first/package"), steps=1, rate=0.0, weight_decay=0.0)
    train(short, Run(tmp_path / "second", short))
    before, after = (Package.load(tmp_path / run / "package").state_dict() for run in ("first", "second"))
    name = "head.weight"
    torch.testing.assert_close(before[name], after[name])
    other = dataclasses.replace(short, network=UNetConfig(widths=(8, 8), depths=(1, 1)))
    with pytest.raises(BadInput, match="does not fit"):
        train(other, Run(tmp_path / "third", other))


def test_batch_depends_on_seed_and_step_alone(recipe, street_folder):
    photos = read_street(street_folder, recipe.size, validation=False)
    first, again, later = (batch(recipe, step, photos, None) for step in (3, 3, 4))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[0], later[0])


def test_rate_warms_up_holds_and_cools_down():
    assert warmup_cooldown(0, 1000, 300) < 0.01
    assert warmup_cooldown(500, 1000, 300) == 1
    assert warmup_cooldown(850, 1000, 300) == pytest.approx(0.5)
    assert warmup_cooldown(999, 1000, 300) == pytest.approx(0.02)


def test_loss_prefers_the_truth_and_skips_the_unknown():
    labels = torch.zeros(1, 4, 4, dtype=torch.int64)
    labels[:, 1:3] = DRESS
    right = torch.nn.functional.one_hot(labels, 8).permute(0, 3, 1, 2) * 9.0
    assert cloth_loss(right, labels) < cloth_loss(right.flip(2).roll(1, 1), labels)
    unknown = labels.clone()
    unknown[:, 0] = IGNORE
    noisy = right.clone()
    noisy[:, :, 0] = torch.randn(1, 8, 4)
    torch.testing.assert_close(cloth_loss(noisy, unknown), cloth_loss(right, unknown))


def test_training_learns(recipe, tmp_path):
    longer = dataclasses.replace(recipe, steps=120, cooldown=20, rate=1e-2, batch=8, evaluate_every=60, ema=0.9)
    train(longer, Run(tmp_path / "run", longer))
    entries = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    assert entries[-1]["street_iou"] > 0.6
    assert (tmp_path / "run/samples/000120.png").stat().st_size > 1000
    assert SegmentPipeline(Package.load(tmp_path / "run/package")).model.startswith("run@")


def test_resume_after_a_kill_gives_the_same_curve(recipe, tmp_path):
    def curve(path):
        return [
            {key: value for key, value in json.loads(line).items() if key != "seconds"}
            for line in (path / "log.jsonl").read_text().splitlines()
        ]

    train(recipe, Run(tmp_path / "whole", recipe))
    asked = iter([False] * 3 + [True])
    with pytest.raises(Stopped):
        train(recipe, Run(tmp_path / "halved", recipe), should_stop=lambda: next(asked))
    train(recipe, Run(tmp_path / "halved", recipe, resume=True))
    # Half precision sums in another order now and then, so not to the last digit.
    whole = [pytest.approx(line, rel=5e-3, abs=1e-6) for line in curve(tmp_path / "whole")]
    assert curve(tmp_path / "halved") == whole


def test_a_finished_run_is_not_overwritten(recipe, tmp_path):
    train(recipe, Run(tmp_path / "run", recipe))
    with pytest.raises(BadInput, match="--resume"):
        Run(tmp_path / "run", recipe)
    with pytest.raises(BadInput, match="rate"):
        Run(tmp_path / "run", dataclasses.replace(recipe, rate=0.5), resume=True)


def test_recipe_file_round_trip(recipe, tmp_path):
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(dataclasses.asdict(recipe)))
    assert training.read_recipe(path) == recipe


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "JSON"),
        ("[]", "recipe"),
        ('{"recipe": "cooking"}', "recipe"),
        ('{"recipe": "unet", "speed": 9, "street_dir": "x"}', "speed"),
        ('{"recipe": "unet"}', "street_dir"),
    ],
)
def test_bad_recipe_files_are_explained(text, words, tmp_path):
    path = tmp_path / "recipe.json"
    path.write_text(text)
    with pytest.raises(BadInput, match=words):
        training.read_recipe(path)
