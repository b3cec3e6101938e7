"""``evaluate`` from the shell: every figure stands in the one table, and versions stand side by side."""

import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from ml_backend.cli import main
from ml_backend.evaluation.commands import rows_of
from ml_backend.evaluation.pairs import Lpips
from ml_backend.evaluation.table import from_json
from ml_backend.packaging.starter import WEIGHTS_DIR, starter
from ml_backend.training.data.captioned_folder import Captioned, write_metadata
from tests.ml_backend.tiny import tiny_clip

JUDGE = "classifier-starter"


@pytest.fixture(autouse=True)
def _no_cache(monkeypatch, tmp_path):
    """No Inception that somebody has fetched once."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))


@pytest.fixture
def pictures(tmp_path):
    """Writes a folder of noise around a grey."""

    def draw(name, count=9, loc=128, seed=0, side=40):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        rng = np.random.default_rng(seed)
        for number in range(count):
            pixels = rng.normal(loc, 30, (side, side, 3)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}.png")
        return folder

    return draw


def answered(capsys, *arguments):
    assert main(["evaluate", *map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def complaint(capsys, *arguments):
    assert main(["evaluate", *map(str, arguments)]) == 2
    return capsys.readouterr().err


def test_kid_and_fid_say_features_number_deviation_data_and_command(pictures, capsys):
    near, far = pictures("near", seed=1), pictures("far", 12, loc=60)
    real = pictures("real")
    reference = starter(JUDGE).manifest.reference
    for metric in ("kid", "fid"):
        (one,) = from_json(answered(capsys, metric, real, near))
        answer = answered(capsys, metric, real, far)
        (two,) = from_json(answer)

        assert one.value < two.value
        assert (two.metric, two.n, two.features, two.data) == (metric, 9, reference, "real")
        assert two.deviation > 0
        assert two.command == f"evaluate {metric} {real} {far}"
        assert (answer[metric], answer["real"], answer["fake"]) == (two.value, 9, 12)


def test_inception_and_classifier_are_not_both_asked(pictures, capsys):
    real = pictures("real")

    assert "not both" in complaint(capsys, "kid", real, real, "--inception", real, "--classifier", real)
    assert "Inception" in complaint(capsys, "kid", real, real, "--inception", real / "0.png")
    assert "no pictures" in complaint(capsys, "kid", real, WEIGHTS_DIR / JUDGE)


def test_psnr_and_ssim_of_folders_and_of_files(pictures, capsys, tmp_path):
    real, made = pictures("real"), pictures("made", seed=1)
    shutil.copy(real / "0.png", made / "0.png")
    psnr, ssim = from_json(answered(capsys, "psnr", made, real))
    single = answered(capsys, "psnr", made / "0.png", real / "0.png")

    assert (psnr.metric, psnr.n, psnr.data) == ("psnr", 9, "real")
    assert psnr.deviation > 0
    assert 0 < ssim.value < 1
    assert (single["psnr"], single["ssim"], single["n"]) == (60.0, 1.0, 1), "the same picture; no infinity in JSON"
    (made / "3.png").unlink()
    assert "lacks 1 of the pictures, first 3.png" in complaint(capsys, "psnr", made, real)


def test_without_its_weights_lpips_is_called_what_it_is(pictures, capsys):
    (row,) = from_json(answered(capsys, "lpips", pictures("made", seed=1), pictures("real")))

    assert (row.metric, row.features, row.n) == ("distance", starter(JUDGE).manifest.reference, 9)
    assert row.value > 0


@pytest.mark.parametrize(("kind", "name"), [("alexnet", "alexnet@"), ("vgg16", "vgg16@")])
def test_lpips_on_the_weights_of_a_file(pictures, capsys, tmp_path, kind, name):
    import torchvision

    torch.manual_seed(0)
    weights = tmp_path / "weights.pth"
    torch.save(getattr(torchvision.models, kind)(weights=None).features.state_dict(prefix="features."), weights)
    real = pictures("real", 2, side=64)
    (row,) = from_json(answered(capsys, "lpips", "--weights", weights, pictures("made", 2, seed=1, side=64), real))
    (same,) = from_json(answered(capsys, "lpips", "--weights", weights, real, real))

    assert (row.metric, row.n) == ("lpips", 2)
    assert row.features.startswith(name)
    assert row.value > same.value == 0
    state = torch.load(weights)
    network = Lpips(state).network.net.state_dict()
    assert all(torch.equal(value, state[f"features.{key.split('.', 1)[1]}"]) for key, value in network.items())


def test_lpips_refuses_other_weights_and_pictures_too_small(pictures, capsys, tmp_path):
    torch.save({"features.0.weight": torch.zeros(2, 3, 3, 3)}, tmp_path / "other.pth")
    real = pictures("real", 1)

    assert "no AlexNet or VGG16" in complaint(capsys, "lpips", "--weights", tmp_path / "other.pth", real, real)


def test_clip_says_how_well_pictures_agree_with_their_words(pictures, capsys, tmp_path):
    from transformers import CLIPImageProcessor

    clip = tiny_clip(tmp_path / "clip")
    side = json.loads((clip / "config.json").read_text())["vision_config"]["image_size"]
    CLIPImageProcessor(size={"shortest_edge": side}, crop_size={"height": side, "width": side}).save_pretrained(clip)
    folder = pictures("said", 3)
    (row,) = from_json(answered(capsys, "clip", folder, "--prompt", "a red dress", "--clip", clip))
    write_metadata(folder, [Captioned(folder / f"{number}.png", "a red dress") for number in range(3)])
    (captioned,) = from_json(answered(capsys, "clip", folder, "--clip", clip))

    assert (row.metric, row.n, row.features, row.data) == ("clip", 3, "clip:clip", "said")
    assert 0 <= row.value <= 100
    assert captioned.value == pytest.approx(row.value)


def test_where_there_is_no_clip_it_says_so(pictures, capsys, monkeypatch, tmp_path):
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *names: None)
    folder = pictures("said", 1)

    assert "There is no CLIP here" in complaint(capsys, "clip", folder, "--prompt", "a dress")
    assert "no captions" in complaint(capsys, "clip", folder)
    assert "not a CLIP" in complaint(capsys, "clip", folder, "--prompt", "a dress", "--clip", tmp_path)


def test_figures_are_kept_and_stand_side_by_side(pictures, capsys, tmp_path):
    real, near, far = pictures("real"), pictures("near", seed=1), pictures("far", loc=60)
    for name, fake in (("near", near), ("far", far)):
        for metric in ("kid", "psnr", "kid"):
            folders = (fake, real) if metric == "psnr" else (real, fake)
            answered(capsys, metric, *folders, "--save", tmp_path / f"{name}.json")

    kept = from_json(json.loads((tmp_path / "near.json").read_text()))
    assert [row.metric for row in kept] == ["kid", "psnr", "ssim"], "measured again, it takes the old one's place"
    answer = answered(capsys, "compare", tmp_path / "near.json", f"second={tmp_path / 'far.json'}")
    assert list(answer["versions"]) == ["near", "second"]
    assert main(["evaluate", "compare", str(tmp_path / "near.json"), f"second={tmp_path / 'far.json'}"]) == 0
    head, kid, *_ = capsys.readouterr().out.splitlines()
    assert head.split()[:2] == ["near", "second"]
    assert kid.startswith("KID")
    assert kid.index("*") < kid.index("(n = 9)", kid.index("(n = 9)") + 1), "the nearer one is marked"


def test_packages_are_measured_and_compared(capsys):
    package = WEIGHTS_DIR / JUDGE
    answer = answered(capsys, "compare", f"one={package}", f"two={package}", "--by", "classifier")

    one, two = (from_json(rows) for rows in answer["versions"].values())
    assert one == two or [row.value for row in one] == [row.value for row in two]
    assert one[0].metric == "accuracy"
    assert one[0].n > 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["compare", "none"], "--by"),
        (["compare", "none", "--by", "colour"], "no metric"),
        (["compare", "none", "--by", "seam a.png"], "no metric"),
        (["compare", "BROKEN"], "JSON table"),
        (["compare", "OTHER"], "no table"),
    ],
)
def test_what_cannot_be_compared_is_said(capsys, tmp_path, arguments, words):
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "other.json").write_text('{"kid": 1}')
    names = {"BROKEN": tmp_path / "broken.json", "OTHER": tmp_path / "other.json"}

    assert words in complaint(capsys, *(names.get(each, each) for each in arguments)).splitlines()[-1]


def test_masks_and_tiles_say_how_many_and_how_sure(tmp_path, capsys):
    for name, width in (("made", 4), ("true", 8)):
        (tmp_path / name).mkdir()
        for number in range(3):
            mask = np.zeros((16, 16), np.uint8)
            mask[:, : width + number] = 255
            Image.fromarray(mask).save(tmp_path / name / f"{number}.png")
    (iou,) = from_json(answered(capsys, "iou", tmp_path / "made", tmp_path / "true"))
    scores = [4 / 8, 5 / 9, 6 / 10]

    assert (iou.metric, iou.n, iou.data) == ("iou", 3, "true")
    assert iou.value == pytest.approx(np.mean(scores))
    assert iou.deviation == pytest.approx(np.std(scores, ddof=1) / 3**0.5)
    tiles = [tmp_path / "true" / f"{number}.png" for number in range(3)]
    mean, worst = from_json(answered(capsys, "seam", *tiles))
    assert (mean.metric, mean.n, worst.metric) == ("seam", 3, "seam_worst")
    assert mean.value <= worst.value


def test_numbers_of_any_metric_become_rows():
    from argparse import Namespace

    options = Namespace(metric="generator", model=None, count=3, street="/data/street", json=True)
    figures = {"model": "x@1", "kid": 0.1, "kid_deviation": 0.01, "street_iou": 0.8, "street_n": 7, "n": 30}
    kid, iou = rows_of(options, figures)

    assert (kid.metric, kid.deviation, kid.n, kid.data) == ("kid", 0.01, 30, "street")
    assert (iou.metric, iou.n) == ("street_iou", 7)
    assert kid.command == "evaluate generator --count 3 --street /data/street"
