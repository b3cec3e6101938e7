"""The recipe for masks of garments: its scenes, its taps, a run of a few steps; and the figures that judge it."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from PIL import Image

from ml_backend import training
from ml_backend.errors import BadInput, Stopped
from ml_backend.evaluation.pieces import PieceScore, measure_pairs, measure_pieces, measure_taps
from ml_backend.networks.unet import HINTS, UNet, UNetConfig
from ml_backend.packaging import Package
from ml_backend.pipelines.hints import RADIUS, Tap, disks, next_tap
from ml_backend.pipelines.segment import Garment, Segmentation, SegmentPipeline
from ml_backend.requests import GARMENT_CLASSES
from ml_backend.training.data import people
from ml_backend.training.data.cloth import IGNORE
from ml_backend.training.data.people import (
    BELONGINGS,
    CLASS_OF_CODE,
    CLOTH_CODES,
    CODES_EACH,
    KINDS,
    Shares,
    Sources,
    heed_tags,
    middles,
    near,
    read_people,
    read_rendered,
    read_tagged,
    scene,
    side_by_side,
)
from ml_backend.training.masks import MasksRecipe, batch, tap_loss, train
from ml_backend.training.run import Run

pytestmark = pytest.mark.usefixtures("one_thread")

TOP, DRESS, SKIN = (GARMENT_CLASSES.index(name) for name in ("top", "dress", "skin"))
SIZE = (64, 48)


@pytest.fixture
def rendered_folder(tmp_path):
    """Eleven rendered figures: a green top on a backdrop."""
    garment = np.zeros((60, 40), np.uint8)
    garment[10:40, 10:30], garment[4:10, 16:24] = 1, 8
    for index in range(11):
        place = tmp_path / f"rendered/{index:04d}-0"
        place.mkdir(parents=True)
        rgb = np.full((60, 40, 3), 200, np.uint8)
        rgb[garment == 1] = (20, 160, 40)
        for colours in range(2):
            Image.fromarray(rgb).save(place / f"rgb-{colours}.jpg", quality=95)
        Image.fromarray(garment).save(place / "garment.png")
    return tmp_path / "rendered"


@pytest.fixture
def recipe(street_folder, rendered_folder):
    return MasksRecipe(
        street_dir=str(street_folder),
        rendered_dir=str(rendered_folder),
        network=UNetConfig(widths=(8, 12, 16, 16), depths=(1, 1, 1, 1), people=True, tap_width=4),
        sizes=(SIZE, (48, 32)),
        side=72,
        batch=4,
        steps=4,
        cooldown=2,
        evaluate_every=2,
    )


@pytest.fixture
def sources(street_folder, rendered_folder):
    return Sources(
        read_people(street_folder, 72, validation=False), rendered=read_rendered(rendered_folder, validation=False)
    )


def test_the_tap_decoder_needs_a_trunk_that_is_deep_enough():
    with pytest.raises(ValueError, match="levels"):
        UNetConfig(widths=(8, 16), depths=(1, 1), people=True, tap_width=4)
    with pytest.raises(ValueError, match="middles"):
        UNetConfig(widths=(8, 16, 16, 16), depths=(1, 1, 1, 1), tap_width=4)


def test_one_look_serves_many_taps():
    network = UNet(UNetConfig(widths=(8, 12, 16, 16), depths=(1, 1, 1, 1), people=True, tap_width=4)).eval()
    rgb = torch.rand(2, 3, 32, 48)
    seen = network.look(rgb)
    torch.testing.assert_close(network(rgb).shape, (2, 8, 32, 48))
    hints = torch.zeros(3, HINTS, 16, 24)
    hints[:, 0, 4, 4] = 1
    answers = network.tap(seen.pick(torch.tensor([1, 0, 1])), hints)
    assert answers.shape == (3, 1, 32, 48)
    torch.testing.assert_close(answers[0], answers[2])
    assert not torch.equal(answers[0], answers[1])


def test_middles_are_where_ways_lead():
    network = UNet(UNetConfig(widths=(8, 12, 16, 16), depths=(1, 1, 1, 1), people=True, tap_width=4))
    torch.nn.init.zeros_(network.middle.weight)
    torch.nn.init.zeros_(network.middle.bias)
    found = network.look(torch.rand(1, 3, 32, 32)).middles() * 64
    torch.testing.assert_close(found[0, 0, 3], torch.arange(16) * 2 + 1.0)
    torch.testing.assert_close(found[0, 1, :, 5], torch.arange(16) * 2 + 1.0)


def test_disks_of_taps():
    planes = disks([Tap(10.5, 6.5), Tap(0.5, 0.5, on=False), Tap(99, 99)], (20, 30))
    rows, columns = np.nonzero(planes[0])
    assert (rows.mean(), columns.mean()) == (6, 10)
    assert np.hypot(rows - 6, columns - 10).max() <= RADIUS
    assert planes[1, 0, 0] == 1
    assert planes[1].sum() < planes[0].sum() / 2, "cut by the frame"


def test_the_next_tap_is_in_the_middle_of_the_largest_mistake():
    truth, found = np.zeros((40, 60), np.bool_), np.zeros((40, 60), np.bool_)
    truth[10:31, 10:31] = True
    assert next_tap(found, truth) == Tap(20.5, 20.5, True)
    found[10:31, 10:31], found[5:12, 45:52] = True, True
    assert next_tap(found, truth) == Tap(48.5, 8.5, False)
    assert next_tap(found, truth, known=~found | truth) is None
    assert next_tap(truth, truth) is None
    places = {next_tap(np.zeros_like(truth), truth, None, np.random.default_rng(seed)).x for seed in range(9)}
    assert len(places) > 3
    assert all(14 < x < 27 for x in places)


def test_codes_tell_what_and_whose():
    assert len(KINDS) <= CODES_EACH
    assert "hat" not in KINDS, "hats are belongings, no cloth"
    assert CLASS_OF_CODE[CODES_EACH + KINDS.index(BELONGINGS)] == 0
    assert CLASS_OF_CODE[2 * CODES_EACH + KINDS.index("dress")] == DRESS
    assert CLASS_OF_CODE[IGNORE] == IGNORE
    assert KINDS.index("skin") not in CLOTH_CODES


def test_street_photos_keep_their_things(street_folder):
    one = read_people(street_folder, 36, validation=False)[0]
    assert one.codes.shape == (36, 24), "at most so high"
    assert set(one.codes.unique().tolist()) == {0, 1, KINDS.index("dress"), KINDS.index("skin")}


def test_rendered_figures_that_end_in_eight_validate(rendered_folder):
    assert len(read_rendered(rendered_folder, validation=True)) == 2
    assert len(read_rendered(rendered_folder, validation=False)) == 20
    with pytest.raises(BadInput, match="rendered"):
        read_rendered(rendered_folder / "0000-0", validation=True)


def test_tags_say_which_garments_may_be_seen():
    probabilities = np.zeros((8, 2, 4), np.float32)
    probabilities[DRESS, 0], probabilities[TOP, 0] = 0.7, 0.25
    probabilities[0, 1, :2], probabilities[SKIN, 1, 2], probabilities[0, 1, 3] = 0.9, 0.9, 0.5
    codes = heed_tags(probabilities, ["blouse", "bag", "skin"])
    assert (CLASS_OF_CODE[codes[0]] == TOP).all(), "the dress is not among the tags"
    assert CLASS_OF_CODE[codes[1]].tolist() == [0, 0, SKIN, IGNORE]
    assert (heed_tags(probabilities, ["bag"])[0] == IGNORE).all(), "cloth, but of no garment that is named"
    assert (CLASS_OF_CODE[heed_tags(probabilities, ["dress", "top"])[0]] == DRESS).all()


def test_the_teachers_word_is_kept(tmp_path):
    (tmp_path / "photos").mkdir()
    for name in ("0001", "0002", "0003"):
        Image.new("RGB", (20, 30), "white").save(tmp_path / f"photos/{name}.jpg")
    (tmp_path / "tags.csv").write_text("photo,tags\n0001,dress skin\n0002,dress\n0003,bag\n")
    asked = []

    def guess(photo):
        asked.append(photo.size)
        found = np.zeros((8, 15, 10), np.float32)
        found[DRESS] = 1
        return found

    first = read_tagged(tmp_path, guess, 72, kept=tmp_path / "kept.npz")
    assert len(asked) == len(first) > 0
    assert first[0].codes.shape == (30, 20)
    again = read_tagged(tmp_path, guess, 72, kept=tmp_path / "kept.npz")
    assert len(asked) == len(first)
    assert all(torch.equal(one.codes, other.codes) for one, other in zip(first, again, strict=True))
    (tmp_path / "tags.csv").write_text("")
    (tmp_path / "tags.csv").unlink()
    with pytest.raises(BadInput, match=r"tags\.csv"):
        read_tagged(tmp_path, guess, 72)


@pytest.mark.parametrize("kind", ["street", "rendered", "pair", "empty"])
def test_scenes_move_photo_and_codes_together(kind, sources):
    shares = Shares(0, *(float(kind == each) for each in ("rendered", "pair")), 0, float(kind == "empty"))
    for seed in range(6):
        made = scene(sources, shares, SIZE, np.random.default_rng(seed))
        assert made.rgb.shape == (3, *SIZE)
        assert made.codes.shape == SIZE
        if kind == "empty":
            assert not made.codes.any()
            assert not made.exact
            continue
        if kind == "rendered":
            green = (made.rgb[1] - made.rgb[0])[made.codes == KINDS.index("top")]
            assert green.numel() == 0 or green.mean() > 0.3
        dress = made.codes % CODES_EACH == KINDS.index("dress")
        if kind == "street" and dress.sum() > 20:
            assert (made.rgb[0] - made.rgb[1])[dress].mean() > 0.4


def test_two_people_stand_side_by_side(sources):
    seen = 0
    for seed in range(8):
        codes = side_by_side(sources, SIZE, np.random.default_rng(seed)).codes
        shown = (codes != IGNORE) & (codes % CODES_EACH > 0)
        columns = [torch.nonzero(shown & (codes // CODES_EACH == person))[:, 1].float() for person in (0, 1)]
        if min(map(len, columns)) > 30:
            seen += 1
            assert abs(columns[0].mean() - columns[1].mean()) > 5
    assert seen > 4


def test_the_way_to_a_persons_middle():
    codes = torch.zeros((1, 20, 30), dtype=torch.int64)
    codes[0, 5:10, 2:6] = KINDS.index("dress")
    codes[0, 5:15, 20:30] = CODES_EACH + KINDS.index("top")
    ways = middles(codes)[0]
    assert ways[:, 5, 2].tolist() == [1.5, 2.0]
    assert ways[:, 14, 29].tolist() == [-4.5, -4.5]
    assert ways[:, 0, 0].isnan().all()


def test_near_is_all_of_the_people(street_folder):
    one = read_people(street_folder, 72, validation=False)[0]
    rgb, codes = near(one, SIZE)
    assert rgb.shape == (3, *SIZE)
    rows = torch.nonzero((codes != IGNORE) & (codes > 0))[:, 0]
    assert SIZE[0] * 0.8 < rows.max() - rows.min() + 1 < SIZE[0]


def test_a_batch_depends_on_seed_and_step_alone(recipe, sources):
    first, again, later = (batch(recipe, step, sources) for step in (2, 2, 4))
    for field in dataclasses.fields(first):
        assert torch.equal(*(torch.nan_to_num(getattr(each, field.name)) for each in (first, again)))
    assert not torch.equal(first.rgb, later.rgb)
    assert first.rgb.shape[2:] == SIZE
    assert batch(recipe, 3, sources).rgb.shape[2:] == (48, 32), "sizes take turns"
    assert len(first.tapped) == len(first.targets) > 0


def test_tap_loss_prefers_the_truth_and_skips_the_unknown():
    targets = torch.zeros(1, 8, 8, dtype=torch.uint8)
    targets[:, 2:5, 2:5], targets[:, 7] = 1, IGNORE
    right = (targets == 1) * 12.0 - 6
    noisy = right.clone()
    noisy[:, 7] = 9
    assert tap_loss(right, targets) < tap_loss(right.roll(2, 1), targets)
    torch.testing.assert_close(tap_loss(noisy, targets), tap_loss(right, targets))


def test_training_learns_what_taps_mean(recipe, tmp_path):
    longer = dataclasses.replace(
        recipe, steps=140, cooldown=30, rate=5e-3, new_rate=5e-3, batch=6, evaluate_every=70, ema=0.9, sizes=(SIZE,)
    )
    train(longer, Run(tmp_path / "run", longer))
    entries = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    assert entries[-1]["near_iou"] > 0.5
    assert entries[-1]["tap_1"] > 0.5
    assert (tmp_path / "run/samples/000140.png").stat().st_size > 1000
    pipeline = SegmentPipeline(Package.load(tmp_path / "run/package"))
    assert pipeline.knows_taps
    folder = tmp_path / "street"
    figures = measure_taps(pipeline, folder, 3) | measure_pieces(pipeline, folder)
    assert figures["taps_1"] > 0.3
    assert figures["taps_garments"] >= 3
    assert 0 <= figures["pieces_quality"] <= 1
    pairs = measure_pairs(pipeline, folder, None, 2)
    assert pairs["count"] == 2
    assert 0 <= pairs["people"] <= 1


def test_a_run_starts_from_a_plain_unet_and_repeats_its_curve(recipe, tiny_segmenter, tmp_path):
    def curve(path):
        return [
            {key: value for key, value in json.loads(line).items() if key != "seconds"}
            for line in (path / "log.jsonl").read_text().splitlines()
        ]

    with pytest.raises(BadInput, match="does not fit"):
        other = dataclasses.replace(recipe, start_from=str(tiny_segmenter.path))
        train(other, Run(tmp_path / "other", other))
    train(recipe, Run(tmp_path / "whole", recipe))
    asked = iter([False] * 3 + [True])
    with pytest.raises(Stopped):
        train(recipe, Run(tmp_path / "halved", recipe), should_stop=lambda: next(asked))
    train(recipe, Run(tmp_path / "halved", recipe, resume=True))
    assert curve(tmp_path / "halved") == [pytest.approx(line, rel=2e-2, abs=1e-3) for line in curve(tmp_path / "whole")]


def test_new_heads_join_weights_that_lack_them(recipe, tmp_path):
    plain = dataclasses.asdict(UNetConfig(widths=(8, 12, 16, 16), depths=(1, 1, 1, 1)))
    from ml_backend.packaging import save_package

    network = UNet(UNetConfig(**plain))
    start = save_package(
        tmp_path / "plain",
        name="plain",
        capability="segment",
        architecture="unet",
        config=network.config,
        state_dict=network.state_dict(),
    )
    still = dataclasses.replace(
        recipe, start_from=str(start.path), steps=1, rate=0.0, new_rate=0.0, weight_decay=0.0, evaluate_every=1
    )
    train(still, Run(tmp_path / "run", still))
    before, after = start.state_dict(), Package.load(tmp_path / "run/package").state_dict()
    torch.testing.assert_close(before["head.weight"], after["head.weight"])
    assert "taps.head.weight" in after


def test_recipe_file_round_trip(recipe, tmp_path):
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(dataclasses.asdict(recipe)))
    assert training.read_recipe(path) == recipe


def garment(value, kind, person=0):
    return Garment(value, kind, kind, person, 0, (0, 0, 1, 1), 0.1)


def test_quality_of_garments_counts_matches_and_overlap():
    labels, truth = np.zeros((20, 20), np.uint8), np.zeros((20, 20), np.bool_)
    labels[:10, :10], labels[10:, 10:] = TOP, DRESS
    truth[:10, :8] = True
    answer = Segmentation((labels > 0).astype(np.float32), labels, (garment(TOP, "top"), garment(DRESS, "dress")))
    score = PieceScore()
    score.add(answer, [("top", truth), ("dress", truth)], np.ones((20, 20), np.bool_))
    assert score.figures() == pytest.approx(
        {"pieces_quality": 0.8 * 0.5, "pieces_iou": 0.8, "pieces_f": 0.5, "pieces": 2}
    )
    assert people.SURE > 0.5
